// The tester: one end of an established WebSocket connection, made to watch the other. It sends whatever a case wants,
// answers Pings and Close frames as an endpoint should, and notes what comes: events in their order, and each rule that
// the peer breaks (RFC 6455 §5-§7). A strict tester fails the connection at the first broken rule, as the tester of
// Autobahn does; otherwise it goes on as far as it can, so that the case that is about the rule can blame it, and no other.

import { isUtf8 } from 'node:buffer';
import { isSendableCloseCode } from '../wire/close-code.js';
import type { FrameHeader } from '../wire/frame-header.js';
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  isControlOpcode,
  isKnownOpcode,
  opcodeName,
  PING,
  PONG,
  TEXT,
} from '../wire/opcode.js';
import { closeFrame, type FrameSpec, type SerializedFrame, serializeFrame, shortestForm } from './frame.js';
import { FrameReader, type ReceivedFrame } from './frame-reader.js';
import { describePayload } from './payload.js';
import type { RawConnection } from './raw-connection.js';
import type { DeflateContext } from './raw-deflate.js';
import type { CloseRecord, Side, Subject } from './result.js';

export interface MessageEvent {
  type: 'text' | 'binary';
  /** Inflated. */
  payload: Uint8Array;
  /** Number of frames that it came in. */
  frames: number;
  isCompressed: boolean;
}

export type TesterEvent =
  | MessageEvent
  | { type: 'pong'; payload: Uint8Array }
  | { type: 'mark'; mark: string };

/** The rules that a tester watches. */
export type ViolationKind =
  | 'masked-frame'
  | 'unmasked-frame'
  | 'reserved-bit'
  | 'reserved-opcode'
  | 'length-not-minimal'
  | 'control-too-long'
  | 'control-fragmented'
  | 'continuation-without-start'
  | 'data-inside-message'
  | 'compressed-continuation'
  | 'invalid-utf8'
  | 'invalid-deflate'
  | 'close-payload-of-one-byte'
  | 'close-code'
  | 'close-reason-utf8'
  | 'frame-after-close'
  | 'too-long'
  | 'flood';

export interface Violation {
  kind: ViolationKind;
  /** What was received, in words. */
  detail: string;
}

/** What permessage-deflate does to the payload of a message, in each direction. */
export interface MessageCodec {
  /** How the tester compresses. */
  readonly outgoing: DeflateContext;
  deflate(payload: Uint8Array): Uint8Array;
  /**
   * The result is valid until the next call.
   *
   * @throws when `payload` is not DEFLATE, or inflates to more than is allowed
   */
  inflate(payload: Uint8Array): Uint8Array;
  /** Gives back what it holds; it is not used after that. */
  close(): void;
}

export interface TesterOptions {
  /** Fails the connection at the first violation. Default: false. */
  isStrict?: boolean;
  /** Present when permessage-deflate was agreed on. */
  codec?: MessageCodec | undefined;
  /**
   * The payload of an inflated message is valid until the next one comes: for those who look at each at once. Default:
   * false. It saves a tenth of the time that 128 KiB of JSON take.
   */
  lendsPayloads?: boolean;
  /** Answers Pings. Default: true. */
  answersPings?: boolean;
  /** Answers a Close frame. Default: true. */
  answersClose?: boolean;
}

interface MessageUnderWay {
  opcode: number;
  isCompressed: boolean;
  parts: Uint8Array[];
  bytes: number;
}

/** A peer that sends more than this without the case asking for it is stopped. */
const MAX_EVENTS = 20_000;
const MAX_HELD_BYTES = 64 << 20;
const MAX_PAYLOAD_BYTES = 64 << 20;
const MAX_VIOLATIONS = 100;

export class Tester {
  readonly connection: RawConnection;
  readonly subject: Subject;
  /** Messages, Pongs and marks that have come and were not taken. */
  readonly events: TesterEvent[] = [];
  readonly violations: Violation[] = [];
  /** Each frame that came, without its payload. Bounded like the events. */
  readonly frames: FrameHeader[] = [];
  pingsReceived = 0;
  peerClose: (CloseRecord & { payload: Uint8Array }) | null = null;
  testerClose: CloseRecord | null = null;
  /** Who sent the first Close frame; a peer that ended TCP before any counts as having begun. */
  firstClose: Side | null = null;
  /** Data that came although the peer had sent its Close frame. */
  framesAfterClose = 0;
  readonly #options: Required<Omit<TesterOptions, 'codec'>> & { codec: MessageCodec | undefined };
  readonly #reader: FrameReader;
  #heldBytes = 0;
  #violationCount = 0;
  #hasFailed = false;
  #message: MessageUnderWay | undefined;

