// The build that is measured: the floors of it, plain sockets, sessions, calls.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(import.meta.url);
export const OWN_BUILD = join(import.meta.dirname, '../../dist');

/** @param {string} folder a dist/ @returns {{ WebSocket: any, WebSocketServer: any }} */
export const loadSockets = (folder) => require(join(resolve(folder), 'index.js'));

/** @param {string} folder a dist/ @returns {{ connectSession: any, SessionServer: any, debug: any }} */
export const loadSessions = (folder) => loadFloor(folder, 'agent');

/** @param {string} folder a dist/ @returns {{ RpcPeer: any }} */
export const loadRpc = (folder) => loadFloor(folder, 'rpc');

/** @param {string} folder @param {string} floor @returns {any} */
function loadFloor(folder, floor) {
  const file = join(resolve(folder), floor, 'index.js');
  if (!existsSync(file)) throw new Error(`${file} is not there: run npm run build`);
  return require(file);
}
