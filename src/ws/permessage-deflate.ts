// `PerMessageDeflate` as `ws` exports it: the options of one end, what was negotiated (RFC 7692 §7.1, in
// `protocol/permessage-deflate.ts`), and compression with callbacks (`io/zlib.ts`). Connections do not go through the
// callbacks; they take a compressor and a decompressor from here.

import {
  type CompressionOptions,
  createDeflater,
  createInflater,
  type FragmentInflater,
} from '../io/zlib.js';
import type { SharedCompression } from '../protocol/broadcast.js';
import { type AgreedDeflate, type Deflater, sendingAgreement } from '../protocol/compression.js';
import {
  acceptOffers,
  buildOffer,
  checkResponse,
  compressionThreshold,
  type DeflateParams,
  EXTENSION_NAME,
} from '../protocol/permessage-deflate.js';
import { RepeatedCompression } from '../protocol/repeated-message.js';
import type { Role } from '../protocol/role.js';
import type { ExtensionParams } from '../wire/extension-header.js';

export interface PerMessageDeflateOptions extends CompressionOptions {
  isServer?: boolean | undefined;
  /** For one call of `decompress()`, in bytes; 0 is no limit. */
  maxPayload?: number | undefined;
}

const NO_ZLIB_OPTIONS = {};
/** For all connections of the process that compress with the same options, by their window. */
const sharedCompressions = new WeakMap<object, SharedCompression[]>();

export type CompressionCallback = (error: Error | null, result?: Buffer) => void;

export class PerMessageDeflate {
  /** What was negotiated, `null` before `accept()`. */
  params: DeflateParams | null = null;

  readonly _options: PerMessageDeflateOptions;
  readonly _isServer: boolean;
  _maxPayload: number;

  readonly #role: Role;
  #agreed: AgreedDeflate | undefined;
  #deflater: Deflater | undefined;
  #inflater: FragmentInflater | undefined;
  #isFirstFragment = true;
  #compressions = new CallbackQueue('The deflate stream was closed while data was being processed');
  #decompressions = new CallbackQueue('The inflate stream was closed while data was being processed');

  constructor(options?: PerMessageDeflateOptions | null) {
    this._options = options ?? {};
    this._isServer = Boolean(this._options.isServer);
    this._maxPayload = Number(this._options.maxPayload) || 0;
    this.#role = this._isServer ? 'server' : 'client';
  }

  static get extensionName(): string {
    return EXTENSION_NAME;
  }

  /** The parameters that a client offers. @throws RangeError for a window that does not exist */
  offer(): DeflateParams {
    return buildOffer(this._options);
  }

  /**
   * Chooses one of the client's offers, or takes the server's response.
   *
   * @param configurations parameters as `extension.parse()` gives them
   * @returns what was agreed
   * @throws Error or TypeError when nothing can be agreed
   */
  accept(configurations: readonly ExtensionParams[]): DeflateParams {
    const negotiate = this._isServer ? acceptOffers : checkResponse;
    const { agreed, params } = negotiate(configurations, this._options);
    this.#agreed = agreed;
    this.params = params;
    return params;
  }

  /** Messages of fewer bytes are to be sent as they are. */
  get compressFromBytes(): number {
    return compressionThreshold(this.#negotiated, this.#role, this._options);
  }

  /** How connections with the same options share what they compress; `undefined` where each depends on what it sent before. */
  get sharedCompression(): SharedCompression | undefined {
    const agreed = this.#negotiated;
    const role = this.#role;
    const options = this._options;
    const { noContextTakeover, maxWindowBits } = sendingAgreement(agreed, role);
    if (!noContextTakeover) return undefined;
    const { zlibDeflateOptions } = options;
    const key =
      typeof zlibDeflateOptions === 'object' && zlibDeflateOptions !== null
        ? zlibDeflateOptions
        : NO_ZLIB_OPTIONS;
    let byWindow = sharedCompressions.get(key);
    if (byWindow === undefined) {
      byWindow = [];
      sharedCompressions.set(key, byWindow);
    }
    byWindow[maxWindowBits] ??= {
      windowBits: maxWindowBits,
      createDeflater: () => createDeflater(agreed, role, options),
      repeated: new RepeatedCompression(),
    };
    return byWindow[maxWindowBits];
  }

  createInflater(): FragmentInflater {
    return createInflater(this.#negotiated, this.#role, this._options);
  }

  createDeflater(): Deflater {
    return createDeflater(this.#negotiated, this.#role, this._options);
  }

  /**
   * Compresses a message, or the next fragment of one.
   *
   * @param fin whether it is the last fragment
   * @param callback is called later, in the order of the calls
   */
  compress(data: Uint8Array | string, fin: boolean, callback: CompressionCallback): void {
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    this.#deflater ??= this.createDeflater();
    const deflater = this.#deflater;
    const isFirst = this.#isFirstFragment;
    this.#isFirstFragment = fin;
    this.#compressions.add(() => deflater.deflate(payload, isFirst, fin), callback);
  }

  /**
   * Inflates a message, or the next fragment of one.
   *
   * @param fin whether it is the last fragment
   * @param callback is called later, in the order of the calls; with an error whose `code` is
   *   WS_ERR_UNSUPPORTED_MESSAGE_LENGTH as soon as more than `maxPayload` bytes came out
   */
  decompress(data: Uint8Array, fin: boolean, callback: CompressionCallback): void {
    this.#inflater ??= this.createInflater();
    const inflater = this.#inflater;
    this.#decompressions.add(
      () => inflater.inflateFragment(data, fin, Math.max(0, this._maxPayload)),
      callback,
    );
  }

  /** Frees what zlib holds; callbacks that are pending get an error. */
  cleanup(): void {
    this.#inflater?.close();
    this.#deflater?.close();
    this.#inflater = undefined;
    this.#deflater = undefined;
    this.#isFirstFragment = true;
    this.#decompressions.abort();
    this.#compressions.abort();
  }

  get #negotiated(): AgreedDeflate {
    if (this.#agreed === undefined) throw new TypeError('Nothing was negotiated: accept() comes first');
    return this.#agreed;
  }
}

/** Work of one direction, one piece after the other, each answered through a callback. */
class CallbackQueue {
  readonly #abortMessage: string;
  readonly #pending = new Set<CompressionCallback>();
  #last: Promise<void> = Promise.resolve();

  constructor(abortMessage: string) {
    this.#abortMessage = abortMessage;
  }

  add(work: () => Uint8Array | Promise<Uint8Array>, callback: CompressionCallback): void {
    // A function of its own for each call, so that one callback may be given twice.
    const answer: CompressionCallback = (error, bytes) => {
      if (!this.#pending.delete(answer)) return;
      callback(error, bytes);
    };
    this.#pending.add(answer);
    // What a callback throws is not the promise's: it belongs to nobody, as with callbacks of `node:zlib`.
    this.#last = this.#last.then(work).then(
      (bytes) => process.nextTick(answer, null, bytes),
      (error) => process.nextTick(answer, error),
    );
  }

  abort(): void {
    for (const answer of this.#pending) answer(new Error(this.#abortMessage));
  }
}