  /** @param subject which end is under test */
  constructor(connection: RawConnection, subject: Subject, options: TesterOptions = {}) {
    this.connection = connection;
    this.subject = subject;
    this.#options = {
      isStrict: options.isStrict ?? false,
      lendsPayloads: options.lendsPayloads ?? false,
      answersPings: options.answersPings ?? true,
      answersClose: options.answersClose ?? true,
      codec: options.codec,
    };
    this.#reader = new FrameReader(
      MAX_PAYLOAD_BYTES,
      (frame) => this.#receive(frame),
      (header) => this.#violate('too-long', `a frame that announces ${header.payloadLength} bytes`, true),
    );
    connection.onBytes((bytes) => this.#reader.push(bytes));
    connection.onClosed(() => options.codec?.close());
  }

  get codec(): MessageCodec | undefined {
    return this.#options.codec;
  }

  /** TCP stands, and no Close frame has gone either way. */
  get isOpen(): boolean {
    return this.firstClose === null && !this.isOver;
  }

  /** The peer can send nothing more, or is not listened to any more. */
  get isOver(): boolean {
    return this.connection.isOver || this.connection.droppedBy !== null;
  }

  /** Close frames have gone both ways. */
  get hasClosed(): boolean {
    return this.peerClose !== null && this.testerClose !== null;
  }

  /** The messages among the events. */
  get messages(): MessageEvent[] {
    return this.events.filter((event) => event.type === 'text' || event.type === 'binary') as MessageEvent[];
  }

  hasViolated(...kinds: ViolationKind[]): Violation | undefined {
    return this.violations.find(({ kind }) => kinds.includes(kind));
  }

  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.connection.until(condition, limitMs);
  }

  /** Takes the next message or Pong out of the events; undefined when none came in time, or none can come. */
  async take(limitMs: number): Promise<Exclude<TesterEvent, { type: 'mark' }> | undefined> {
    await this.until(() => this.events.length > 0 || this.isOver, limitMs);
    const event = this.events.shift();
    if (event === undefined || event.type === 'mark') return undefined;
    this.#heldBytes -= event.payload.length;
    this.frames.length = 0;
    return event;
  }

  /** Sends one frame, as one write unless `chop` says of how many bytes each write is. */
  async send(spec: FrameSpec, chop?: number): Promise<void> {
    const frame = this.serialize(spec, chop);
    if (chop === undefined) await this.connection.write(frame.bytes);
    else await this.connection.writeChopped(frame.bytes, chop);
  }

  /** A frame's bytes, noted in the log as sent: the caller writes them. */
  serialize(spec: FrameSpec, chop?: number): SerializedFrame {
    const frame = serializeFrame(spec, this.subject);
    this.connection.log.frame({
      from: 'tester',
      opcode: spec.opcode,
      isFinal: spec.isFinal ?? true,
      rsv: spec.rsv ?? 0,
      maskingKey: frame.maskingKey,
      length: Number(spec.announcedLength ?? frame.payload.length),
      payload: frame.payload,
      ...(chop !== undefined && { chop }),
    });
    // With reserved bits it is there to make the peer fail the connection, and begins no closing handshake.
    if (spec.opcode === CLOSE && (spec.rsv ?? 0) === 0) this.#noteOwnClose(frame.payload);
    return frame;
  }

  /** Sends a message, compressed if that was agreed on, in one frame or in fragments of that many bytes. */
  async sendMessage(type: 'text' | 'binary', payload: Uint8Array, fragmentBytes = 0): Promise<void> {
    if (!this.connection.canWrite) return;
    const codec = this.codec;
    return codec === undefined
      ? this.#sendFragments(type, payload, 0, fragmentBytes)
      : this.sendCompressed(type, codec.deflate(payload), fragmentBytes);
  }

  /** The same for a message that is compressed already. */
  sendCompressed(type: 'text' | 'binary', deflated: Uint8Array, fragmentBytes = 0): Promise<void> {
    return this.#sendFragments(type, deflated, 4, fragmentBytes);
  }

  async #sendFragments(
    type: 'text' | 'binary',
    bytes: Uint8Array,
    rsv: number,
    fragmentBytes: number,
  ): Promise<void> {
    if (!this.connection.canWrite) return;
    const opcode = type === 'text' ? TEXT : BINARY;
    if (fragmentBytes === 0) return this.send({ opcode, payload: bytes, rsv });
    const writes: Uint8Array[] = [];
    for (const fragment of fragments(bytes, fragmentBytes)) {
      const isFirst = fragment.at === 0;
      writes.push(
        this.serialize({
          opcode: isFirst ? opcode : CONTINUATION,
          payload: fragment.bytes,
          rsv: isFirst ? rsv : 0,
          isFinal: fragment.isLast,
        }).bytes,
      );
    }
    await this.connection.write(Buffer.concat(writes));
  }

  /** Sends a Close frame, unless one was sent. */
  close(code?: number, reason = ''): Promise<void> {
    return this.testerClose === null ? this.send(closeFrame(code, reason)) : Promise.resolve();
  }

  mark(mark: string): void {
    this.events.push({ type: 'mark', mark });
  }

  #noteOwnClose(payload: Uint8Array): void {
    if (this.testerClose !== null) return;
    this.testerClose = closeRecord(payload);
    this.firstClose ??= 'tester';
    this.connection.changes.notify();
  }

  #receive(frame: ReceivedFrame): void {
    const { header, payload } = frame;
    this.connection.log.frame({
      from: 'peer',
      opcode: header.opcode,
      isFinal: header.isFinal,
      rsv: rsvOf(header),
      maskingKey: header.maskingKey,
      length: payload.length,
      payload,
    });
    if (this.#hasFailed) return;
    if (this.frames.length < MAX_EVENTS) this.frames.push(header);
    this.#checkHeader(header);
    if (this.#hasFailed) return;
    if (this.peerClose !== null) {
      this.framesAfterClose++;
      this.#violate('frame-after-close', `a ${opcodeName(header.opcode)} frame behind the Close frame`);
      return;
    }
    if (isControlOpcode(header.opcode)) this.#receiveControl(header, payload);
    else if (isKnownOpcode(header.opcode)) this.#receiveData(header, payload);
  }

  #checkHeader(header: FrameHeader): void {
    const name = opcodeName(header.opcode);
    // §5.1: a client masks every frame, a server masks none.
    if (header.isMasked && this.subject === 'server') this.#violate('masked-frame', `a masked ${name} frame`);
    if (!header.isMasked && this.subject === 'client')
      this.#violate('unmasked-frame', `a ${name} frame without mask`);
    const rsv = rsvOf(header);
    const mayCompress = this.codec !== undefined && (header.opcode === TEXT || header.opcode === BINARY);
    // §5.2: reserved bits are clear unless an extension gives them a meaning, which RFC 7692 §6 does with RSV1.
    if ((rsv & (mayCompress ? 3 : 7)) !== 0) {
      const isLate = this.codec !== undefined && rsv === 4 && header.opcode === CONTINUATION;
      this.#violate(isLate ? 'compressed-continuation' : 'reserved-bit', `a ${name} frame with RSV ${rsv}`);
    }
    if (!isKnownOpcode(header.opcode)) this.#violate('reserved-opcode', `opcode ${header.opcode}`);
    if (header.lengthForm !== shortestForm(header.payloadLength)) {
      this.#violate('length-not-minimal', `${header.payloadLength} written in ${header.lengthForm} bits`);
    }
    if (isControlOpcode(header.opcode)) {
      if (header.payloadLength > 125)
        this.#violate('control-too-long', `${name} of ${header.payloadLength} bytes`);
      if (!header.isFinal) this.#violate('control-fragmented', `a ${name} frame without FIN`);
    }
  }

  #receiveControl(header: FrameHeader, payload: Uint8Array): void {
    if (header.opcode === CLOSE) this.#receiveClose(payload);
    else if (header.opcode === PING) this.#receivePing(payload);
    else if (header.opcode === PONG) this.#addEvent({ type: 'pong', payload });
  }

  #receivePing(payload: Uint8Array): void {
    this.pingsReceived++;
    if (this.pingsReceived > MAX_EVENTS) {
      this.#violate('flood', `more than ${MAX_EVENTS} Pings`, true);
      return;
    }
    // A Ping that is too long has no right Pong; and one who does not read the Pongs that it has gets no more of them.
    const isAnswered = payload.length <= 125 && this.testerClose === null && !this.connection.isCongested;
    if (this.#options.answersPings && isAnswered) void this.send({ opcode: PONG, payload });
    this.connection.changes.notify();
  }

  #receiveData(header: FrameHeader, payload: Uint8Array): void {
    if (header.opcode === CONTINUATION) {
      if (this.#message === undefined) {
        this.#violate('continuation-without-start', 'a continuation frame with no message under way');
        return;
      }
    } else {
      if (this.#message !== undefined) {
        this.#violate(
          'data-inside-message',
          `a ${opcodeName(header.opcode)} frame inside a fragmented message`,
        );
        if (this.#hasFailed) return;
      }
      this.#message = { opcode: header.opcode, isCompressed: header.rsv1, parts: [], bytes: 0 };
    }
    const message = this.#message!;
    message.parts.push(payload);
    message.bytes += payload.length;
    if (message.bytes + message.parts.length * 64 > MAX_HELD_BYTES) {
      this.#violate('flood', `a message of more than ${MAX_HELD_BYTES} bytes`, true);
      return;
    }
    if (header.isFinal) this.#finishMessage(message);
  }

  #finishMessage(message: MessageUnderWay): void {
    this.#message = undefined;
    const joined = message.parts.length === 1 ? message.parts[0]! : Buffer.concat(message.parts);
    const payload =
      message.isCompressed && this.codec !== undefined ? this.#inflate(this.codec, joined) : joined;
    if (payload === undefined) return;
    // §8.1: text is UTF-8.
    if (message.opcode === TEXT && !isUtf8(payload)) {
      this.#violate('invalid-utf8', `text that is not UTF-8: ${describePayload(payload)}`);
      if (this.#hasFailed) return;
    }
    this.#addEvent({
      type: message.opcode === TEXT ? 'text' : 'binary',
      payload,
      frames: message.parts.length,
      isCompressed: message.isCompressed,
    });
  }

  #inflate(codec: MessageCodec, payload: Uint8Array): Uint8Array | undefined {
    try {
      const inflated = codec.inflate(payload);
      return this.#options.lendsPayloads ? inflated : Buffer.from(inflated);
    } catch (error) {
      this.#violate(
        'invalid-deflate',
        `a compressed message that cannot be inflated: ${(error as Error).message}`,
        true,
      );
      return undefined;
    }
  }

  #receiveClose(payload: Uint8Array): void {
    const { code, reason } = closeRecord(payload);
    this.peerClose = { code, reason, payload };
    this.firstClose ??= 'peer';
    if (payload.length === 1)
      this.#violate('close-payload-of-one-byte', 'a Close frame with one byte of payload');
    else if (code !== null && !isSendableCloseCode(code))
      this.#violate('close-code', `a Close frame with code ${code}`);
    else if (!isUtf8(payload.subarray(2)))
      this.#violate('close-reason-utf8', 'a close reason that is not UTF-8');
    if (this.#options.answersClose) void this.close(1000);
    this.connection.changes.notify();
  }

  #addEvent(event: Exclude<TesterEvent, { type: 'mark' }>): void {
    this.events.push(event);
    this.#heldBytes += event.payload.length;
    if (this.events.length > MAX_EVENTS || this.#heldBytes > MAX_HELD_BYTES) {
      this.#violate('flood', `more than ${this.events.length} messages, ${this.#heldBytes} bytes`, true);
    }
    this.connection.changes.notify();
  }

  /** Notes a broken rule; fails the connection over it where the tester is strict, or cannot go on. */
  #violate(kind: ViolationKind, detail: string, isFatal = false): void {
    this.#violationCount++;
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push({ kind, detail });
    this.connection.log.note(`the peer broke a rule (${kind}): ${detail}`);
    const isFlood = this.#violationCount > MAX_EVENTS;
    if (!this.#hasFailed && (this.#options.isStrict || isFatal || isFlood)) this.#fail(kind);
    this.connection.changes.notify();
  }

  /** §7.1.7: says why with a Close frame, and looks at nothing more. */
  #fail(kind: ViolationKind): void {
    this.#hasFailed = true;
    this.#reader.stop();
    void this.close(kind.includes('utf8') || kind === 'invalid-deflate' ? 1007 : 1002);
    this.connection.end();
  }
}

/** The parts of `bytes`, `size` bytes each; an exact multiple ends with an empty one, as Autobahn's tester cuts. */
export function* fragments(
  bytes: Uint8Array,
  size: number,
): Generator<{ at: number; bytes: Uint8Array; isLast: boolean }> {
  for (let at = 0; ; at += size) {
    const isLast = at + size > bytes.length;
    yield { at, bytes: bytes.subarray(at, at + size), isLast };
    if (isLast) return;
  }
}

function rsvOf(header: FrameHeader): number {
  return (header.rsv1 ? 4 : 0) | (header.rsv2 ? 2 : 0) | (header.rsv3 ? 1 : 0);
}

function closeRecord(payload: Uint8Array): CloseRecord {
  if (payload.length < 2) return { code: null, reason: '' };
  return { code: (payload[0]! << 8) | payload[1]!, reason: Buffer.from(payload.subarray(2)).toString() };
}
