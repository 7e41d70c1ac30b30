// Whatever comes, in bytes, in JSON, or as a message that is nearly right: a peer throws nothing into its process, answers no
// id that it was not asked, and goes on with its other calls. Over real sockets and sessions.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ClientSession, connectSession, type Session, SessionServer } from '../../../src/agent/index.js';
import { RpcPeer, type RpcSocket } from '../../../src/rpc/index.js';
import { WebSocket } from '../../../src/ws/websocket.js';
import { WebSocketServer } from '../../../src/ws/websocket-server.js';
import { until } from '../../support/tcp.js';
import { numbersTo } from './service.js';

/** Several in one run, so that what one leaves behind meets the next. */
const RUNS = { numRuns: Number(process.env.HAWSER_FUZZ_RUNS ?? 150) };

const id = fc.oneof(
  fc.integer({ min: -2, max: 12 }),
  fc.double(),
  fc.string({ maxLength: 5 }),
  fc.constantFrom('x'.repeat(1025), '__proto__', null, true),
);
const number = fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constantFrom(2 ** 53, 1e300, 0.5, '1', null));
const json = fc.jsonValue({ maxDepth: 3 });
const method = fc.constantFrom(
  'add',
  'count',
  'read',
  'fail',
  'missing',
  '__proto__',
  'constructor',
  'rpc.discover',
  '',
  '$/next',
  '$/end',
  '$/credit',
  '$/cancel',
  '$/progress',
  '$/unknown',
);
const error = fc.oneof(
  json,
  fc.record({ code: fc.oneof(fc.integer(), json), message: fc.oneof(fc.string(), json) }),
);
const params = fc.oneof(
  json,
  fc.record(
    {
      id,
      s: number,
      n: number,
      bytes: number,
      items: fc.oneof(fc.array(json, { maxLength: 70 }), json),
      progress: number,
      total: number,
      message: json,
      reason: json,
      error,
      to: number,
      a: number,
      b: fc.oneof(
        number,
        fc.record({ stream: number }),
        fc.record({ stream: fc.constant(null), value: json }),
      ),
    },
    { requiredKeys: [] },
  ),
  fc.array(fc.record({ stream: number }), { maxLength: 4 }),
);
/** Anything that a message may have, in any combination. */
const message = fc.record(
  {
    jsonrpc: fc.constantFrom('2.0', '2.0', '2.0', '2.0', '2.0', '2.0', '1.0', null),
    id,
    method: fc.oneof({ weight: 9, arbitrary: method }, { weight: 1, arbitrary: json }),
    params,
    result: fc.oneof(json, fc.record({ stream: number })),
    error,
    idempotencyKey: fc.oneof(fc.string(), json),
  },
  { requiredKeys: ['jsonrpc'] },
);
const text = fc.oneof(
  { weight: 8, arbitrary: message.map((value) => JSON.stringify(value)) },
  // A piece is missing, or is there twice.
  {
    weight: 2,
    arbitrary: fc
      .tuple(message, fc.nat(), fc.nat({ max: 9 }), fc.string({ maxLength: 4 }))
      .map(([value, at, cut, put]) => {
        const whole = JSON.stringify(value);
        const place = at % whole.length;
        return whole.slice(0, place) + put + whole.slice(place + cut);
      }),
  },
  { weight: 1, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
);
const data = fc.oneof(
  { weight: 12, arbitrary: text },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
);

function serve(peer: RpcPeer): void {
  peer.handle('add', ({ a, b }) => a + b);
  peer.handle('count', ({ to }) => numbersTo(Math.min(to, 100)));
  peer.handle('read', async (sent) => {
    for await (const item of Object.values(sent).find(isStream) ?? []) if (item === null) break;
  });
  peer.handle('fail', (sent) => {
    throw sent;
  });
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** The ids that somebody who sends these messages may get an answer for. */
function asked(messages: readonly (string | Uint8Array)[]): Set<unknown> {
  const ids = new Set<unknown>([null]);
  for (const each of messages) {
    try {
      const { id, method } = JSON.parse(each as string);
      if (method !== undefined) ids.add(id);
    } catch {}
  }
  return ids;
}

/** What is sent by hand, and what came back. */
interface Hand {
  send(data: string | Uint8Array): void;
  received: string[];
  isOver(): boolean;
  end(): void;
}

const uncaught: unknown[] = [];
const onUncaught = (error: unknown) => void uncaught.push(error);

beforeAll(() => {
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
});

afterAll(() => {
  process.off('uncaughtException', onUncaught);
  process.off('unhandledRejection', onUncaught);
});

describe('a peer that gets anything', () => {
  const peers: RpcPeer[] = [];
  let httpServer: http.Server;
  let sockets: WebSocketServer;
  let sessions: SessionServer;

  beforeEach(async () => {
    httpServer = http.createServer().listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(sockets, 'listening');
    sessions = new SessionServer({ server: httpServer });
    const onPeer = (connection: Session | WebSocket) => {
      const peer = new RpcPeer(connection as Session | RpcSocket);
      serve(peer);
      peers.push(peer);
    };
    sockets.on('connection', onPeer);
    sessions.on('session', onPeer);
  });

  afterEach(async () => {
    peers.length = 0;
    await sessions.close();
    sockets.close();
    httpServer.closeAllConnections();
    httpServer.close();
  });

  async function openSocket(): Promise<Hand> {
    const socket = new WebSocket(urlOf(sockets));
    const received: string[] = [];
    socket.on('message', (data) => received.push(String(data)));
    await once(socket, 'open');
    return {
      received,
      send: (data) => socket.send(data),
      isOver: () => socket.readyState > WebSocket.OPEN,
      end: () => socket.terminate(),
    };
  }

  async function openSession(): Promise<Hand> {
    const session: ClientSession = connectSession(urlOf(httpServer));
    const received: string[] = [];
    await session.ready;
    const { id } = session;
    session.on('message', (data) => received.push(String(data)));
    return {
      received,
      send: (data) => void session.send(data),
      // A stream that overran its credit has ended it, and another has begun.
      isOver: () => session.id !== id,
      end: () => session.terminate(),
    };
  }

  function urlOf(server: http.Server | WebSocketServer): string {
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** Sends all of it while a call of each end is under way; both must come to their end. */
  async function assertGoesOn(hand: Hand, messages: readonly (string | Uint8Array)[]): Promise<void> {
    const peer = peers.at(-1)!;
    let result: unknown;
    peer.call('by hand').then(
      (value) => (result = value),
      (reason) => (result = reason),
    );
    for (const each of messages) hand.send(each);
    hand.send('{"jsonrpc":"2.0","id":"proof","method":"add","params":{"a":40,"b":2}}');
    const proof = '{"jsonrpc":"2.0","id":"proof","result":42}';
    await until(() => hand.isOver() || hand.received.includes(proof));
    const ids = asked(messages).add('proof');
    for (const each of hand.received.map((answer) => JSON.parse(answer))) {
      if (each.method === undefined) expect([...ids]).toContainEqual(each.id);
    }
    if (!hand.isOver() && result === undefined) {
      const [call] = hand.received
        .map((each) => JSON.parse(each))
        .filter((each) => each.method === 'by hand');
      hand.send(JSON.stringify({ jsonrpc: '2.0', id: call.id, result: 'by hand' }));
      await until(() => hand.isOver() || result !== undefined);
    }
    expect(uncaught).toEqual([]);
  }

  it.each([
    ['socket', openSocket],
    ['session', openSession],
  ] as const)('over a %s -> it goes on', { timeout: 60_000 }, async (_name, open) => {
    let overruns = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(data, { maxLength: 30 }), async (messages) => {
        const hand = await open();
        await until(() => peers.length > 0);
        try {
          await assertGoesOn(hand, messages);
          if (hand.isOver()) overruns++;
        } finally {
          hand.end();
          peers.length = 0;
        }
      }),
      RUNS,
    );
    expect(overruns).toBeLessThan(RUNS.numRuns / 2);
  });
});
