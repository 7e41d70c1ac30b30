// One end of a connection of the model: a Link as `socket-link.ts` makes of a WebSocket. What it sends goes into a Flow;
// which faults there are is decided in fake-network.ts.
import type { Data, Link, LinkEnd, LinkHandler } from '../../../src/agent/link.js';
import type { ClockEvent } from './clock.js';
import type { FakeProcess } from './fake-process.js';
import type { Flow } from './flow.js';

/** How long an end waits for the answer to its Close frame. */
const CLOSE_TIMEOUT_MS = 30_000;

/** More than any sender accepts to have in its socket. */
const CONGESTED_BYTES = 2 ** 20;

export interface FakeLinkOptions {
  process: FakeProcess;
  flow: Flow;
  /** False as in browsers. */
  hasPing: boolean;
  /** Called when this end is the first one to end the connection. */
  onEndedHere: (how: string) => void;
}

export class FakeLink implements Link {
  handler: LinkHandler | undefined;
  readonly subprotocol = '';
  readonly ping: (() => void) | undefined;
  activity = 0;
  readonly process: FakeProcess;
  readonly flow: Flow;
  readonly #onEndedHere: (how: string) => void;
  #peer: FakeLink | undefined;
  #state: 'connecting' | 'open' | 'closing' | 'ended' = 'connecting';
  #closeTimer: ClockEvent | undefined;
  /** What congestion holds back; undefined while there is none. */
  #held: Data[] | undefined;

  constructor({ process, flow, hasPing, onEndedHere }: FakeLinkOptions) {
    this.process = process;
    this.flow = flow;
    this.#onEndedHere = onEndedHere;
    if (hasPing) this.ping = () => this.#carry((peer) => peer.#onPing());
  }

  static join(one: FakeLink, other: FakeLink): void {
    one.#peer = other;
    other.#peer = one;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  get isOpening(): boolean {
    return this.#state === 'connecting';
  }

  get bufferedAmount(): number {
    return this.#held === undefined ? 0 : CONGESTED_BYTES;
  }

  send(data: Data): void {
    if (this.#state === 'connecting') throw new Error('send() before the connection is open');
    if (this.#state !== 'open') return;
    const copy = typeof data === 'string' ? data : data.slice();
    if (this.#held) this.#held.push(copy);
    else this.#carry((peer) => peer.#onMessage(copy));
  }

  close(code: number, reason: string): void {
    if (this.#state === 'connecting') {
      this.release();
      return;
    }
    if (this.#state !== 'open') return;
    this.#onEndedHere(`close(${code}, ${reason})`);
    this.uncongest();
    this.#state = 'closing';
    this.#closeTimer = this.flow.clock.after(CLOSE_TIMEOUT_MS, () => {
      this.process.run(() => this.end({ code: 1006, reason: '' }));
    });
    this.#carry((peer) => peer.#onClose(code, reason));
  }

  release(): void {
    if (this.#state === 'ended') return;
    if (this.#state !== 'closing') this.#onEndedHere('release()');
    this.#finish();
    // A reset overtakes what is under way; a FIN comes behind it, and so do bytes that a proxy still holds.
    if (this.process.random() < 0.5) this.flow.discard();
    this.#carry((peer) => peer.end({ code: 1006, reason: '' }));
  }

  open(): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'open';
    this.handler?.onOpen?.();
  }

  /** The connection breaks at this end. */
  end(end: LinkEnd): void {
    if (this.#state === 'ended') return;
    this.#finish();
    this.handler?.onEnd(end);
  }

  /** The process of this end is no more: nobody is told here. */
  abandon(): void {
    if (this.#state !== 'ended') this.#finish();
  }

  congest(): void {
    if (this.#state !== 'ended') this.#held ??= [];
  }

  uncongest(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    for (const data of held) this.#carry((peer) => peer.#onMessage(data));
    if (this.#state === 'open') this.handler?.onDrain?.();
  }

  #carry(deliver: (peer: FakeLink) => void): void {
    const peer = this.#peer!;
    this.flow.carry(() => peer.process.run(() => deliver(peer)));
  }

  #finish(): void {
    this.#state = 'ended';
    this.#held = undefined;
    if (this.#closeTimer) this.flow.clock.cancel(this.#closeTimer);
  }

  #onMessage(data: Data): void {
    if (this.#state === 'ended') return;
    this.activity++;
    this.handler?.onMessage(data);
  }

  #onPing(): void {
    if (this.#state === 'ended') return;
    this.activity++;
    this.#carry((peer) => {
      peer.activity++;
    });
  }

  /** A Close frame is answered with one; the TCP connection ends when both have come. */
  #onClose(code: number, reason: string): void {
    if (this.#state === 'open') this.#carry((peer) => peer.#onClose(code, reason));
    this.end({ code, reason });
  }
}
