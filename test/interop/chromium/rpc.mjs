// What the page in Chromium does with `hawser/rpc`: chromium-rpc.test.ts bundles this for browsers, calls the functions and
// judges what they answer.
import { connectSession } from 'hawser/agent';
import { RpcPeer } from 'hawser/rpc';

let peer;

async function* numbersTo(count) {
  for (let number = 1; number <= count; number++) yield number;
}

/** Connects, over a session or a plain WebSocket. */
export function open(url, isPlain) {
  peer = new RpcPeer(
    isPlain ? new WebSocket(url) : connectSession(url, { backoff: { baseMs: 1, capMs: 50 } }),
  );
  peer.handle('count', ({ to }) => numbersTo(to));
  peer.handle('sum', async ({ numbers }) => {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  });
}

/** Everything once. */
export async function use(count) {
  const progress = [];
  const echoed = [];
  const left = [];
  const sum = await peer.call('sum', { numbers: numbersTo(count) });
  for await (const item of await peer.call('echo', { items: numbersTo(count) })) echoed.push(item);
  for await (const item of await peer.call('count', { to: 1e9 })) if (left.push(item) === 3) break;
  const worked = await peer.call(
    'work',
    { steps: 3 },
    { onProgress: (each) => progress.push(each.progress) },
  );
  const missing = await peer.call('missing').catch((error) => error.code);
  return { sum, echoed, left, worked, progress, missing };
}

const begun = new Map();

/** Begins a call of each kind that does not end before the server says so. */
export function begin() {
  begun.set('hold', peer.call('hold'));
  begun.set('slow', peer.call('slow').then(collect));
}

/** What they came to. */
export async function ends() {
  return Object.fromEntries(
    await Promise.all([...begun].map(async ([name, result]) => [name, await result])),
  );
}

export function stats() {
  return peer.stats();
}

export function close() {
  return peer.close();
}

async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}
