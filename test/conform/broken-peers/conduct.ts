// How a peer behaves, in the points in which a broken one may differ: what it overlooks in what it receives, and hooks
// for what it does itself. `rightConduct` is that of RFC 6455 and RFC 7692.

import { randomBytes } from 'node:crypto';
import { PONG } from '../../../src/wire/opcode.js';
import type { Message, OutgoingFrame, Peer, Role } from './peer.js';
import type { Agreement, DeflateSettings } from './peer-deflate.js';

/** What a peer checks in what it receives. */
export type Check =
  // Frames
  | 'mask'
  | 'rsv1'
  | 'rsv2-and-rsv3'
  | 'reserved-data-opcode'
  | 'reserved-control-opcode'
  | 'minimal-length'
  | 'maximal-length'
  | 'control-length'
  | 'control-fin'
  | 'lone-continuation'
  | 'data-inside-message'
  | 'message-inside-message'
  | 'rsv1-on-continuation'
  | 'rsv1-on-control'
  // Messages and closing
  | 'deflate'
  | 'inflated-text'
  | 'close-of-one-byte'
  | 'close-code'
  | 'close-code-of-applications'
  | 'close-reason'
  | 'frames-after-close'
  | 'frames-after-fault'
  // Requests
  | 'method'
  | 'http-version'
  | 'host'
  | 'request-upgrade'
  | 'request-connection'
  | 'key'
  | 'one-key'
  | 'version'
  // Responses
  | 'status'
  | 'upgrade'
  | 'connection'
  | 'accept'
  | 'subprotocol'
  | 'extension'
  | 'window-bits-of-answer';

/** Looks at a text as its bytes come; false as soon as it cannot be text any more. */
export type TextCheck = (bytes: Uint8Array, isEndOfFragment: boolean, isEnd: boolean) => boolean;

/** The start line and the header fields of a request or response. */
export interface Head {
  startLine: string;
  fields: [name: string, value: string][];
}

export interface Conduct {
  overlooks: readonly Check[];
  /** Has the last word on each frame: what is returned is sent. */
  outgoing(frame: OutgoingFrame, peer: Peer): OutgoingFrame[];
  maskingKey(previous: Uint8Array): Uint8Array;
  /** The length that a header is taken to announce. */
  readLength(length: bigint): bigint;
  textCheck(): TextCheck;
  onMessage(message: Message, peer: Peer): void;
  onPing(payload: Uint8Array, peer: Peer): void;
  onPong(payload: Uint8Array, peer: Peer): void;
  /** A Close frame has come and is in order; `payload` is what it carried. */
  onClose(payload: Uint8Array, peer: Peer): void;
  /** Something is wrong with what came. */
  onFault(code: number, peer: Peer): void;
  /** The last word on a request or response. */
  head(head: Head): Head;
  /** What follows the head at once. */
  behindHead: Uint8Array;
  subprotocol(offered: readonly string[]): string | undefined;
  /** What a client offers as extensions. */
  offer: string | undefined;
  /** The last word on what deflating and inflating go by; the other end was told what `agreement` says. */
  deflate(agreement: Agreement): DeflateSettings;
  /** What the other end's Sec-WebSocket-Extensions is taken for. */
  heardExtensions(header: string): string;
  /** The last word on a message that was compressed. */
  compressed(bytes: Uint8Array, message: Uint8Array): Uint8Array;
}

export function rightConduct(role: Role): Conduct {
  return {
    overlooks: [],
    outgoing: (frame) => [frame],
    maskingKey: () => randomBytes(4),
    readLength: (length) => length,
    textCheck: () => streamingCheck(),
    onMessage: (message, peer) => peer.sendMessage(message),
    onPing: (payload, peer) => peer.send({ opcode: PONG, payload }),
    onPong: () => {},
    onClose: (payload, peer) => {
      peer.sendClose(payload.subarray(0, 2));
      if (role === 'server') peer.end();
    },
    onFault: (code, peer) => {
      peer.sendClose(closePayload(code));
      peer.end();
    },
    head: (head) => head,
    behindHead: new Uint8Array(0),
    subprotocol: (offered) => offered[0],
    offer: 'permessage-deflate; client_max_window_bits',
    deflate: (agreement) => agreement,
    heardExtensions: (header) => header,
    compressed: (bytes) => bytes,
  };
}

/** §8.1, over all fragments, at the first byte that cannot be right. */
export function streamingCheck(): TextCheck {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return (bytes, _isEndOfFragment, isEnd) => {
    try {
      decoder.decode(bytes, { stream: !isEnd });
      return true;
    } catch {
      return false;
    }
  };
}

export function closePayload(code: number, reason = ''): Uint8Array {
  return Buffer.concat([Uint8Array.of(code >> 8, code & 0xff), Buffer.from(reason)]);
}
