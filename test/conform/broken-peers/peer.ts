// A plain WebSocket endpoint that echoes, for either role, from the connection on which the handshake is done. It is slow,
// short and right; a `Conduct` makes it wrong in one point. The opening handshakes are in `peer-opening.ts`.

import type { Socket } from 'node:net';
import { type FrameHeader, parseFrameHeader, serializeFrameHeader } from '../../../src/wire/frame-header.js';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../../src/wire/opcode.js';
import type { Check, Conduct, TextCheck } from './conduct.js';
import { type Agreement, Deflate } from './peer-deflate.js';

export type Role = 'server' | 'client';

export interface Message {
  opcode: number;
  payload: Uint8Array;
  /** Number of frames that it came in. */
  frames: number;
}

export interface OutgoingFrame {
  opcode: number;
  payload: Uint8Array;
  isFinal: boolean;
  rsv: number;
  isMasked: boolean;
  lengthForm: 7 | 16 | 64;
}

interface MessageUnderWay {
  opcode: number;
  isCompressed: boolean;
  parts: Uint8Array[];
  bytes: number;
  isText: TextCheck;
  frames: number;
}

interface FrameUnderWay {
  header: FrameHeader;
  /** Bytes of payload that have come. */
  received: number;
  parts: Uint8Array[];
}

const MAX_PAYLOAD_BYTES = 64 << 20;
/** How long a client waits for the server to end TCP. */
const END_LIMIT_MS = 2000;

export class Peer {
  readonly role: Role;
  readonly #socket: Socket;
  readonly #conduct: Conduct;
  readonly #deflate: Deflate | undefined;
  #pending: Uint8Array = new Uint8Array(0);
  #frame: FrameUnderWay | undefined;
  #message: MessageUnderWay | undefined;
  #maskingKey: Uint8Array = new Uint8Array(4);
  #hasFailed = false;
  #hasReceivedClose = false;
  #hasSentClose = false;

  constructor(socket: Socket, role: Role, conduct: Conduct, agreement: Agreement | undefined) {
    this.#socket = socket;
    this.role = role;
    this.#conduct = conduct;
    this.#deflate = agreement && new Deflate(conduct.deflate(agreement));
  }

  get hasDeflate(): boolean {
    return this.#deflate !== undefined;
  }

  get isInsideMessage(): boolean {
    return this.#message !== undefined;
  }

  receive(bytes: Uint8Array): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (!this.#isDeaf() && this.#takePiece()) {}
  }

  /** Nothing is read behind a Close frame, nor behind a fault (§1.4, §7.1.7). */
  #isDeaf(): boolean {
    return (
      (this.#hasFailed && !this.#overlooks('frames-after-fault')) ||
      (this.#hasReceivedClose && !this.#overlooks('frames-after-close'))
    );
  }

  /** Takes a header, or as much of a payload as has come. False when more has to come first. */
  #takePiece(): boolean {
    if (this.#frame === undefined) {
      const header = parseFrameHeader(this.#pending);
      if (header === undefined) return false;
      this.#pending = this.#pending.subarray(header.headerLength);
      if (!this.#beginFrame(header)) {
        this.#pending = this.#pending.subarray(Number(header.payloadLength));
        return true;
      }
      this.#frame = { header, received: 0, parts: [] };
    }
    const { header, received } = this.#frame;
    const length = Number(header.payloadLength);
    const piece = this.#pending.subarray(0, length - received);
    if (piece.length === 0 && received < length) return false;
    this.#pending = this.#pending.subarray(piece.length);
    this.#takePayload(this.#frame, unmasked(piece, header, received), received + piece.length === length);
    return true;
  }

  #overlooks(check: Check): boolean {
    return this.#conduct.overlooks.includes(check);
  }

  /** Fails the connection, unless the peer has no eye for such faults. */
  #fault(check: Check, code = 1002): boolean {
    if (this.#overlooks(check)) return false;
    this.#fail(code);
    return true;
  }

