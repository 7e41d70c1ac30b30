// A self-checking tour of one loaded package, for every Node.js line: both roles, both module systems. `api` is the
// WebSocket class with the rest as its properties; `isHawser` adds what `ws` has not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';

function pattern(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

async function pair(WebSocket, serverOptions = {}, clientOptions = {}) {
  const wss = new WebSocket.WebSocketServer({ port: 0, host: '127.0.0.1', ...serverOptions });
  await once(wss, 'listening');
  const connection = once(wss, 'connection');
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}/`, clientOptions);
  const [[server]] = await Promise.all([connection, once(client, 'open')]);
  return { wss, client, server };
}

function echo(socket) {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
}

const STEPS = {
  async echo(WebSocket) {
    const { wss, client, server } = await pair(WebSocket);
    echo(server);
    for (const length of [0, 1, 23, 24, 125, 126, 65_535, 65_536, 1 << 20]) {
      client.send(pattern(length));
      const [binary, isBinary] = await once(client, 'message');
      assert.ok(isBinary && binary.equals(pattern(length)), `${length} bytes`);
      client.send('ü'.repeat(length));
      const [text, isText] = await once(client, 'message');
      assert.ok(!isText && text.toString() === 'ü'.repeat(length), `${length} characters`);
    }
    client.ping('ping');
    assert.equal(String((await once(client, 'pong'))[0]), 'ping');
    wss.close();
    client.terminate();
  },

  async deflate(WebSocket) {
    for (const isKept of [true, false]) {
      const perMessageDeflate = {
        threshold: 0,
        serverNoContextTakeover: !isKept,
        clientNoContextTakeover: !isKept,
      };
      const { wss, client, server } = await pair(WebSocket, { perMessageDeflate });
      assert.equal(client.extensions, 'permessage-deflate');
      echo(server);
      const received = [];
      client.on('message', (data) => received.push(data));
      const sent = [0, 1, 1000, 1000, 70_000, 1 << 20].map(pattern);
      for (const bytes of sent) client.send(bytes);
      while (received.length < sent.length) await once(client, 'message');
      assert.ok(sent.every((bytes, i) => bytes.equals(received[i])));
      wss.close();
      client.terminate();
    }
  },

  async stream(WebSocket) {
    const { wss, client, server } = await pair(WebSocket);
    const back = WebSocket.createWebSocketStream(server);
    back.pipe(back);
    const stream = WebSocket.createWebSocketStream(client);
    stream.end(pattern(3 << 20));
    assert.ok(Buffer.concat(await stream.toArray()).equals(pattern(3 << 20)));
    wss.close();
  },

  async close(WebSocket) {
    for (const side of ['client', 'server']) {
      const ends = await pair(WebSocket);
      const closes = Promise.all([once(ends.client, 'close'), once(ends.server, 'close')]);
      ends[side].close(4001, 'enough');
      const [[clientCode], [serverCode]] = await closes;
      assert.deepEqual([clientCode, serverCode], [4001, 4001]);
      ends.wss.close();
      await once(ends.wss, 'close');
    }
  },

  async 'server of the user'(WebSocket) {
    const httpServer = http.createServer((_request, response) => response.end('over HTTP'));
    const wss = new WebSocket.WebSocketServer({ noServer: true });
    httpServer.on('upgrade', (request, socket, head) => {
      wss.handleUpgrade(request, socket, head, (webSocket) => webSocket.send(request.url));
    });
    httpServer.listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    const { port } = httpServer.address();
    const client = new WebSocket(`ws://127.0.0.1:${port}/path?query`);
    assert.equal(String((await once(client, 'message'))[0]), '/path?query');
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'over HTTP');
    client.close();
    await once(client, 'close');
    httpServer.close();
    httpServer.closeAllConnections();
  },

  async 'global WebSocket as client'(WebSocket) {
    if (globalThis.WebSocket === undefined) return 'this Node has none';
    const wss = new WebSocket.WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
    await once(wss, 'listening');
    wss.on('connection', echo);
    const client = new globalThis.WebSocket(`ws://127.0.0.1:${wss.address().port}/`);
    client.binaryType = 'arraybuffer';
    const event = (type) => new Promise((resolve) => client.addEventListener(type, resolve, { once: true }));
    await event('open');
    for (const length of [0, 125, 126, 65_535, 65_536, 1 << 20]) {
      const echoed = event('message');
      client.send(pattern(length));
      assert.ok(Buffer.from((await echoed).data).equals(pattern(length)), `${length} bytes`);
    }
    const closed = event('close');
    client.close(3000, 'bye');
    const { code, wasClean } = await closed;
    assert.deepEqual([code, wasClean], [3000, true]);
    wss.close();
  },
};

const HAWSER_STEPS = {
  async 'async iterator'(WebSocket) {
    const { wss, client, server } = await pair(WebSocket);
    for (let i = 0; i < 50; i++) client.send(i % 2 ? `${i}` : pattern(i));
    client.close();
    const seen = [];
    for await (const { data, isBinary } of server) seen.push([data.length, isBinary]);
    const sent = Array.from({ length: 50 }, (_, i) => (i % 2 ? [`${i}`.length, false] : [i, true]));
    assert.deepEqual(seen, sent);
    wss.close();
  },

  async 'all sockets read into one block'(WebSocket) {
    const ends = [await pair(WebSocket), await pair(WebSocket)];
    const sockets = ends.flatMap(({ client, server }) => [client, server]);
    const blocks = [];
    for (const webSocket of sockets) {
      const handle = webSocket._socket._handle;
      const { useUserBuffer } = handle;
      handle.useUserBuffer = (block) => {
        blocks.push(block);
        return useUserBuffer.call(handle, block);
      };
    }
    for (const { client, server } of ends) {
      echo(client);
      echo(server);
    }
    for (const [i, { client }] of ends.entries()) client.send(Buffer.alloc(100_000, i));
    // To and fro, until each of the sockets has read more than once.
    const counts = sockets.map(() => 0);
    await new Promise((resolve, reject) => {
      sockets.forEach((webSocket, i) => {
        webSocket.on('message', (data) => {
          if (!data.equals(Buffer.alloc(100_000, i >> 1))) reject(new Error(`wrong bytes at socket ${i}`));
          counts[i]++;
          if (counts.every((count) => count > 5)) resolve();
        });
      });
    });
    assert.equal(blocks.length, sockets.length);
    assert.equal(new Set(blocks).size, 1);
    for (const { client, wss } of ends) {
      wss.close();
      client.terminate();
    }
  },

  async 'sent, broadcast and close of all'(WebSocket) {
    const { wss, client, server } = await pair(WebSocket);
    const first = once(client, 'message');
    await server.sent('first');
    assert.equal(String((await first)[0]), 'first');
    const second = once(client, 'message');
    wss.broadcast('to all');
    assert.equal(String((await second)[0]), 'to all');
    const closed = once(client, 'close');
    await wss.close({ code: 1012, timeoutMs: 10_000 });
    assert.equal((await closed)[0], 1012);
  },
};

/** Runs every step and prints what was done, one line of JSON. */
export async function tour(WebSocket, { isHawser, system }) {
  const done = {};
  for (const [name, step] of Object.entries({ ...STEPS, ...(isHawser && HAWSER_STEPS) })) {
    done[name] = (await step(WebSocket)) ?? 'done';
  }
  console.log(JSON.stringify({ node: process.versions.node.split('.')[0], system, done }));
}
