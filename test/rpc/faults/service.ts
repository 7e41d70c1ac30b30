// What both ends offer in the fault tests, and a talk that uses all of it: calls, streams in each direction, both at once,
// progress, cancellation. It keeps count of what ran, so that nothing can run twice unnoticed.
import { RPC, type RpcPeer } from '../../../src/rpc/index.js';
import { turn } from '../../support/tcp.js';

/** As an interface, so that the types of calls follow. */
export interface Service {
  double(params: { n: number }): number;
  count(params: { to: number }): AsyncIterable<number>;
  sum(params: { numbers: AsyncIterable<number> }): number;
  echo(params: { items: AsyncIterable<number> }): AsyncIterable<number>;
  work(params: { steps: number }): string;
  wait(): void;
  note(params: { line: string }): void;
}

/** What handlers have done, by what was done. */
export type Counts = Record<string, number>;

/** How long the parts of a talk are. */
export interface Size {
  calls: number;
  items: number;
  /** Without the parts that a shorter talk can do without. */
  isBrief?: boolean;
}

/** Handlers with counters of their own. */
export function serve(peer: RpcPeer<Service, Service>): Counts {
  const counts: Counts = {};
  const add = (what: string): void => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  peer.handle('double', ({ n }) => {
    add(`double ${n}`);
    return 2 * n;
  });
  peer.handle('count', async function* ({ to }) {
    add('count');
    try {
      yield* numbersTo(to);
    } finally {
      add('count ended');
    }
  });
  peer.handle('sum', async ({ numbers }) => {
    add('sum');
    let sum = 0;
    let last = 0;
    for await (const number of numbers) {
      if (number !== ++last) throw new Error(`${number} came instead of ${last}`);
      sum += number;
    }
    return sum;
  });
  peer.handle('echo', async function* ({ items }) {
    add('echo');
    yield* items;
  });
  peer.handle('work', async ({ steps }, { progress }) => {
    add('work');
    for (let step = 1; step <= steps; step++) {
      progress(step, steps);
      await turn();
    }
    return 'worked';
  });
  peer.handle('wait', (_params, { signal, progress }) => {
    add('wait');
    // So that the caller knows that it is there.
    progress(1);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        add('wait aborted');
        reject(signal.reason);
      });
    });
  });
  peer.handle('note', ({ line }) => add(line));
  return counts;
}

/** Everything once. @returns what came of it, in an order that is always the same */
export async function talk(
  peer: RpcPeer<Service, Service>,
  { calls, items, isBrief }: Size,
): Promise<unknown[]> {
  peer.notify('note', { line: 'hello' });
  const brief = [
    ...Array.from({ length: calls }, (_, n) => peer.call('double', { n })),
    peer.call('echo', { items: numbersTo(items) }).then(collect),
    // Endless, until it is left.
    peer.call('count', { to: Number.MAX_SAFE_INTEGER }).then((stream) => collect(stream, 3)),
  ];
  if (isBrief) return Promise.all(brief);
  return Promise.all([
    ...brief,
    peer.call('count', { to: items }).then(collect),
    peer.call('sum', { numbers: numbersTo(items) }),
    worked(peer),
    waited(peer),
  ]);
}

/** What {@link talk} gives when all went well. */
export function expectedTalk({ calls, items, isBrief }: Size): unknown[] {
  const doubled = Array.from({ length: calls }, (_, n) => 2 * n);
  const all = Array.from({ length: items }, (_, i) => i + 1);
  const sum = (items * (items + 1)) / 2;
  const brief = [...doubled, all, [1, 2, 3]];
  return isBrief ? brief : [...brief, all, sum, ['rising', 'worked'], RPC.CANCELLED];
}

/** What the handlers have then done. */
export function expectedCounts({ calls, isBrief }: Size): Counts {
  const doubles = Array.from({ length: calls }, (_, n) => [`double ${n}`, 1]);
  const brief = { ...Object.fromEntries(doubles), echo: 1, count: 1, 'count ended': 1, hello: 1 };
  if (isBrief) return brief;
  return { ...brief, count: 2, 'count ended': 2, sum: 1, work: 1, wait: 1, 'wait aborted': 1 };
}

export async function* numbersTo(count: number): AsyncGenerator<number> {
  for (let number = 1; number <= count; number++) yield number;
}

/** The items of a stream, up to so many. */
export async function collect<T>(stream: AsyncIterable<T>, most = Number.POSITIVE_INFINITY): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) if (items.push(item) === most) break;
  return items;
}

/** Progress may be left out, but comes in order, and never twice. */
async function worked(peer: RpcPeer<Service, Service>): Promise<unknown[]> {
  const seen: number[] = [];
  const result = await peer.call('work', { steps: 4 }, { onProgress: ({ progress }) => seen.push(progress) });
  const isRising = seen.every((step, i) => step > (seen[i - 1] ?? 0));
  return [isRising ? 'rising' : seen, result];
}

/** Cancelled as soon as it is under way. */
function waited(peer: RpcPeer<Service, Service>): Promise<unknown> {
  const given = new AbortController();
  const options = { signal: given.signal, onProgress: () => given.abort() };
  return peer.call('wait', undefined, options).catch(({ code }) => code);
}