  #fail(code: number): void {
    this.#hasFailed = true;
    this.#frame = undefined;
    this.#message = undefined;
    this.#conduct.onFault(code, this);
  }

  /** §5.1 - §5.5: what can be told from a header. False when the connection has failed over it. */
  #beginFrame(header: FrameHeader): boolean {
    const { opcode, isMasked, payloadLength: length, isFinal } = header;
    const isControl = opcode >= CLOSE;
    if (isMasked !== (this.role === 'server') && this.#fault('mask')) return false;
    if (header.rsv1 && !this.#mayHaveRsv1(opcode) && this.#fault(this.#checkOfRsv1(opcode))) return false;
    if ((header.rsv2 || header.rsv3) && this.#fault('rsv2-and-rsv3')) return false;
    if (opcode > BINARY && !isControl && this.#fault('reserved-data-opcode')) return false;
    if (opcode > PONG && this.#fault('reserved-control-opcode')) return false;
    if (header.lengthForm !== shortestForm(Number(length)) && this.#fault('minimal-length')) return false;
    header.payloadLength = this.#conduct.readLength(length);
    if (header.payloadLength >= 1n << 63n) {
      this.#fail(1002);
      return false;
    }
    if (header.payloadLength > MAX_PAYLOAD_BYTES && this.#fault('maximal-length', 1009)) return false;
    if (isControl && length > 125n && this.#fault('control-length')) return false;
    if (isControl && !isFinal && this.#fault('control-fin')) return false;
    return isControl || opcode > BINARY || this.#beginFragment(header);
  }

  #mayHaveRsv1(opcode: number): boolean {
    return this.#deflate !== undefined && (opcode === TEXT || opcode === BINARY);
  }

  #checkOfRsv1(opcode: number): Check {
    if (this.#deflate === undefined) return 'rsv1';
    return opcode === CONTINUATION ? 'rsv1-on-continuation' : 'rsv1-on-control';
  }

  #beginFragment({ opcode, rsv1 }: FrameHeader): boolean {
    if (opcode === CONTINUATION) {
      if (this.#message !== undefined) return true;
      if (this.#fault('lone-continuation')) return false;
    } else if (this.#message !== undefined) {
      if (this.#overlooks('message-inside-message')) return true;
      if (this.#fault('data-inside-message')) return false;
    }
    this.#message = {
      opcode: opcode === CONTINUATION ? TEXT : opcode,
      isCompressed: rsv1 && this.#deflate !== undefined,
      parts: [],
      bytes: 0,
      isText: this.#conduct.textCheck(),
      frames: 0,
    };
    return true;
  }

  #takePayload(frame: FrameUnderWay, bytes: Uint8Array, isComplete: boolean): void {
    const { opcode, isFinal } = frame.header;
    frame.received += bytes.length;
    if (isComplete) this.#frame = undefined;
    if (opcode <= BINARY) this.#takeFragment(this.#message!, bytes, isComplete, isComplete && isFinal);
    else frame.parts.push(bytes);
    if (!isComplete || opcode <= BINARY) return;
    const payload = Buffer.concat(frame.parts);
    if (opcode === CLOSE) this.#receiveClose(payload);
    else if (opcode === PING) this.#conduct.onPing(payload, this);
    else if (opcode === PONG) this.#conduct.onPong(payload, this);
  }

  #takeFragment(message: MessageUnderWay, bytes: Uint8Array, isEndOfFragment: boolean, isEnd: boolean): void {
    const { opcode, isCompressed, parts, isText } = message;
    parts.push(bytes);
    message.bytes += bytes.length;
    if (isEndOfFragment) message.frames++;
    const isTooLong = message.bytes > MAX_PAYLOAD_BYTES;
    const isBadText = opcode === TEXT && !isCompressed && !isText(bytes, isEndOfFragment, isEnd);
    if (isTooLong || isBadText) this.#fail(isTooLong ? 1009 : 1007);
    if (isTooLong || isBadText || !isEnd) return;
    this.#message = undefined;
    const payload = isCompressed ? this.#inflate(Buffer.concat(parts)) : Buffer.concat(parts);
    if (payload === undefined) return;
    if (opcode === TEXT && isCompressed && !isText(payload, true, true) && this.#fault('inflated-text', 1007))
      return;
    this.#conduct.onMessage({ opcode, payload, frames: message.frames }, this);
  }

  #inflate(bytes: Uint8Array): Uint8Array | undefined {
    try {
      return this.#deflate!.inflate(bytes);
    } catch (error) {
      const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      if (!this.#fault('deflate', isTooLarge ? 1009 : 1007)) return bytes;
      return undefined;
    }
  }

  /** §5.5.1, §7.4 */
  #receiveClose(payload: Uint8Array): void {
    if (payload.length === 1 && this.#fault('close-of-one-byte')) return;
    if (payload.length >= 2) {
      const code = (payload[0]! << 8) | payload[1]!;
      const check = code >= 3000 && code < 5000 ? 'close-code-of-applications' : 'close-code';
      if (!isCloseCode(code) && this.#fault(check)) return;
      if (
        !Buffer.from(payload.subarray(2)).equals(Buffer.from(Buffer.from(payload.subarray(2)).toString()))
      ) {
        if (this.#fault('close-reason', 1007)) return;
      }
    }
    this.#hasReceivedClose = true;
    this.#conduct.onClose(payload, this);
    if (this.role === 'client') setTimeout(() => this.#socket.destroy(), END_LIMIT_MS).unref();
  }

  /** A message in one frame, compressed where that was agreed on. */
  sendMessage({ opcode, payload }: Pick<Message, 'opcode' | 'payload'>, mayFollowClose = false): void {
    const bytes = this.#deflate && this.#conduct.compressed(this.#deflate.deflate(payload), payload);
    this.send({ opcode, payload: bytes ?? payload, rsv: bytes === undefined ? 0 : 4 }, mayFollowClose);
  }

  /** A Close frame, unless one was sent. */
  sendClose(payload: Uint8Array): void {
    if (this.#hasSentClose) return;
    this.#hasSentClose = true;
    this.send({ opcode: CLOSE, payload }, true);
  }

  send(
    frame: Pick<OutgoingFrame, 'opcode' | 'payload'> & Partial<OutgoingFrame>,
    mayFollowClose = false,
  ): void {
    if (this.#hasSentClose && !mayFollowClose) return;
    const form = shortestForm(frame.payload.length);
    const full = { isFinal: true, rsv: 0, isMasked: this.role === 'client', lengthForm: form, ...frame };
    for (const one of this.#conduct.outgoing(full, this)) this.#write(one);
  }

  #write({ opcode, payload, isFinal, rsv, isMasked, lengthForm }: OutgoingFrame): void {
    if (isMasked) this.#maskingKey = this.#conduct.maskingKey(this.#maskingKey);
    const header = {
      isFinal,
      rsv1: (rsv & 4) !== 0,
      rsv2: (rsv & 2) !== 0,
      rsv3: (rsv & 1) !== 0,
      opcode,
      isMasked,
      payloadLength: BigInt(payload.length),
      lengthForm,
      ...(isMasked && { maskingKey: this.#maskingKey }),
    };
    const bytes = Buffer.concat([serializeFrameHeader(header), payload]);
    if (isMasked) applyKey(bytes.subarray(bytes.length - payload.length), this.#maskingKey, 0);
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Cuts TCP off with RST, once what was written is out; `resetAndDestroy()` would send FIN first. */
  reset(): void {
    this.#socket.pause();
    const { _handle } = this.#socket as unknown as { _handle: { reset(done: () => void): void } | null };
    setTimeout(() => _handle?.reset(() => this.#socket.destroy()), 5);
  }

  /** Ends TCP; what still comes is thrown away, for unread bytes would make the end a reset. */
  end(): void {
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), END_LIMIT_MS).unref();
  }
}

function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

export function shortestForm(length: number): 7 | 16 | 64 {
  return length < 126 ? 7 : length < 65_536 ? 16 : 64;
}

function unmasked(piece: Uint8Array, { maskingKey }: FrameHeader, at: number): Uint8Array {
  const bytes = Buffer.from(piece);
  if (maskingKey !== undefined) applyKey(bytes, maskingKey, at);
  return bytes;
}

/** @param at the offset in the payload at which `bytes` begins */
function applyKey(bytes: Uint8Array, key: Uint8Array, at: number): void {
  for (let index = 0; index < bytes.length; index++) bytes[index]! ^= key[(at + index) & 3]!;
}
