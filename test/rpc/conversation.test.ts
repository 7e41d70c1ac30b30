// Where messages belong, and what is done about those that belong nowhere.
import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import { failed, fateOf, readAll, rejection, rpcError, useStage } from '../support/rpc-stage.js';

const stage = useStage();

const next = (s: number, items: unknown[] = [1]) => ({ method: '$/next', params: { s, items } });
const end = (s: number, error?: object) => ({ method: '$/end', params: { s, error } });

/** A peer that reads stream 1, whose items are the test's. */
async function reading(limits = {}) {
  const end = stage.alone({ limits });
  const call = end.peer.call('read');
  end.session.takeSent();
  end.session.receive({ id: 1, result: { stream: 1 } });
  return { ...end, stream: await call };
}

describe('what makes no sense', () => {
  it.each<[string, string | Uint8Array | object, number, unknown]>([
    ['no JSON', '{', RPC.PARSE_ERROR, 'not JSON'],
    ['bytes', new Uint8Array([123, 125]), RPC.INVALID_REQUEST, 'a message is a text'],
    [
      'a batch',
      '[{"jsonrpc":"2.0","id":1,"method":"add"}]',
      RPC.INVALID_REQUEST,
      expect.stringContaining('batch'),
    ],
    ['no message', '{}', RPC.INVALID_REQUEST, expect.any(String)],
    ['an id that is none', { id: null, method: 'add' }, RPC.INVALID_REQUEST, expect.any(String)],
    [
      'wrong params of ours',
      { method: '$/credit', params: { s: 1, n: -1, bytes: 1 } },
      RPC.INVALID_REQUEST,
      expect.any(String),
    ],
    ['items before their announcement', next(1), RPC.INVALID_REQUEST, 'stream 1 was never announced'],
    ['the end of what was never announced', end(2 ** 50), RPC.INVALID_REQUEST, expect.any(String)],
  ])('%s -> answered with id null, told here, and the peer goes on', async (_, message, code, reason) => {
    const { ask, errors, session, call } = stage.answering({ add: () => 1 });
    session.receive(message);
    expect(session.takeSent()).toEqual([failed(null, code, reason)]);
    expect(errors).toEqual([[rpcError(code, reason), {}]]);
    expect(await call(1, 'add')).toEqual([{ id: 1, result: 1 }]);
    expect(await ask({ method: '$/nothing' })).toEqual([]);
  });

  it.each([
    { id: 1, method: 5 },
    { id: 1, method: 'add', params: 'x' },
    { id: 1, method: 'add', idempotencyKey: '' },
  ])('%j -> answered with its id', async (message) => {
    const { ask, errors } = stage.answering({ add: () => 1 });
    expect(await ask(message)).toEqual([failed(1, RPC.INVALID_REQUEST)]);
    expect(errors).toEqual([[rpcError(RPC.INVALID_REQUEST), { id: 1 }]]);
  });

  it('an error with id null -> told here, and never answered', async () => {
    const { ask, errors } = stage.answering({});
    expect(await ask({ id: null, error: { code: 5, message: 'no', data: 1 } })).toEqual([]);
    expect(errors).toEqual([[rpcError(5, 'no', 1), {}]]);
  });

  it('two peers that make nothing of each other do not go on for ever', async () => {
    const { client, server } = stage.join();
    client.session.other!.receive('x');
    server.session.other!.receive('x');
    await stage.settle();
    await stage.settle();
    expect([client.session.sent.length, server.session.sent.length]).toEqual([1, 1]);
  });

  it('no room -> what was refused without an id is not answered', async () => {
    const { session, errors } = stage.answering({});
    session.hasRoom = false;
    for (let i = 0; i < 100; i++) session.receive('x');
    session.hasRoom = true;
    expect(session.takeSent()).toEqual([]);
    expect(errors).toHaveLength(100);
  });
});

