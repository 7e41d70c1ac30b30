// `hawser/rpc`: calls and streams between two peers, over a session or a plain WebSocket. The same in Node and in browsers.

export {
  type CallArguments,
  type CallParams,
  type CallResult,
  type Contract,
  defineContract,
  type Handler,
  type HandlerParams,
  type HandlerResult,
  type Handlers,
  type MethodName,
  type MethodSchemas,
  type NotifyArguments,
  type SchemaContract,
} from './contract.js';
export type { ErrorContext } from './conversation-parts.js';
export { CallError, type ErrorObject, type LostData, RPC, RpcError } from './errors.js';
export type { CallContext } from './incoming-call.js';
export type { RpcLimits } from './limits.js';
export type { CallOptions, Progress } from './outgoing-call.js';
export { type RpcEvents, RpcPeer, type RpcPeerOptions, type RpcStats } from './peer.js';
export type { RpcSocket } from './socket-connection.js';
export type { InferInput, InferOutput, Issue, StandardSchema } from './standard-schema.js';
export type { RpcStream } from './stream.js';
