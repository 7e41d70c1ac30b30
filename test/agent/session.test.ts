// What both ends offer alike, shown at the client's end: sending, reading, numbers. The queue is in
// session-queue.test.ts, flush() and the end in session-end.test.ts.
import { describe, expect, it } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { collect, outcomeOf, sessionStage as setUp } from '../support/session-stage.js';

describe('send', () => {
  it('text and bytes, both ways, in order and as they were', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const [toServer, toClient] = [collect(session), collect(client)];
    const bytes = Uint8Array.of(1, 2);
    expect(await client.send('a')).toBe('accepted');
    client.send(bytes);
    bytes.fill(9);
    client.send('\u0001');
    session.send(new DataView(Uint8Array.of(0, 3, 4).buffer, 1));
    await stage.pass(5);
    expect(toServer).toEqual(['a', Uint8Array.of(1, 2), '\u0001']);
    expect(toClient).toEqual([Uint8Array.of(3, 4)]);
    await stage.end(client);
  });

  it('before the connection is there: waits, with bytes as they were', async () => {
    const stage = setUp();
    const client = stage.connect();
    const bytes = Uint8Array.of(1);
    expect(await client.send(bytes)).toBe('accepted');
    bytes.fill(9);
    await stage.pass(5);
    const received = collect(stage.sessions[0]!);
    await stage.pass(5);
    expect(received).toEqual([Uint8Array.of(1)]);
    await stage.end(client);
  });

  it('what is neither text nor bytes -> rejects', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    await expect(client.send(1 as never)).rejects.toThrow(TypeError);
    await stage.end(client);
  });

  it('an aborted signal -> rejects, and nothing is sent', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    expect(await outcomeOf(client.send('a', { signal: AbortSignal.abort() }))).toBe('aborted');
    expect(client.stats().sent).toBe(0);
    await stage.end(client);
  });

  it('larger than the queue -> too-large, also when there would be room on the connection', async () => {
    const stage = setUp();
    const { client } = await stage.open({ queue: { maxBytes: 4 } });
    expect(await outcomeOf(client.send('12345'))).toBe('too-large');
    expect(await client.send('1234')).toBe('accepted');
    await stage.end(client);
  });

  it('larger than the queue while something waits -> too-large', async () => {
    const stage = setUp();
    stage.network.isSilent = true;
    const client = stage.connect({ queue: { maxBytes: 10 } });
    expect(await outcomeOf(client.send('x'.repeat(11)))).toBe('too-large');
    expect(await outcomeOf(client.send('x'.repeat(10)))).toBe('accepted');
    await stage.end(client);
  });

  it('after the end -> rejects; when nobody looks, nothing happens', async () => {
    const stage = setUp();
    const { client } = await stage.open();
    client.terminate();
    // An unhandled rejection would end the test run.
    client.send('a');
    expect(await outcomeOf(client.send('b'))).toBe('closed');
    await stage.end();
  });

  it('waiting for room when the session ends -> rejects; when nobody looks, nothing happens', async () => {
    const stage = setUp();
    stage.network.isSilent = true;
    const client = stage.connect({ queue: { maxMessages: 1 } });
    client.send('a');
    client.send('b');
    const waiting = client.send('c');
    client.terminate();
    expect(await outcomeOf(waiting)).toBe('closed');
    await stage.end();
  });
});

describe('reading', () => {
  it('a loop gets all messages, may be left and begun again', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    for (const data of ['a', 'b', 'c']) session.send(data);
    await stage.pass(5);
    const read: unknown[] = [];
    for await (const data of client) {
      read.push(data);
      if (data === 'b') break;
    }
    expect([client.state, client.received]).toEqual(['open', 2]);
    for await (const data of client) {
      read.push(data);
      break;
    }
    expect(read).toEqual(['a', 'b', 'c']);
    await stage.end(client);
  });

  it('several loops share the messages', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const reads = [client, client, client].map((each) => each[Symbol.asyncIterator]().next());
    for (const data of ['a', 'b', 'c']) session.send(data);
    await stage.pass(5);
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual(['a', 'b', 'c']);
    await stage.end(client);
  });

  it('ends when the session ended on purpose, behind what has come', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    session.send('a');
    session.send('b');
    const read: unknown[] = [];
    const loop = (async () => {
      for await (const data of client) read.push(data);
    })();
    session.close();
    await stage.pass(300);
    await loop;
    expect(read).toEqual(['a', 'b']);
    await stage.end();
  });

  it('throws when the session failed, behind what has come', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    session.send('a');
    await stage.pass(5);
    stage.network.last.client.receive('\u0001malformed');
    const read: unknown[] = [];
    await expect(async () => {
      for await (const data of client) read.push(data);
    }).rejects.toMatchObject({ name: 'SessionError', code: 'protocol' });
    expect(read).toEqual(['a']);
    await stage.end();
  });

  it('several listeners get each message, with its number; a removed one does not', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const told: unknown[] = [];
    const first = (data: unknown, number: number): unknown => told.push(['first', data, number]);
    client.on('message', first).on('message', (data, number) => told.push(['second', data, number]));
    session.send('a');
    await stage.pass(5);
    client.off('message', first);
    session.send('b');
    await stage.pass(5);
    expect(told).toEqual([
      ['first', 'a', 1],
      ['second', 'a', 1],
      ['second', 'b', 2],
    ]);
    await stage.end(client);
  });

  it('manual: acknowledged one by one from within the listener', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ acknowledge: 'manual' });
    const read = collect(client);
    session.send('a');
    session.send('b');
    await stage.pass(300);
    expect([read, session.stats().acknowledged]).toEqual([['a', 'b'], 0]);
    client.acknowledge(1);
    await stage.pass(300);
    expect(session.stats().acknowledged).toBe(1);
    client.acknowledge();
    await stage.pass(300);
    expect(session.stats().acknowledged).toBe(2);
    expect(() => client.acknowledge(Number.NaN)).toThrow(RangeError);
    expect(() => client.acknowledge(1.5)).toThrow(RangeError);
    await stage.end(client);
  });
});

describe('what can be seen', () => {
  it('stats', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ queue: { maxMessages: 2 } });
    client.send('€');
    client.send('bb');
    client.send('c');
    session.send('x');
    await stage.pass(5);
    expect(client.stats()).toEqual({
      state: 'open',
      sent: 2,
      acknowledged: 0,
      received: 1,
      handedOver: 0,
      unsent: 0,
      unacked: 2,
      queuedBytes: 3,
      waiting: 1,
      dropped: 0,
      resumes: 0,
    });
    expect(session.stats()).toMatchObject({ state: 'open', sent: 1, received: 2, handedOver: 0 });
    await stage.end(client);
    expect(session.stats()).toMatchObject({ state: 'closed', sent: 1 });
  });

  it('debug.active() has both ends and the server, until each is over', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    expect(debug.active()).toMatchObject([
      { kind: 'session server', state: 'running', attached: 1 },
      { kind: 'client session', id: session.id, state: 'open', ageMs: 10 },
      { kind: 'server session', id: session.id, state: 'open' },
    ]);
    await stage.end(client);
  });
});
