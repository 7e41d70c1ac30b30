// What sessions tell to whoever watches the process: one channel of `node:diagnostics_channel` for each kind of news, and
// the shape of each message. Where there is no such module, as in browsers, the channels are there and silent.
// Where something is published is up to those to whom it happens; docs/observability.md shows a listener.

/** What every message has. Payloads are never among it. */
export interface AboutSession {
  /** Tells sessions apart, and can be asked for more, for example its `stats()`. */
  session: object;
  /** Undefined while the first connection is being made. */
  sessionId: string | undefined;
  side: 'client' | 'server';
}

/** `hawser:connect`: a connection carries the session, the first one or another. */
export interface ConnectMessage extends AboutSession {
  /** Counts the connections that the client has tried. */
  generation: number;
  /** Whether an earlier connection carried the same session. */
  isResumed: boolean;
}

/**
 * `hawser:close`: a connection is gone, or the session is over, or both. A connection that is replaced by the next one, in
 * a takeover or when a server drains, has none: the `hawser:connect` says it.
 */
export interface CloseMessage extends AboutSession {
  /** Of RFC 6455 §7.4.1, or of the session protocol. */
  code: number;
  reason: string;
  /** Whether the session is over; otherwise it waits for its next connection. */
  isOver: boolean;
  /** Messages that never left. */
  unsent: number;
  /** Messages that left, and of which the peer has not said that they arrived. */
  unacked: number;
  error?: Error | undefined;
}

/** `hawser:resume`: a session goes on over another connection; follows the `hawser:connect`. */
export interface ResumeMessage extends AboutSession {
  /** Messages that were sent once more. */
  replayed: number;
  /** How long the session was without a connection; 0 when it had one until now. */
  detachedMs: number;
}

/** `hawser:session.lost`: a client learns that the server does not have the session any more. */
export interface SessionLostMessage extends AboutSession {
  /** Messages that were surely not processed. */
  unsent: number;
  /** Messages of which nobody knows. */
  unacked: number;
  reason: string;
}

/** `hawser:queue.drop`: the queue's policy or a message's time to live took a message that had not been numbered. */
export interface QueueDropMessage extends AboutSession {
  reason: string;
  /** By which the message could be replaced. */
  key: unknown;
  bytes: number;
}

/** `hawser:slow`: the queue is full because the peer does not keep up, or is away; once, until half of it is free. */
export interface SlowMessage extends AboutSession {
  /** Unsent and unacknowledged ones. */
  queuedMessages: number;
  queuedBytes: number;
  /** Bytes that the socket has accepted and not sent. */
  bufferedAmount: number;
}

/** `hawser:rpc`: a call or a notification is done, at either end, that began while somebody listened. */
export interface RpcMessage {
  /** The `RpcPeer`. */
  peer: object;
  /** `out`: we called; `in`: we were called. */
  direction: 'out' | 'in';
  method: string;
  /** From the call to its result, or to the end of a streamed one at the end that produces it. */
  durationMs: number;
  /** That of the error, if it failed. */
  code: number | undefined;
}

export interface DiagnosticsChannel<Message> {
  /** To be asked before a message is made, so that it costs nothing when nobody listens. */
  readonly hasSubscribers: boolean;
  /** Never throws: what a subscriber throws becomes an uncaught exception of its own, in a later tick. */
  publish(message: Message): void;
}

const diagnosticsChannel = globalThis.process?.getBuiltinModule?.('node:diagnostics_channel');

const SILENT: DiagnosticsChannel<unknown> = { hasSubscribers: false, publish() {} };

function channel<Message>(name: string): DiagnosticsChannel<Message> {
  return diagnosticsChannel?.channel(name) ?? SILENT;
}

/**
 * @example
 * if (channels.drop.hasSubscribers) channels.drop.publish({ session, sessionId, side, reason, key, bytes });
 */
export const channels = {
  connect: channel<ConnectMessage>('hawser:connect'),
  close: channel<CloseMessage>('hawser:close'),
  resume: channel<ResumeMessage>('hawser:resume'),
  lost: channel<SessionLostMessage>('hawser:session.lost'),
  drop: channel<QueueDropMessage>('hawser:queue.drop'),
  slow: channel<SlowMessage>('hawser:slow'),
  rpc: channel<RpcMessage>('hawser:rpc'),
};
