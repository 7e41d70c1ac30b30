// What `hawser/agent` exports everywhere, in Node and in browsers.

export type { BackoffOptions } from './backoff.js';
export type { Address, ClientSessionOptions } from './client-options.js';
export type { ClientSession, ClientState } from './client-session.js';
export type { ConnectSessionOptions } from './connect-session.js';
export { type ActiveEntry, debug } from './debug.js';
export type {
  CloseMessage,
  ConnectMessage,
  QueueDropMessage,
  ResumeMessage,
  RpcMessage,
  SessionLostMessage,
  SlowMessage,
} from './diagnostics.js';
export { SessionError, type SessionErrorCode } from './errors.js';
export type { FormerSession, FormerSessionHandler } from './former-session.js';
export {
  type Claim,
  type IdempotencyStore,
  MemoryIdempotencyStore,
  type MemoryIdempotencyStoreOptions,
  type Outcome,
  once,
} from './idempotency.js';
export type { Data, LinkEnd } from './link.js';
export type { LivenessOptions } from './liveness.js';
export { messageStreams } from './message-streams.js';
export type { Sendable } from './payload.js';
export type {
  DroppedMessage,
  DropReason,
  QueueOptions,
  QueuePolicy,
  SendOptions,
  SendOutcome,
} from './queue-options.js';
export type { Session, SessionOptions } from './session.js';
export type { SessionEnd, SessionEvents, SessionStats } from './session-events.js';
export type { StreamableSession } from './session-streams.js';
export type { NodeWebSocket, StandardWebSocket, WebSocketClass } from './socket-link.js';
export type { StreamableSocket } from './socket-streams.js';
export { type CloseInfo, type MessageStreams, type OpenedStreams, WebSocketError } from './stream-view.js';
