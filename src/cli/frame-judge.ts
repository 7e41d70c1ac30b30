// Says which rules the frames of one direction break (RFC 6455 §5, §7.4, §8.1; RFC 7692 §6), for display. It never
// stops: a tool shows everything that is wrong. The endpoints enforce the same rules on their own, in `protocol/`.
import { TextDecoder } from 'node:util';
import { isSendableCloseCode } from '../wire/close-code.js';
import { FAILURES, type FailureCode } from '../wire/errors.js';
import type { FrameHeader } from '../wire/frame-header.js';
import { CLOSE, CONTINUATION, isControlOpcode, isKnownOpcode, TEXT } from '../wire/opcode.js';
import { closeCodeOf } from './frame-anatomy.js';
import type { CapturedFrame } from './frame-reader.js';

export interface Violation {
  message: string;
  section: string;
  /** The status code with which an endpoint would fail the connection. */
  closeCode: number;
}

export type Sender = 'client' | 'server';

export class FrameJudge {
  /** Whose frames these are; `undefined` when nobody said. */
  readonly #sender: Sender | undefined;
  readonly #allowsCompression: boolean;
  #messageOpcode: number | undefined;
  #isMessageCompressed = false;
  #utf8: TextDecoder | undefined;
  #hasClosed = false;
  #violations: Violation[] = [];

  constructor(sender: Sender | undefined, allowsCompression: boolean) {
    this.#sender = sender;
    this.#allowsCompression = allowsCompression;
  }

  /** The rules that the next frame breaks; none for a frame that is in order. */
  judge(frame: CapturedFrame): Violation[] {
    this.#violations = [];
    const { header } = frame;
    this.#judgeHeader(header);
    if (isControlOpcode(header.opcode)) this.#judgeControl(frame);
    else this.#judgeData(frame);
    return this.#violations;
  }

  /** What a finished message that was compressed breaks; `inflated` is its text, as bytes. */
  judgeInflatedText(inflated: Uint8Array): Violation[] {
    return isUtf8(inflated) ? [] : [violation('WS_ERR_INVALID_UTF8', 'the inflated text is not valid UTF-8')];
  }

  #judgeHeader(header: FrameHeader): void {
    if (header.rsv2) this.#add('WS_ERR_UNEXPECTED_RSV_2_3', 'RSV2 is set, but no extension defines it');
    if (header.rsv3) this.#add('WS_ERR_UNEXPECTED_RSV_2_3', 'RSV3 is set, but no extension defines it');
    if (!isKnownOpcode(header.opcode)) {
      this.#add('WS_ERR_INVALID_OPCODE', `opcode 0x${header.opcode.toString(16)} is reserved`, '§5.2');
    }
    if (this.#sender === 'client' && !header.isMasked) {
      this.#add('WS_ERR_EXPECTED_MASK', 'a client must mask every frame');
    }
    if (this.#sender === 'server' && header.isMasked) {
      this.#add('WS_ERR_UNEXPECTED_MASK', 'a server must not mask a frame');
    }
    if (header.payloadLength >= 2n ** 63n) {
      this.#add('WS_ERR_INVALID_PAYLOAD_LENGTH', 'the most significant bit of the 64-bit length must be 0');
    }
    const smallest = header.payloadLength <= 125n ? 7 : header.payloadLength <= 0xffffn ? 16 : 64;
    if (header.lengthForm !== smallest) {
      this.#add(
        'WS_ERR_NON_MINIMAL_LENGTH',
        `length ${header.payloadLength} fits the ${smallest}-bit form, but the ${header.lengthForm}-bit form carries it`,
      );
    }
  }

  #judgeControl({ header, payload, isComplete }: CapturedFrame): void {
    if (!header.isFinal) this.#add('WS_ERR_EXPECTED_FIN', 'a control frame must not be fragmented');
    if (header.rsv1) this.#add('WS_ERR_UNEXPECTED_RSV_1', 'RSV1 must be 0 on a control frame');
    if (header.payloadLength > 125n) {
      const message = `a control frame carries at most 125 bytes, not ${header.payloadLength}`;
      this.#add('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', message);
    }
    if (header.opcode !== CLOSE) return;
    this.#hasClosed = true;
    if (header.payloadLength === 1n) {
      this.#add(
        'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
        'a Close frame with a body begins it with a two-byte code',
      );
    }
    const code = closeCodeOf(payload);
    if (code === undefined) return;
    if (!isSendableCloseCode(code)) {
      this.#add('WS_ERR_INVALID_CLOSE_CODE', `status code ${code} must not stand in a Close frame`);
    }
    if (isComplete && !isUtf8(payload.subarray(2))) {
      this.#add('WS_ERR_INVALID_UTF8', 'the reason is not valid UTF-8');
    }
  }

  #judgeData(frame: CapturedFrame): void {
    const { header } = frame;
    if (this.#hasClosed)
      this.#add('WS_ERR_INVALID_OPCODE', 'no data frame may follow a Close frame', '§5.5.1');
    const isFirst = header.opcode !== CONTINUATION;
    if (isFirst && this.#messageOpcode !== undefined) {
      this.#add('WS_ERR_INVALID_OPCODE', 'a message begins before the previous one has ended', '§5.4');
    }
    if (!isFirst && this.#messageOpcode === undefined) {
      this.#add('WS_ERR_INVALID_OPCODE', 'there is no message to continue', '§5.4');
    }
    if (header.rsv1 && !isFirst) {
      this.#add(
        'WS_ERR_UNEXPECTED_RSV_1',
        'RSV1 stands on the first frame of a message only',
        'RFC 7692 §6.1',
      );
    } else if (header.rsv1 && !this.#allowsCompression) {
      this.#add('WS_ERR_UNEXPECTED_RSV_1', 'RSV1 is set, but permessage-deflate was not negotiated');
    }
    if (isFirst) {
      this.#messageOpcode = header.opcode;
      this.#isMessageCompressed = header.rsv1;
      this.#utf8 = new TextDecoder('utf-8', { fatal: true });
    }
    if (this.#messageOpcode === TEXT && !this.#isMessageCompressed) this.#judgeText(frame);
    if (header.isFinal) this.#messageOpcode = undefined;
  }

  /** A code point may straddle two frames (§5.6), so the decoder lives as long as the message. */
  #judgeText({ header, payload, isComplete }: CapturedFrame): void {
    if (!isComplete) this.#utf8 = undefined;
    if (this.#utf8 === undefined) return;
    try {
      this.#utf8.decode(payload, { stream: !header.isFinal });
    } catch {
      this.#add('WS_ERR_INVALID_UTF8', 'the text is not valid UTF-8');
      this.#utf8 = undefined;
    }
  }

  #add(code: FailureCode, message: string, section?: string): void {
    this.#violations.push(violation(code, message, section));
  }
}

function violation(code: FailureCode, message: string, section?: string): Violation {
  const kind = FAILURES[code];
  return { message, section: section ?? kind.section.replace('RFC 6455 ', ''), closeCode: kind.closeCode };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
