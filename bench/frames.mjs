// The bytes of a case, built once before anything is measured: masked request frames, and the reply frames
// that a correct server sends back (RFC 6455 §5.2, §5.3; RFC 7692 §7.2.1). Written apart from hawser on
// purpose: an instrument must not share code with what it measures. Everything is drawn from a fixed seed, so
// each process builds the same bytes.
import { constants, createDeflateRaw, inflateRawSync } from 'node:zlib';

const FIN = 0x80;
const RSV1 = 0x40;
const MASK = 0x80;
const TEXT = 1;
const BINARY = 2;
/** What RFC 7692 §7.2.1 removes from the end of a compressed message, and §7.2.2 puts back. */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Everything is drawn from it, in each process alike. */
const SEED = 0x2545f491;

/**
 * @typedef {object} Exchange
 * @property {Buffer[]} messages what the frames of the reply carry, uncompressed
 * @property {Buffer} request one block of frames, masked when a server is under test
 * @property {number[]} requestEnds where each of its frames ends
 * @property {Buffer} reply what comes back, masked when a client is under test
 * @property {number[]} replyEnds which part of the reply is due when a frame of the request has arrived
 * @property {number} counted how many messages of the case such a block stands for
 */

/** xorshift32: small, and the same on every machine. @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** @param {number} size @param {() => number} random */
function binaryPayload(size, random) {
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = random() & 0xff;
  return bytes;
}

/** @param {number} size @param {() => number} random */
function textPayload(size, random) {
  const foreign = ['é', 'ß', 'Ж', '語', '€', '🚀'];
  let text = '';
  let bytes = 0;
  while (bytes < size) {
    const next =
      random() % 16 === 0 ? foreign[random() % foreign.length] : String.fromCharCode(97 + (random() % 26));
    const room = size - bytes;
    const character = Buffer.byteLength(/** @type {string} */ (next)) <= room ? next : 'x';
    text += character;
    bytes += Buffer.byteLength(/** @type {string} */ (character));
  }
  return Buffer.from(text);
}

/**
 * Records such as a chat or a ticker sends, padded to the exact size.
 *
 * @param {number} size
 * @param {() => number} random
 */
function jsonPayload(size, random) {
  const names = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
  const record = () => ({
    id: random() % 1_000_000,
    user: names[random() % names.length],
    at: 1_700_000_000_000 + (random() % 1_000_000_000),
    price: (random() % 1_000_000) / 100,
    tags: [`t${random() % 50}`, `t${random() % 50}`],
    active: random() % 2 === 0,
  });
  const records = [record()];
  const textOf = (/** @type {string} */ padding) => JSON.stringify({ type: 'update', records, padding });
  while (textOf('').length + 130 < size) records.push(record());
  const missing = size - textOf('').length;
  if (missing < 0) throw new Error(`a JSON payload needs more than ${size} bytes`);
  return Buffer.from(textOf('x'.repeat(missing)));
}

/** One frame. @param {number} first @param {Buffer} payload @param {Buffer | null} maskingKey */
export function frame(first, payload, maskingKey) {
  const length = payload.length;
  const lengthBytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const headerLength = 2 + lengthBytes + (maskingKey === null ? 0 : 4);
  const bytes = Buffer.allocUnsafe(headerLength + length);
  bytes[0] = first;
  bytes[1] = (maskingKey === null ? 0 : MASK) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) bytes.writeUInt16BE(length, 2);
  if (lengthBytes === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  payload.copy(bytes, headerLength);
  if (maskingKey !== null) {
    maskingKey.copy(bytes, headerLength - 4);
    for (let i = 0; i < length; i++) {
      const at = headerLength + i;
      bytes[at] = /** @type {number} */ (bytes[at]) ^ /** @type {number} */ (maskingKey[i & 3]);
    }
  }
  return bytes;
}

/** Every message through one compressor, whose window is emptied after each one or not (RFC 7692 §7.1.1). */
export async function compressAll(/** @type {Buffer[]} */ messages, /** @type {boolean} */ keepsContext) {
  const compressor = createDeflateRaw();
  /** @type {Buffer[]} */ let chunks = [];
  compressor.on('data', (chunk) => chunks.push(chunk));
  const compressed = [];
  for (const message of messages) {
    chunks = [];
    await new Promise((resolve) => {
      compressor.write(message);
      compressor.flush(constants.Z_SYNC_FLUSH, () => resolve(undefined));
    });
    compressed.push(Buffer.concat(chunks).subarray(0, -TAIL.length));
    if (!keepsContext) compressor.reset();
  }
  compressor.close();
  return compressed;
}

/** @param {Buffer[]} frames */
function endsOf(frames) {
  let end = 0;
  return frames.map((bytes) => {
    end += bytes.length;
    return end;
  });
}

/** What a case is about, the same in each process. @param {import('./cases.mjs').Case} spec */
export function messagesOf(spec, random = generator(SEED)) {
  const make = { binary: binaryPayload, text: textPayload, json: jsonPayload }[spec.payload];
  return Array.from({ length: spec.depth }, () => make(spec.payloadBytes, random));
}

/** The message that asks a client for a block, and that tells of a block received. */
export const SIGNAL = Buffer.from([1]);

/**
 * Builds one block of frames for a case.
 *
 * With context takeover the block may be sent again and again: a back reference in DEFLATE is a distance, and
 * none in the block reaches before its own first frame.
 *
 * @param {import('./cases.mjs').Case} spec
 * @returns {Promise<Exchange>}
 */
