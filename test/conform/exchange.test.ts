import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Encounter } from '../../src/conform/case.js';
import {
  type Exchange,
  exchangeCase,
  finishClosing,
  runExchange,
  takeSteps,
} from '../../src/conform/exchange.js';
import { serializeFrame } from '../../src/conform/frame.js';
import { cycled } from '../../src/conform/payload.js';
import {
  alone,
  binary,
  bytes,
  chopped,
  close,
  fragmented,
  pause,
  ping,
  text,
} from '../../src/conform/step.js';
import { Tester } from '../../src/conform/tester.js';
import { closePayload, type WireFrame } from '../support/frames.js';
import { upgradeRequest } from '../support/raw-peer.js';
import { StubConnection } from './stub-connection.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets time pass until it is over, and says how much did. */
async function passed<T>(work: Promise<T>): Promise<{ result: T; ms: number }> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  let ms = 0;
  for (; !isOver && ms < 60_000; ms++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (!isOver) await vi.advanceTimersByTimeAsync(1);
  }
  return { result: await done, ms };
}

describe('steps are taken', () => {
  const take = async (...steps: Parameters<typeof takeSteps>[1]) => {
    const connection = new StubConnection();
    const tester = new Tester(connection.asConnection, 'client');
    await takeSteps(tester, steps);
    return { ...connection, tester, writes: connection.writes, sent: connection.sent };
  };

  it('as one write for frames that follow each other', async () => {
    expect((await take(text('abc'), binary('d'), ping())).writes).toEqual([5 + 3 + 2]);
  });

  it('as writes of their own for frames that are to be alone', async () => {
    expect((await take(text('abc'), alone(binary('d')), ping(), ping())).writes).toEqual([5, 3, 4]);
  });

  it('in pieces where they are chopped, behind what comes before them', async () => {
    expect((await take(ping(), chopped(2, text('abc')))).writes).toEqual([2, 2, 2, 1]);
  });

  it('header first, then the payload bit by bit', async () => {
    const head = { do: 'head' as const, frame: { opcode: 1, payload: 'abcde' } };
    const { writes, sent } = await take(head, { do: 'body', bytes: 2 }, { do: 'body', bytes: 3 });
    expect(writes).toEqual([2, 2, 3]);
    expect(sent.map(({ payload }) => payload.toString())).toEqual(['abcde']);
  });

  it('as fragments, many of them in one write', async () => {
    const { writes, sent } = await take(fragmented(2, cycled('x', 100_000), 1000));
    expect(sent.map(({ opcode, fin }) => `${opcode}${fin ? ' fin' : ''}`)).toEqual([
      '2',
      ...Array(99).fill('0'),
      '0 fin',
    ]);
    expect(Buffer.concat(sent.map(({ payload }) => payload))).toHaveLength(100_000);
    expect(writes.length).toBe(2);
  });

  it('as any bytes, which the log shows', async () => {
    const { writes, tester } = await take(bytes(Uint8Array.of(0xff, 0xff)));
    expect(writes).toEqual([2]);
    expect(tester.connection.log.records).toMatchObject([{ kind: 'bytes', from: 'tester', length: 2 }]);
  });

  it('with a pause that ends in a mark', async () => {
    const { result, ms } = await passed(take(ping(), pause(200, 'A'), ping()));
    expect(result.writes).toEqual([2, 2]);
    expect(result.tester.events).toEqual([{ type: 'mark', mark: 'A' }]);
    expect(ms).toBeGreaterThanOrEqual(200);
  });

  it('no further than a pause with a mark behind which the connection is ending', async () => {
    const { result, ms } = await passed(take(close(1000), pause(200, 'A'), ping(), pause(1)));
    expect(result.sent.map(({ opcode }) => opcode)).toEqual([8]);
    expect(result.tester.events).toEqual([]);
    expect(ms).toBeLessThan(200);
  });
});

/** A client under test which does as `onSent` says; everything is played in memory. */
function meet(exchange: Partial<Exchange>, onSent: (frame: WireFrame, peer: StubConnection) => void) {
  const connection = new StubConnection();
  connection.request = { head: Buffer.from(upgradeRequest()) };
  connection.onSent = (frame) => queueMicrotask(() => onSent(frame, connection));
  const encounter: Encounter = {
    subject: 'client',
    url: new URL('ws://127.0.0.1/'),
    log: connection.log,
    memory: { handshakeKeys: new Set() },
    connect: () => Promise.resolve(connection.asConnection),
  };
  const whole: Exchange = {
    steps: [text('hi')],
    outcomes: [{ behavior: 'OK', events: [{ type: 'text', payload: 'hi' }] }],
    close: { by: 'tester', codes: [1000], isClean: true },
    ...exchange,
  };
  return { connection, run: passed(runExchange(encounter, whole)) };
}

const echo = ({ opcode, payload }: WireFrame, peer: StubConnection): void => {
  if (opcode !== 10) peer.receive(serializeFrame({ opcode, payload }, 'server').bytes);
};

