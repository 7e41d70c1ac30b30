// What becomes of messages that cannot be sent at once: the policies, times to live and the event 'drop', at a whole session.
import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

/** A client whose attempt to connect stays without an answer until `connected`. */
function offline(options: ClientSessionOptions) {
  const stage = setUp();
  stage.network.isSilent = true;
  const client = stage.connect({ connectTimeoutMs: 1000, backoff: { baseMs: 1 }, ...options });
  const connected = async () => {
    stage.network.isSilent = false;
    await stage.pass(1100);
    return collect(stage.sessions[0]!);
  };
  return { ...stage, client, log: recordSession(client), connected };
}

const drop = (reason: string, data: string, key: unknown = undefined) => ['drop', { reason, data, key }];

describe('the queue of a session', () => {
  it('block: send() waits until the peer has acknowledged something', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ queue: { maxMessages: 2 } });
    const sends = ['a', 'b', 'c', 'd'].map((data) => client.send(data));
    await stage.pass(50);
    expect(await Promise.all(sends.map(outcomeOf))).toEqual(['accepted', 'accepted', 'pending', 'pending']);
    const received = collect(session);
    await stage.pass(300);
    expect(await Promise.all(sends)).toEqual(Array(4).fill('accepted'));
    expect(received).toEqual(['a', 'b', 'c', 'd']);
    await stage.end(client);
  });

  it('block: aborted while it waits -> never sent', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ queue: { maxMessages: 1 } });
    const controller = new AbortController();
    client.send('a');
    const waiting = client.send('b', { signal: controller.signal });
    client.send('c');
    controller.abort();
    expect(await outcomeOf(waiting)).toBe('aborted');
    const received = collect(session);
    await stage.pass(500);
    expect(received).toEqual(['a', 'c']);
    await stage.end(client);
  });

  it('error: rejects; when nobody looks, nothing happens', async () => {
    const { client, end } = offline({ queue: { maxMessages: 1, policy: 'error' } });
    expect(await client.send('a')).toBe('accepted');
    client.send('b');
    expect(await outcomeOf(client.send('c'))).toBe('queue-full');
    await end(client);
  });

  it('drop-oldest', async () => {
    const { client, log, connected, end } = offline({ queue: { maxMessages: 2, policy: 'drop-oldest' } });
    const sends = ['a', 'b', 'c'].map((data) => client.send(data));
    expect(await Promise.all(sends)).toEqual(['accepted', 'accepted', 'displaced']);
    expect([log, client.stats().dropped]).toEqual([[drop('full', 'a')], 1]);
    expect(await connected()).toEqual(['b', 'c']);
    await end(client);
  });

  it('drop-oldest, and all have been sent -> the new one', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ queue: { maxMessages: 1, policy: 'drop-oldest' } });
    expect(await Promise.all([client.send('a'), client.send('b')])).toEqual(['accepted', 'dropped']);
    await stage.pass(50);
    expect(collect(session)).toEqual(['a']);
    await stage.end(client);
  });

  it('drop-newest', async () => {
    const { client, log, connected, end } = offline({ queue: { maxMessages: 1, policy: 'drop-newest' } });
    expect(await Promise.all([client.send('a'), client.send('b')])).toEqual(['accepted', 'dropped']);
    expect(log).toEqual([drop('full', 'b')]);
    expect(await connected()).toEqual(['a']);
    await end(client);
  });

  it('conflate: only the newest of each key, in the place of the first', async () => {
    const { client, log, connected, end } = offline({ queue: { policy: 'conflate' } });
    const sends = ['x1', 'y1', 'x2'].map((data) => client.send(data, { key: data[0] }));
    expect(await Promise.all(sends)).toEqual(['accepted', 'accepted', 'displaced']);
    expect(log).toEqual([drop('conflated', 'x1', 'x')]);
    expect(await connected()).toEqual(['x2', 'y1']);
    await end(client);
  });

  it('volatile: only what can go out at once', async () => {
    const { client, log, connected, pass, end } = offline({ queue: { policy: 'volatile' } });
    expect(await client.send('a')).toBe('dropped');
    const received = await connected();
    expect(await client.send('b')).toBe('accepted');
    expect(log.filter(([name]) => name === 'drop')).toEqual([drop('volatile', 'a')]);
    await pass(5);
    expect(received).toEqual(['b']);
    await end(client);
  });

  it('a time to live: dropped when it is over, without anybody asking', async () => {
    const { client, log, connected, pass, end } = offline({ queue: { ttlMs: 400 } });
    client.send('a');
    client.send('b', { ttlMs: 5000 });
    // Earlier than what the timer was set for.
    client.send('c', { ttlMs: 100 });
    await pass(90);
    expect(log).toEqual([]);
    await pass(70);
    expect(log).toEqual([drop('expired', 'c')]);
    await pass(300);
    expect(log).toEqual([drop('expired', 'c'), drop('expired', 'a')]);
    expect(await connected()).toEqual(['b']);
    await end(client);
  });

  it('a time to live of a message that waits for room', async () => {
    const { client, pass, end } = offline({ queue: { maxMessages: 1 } });
    client.send('a');
    const waiting = client.send('b', { ttlMs: 100 });
    await pass(160);
    expect(await outcomeOf(waiting)).toBe('dropped');
    await end(client);
  });

  it.each([0, -1, Number.NaN])(
    'ttlMs: %d -> RangeError, whether or not it could be sent at once',
    async (ttlMs) => {
      const { client, connected, end } = offline({});
      await expect(client.send('a', { ttlMs })).rejects.toThrow(RangeError);
      await connected();
      await expect(client.send('a', { ttlMs })).rejects.toThrow(RangeError);
      expect(client.stats()).toMatchObject({ unsent: 0, unacked: 0 });
      await end(client);
    },
  );

  it('what was dropped is not waited for', async () => {
    const { client, connected, pass, end } = offline({});
    client.send('a');
    client.send('b', { ttlMs: 100 });
    const flushed = client.flush();
    await connected();
    await pass(300);
    expect(await outcomeOf(flushed)).toBeUndefined();
    await end(client);
  });

  it('who is told of a drop sends -> that is sent, too', async () => {
    const { client, connected, pass, end } = offline({ queue: { ttlMs: 100 } });
    client.on('drop', ({ data }) => client.send(`lost ${data}`, { ttlMs: 60_000 }));
    client.send('a');
    client.send('b');
    await pass(200);
    expect(await connected()).toEqual(['lost a', 'lost b']);
    await end(client);
  });

  it('who is told of a drop ends the session -> nothing is left', async () => {
    const { client, pass, end } = offline({ queue: { ttlMs: 100 } });
    client.on('drop', () => client.terminate());
    client.send('a');
    client.send('b', { ttlMs: 10_000 });
    await pass(200);
    expect(client.state).toBe('closed');
    await end();
  });

  it('the connection holds much -> messages wait without a number, and it is looked at again', async () => {
    const stage = setUp();
    const { client } = await stage.open({ queue: { policy: 'drop-oldest' } });
    const link = stage.network.last.client;
    link.bufferedAmount = 64 * 1024 + 1;
    client.send(new Uint8Array(16 * 1024));
    client.send('b');
    await stage.pass(100);
    expect(client.stats()).toMatchObject({ sent: 1, unsent: 1 });
    link.bufferedAmount = 0;
    await stage.pass(15);
    expect(client.stats()).toMatchObject({ sent: 2, unsent: 0 });
    await stage.end(client);
  });
});
