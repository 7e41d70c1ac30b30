// Inflates the messages of one direction so that people can read what permessage-deflate carried (RFC 7692 §7.2.2).
// Works on whole messages and without zlib state of its own: what a message may refer to is the last 32 KiB of the
// messages before it, and those are handed to zlib as a dictionary.
import { inflateRawSync, constants as zlib } from 'node:zlib';

const WINDOW = 32 * 1024;
// §7.2.2: the sender cut these four bytes off the end of each message.
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

export class MessageInflater {
  readonly #limit: number;
  #window: Buffer = Buffer.alloc(0);
  /** Once a message could not be read, what later ones refer to is unknown. */
  #isLost = false;

  /** @param limit messages that inflate to more bytes than this are given up, as a guard against zip bombs */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns the inflated message, or `undefined` when it cannot be known */
  inflate(compressed: Uint8Array): Buffer | undefined {
    if (this.#isLost) return undefined;
    try {
      const message = inflateRawSync(Buffer.concat([compressed, TAIL]), {
        finishFlush: zlib.Z_SYNC_FLUSH,
        maxOutputLength: this.#limit,
        ...(this.#window.length > 0 && { dictionary: this.#window }),
      });
      this.#window = Buffer.from(Buffer.concat([this.#window, message]).subarray(-WINDOW));
      return message;
    } catch {
      this.lose();
      return undefined;
    }
  }

  /** Says that a message passed by that was not seen whole. */
  lose(): void {
    this.#isLost = true;
    this.#window = Buffer.alloc(0);
  }
}
