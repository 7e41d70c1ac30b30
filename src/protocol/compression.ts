// What the engine asks of permessage-deflate's compressor and decompressor (RFC 7692 §7.2); `io/zlib.ts` has them.
// Both may answer with bytes, so that small messages need no detour, or with a promise, while a thread is at work.

import { peerOf, type Role } from './role.js';

/** Inflates the messages that one connection receives, one after the other. */
export interface Inflater {
  /**
   * @param payload the compressed message, without the 00 00 FF FF that its sender cut off; it is copied where it
   *   has to outlive the call
   * @param maxBytes how much may come out; 0 is no limit
   * @returns the message, in memory that belongs to the caller
   * @throws (or rejects with) a `ProtocolError`: WS_ERR_UNSUPPORTED_MESSAGE_LENGTH as soon as more than `maxBytes`
   *   came out, or zlib's own code with close code 1007; an `Error` once the inflater is closed. It is of no use
   *   afterwards
   */
  inflate(payload: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array>;
  /** Frees the memory; a promise that is pending is rejected. */
  close(): void;
}

/** Deflates the messages that one connection sends, one after the other. */
export interface Deflater {
  /**
   * @param payload a message or a fragment of one; it is copied where it has to outlive the call
   * @returns what goes into the frame: without the final 00 00 FF FF where `isFinal`. It belongs to the caller
   */
  deflate(payload: Uint8Array, isFirst: boolean, isFinal: boolean): Uint8Array | Promise<Uint8Array>;
  /** Frees the memory; a promise that is pending is rejected. */
  close(): void;
}

/** The agreed parameters (§7.1), complete: a window that was not limited has 15 bits. */
export interface AgreedDeflate {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number;
  clientMaxWindowBits: number;
}

/** What was agreed for the messages of one direction. */
export interface DirectionAgreement {
  noContextTakeover: boolean;
  maxWindowBits: number;
}

/** What an end with `role` has to keep to when it compresses. */
export function sendingAgreement(agreed: AgreedDeflate, role: Role): DirectionAgreement {
  return {
    noContextTakeover: agreed[`${role}NoContextTakeover`],
    maxWindowBits: agreed[`${role}MaxWindowBits`],
  };
}

/** What an end with `role` can count on in what it receives. */
export function receivingAgreement(agreed: AgreedDeflate, role: Role): DirectionAgreement {
  return sendingAgreement(agreed, peerOf(role));
}
