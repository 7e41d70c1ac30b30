// socket.io, server and client, over the WebSocket transport; then a client that begins with polling and upgrades.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { Sender } from 'ws';
import { exchange, listen, pattern } from './exchange.mjs';

await exchange(['socket.io', 'socket.io-adapter', 'socket.io-client'], async (done) => {
  const httpServer = http.createServer();
  const server = new Server(httpServer, { maxHttpBufferSize: 4 << 20 });
  const url = `http://127.0.0.1:${await listen(httpServer)}`;
  const connect = async (transports) => {
    const socket = io(url, { transports, forceNew: true });
    await once(socket, 'connect');
    return socket;
  };

  server.on('connection', (socket) => {
    socket.on('sum', (a, b, reply) => reply(a + b));
    socket.on('echo', (value, reply) => reply(value));
    socket.on('join', async (room, reply) => {
      await socket.join(room);
      reply();
    });
    socket.on('shout', (text) => socket.broadcast.emit('shout', text));
  });
  const [ann, ben, cem] = await Promise.all([1, 2, 3].map(() => connect(['websocket'])));
  assert.equal(ann.io.engine.transport.name, 'websocket');
  done('connect');

  assert.equal(await ann.emitWithAck('sum', 2, 3), 5);
  const [serverAnn] = [...server.sockets.sockets.values()].filter(({ id }) => id === ann.id);
  ann.on('question', (reply) => reply('answer'));
  assert.equal(await serverAnn.timeout(10_000).emitWithAck('question'), 'answer');
  done('acks both ways');

  const value = { text: 'naïve ☃', bytes: pattern(70_000), list: [Buffer.of(1), { deep: Buffer.alloc(0) }] };
  assert.deepEqual(await ann.emitWithAck('echo', value), value);
  const large = pattern(1 << 20);
  assert.ok(large.equals(await ben.emitWithAck('echo', large)));
  done('binary');

  const heard = Promise.all([once(ben, 'shout'), once(cem, 'shout')]);
  ann.on('shout', () => assert.fail('a broadcast came back to its sender'));
  ann.emit('shout', 'hello');
  assert.deepEqual(await heard, [['hello'], ['hello']]);
  done('broadcast');

  await Promise.all([ann.emitWithAck('join', 'room'), ben.emitWithAck('join', 'room')]);
  cem.on('news', () => assert.fail('a packet for a room came to a socket outside'));
  const news = Promise.all([once(ann, 'news'), once(ben, 'news')]);
  // The adapter frames a packet for a room once, with Sender.frame, and each socket writes these bytes unseen.
  const { frame } = Sender;
  let framed = 0;
  Sender.frame = (...args) => {
    framed++;
    return frame.apply(Sender, args);
  };
  serverAnn.conn.transport.socket.send = () => assert.fail('the packet was framed again');
  server.to('room').emit('news', 'one'.repeat(1000));
  assert.deepEqual(await news, [['one'.repeat(1000)], ['one'.repeat(1000)]]);
  assert.equal(framed, 1);
  delete serverAnn.conn.transport.socket.send;
  Sender.frame = frame;
  done('rooms, framed once');

  const upgrader = await connect(['polling', 'websocket']);
  if (upgrader.io.engine.transport.name !== 'websocket') await once(upgrader.io.engine, 'upgrade');
  assert.equal(upgrader.io.engine.transport.name, 'websocket');
  assert.equal(await upgrader.emitWithAck('echo', 'after the upgrade'), 'after the upgrade');
  done('upgrade from polling');

  const gone = once(serverAnn, 'disconnect');
  ann.disconnect();
  assert.equal((await gone)[0], 'client namespace disconnect');
  const ended = Promise.all([ben, cem, upgrader].map((socket) => once(socket, 'disconnect')));
  await server.close();
  await ended;
  for (const socket of [ben, cem, upgrader]) socket.disconnect();
  done('disconnect');
});
