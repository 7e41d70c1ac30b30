// A conversation between a client and a server through a proxy of its own, with windows so small that both ends wait for
// acknowledgements again and again; what each end received is judged when it is over.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  connectSession,
  type Data,
  type LivenessOptions,
  type ServerSession,
  type Session,
  SessionServer,
} from '../../../src/agent/index.js';
import type { CutMode, Direction } from '../../../src/cli/fault-pipe.js';
import { FaultProxy } from '../../../src/cli/fault-proxy.js';
import { type Cut, cutAfterEach, describeCut } from '../../support/cuts.js';
import { QUICK_BACKOFF } from './scene.js';

export interface ConversationOptions {
  /** Messages each way. */
  count: number;
  heartbeat: LivenessOptions;
  /** How long the opening, and the hello, may take. */
  openingTimeoutMs: number;
}

/** How long a conversation may take until it counts as stuck. */
const STUCK_AFTER_MS = 30_000;
/** Sessions that are under way at a time: most of their time they wait. */
const CONCURRENCY = 160;

/** A text, an escaped one, bytes, nothing at all, and now and then something longer. */
function payload(from: string, number: number): Data {
  const text = `${from}${number}`;
  if (number % 15 === 4) return text.padEnd(200, '.');
  switch (number % 5) {
    case 0:
      return number % 10 === 0 ? '' : `\u0001\u0001${text}`;
    case 1:
      return Uint8Array.from(text, (character) => character.charCodeAt(0));
    case 2:
      return `\u0001${text}`;
    default:
      return text;
  }
}

function expectedLog(from: string, count: number): Data[] {
  return Array.from({ length: count }, (_, i) => payload(from, i + 1));
}

function speak(session: Session, from: string, count: number): void {
  for (let number = 1; number <= count; number++) session.send(payload(from, number));
}

/** Both ends of one conversation. */
export interface Outcome {
  clientLog: Data[];
  serverLog: Data[];
  /** What arrived in sessions of which the client never learned. */
  strayLogs: Data[][];
  cuts: number;
  resumes: number;
  /** Bytes of the first connection, until its end, its cut, or the end of the conversation. */
  bytes: Record<Direction, number>;
}

/** One conversation for each byte of `direction`, cut there once. @returns how many there were, and how many resumed */
export async function cutAfterEachByte(
  options: ConversationOptions,
  direction: Direction,
  how: CutMode,
): Promise<{ conversations: number; resumed: number }> {
  const stage = new Stage(options);
  await stage.open();
  try {
    const uncut = await stage.converse();
    const wanted = JSON.stringify([expectedLog('s', options.count), expectedLog('c', options.count), []]);
    return await cutAfterEach(
      uncut.bytes[direction],
      { direction, how },
      CONCURRENCY,
      wanted,
      async (cut) => {
        const { clientLog, serverLog, strayLogs, cuts, resumes } = await stage.converse(cut);
        return { got: JSON.stringify([clientLog, serverLog, strayLogs.flat()]), cuts, resumes };
      },
    );
  } finally {
    await stage.close();
  }
}

/** A session server for many conversations, told apart by the path of the URL. */
export class Stage {
  readonly #httpServer = http.createServer();
  readonly #server: SessionServer;
  readonly #options: ConversationOptions;
  /** The sessions of each conversation, by the URL's path, and what they received. */
  readonly #logs = new Map<string, Map<ServerSession, Data[]>>();
  #begun = 0;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#server = new SessionServer({
      server: this.#httpServer,
      authenticate: ({ url }) => url,
      acknowledge: 'manual',
      queue: { maxMessages: 6, maxBytes: 500 },
      heartbeat: options.heartbeat,
      helloTimeoutMs: options.openingTimeoutMs,
    });
    this.#server.on('session', (session) => {
      const logs = this.#logs.get(session.principal);
      // A hello that was given up long ago may arrive when its conversation is over.
      if (logs === undefined) {
        session.terminate();
        return;
      }
      logs.set(session, take(session, options.count));
      speak(session, 's', options.count);
    });
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
    const { count, heartbeat, openingTimeoutMs } = this.#options;
    const { port } = this.#httpServer.address() as AddressInfo;
    const proxy = new FaultProxy({ port });
    await proxy.listen();
    if (cut !== undefined) proxy.cutAfter(cut.bytes, cut.direction, cut.how);
    const first = once(proxy, 'connection');
    // Of one length, so that each conversation has as many bytes.
    const path = `/${String(this.#begun++).padStart(6, '0')}`;
    const sessions = new Map<ServerSession, Data[]>();
    this.#logs.set(path, sessions);

    const client = connectSession(`ws://127.0.0.1:${proxy.address.port}${path}`, {
      acknowledge: 'manual',
      queue: { maxMessages: 6, maxBytes: 500 },
      heartbeat,
      connectTimeoutMs: openingTimeoutMs,
      backoff: QUICK_BACKOFF,
    });
    const clientLog = take(client, count);
    speak(client, 'c', count);
    const stuck = setTimeout(() => client.terminate(), STUCK_AFTER_MS);
    const [connection] = await first;
    let session: ServerSession | undefined;
    try {
      await received(client, count);
      session = [...sessions.keys()].find(({ id }) => id === client.id)!;
      await Promise.all([received(session, count), client.flush(), session.flush()]);
    } catch (error) {
      throw new Error(`${cut ? describeCut(cut) : 'the uncut one'} got stuck`, { cause: error });
    }
    clearTimeout(stuck);
    const { resumes } = client.stats();
    const bytes = { in: connection.bytesIn, out: connection.bytesOut };
    await client.close();
    for (const each of sessions.keys()) each.terminate();
    const { cut: cuts } = proxy.stats();
    await proxy.close();
    this.#logs.delete(path);
    const serverLog = sessions.get(session)!;
    sessions.delete(session);
    return { clientLog, serverLog, strayLogs: [...sessions.values()], cuts, resumes, bytes };
  }
}

/**
 * Takes messages at once but acknowledges them late, so that at a cut there are some that the peer has to send again and
 * that must not be taken twice.
 *
 * @returns what it took; grows
 */
function take(session: Session, count: number): Data[] {
  const log: Data[] = [];
  session.on('message', (data, number) => {
    log.push(typeof data === 'string' ? data : Uint8Array.from(data));
    session.acknowledge(number === count ? number : number - 2);
  });
  return log;
}

/** @throws (rejects) when the session is over before */
function received(session: Session, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    if (session.received >= count) resolve();
    session.on('message', (_data, number) => {
      if (number >= count) resolve();
    });
    session.on('close', reject);
  });
}
