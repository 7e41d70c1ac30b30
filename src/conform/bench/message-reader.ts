// What a server may send (RFC 6455 §5), read at full speed: frames become parts and ends of messages, in any chunking and
// without an object for each. Rules are checked as far as headers tell them; content is for the sink to judge.
import type { FrameHandler } from '../../wire/frame-parser.js';
import { isControlOpcode, isKnownOpcode } from '../../wire/opcode.js';
import { BenchmarkFailure } from './failure.js';

/** Gets data messages. What it throws ends the connection. */
export interface MessageSink {
  /** A message begins. @param first FIN, RSV1-3 and opcode of its first frame */
  onStart(first: number): void;
  /** Bytes of payload, valid during the call only. */
  onPart(bytes: Uint8Array, start: number, end: number): void;
  onEnd(): void;
}

/** Without an expectation, any message is one too many. */
export const NO_MESSAGE_EXPECTED: MessageSink = {
  onStart() {
    throw new BenchmarkFailure('wrong-echo', 'the server sent a message that it was not asked for');
  },
  onPart() {},
  onEnd() {},
};

const FIN = 0x80;
const RSV1 = 0x40;
const RSV = 0x70;

/** @throws BenchmarkFailure from its methods, at the first frame that a server may not send */
export class MessageReader implements FrameHandler {
  sink: MessageSink = NO_MESSAGE_EXPECTED;
  /** Whether permessage-deflate was agreed on. */
  mayCompress = false;
  readonly #onControl: (opcode: number, payload: Uint8Array) => void;
  #isMidMessage = false;
  #isFinal = false;
  /** The payload of a control frame that comes in parts; null in data frames. */
  #control: number[] | null = null;
  #controlOpcode = 0;

  constructor(onControl: (opcode: number, payload: Uint8Array) => void) {
    this.#onControl = onControl;
  }

  onHeader(first: number, second: number, payloadLength: number): boolean {
    const opcode = first & 0x0f;
    if (second >= 0x80) throw protocolFault('a masked frame');
    if (!isKnownOpcode(opcode)) throw protocolFault(`a frame with the reserved opcode ${opcode}`);
    this.#isFinal = first >= FIN;
    if (isControlOpcode(opcode)) {
      if (!this.#isFinal || payloadLength > 125 || (first & RSV) !== 0)
        throw protocolFault('a control frame that is fragmented, too long, or has a reserved bit set');
      this.#control = [];
      this.#controlOpcode = opcode;
      return true;
    }
    this.#control = null;
    const startsMessage = opcode !== 0;
    if (startsMessage === this.#isMidMessage) {
      throw protocolFault(
        startsMessage ? 'a new message within another' : 'a continuation without a message',
      );
    }
    const allowed = startsMessage && this.mayCompress ? RSV1 : 0;
    if ((first & RSV & ~allowed) !== 0) throw protocolFault('a frame with a reserved bit set');
    if (startsMessage) this.sink.onStart(first);
    this.#isMidMessage = !this.#isFinal;
    return true;
  }

  onPayload(bytes: Uint8Array, start: number, end: number): void {
    this.onPayloadPart(bytes, start, end, 0, 0);
  }

  onPayloadPart(bytes: Uint8Array, start: number, end: number, _key: number, remaining: number): void {
    if (this.#control !== null) {
      this.#control.push(...bytes.subarray(start, end));
      if (remaining === 0) this.#onControl(this.#controlOpcode, Uint8Array.from(this.#control));
      return;
    }
    if (end > start) this.sink.onPart(bytes, start, end);
    if (remaining === 0 && this.#isFinal) this.sink.onEnd();
  }
}

function protocolFault(what: string): BenchmarkFailure {
  return new BenchmarkFailure('protocol', `the server sent ${what}`);
}
