// What a conversation runs over: something that takes texts while it has room, and tells when it has room again. Made of a
// session in `session-connection.ts`, of a WebSocket in `socket-connection.ts`.

import type { Data } from '../agent/link.js';

export interface Carrier {
  /** Whether what is sent now leaves at once, rather than piling up. */
  readonly hasRoom: boolean;
  /** As {@link hasRoom}, for a text of this length. What is sent without room may leave with another conversation. */
  hasRoomFor(length: number): boolean;
  /** The longest text it takes, in UTF-16 code units. */
  readonly maxBytes: number;
  send(text: string): void;
  /** The peer broke a rule that ends everything. */
  fail(code: number, reason: string): void;
  /** Nothing more is to be said. */
  release(): void;
}

/** Who is told what happens on a carrier. */
export interface CarrierHandler {
  onMessage(data: Data): void;
  /** It has room again. */
  onRoom(): void;
  /** Nothing more comes, and nothing more can be sent; each is told at most once. */
  onEnd(error: Error): void;
}

/** Who has conversations over a connection: one after the other over a session that is lost, or that moves. */
export interface ConnectionOwner {
  /** The peer knows nothing of an earlier conversation. */
  begin(carrier: Carrier): ConversationHandler;
  /** The session is lost, and the next one has begun. */
  onLost(error: Error): void;
  /** The connection is gone for good. `error` where nobody wanted it. */
  onClosed(error: Error | undefined): void;
}

export interface ConversationHandler extends CarrierHandler {
  /** What is in flight goes on over this carrier until it is done; nothing new begins. */
  moveTo(carrier: Carrier): void;
}

/** What carries conversations until it is closed. */
export interface Connection {
  close(): Promise<void>;
}
