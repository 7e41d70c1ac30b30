// Contracts as plain types: an interface is one.
import { connectSession } from 'hawser/agent';
import {
  type CallContext,
  type CallParams,
  type HandlerParams,
  type HandlerResult,
  type MethodName,
  RpcPeer,
  type RpcStream,
} from 'hawser/rpc';

interface Tools {
  add(params: { a: number; b: number }): number;
  ticks(params: { everyMs: number }): AsyncIterable<string>;
  sum(params: { label: string; numbers: AsyncIterable<number> }): Promise<number>;
  pair(params: [left: AsyncIterable<number>, right?: string]): void;
  search(params?: { query: string }): string[] | null;
  now(): Date;
  log(params: { line: string }): void;
  anything(params: any): any;
  unknown(params: unknown): unknown;
  /** None of them is a method. */
  version: string;
  limits: { calls: number };
  twoParams(a: number, b: number): number;
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}

same<
  MethodName<Tools>,
  'add' | 'ticks' | 'sum' | 'pair' | 'search' | 'now' | 'log' | 'anything' | 'unknown'
>();
same<MethodName<any>, string>();
same<CallParams<Tools, 'sum'>, { label: string; numbers: AsyncIterable<number> }>();
same<HandlerParams<Tools, 'sum'>, { label: string; numbers: RpcStream<number> }>();
same<HandlerParams<Tools, 'pair'>, [left: RpcStream<number>, right?: string]>();
same<HandlerParams<Tools, 'now'>, undefined>();
same<HandlerParams<Tools, 'search'>, { query: string } | undefined>();
same<HandlerParams<Tools, 'anything'>, any>();
same<HandlerParams<Tools, 'unknown'>, unknown>();
same<HandlerResult<Tools, 'sum'>, number | Promise<number>>();

const session = connectSession('wss://example.org');
const peer = new RpcPeer<Tools, Tools>(session);

async function* count(): AsyncGenerator<number, void> {
  yield 1;
}

export async function calls(): Promise<void> {
  const five: number = await peer.call('add', { a: 2, b: 3 }, { timeoutMs: 1000 });
  const ticks: RpcStream<string> = await peer.call('ticks', { everyMs: five });
  for await (const tick of ticks) console.log(tick.length);
  await ticks.cancel('enough');
  const sum: number = await peer.call('sum', { label: 'x', numbers: count() });
  const nothing: void = await peer.call('pair', [count(), 'right']);
  const found: string[] | null = await peer.call('search');
  const date: Date = await peer.call('now');
  await peer.call('now', undefined, { timeoutMs: 1000 });
  await peer.call('search', { query: 'x' }, { timeoutMs: 1000 });
  await peer.call('anything');
  const unknown: Same<Awaited<ReturnType<typeof unknownCall>>, unknown> = true;
  await peer.notify('log', { line: 'x' });
  await peer.notify('now');
  console.log(sum, nothing, found, date, unknown);
}

function unknownCall() {
  return peer.call('unknown', 5);
}

peer
  .handle('add', ({ a, b }, { signal }) => (signal.aborted ? 0 : a + b))
  .handle('add', async ({ a }, { peer }) => peer.call('add', { a, b: 1 }))
  .handle('ticks', async function* ({ everyMs }) {
    yield everyMs.toFixed();
  })
  .handle('ticks', async () => new ReadableStream<string>())
  .handle('sum', async ({ label, numbers }) => {
    let sum = label.length;
    for await (const number of numbers) sum += number;
    await using _disposed = numbers;
    return sum;
  })
  .handle('now', () => new Date())
  .handle('log', ({ line }) => line.length)
  .handle('log', async () => {});

// A handler by itself.
const now = (_params: undefined, { progress }: CallContext): Date => {
  progress(1, 2, 'half');
  return new Date();
};
peer.handle('now', now);

// Without a contract any name is a method, and nothing is known of it.
export async function unchecked(): Promise<void> {
  const peer = new RpcPeer(session, { handlers: { add: ({ a, b }, { signal }) => signal.aborted || a + b } });
  const sum: number = await peer.call('add', { a: 1 }, { timeoutMs: 1000 });
  for await (const tick of await peer.call('ticks')) console.log(tick, sum);
  await peer.notify('log', 5);
  peer.handle('echo', async (params) => params.text);
}
