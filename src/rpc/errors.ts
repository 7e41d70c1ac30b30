// What can go wrong with a call, as codes that both ends know (docs/rpc-protocol.md), and the error that carries them.

/** The codes of errors: those of JSON-RPC 2.0 §5.1, LSP's for a cancelled call, and ours. */
export const RPC = {
  /** What came is no JSON. */
  PARSE_ERROR: -32700,
  /** What came is no request, is a batch or bytes, or uses an id that is in use. */
  INVALID_REQUEST: -32600,
  METHOD_NOT_FOUND: -32601,
  /** The params do not validate; `data.issues` says where. */
  INVALID_PARAMS: -32602,
  /** The handler failed. Why stays in its process. */
  INTERNAL_ERROR: -32603,
  /** The caller gave up, or the consumer of a stream. */
  CANCELLED: -32800,
  /** No result in time; a local error. */
  DEADLINE: -31001,
  /** Too many calls or streams at once; `data.retryAfterMs` may say when to try again. */
  OVERLOADED: -31002,
  /** The connection is gone, or the session is lost; a local error. `data.outcome` says what is known. */
  LOST: -31003,
  /** A message is larger than the peer takes. */
  TOO_LARGE: -31004,
  /** What the peer answered does not validate; a local error. */
  INVALID_RESULT: -31005,
  /** A call with an idempotency key cannot be remembered here. */
  NOT_IDEMPOTENT: -31006,
} as const;

/** An error as it travels (JSON-RPC 2.0 §5.1). */
export interface ErrorObject {
  code: number;
  message: string;
  data?: unknown;
}

/** What is known of a call that was lost with its connection. */
export interface LostData {
  /** `not-sent`: surely not processed; `unknown`: perhaps processed, wholly or in part. */
  outcome: 'not-sent' | 'unknown';
}

/** Something failed. A handler that throws one sends `code`, `message` and `data` to its caller; `cause` never leaves the process. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, { data, cause }: { data?: unknown; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.data = data;
  }
}

/**
 * A call of ours failed, or a stream that we read. To somebody who has called us it would tell of something else: a handler
 * that lets one through has failed itself, and its caller learns no more than that.
 */
export class CallError extends RpcError {
  /** Whether the peer sent it; otherwise it was found out here. */
  readonly isRemote: boolean;

  constructor(
    { code, message, data }: ErrorObject,
    { cause, isRemote = false }: { cause?: unknown; isRemote?: boolean } = {},
  ) {
    super(code, message, { data, cause });
    this.isRemote = isRemote;
  }
}

/** What went wrong, as the error of a call of ours. Other errors stay what they are. */
export function ofCall(error: unknown): unknown {
  if (!(error instanceof RpcError) || error instanceof CallError) return error;
  return new CallError(error, { cause: error.cause });
}

/** @param cause why the connection is gone; its message is kept */
export function lostError(outcome: LostData['outcome'], cause: Error): CallError {
  const data: LostData = { outcome };
  return new CallError({ code: RPC.LOST, message: cause.message, data }, { cause });
}
