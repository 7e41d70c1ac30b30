// What the programs on growth, delay and memory send: messages of mixed size and kind, single huge ones, and small ones
// that inflate to much. Built once, from fixed seeds, like the cases (see frames.mjs).

import { CASES } from './cases.mjs';
import { Client } from './client.mjs';
import { buildExchange, compressAll, frame, ReplyCounter } from './frames.mjs';

export const KiB = 1024;
export const MiB = 1024 * KiB;

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
/** First bytes of frames: FIN, RSV1 where compressed, opcode. */
export const TEXT = 0x81;
export const BINARY = 0x82;
export const COMPRESSED_TEXT = 0xc1;
export const COMPRESSED_BINARY = 0xc2;

/** @param {number} level */
export const deflateOptions = (level) => ({ threshold: 1024, zlibDeflateOptions: { level } });

/** Text in `units` of some bytes, repeated. @param {string} unit @param {number} bytes */
function repeated(unit, bytes) {
  return Buffer.alloc(bytes, unit);
}

/** About 190 bytes that differ from record to record. @param {number} i */
function record(i) {
  const random = Math.imul(i + 1, 0x9e3779b1) >>> 0;
  return `{"id":${random},"user":"user-${random % 977}","at":${1_700_000_000_000 + random},"price":${(random % 1e6) / 100},"tags":["t${random % 53}","t${random % 59}"],"active":${random % 2 === 0}},`;
}

/** @param {number} bytes */
function json(bytes) {
  const parts = [];
  for (let i = 0, length = 0; length < bytes; i++) {
    const next = record(i);
    parts.push(next);
    length += next.length;
  }
  return Buffer.from(parts.join('')).subarray(0, bytes);
}

/** @type {Map<string, Buffer | string>} */ const prepared = new Map();

/**
 * A payload that is made once: `binary`; `ascii` and `umlauts`, text as bytes; `string`, the same as a string; `json`.
 *
 * @param {string} kind
 * @param {number} bytes
 */
export function largePayload(kind, bytes) {
  const name = `${kind} ${bytes}`;
  let payload = prepared.get(name);
  if (payload !== undefined) return payload;
  if (kind === 'json') payload = json(bytes);
  else if (kind === 'ascii') payload = repeated('The quick brown fox. ', bytes);
  else if (kind === 'umlauts') payload = repeated('Füchse über Hügel … ', bytes & ~1023);
  else if (kind === 'string') payload = repeated('The quick brown fox. ', bytes).toString();
  else payload = repeated('\u0001\u0082\u00ff', bytes);
  prepared.set(name, payload);
  return payload;
}

/** A masked frame. @param {number} first @param {Buffer} payload */
export const clientFrame = (first, payload) => frame(first, payload, KEY);

/** A compressed message in a masked frame. @param {number} first @param {Buffer} payload */
export async function compressedFrame(first, payload) {
  const [compressed] = await compressAll([payload], false);
  return clientFrame(first, /** @type {Buffer} */ (compressed));
}

const SIZES = [1, 7, 64, 125, 126, 300, 1000, 4 * KiB, 16 * KiB, 65_535, 65_536, 256 * KiB];

/**
 * Blocks of masked frames, one for each size and kind; of the small ones there are more in a block.
 *
 * @param {import('./cases.mjs').Case['deflate']} deflate
 */
export async function mixedBlocks(deflate) {
  const base = /** @type {import('./cases.mjs').Case} */ (CASES['echo-64']);
  const blocks = [];
  for (const payloadBytes of SIZES) {
    const depth = Math.max(1, Math.min(64, Math.floor((32 * KiB) / payloadBytes)));
    for (const payload of /** @type {const} */ (['binary', payloadBytes < 300 ? 'text' : 'json'])) {
      // Noise cannot be compressed, and nobody sends it so.
      if (deflate !== false && payload === 'binary' && payloadBytes > 4 * KiB) continue;
      const { request } = await buildExchange({ ...base, payloadBytes, depth, payload, deflate });
      blocks.push({ request, messages: depth });
    }
  }
  return blocks;
}

/** What library clients send in turn. */
export function clientMessages() {
  return [1, 64, 300, 4 * KiB, 70 * KiB].flatMap((bytes) => [
    { data: /** @type {Buffer} */ (largePayload('binary', bytes)), binary: true },
    { data: /** @type {Buffer} */ (largePayload('json', bytes)).toString(), binary: false },
  ]);
}

/** A connection that sends block after block of mixed messages, each when all of the last one was answered. */
class MixedConnection {
  /** @type {Client} */ #client;
  #counter = new ReplyCounter(false);
  #left = 0;
  #turn;
  #traffic;
  #blocks;
  /** Settles when the last block has been answered. @type {() => void} */ #resolve = () => {};

  /**
   * @param {Client} client
   * @param {{ request: Buffer, messages: number }[]} blocks
   * @param {number} turn
   * @param {MixedTraffic} traffic
   */
  constructor(client, blocks, turn, traffic) {
    this.#client = client;
    this.#blocks = blocks;
    this.#turn = turn;
    this.#traffic = traffic;
    client.receive = (bytes, length) => this.#onReply(bytes, length);
  }

  /** @returns {Promise<void>} */
  run() {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#next();
    });
  }

  #next() {
    if (!this.#traffic.wantsMore) {
      this.#client.close();
      this.#resolve();
      return;
    }
    const block = /** @type {{ request: Buffer, messages: number }} */ (
      this.#blocks[this.#turn++ % this.#blocks.length]
    );
    this.#left = block.messages;
    this.#client.socket.write(block.request);
  }

  #onReply(/** @type {Buffer} */ bytes, /** @type {number} */ length) {
    const ended = this.#counter.count(bytes, length);
    this.#traffic.messages += ended;
    this.#left -= ended;
    if (this.#left === 0) this.#next();
  }
}

/** Connections of every kind, without compression and with it, with and without context takeover. */
export class MixedTraffic {
  messages = 0;
  #until = 0;
  #stopped = false;
  /** @type {Error | null} */ #failure = null;

  get wantsMore() {
    return !this.#stopped && this.#failure === null && this.messages < this.#until;
  }

  stop() {
    this.#stopped = true;
  }

  /**
   * Exchanges about `count` messages over new connections, and closes them.
   *
   * @param {number} port
   * @param {number} connections
   * @param {number} count
   */
  async run(port, connections, count) {
    this.#until = this.messages + count;
    const offers = /** @type {const} */ (['none', 'fresh', 'takeover']);
    const running = [];
    for (let i = 0; i < connections; i++) {
      const offer = /** @type {typeof offers[number]} */ (offers[i % offers.length]);
      const blocks = await blocksFor(offer);
      const client = Client.connect(port, false, (error) => {
        this.#failure ??= error;
      });
      await client.handshake(port, offer);
      running.push(new MixedConnection(client, blocks, i * 5, this).run());
    }
    const failed = (async () => {
      while (this.wantsMore) await new Promise((resolve) => setTimeout(resolve, 50));
      if (this.#failure !== null) throw this.#failure;
    })();
    await failed;
    await Promise.all(running);
  }
}

/** @type {Map<string, ReturnType<typeof mixedBlocks>>} */ const built = new Map();

/** @param {'none' | 'fresh' | 'takeover'} offer */
function blocksFor(offer) {
  let blocks = built.get(offer);
  if (blocks === undefined) {
    blocks = mixedBlocks(offer === 'none' ? false : offer);
    built.set(offer, blocks);
  }
  return blocks;
}
