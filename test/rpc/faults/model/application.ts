// What runs on top of the peers of the model: handlers of all kinds, and calls of them, with every step noted in the record of
// its call.
import type { Timer } from '../../../../src/agent/environment.js';
import type { RpcError } from '../../../../src/rpc/errors.js';
import type { CallContext } from '../../../../src/rpc/incoming-call.js';
import type { RpcPeer } from '../../../../src/rpc/peer.js';
import type { FakeProcess } from '../../../agent/model/fake-process.js';
import type { CallRecord, Piece, Pieces } from './call-record.js';
import type { Kind } from './scenario.js';

interface Params {
  call: number;
  pieces?: AsyncIterable<Piece>;
}

/** Checks, and must not throw into the code that is tested. */
export type Guard = (check: () => void) => void;

export class Application {
  readonly #process: FakeProcess;
  readonly #records: CallRecord[];
  readonly #refuse: (message: string) => RpcError;
  readonly #guard: Guard;

  /**
   * @param process whose clock its work takes time of
   * @param records of all calls, by their numbers
   * @param refuse makes the error of a handler
   */
  constructor(
    process: FakeProcess,
    records: CallRecord[],
    refuse: (message: string) => RpcError,
    guard: Guard,
  ) {
    this.#refuse = refuse;
    this.#process = process;
    this.#records = records;
    this.#guard = guard;
  }

  serve(peer: RpcPeer): void {
    const kinds: Kind[] = [
      'value',
      'fail',
      'stream',
      'stream that fails',
      'sum',
      'echo',
      'progress',
      'forever',
    ];
    for (const kind of kinds) {
      peer.handle(kind, (params: Params, context) => {
        const record = this.#records[params.call]!;
        this.#guard(() => record.onRun());
        return this.#work(kind, record, params, context);
      });
    }
    peer.handle('note', () => {});
  }

  /** Makes a call, and reads what comes of it. */
  async call(peer: RpcPeer, number: number): Promise<void> {
    const record = this.#records[number]!;
    const { kind, cancelAfterMs, timeoutMs, maxTotalMs } = record.step;
    const abortion = new AbortController();
    const params: Params = { call: number };
    if (kind === 'sum' || kind === 'echo') params.pieces = this.#produce(record);
    const startedAt = this.#process.now();
    let timer: Timer;
    if (cancelAfterMs > 0) {
      timer = this.#process.setTimeout(() => {
        record.isCancelled = true;
        abortion.abort();
      }, cancelAfterMs);
    }
    try {
      const value = await peer.call(kind, params, {
        signal: abortion.signal,
        timeoutMs: timeoutMs || Number.POSITIVE_INFINITY,
        maxTotalMs: maxTotalMs || Number.POSITIVE_INFINITY,
        onProgress: ({ progress }) => this.#guard(() => record.onProgress(progress)),
      });
      const isStream = kind.startsWith('stream') || kind === 'echo';
      record.tookMs = this.#process.now() - startedAt;
      record.isStreaming = isStream;
      this.#guard(() => record.onOutcome({ value }));
      if (isStream) await this.#readResult(record, value);
    } catch (error) {
      record.tookMs = this.#process.now() - startedAt;
      this.#guard(() => record.onOutcome({ error: error as RpcError }));
    }
    if (timer !== undefined) this.#process.clearTimeout(timer);
  }

  async #readResult(record: CallRecord, stream: AsyncIterable<Piece>): Promise<void> {
    const { leaveAfter } = record.step;
    try {
      await this.#read(record, stream, record.returned, leaveAfter, () => {
        record.isCancelled = true;
      });
    } catch (error) {
      record.streamError = error as RpcError;
    }
    record.isStreaming = false;
  }

  async #read(
    record: CallRecord,
    stream: AsyncIterable<Piece>,
    pieces: Pieces,
    leaveAfter: number,
    onLeave: () => void,
  ): Promise<void> {
    for await (const piece of stream) {
      this.#guard(() => pieces.add(piece));
      if (pieces.count === leaveAfter) {
        onLeave();
        return;
      }
      await this.#pause(record.step.readPaceMs);
    }
    pieces.isComplete = true;
  }

  async #work(kind: Kind, record: CallRecord, params: Params, context: CallContext): Promise<unknown> {
    const { paceMs, count, size } = record.step;
    switch (kind) {
      case 'value':
        await this.#pause(paceMs);
        return piece(1, size);
      case 'fail':
        await this.#pause(paceMs);
        throw this.#refuse('no');
      case 'sum':
        await this.#read(record, params.pieces!, record.sent, 0, () => {});
        return piece(record.sent.count, 0);
      case 'progress':
        for (let step = 1; step <= count; step++) {
          context.progress(step, count);
          await this.#pause(paceMs);
        }
        return piece(1, size);
      case 'forever':
        return new Promise((_resolve, reject) => {
          context.signal.addEventListener('abort', () => reject(context.signal.reason));
          if (context.signal.aborted) reject(context.signal.reason);
        });
      case 'echo':
        return this.#echo(record, params.pieces!);
      default:
        return this.#produce(record, kind === 'stream that fails');
    }
  }

  async *#produce(record: CallRecord, fails = false): AsyncGenerator<Piece> {
    const { count, size, paceMs } = record.step;
    record.producing++;
    try {
      for (let number = 1; number <= count; number++) {
        yield piece(number, size);
        await this.#pause(paceMs);
      }
      if (fails) throw this.#refuse('no more');
    } finally {
      record.producing--;
    }
  }

  async *#echo(record: CallRecord, pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
    record.producing++;
    try {
      for await (const each of pieces) {
        this.#guard(() => record.sent.add(each));
        yield each;
      }
    } finally {
      record.producing--;
    }
  }

  async #pause(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.#process.setTimeout(resolve, ms));
  }
}

function piece(number: number, size: number): Piece {
  return [number, '.'.repeat(size)];
}
