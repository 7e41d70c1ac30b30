// express with express-ws, which sends the upgrade through the router of express.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import express from 'express';
import expressWs from 'express-ws';
import WebSocket from 'ws';
import { exchange } from './exchange.mjs';

await exchange(['express-ws'], async (done) => {
  const errors = [];
  const { app, getWss } = expressWs(express(), undefined, { wsOptions: { maxPayload: 1024 } });
  app.use((request, _response, next) => {
    request.visitor = request.headers['x-visitor'] ?? 'stranger';
    next();
  });
  app.ws('/echo/:name', (socket, request) => {
    socket.on('error', (error) => errors.push(error.code));
    socket.on('message', (text) => socket.send(`${request.params.name}, ${request.visitor}: ${text}`));
  });
  app.get('/plain', (_request, response) => response.send('over HTTP'));
  const httpServer = app.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  const address = `127.0.0.1:${httpServer.address().port}`;

  const client = new WebSocket(`ws://${address}/echo/ann`, { headers: { 'X-Visitor': 'ben' } });
  await once(client, 'open');
  client.send('hi');
  assert.equal(String((await once(client, 'message'))[0]), 'ann, ben: hi');
  done('route with middleware and parameter');

  assert.equal(await (await fetch(`http://${address}/plain`)).text(), 'over HTTP');
  done('HTTP beside it');

  assert.equal(getWss().clients.size, 1);
  for (const socket of getWss().clients) socket.send('to all');
  assert.equal(String((await once(client, 'message'))[0]), 'to all');
  done('clients of the server');

  const lost = new WebSocket(`ws://${address}/nowhere`);
  const [code] = await once(lost, 'close');
  assert.equal(code, 1005);
  done('path without a route');

  client.send('x'.repeat(1025));
  assert.equal((await once(client, 'close'))[0], 1009);
  assert.deepEqual(errors, ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
  done('message above the limit');
  getWss().close();
  httpServer.close();
});
