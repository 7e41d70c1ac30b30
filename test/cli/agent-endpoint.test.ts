// /agent of `hawser serve`, called by hawser's own client over real sockets.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSession, debug } from '../../src/agent/index.js';
import type { SearchResult } from '../../src/cli/agent-tools/search.js';
import { tools } from '../../src/cli/agent-tools/tools.js';
import { DemoServer } from '../../src/cli/demo-server.js';
import { RPC, RpcPeer, type RpcStream } from '../../src/rpc/index.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { next } from '../support/events.js';
import { collect, testContext } from './agent-tools/context.js';

let server: DemoServer;
let url: string;
const peers: RpcPeer[] = [];

beforeEach(async () => {
  server = new DemoServer('127.0.0.1', 50);
  await server.listen(0);
  url = server.url.replace('http', 'ws');
});

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
  await server.close();
  expect(debug.active()).toEqual([]);
});

/** A peer, and what its session tells. */
function connect() {
  const session = connectSession(`${url}agent?watch=me`, { backoff: { baseMs: 1, capMs: 5 } });
  const peer = new RpcPeer(session);
  peers.push(peer);
  return { session, peer };
}

/** Cuts the TCP connection of /agent, as the page does. */
async function drop(): Promise<void> {
  const observer = new WebSocket(`${url}observe?id=me`);
  await next(observer, 'open');
  observer.send(JSON.stringify({ request: 'terminate', path: '/agent' }));
  observer.close();
}

describe('/agent', () => {
  it('calculates', async () => {
    const { peer } = connect();
    expect(await peer.call('calculate', { expression: '6 * 7' })).toBe(42);
  });

  it.each([
    ['an expression that is none', { expression: '6 *' }, 'a number was expected at position 4'],
    ['params that do not fit', { expression: '' }, 'expression: a text of 1 to 1000 characters was expected'],
    ['no params', undefined, 'an object was expected'],
  ])('%s -> -32602 with what is wrong', async (_, params, message) => {
    const { peer } = connect();
    await expect(peer.call('calculate', params)).rejects.toMatchObject({
      code: RPC.INVALID_PARAMS,
      message,
      data: { issues: [expect.objectContaining({ message: expect.any(String) })] },
    });
  });

  it('what is no tool -> -32601', async () => {
    const { peer } = connect();
    await expect(peer.call('constructor', {})).rejects.toMatchObject({ code: RPC.METHOD_NOT_FOUND });
  });

  it('searches with progress', async () => {
    const { peer } = connect();
    const steps: number[] = [];
    const result: SearchResult = await peer.call(
      'search',
      { text: 'searches the sources and documents', paceMs: 0 },
      { onProgress: ({ progress }) => steps.push(progress) },
    );
    expect(result.matches.map(({ file }) => file)).toEqual(['src/cli/agent-tools/search.ts']);
    expect(steps.length).toBeGreaterThan(0);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });

  it('the caller gives a search up -> -32800, and other calls go on', async () => {
    const { peer } = connect();
    const controller = new AbortController();
    const search = peer.call(
      'search',
      { text: 'x', paceMs: 1000 },
      { signal: controller.signal, onProgress: () => controller.abort() },
    );
    await expect(search).rejects.toMatchObject({ code: RPC.CANCELLED });
    expect(await peer.call('calculate', { expression: '1' })).toBe(1);
  });

  it('streams: each word once, and while another consumer does not read', async () => {
    const { peer } = connect();
    const slow: RpcStream<string> = await peer.call('clock', { count: 1000, everyMs: 1 });
    const words = await collect(await peer.call('explain', { topic: 'frame', paceMs: 0 }));
    expect(words).toEqual(await wordsOf('frame'));
    slow.cancel();
  });

  it('the connection is cut in the middle -> every call goes on, and each word arrives once', async () => {
    const { session, peer } = connect();
    const words: string[] = [];
    const search = peer.call('search', { text: 'sees', paceMs: 5 });
    const resumed = new Promise((resolve) => session.once('resumed', resolve));
    for await (const word of await peer.call('explain', { topic: 'session', paceMs: 5 })) {
      if (words.push(word) === 5) await drop();
    }
    await resumed;
    expect(words).toEqual(await wordsOf('session'));
    expect((await search).matches.length).toBeGreaterThan(0);
    expect(session.stats().resumes).toBe(1);
  });

  it('the 33rd call at once -> -31002, and the others are answered', async () => {
    const { peer } = connect();
    const clocks: Promise<RpcStream<string>>[] = Array.from({ length: 32 }, () =>
      peer.call('search', { text: 'x', paceMs: 1000 }).catch((error) => error),
    );
    await expect(peer.call('calculate', { expression: '1' })).rejects.toMatchObject({ code: RPC.OVERLOADED });
    await peer.close();
    for (const outcome of await Promise.all(clocks)) expect(outcome).toMatchObject({ code: RPC.LOST });
  });

  it('the server closes while calls are in flight -> they fail, and nothing is left', async () => {
    const timers = countTimers();
    const { session, peer } = connect();
    const search = peer.call('search', { text: 'x', paceMs: 1000 });
    search.catch(() => {});
    const ticks: RpcStream<string> = await peer.call('clock', { everyMs: 10_000 });
    const second = (async () => {
      for await (const _ of ticks);
    })();
    second.catch(() => {});
    await server.close();
    // The client would look for the server again and again.
    session.terminate();
    await expect(search).rejects.toMatchObject({ code: RPC.LOST });
    await expect(second).rejects.toMatchObject({ code: RPC.LOST });
    expect(debug.active()).toEqual([]);
    expect(countTimers()).toBe(timers);
  });
});

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

async function wordsOf(topic: string): Promise<string[]> {
  const explain = tools.find(({ name }) => name === 'explain')!;
  return collect(explain.call({ topic, paceMs: 0 }, testContext()));
}
