// The server has lost the session: what each call and stream of it comes to, at either end, and that the peer goes on with the
// session that follows.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { connectSession, SessionServer } from '../../../src/agent/index.js';
import { RPC, type RpcError, RpcPeer } from '../../../src/rpc/index.js';
import { QUICK_BACKOFF } from '../../agent/faults/scene.js';
import { outcomeOf, sessionStage } from '../../support/session-stage.js';
import { until } from '../../support/tcp.js';
import { numbersTo } from './service.js';

const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };

/** What has become of a promise by now: its value, `pending`, or the code and the outcome of its error. */
async function fateOf(promise: Promise<unknown>): Promise<unknown> {
  return outcomeOf(promise.catch((error: RpcError) => [error.code, error.data]));
}

const lost = (outcome: string) => [RPC.LOST, { outcome }];

/** A stream of which one item has come, and what becomes of the next. */
async function secondOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  try {
    for await (const item of stream) items.push(item);
  } catch (error) {
    items.push((error as RpcError).code);
  }
  return items;
}

/** Gives one item, and waits for ever, or until it is left. */
function endless(log: string[], name: string): AsyncIterable<number> {
  let wake: (() => void) | undefined;
  let hasGiven = false;
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (hasGiven) await new Promise<void>((resolve) => (wake = resolve));
        const done = hasGiven;
        hasGiven = true;
        return done ? { done, value: undefined } : { done, value: 1 };
      },
      async return() {
        log.push(`${name} left`);
        wake?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

/** Both ends, with a call, a streamed result and an argument stream under way in each direction. */
async function inFlight() {
  const stage = sessionStage({ windowMs: 20_000 });
  const { client: session, session: serverSession } = await stage.open();
  const log: string[] = [];
  const answers: (() => void)[] = [];
  const peers = [session, serverSession].map((each) => {
    const name = each.side;
    const peer = new RpcPeer(each, {}, stage.environment);
    peer.on('error', (error) => log.push(`${name}: ${(error as Error).message}`));
    peer.handle('hold', (_params, { signal }) => {
      signal.addEventListener('abort', () => log.push(`hold at ${name} aborted: ${signal.reason.code}`));
      return new Promise((resolve) => answers.push(() => resolve('late')));
    });
    peer.handle('ticks', () => endless(log, `ticks at ${name}`));
    peer.handle('read', ({ items }) => secondOf(items).then((read) => log.push(`read at ${name}: ${read}`)));
    return peer;
  });
  const [client, server] = peers as [RpcPeer, RpcPeer];
  const begin = (peer: RpcPeer, name: string) => ({
    held: peer.call('hold'),
    ticks: peer.call('ticks').then(secondOf),
    read: peer.call('read', { items: endless(log, `argument of ${name}`) }),
  });
  const fromClient = begin(client, 'client');
  const fromServer = begin(server, 'server');
  await stage.pass(1000);
  expect(log).toEqual([]);
  return { stage, session, client, server, log, answers, fromClient, fromServer };
}

const WHAT_ENDS_AT_CLIENT = [
  'argument of client left',
  'hold at client aborted: -31003',
  'read at client: 1,-31003',
  'ticks at client left',
];
const WHAT_ENDS_AT_SERVER = WHAT_ENDS_AT_CLIENT.map((line) => line.replace('client', 'server'));

describe('a server that restarts', () => {
  it('what was sent is unknown, what was not is not-sent; handlers are aborted, streams end behind what had come', async () => {
    const { stage, client, log, fromClient } = await inFlight();
    const events: unknown[] = [];
    client.on('lost', (error) => events.push((error as RpcError).code));
    stage.network.isSilent = true;
    stage.network.cut();
    const unsent = client.call('hold');
    const note = client.notify('hold');
    await stage.pass(100);
    expect(await fateOf(unsent)).toBe('pending');
    stage.moveTo(stage.makeServer());
    stage.network.isSilent = false;
    await stage.pass(30_000);
    expect(await fateOf(fromClient.held)).toEqual(lost('unknown'));
    expect(await fateOf(fromClient.read)).toEqual(lost('unknown'));
    expect(await fateOf(unsent)).toEqual(lost('not-sent'));
    expect(await fateOf(note)).toEqual(lost('not-sent'));
    expect(await fateOf(fromClient.ticks)).toEqual([1, RPC.LOST]);
    expect(log.filter((line) => line.includes('client')).sort()).toEqual(WHAT_ENDS_AT_CLIENT);
    expect(events).toEqual([RPC.LOST]);
    // The handler that does not listen to its signal.
    expect(client.stats()).toEqual({ ...IDLE, callsIn: 1 });
    await stage.end(stage.sessions[0]!, { terminate: () => void client.close() });
  });

  it('the peer goes on with the new session; what the handlers of the old one still say is not heard there', async () => {
    const { stage, client, log, answers } = await inFlight();
    const other = stage.makeServer();
    stage.moveTo(other);
    stage.network.cut();
    await stage.pass(5000);
    const calls: unknown[] = [];
    const next = new RpcPeer(stage.sessions.at(-1)!, {}, stage.environment);
    next.on('error', (error) => calls.push(error));
    // The first ids, and the first numbers of streams, are in use again.
    next.handle('add', async ({ a, b }) => a + b);
    next.handle('count', ({ to }) => numbersTo(to));
    const sum = client.call('add', { a: 1, b: 2 });
    log.length = 0;
    for (const answer of answers) answer();
    await stage.pass(1000);
    expect(await sum).toBe(3);
    const stream = client.call('count', { to: 3 }).then(secondOf);
    await stage.pass(1000);
    expect(await fateOf(stream)).toEqual([1, 2, 3]);
    expect([calls, log]).toEqual([[], []]);
    expect([client.stats(), next.stats()]).toEqual([IDLE, IDLE]);
    await stage.end(stage.sessions[0]!, { terminate: () => void client.close() });
  });
});

describe('a window that expires', () => {
  it('ends the calls of both ends', async () => {
    const { stage, client, server, log, fromClient, fromServer } = await inFlight();
    const ended: unknown[] = [];
    server.on('close', (end) => ended.push(end));
    stage.network.isSilent = true;
    stage.network.cut();
    await stage.pass(60_000);
    expect(server.isClosed).toBe(true);
    expect(ended).toHaveLength(1);
    expect(log.filter((line) => line.includes('server')).sort()).toEqual(WHAT_ENDS_AT_SERVER);
    expect(await fateOf(fromServer.held)).toEqual(lost('unknown'));
    expect(await fateOf(fromServer.ticks)).toEqual([1, RPC.LOST]);
    expect(await fateOf(fromClient.held)).toEqual([RPC.DEADLINE, undefined]);
    stage.network.isSilent = false;
    await stage.pass(60_000);
    expect(await fateOf(fromClient.ticks)).toEqual([1, RPC.LOST]);
    expect(client.isClosed).toBe(false);
    await stage.end({ terminate: () => void client.close() });
  });
});

it('over sockets: another server on the same port -> calls fail as lost, and the next ones go to it', async () => {
  const start = async (port: number) => {
    const httpServer = http.createServer().listen(port, '127.0.0.1');
    await once(httpServer, 'listening');
    const sessions = new SessionServer({ server: httpServer });
    const name = `server ${port === 0 ? 1 : 2}`;
    let held = 0;
    sessions.on('session', (session) => {
      const peer = new RpcPeer(session);
      peer.handle('name', () => name);
      peer.handle('hold', () => {
        held++;
        return new Promise(() => {});
      });
      peer.handle('count', () => endless([], ''));
    });
    const stop = async () => {
      await sessions.close();
      httpServer.closeAllConnections();
      await new Promise((resolve) => httpServer.close(resolve));
    };
    return { port: (httpServer.address() as AddressInfo).port, stop, held: () => held };
  };
  const first = await start(0);
  const client = new RpcPeer(connectSession(`ws://127.0.0.1:${first.port}/`, { backoff: QUICK_BACKOFF }));
  let losses = 0;
  client.on('lost', () => losses++);
  expect(await client.call('name')).toBe('server 1');
  const held = client.call('hold');
  const items = client.call('count').then(secondOf);
  await until(() => first.held() === 1 && client.stats().streamsIn === 1);
  await first.stop();
  const unsent = client.call('name');
  const second = await start(first.port);
  await until(() => losses === 1);
  expect(await Promise.all([held, unsent].map(fateOf))).toEqual([lost('unknown'), lost('not-sent')]);
  expect(await items).toEqual([1, RPC.LOST]);
  expect(await client.call('name')).toBe('server 2');
  expect(client.stats()).toEqual(IDLE);
  await client.close();
  await second.stop();
});
