// `hawser/agent` for Node: sessions, of which both ends are here. `browser.ts` is what browsers load.

export { SessionError, type SessionErrorCode } from './errors.js';
