// The build that is measured: both floors of it, plain sockets and sessions.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(import.meta.url);
export const OWN_BUILD = join(import.meta.dirname, '../../dist');

/** @param {string} folder a dist/ @returns {{ WebSocket: any, WebSocketServer: any }} */
export const loadSockets = (folder) => require(join(resolve(folder), 'index.js'));

/** @param {string} folder a dist/ @returns {{ connectSession: any, SessionServer: any }} */
export function loadSessions(folder) {
  const file = join(resolve(folder), 'agent', 'index.js');
  if (!existsSync(file)) throw new Error(`${file} is not there: run npm run build`);
  return require(file);
}
