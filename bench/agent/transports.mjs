// The ways in which a server can tell a client something new, as data. What they cost and how late they are is measured by
// push.mjs; they are carried out in push-server.mjs and push-client.mjs.

/**
 * @typedef {object} Transport
 * @property {string} label
 * @property {string} about
 * @property {'none' | 'websocket' | 'session' | 'sse' | 'request'} face how it is spoken
 * @property {number} [intervalMs] between two polls
 * @property {boolean} [isHeld] whether the server keeps a request until there is something to say
 */

/** @type {Record<string, Transport>} */
export const TRANSPORTS = {
  none: { label: 'nobody listens', about: 'the publisher alone, for its CPU time', face: 'none' },
  websocket: { label: 'WebSocket', about: 'a hawser socket', face: 'websocket' },
  session: {
    label: 'session',
    about: 'a hawser session: numbered, acknowledged, resumable',
    face: 'session',
  },
  sse: { label: 'SSE', about: 'Server-Sent Events with ids', face: 'sse' },
  'long-poll': {
    label: 'long-polling',
    about: 'a request that the server holds',
    face: 'request',
    isHeld: true,
  },
  'poll-100': { label: 'polling, 100 ms', about: 'a request every 100 ms', face: 'request', intervalMs: 100 },
  'poll-1000': { label: 'polling, 1 s', about: 'a request every second', face: 'request', intervalMs: 1000 },
};

/** @param {string} name */
export function transportNamed(name) {
  const transport = TRANSPORTS[name];
  if (transport === undefined)
    throw new Error(`no transport is called ${name}; there are ${Object.keys(TRANSPORTS).join(', ')}`);
  return transport;
}
