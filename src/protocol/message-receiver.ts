// From frames to messages: which frame may come when (RFC 6455 §5.2-§5.6), fragments put together, text validated,
// compressed messages inflated (RFC 7692 §6.2). A frame that breaks a rule ends it: nothing after it is parsed (§7.1.7).

import { parseClosePayload } from '../wire/close-payload.js';
import { type ProtocolError, protocolError } from '../wire/errors.js';
import { type CopyBytes, type FrameHandler, FrameParser } from '../wire/frame-parser.js';
import { CLOSE, CONTINUATION, PING, TEXT } from '../wire/opcode.js';
import { Utf8Validator } from '../wire/utf8.js';
import type { Inflater } from './compression.js';
import { LIMITS } from './limits.js';
import { MessageAssembler } from './message-assembler.js';
import type { Platform } from './platform.js';
import { type Role, receivesMasked } from './role.js';

/** Where messages go. Any of the calls may pause or stop the receiver, or throw. */
export interface MessageSink {
  /** A whole message; the bytes belong to the sink. */
  onMessage(data: Uint8Array, isBinary: boolean): void;
  onPing(payload: Uint8Array): void;
  onPong(payload: Uint8Array): void;
  /** The peer's Close frame; `code` is 1005 when it carried none. Nothing follows. */
  onClose(code: number, reason: Uint8Array): void;
  /** The peer broke a rule. Nothing follows. */
  onFail(error: ProtocolError): void;
  /** What held up parsing is over: `resume()` is due. */
  onReady(): void;
  /** After a pause all bytes at hand are parsed: more may be handed in. */
  onIdle(): void;
}

export interface ReceiverOptions {
  role: Role;
  platform: Platform;
  /** Present when permessage-deflate was agreed. */
  inflater?: Inflater | undefined;
  /** Bytes, 0 for no limit; see {@link LIMITS}. */
  maxPayload?: number | undefined;
  maxFragments?: number | undefined;
  maxBufferedChunks?: number | undefined;
  skipUtf8Validation?: boolean | undefined;
}

const RSV1 = 0x40;
const RSV2_AND_RSV3 = 0x30;
const FIN = 0x80;

export class MessageReceiver implements FrameHandler {
  /** May be changed at any time; it holds from the next frame on. */
  maxPayload: number;
  maxFragments: number;
  maxBufferedChunks: number;
  /** Whether the boundaries of fragments are kept for `fragmentEnds`. */
  keepsFragments = false;
  /** End of each fragment of the message that is being handed over, where `keepsFragments` was set and there are several. */
  fragmentEnds: number[] | undefined;

  readonly #sink: MessageSink;
  readonly #platform: Platform;
  readonly #expectsMask: boolean;
  readonly #skipsUtf8Validation: boolean;
  readonly #parser: FrameParser;
  readonly #copy: CopyBytes;
  #inflater: Inflater | undefined;
  #assembler: MessageAssembler | undefined;
  #validator: Utf8Validator | undefined;

  /** The frame at hand: its opcode, FIN, and in how many reads it has come so far. */
  #opcode = 0;
  #isFinal = false;
  #chunkCount = 0;
  /** The message at hand; opcode 0 when there is none. */
  #messageOpcode = 0;
  #isCompressed = false;
  #messageLength = 0;
  #fragmentCount = 0;
  /** A control frame that did not arrive whole. */
  #control: MessageAssembler | undefined;

  #isPaused = false;
  #isParsing = false;
  #isEnded = false;
  /** A message that was inflated in the background, for `resume()` to hand over. */
  #inflated: Uint8Array | undefined;
  #inflateError: ProtocolError | undefined;
  /** Bytes that came while parsing was paused. */
  #waiting: Uint8Array[] | undefined;

  constructor(options: ReceiverOptions, sink: MessageSink) {
    this.#sink = sink;
    this.#platform = options.platform;
    this.#copy = options.platform.copy;
    this.#expectsMask = receivesMasked(options.role);
    this.#skipsUtf8Validation = options.skipUtf8Validation ?? false;
    this.#inflater = options.inflater;
    this.maxPayload = options.maxPayload ?? LIMITS.maxPayload;
    this.maxFragments = options.maxFragments ?? LIMITS.maxFragments;
    this.maxBufferedChunks = options.maxBufferedChunks ?? LIMITS.maxBufferedChunks;
    this.#parser = new FrameParser(this);
  }

  /** True when everything handed in is parsed, or never will be. */
  get isIdle(): boolean {
    return this.#isEnded || !this.#isPaused;
  }