export async function buildExchange(spec) {
  const random = generator(SEED);
  const messages = messagesOf(spec, random);
  if (spec.kind === 'client') return clientExchange(spec, messages, random);
  const payloads =
    spec.deflate === false ? messages : await compressAll(messages, spec.deflate === 'takeover');
  const first = FIN | (spec.deflate === false ? 0 : RSV1) | (spec.payload === 'binary' ? BINARY : TEXT);
  const requests = payloads.map((payload) => frame(first, payload, binaryPayload(4, random)));
  const replies = payloads.map((payload) => frame(first, payload, null));
  return {
    messages,
    request: Buffer.concat(requests),
    requestEnds: endsOf(requests),
    reply: Buffer.concat(replies),
    replyEnds: endsOf(replies),
    counted: messages.length,
  };
}

/**
 * A client under test answers the generator as a server does: a block of messages with one short one, when it is to
 * receive; one short one with a block, when it is to send. So each library goes exactly as fast as it can.
 *
 * @param {import('./cases.mjs').Case} spec
 * @param {Buffer[]} messages
 * @param {() => number} random
 * @returns {Exchange}
 */
function clientExchange(spec, messages, random) {
  const asked = spec.client === 'send' ? [SIGNAL] : messages;
  const answered = spec.client === 'receive' ? [SIGNAL] : messages;
  const requests = asked.map((payload) => frame(FIN | BINARY, payload, null));
  const replies = answered.map((payload) => frame(FIN | BINARY, payload, binaryPayload(4, random)));
  const reply = Buffer.concat(replies);
  const replyEnds = asked.map((_, i) => (i === asked.length - 1 ? reply.length : 0));
  return {
    messages: answered,
    request: Buffer.concat(requests),
    requestEnds: endsOf(requests),
    reply,
    replyEnds: spec.client === 'echo' ? endsOf(replies) : replyEnds,
    counted: messages.length,
  };
}

/** Counts the messages in the bytes of a peer: reads frame headers, steps over payloads, in any chunking. */
export class ReplyCounter {
  #header = Buffer.alloc(10);
  /** True where a client is under test: it has to mask what it sends. */
  #masked;
  #headerBytes = 0;
  #payloadLeft = 0;
  #endsMessage = false;

  constructor(masked = false) {
    this.#masked = masked;
  }

  /** How many messages ended in these bytes. @param {Buffer} bytes @param {number} length */
  count(bytes, length) {
    let at = 0;
    let ended = 0;
    while (at < length) {
      if (this.#payloadLeft === 0) {
        this.#header[this.#headerBytes++] = /** @type {number} */ (bytes[at++]);
        if (!this.#readHeader()) continue;
      }
      const step = Math.min(this.#payloadLeft, length - at);
      at += step;
      this.#payloadLeft -= step;
      if (this.#payloadLeft === 0 && this.#endsMessage) ended++;
    }
    return ended;
  }

  /** True when the header is complete; then the payload is what comes next. */
  #readHeader() {
    const header = this.#header;
    if (this.#headerBytes < 2) return false;
    const isMasked = /** @type {number} */ (header[1]) >= MASK;
    const length = /** @type {number} */ (header[1]) & ~MASK;
    if (isMasked !== this.#masked)
      throw new Error(isMasked ? 'the server masked a frame' : 'the client did not mask a frame');
    if (this.#headerBytes < (length < 126 ? 2 : length === 126 ? 4 : 10)) return false;
    const opcode = /** @type {number} */ (header[0]) & 0x0f;
    if (opcode === 8) throw new Error('the peer sent a Close frame');
    this.#endsMessage = opcode < 8 && /** @type {number} */ (header[0]) >= FIN;
    this.#payloadLeft =
      length < 126 ? length : length === 126 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
    // The masking key is counted with the payload: what it says is of interest in verifyReply() only.
    if (isMasked) this.#payloadLeft += 4;
    this.#headerBytes = 0;
    return true;
  }
}

/**
 * Checks the reply to one block, message by message, and throws at the first difference.
 *
 * @param {Buffer} bytes
 * @param {Exchange} exchange
 */
export function verifyReply(bytes, { messages, reply }) {
  const expected = /** @type {number} */ (reply[0]) & ~FIN;
  const isCompressed = (expected & RSV1) !== 0;
  const parts = [];
  for (let at = 0, isFirst = true; at < bytes.length; ) {
    const first = /** @type {number} */ (bytes[at]);
    if (isFirst && (first & RSV1) !== (expected & RSV1)) {
      throw new Error(`a reply is ${isCompressed ? 'not ' : ''}compressed`);
    }
    if (isFirst && (first & ~FIN) !== expected)
      throw new Error('text came back as binary, or binary as text');
    const form = /** @type {number} */ (bytes[at + 1]) & ~MASK;
    const key = at + (form < 126 ? 2 : form === 126 ? 4 : 10);
    const isMasked = /** @type {number} */ (bytes[at + 1]) >= MASK;
    const start = isMasked ? key + 4 : key;
    const length =
      form < 126 ? form : form === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const payload = bytes.subarray(start, start + length);
    if (isMasked) for (let i = 0; i < length; i++) payload[i] ^= /** @type {number} */ (bytes[key + (i & 3)]);
    parts.push(payload);
    isFirst = first >= FIN;
    if (isFirst && isCompressed) parts.push(TAIL);
    at = start + length;
  }
  const joined = Buffer.concat(parts);
  const received = isCompressed ? inflateRawSync(joined, { finishFlush: constants.Z_SYNC_FLUSH }) : joined;
  if (!received.equals(Buffer.concat(messages))) throw new Error('what came back is not what should have');
}
