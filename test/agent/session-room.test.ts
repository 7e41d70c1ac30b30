// Whether there is room, and the event 'room': for layers above that keep their own messages until these can go out.
import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import { collect, sessionStage as setUp } from '../support/session-stage.js';

/** A session with a small window, and how often there was room again. */
async function small(options: ClientSessionOptions = { queue: { maxMessages: 2 } }) {
  const stage = setUp();
  const { client, session } = await stage.open(options);
  const rooms: number[] = [];
  client.on('room', () => rooms.push(client.stats().unacked));
  return { stage, client, session, rooms, link: stage.network.last.client };
}

describe('hasRoom', () => {
  it('at either end: a connection, nothing that waits, and a window that is not used up', async () => {
    const { stage, client, session } = await small();
    for (const end of [client, session]) {
      expect(end.hasRoom).toBe(true);
      end.send('a');
      expect(end.hasRoom).toBe(true);
      end.send('b');
      expect(end.hasRoom).toBe(false);
    }
    await stage.end(client);
  });

  it('no connection, or a session that is closing -> none', async () => {
    const { stage, client, session } = await small();
    stage.network.cut();
    expect([client.hasRoom, session.hasRoom]).toEqual([false, false]);
    await stage.pass(1000);
    expect([client.hasRoom, session.hasRoom]).toEqual([true, true]);
    client.send('a');
    const closed = client.close();
    expect(client.hasRoom).toBe(false);
    collect(session);
    await stage.pass(500);
    await closed;
    expect(client.hasRoom).toBe(false);
    await stage.end();
  });

  it('a send() that waits -> none, although the window has room', async () => {
    const { stage, client } = await small({ queue: { maxBytes: 10 } });
    client.send('12345');
    expect(client.hasRoom).toBe(true);
    expect([client.hasRoomFor(5), client.hasRoomFor(6)]).toEqual([true, false]);
    client.send('123456');
    expect(client.hasRoom).toBe(false);
    await stage.end(client);
  });

  it('says what the options were', async () => {
    const stage = setUp({ queue: { policy: 'error' } });
    const { client, session } = await stage.open({ resend: 'unsent' });
    expect([client.policy, session.policy]).toEqual(['block', 'error']);
    expect(client.resend).toBe('unsent');
    const other = stage.connect();
    expect(other.resend).toBe('none');
    await stage.end(client, other);
  });
});

describe("the event 'room'", () => {
  it('once, after hasRoom was found false', async () => {
    const { stage, client, session, rooms } = await small();
    collect(session);
    client.send('a');
    client.send('b');
    await stage.pass(300);
    // Nobody has looked, and nothing waited.
    expect(rooms).toEqual([]);
    client.send('c');
    client.send('d');
    expect(client.hasRoom).toBe(false);
    await stage.pass(300);
    expect(rooms).toEqual([1]);
    await stage.pass(1000);
    expect(rooms).toHaveLength(1);
    await stage.end(client);
  });

  it('after a send() that had to wait, once that is on its way', async () => {
    const { stage, client, session, rooms } = await small();
    for (const data of ['a', 'b', 'c']) client.send(data);
    await stage.pass(300);
    expect(rooms).toEqual([]);
    collect(session);
    await stage.pass(300);
    expect(rooms).toEqual([1]);
    await stage.end(client);
  });

  it('after a resume', async () => {
    const { stage, client, rooms } = await small();
    stage.network.cut();
    expect(client.hasRoom).toBe(false);
    await stage.pass(1000);
    expect(rooms).toEqual([0]);
    await stage.end(client);
  });

  it('when there is room for the shortest message that had none', async () => {
    const { stage, client, session, rooms } = await small({ queue: { maxBytes: 10 } });
    collect(session);
    client.send('12345');
    client.send('6789');
    expect([client.hasRoomFor(2), client.hasRoomFor(10)]).toEqual([false, false]);
    await stage.pass(10);
    // The first is acknowledged: room for 2, and not for 10.
    expect([rooms, client.hasRoomFor(10)]).toEqual([[1], false]);
    await stage.pass(300);
    expect(rooms).toEqual([1, 0]);
    await stage.end(client);
  });

  it('a listener that sends until there is none again is not called again from within', async () => {
    const { stage, client, session } = await small();
    const received = collect(session);
    let depth = 0;
    let calls = 0;
    client.on('room', () => {
      depth++;
      calls++;
      expect(depth).toBe(1);
      if (calls < 4) while (client.hasRoom) client.send(`${calls}`);
      // One more, which waits and goes out with the next acknowledgement.
      if (calls < 4) client.send('more');
      depth--;
    });
    client.send('a');
    client.send('b');
    expect(client.hasRoom).toBe(false);
    await stage.pass(2000);
    expect(calls).toBe(4);
    expect(received).toEqual(['a', 'b', '1', 'more', '2', 'more', '3', 'more']);
    await stage.end(client);
  });

  it('room that comes while a listener is told -> told again afterwards', async () => {
    const { stage, client, link } = await small({});
    const log: unknown[] = [];
    client.on('room', () => {
      if (log.push('begin') > 1) return;
      link.bufferedAmount = 2 ** 20;
      client.send('x'.repeat(20_000));
      log.push(client.hasRoom);
      link.bufferedAmount = 0;
      link.handler!.onDrain!();
      log.push(client.hasRoom, 'end');
    });
    link.bufferedAmount = 2 ** 20;
    client.send('x'.repeat(20_000));
    expect(client.hasRoom).toBe(false);
    link.bufferedAmount = 0;
    await stage.pass(15);
    expect(log).toEqual(['begin', false, true, 'end', 'begin']);
    await stage.end(client);
  });

  it('a congested connection that does not tell when it is no longer is looked at', async () => {
    const { stage, client, rooms, link } = await small({});
    link.bufferedAmount = 2 ** 20;
    client.send('x'.repeat(20_000));
    expect(client.stats().unsent).toBe(0);
    expect(client.hasRoom).toBe(false);
    await stage.pass(50);
    expect(rooms).toEqual([]);
    link.bufferedAmount = 0;
    await stage.pass(15);
    expect(rooms).toEqual([1]);
    await stage.end(client);
  });

  it('congested by what had waited for the window -> looked at, too', async () => {
    const { stage, client, session, rooms, link } = await small({ queue: { maxMessages: 1 } });
    client.send('a');
    client.send('x'.repeat(20_000));
    link.bufferedAmount = 2 ** 20;
    session.once('message', () => {});
    await stage.pass(300);
    expect([client.stats().unsent, client.stats().unacked, rooms]).toEqual([0, 1, []]);
    collect(session);
    await stage.pass(300);
    expect([client.stats().unacked, rooms]).toEqual([0, []]);
    link.bufferedAmount = 0;
    await stage.pass(15);
    expect(rooms).toEqual([0]);
    await stage.end(client);
  });

  it('not any more once the session is closing or over', async () => {
    const { stage, client, session, rooms } = await small();
    client.send('a');
    client.send('b');
    expect(client.hasRoom).toBe(false);
    const closed = client.close();
    collect(session);
    await stage.pass(500);
    await closed;
    expect(rooms).toEqual([]);
    await stage.end();
  });

  it('nobody listens -> nothing happens', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ queue: { maxMessages: 1 } });
    collect(session);
    client.send('a');
    client.send('b');
    await stage.pass(500);
    expect(client.hasRoom).toBe(true);
    await stage.end(client);
  });
});