  /** True after a Close frame, a failure or `stop()`: bytes are discarded. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Takes bytes of the peer, in any portion. While paused they wait, so whoever reads from the socket stops reading
   * then.
   *
   * @param isLent the bytes are good until this returns; else they belong to the receiver
   */
  receive(bytes: Uint8Array, isLent = false): void {
    if (this.#isEnded) return;
    // A stream in memory may answer what is sent while its bytes are being parsed: they come next.
    if (this.#isPaused || this.#isParsing) {
      this.#waiting ??= [];
      this.#waiting.push(isLent ? this.#copy(bytes, 0, bytes.length) : bytes);
      return;
    }
    this.#parse(bytes, isLent);
    if (this.#waiting !== undefined) this.#parseWaiting();
  }

  /** Stops parsing after the frame at hand. */
  pause(): void {
    this.#isPaused = true;
    this.#parser.isStopped = true;
  }

  /** Goes on with the bytes that waited. */
  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#parser.isStopped = this.#isEnded;
    const inflated = this.#inflated;
    if (inflated !== undefined && !this.#isEnded) {
      this.#inflated = undefined;
      this.#isCompressed = false;
      let isDelivered = false;
      try {
        this.#deliverWhole(inflated);
        isDelivered = true;
      } finally {
        if (!isDelivered && !this.#isEnded) this.pause();
      }
    }
    if (this.#inflateError !== undefined && !this.#isEnded) this.#fail(this.#inflateError);
    this.#parseWaiting();
    if (this.isIdle) this.#sink.onIdle();
  }

  #parseWaiting(): void {
    while (this.#waiting !== undefined && !this.#isPaused && !this.#isEnded) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) this.#waiting = undefined;
      else this.#parse(bytes, false);
    }
  }

  /** Ends receiving without a word: what was gathered is dropped, later bytes are discarded. */
  stop(): void {
    this.#isEnded = true;
    this.#parser.isStopped = true;
    this.#assembler = undefined;
    this.#control = undefined;
    this.#waiting = undefined;
    this.#inflater?.close();
    this.#inflater = undefined;
  }

  #parse(bytes: Uint8Array, isLent: boolean): void {
    let isWhole = false;
    this.#isParsing = true;
    try {
      this.#parser.push(bytes, isLent ? this.#copy : undefined);
      isWhole = true;
    } finally {
      // A listener that throws interrupts the loop; the connection goes on behind the frame it threw at.
      this.#isParsing = false;
      if (!isWhole && !this.#isEnded) this.pause();
      if (this.#parser.isStopped) this.#keepRest();
    }
  }

  #keepRest(): void {
    const rest = this.#parser.takeRest();
    if (rest === undefined || this.#isEnded) return;
    this.#waiting ??= [];
    this.#waiting.unshift(rest);
  }

  #fail(error: ProtocolError): false {
    // [RFC6455-7.1.7-7] before anybody hears of it
    this.stop();
    this.#sink.onFail(error);
    return false;
  }

  // FrameHandler

  onHeader(first: number, second: number, payloadLength: number): boolean {
    this.#opcode = first & 0x0f;
    this.#isFinal = first >= FIN;
    // The usual frame first: an unfragmented, uncompressed message within the limit, with the right mask.
    if (
      (first === 0x82 || first === 0x81) &&
      second >= 0x80 === this.#expectsMask &&
      (second & 0x7f) < 126 &&
      this.#messageOpcode === 0 &&
      (payloadLength <= this.maxPayload || this.maxPayload <= 0)
    ) {
      this.#beginMessage(first & 0x0f, false);
      this.#messageLength = payloadLength;
      return true;
    }
    const error = this.#judgeHeader(first, second, payloadLength);
    return error === undefined || this.#fail(error);
  }

  onPayload(bytes: Uint8Array, start: number, end: number): void {
    // [RFC6455-5.2-1] [RFC6455-5.4-9] Nothing gathered, nothing to come: the message is a view of what was read.
    if (this.#opcode !== CONTINUATION && this.#opcode < CLOSE && this.#isFinal) {
      const payload = this.#platform.view(bytes, start, end);
      if (this.#isCompressed) this.#inflate(payload);
      // [RFC7692-6.2-2]
      else this.#deliverWhole(payload);
    } else if (this.#opcode >= CLOSE) {
      this.#onControl(this.#platform.view(bytes, start, end));
    } else {
      this.onPayloadPart(bytes, start, end, 0, 0);
    }
  }

  onPayloadPart(bytes: Uint8Array, start: number, end: number, key: number, remaining: number): void {
    const isLast = remaining === 0;
    if (this.#opcode >= CLOSE) {
      this.#control ??= new MessageAssembler(this.#platform.allocate);
      this.#control.append(bytes, start, end, key, 0);
      if (isLast) {
        const payload = this.#control.take();
        this.#control = undefined;
        this.#onControl(payload);
      }
      return;
    }
    this.#chunkCount = isLast ? 0 : this.#chunkCount + 1;
    if (this.maxBufferedChunks > 0 && this.#chunkCount > this.maxBufferedChunks) {
      this.#fail(protocolError('WS_ERR_TOO_MANY_BUFFERED_PARTS', 'Too many buffered chunks'));
      return;
    }
    this.#assembler ??= new MessageAssembler(this.#platform.allocate);
    // [RFC6455-5.4-5] [RFC6455-5.4-1] One behind the other, wherever they were cut; [RFC6455-5.4-8] also where empty.
    if (end > start || isLast) this.#assembler.append(bytes, start, end, key, remaining);
    if (this.#validatesText && !this.#validate(this.#assembler, end - start)) return;
    if (!isLast) return;
    // Of a compressed message they are no places in what comes out.
    if (
      this.keepsFragments &&
      !this.#isCompressed &&
      this.#assembler.length > (this.fragmentEnds?.at(-1) ?? 0)
    ) {
      this.fragmentEnds ??= [];
      this.fragmentEnds.push(this.#assembler.length);
    }
    if (this.#isFinal) this.#deliverAssembled();
  }

  // Rules of §5

  /** [RFC6455-10.7-1] Which rule a header breaks, if any. Asked in the order of `ws`, whose messages it shares. */
  #judgeHeader(first: number, second: number, payloadLength: number): ProtocolError | undefined {
    const opcode = first & 0x0f;
    // [RFC6455-5.2-2] [RFC6455-5.2-3] no extension of ours gives RSV2 or RSV3 a meaning
    if ((first & RSV2_AND_RSV3) !== 0) return protocolError('WS_ERR_UNEXPECTED_RSV_2_3');
    const rsv1 = (first & RSV1) !== 0;
    // [RFC7692-6-1] [RFC6455-5.8-1] RSV1 has a meaning once permessage-deflate is agreed
    if (rsv1 && this.#inflater === undefined) return protocolError('WS_ERR_UNEXPECTED_RSV_1');
    if (opcode >= CLOSE) return this.#judgeControl(opcode, rsv1, second, payloadLength);
    const isContinuation = opcode === CONTINUATION;
    // [RFC7692-6.1-3] [RFC7692-6.1-4] only on the first frame of a message
    if (rsv1 && isContinuation) return protocolError('WS_ERR_UNEXPECTED_RSV_1');
    // [RFC6455-5.2-4] [RFC6455-5.4-2] [RFC6455-5.4-6] a continuation continues something, and nothing else begins meanwhile
    if (opcode > 2 || isContinuation === (this.#messageOpcode === 0)) return invalidOpcode(opcode);
    const lengthError = this.#judgeMaskAndLength(second, payloadLength);
    if (lengthError !== undefined) return lengthError;
    // [RFC6455-5.4-14] the first frame gives the message its type
    if (!isContinuation) this.#beginMessage(opcode, rsv1);
    else this.#fragmentCount++;
    if (this.maxFragments > 0 && this.#fragmentCount > this.maxFragments) {
      return protocolError('WS_ERR_TOO_MANY_BUFFERED_PARTS');
    }
    this.#messageLength += payloadLength;
    const cost = this.keepsFragments ? (this.#fragmentCount - 1) * LIMITS.fragmentBookkeepingBytes : 0;
    // [RFC6455-10.4-1] [RFC6455-10.4-2] the announced length counts, before a byte of the payload has come
    if (this.maxPayload > 0 && (this.#messageLength > this.maxPayload || cost > this.maxPayload)) {
      return protocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    }
    return undefined;
  }

  #judgeControl(
    opcode: number,
    rsv1: boolean,
    second: number,
    payloadLength: number,
  ): ProtocolError | undefined {
    // [RFC6455-5.2-4] opcodes 0xB to 0xF have no meaning
    if (opcode > 0xa) return invalidOpcode(opcode);
    // [RFC6455-5.4-4] control frames are not fragmented
    if (!this.#isFinal) return protocolError('WS_ERR_EXPECTED_FIN');
    // [RFC7692-6.1-3] nor compressed
    if (rsv1) return protocolError('WS_ERR_UNEXPECTED_RSV_1');
    // [RFC6455-5.5-1] at most 125 bytes, and no Close with half a status code
    const length7 = second & 0x7f;
    if (length7 > 125 || (opcode === CLOSE && length7 === 1)) {
      return protocolError(
        'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
        `Invalid WebSocket frame: invalid payload length ${length7}`,
      );
    }
    return this.#judgeMaskAndLength(second, payloadLength);
  }

  #judgeMaskAndLength(second: number, payloadLength: number): ProtocolError | undefined {
    // [RFC6455-5.1-3] [RFC6455-5.1-6] 1002 at both ends
    if (second >= 0x80 !== this.#expectsMask) {
      return protocolError(this.#expectsMask ? 'WS_ERR_EXPECTED_MASK' : 'WS_ERR_UNEXPECTED_MASK');
    }
    const length7 = second & 0x7f;
    // STRICTER: [RFC6455-5.2-6] the minimal number of bytes; `ws` accepts longer forms
    if ((length7 === 126 && payloadLength < 126) || (length7 === 127 && payloadLength < 65536)) {
      return protocolError('WS_ERR_NON_MINIMAL_LENGTH');
    }
    // STRICTER: [RFC6455-5.2-5] `ws` calls it too long (1009)
    if (payloadLength >= 2 ** 63) return protocolError('WS_ERR_INVALID_PAYLOAD_LENGTH');
    if (payloadLength > Number.MAX_SAFE_INTEGER)
      return protocolError('WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH');
    return undefined;
  }

  // Messages

  #beginMessage(opcode: number, isCompressed: boolean): void {
    // [RFC6455-6.2-3]
    this.#messageOpcode = opcode;
    this.#isCompressed = isCompressed;
    this.#messageLength = 0;
    this.#fragmentCount = 1;
    this.fragmentEnds = undefined;
  }

  #deliverWhole(payload: Uint8Array): void {
    const isText = this.#messageOpcode === TEXT;
    // [RFC6455-6.2-4] what follows is another message
    this.#messageOpcode = 0;
    // [RFC6455-5.6-1] [RFC6455-8.1-1]
    if (isText && !this.#skipsUtf8Validation && !this.#platform.isUtf8(payload)) {
      this.#fail(protocolError('WS_ERR_INVALID_UTF8'));
      return;
    }
    this.#sink.onMessage(payload, !isText);
  }

  #deliverAssembled(): void {
    if (this.#validatesText && this.#validator?.isComplete === false) {
      this.#fail(protocolError('WS_ERR_INVALID_UTF8'));
      return;
    }
    const payload = this.#assembler!.take();
    if (this.#isCompressed) {
      this.#inflate(payload);
      return;
    }
    const isBinary = this.#messageOpcode !== TEXT;
    this.#messageOpcode = 0;
    this.#sink.onMessage(payload, isBinary);
  }

  /** Text that is not compressed is validated as it comes. */
  get #validatesText(): boolean {
    return this.#messageOpcode === TEXT && !this.#isCompressed && !this.#skipsUtf8Validation;
  }

  /** Validates the last `count` bytes that were gathered. */
  #validate({ bytes, length }: MessageAssembler, count: number): boolean {
    this.#validator ??= new Utf8Validator(this.#platform.isUtf8);
    if (length === count) this.#validator.reset();
    // STRICTER: the first bad byte fails the connection; `ws` waits for the end of the message
    return (
      this.#validator.push(bytes, length - count, length) || this.#fail(protocolError('WS_ERR_INVALID_UTF8'))
    );
  }

  /** [RFC7692-6.2-1] [RFC7692-7.2.2-1] Inflates the message; what comes after it waits if that takes time. */
  #inflate(payload: Uint8Array): void {
    let result: Uint8Array | Promise<Uint8Array>;
    try {
      result = this.#inflater!.inflate(payload, this.maxPayload);
    } catch (error) {
      this.#fail(error as ProtocolError);
      return;
    }
    // [RFC7692-6.1-5] UTF-8 holds for what comes out
    if (!(result instanceof Promise)) {
      this.#isCompressed = false;
      this.#deliverWhole(result);
      return;
    }
    this.pause();
    result.then(
      (inflated) => {
        this.#inflated = inflated;
        this.#sink.onReady();
      },
      (error) => {
        this.#inflateError = error;
        this.#sink.onReady();
      },
    );
  }

  #onControl(payload: Uint8Array): void {
    const opcode = this.#opcode;
    // [RFC6455-6.2-2] [RFC6455-5.4-7] also between the fragments of a message
    if (opcode === PING) this.#sink.onPing(payload);
    else if (opcode === CLOSE) this.#onClose(payload);
    else this.#sink.onPong(payload);
  }

  #onClose(payload: Uint8Array): void {
    const close = parseClosePayload(payload, this.#skipsUtf8Validation);
    if (close instanceof Error) {
      this.#fail(close);
      return;
    }
    this.stop();
    this.#sink.onClose(close.code, close.reason);
  }
}

function invalidOpcode(opcode: number): ProtocolError {
  return protocolError('WS_ERR_INVALID_OPCODE', `Invalid WebSocket frame: invalid opcode ${opcode}`);
}
