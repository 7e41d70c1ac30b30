// Reads along what the two ends of a session say, and holds it against the rules: nothing is sent without room, no stream is
// sent more than its credit, and nothing follows its end.
import type { Session } from '../../../../src/agent/session.js';
import { violation } from './call-record.js';

/** What every stream begins with, as the protocol says. */
const WINDOW = { items: 64, bytes: 262_144 };

interface OutgoingStream {
  items: number;
  bytes: number;
  isOver: boolean;
}

interface WireMessage {
  method?: string;
  params?: { s?: number; items?: unknown[]; n?: number; bytes?: number };
}

/** Where a conversation is over, the next one on the same session begins anew. */
export class Wire {
  #streams = new Map<number, OutgoingStream>();

  constructor(session: Session, guard: (check: () => void) => void) {
    const send = session.send.bind(session);
    session.send = (data, options) => {
      guard(() => this.#onSend(session, data as string));
      return send(data, options);
    };
    // Registered before that of the peer.
    session.on('message', (data) => guard(() => this.#onReceived(data as string)));
    session.on('sessionlost', () => this.#streams.clear());
    session.on('moved', () => this.#streams.clear());
  }

  #onSend(session: Session, text: string): void {
    if (!session.hasRoomFor(text.length)) violation(`sent without room: ${text.slice(0, 100)}`);
    if (text.length > session.maxBytes) violation(`${text.length} characters in a message`);
    const { method, params } = JSON.parse(text) as WireMessage;
    if (params?.s === undefined) return;
    const stream = this.#streamOf(params.s);
    if (method === '$/next') this.#onItems(params.s, stream, params.items!.length, text.length);
    if (method === '$/end') {
      if (stream.isOver) violation(`stream ${params.s} ends twice`);
      stream.isOver = true;
    }
  }

  #onItems(number: number, stream: OutgoingStream, count: number, length: number): void {
    if (stream.isOver) violation(`stream ${number} goes on behind its end`);
    if (count < 1 || count > WINDOW.items) violation(`${count} items in one message`);
    if (stream.items < count || stream.bytes <= 0)
      violation(`stream ${number} has no credit for ${count} items`);
    stream.items -= count;
    stream.bytes -= length;
  }

  #onReceived(text: string): void {
    const { method, params } = JSON.parse(text) as WireMessage;
    if (method !== '$/credit') return;
    const stream = this.#streamOf(params!.s!);
    stream.items += params!.n!;
    stream.bytes += params!.bytes!;
    if (stream.items > WINDOW.items || stream.bytes > WINDOW.bytes)
      violation(
        `stream ${params!.s} has more credit than a window: ${stream.items} items, ${stream.bytes} bytes`,
      );
  }

  #streamOf(number: number): OutgoingStream {
    let stream = this.#streams.get(number);
    if (stream === undefined) {
      stream = { ...WINDOW, isOver: false };
      this.#streams.set(number, stream);
    }
    return stream;
  }
}
