// The same data sent to one connection after the other, as in `for (const client of clients) client.send(data)`: what was
// made of it for one of them serves the next. Each memory holds one message, and only until the function that sends has
// returned to the event loop (a microtask forgets it). So nothing is kept for long, and nobody can find out by timing what
// other connections were sent, unless the application sends to both in one go (see RFC 7692 §8, RFC 6455 §10).

import type { Platform } from './platform.js';

/** UTF-8 of a text that is sent more than once: 1 KiB that is not ASCII takes 1.1 us to encode, 30 ns to copy. */
export class RepeatedText {
  readonly #platform: Platform;
  #text: string | undefined;
  #bytes: Uint8Array | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /**
   * The bytes of `text`, from the second time on: most texts are sent once, and go straight into their frame. They may be
   * written by many, and changed by none.
   */
  bytesOf(text: string): Uint8Array | undefined {
    if (text !== this.#text) {
      if (this.#text === undefined) Promise.resolve().then(this.#forget);
      this.#text = text;
      this.#bytes = undefined;
      return undefined;
    }
    this.#bytes ??= encodeText(text, this.#platform);
    return this.#bytes;
  }

  readonly #forget = (): void => {
    this.#text = undefined;
    this.#bytes = undefined;
  };
}

/** The compressed form of a message that goes to connections which compress alike and keep no context (RFC 7692 §7.1.1). */
export class RepeatedCompression {
  #message: Uint8Array | string | undefined;
  /** What the bytes of `#message` were: the application may change them between two calls. */
  #content: Uint8Array | undefined;
  #compressed: Uint8Array | undefined;

  /**
   * The compressed form of the message that was remembered last, if this is the same. It may be written by many, and
   * changed by none.
   */
  recall(message: Uint8Array | string, platform: Platform): Uint8Array | undefined {
    if (typeof message === 'string') return message === this.#message ? this.#compressed : undefined;
    if (this.#content === undefined || !isSamePlace(message, this.#message)) return undefined;
    return platform.isEqual(message, this.#content) ? this.#compressed : undefined;
  }

  /** Bytes are remembered from the second time on, because they have to be copied, and most are sent once. */
  remember(message: Uint8Array | string, compressed: Uint8Array, platform: Platform): void {
    if (this.#message === undefined) Promise.resolve().then(this.#forget);
    this.#content = undefined;
    if (typeof message !== 'string' && isSamePlace(message, this.#message)) {
      this.#content = platform.allocate(message.length);
      this.#content.set(message);
    }
    this.#message = message;
    this.#compressed = compressed;
  }

  readonly #forget = (): void => {
    this.#message = undefined;
    this.#content = undefined;
    this.#compressed = undefined;
  };
}

/** Whether both are the same bytes of the same memory. A buffer may come in another view each time. */
function isSamePlace(one: Uint8Array, other: Uint8Array | string | undefined): boolean {
  if (one === other) return true;
  return (
    typeof other === 'object' &&
    one.buffer === other.buffer &&
    one.byteOffset === other.byteOffset &&
    one.length === other.length
  );
}

/** `text` as UTF-8, in memory of its own. */
export function encodeText(text: string, platform: Platform): Uint8Array {
  const bytes = platform.allocate(platform.textLength(text));
  platform.writeText(bytes, text, 0);
  return bytes;
}
