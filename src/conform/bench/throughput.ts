// Throughput in a closed loop: each connection sends a block of messages in one write, and the next one when all of
// them have come back. So every server gets the same input, however small the pieces are in which it answers, and a block
// may be masked anew in place, since none of it can still be on its way.
import { BOUND_FROM_PERCENT, ClientShareMeter } from './client-share.js';
import type { BenchConnection } from './connection.js';
import { CompressedEchoCheck, type EchoCheck, PlainEchoCheck } from './echo-check.js';
import { BenchmarkFailure } from './failure.js';
import { Load, type LoadPlan } from './load.js';
import type { MessageBlock } from './message-block.js';
import { CompressedMessages, PlainMessages } from './messages.js';
import type { ThroughputMeasurement } from './report.js';

const MIB = 1024 * 1024;

export interface ThroughputPlan extends LoadPlan {
  size: number;
  pipeline: number;
}

/** One connection with its block. */
class Loop {
  readonly check: EchoCheck;
  isIdle = false;
  readonly #connection: BenchConnection;
  readonly #block: MessageBlock;
  readonly #pipeline: number;
  readonly #load: Load;
  #left = Number.POSITIVE_INFINITY;

  constructor(
    load: Load,
    connection: BenchConnection,
    check: EchoCheck,
    block: MessageBlock,
    pipeline: number,
  ) {
    this.#load = load;
    this.#connection = connection;
    this.check = check;
    this.#block = block;
    this.#pipeline = pipeline;
    check.onBlock = () => this.#next();
    connection.sink = check;
  }

  start(): void {
    this.#send();
  }

  /** Lets the block at hand come back, and one more, of which every octet is compared. */
  finish(): void {
    this.check.comparesAll = true;
    this.#left = 1;
  }

  get isDone(): boolean {
    return this.isIdle || this.#connection.lost !== null;
  }

  #next(): void {
    if (this.#left-- > 0) {
      this.#block.renewKeys();
      this.#send();
    } else {
      this.isIdle = true;
      this.#load.wake();
    }
  }

  #send(): void {
    if (this.#connection.unsentBytes > 0) {
      throw new BenchmarkFailure('wrong-echo', 'the server answered messages that it cannot have read yet');
    }
    this.check.sent += this.#pipeline;
    this.#connection.write(this.#block.bytes);
  }
}

/** @throws BenchmarkFailure by rejection */
export async function measureThroughput(plan: ThroughputPlan): Promise<ThroughputMeasurement> {
  const load = await Load.open(plan);
  const messages = new PlainMessages(plan.size, plan.pipeline);
  return run(plan, load, () => new PlainEchoCheck(messages), messages);
}

/**
 * The same with permessage-deflate.
 *
 * @returns null when the server declines it
 * @throws BenchmarkFailure by rejection
 */
export async function measureDeflate(plan: ThroughputPlan): Promise<ThroughputMeasurement | null> {
  const load = await Load.open(plan, true);
  const deflate = load.connections[0]!.deflate;
  if (load.connections.some((connection) => connection.deflate === null) || deflate === null) {
    await load.close();
    return null;
  }
  const { keepsContext } = deflate;
  const messages = new CompressedMessages(plan.size, plan.pipeline);
  return run(plan, load, () => new CompressedEchoCheck(messages, keepsContext), messages, keepsContext);
}

async function run(
  plan: ThroughputPlan,
  load: Load,
  newCheck: () => EchoCheck,
  messages: PlainMessages | CompressedMessages,
  keepsContext = false,
): Promise<ThroughputMeasurement> {
  const { size, pipeline } = plan;
  try {
    const loops = load.connections.map(
      (connection) => new Loop(load, connection, newCheck(), messages.block(), pipeline),
    );
    for (const loop of loops) loop.start();
    await load.pass(plan.warmupMs);
    const before = totalOf(loops);
    const meter = new ClientShareMeter();
    const startedMs = performance.now();
    await load.pass(plan.durationMs);
    const seconds = (performance.now() - startedMs) / 1000;
    const client = meter.read();
    const after = totalOf(loops);
    for (const loop of loops) loop.finish();
    await load.drain(() => loops.every((loop) => loop.isDone));
    const echoes = after.echoes - before.echoes;
    return {
      case: messages instanceof CompressedMessages ? 'deflate' : 'throughput',
      status: 'measured',
      size,
      pipeline,
      connections: plan.connections,
      seconds,
      messages: echoes,
      messagesPerSecond: echoes / seconds,
      mebibytesPerSecond: (echoes * size) / MIB / seconds,
      client,
      isClientBound: client.cpuPercent > BOUND_FROM_PERCENT,
      lost: load.lost,
      ...(messages instanceof CompressedMessages && {
        compression: {
          sentPercent: (100 * messages.wireBytes) / size,
          receivedPercent: percentOf(after.wireBytes, after.echoes * size),
          compressedEchoesPercent: percentOf(after.compressedEchoes, after.echoes),
          keepsContext,
        },
      }),
    };
  } catch (error) {
    load.reset();
    throw error;
  } finally {
    await load.close();
  }
}

function totalOf(loops: readonly Loop[]) {
  const total = { echoes: 0, compressedEchoes: 0, wireBytes: 0 };
  for (const { check } of loops) {
    total.echoes += check.echoes;
    total.compressedEchoes += check.compressedEchoes;
    total.wireBytes += check.wireBytes;
  }
  return total;
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