describe('an exchange', () => {
  it('with a peer that echoes is over as soon as everything has come, where it is told so', async () => {
    const { connection, run } = meet({ closesOnMatch: true }, echo);
    const { result, ms } = await run;
    expect(result).toMatchObject({
      behavior: 'OK',
      behaviorClose: 'OK',
      peerClose: { code: 1000 },
      testerClose: { code: 1000 },
      droppedBy: 'tester',
    });
    expect(ms).toBeLessThan(10);
    expect(connection.head).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('otherwise waits for more, and then ends with 1001', async () => {
    const { result, ms } = await meet({ patienceMs: 300 }, echo).run;
    expect(result).toMatchObject({
      behavior: 'OK',
      behaviorClose: 'WRONG CODE',
      testerClose: { code: 1001 },
    });
    expect(ms).toBeGreaterThanOrEqual(300);
    expect(ms).toBeLessThan(400);
  });

  it('ends without a code where it is told so', async () => {
    const { result } = await meet({ patienceMs: 1, endsWith: 'no code' }, echo).run;
    expect(result).toMatchObject({ behaviorClose: 'OK', testerClose: { code: null } });
  });

  it('with a peer that is silent ends in bounded time', async () => {
    const { result, ms } = await meet({ closesOnMatch: true }, () => {}).run;
    expect(result).toMatchObject({ behavior: 'FAILED', behaviorClose: 'UNCLEAN', peerClose: null });
    expect(result.finding).toContain('no message');
    expect(ms).toBeLessThan(3100);
  });

  it('with a peer that goes away is over at once', async () => {
    const { result, ms } = await meet({}, (_frame, peer) => peer.peerEnds()).run;
    expect(result).toMatchObject({ behavior: 'FAILED', behaviorClose: 'FAILED', droppedBy: 'peer' });
    expect(ms).toBeLessThan(10);
  });

  it('with a peer that closes waits for no message any more', async () => {
    const { result, ms } = await meet(
      { close: { by: 'peer', codes: [1002], isClean: true } },
      (_frame, peer) =>
        peer.receive(serializeFrame({ opcode: 8, payload: closePayload(1002) }, 'server').bytes),
    ).run;
    expect(result).toMatchObject({ behavior: 'FAILED', behaviorClose: 'OK', peerClose: { code: 1002 } });
    expect(ms).toBeLessThan(10);
  });

  it('that only shows something is INFORMATIONAL, however it ends', async () => {
    const { result } = await meet({ isInformational: true }, (_frame, peer) => peer.peerEnds()).run;
    expect(result).toMatchObject({ behavior: 'INFORMATIONAL', behaviorClose: 'INFORMATIONAL' });
  });

  it('can be failed by what else must hold', async () => {
    const { result } = await meet({ closesOnMatch: true, alsoCheck: () => 'It was blue.' }, echo).run;
    expect(result).toMatchObject({ behavior: 'FAILED', behaviorClose: 'OK' });
    expect(result.finding).toMatch(/^It was blue\. The peer sent/);
  });

  it('is a case with a limit of 15 seconds, unless it says another', () => {
    const exchange = { steps: [], outcomes: [], close: { by: 'tester' as const, codes: [], isClean: false } };
    const facts = { id: 'x' } as Parameters<typeof exchangeCase>[0];
    expect(exchangeCase(facts, exchange).limitMs).toBe(15_000);
    expect(exchangeCase({ ...facts, limitMs: 5 }, exchange).limitMs).toBe(5);
  });
});

describe('closing is seen through', () => {
  it('towards a server by waiting a second for it to end TCP, and ending it then', async () => {
    const connection = new StubConnection();
    const tester = new Tester(connection.asConnection, 'server');
    await tester.close(1000);
    connection.receive(serializeFrame({ opcode: 8 }, 'client').bytes);
    const { ms } = await passed(finishClosing(tester));
    expect(connection.droppedBy).toBe('tester');
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(ms).toBeLessThan(1100);
  });

  it('with more patience where the case asks for it', async () => {
    const connection = new StubConnection();
    const tester = new Tester(connection.asConnection, 'server');
    await tester.close(1000);
    const { ms } = await passed(finishClosing(tester, 5000));
    expect(connection.droppedBy).toBe('tester');
    expect(ms).toBeGreaterThanOrEqual(5000);
    expect(ms).toBeLessThan(5100);
  });

  it('towards a client by ending TCP at once, and cutting it off when the client does not', async () => {
    const connection = new StubConnection();
    connection.endsToo = false;
    const tester = new Tester(connection.asConnection, 'client');
    await tester.close(1000);
    connection.receive(serializeFrame({ opcode: 8 }, 'server').bytes);
    const { ms } = await passed(finishClosing(tester));
    expect(connection.isOver).toBe(true);
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(ms).toBeLessThan(1100);
  });
});
