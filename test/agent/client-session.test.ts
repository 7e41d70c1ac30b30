// The client's end: connecting, coming back, giving up. Lost sessions are in client-session-lost.test.ts, moving to another
// server in client-session-drain.test.ts, what both ends offer in session.test.ts.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { serializeControl } from '../../src/agent/control.js';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

const namesOf = (log: unknown[][]): unknown[] => log.map(([name]) => name);

describe('connecting', () => {
  it('asks for everything anew at each attempt', async () => {
    const stage = setUp();
    let attempt = 0;
    const client = stage.connect({
      headers: async () => ({ Authorization: `token ${++attempt}` }),
      subprotocols: () => ['mine'],
      maxMessageBytes: 5,
      connectTimeoutMs: 3000,
    });
    await stage.pass(10);
    stage.network.cut();
    await stage.pass(1000);
    expect(stage.network.connections.map(({ request }) => request)).toEqual(
      [1, 2].map((each) => ({
        url: 'ws://server',
        subprotocols: ['mine'],
        headers: { Authorization: `token ${each}` },
        maxPayload: 5,
        timeoutMs: 3000,
      })),
    );
    await stage.end(client);
  });

  it('the hello: what it can hold, whether it can ping, no session yet', async () => {
    const stage = setUp();
    const client = stage.connect({ queue: { maxMessages: 7, maxBytes: 70 } });
    await stage.environment.settle();
    stage.network.last.client.ping = undefined;
    await stage.pass(10);
    const caps = { messages: 7, bytes: 70, ping: false };
    expect(stage.network.last.client.messages).toEqual([{ t: 'hello', v: 1, gen: 1, recv: 0, caps }]);
    await stage.end(client);
  });

  it('state and ready over a whole life', async () => {
    const stage = setUp();
    const client = stage.connect();
    expect([client.state, client.id, await outcomeOf(client.ready)]).toEqual([
      'connecting',
      undefined,
      'pending',
    ]);
    await stage.pass(10);
    expect([client.state, client.id, await outcomeOf(client.ready)]).toEqual([
      'open',
      stage.sessions[0]!.id,
      undefined,
    ]);
    const first = client.ready;
    stage.network.cut();
    expect([client.state, await outcomeOf(client.ready)]).toEqual(['reconnecting', 'pending']);
    expect(client.ready).not.toBe(first);
    await stage.pass(1000);
    expect([client.state, await outcomeOf(client.ready)]).toEqual(['open', undefined]);
    const opened = client.ready;
    client.terminate();
    expect([client.state, await outcomeOf(opened)]).toEqual(['closed', undefined]);
    expect(await outcomeOf(client.ready)).toBe('closed');
    await stage.end();
  });

  it('ready rejects when the session ends before it was open', async () => {
    const stage = setUp();
    stage.network.refusal = { code: 1006, reason: '', status: 401 };
    const client = stage.connect();
    await stage.pass(10);
    await expect(client.ready).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    await stage.end();
  });
});

