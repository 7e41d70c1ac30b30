// One frame as a plain object: what `hawser inspect --json` prints and what the page of `hawser serve` receives.
import { describeCloseCode } from '../wire/close-code.js';
import { BINARY, CLOSE, CONTINUATION, isControlOpcode, opcodeName } from '../wire/opcode.js';
import { closeCodeOf, decodeText, describeFrame, type Field } from './frame-anatomy.js';
import { FrameJudge, type Sender, type Violation } from './frame-judge.js';
import type { CapturedFrame } from './frame-reader.js';
import { MessageInflater } from './message-inflater.js';

export interface FrameRecord {
  type: 'frame';
  from: Sender | 'unknown';
  fin: boolean;
  rsv1: boolean;
  rsv2: boolean;
  rsv3: boolean;
  opcode: number;
  name: string;
  masked: boolean;
  /** Four bytes in hexadecimal. */
  maskingKey?: string;
  lengthForm: 7 | 16 | 64;
  /** A string of digits where the length is beyond 2^53 - 1. */
  payloadLength: number | string;
  /** The payload, unmasked. */
  payload: Excerpt;
  close?: CloseRecord;
  /** On the last frame of a compressed message: the whole message, or why it is not known. */
  message?: Excerpt | { unknown: string };
  fields: Field[];
  violations: Violation[];
}

/** The beginning of some bytes. */
export interface Excerpt {
  length: number | string;
  hex: string;
  /** Present where the bytes are meant to be text. */
  text?: string;
  /** False when `hex` and `text` hold less than all of it. */
  isWhole: boolean;
}

export interface CloseRecord {
  code: number;
  reason: string;
  name: string;
  meaning: string;
  section: string;
}

export interface RecorderOptions {
  /** Whose frames these are, where that is known. */
  sender?: Sender;
  /** Whether permessage-deflate was negotiated. */
  hasDeflate: boolean;
  /** How many bytes of a payload or message stand in a record. */
  shownBytes: number;
  /** How many bytes of a compressed message are kept until it can be inflated, and how many it may inflate to. */
  messageLimit: number;
}

interface OpenMessage {
  opcode: number;
  isCompressed: boolean;
  parts: Uint8Array[];
  size: number;
  isWhole: boolean;
}

/** Makes the records of one direction: it remembers the message that is being sent, across its frames. */
export class FrameRecorder {
  readonly #options: RecorderOptions;
  readonly #judge: FrameJudge;
  readonly #inflater: MessageInflater;
  #message: OpenMessage | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#judge = new FrameJudge(options.sender, options.hasDeflate);
    this.#inflater = new MessageInflater(options.messageLimit);
  }

  record(frame: CapturedFrame): FrameRecord {
    const { header } = frame;
    const violations = this.#judge.judge(frame);
    const length =
      header.payloadLength <= BigInt(Number.MAX_SAFE_INTEGER)
        ? Number(header.payloadLength)
        : String(header.payloadLength);
    const isText = this.#followMessage(frame);
    const message = this.#finishMessage(frame, violations);
    return {
      type: 'frame',
      from: this.#options.sender ?? 'unknown',
      fin: header.isFinal,
      rsv1: header.rsv1,
      rsv2: header.rsv2,
      rsv3: header.rsv3,
      opcode: header.opcode,
      name: opcodeName(header.opcode),
      masked: header.isMasked,
      ...(header.maskingKey !== undefined && { maskingKey: toHex(header.maskingKey) }),
      lengthForm: header.lengthForm,
      payloadLength: length,
      payload: this.#excerpt(frame.payload, length, isText, frame.isComplete),
      ...closeRecord(frame),
      ...(message !== undefined && { message }),
      fields: describeFrame(frame),
      violations,
    };
  }

  /** @returns whether this frame's payload is meant to be read as text */
  #followMessage(frame: CapturedFrame): boolean {
    const { header } = frame;
    if (isControlOpcode(header.opcode)) return header.opcode !== CLOSE;
    if (header.opcode !== CONTINUATION || this.#message === undefined) {
      const isCompressed = header.rsv1 && this.#options.hasDeflate;
      this.#message = { opcode: header.opcode, isCompressed, parts: [], size: 0, isWhole: true };
    }
    const message = this.#message;
    if (message.isCompressed) {
      message.size += frame.payload.length;
      message.isWhole &&= frame.isComplete && message.size <= this.#options.messageLimit;
      if (message.isWhole) message.parts.push(frame.payload);
      else message.parts = [];
    }
    return !message.isCompressed && message.opcode !== BINARY;
  }

  #finishMessage(
    { header }: CapturedFrame,
    violations: Violation[],
  ): Excerpt | { unknown: string } | undefined {
    const message = this.#message;
    if (message === undefined || isControlOpcode(header.opcode) || !header.isFinal) return undefined;
    this.#message = undefined;
    if (!message.isCompressed) return undefined;
    if (!message.isWhole) this.#inflater.lose();
    const inflated = this.#inflater.inflate(Buffer.concat(message.parts));
    if (inflated === undefined) return { unknown: 'compressed; too large to be inflated here, or not valid' };
    const isText = message.opcode !== BINARY;
    if (isText) violations.push(...this.#judge.judgeInflatedText(inflated));
    return this.#excerpt(inflated, inflated.length, isText, true);
  }

  #excerpt(bytes: Uint8Array, length: number | string, isText: boolean, isComplete: boolean): Excerpt {
    const shown = bytes.subarray(0, this.#options.shownBytes);
    return {
      length,
      hex: toHex(shown),
      ...(isText && { text: decodeText(shown) }),
      isWhole: isComplete && shown.length === bytes.length,
    };
  }
}

function closeRecord({ header, payload }: CapturedFrame): { close?: CloseRecord } {
  const code = header.opcode === CLOSE ? closeCodeOf(payload) : undefined;
  if (code === undefined) return {};
  return { close: { code, reason: decodeText(payload.subarray(2)), ...describeCloseCode(code) } };
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
