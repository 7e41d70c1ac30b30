import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConformanceCase, Encounter } from '../../src/conform/case.js';
import { OpeningFailed } from '../../src/conform/opening.js';
import { RawConnection } from '../../src/conform/raw-connection.js';
import { runCase } from '../../src/conform/run-case.js';
import { fakeCase, never, ok } from './fake-case.js';
import { dialPlain, endPairs, listen } from './tcp-pair.js';

afterEach(endPairs);

/** Runs a case against a server that only takes connections. */
async function run(one: ConformanceCase, limitMs?: number) {
  const accepted: Socket[] = [];
  const { port } = await listen((socket) => accepted.push(socket));
  const dialled: Socket[] = [];
  const result = await runCase(one, {
    agent: 'tested',
    ...(limitMs !== undefined && { limitMs }),
    encounter: (log, own): Encounter => ({
      subject: 'server',
      url: new URL(`ws://127.0.0.1:${port}/`),
      log,
      memory: { handshakeKeys: new Set() },
      connect: async () => {
        const socket = await dialPlain(port);
        dialled.push(socket);
        return own(new RawConnection(socket, log));
      },
    }),
  });
  return { result, dialled, accepted };
}

describe('a case', () => {
  it('has a result with all that is known of it', async () => {
    const { result } = await run(
      fakeCase('1.2.3', async ({ log }) => {
        log.note('something');
        return { ...ok('It went well.'), peerClose: { code: 1000, reason: 'bye' }, droppedBy: 'peer' };
      }),
    );
    expect(result).toEqual({
      id: '1.2.3',
      agent: 'tested',
      subject: 'server',
      behavior: 'OK',
      behaviorClose: 'OK',
      finding: 'It went well.',
      peerClose: { code: 1000, reason: 'bye' },
      testerClose: null,
      droppedBy: 'peer',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      durationMs: expect.any(Number),
      wire: [{ kind: 'note', atMs: expect.any(Number), text: 'something' }],
    });
  });

  it.each<[string, () => Promise<never>, RegExp]>([
    ['rejects', () => Promise.reject(new Error('oops')), /^The case itself broke: Error: oops\n/],
    ['rejects with no error', () => Promise.reject(undefined), /^The case itself broke: undefined$/],
    [
      'throws before it returns',
      () => {
        throw new TypeError('at once');
      },
      /^The case itself broke: TypeError: at once/,
    ],
    ['cannot open', () => Promise.reject(new OpeningFailed('No 101.')), /^No 101\.$/],
  ])('that %s has FAILED, and says why', async (_name, body, finding) => {
    const { result } = await run(fakeCase('a', body));
    expect(result).toMatchObject({
      behavior: 'FAILED',
      behaviorClose: 'FAILED',
      peerClose: null,
      droppedBy: null,
    });
    expect(result.finding).toMatch(finding);
  });

  it.each([
    ['its own limit', 20, undefined],
    ['the limit of the run', 60_000, 20],
  ])('that hangs has FAILED at %s, and its connection is closed', async (_name, own, ofRun) => {
    const hanging = fakeCase(
      'a',
      async ({ connect }) => {
        await connect();
        return never();
      },
      { limitMs: own },
    );
    const { result, dialled } = await run(hanging, ofRun);
    expect(result.finding).toBe('The case did not end within 0.02 s.');
    expect(dialled.map(({ destroyed }) => destroyed)).toEqual(dialled.map(() => true));
  });

  it('has no longer than its own limit, also where the run allows more', async () => {
    const { result } = await run(fakeCase('a', never, { limitMs: 5 }), 60_000);
    expect(result.finding).toBe('The case did not end within 0.005 s.');
  });

  it.each<[string, (encounter: Encounter) => Promise<ReturnType<typeof ok>>]>([
    ['ends well', async () => ok()],
    ['throws', () => Promise.reject(new Error('oops'))],
  ])('that %s leaves no socket behind', async (_name, end) => {
    const { dialled, accepted } = await run(
      fakeCase('a', async (encounter) => {
        await Promise.all([encounter.connect(), encounter.connect(), encounter.connect()]);
        return end(encounter);
      }),
    );
    expect(dialled.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
    await Promise.all(accepted.map((socket) => socket.resume().readableEnded || once(socket, 'end')));
  });

  it('that connects when its time is over gets a connection that is closed already', async () => {
    let late: Promise<RawConnection> | undefined;
    let go = (): void => {};
    const goes = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { result, dialled } = await run(
      fakeCase(
        'a',
        ({ connect }) => {
          late = goes.then(connect);
          return never();
        },
        { limitMs: 5 },
      ),
    );
    expect(result.behavior).toBe('FAILED');
    go();
    const connection = await late!;
    expect(connection).toMatchObject({ canWrite: false, droppedBy: 'tester' });
    expect(dialled[0]!.destroyed).toBe(true);
  });

  it('that breaks when its time is over breaks nothing else', async () => {
    const rejections = vi.fn();
    process.on('unhandledRejection', rejections);
    let fail = (_error: Error): void => {};
    const failing = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    await run(fakeCase('a', () => failing, { limitMs: 5 }));
    fail(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', rejections);
    expect(rejections).not.toHaveBeenCalled();
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const timersBefore = vi.getTimerCount();
    await run(fakeCase('a', async () => ok(), { limitMs: 60_000 }));
    await run(fakeCase('a', () => Promise.reject(new Error('oops')), { limitMs: 60_000 }));
    expect(vi.getTimerCount()).toBe(timersBefore);
    vi.useRealTimers();
  });
});
