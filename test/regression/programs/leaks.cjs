// Many short connections, then a look at what is left of them: sockets and timers of the process, listeners, memory.
const http = require('node:http');
const { WebSocket, WebSocketServer, parameters, turn, once, heldBytes, report } = require('./program.cjs');

const { count, batch, own, abrupt } = parameters;

function inventory(wss, server) {
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  const listeners = {};
  for (const [name, emitter] of Object.entries({ wss, server, process })) {
    for (const event of emitter.eventNames())
      listeners[`${name} ${String(event)}`] = emitter.listenerCount(event);
  }
  return { resources, listeners, clients: wss.clients.size };
}

/** Connects, has a message echoed, and closes one way or another. */
async function visit(url, number) {
  const client = new WebSocket(url, { closeTimeout: 5000, heartbeat: { intervalMs: 60_000 } });
  client.on('error', () => {});
  const closed = once(client, 'close');
  await once(client, 'open');
  client.send(`message ${number}`);
  await once(client, 'message');
  if (abrupt && number % 3 === 0) client.terminate();
  else if (abrupt && number % 3 === 1) client._socket.destroy();
  else client.close(1000);
  await closed;
}

async function visits(url, total) {
  for (let done = 0; done < total; done += batch) {
    await Promise.all(Array.from({ length: batch }, (_, i) => visit(url, done + i)));
  }
}

(async () => {
  const server = own ? undefined : http.createServer();
  if (server) server.listen(0, '127.0.0.1');
  const options = { heartbeat: { intervalMs: 60_000 }, closeTimeout: 5000 };
  const wss = new WebSocketServer(
    server ? { ...options, server } : { ...options, port: 0, host: '127.0.0.1' },
  );
  await once(wss, 'listening');
  const emitter = server ?? wss._server;
  let open = 0;
  let served = 0;
  wss.on('connection', (socket) => {
    open++;
    socket.on('message', (data) => {
      served++;
      socket.send(data);
    });
    socket.on('close', () => open--);
  });
  const url = `ws://127.0.0.1:${wss.address().port}`;
  const settle = async () => {
    while (open > 0) await turn();
    for (let i = 0; i < 50; i++) await turn();
  };

  // Until the engine has compiled and measured what runs: that takes a megabyte, whatever the number of connections.
  const warmUp = 20 * batch;
  await visits(url, warmUp);
  await settle();
  const before = { ...inventory(wss, emitter), held: await heldBytes() };
  await visits(url, count);
  await settle();
  const after = { ...inventory(wss, emitter), held: await heldBytes() };
  const { held: heldBefore, ...inventoryBefore } = before;
  const { held: heldAfter, ...inventoryAfter } = after;
  report({
    served: served - warmUp,
    before: inventoryBefore,
    after: inventoryAfter,
    growth: heldAfter - heldBefore,
  });
})();
