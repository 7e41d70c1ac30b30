// The session at a server that goes away, while a layer above keeps it for what is under way there. What a client does by
// itself when a server goes away is in client-session-drain.test.ts.
import { describe, expect, it, vi } from 'vitest';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import type { ClientSession } from '../../src/agent/client-session.js';
import type { SessionError } from '../../src/agent/errors.js';
import type { FormerSession } from '../../src/agent/former-session.js';
import type { Data } from '../../src/agent/link.js';
import { collect, outcomeOf, recordSession, sessionStage as setUp } from '../support/session-stage.js';

interface Setting extends ClientSessionOptions {
  deadlineMs?: number;
  /** Whether somebody keeps the former session. */
  isKept?: boolean;
  /** Whether the application of the former server takes what is sent. */
  isTaken?: boolean;
  onMoved?: (former: FormerSession, client: ClientSession) => void;
}

/** A client that has moved from one server to another. */
async function moved(setting: Setting = {}) {
  const { deadlineMs = 30_000, isKept = true, isTaken = true, onMoved, ...options } = setting;
  const stage = setUp();
  const { client, session } = await stage.open(options);
  const log = recordSession(client);
  const toClient = collect(client);
  const told: unknown[][] = [];
  let former!: FormerSession;
  client.on('moved', (it) => {
    former = it;
    log.push(['moved']);
    onMoved?.(it, client);
    if (!isKept) return;
    it.keep({
      onMessage: (data: Data) => told.push(['message', data]),
      onRoom: () => told.push(['room']),
      onEnd: (error: SessionError | undefined, unacked: Data[]) => told.push(['end', error?.code, unacked]),
    });
  });
  const toOld = isTaken ? collect(session) : [];
  const link = stage.network.last.client;
  stage.moveTo(stage.makeServer());
  const drained = stage.server.drain({ deadlineMs, spreadMs: 0 });
  await stage.pass(60);
  const next = stage.sessions[1]!;
  return { stage, client, session, next, log, toClient, told, former, toOld, link, drained };
}

const names = (log: unknown[][]) => log.map(([name]) => name);
const countOfByes = (messages: unknown[]) =>
  messages.filter((message) => (message as { t?: string }).t === 'bye').length;