describe('coming back', () => {
  it('with the same session: what is not acknowledged goes again, both ways', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const logs = [recordSession(client), recordSession(session)];
    const [toServer, toClient] = [collect(session), collect(client)];
    client.send('a');
    session.send('x');
    await stage.pass(5);
    client.send('b');
    session.send('y');
    stage.network.cut();
    client.send('c');
    await stage.pass(1000);
    expect([toServer, toClient]).toEqual([
      ['a', 'b', 'c'],
      ['x', 'y'],
    ]);
    const reconnecting = [
      'reconnecting',
      { attempt: 1, delayMs: expect.any(Number), code: 1006, error: undefined },
    ];
    expect(logs).toEqual([
      [reconnecting, ['resumed', { replayed: 1 }]],
      [
        ['detached', { code: 1006 }],
        ['resumed', { replayed: 1 }],
      ],
    ]);
    expect([client.stats().resumes, session.stats().resumes, stage.sessions.length]).toEqual([1, 1, 1]);
    await stage.end(client);
  });

  it('each hello has a higher generation, also those that got no answer', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    stage.network.cut();
    await stage.pass(1000);
    stage.network.cut();
    await stage.pass(1000);
    const hellos = stage.network.connections.map(({ client }) => client.messages[0]);
    const { id: sid } = client;
    expect(hellos).toMatchObject([{ gen: 1 }, { gen: 2, sid }, { gen: 3, sid }]);
    await stage.end(client);
  });

  it('the hello says what was read, not what has come', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    for (const data of ['a', 'b']) session.send(data);
    await stage.pass(5);
    for await (const data of client) if (data === 'a') break;
    stage.network.cut();
    await stage.pass(1000);
    expect(stage.network.last.client.messages[0]).toMatchObject({ t: 'hello', recv: 1 });
    expect(collect(client)).toEqual(['b']);
    await stage.end(client);
  });

  it('a server that is not there: again and again, ever later; Retry-After is honoured', async () => {
    const stage = setUp();
    stage.network.refusal = { code: 1006, reason: '', status: 503, retryAfterMs: 2000 };
    const client = stage.connect();
    const log = recordSession(client);
    await stage.pass(50);
    expect(log).toMatchObject([['reconnecting', { attempt: 1, code: 503 }]]);
    expect((log[0]![1] as { delayMs: number }).delayMs).toBeGreaterThanOrEqual(2000);
    await stage.pass(1900);
    expect(stage.network.connections).toHaveLength(1);
    stage.network.refusal = undefined;
    await stage.pass(2200);
    expect([client.state, namesOf(log)]).toEqual(['open', ['reconnecting', 'open']]);
    await stage.end(client);
  });

  it('a silent server -> given up after the timeout', async () => {
    const stage = setUp();
    stage.network.isSilent = true;
    const client = stage.connect({ connectTimeoutMs: 500 });
    const log = recordSession(client);
    await stage.pass(600);
    expect(log).toMatchObject([['reconnecting', { attempt: 1, code: 4408 }]]);
    expect(stage.network.connections[0]!.client.isReleased).toBe(true);
    await stage.end(client);
  });

  it('the user decides what is final', async () => {
    const stage = setUp();
    const { client } = await stage.open({ shouldRetry: ({ code }) => code !== 1006 });
    const log = recordSession(client);
    stage.network.cut();
    expect(log).toMatchObject([['close', { code: 1006, error: { code: 'refused' } }]]);
    await stage.end();
  });

  it.each([
    [1000, undefined],
    [1008, 'refused'],
    [4400, 'protocol'],
    [4401, 'unauthorized'],
    [4403, 'unauthorized'],
    [4409, 'superseded'],
  ])('closed with %d -> stops, error %s', async (code, error) => {
    const stage = setUp();
    const { client } = await stage.open();
    const log = recordSession(client);
    client.send('a');
    stage.network.last.client.end({ code, reason: 'why' });
    expect(log).toEqual([
      [
        'close',
        {
          code,
          reason: 'why',
          ...(error && { error: expect.objectContaining({ code: error, closeCode: code }) }),
          unsent: [],
          unacked: ['a'],
        },
      ],
    ]);
    await stage.end();
  });

  it.each([1001, 1006, 1011, 1012, 4408, 3000])('closed with %d -> comes back', async (code) => {
    const stage = setUp();
    const { client } = await stage.open();
    stage.network.last.client.end({ code, reason: '' });
    expect(client.state).toBe('reconnecting');
    await stage.end(client);
  });

  it('what is no welcome -> stops', async () => {
    const stage = setUp();
    const client = stage.connect();
    await stage.environment.settle();
    const log = recordSession(client);
    stage.environment.advance(1);
    stage.network.last.client.receive('data');
    expect(log).toMatchObject([['close', { code: 4400, error: { code: 'protocol' } }]]);
    await stage.end();
  });

  it('counters of the server that cannot be -> 4500, and a new session', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const log = recordSession(client);
    client.send('a');
    stage.network.last.client.receive(serializeControl({ t: 'a', r: 7, s: 0 }));
    expect(log).toMatchObject([
      ['sessionlost', { unsent: [], unacked: ['a'], reason: 'corrupt' }],
      ['reconnecting', { code: 4500 }],
    ]);
    await stage.pass(1000);
    expect([session.state, client.state, client.id === session.id]).toEqual(['closed', 'open', false]);
    await stage.end(client);
  });
});

describe('the owner’s signal', () => {
  it('aborted -> bye, ended with the error, and the listener is gone', async () => {
    const stage = setUp();
    const controller = new AbortController();
    const { client, session } = await stage.open({ signal: controller.signal });
    const log = recordSession(client);
    controller.abort(new Error('enough'));
    expect(log).toMatchObject([
      ['close', { code: 1000, error: { code: 'aborted', cause: { message: 'enough' } } }],
    ]);
    await stage.pass(10);
    expect([client.state, session.state]).toEqual(['closed', 'closed']);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await stage.end();
  });

  it('aborted before -> nothing is tried', async () => {
    const stage = setUp();
    const client = stage.connect({ signal: AbortSignal.abort() });
    await stage.pass(10);
    expect([client.state, await outcomeOf(client.ready), stage.network.connections]).toEqual([
      'closed',
      'aborted',
      [],
    ]);
    await stage.end();
  });

  it('ended otherwise -> the listener is gone, too', async () => {
    const stage = setUp();
    const { signal } = new AbortController();
    const { client } = await stage.open({ signal });
    client.terminate();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await stage.end();
  });
});

describe('ended meanwhile', () => {
  it.each(['connecting', 'waiting to come back'])('%s -> nothing is left', async (when) => {
    const stage = setUp();
    const client = stage.connect();
    if (when === 'waiting to come back') {
      await stage.pass(10);
      stage.network.cut();
    }
    client.terminate();
    await stage.pass(5000);
    expect(stage.network.connections.length).toBe(when === 'connecting' ? 0 : 1);
    await stage.end();
  });
});
