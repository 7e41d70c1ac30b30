// A message that is small on the wire and enormous behind permessage-deflate.
const zlib = require('node:zlib');
const { parameters, once, listen, attack, write, report, heldBytes } = require('./program.cjs');

/** `megabytes` of zeros, as the payload of a compressed message, without ever being whole. */
async function bomb(megabytes) {
  const deflate = zlib.createDeflateRaw({ level: 9 });
  const chunks = [];
  deflate.on('data', (chunk) => chunks.push(chunk));
  const zeros = Buffer.alloc(1024 * 1024);
  for (let i = 0; i < megabytes; i++) await new Promise((resolve) => deflate.write(zeros, resolve));
  await new Promise((resolve) => deflate.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
  const bytes = Buffer.concat(chunks);
  deflate.close();
  return bytes.subarray(0, bytes.length - 4);
}

function header(first, length) {
  if (length < 126) return Buffer.from([first, 0x80 | length, 0, 0, 0, 0]);
  if (length < 65536) return Buffer.from([first, 0xfe, length >> 8, length & 255, 0, 0, 0, 0]);
  const bytes = Buffer.alloc(14);
  bytes[0] = first;
  bytes[1] = 0xff;
  bytes.writeUInt32BE(length, 6);
  return bytes;
}

(async () => {
  const { megabytes, maxPayload, fragments = 1 } = parameters;
  const payload = await bomb(megabytes);
  const wss = await listen({ perMessageDeflate: true, maxPayload });
  const { socket, raw, response } = await attack(wss, 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
  const agreed = /permessage-deflate/.test(response);
  raw.resume();
  const before = process.memoryUsage().rss;
  const heldBefore = await heldBytes();
  let most = 0;
  const sample = () => {
    const { rss } = process.memoryUsage();
    most = Math.max(most, rss - before);
  };
  const sampling = setInterval(sample, 1);
  let messages = 0;
  socket.on('message', () => messages++);
  let error;
  socket.on('error', (reason) => {
    error = reason;
  });
  const closed = once(socket, 'close');
  const size = Math.ceil(payload.length / fragments);
  for (let i = 0; i < fragments; i++) {
    const part = payload.subarray(i * size, (i + 1) * size);
    const first = (i === 0 ? 0x42 : 0) | (i === fragments - 1 ? 0x80 : 0);
    await write(raw, Buffer.concat([header(first, part.length), part]));
  }
  while (error === undefined) await new Promise((resolve) => setImmediate(resolve));
  sample();
  raw.end();
  const [code] = await closed;
  clearInterval(sampling);
  const held = (await heldBytes()) - heldBefore;
  report({
    agreed,
    messages,
    error: error.code,
    told: error.closeCode,
    code,
    wire: payload.length,
    most,
    held,
  });
})();
