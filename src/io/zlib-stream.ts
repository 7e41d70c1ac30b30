// One raw DEFLATE stream of zlib (RFC 1951), without the stream machinery that `node:zlib` puts around it: on the
// calling thread or in the thread pool it turns bytes of one buffer into bytes of another, and keeps its window between
// the calls. A message of 1 KiB takes 2.5 us to inflate this way, 80 us through the public stream.
//
// Node.js has no public way to that, so this file watches how Node.js itself uses the native object inside a stream, and
// does the same. Where anything looks different from what is known, `isZlibStreamUsable` says so, and
// `zlib-one-shot.ts` does the work with public functions.

import { constants, createDeflateRaw, createInflateRaw, type ZlibOptions } from 'node:zlib';

const { Z_SYNC_FLUSH } = constants;

export type Direction = 'inflate' | 'deflate';

/** An error of zlib: `code` and `errno` as `node:zlib` has them; data that is not DEFLATE fails with close code 1007. */
export interface ZlibError extends Error {
  code: string;
  errno: number;
  closeCode: number;
}

export function zlibError(message: string, errno: number, code: string): ZlibError {
  return Object.assign(new Error(message), { errno, code, closeCode: 1007 });
}

/** The native object. `writeSync` and `write` run zlib once and leave in `state` what space and input are left. */
interface NativeStream {
  onerror: (message: string, errno: number, code: string) => void;
  init(...parameters: unknown[]): void;
  writeSync(...parameters: WriteParameters): void;
  write(...parameters: WriteParameters): void;
  reset(): void;
  close(): void;
}

type WriteParameters = [
  flush: number,
  input: Uint8Array,
  inputOffset: number,
  inputLength: number,
  output: Uint8Array,
  outputOffset: number,
  outputLength: number,
];

type NativeStreamClass = new (mode: number) => NativeStream;

/** Where in the parameters of `init` the two things stand that are not the same for every stream. */
const STATE = 4;
const ON_WRITTEN = 5;

/** How streams of one kind are made. */
export class ZlibSettings {
  readonly #NativeStream: NativeStreamClass;
  readonly #mode: number;
  readonly #parameters: readonly unknown[];

  /**
   * Has Node.js check the options and translate them for zlib.
   *
   * @throws RangeError or TypeError of `node:zlib` for an option that it does not accept
   */
  constructor(direction: Direction, options: ZlibOptions) {
    const create = direction === 'inflate' ? createInflateRaw : createDeflateRaw;
    this.#mode = direction === 'inflate' ? constants.INFLATERAW : constants.DEFLATERAW;
    const stream = create();
    this.#NativeStream = nativeOf(stream).constructor as NativeStreamClass;
    stream.close();
    this.#parameters = watch(this.#NativeStream.prototype, 'init', () => create(options).close());
  }

