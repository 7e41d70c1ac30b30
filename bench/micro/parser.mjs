// Cutting a chunk into frames: many small frames in one chunk, one frame, and the same bytes in pieces.
import { compare, explain, loadOptional, loadWire, someBytes } from './suite.mjs';

const { FrameParser } = loadWire('frame-parser');
const { frameHeaderLength, writeFrameHeader } = loadWire('frame-writer');
const Receiver = loadOptional('ws')?.Receiver;

explain(
  'parser',
  'Chunks into frames. FrameParser: hawser, which unmasks what lies whole in a chunk; in pieces of 1000 B the parts of larger\n' +
    'frames are passed on masked. A walk: the least that finds the payloads, without a mask or a rule. Receiver: ws, which\n' +
    'unmasks too, and emits a message for each frame.',
);

let payloads = 0;
let payloadBytes = 0;
const handler = {
  onHeader: () => true,
  onPayload(/** @type {Uint8Array} */ _bytes, /** @type {number} */ start, /** @type {number} */ end) {
    payloads++;
    payloadBytes += end - start;
  },
  onPayloadPart(
    /** @type {Uint8Array} */ _bytes,
    /** @type {number} */ start,
    /** @type {number} */ end,
    /** @type {number} */ _key,
    /** @type {number} */ remaining,
  ) {
    if (remaining === 0) payloads++;
    payloadBytes += end - start;
  },
};

/** @param {number} size @param {number} count */
function maskedFrames(size, count) {
  const frames = [];
  for (let i = 0; i < count; i++) {
    const header = new Uint8Array(frameHeaderLength(size, true));
    writeFrameHeader(header, 0, 0x82, size, true, 0x3d21fa37 + i);
    frames.push(header, someBytes(size));
  }
  return Buffer.concat(frames);
}

/** Headers and lengths, nothing else. @param {Buffer} chunk */
function walk(chunk) {
  for (let at = 0; at < chunk.length; ) {
    const short = chunk.readUInt8(at + 1) & 0x7f;
    const headerLength = short < 126 ? 6 : short === 126 ? 8 : 14;
    const length =
      short < 126
        ? short
        : short === 126
          ? chunk.readUInt16BE(at + 2)
          : Number(chunk.readBigUInt64BE(at + 2));
    payloads++;
    payloadBytes += length;
    at += headerLength + length;
  }
}

function receiverOfWs() {
  const receiver = new Receiver({ isServer: true, skipUTF8Validation: true });
  receiver.on('message', (/** @type {Buffer} */ data) => {
    payloads++;
    payloadBytes += data.length;
  });
  return receiver;
}

for (const [size, count] of /** @type {const} */ ([
  [0, 64],
  [64, 1],
  [64, 64],
  [1024, 16],
  [65_536, 1],
])) {
  const chunk = maskedFrames(size, count);
  /** @type {Buffer[]} */ const pieces = [];
  for (let at = 0; at < chunk.length; at += 1000) pieces.push(chunk.subarray(at, at + 1000));
  const whole = new FrameParser(handler);
  const inPieces = new FrameParser(handler);
  whole.push(chunk);
  if (payloads !== count || payloadBytes !== count * size) throw new Error('the parser lost a frame');
  const receiver = Receiver && receiverOfWs();
  await compare(`${count} masked frames of ${size} B`, chunk.length, {
    'FrameParser, one chunk': () => whole.push(chunk),
    'FrameParser, pieces of 1000 B': () => {
      for (const piece of pieces) inPieces.push(piece);
    },
    'a walk over whole frames': () => walk(chunk),
    'Receiver of ws, one chunk': receiver && (() => receiver.write(chunk)),
  });
  payloads = 0;
  payloadBytes = 0;
}
