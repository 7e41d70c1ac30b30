// A talk in both directions over a session whose connection goes through a proxy of its own and is cut once, after each byte in
// turn. The windows are so small that both ends wait for room.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  connectSession,
  type LivenessOptions,
  type ServerSession,
  SessionServer,
} from '../../../src/agent/index.js';
import type { CutMode, Direction } from '../../../src/cli/fault-pipe.js';
import { FaultProxy } from '../../../src/cli/fault-proxy.js';
import { RpcPeer } from '../../../src/rpc/index.js';
import { QUICK_BACKOFF } from '../../agent/faults/scene.js';
import { type Cut, cutAfterEach, describeCut } from '../../support/cuts.js';
import { until } from '../../support/tcp.js';
import {
  type Counts,
  expectedCounts,
  expectedTalk,
  type Service,
  type Size,
  serve,
  talk,
} from './service.js';

export interface ConversationOptions {
  size: Size;
  heartbeat: LivenessOptions;
  /** How long the opening, and the hello, may take. */
  openingTimeoutMs: number;
  /** Conversations that are under way at a time: most of their time they wait. */
  concurrency: number;
}

interface Outcome {
  /** What the client and the server came to know, and what their handlers did. */
  client: End;
  server: End;
  cuts: number;
  resumes: number;
  /** Bytes of the first connection. */
  bytes: Record<Direction, number>;
}

interface End {
  results: unknown[];
  counts: Counts;
}

/** The server's half of a conversation. */
interface Half {
  session: ServerSession;
  peer: RpcPeer<Service, Service>;
  counts: Counts;
  results: Promise<unknown[]>;
}

const QUEUE = { maxMessages: 16, maxBytes: 4000 };
/** How long a conversation may take until it counts as stuck. */
const STUCK_AFTER_MS = 30_000;
/** Nobody is given up. */
const PATIENT = { heartbeat: { intervalMs: 25_000, timeoutMs: 20_000 }, openingTimeoutMs: 10_000 };

/** One conversation for each byte of `direction`, cut there once. @returns how many there were, and how many resumed */
export async function cutAfterEachByte(
  options: ConversationOptions,
  direction: Direction,
  how: CutMode,
): Promise<{ conversations: number; resumed: number }> {
  const { [direction]: conversations } = await bytesOfUncut(options);
  const stage = new Stage(options);
  await stage.open();
  try {
    const end = { results: expectedTalk(options.size), counts: expectedCounts(options.size) };
    const wanted = JSON.stringify([end, end].map(inOrder));
    return await cutAfterEach(conversations, { direction, how }, options.concurrency, wanted, async (cut) => {
      const { client, server, cuts, resumes } = await stage.converse(cut);
      return { got: JSON.stringify([client, server].map(inOrder)), cuts, resumes };
    });
  } finally {
    await stage.close();
  }
}

async function bytesOfUncut(options: ConversationOptions): Promise<Record<Direction, number>> {
  const stage = new Stage({ ...options, ...PATIENT });
  await stage.open();
  try {
    return (await stage.converse()).bytes;
  } finally {
    await stage.close();
  }
}

function inOrder({ results, counts }: End): unknown[] {
  return [results, Object.entries(counts).sort()];
}

/** A session server for many conversations, told apart by the path of the URL. */
class Stage {
  readonly #httpServer = http.createServer();
  readonly #server: SessionServer;
  readonly #options: ConversationOptions;
  /** By the URL's path. A client may never have learned of the first. */
  readonly #halves = new Map<string, Half[]>();
  #begun = 0;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#server = new SessionServer({
      server: this.#httpServer,
      authenticate: ({ url }) => url,
      queue: QUEUE,
      heartbeat: options.heartbeat,
      helloTimeoutMs: options.openingTimeoutMs,
    });
    this.#server.on('session', (session) => this.#onSession(session));
  }

  async open(): Promise<void> {
    this.#httpServer.listen(0, '127.0.0.1');
    await once(this.#httpServer, 'listening');
  }

  async close(): Promise<void> {
    await this.#server.close();
    this.#httpServer.closeAllConnections();
    this.#httpServer.close();
  }

  async converse(cut?: Cut): Promise<Outcome> {
    const { size, heartbeat, openingTimeoutMs } = this.#options;
    const { port } = this.#httpServer.address() as AddressInfo;
    const proxy = new FaultProxy({ port });
    await proxy.listen();
    if (cut !== undefined) proxy.cutAfter(cut.bytes, cut.direction, cut.how);
    const first = once(proxy, 'connection');
    // Of one length, so that each conversation has as many bytes.
    const path = `/${String(this.#begun++).padStart(6, '0')}`;
    const halves: Half[] = [];
    this.#halves.set(path, halves);

    const session = connectSession(`ws://127.0.0.1:${proxy.address.port}${path}`, {
      queue: QUEUE,
      heartbeat,
      connectTimeoutMs: openingTimeoutMs,
      backoff: QUICK_BACKOFF,
    });
    const peer = new RpcPeer<Service, Service>(session);
    const counts = serve(peer);
    const stuck = setTimeout(() => session.terminate(), STUCK_AFTER_MS);
    const [connection] = await first;
    try {
      const results = await talk(peer, size);
      const half = halves.find(({ session: { id } }) => id === session.id)!;
      const client = { results, counts };
      const server = { results: await half.results, counts: half.counts };
      await until(() => isIdle(peer) && isIdle(half.peer));
      // Later, and it would not be part of what was recorded.
      const bytes = { in: connection.bytesIn, out: connection.bytesOut };
      const { resumes } = session.stats();
      clearTimeout(stuck);
      await peer.close();
      const { cut: cuts } = proxy.stats();
      return { client, server, cuts, resumes, bytes };
    } catch (error) {
      throw new Error(`${cut ? describeCut(cut) : 'the uncut one'} failed`, { cause: error });
    } finally {
      for (const half of halves) half.session.terminate();
      await proxy.close();
      this.#halves.delete(path);
    }
  }

  #onSession(session: ServerSession): void {
    const halves = this.#halves.get(session.principal);
    // A hello that was given up long ago may arrive when its conversation is over.
    if (halves === undefined) {
      session.terminate();
      return;
    }
    const peer = new RpcPeer<Service, Service>(session);
    const counts = serve(peer);
    const results = talk(peer, this.#options.size);
    // One that its client never learned of fails when it is ended.
    results.catch(() => {});
    halves.push({ session, peer, counts, results });
  }
}

function isIdle(peer: RpcPeer): boolean {
  return peer.isClosed || Object.values(peer.stats()).every((count) => count === 0);
}
