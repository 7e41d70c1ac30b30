// permessage-deflate of one message without context takeover: what the build under test uses for it, against the
// functions of node:zlib for a whole buffer and against ws.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { compare, explain, loadBuilt, loadInsideWs } from './suite.mjs';

const { createDeflater, createInflater } = loadBuilt('io/zlib');
const PerMessageDeflate = loadInsideWs('permessage-deflate');

explain(
  'deflate',
  'One JSON message, compressed and decompressed. createDeflater, createInflater: hawser as its connections use it; *RawSync: a\n' +
    'new zlib stream for each message; PerMessageDeflate: ws, through the thread pool: its time is latency, not CPU time alone.',
);

const AGREED = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** JSON as a feed of prices would send it. @param {number} size */
function json(size) {
  let text = '[';
  for (let i = 0; text.length < size; i++) {
    const price = ((i * 7919) % 100_000) / 100;
    text += `{"id":${1000 + i},"symbol":"S${(i * 31) % 97}","price":${price},"open":${i % 3 === 0}},`;
  }
  return Buffer.from(text.slice(0, size));
}

function deflateOfWs() {
  const deflate = new PerMessageDeflate({ threshold: 0, isServer: true });
  deflate.accept([{ server_no_context_takeover: [true], client_no_context_takeover: [true] }]);
  /** @param {'compress' | 'decompress'} direction @param {Buffer} payload */
  return (direction, payload) =>
    new Promise((resolve, reject) => {
      const done = (/** @type {Error | null} */ error, /** @type {Buffer} */ bytes) =>
        error ? reject(error) : resolve(bytes);
      deflate[direction](payload, true, done);
    });
}

for (const size of [250, 1024, 16_384]) {
  const message = json(size);
  const deflater = createDeflater(AGREED, 'server');
  const inflater = createInflater(AGREED, 'server');
  const ws = PerMessageDeflate && deflateOfWs();
  const compressed = Buffer.from(await deflater.deflate(message, true, true));
  const compressedWithTail = Buffer.concat([compressed, TAIL]);
  const restored = await inflater.inflate(compressed, 0);
  if (!message.equals(restored)) throw new Error('the message did not come back');
  const others = deflateRawSync(message, FLUSH).length - TAIL.length;

  await compare(`compress ${size} B to ${compressed.length} B (node:zlib: ${others} B)`, size, {
    createDeflater: () => deflater.deflate(message, true, true),
    deflateRawSync: () => deflateRawSync(message, FLUSH),
    'PerMessageDeflate of ws': ws && (() => ws('compress', message)),
  });
  await compare(`decompress ${size} B from ${compressed.length} B`, size, {
    createInflater: () => inflater.inflate(compressed, 0),
    inflateRawSync: () => inflateRawSync(compressedWithTail, FLUSH),
    'PerMessageDeflate of ws': ws && (() => ws('decompress', compressed)),
  });
}
