// What the programs share: hawser's classes, an attacker over node:net, and the memory that is really held.
const crypto = require('node:crypto');
const net = require('node:net');
const { join } = require('node:path');
const v8 = require('node:v8');
const vm = require('node:vm');

const { WebSocket } = require(join(process.env.COMPILED, 'ws', 'websocket.js'));
const { WebSocketServer } = require(join(process.env.COMPILED, 'ws', 'websocket-server.js'));

const parameters = JSON.parse(process.env.PARAMETERS || '{}');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

const turn = () => new Promise((resolve) => setImmediate(resolve));
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

/** Bytes that survive a garbage collection, on the heap and outside of it. */
async function heldBytes() {
  for (let i = 0; i < 3; i++) {
    await turn();
    gc();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A masked frame with the key 0. */
function frame(first, payload = '') {
  const body = Buffer.from(payload);
  const length = body.length;
  const header =
    length < 126
      ? Buffer.from([first, 0x80 | length])
      : Buffer.from([first, 0xfe, length >> 8, length & 255]);
  return Buffer.concat([header, Buffer.alloc(4), body]);
}

async function listen(options = {}) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(wss, 'listening');
  return wss;
}

/** A connection that is upgraded: the server's end, and the raw socket. `headers` are lines with their ends. */
async function attack(wss, headers = '') {
  const raw = net.connect(wss.address().port, '127.0.0.1');
  raw.on('error', () => {});
  const key = crypto.randomBytes(16).toString('base64');
  raw.write(
    `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`,
  );
  const [[socket]] = await Promise.all([once(wss, 'connection'), once(raw, 'readable')]);
  const response = raw.read().toString('latin1');
  return { socket, raw, response };
}

/** Writes and waits until there is room for more, or nobody is there any more. */
async function write(raw, bytes) {
  if (raw.destroyed || raw.write(bytes)) return;
  await new Promise((resolve) => {
    const done = () => {
      raw.off('drain', done);
      raw.off('close', done);
      resolve();
    };
    raw.on('drain', done);
    raw.on('close', done);
  });
}

/** Writes `count` times the same bytes, many at once. */
async function flood(raw, bytes, count) {
  const batch = 5000;
  const many = Buffer.concat(Array(batch).fill(bytes));
  for (let sent = 0; sent < count && !raw.destroyed; sent += batch) await write(raw, many);
}

/** Waits until the socket of the server's end has read so many bytes, or is gone. */
async function untilRead(socket, bytes) {
  while (socket._socket.bytesRead < bytes && !socket._socket.destroyed) await turn();
}

function report(result) {
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

module.exports = {
  WebSocket,
  WebSocketServer,
  parameters,
  turn,
  once,
  heldBytes,
  frame,
  listen,
  attack,
  write,
  flood,
  untilRead,
  report,
};
