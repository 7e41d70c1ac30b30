// What is known of one case after it ran against one peer: the verdict, what happened in words, and the log of the wire.
// Plain data: it goes into JSON and out of it again unchanged.

import type { Verdict } from './verdict.js';

/** Which end of the connection is under test. The tester plays the other one. */
export type Subject = 'server' | 'client';

export type Side = 'tester' | 'peer';

/** A frame as it stood on the wire. */
export interface FrameRecord {
  kind: 'frame';
  /** Milliseconds since the case began. */
  atMs: number;
  from: Side;
  opcode: number;
  isFinal: boolean;
  /** The three reserved bits as a number from 0 to 7; RSV1 counts 4. */
  rsv: number;
  /** The masking key in hexadecimal, if the frame was masked. */
  maskingKey?: string;
  /** Bytes of payload that the header announced. */
  length: number;
  /** The first bytes of the payload, unmasked, in hexadecimal. */
  payload: string;
  /** Size of each TCP write, where the frame was written in pieces. */
  chop?: number;
}

/** Bytes that are no frame, such as the two halves of the opening handshake. */
export interface BytesRecord {
  kind: 'bytes';
  atMs: number;
  from: Side;
  /** How many there were. */
  length: number;
  /** The first of them; one character stands for one byte (latin1). */
  text: string;
}

/** Something that happened to the connection, or that the tester did or noticed. */
export interface NoteRecord {
  kind: 'note';
  atMs: number;
  text: string;
}

/** Stands where records were left out, so that a log stays of bounded size. */
export interface GapRecord {
  kind: 'gap';
  records: number;
}

export type WireRecord = FrameRecord | BytesRecord | NoteRecord | GapRecord;

/** A Close frame, as far as it said something. */
export interface CloseRecord {
  code: number | null;
  reason: string;
}

export interface CaseResult extends Verdict {
  /** Id of the case, as in `1.1.1` or `masking.fresh-keys`. */
  id: string;
  /** Who was judged: the name that the user gave. */
  agent: string;
  subject: Subject;
  /** What happened, in one sentence or a few. */
  finding: string;
  /** When the case began, ISO 8601. */
  startedAt: string;
  durationMs: number;
  /** The Close frame of the peer, null if none came. */
  peerClose: CloseRecord | null;
  /** The Close frame of the tester, null if none was sent. */
  testerClose: CloseRecord | null;
  /** Who ended the TCP connection; null where there was none. */
  droppedBy: Side | null;
  wire: WireRecord[];
}
