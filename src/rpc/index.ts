// `hawser/rpc`: calls and streams between two peers, over a session or a plain WebSocket. The same in Node and in browsers.

export { type ErrorObject, type LostData, RPC, RpcError } from './errors.js';
