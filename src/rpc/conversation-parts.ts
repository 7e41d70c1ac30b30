// What the parts of a conversation share, and what they need of the peer whose conversation it is.

import type { Environment } from '../agent/environment.js';
import type { IdempotencyStore } from '../agent/idempotency.js';
import type { MethodSchemas } from './contract.js';
import type { CallContext } from './incoming-call.js';
import type { RpcLimits } from './limits.js';
import type { Id } from './message.js';
import type { Outbox } from './outbox.js';
import type { Streams } from './streams.js';

export type AnyHandler<Peer> = (params: unknown, context: CallContext<Peer>) => unknown;

/** Whose conversation it is. */
export interface ConversationHost<Peer> {
  readonly peer: Peer;
  readonly environment: Environment;
  readonly limits: Required<RpcLimits>;
  readonly idempotency: { store: IdempotencyStore; principal: string } | undefined;
  handlerOf(method: string): AnyHandler<Peer> | undefined;
  /** What the contracts say of methods of ours, and of the peer's. */
  localSchemas(method: string): MethodSchemas | undefined;
  remoteSchemas(method: string): MethodSchemas | undefined;
  /** Something went wrong that no caller here is told of. */
  onError(error: unknown, about: ErrorContext): void;
  /** Whether {@link onCallEnd} wants to know of a call that begins now. */
  readonly isObserved: boolean;
  onCallEnd(direction: 'out' | 'in', method: string, startedAt: number, code: number | undefined): void;
  /** What was in flight when the session moved, or was lost, is done. */
  onDone(conversation: object): void;
}

/** What an error has to do with. */
export interface ErrorContext {
  method?: string | undefined;
  id?: Id | undefined;
}

/** What the parts of a conversation share. */
export interface ConversationParts<Peer> {
  readonly host: ConversationHost<Peer>;
  readonly outbox: Outbox;
  readonly streams: Streams;
  /** The longest message that may be sent, in UTF-16 code units. */
  readonly maxBytes: number;
  /** Something is not in flight any more. */
  onChange(): void;
}
