// What is known of one call of a scenario, at both ends, and what may come of it.
import { RPC, type RpcError } from '../../../../src/rpc/errors.js';
import type { CallStep } from './scenario.js';

/** A code of the handler's own. */
export const REFUSED = 7;

/** Deadlines are rounded up to 50 ms, and a timer has at least 1 ms. */
const ROUNDING_MS = 51;

/** @throws Error */
export function violation(text: string): never {
  throw new Error(text);
}

/** An item of a stream, or a result: its number, and what makes it long. */
export type Piece = [number: number, padding: string];

/** Pieces from 1, with what must not happen to them checked as they come. */
export class Pieces {
  count = 0;
  /** Told that there are no more. */
  isComplete = false;

  constructor(readonly name: string) {}

  add([number]: Piece): void {
    if (this.isComplete) violation(`${this.name}: item ${number} comes behind the end`);
    if (number !== this.count + 1) violation(`${this.name}: item ${number} comes behind ${this.count}`);
    this.count = number;
  }
}

/** Under which circumstances a call may be lost, or be turned away. */
export interface Circumstances {
  mayBeLost: boolean;
  mayBeOverloaded: boolean;
}

export class CallRecord {
  readonly step: CallStep;
  readonly name: string;
  /** The peer that made it. */
  readonly caller: object;
  runs = 0;
  outcome: { value: unknown } | { error: RpcError } | undefined;
  /** That of the result stream. */
  streamError: RpcError | undefined;
  isStreaming = false;
  /** Given up by its caller, or left by its consumer. */
  isCancelled = false;
  lastProgress = 0;
  /** Until its outcome was there, on the clock of its caller. */
  tookMs = 0;
  /** Of the argument at the handler, and of the result at the caller. */
  readonly sent: Pieces;
  readonly returned: Pieces;
  /** The producers' generators that were begun and have not ended. */
  producing = 0;

  constructor(step: CallStep, number: number, caller: object) {
    this.step = step;
    this.name = `call ${number} (${step.kind}) by the ${step.side}`;
    this.caller = caller;
    this.sent = new Pieces(`${this.name}, argument`);
    this.returned = new Pieces(`${this.name}, result`);
  }

  /** Whether nothing more will come of it at its caller. */
  get isSettled(): boolean {
    return this.outcome !== undefined && !this.isStreaming;
  }

  onRun(): void {
    if (++this.runs > 1) violation(`${this.name}: its handler runs again`);
    const { outcome } = this;
    if (outcome !== undefined && 'error' in outcome && isNotSent(outcome.error))
      violation(`${this.name}: it runs, and was said not to have been sent`);
  }

  onProgress(progress: number): void {
    if (this.outcome !== undefined) violation(`${this.name}: progress behind its result`);
    if (!(progress > this.lastProgress))
      violation(`${this.name}: progress ${progress} behind ${this.lastProgress}`);
    this.lastProgress = progress;
  }

  onOutcome(outcome: NonNullable<CallRecord['outcome']>): void {
    if (this.outcome !== undefined) violation(`${this.name}: it is settled twice`);
    this.outcome = outcome;
  }

  /** Of a caller whose event loop was never blocked. */
  checkTime(): void {
    const { timeoutMs, maxTotalMs, kind } = this.step;
    const deadlinesMs = [maxTotalMs, kind === 'progress' ? 0 : timeoutMs].filter((ms) => ms > 0);
    const latestMs = Math.min(...deadlinesMs) + ROUNDING_MS;
    if (this.tookMs > latestMs) violation(`${this.name}: settled after ${this.tookMs} ms`);
    const { error } = (this.outcome ?? {}) as { error?: RpcError };
    const earliestMs = Math.min(...[timeoutMs, maxTotalMs].filter((ms) => ms > 0));
    if (error?.code === RPC.DEADLINE && this.tookMs < earliestMs)
      violation(`${this.name}: given up after ${this.tookMs} ms`);
  }

  /** When all is over. */
  check(circumstances: Circumstances): void {
    const { outcome, step, name } = this;
    if (outcome === undefined) violation(`${name}: it is never settled`);
    if (this.isStreaming) violation(`${name}: its stream never ends`);
    if ('error' in outcome) {
      this.#checkError(outcome.error, circumstances);
      return;
    }
    if (this.runs !== 1) violation(`${name}: a result, and ${this.runs} runs`);
    const { kind, count } = step;
    if (kind === 'fail' || kind === 'forever') violation(`${name}: a result`);
    if (kind === 'sum' && (outcome.value as Piece)[0] !== count) violation(`${name}: wrong result`);
    if (kind === 'sum' && !(this.sent.isComplete && this.sent.count === count))
      violation(`${name}: items are missing`);
    if (kind === 'value' && (outcome.value as Piece)[1].length !== step.size)
      violation(`${name}: wrong result`);
    if (kind === 'stream' || kind === 'stream that fails' || kind === 'echo')
      this.#checkStream(circumstances);
  }

  #checkStream(circumstances: Circumstances): void {
    const { kind, count } = this.step;
    const { streamError, returned, name } = this;
    if (streamError === undefined) {
      const isWhole = returned.isComplete && returned.count === count && kind !== 'stream that fails';
      if (!isWhole && !this.isCancelled)
        violation(`${name}: ends with ${returned.count} of ${count} items, and no error`);
    } else if (streamError.code === REFUSED) {
      if (kind !== 'stream that fails' || returned.count !== count)
        violation(`${name}: fails behind ${returned.count}`);
    } else {
      this.#checkError(streamError, circumstances);
    }
  }

  #checkError(error: RpcError, { mayBeLost, mayBeOverloaded }: Circumstances): void {
    const { kind, timeoutMs, maxTotalMs } = this.step;
    const mayBe: Record<number, boolean> = {
      [REFUSED]: kind === 'fail',
      [RPC.CANCELLED]: this.isCancelled,
      [RPC.DEADLINE]: timeoutMs + maxTotalMs > 0,
      [RPC.OVERLOADED]: mayBeOverloaded,
      [RPC.LOST]: mayBeLost,
    };
    if (error.name !== 'RpcError' || !mayBe[error.code])
      throw new Error(`${this.name}: must not end with ${error.code} ${error.message}`, { cause: error });
    if (error.code === REFUSED && this.runs !== 1) violation(`${this.name}: refused in ${this.runs} runs`);
  }
}

function isNotSent({ code, data }: RpcError): boolean {
  return code === RPC.LOST && (data as { outcome?: string } | undefined)?.outcome === 'not-sent';
}