describe('a former session', () => {
  it('is told of before anything of the new session', async () => {
    const { stage, client, session, next, log, former } = await moved();
    expect(names(log)).toEqual(['drain', 'moved', 'open']);
    expect([former.id, client.id]).toEqual([session.id, next.id]);
    await stage.end(client);
  });

  it('nobody keeps it -> the client leaves at once', async () => {
    const { stage, client, session, former, link, drained } = await moved({ isKept: false });
    expect([countOfByes(link.messages), session.state]).toEqual([1, 'closed']);
    expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
    expect(former.hasRoom).toBe(false);
    expect(() => former.send('a')).toThrow('the session is closed');
    await stage.end(client);
  });

  it('goes on in both directions, apart from the new one, until it is released', async () => {
    const { stage, client, session, next, toClient, told, former, toOld, link, drained } = await moved();
    const toNew = collect(next);
    const bytes = Uint8Array.of(1);
    former.send('a');
    former.send(bytes);
    bytes.fill(2);
    client.send('b');
    session.send('x');
    next.send('y');
    const flushed = [client.flush(), session.flush()].map(outcomeOf);
    await stage.pass(10_000);
    expect([toOld, toNew]).toEqual([['a', Uint8Array.of(1)], ['b']]);
    expect([told, toClient]).toEqual([[['message', 'x']], ['y']]);
    expect(await Promise.all(flushed)).toEqual(['pending', 'pending']);
    expect([client.stats().unacked, session.stats().unacked]).toEqual([0, 0]);
    expect([session.state, countOfByes(link.messages)]).toEqual(['open', 0]);
    former.release();
    await stage.pass(60);
    expect(told).toEqual([
      ['message', 'x'],
      ['end', undefined, []],
    ]);
    expect([countOfByes(link.messages), session.state]).toEqual([1, 'closed']);
    expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
    await stage.end(client);
  });

  it('released while something is not acknowledged -> ends when it is', async () => {
    const { stage, client, told, former, link } = await moved();
    former.send('a');
    former.release();
    former.release();
    expect([former.hasRoom, countOfByes(link.messages)]).toEqual([false, 0]);
    await stage.pass(400);
    expect([countOfByes(link.messages), told]).toEqual([1, [['end', undefined, []]]]);
    await stage.end(client);
  });

  it('what the server had still to say goes to who kept it, also after the release', async () => {
    const { stage, client, session, toClient, told, former, drained } = await moved();
    session.send('x');
    session.send('y');
    former.release();
    expect(() => former.send('a')).toThrow('the session is closed');
    await stage.pass(400);
    expect([toClient, told]).toEqual([
      [],
      [
        ['message', 'x'],
        ['message', 'y'],
        ['end', undefined, []],
      ],
    ]);
    expect(await drained).toMatchObject({ moved: 1, cut: 0 });
    await stage.end(client);
  });

  it('released at once after a message -> the server need not wait for its acknowledgement', async () => {
    const { stage, client, session, told, former } = await moved();
    session.send('x');
    await stage.pass(5);
    former.release();
    await stage.pass(10);
    expect([told.length, session.state]).toEqual([2, 'closed']);
    await stage.end(client);
  });

  it('what waited for a reader is handed to who keeps it', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const toKeeper: Data[] = [];
    client.on('moved', (former) =>
      former.keep({ onMessage: (data) => toKeeper.push(data), onEnd: () => {} }),
    );
    session.send('x');
    session.send('y');
    stage.moveTo(stage.makeServer());
    stage.server.drain({ spreadMs: 0 });
    await stage.pass(60);
    stage.sessions[1]!.send('z');
    session.send('late');
    await stage.pass(60);
    expect([toKeeper, collect(client), client.received]).toEqual([['x', 'y', 'late'], ['z'], 4]);
    await stage.pass(300);
    expect([session.stats().unacked, stage.sessions[1]!.stats().unacked]).toEqual([0, 0]);
    await stage.end(client);
  });

  it('who reads in a loop waits for the new session', async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    client.on('moved', (former) => former.keep({ onMessage() {}, onEnd() {} }));
    const next = client[Symbol.asyncIterator]().next();
    stage.moveTo(stage.makeServer());
    stage.server.drain({ spreadMs: 0 });
    await stage.pass(60);
    session.send('x');
    await stage.pass(60);
    stage.sessions[1]!.send('y');
    await stage.pass(60);
    expect(await next).toEqual({ done: false, value: 'y' });
    await stage.end(client);
  });

  it('acknowledged by hand, like what comes to the session itself', async () => {
    const { stage, client, session, told } = await moved({ acknowledge: 'manual' });
    session.send('x');
    await stage.pass(400);
    expect([told, session.stats().unacked]).toEqual([[['message', 'x']], 1]);
    client.acknowledge();
    await stage.pass(400);
    expect(session.stats().unacked).toBe(0);
    await stage.end(client);
  });

  it('what waits in the queue at the move goes to the new server', async () => {
    const stage = setUp();
    const { client, session } = await stage.open({ queue: { maxMessages: 1 } });
    client.on('moved', (former) => {
      former.keep({ onMessage() {}, onEnd() {} });
      client.send('c');
    });
    client.send('a');
    client.send('b');
    stage.moveTo(stage.makeServer());
    stage.server.drain({ spreadMs: 0 });
    await stage.pass(60);
    const toNew = collect(stage.sessions[1]!);
    const toOld = collect(session);
    await stage.pass(1000);
    expect([toOld, toNew]).toEqual([['a'], ['b', 'c']]);
    await stage.end(client);
  });

  it('is kept by one, and only at the time of the move', async () => {
    const handler = { onMessage: vi.fn(), onEnd: vi.fn() };
    const attempts: unknown[] = [];
    const attempt = (former: FormerSession) => {
      try {
        former.keep(handler);
        attempts.push('kept');
      } catch (error) {
        attempts.push((error as Error).message);
      }
    };
    const late = await moved({ isKept: false, deadlineMs: 1000 });
    attempt(late.former);
    await late.stage.end(late.client);
    const twice = await moved({
      isKept: false,
      onMoved: (former) => {
        attempt(former);
        attempt(former);
      },
    });
    await twice.stage.end(twice.client);
    const refused = expect.stringContaining("one listener of 'moved'");
    expect(attempts).toEqual([refused, 'kept', refused]);
  });
});

describe('room on the way to a former server', () => {
  it('its window, and the news that there is room again', async () => {
    const { stage, client, told, former, toOld } = await moved({ queue: { maxBytes: 10 } });
    expect([former.hasRoom, former.hasRoomFor(10)]).toEqual([true, true]);
    former.send('1234');
    expect([former.hasRoom, former.hasRoomFor(6)]).toEqual([true, true]);
    former.send('123456');
    expect(former.hasRoom).toBe(false);
    expect(() => former.send('7')).toThrow(expect.objectContaining({ code: 'queue-full' }));
    await stage.pass(300);
    expect([told, toOld, former.hasRoom]).toEqual([[['room']], ['1234', '123456'], true]);
    await stage.end(client);
  });

  it('a congested connection that does not tell when it is no longer is looked at', async () => {
    const { stage, client, told, former, link } = await moved();
    link.bufferedAmount = 2 ** 20;
    former.send('x'.repeat(20_000));
    expect(former.hasRoom).toBe(false);
    link.bufferedAmount = 0;
    await stage.pass(15);
    expect(told).toEqual([['room']]);
    await stage.end(client);
  });

  it('none is told of once it is released', async () => {
    const { stage, client, told, former, link } = await moved();
    link.bufferedAmount = 2 ** 20;
    former.send('x'.repeat(20_000));
    expect(former.hasRoom).toBe(false);
    former.release();
    link.bufferedAmount = 0;
    await stage.pass(500);
    expect(told).toEqual([['end', undefined, []]]);
    await stage.end(client);
  });
});

