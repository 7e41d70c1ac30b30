// jsdom: the WebSocket that a page sees there is made of `ws`, events and close codes included.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { JSDOM } from 'jsdom';
import { WebSocketServer } from 'ws';
import { exchange, pattern } from './exchange.mjs';

await exchange(['jsdom'], async (done) => {
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (offered) => [...offered][1],
  });
  await once(wss, 'listening');
  const requests = [];
  wss.on('connection', (socket, request) => {
    requests.push(request.headers);
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'close me') socket.close(4001, 'as asked');
      else socket.send(data, { binary: isBinary });
    });
  });
  const url = `ws://127.0.0.1:${wss.address().port}/`;
  const { window } = new JSDOM('', { url: 'http://page.test/', runScripts: 'outside-only' });
  const event = (target, type) =>
    new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

  const socket = new window.WebSocket(url, ['a', 'b']);
  await event(socket, 'open');
  assert.equal(socket.protocol, 'b');
  assert.equal(requests[0].origin, 'http://page.test');
  done('open with origin and subprotocol');

  socket.send('naïve ☃');
  assert.equal((await event(socket, 'message')).data, 'naïve ☃');
  socket.binaryType = 'arraybuffer';
  const { ArrayBuffer: PageBuffer, Uint8Array: PageBytes } = window;
  socket.send(PageBytes.from(pattern(70_000)));
  const { data } = await event(socket, 'message');
  assert.ok(data instanceof PageBuffer || data instanceof ArrayBuffer);
  assert.ok(Buffer.from(new Uint8Array(data)).equals(pattern(70_000)));
  done('text and binary');

  const closed = event(socket, 'close');
  socket.send('close me');
  const { code, reason, wasClean } = await closed;
  assert.deepEqual([code, reason, wasClean], [4001, 'as asked', true]);
  done('close of the server');

  const second = new window.WebSocket(url);
  await event(second, 'open');
  const [serverEnd] = [...wss.clients].slice(-1);
  const seen = once(serverEnd, 'close');
  second.close(3000, 'bye');
  const [codeSeen, reasonSeen] = await seen;
  assert.deepEqual([codeSeen, String(reasonSeen)], [3000, 'bye']);
  done('close of the page');

  wss.close();
  const failed = new window.WebSocket(url);
  await event(failed, 'error');
  done('failed connection');
  window.close();
});
