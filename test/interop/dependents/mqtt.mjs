// mqtt.js as a client over WebSocket, and the broker aedes behind createWebSocketStream.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { exchange, listen, pattern } from './exchange.mjs';

await exchange(['mqtt'], async (done) => {
  const broker = await Aedes.createBroker();
  const httpServer = http.createServer();
  const wss = new WebSocketServer({ server: httpServer, perMessageDeflate: true });
  const subprotocols = [];
  wss.on('connection', (socket, request) => {
    subprotocols.push(socket.protocol);
    broker.handle(createWebSocketStream(socket), request);
  });
  const url = `ws://127.0.0.1:${await listen(httpServer)}`;
  const connect = (options) => mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });

  const publisher = await connect({
    clientId: 'publisher',
    will: { topic: 'gone/publisher', payload: Buffer.from('without a goodbye'), qos: 1, retain: false },
  });
  const subscriber = await connect({ clientId: 'subscriber', protocolVersion: 4 });
  assert.deepEqual(subprotocols, ['mqtt', 'mqtt']);
  done('connect');

  const [grant] = await subscriber.subscribeAsync('news/#', { qos: 2 });
  assert.deepEqual([grant.topic, grant.qos], ['news/#', 2]);
  done('subscribe');

  for (const qos of [0, 1, 2]) {
    const message = once(subscriber, 'message');
    await publisher.publishAsync(`news/${qos}`, `with QoS ${qos}`, { qos });
    const [topic, payload, packet] = await message;
    assert.deepEqual([topic, String(payload), packet.qos], [`news/${qos}`, `with QoS ${qos}`, qos]);
  }
  done('publish with QoS 0, 1 and 2');

  const large = once(subscriber, 'message');
  await publisher.publishAsync('news/large', pattern(1 << 20), { qos: 1 });
  assert.ok((await large)[1].equals(pattern(1 << 20)));
  done('1 MiB');

  const burst = [];
  const whole = new Promise((resolve) => {
    subscriber.on('message', (_topic, payload) => burst.push(Number(payload)) === 1000 && resolve());
  });
  await Promise.all(
    Array.from({ length: 1000 }, (_, i) => publisher.publishAsync('news/n', `${i}`, { qos: 1 })),
  );
  await whole;
  assert.deepEqual(
    burst,
    Array.from({ length: 1000 }, (_, i) => i),
  );
  subscriber.removeAllListeners('message');
  done('1000 messages in order');

  await publisher.publishAsync('kept', 'retained', { qos: 1, retain: true });
  const kept = once(subscriber, 'message');
  await subscriber.subscribeAsync('kept');
  assert.equal(String((await kept)[1]), 'retained');
  done('retained message');

  await subscriber.subscribeAsync('gone/+', { qos: 1 });
  const will = once(subscriber, 'message');
  publisher.stream.destroy();
  assert.equal(String((await will)[1]), 'without a goodbye');
  done('will of a client that vanishes');

  const [serverEnd] = wss.clients;
  const closed = once(serverEnd, 'close');
  await subscriber.endAsync();
  await closed;
  await publisher.endAsync(true);
  wss.close();
  broker.close();
  httpServer.close();
  done('end');
});
