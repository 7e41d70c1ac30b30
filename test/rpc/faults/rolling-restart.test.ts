// Three servers go away one after the other, each when the next one is there, while calls and streams are under way in both
// directions: what is in flight ends where it began, what is new goes to the new server, and nothing is lost or done twice.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { type ClientSession, connectSession, SessionServer } from '../../../src/agent/index.js';
import { RpcPeer } from '../../../src/rpc/index.js';
import { QUICK_BACKOFF } from '../../agent/faults/scene.js';
import { sessionStage } from '../../support/session-stage.js';
import { turn, until } from '../../support/tcp.js';
import { collect, numbersTo } from './service.js';

const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };
const CLIENTS = 5;
const ITEMS = 300;
const all = Array.from({ length: ITEMS }, (_, i) => i + 1);

async function* numbers(count: number, pace: () => Promise<void>): AsyncGenerator<number> {
  for await (const number of numbersTo(count)) {
    yield number;
    await pace();
  }
}

/** What one call of each kind came to. */
interface Round {
  /** The servers that answered. */
  begun: string;
  held: Promise<string>;
  counted: Promise<number[]>;
  echoed: Promise<number[]>;
}

class Node {
  readonly httpServer = http.createServer();
  readonly sessions: SessionServer;
  readonly peers: RpcPeer[] = [];
  /** What the server calls at its clients. */
  readonly calls: Promise<unknown>[] = [];
  readonly errors: unknown[] = [];
  /** Lets the calls in flight go on to their end. */
  release!: () => void;
  readonly #released = new Promise<void>((resolve) => (this.release = resolve));

  constructor(readonly name: string) {
    this.sessions = new SessionServer({ server: this.httpServer });
    this.sessions.on('session', (session) => {
      const peer = new RpcPeer(session);
      this.peers.push(peer);
      peer.on('error', (error) => this.errors.push(error));
      peer.handle('name', () => name);
      peer.handle('hold', async () => {
        await this.#released;
        return name;
      });
      peer.handle('count', () => numbers(ITEMS, () => this.#pause()));
      peer.handle('echo', ({ items }) => items);
      this.calls.push(peer.call('hold'), peer.call('sum', { items: numbers(ITEMS, () => this.#pause()) }));
    });
  }

  async listen(): Promise<string> {
    this.httpServer.listen(0, '127.0.0.1');
    await once(this.httpServer, 'listening');
    return `ws://127.0.0.1:${(this.httpServer.address() as AddressInfo).port}/`;
  }

  /** Half-way it waits until it is told to go on. */
  async #pause(): Promise<void> {
    await turn();
    if (Math.random() < 0.05) await this.#released;
  }

  async stop(): Promise<void> {
    await this.sessions.close();
    this.httpServer.closeAllConnections();
    this.httpServer.close();
  }
}

it('three servers drain one after the other -> all is done once, where it began', {
  timeout: 60_000,
}, async () => {
  let node = new Node('server 1');
  let url = await node.listen();
  const nodes = [node];
  const sessions: ClientSession[] = [];
  /** Whether every client is with the server that is there now. */
  const haveArrived = (): boolean =>
    sessions.every(({ id }) => node.sessions.sessions.some((session) => session.id === id));
  let runs = 0;
  const clients = Array.from({ length: CLIENTS }, () => {
    const session = connectSession(() => url, { backoff: QUICK_BACKOFF });
    const peer = new RpcPeer(session);
    sessions.push(session);
    peer.on('error', (error) => node.errors.push(error));
    peer.on('lost', (error) => node.errors.push(error));
    peer.handle('hold', async () => {
      runs++;
      // As long as the client is at the server that asked.
      const asker = node;
      await until(() => node !== asker);
      await turn();
      return 'held';
    });
    peer.handle('sum', async ({ items }) => (await collect<number>(items)).join());
    return peer;
  });
  const rounds: Round[] = [];
  const begin = async (peer: RpcPeer): Promise<void> => {
    const begun = await peer.call('name');
    const held = peer.call('hold');
    const counted = peer.call('count').then((stream) => collect<number>(stream));
    const echoed = peer.call('echo', { items: numbersTo(ITEMS) }).then((stream) => collect<number>(stream));
    rounds.push({ begun, held, counted, echoed });
  };

  for (const name of ['server 2', 'server 3', 'server 4']) {
    await Promise.all(clients.map(begin));
    await until(haveArrived);
    const former = node;
    node = new Node(name);
    nodes.push(node);
    url = await node.listen();
    const drained = former.sessions.drain({ deadlineMs: 30_000, spreadMs: 0 });
    // New calls are answered by the new server, while the former still has work.
    await until(haveArrived);
    expect(await Promise.all(clients.map((peer) => peer.call('name')))).toEqual(clients.map(() => name));
    expect(former.sessions.sessions).toHaveLength(CLIENTS);
    former.release();
    expect(await drained).toEqual({ moved: CLIENTS, finished: 0, cut: 0 });
    await former.stop();
  }
  node.release();

  for (const { begun, held, counted, echoed } of rounds) {
    expect(await held).toBe(begun);
    expect(await counted).toEqual(all);
    expect(await echoed).toEqual(all);
  }
  for (const { name, calls, peers, errors } of nodes.slice(0, 3)) {
    const results = await Promise.all(calls);
    expect(results).toEqual(peers.flatMap(() => ['held', all.join()]));
    expect([name, errors]).toEqual([name, []]);
    expect(peers.map((peer) => [peer.isClosed, peer.stats()])).toEqual(peers.map(() => [true, IDLE]));
  }
  expect(runs).toBe(4 * CLIENTS);
  await Promise.all(clients.map((peer) => peer.close()));
  await node.stop();
});

it('what was longer than the window had room for stays with the server that it was for', async () => {
  const stage = sessionStage();
  const { client: session, session: serverSession } = await stage.open({ queue: { maxBytes: 2000 } });
  const client = new RpcPeer(session, {}, stage.environment);
  const serve = (each: typeof serverSession, name: string): void => {
    new RpcPeer(each, {}, stage.environment).handle('name', () => name);
  };
  serve(serverSession, 'first');
  const padding = '.'.repeat(1500);
  // Little enough to be acknowledged later only, and more than there is room for beside it.
  const names = Promise.all([
    client.call('name', { padding: padding.slice(0, 800) }),
    client.call('name', { padding }),
  ]);
  await stage.pass(2);
  const other = stage.makeServer();
  other.on('session', (each) => serve(each, 'second'));
  stage.moveTo(other);
  const drained = stage.server.drain({ deadlineMs: 20_000, spreadMs: 0 });
  await stage.pass(3000);
  expect(await names).toEqual(['first', 'first']);
  const third = client.call('name', { padding });
  await stage.pass(100);
  expect(await third).toBe('second');
  expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
  const closed = client.close();
  await stage.pass(1000);
  await closed;
  await stage.end();
});