  createNative(state: Uint32Array, onWritten: () => void): NativeStream {
    const native = new this.#NativeStream(this.#mode);
    const parameters = [...this.#parameters];
    parameters[STATE] = state;
    parameters[ON_WRITTEN] = onWritten;
    native.init(...parameters);
    return native;
  }

  /** Whether the parameters of `init` are where they are expected. */
  get isKnown(): boolean {
    const state = this.#parameters[STATE];
    return (
      state instanceof Uint32Array && state.length === 2 && typeof this.#parameters[ON_WRITTEN] === 'function'
    );
  }
}

interface PendingRun {
  input: Uint8Array;
  output: Uint8Array;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class ZlibStream {
  readonly #state = new Uint32Array(2);
  #native: NativeStream | undefined;
  #error: ZlibError | undefined;
  #isRunning = false;
  /** The run that is in the thread pool. zlib has the addresses of its buffers, so it stays until zlib is done. */
  #pending: PendingRun | undefined;

  constructor(settings: ZlibSettings) {
    this.#native = settings.createNative(this.#state, () => this.#onRun());
    this.#native.onerror = (message, errno, code) => {
      this.#error = zlibError(message, errno, code);
      if (this.#pending !== undefined) this.#onRun();
    };
  }

  /** How much of the output was not needed in the last run; when it is 0 there may be more to come. */
  get outputLeft(): number {
    return this.#state[0]!;
  }

  /** How much of the input was not read in the last run. */
  get inputLeft(): number {
    return this.#state[1]!;
  }

  /**
   * Runs zlib until the input is read or the output is full, and then flushes.
   *
   * @throws ZlibError after which the stream is of no use
   */
  runSync(input: Uint8Array, start: number, end: number, output: Uint8Array, outputLength: number): void {
    const native = this.#begin();
    native.writeSync(Z_SYNC_FLUSH, input, start, end - start, output, 0, outputLength);
    this.#isRunning = false;
    if (this.#error !== undefined) throw this.#error;
  }

  /** The same in the thread pool. Neither buffer may change until the promise settles. */
  run(
    input: Uint8Array,
    start: number,
    end: number,
    output: Uint8Array,
    outputLength: number,
  ): Promise<void> {
    const native = this.#begin();
    return new Promise((resolve, reject) => {
      this.#pending = { input, output, resolve, reject };
      native.write(Z_SYNC_FLUSH, input, start, end - start, output, 0, outputLength);
    });
  }

  /** Forgets the window, as if nothing had gone through. */
  reset(): void {
    this.#begin().reset();
    this.#isRunning = false;
  }

  /** Frees zlib's memory, in the thread pool as soon as it is done there. */
  close(): void {
    this.#native?.close();
    this.#native = undefined;
    this.#pending?.reject(closedError());
  }

  /** Node.js aborts the process when a native stream is used while it runs or after it was closed: an error is better. */
  #begin(): NativeStream {
    if (this.#native === undefined) throw closedError();
    if (this.#isRunning) throw new Error('The zlib stream is in use');
    this.#isRunning = true;
    return this.#native;
  }

  #onRun(): void {
    this.#isRunning = false;
    const pending = this.#pending;
    this.#pending = undefined;
    if (this.#error === undefined) pending?.resolve();
    else pending?.reject(this.#error);
  }
}

function closedError(): Error {
  return new Error('The zlib stream is closed');
}

let isUsable: boolean | undefined;

/** Whether this runtime's zlib is the one that this file knows. Found out once. */
export function isZlibStreamUsable(): boolean {
  isUsable ??= probe();
  return isUsable;
}

function probe(): boolean {
  try {
    const settings = new ZlibSettings('inflate', {});
    return settings.isKnown && isWriteKnown() && inflatesHello(settings);
  } catch {
    return false;
  }
}

/** Lets Node.js inflate something, and looks at what it hands to the native functions. */
function isWriteKnown(): boolean {
  return (['writeSync', 'write'] as const).every((name) => {
    const stream = createInflateRaw();
    const { _processChunk } = stream as unknown as { _processChunk: (...parameters: unknown[]) => void };
    const onWritten = name === 'write' ? [() => {}] : [];
    const parameters = watch(nativeOf(stream), name, () => {
      _processChunk.call(stream, HELLO, Z_SYNC_FLUSH, ...onWritten);
    });
    stream.close();
    const [flush, input, inputOffset, inputLength, output, outputOffset, outputLength] = parameters;
    return (
      parameters.length === 7 &&
      flush === Z_SYNC_FLUSH &&
      input === HELLO &&
      inputOffset === 0 &&
      inputLength === HELLO.length &&
      output instanceof Uint8Array &&
      outputOffset === 0 &&
      outputLength === output.length
    );
  });
}

/** RFC 7692 §7.2.3.1 and §7.2.3.2: the second message refers to the first. */
const HELLO = Buffer.from('f248cdc9c907000000ffff', 'hex');
const HELLO_AGAIN = Buffer.from('f2001100000000ffff', 'hex');

function inflatesHello(settings: ZlibSettings): boolean {
  const stream = new ZlibStream(settings);
  const output = Buffer.alloc(16);
  const texts = [HELLO, HELLO_AGAIN].map((input) => {
    stream.runSync(input, 0, input.length, output, output.length);
    return output.toString('latin1', 0, output.length - stream.outputLeft) + stream.inputLeft;
  });
  stream.close();
  return texts.every((text) => text === 'Hello0');
}

function nativeOf(stream: unknown): NativeStream {
  return (stream as { _handle: NativeStream })._handle;
}

/** Calls `action` and returns what it hands to the method `name` of `target`. @throws Error when that is not called */
function watch(target: NativeStream, name: 'init' | 'write' | 'writeSync', action: () => void): unknown[] {
  const method = target[name] as (...parameters: unknown[]) => void;
  let seen: unknown[] | undefined;
  target[name] = function (this: NativeStream, ...parameters: unknown[]) {
    seen = parameters;
    return method.apply(this, parameters);
  };
  try {
    action();
  } finally {
    target[name] = method;
  }
  if (seen === undefined) throw new Error(`zlib has no ${name}`);
  return seen;
}