describe('oversize', () => {
  const LONG = 'x'.repeat(1000);
  const limits = { messageBytes: 1000 };

  it('a message of exactly the limit is taken', async () => {
    const { ask } = stage.answering({ length: ([text]) => text.length }, { limits });
    const rest = '{"jsonrpc":"2.0","id":1,"method":"length","params":[""]}'.length;
    const message = (length: number) => ({ id: 1, method: 'length', params: ['x'.repeat(length - rest)] });
    expect(await ask(message(1000))).toEqual([{ id: 1, result: 1000 - rest }]);
    expect(await ask(message(1001))).toEqual([
      failed(1, RPC.TOO_LARGE, 'a message has a length of 1001, and at most 1000 are taken'),
    ]);
  });

  it('1 MiB by default', async () => {
    const { ask } = stage.answering({ length: ([text]) => text.length });
    const message = (length: number) =>
      `{"jsonrpc":"2.0","id":1,"method":"length","params":["${'x'.repeat(length)}"]}`;
    const rest = message(0).length;
    expect(await ask(message(2 ** 20 - rest))).toEqual([{ id: 1, result: 2 ** 20 - rest }]);
    expect(await ask(message(2 ** 20 - rest + 1))).toEqual([failed(1, RPC.TOO_LARGE)]);
  });

  it('a call whose id can be made out -> that is answered', async () => {
    const { ask, errors } = stage.answering({ add: () => 1 }, { limits });
    expect(await ask({ id: 'my "id"', method: 'add', params: [LONG] })).toEqual([
      failed('my "id"', RPC.TOO_LARGE),
    ]);
    expect(errors).toEqual([[rpcError(RPC.TOO_LARGE), { id: 'my "id"' }]]);
  });

  it.each([
    ['the id is behind', `{"jsonrpc":"2.0","method":"add","params":["${LONG}"],"id":1}`],
    ['a notification', `{"jsonrpc":"2.0","method":"log","params":["${LONG}"]}`],
    ['no JSON', LONG + LONG],
    ['an id that is no text', `{"jsonrpc":"2.0","id":"\\q","method":"${LONG}"}`],
  ])('%s -> answered with id null', async (_, text) => {
    const { ask, errors } = stage.answering({ add: () => 1, log: () => {} }, { limits });
    expect(await ask(text)).toEqual([failed(null, RPC.TOO_LARGE)]);
    expect(errors).toEqual([[rpcError(RPC.TOO_LARGE), {}]]);
  });

  it.each([{ result: LONG }, { error: { code: 5, message: LONG } }])(
    'an answer -> only its call fails, and nothing is answered',
    async (answer) => {
      const { peer, session, errors } = stage.alone({ limits });
      const calls = [peer.call('a'), peer.call('b')];
      session.takeSent();
      session.receive({ id: 1, ...answer });
      expect(await rejection(calls[0]!)).toEqual(rpcError(RPC.TOO_LARGE));
      expect(await fateOf(calls[1]!)).toBe('pending');
      expect(session.takeSent()).toEqual([]);
      expect(errors).toEqual([[rpcError(RPC.TOO_LARGE), { id: 1 }]]);
    },
  );

  it('items -> their stream fails, because it has a gap, and the producer is told', async () => {
    const { stream, session } = await reading(limits);
    session.receive(next(1, ['first']));
    session.receive(next(1, [LONG]));
    session.receive(next(1, ['last']));
    expect(await stream.next()).toEqual({ done: false, value: 'first' });
    expect(await rejection(stream.next())).toEqual(rpcError(RPC.TOO_LARGE));
    expect(session.takeSent()).toEqual([
      { method: '$/cancel', params: { s: 1 } },
      failed(null, RPC.TOO_LARGE),
    ]);
  });
});

describe('frames of streams out of order', () => {
  it('items, and a second end, after the end -> ignored', async () => {
    const { stream, session, errors } = await reading();
    session.receive(next(1, ['a']));
    session.receive(end(1));
    session.receive(next(1, ['b']));
    session.receive(end(1, { code: 5, message: 'no' }));
    expect(await readAll(stream)).toEqual(['a']);
    expect([session.takeSent(), errors, session.failure]).toEqual([[], [], undefined]);
  });

  it('items after we cancelled -> ignored, however many', async () => {
    const { stream, session, errors } = await reading();
    await stream.cancel();
    for (let i = 0; i < 1000; i++) session.receive(next(1, Array(64).fill(1)));
    session.receive(end(1));
    expect(session.takeSent()).toEqual([{ method: '$/cancel', params: { s: 1 } }]);
    expect([errors, session.failure]).toEqual([[], undefined]);
  });

  it('credit for nobody, or huge -> taken as it is', async () => {
    const { session, errors, call } = stage.answering({
      count: async function* () {
        for (let i = 0; i < 200; i++) yield i;
      },
    });
    session.receive({ method: '$/credit', params: { s: 1, n: 5, bytes: 5 } });
    await call(1, 'count');
    for (let i = 0; i < 3; i++) {
      session.receive({
        method: '$/credit',
        params: { s: 1, n: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER },
      });
      await stage.settle();
    }
    const items = session.takeSent().flatMap(({ params }) => (params as { items?: unknown[] }).items ?? []);
    expect(items).toHaveLength(136);
    expect(errors).toEqual([]);
  });

  it('the producer cannot be told what to do with the consumer’s streams, nor the other way round', async () => {
    const { stream, session } = await reading();
    session.receive({ method: '$/cancel', params: { s: 1 } });
    session.receive({ method: '$/credit', params: { s: 1, n: 1, bytes: 1 } });
    session.receive(next(1, ['a']));
    expect(await stream.next()).toEqual({ done: false, value: 'a' });
  });
});

describe('credit overrun', () => {
  it('65 items -> the session is given up as corrupt', async () => {
    const { stream, session, errors, peer } = await reading();
    session.receive(next(1, Array(64).fill(1)));
    expect(session.failure).toBeUndefined();
    const waiting = peer.call('wait');
    session.receive(next(1));
    expect(session.failure).toBe('stream 1 has sent more than its credit');
    expect(errors).toEqual([[rpcError(RPC.INVALID_REQUEST, 'stream 1 has sent more than its credit'), {}]]);
    expect(await rejection(waiting)).toEqual(rpcError(RPC.LOST));
    expect(peer.isClosed).toBe(true);
    expect(await rejection(readAll(stream))).toEqual(rpcError(RPC.LOST));
  });

  it('one message too many of 262,144 code units -> the same', async () => {
    const { session } = await reading();
    session.receive(next(1, ['x'.repeat(262_144)]));
    expect(session.failure).toBeUndefined();
    session.receive(next(1));
    expect(session.failure).toBeDefined();
  });

  it('65 items in one message -> the same', async () => {
    const { session } = await reading();
    session.receive(next(1, Array(65).fill(1)));
    expect(session.failure).toBeDefined();
  });

  it('nothing is heard after it', async () => {
    const { session, peer } = await reading();
    let runs = 0;
    peer.handle('add', () => ++runs);
    session.receive(next(1, Array(65).fill(1)));
    session.receive({ id: 1, method: 'add' });
    expect(runs).toBe(0);
  });
});
