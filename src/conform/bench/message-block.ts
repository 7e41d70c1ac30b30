// Masking keys for many frames (RFC 6455 §5.3), and a block of frames that gets new ones before it is sent again.
import { randomFillSync } from 'node:crypto';
import { frameHeaderLength, writeFrameHeader } from '../../wire/frame-writer.js';
import { applyMask, copyMasked, readMaskingKey, wordsOf, writeMaskingKey } from '../../wire/mask.js';

/** So many keys are fetched at a time: one call for each would cost more than masking a small message. */
const KEYS_AT_ONCE = 16_384;
const keys = new Int32Array(KEYS_AT_ONCE);
let used = KEYS_AT_ONCE;

/** §5.3: a new key for each frame, from the system's strong source of randomness. */
export function freshMaskingKey(): number {
  if (used === KEYS_AT_ONCE) {
    randomFillSync(keys);
    used = 0;
  }
  return keys[used++]!;
}

/** One masked frame with a whole message in it. @param first FIN, RSV1-3 and opcode */
export function maskedFrame(first: number, payload: Uint8Array): Uint8Array {
  const headerLength = frameHeaderLength(payload.length, true);
  const frame = Buffer.allocUnsafe(headerLength + payload.length);
  const key = freshMaskingKey();
  writeFrameHeader(frame, 0, first, payload.length, true, key);
  copyMasked(payload, 0, payload.length, frame, headerLength, key);
  return frame;
}

/**
 * Frames that go out in one write, again and again. Every frame gets a new masking key each time: what is masked with one
 * key becomes masked with another by a mask of both, in place. So a frame costs its header once and its mask always.
 */
export class MessageBlock {
  readonly bytes: Uint8Array;
  readonly #payloadStarts: number[] = [];
  readonly #payloadEnds: number[] = [];
  readonly #words: Int32Array;

  /** @param first FIN, RSV1-3 and opcode of each frame */
  constructor(first: number, payloads: readonly Uint8Array[]) {
    const frames = payloads.map((payload) => maskedFrame(first, payload));
    this.bytes = Buffer.concat(frames);
    this.#words = wordsOf(this.bytes);
    let end = 0;
    for (const [index, frame] of frames.entries()) {
      end += frame.length;
      this.#payloadStarts.push(end - payloads[index]!.length);
      this.#payloadEnds.push(end);
    }
  }

  /** Gives every frame a new masking key. Not to be called while the bytes are still on their way into the socket. */
  renewKeys(): void {
    const { bytes } = this;
    for (let index = 0; index < this.#payloadStarts.length; index++) {
      const start = this.#payloadStarts[index]!;
      const key = freshMaskingKey();
      const change = key ^ readMaskingKey(bytes, start - 4);
      writeMaskingKey(bytes, start - 4, key);
      applyMask(bytes, start, this.#payloadEnds[index]!, change, this.#words);
    }
  }
}
