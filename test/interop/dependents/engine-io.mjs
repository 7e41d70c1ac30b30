// engine.io, server and client, with permessage-deflate on both sides and the server's limit on a message.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Server } from 'engine.io';
import { Socket } from 'engine.io-client';
import { WebSocketServer } from 'ws';
import { exchange, listen, pattern } from './exchange.mjs';

await exchange(['engine.io', 'engine.io-client'], async (done) => {
  const httpServer = http.createServer();
  const server = new Server({ perMessageDeflate: { threshold: 0 }, maxHttpBufferSize: 2 << 20 });
  server.attach(httpServer);
  assert.ok(server.ws instanceof WebSocketServer);
  const url = `ws://127.0.0.1:${await listen(httpServer)}`;
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const connect = async () => {
    const client = new Socket(url, { transports: ['websocket'], perMessageDeflate: { threshold: 0 } });
    await once(client, 'open');
    return client;
  };

  const client = await connect();
  assert.match(client.transport.ws.extensions, /permessage-deflate/);
  done('connect with permessage-deflate');

  for (const text of ['a', 'ü'.repeat(100), 'x'.repeat(65_536), 'y'.repeat(1 << 20)]) {
    client.send(text);
    assert.deepEqual(await once(client, 'message'), [text]);
  }
  done('text');

  for (const length of [0, 1, 125, 126, 65_535, 65_536, 1 << 20]) {
    client.send(pattern(length));
    const [bytes] = await once(client, 'message');
    assert.ok(pattern(length).equals(bytes), `${length} bytes`);
  }
  done('binary');

  const large = await connect();
  const closed = once(large, 'close');
  large.send('z'.repeat((2 << 20) + 1));
  const [reason, details] = await closed;
  assert.deepEqual([reason, details.context.code], ['transport close', 1009]);
  done('message above the limit');

  const end = once(client, 'close');
  server.close();
  assert.equal((await end)[0], 'transport close');
  httpServer.close();
  done('close');
});
