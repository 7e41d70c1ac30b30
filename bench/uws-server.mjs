// The server of uWebSockets.js, as its documentation has it; for those who have it installed.

const TOPIC = 'all';

/** @param {any} uws @param {import('./cases.mjs').Case} spec @returns {Promise<import('./server.mjs').Running>} */
export function startUwsServer(uws, spec) {
  const compression = {
    fresh: uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR,
    takeover: uws.DEDICATED_COMPRESSOR_32KB | uws.DEDICATED_DECOMPRESSOR_32KB,
  };
  const compresses = spec.deflate !== false;
  /** @type {Set<any>} */ const open = new Set();
  const app = uws.App();

  function toAll(/** @type {any} */ message, /** @type {boolean} */ isBinary) {
    if (spec.usesBroadcastMethod) app.publish(TOPIC, message, isBinary, compresses);
    else for (const socket of open) socket.send(message, isBinary, compresses);
  }

  app.ws('/*', {
    idleTimeout: 0,
    // The defaults refuse messages of more than 16 KiB, and drop replies while 64 KiB wait.
    maxPayloadLength: 128 * 1024 * 1024,
    maxBackpressure: 1024 * 1024 * 1024,
    compression: spec.deflate === false ? uws.DISABLED : compression[spec.deflate],
    open(/** @type {any} */ socket) {
      open.add(socket);
      if (spec.usesBroadcastMethod) socket.subscribe(TOPIC);
    },
    close: (/** @type {any} */ socket) => open.delete(socket),
    message(/** @type {any} */ socket, /** @type {any} */ message, /** @type {boolean} */ isBinary) {
      if (spec.kind === 'broadcast') toAll(message, isBinary);
      else socket.send(message, isBinary, compresses);
    },
  });
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (/** @type {any} */ token) => {
      if (!token) reject(new Error('uWebSockets.js could not listen'));
      else resolve({ port: uws.us_socket_local_port(token), connections: () => open.size });
    });
  });
}
