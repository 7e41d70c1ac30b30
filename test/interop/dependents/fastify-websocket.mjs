// fastify with @fastify/websocket: routes, hooks before the upgrade, a stream over the socket, and injectWS, which
// makes a client of a bare `new WebSocket(null)` on a Duplex.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fastifyWebSocket from '@fastify/websocket';
import Fastify from 'fastify';
import WebSocket, { createWebSocketStream, WebSocketServer } from 'ws';
import { exchange, pattern } from './exchange.mjs';

await exchange(['@fastify/websocket'], async (done) => {
  const app = Fastify();
  const handlerErrors = [];
  await app.register(fastifyWebSocket, {
    // The server's end of an injected pair never sees the end of its stream: only this timeout closes it.
    options: { maxPayload: 2 << 20, perMessageDeflate: true, closeTimeout: 500 },
    errorHandler(error, socket) {
      handlerErrors.push(error.message);
      socket.close(1011, 'handler failed');
    },
  });
  app.addHook('preValidation', async (request, reply) => {
    if (request.query.token === 'wrong') await reply.code(401).send('not you');
  });
  const echo = (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  };
  app.get('/echo', { websocket: true }, echo);
  app.get('/both', {
    handler: async () => 'over HTTP',
    wsHandler: (socket) => socket.send('over WebSocket'),
  });
  app.get('/stream', { websocket: true }, (socket) => {
    const stream = createWebSocketStream(socket);
    stream.pipe(stream);
  });
  app.get('/fails', { websocket: true }, () => {
    throw new Error('on purpose');
  });
  const origin = (await app.listen({ port: 0, host: '127.0.0.1' })).replace('http', 'ws');
  assert.ok(app.websocketServer instanceof WebSocketServer);

  const client = new WebSocket(`${origin}/echo`);
  await once(client, 'open');
  assert.equal(client.extensions, 'permessage-deflate');
  client.send('text');
  assert.deepEqual(await once(client, 'message'), [Buffer.from('text'), false]);
  client.send(pattern(1 << 20));
  const [large, isBinary] = await once(client, 'message');
  assert.ok(isBinary && large.equals(pattern(1 << 20)));
  done('echo');

  const both = new WebSocket(`${origin}/both`);
  assert.equal(String((await once(both, 'message'))[0]), 'over WebSocket');
  assert.equal(await (await fetch(`${origin.replace('ws', 'http')}/both`)).text(), 'over HTTP');
  done('one route, HTTP and WebSocket');

  const refused = new WebSocket(`${origin}/echo?token=wrong`);
  const [error] = await once(refused, 'error');
  assert.equal(error.message, 'Unexpected server response: 401');
  const lost = new WebSocket(`${origin}/nowhere`);
  assert.equal((await once(lost, 'error'))[0].message, 'Unexpected server response: 404');
  done('refused before the upgrade');

  const piped = createWebSocketStream(new WebSocket(`${origin}/stream`));
  piped.end(pattern(300_000));
  const chunks = await piped.toArray();
  assert.ok(Buffer.concat(chunks).equals(pattern(300_000)));
  done('stream');

  const failing = new WebSocket(`${origin}/fails`);
  const [code, reason] = await once(failing, 'close');
  assert.deepEqual([code, String(reason), handlerErrors], [1011, 'handler failed', ['on purpose']]);
  done('error handler');

  const injected = await app.injectWS('/echo');
  injected.send('injected');
  assert.equal(String((await once(injected, 'message'))[0]), 'injected');
  injected.send(pattern(70_000));
  assert.ok((await once(injected, 'message'))[0].equals(pattern(70_000)));
  injected.close(4000, 'enough');
  assert.equal((await once(injected, 'close'))[0], 4000);
  await assert.rejects(app.injectWS('/echo?token=wrong'), /Unexpected server response: 401/);
  let early;
  await app.injectWS('/both', {}, { onInit: (socket) => (early = once(socket, 'message')) });
  assert.equal(String((await early)[0]), 'over WebSocket');
  done('injectWS');

  const closed = once(client, 'close');
  await app.close();
  assert.equal((await closed)[0], 1005);
  done('close');
});