describe('the end of a former session that is kept', () => {
  it('the deadline of the drain -> cut, told to who kept it and not as a loss of the session', async () => {
    const { stage, client, log, told, former, drained } = await moved({
      deadlineMs: 500,
      isTaken: false,
    });
    former.send('a');
    const flushed = client.flush();
    await stage.pass(1000);
    expect(told).toEqual([['end', 'lost', ['a']]]);
    expect(await drained).toEqual({ moved: 0, finished: 0, cut: 1 });
    expect(await outcomeOf(flushed)).toBe('lost');
    expect([names(log), client.state]).toEqual([['drain', 'moved', 'open'], 'open']);
    expect(former.hasRoom).toBe(false);
    await stage.end(client);
  });

  it('the connection is lost -> it is over, and nobody connects again for it', async () => {
    const { stage, client, session, told, link } = await moved({ deadlineMs: 5000 });
    link.end();
    expect(told).toEqual([['end', 'lost', []]]);
    const { length } = stage.network.connections;
    await stage.pass(1000);
    expect([stage.network.connections.length, client.state, session.state]).toEqual([length, 'open', 'open']);
    await stage.end(client);
    expect(told).toHaveLength(1);
  });

  it('the server ends the session -> no error, unless it has not taken everything', async () => {
    const orderly = await moved();
    orderly.session.close();
    await orderly.stage.pass(60);
    expect(orderly.told).toEqual([['end', undefined, []]]);
    await orderly.stage.end(orderly.client);
    const { stage, client, session, told, former } = await moved({ isTaken: false });
    former.send('a');
    await stage.pass(60);
    session.close();
    await stage.pass(60);
    expect(told).toEqual([['end', 'lost', ['a']]]);
    await stage.end(client);
  });

  it('the server breaks the rules -> only this session ends', async () => {
    const { stage, client, told, link } = await moved();
    link.receive('\u0001nonsense');
    expect([told, link.closeCode, client.state]).toEqual([[['end', 'lost', []]], 4400, 'open']);
    await stage.end(client);
  });

  it('who kept it says that the server broke a rule -> 4500, once', async () => {
    const { stage, client, session, told, former, link } = await moved();
    former.fail('more items than there was credit for');
    former.fail('again');
    await stage.pass(60);
    expect([told, link.closeCode]).toEqual([[['end', 'lost', []]], 4500]);
    expect([client.state, session.state]).toEqual(['open', 'closed']);
    await stage.end(client);
  });

  it('a server that never closes is given up some time after its deadline', async () => {
    const { stage, client, told, link } = await moved({ deadlineMs: 1000 });
    // Nothing comes from there any more.
    stage.network.connections[0]!.server.peer = undefined;
    await stage.pass(5500);
    expect(told).toEqual([]);
    await stage.pass(600);
    expect([told, link.isReleased]).toEqual([[['end', 'lost', []]], true]);
    await stage.end(client);
  });

  it('close() of the session says bye to the former server, too', async () => {
    const { stage, client, session, log, told, link, drained } = await moved();
    const closed = client.close();
    await stage.pass(60);
    await closed;
    expect([told, names(log).at(-1)]).toEqual([[['end', undefined, []]], 'close']);
    expect([countOfByes(link.messages), link.closeCode, session.state]).toEqual([1, 1000, 'closed']);
    expect(await drained).toEqual({ moved: 1, finished: 0, cut: 0 });
    await stage.end();
  });

  it('the session is aborted -> told with the reason', async () => {
    const controller = new AbortController();
    const { stage, told } = await moved({ signal: controller.signal });
    controller.abort();
    expect(told).toEqual([['end', 'aborted', []]]);
    await stage.end();
  });

  it('the session is terminated -> over; what was not acknowledged is in the event', async () => {
    const { stage, client, log, told, former, link } = await moved();
    former.send('a');
    client.terminate();
    expect([told, link.isReleased]).toEqual([[['end', undefined, []]], true]);
    expect(log.at(-1)).toMatchObject(['close', { unacked: ['a'] }]);
    former.release();
    former.fail('late');
    expect(countOfByes(link.messages)).toBe(0);
    await stage.end(client);
  });

  it('the session is terminated when it moves -> nothing goes on, and nobody can keep anything', async () => {
    const keep = vi.fn((former: FormerSession) => former.keep({ onMessage() {}, onEnd() {} }));
    const { stage, client, link, log } = await moved({
      isKept: false,
      onMoved: (former, session) => {
        session.terminate();
        try {
          keep(former);
        } catch {
          // Looked at below.
        }
      },
    });
    expect([client.state, names(log), countOfByes(link.messages)]).toEqual([
      'closed',
      ['drain', 'moved', 'close'],
      0,
    ]);
    expect(keep.mock.results).toEqual([{ type: 'throw', value: expect.any(Error) }]);
    await stage.end(client);
  });
});
