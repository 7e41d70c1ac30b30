// `hawser/agent` for browsers: the client's end of a session, on the browser's own WebSocket.

export { SessionError, type SessionErrorCode } from './errors.js';
