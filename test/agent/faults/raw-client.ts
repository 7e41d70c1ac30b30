// A client that speaks the wire by hand, over a real WebSocket: for what no client of ours would say.
import { once } from 'node:events';
import { WebSocket } from '../../../src/ws/websocket.js';

export type Members = Record<string, unknown>;

export const CAPS = { messages: 100, bytes: 10_000, ping: true };

export class RawClient {
  /** What came and was not taken yet: payloads, and control messages as objects. */
  readonly #received: unknown[] = [];
  readonly #socket: WebSocket;
  #onMessage: (() => void) | undefined;
  /** The close code. */
  readonly closed: Promise<number>;

  /** Resolves when the connection is open. */
  static async open(url: string): Promise<RawClient> {
    const client = new RawClient(url);
    await once(client.#socket, 'open');
    return client;
  }

  private constructor(url: string) {
    this.#socket = new WebSocket(url, 'hawser.v1');
    // 'close' follows.
    this.#socket.on('error', () => {});
    this.#socket.on('message', (data: Buffer, isBinary: boolean) => {
      const text = data.toString();
      this.#received.push(isBinary ? data : text.startsWith('\u0001') ? JSON.parse(text.slice(1)) : text);
      this.#onMessage?.();
    });
    this.closed = once(this.#socket, 'close').then(([code]) => code);
  }

  /** @param isBinary whether bytes are a binary message, or the UTF-8 of a text */
  send(data: string | Uint8Array, isBinary = typeof data !== 'string'): void {
    this.#socket.send(data, { binary: isBinary });
  }

  control(members: Members): void {
    this.send(`\u0001${JSON.stringify(members)}`);
  }

  /** Waits for the next message. */
  async take(): Promise<Members & string> {
    while (this.#received.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
    return this.#received.shift() as Members & string;
  }

  /** Says hello and returns the welcome. */
  hello(members: Members): Promise<Members> {
    this.control({ t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS, ...members });
    return this.take();
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
