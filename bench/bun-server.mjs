// The server of Bun, as its documentation has it: `Bun.serve` with `server.upgrade`. Runs inside Bun only.

const TOPIC = 'all';
/** `shared` is what Bun calls "no context takeover": one compressor for all connections. */
const DEFLATE_OPTIONS = {
  fresh: { compress: 'shared', decompress: 'shared' },
  takeover: { compress: '32KB', decompress: '32KB' },
};

/**
 * @param {import('./cases.mjs').Case} spec
 * @param {{ key: Buffer, cert: Buffer } | null} tls
 */
export function startBunServer(spec, tls) {
  const compresses = spec.deflate !== false;
  const isBroadcast = spec.kind === 'broadcast';
  /** @type {Set<any>} */ const open = new Set();

  function toAll(/** @type {string | Buffer} */ message) {
    if (spec.usesBroadcastMethod) server.publish(TOPIC, message, compresses);
    else for (const socket of open) socket.send(message, compresses);
  }

  const server = globalThis.Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    ...(tls === null ? {} : { tls }),
    fetch: (/** @type {Request} */ request, /** @type {any} */ self) =>
      self.upgrade(request) ? undefined : new Response('expected a WebSocket', { status: 426 }),
    websocket: {
      idleTimeout: 0,
      // The defaults refuse messages of more than 16 MiB, and drop replies while 16 MiB wait.
      maxPayloadLength: 128 * 1024 * 1024,
      backpressureLimit: 1024 * 1024 * 1024,
      perMessageDeflate: spec.deflate === false ? false : DEFLATE_OPTIONS[spec.deflate],
      open(/** @type {any} */ socket) {
        open.add(socket);
        if (isBroadcast && spec.usesBroadcastMethod) socket.subscribe(TOPIC);
      },
      close(/** @type {any} */ socket) {
        open.delete(socket);
      },
      message: isBroadcast
        ? (/** @type {any} */ _socket, /** @type {any} */ message) => toAll(message)
        : (/** @type {any} */ socket, /** @type {any} */ message) => socket.send(message, compresses),
    },
  });
  return { port: server.port, connections: () => open.size };
}
