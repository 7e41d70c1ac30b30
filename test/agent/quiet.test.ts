import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionError, type SessionErrorCode } from '../../src/agent/errors.js';
import { forgiveEnd, quiet, quietDeferred } from '../../src/agent/quiet.js';
import { sessionStage as setUp } from '../support/session-stage.js';

const unhandled: unknown[] = [];
const note = (error: unknown): number => unhandled.push(error);
let others: NodeJS.UnhandledRejectionListener[] = [];

beforeEach(() => {
  others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
  unhandled.length = 0;
});
afterEach(() => {
  process.off('unhandledRejection', note);
  for (const listener of others) process.on('unhandledRejection', listener);
});

/** Unhandled rejections are told after the microtasks. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('quiet', () => {
  it('a rejection that nobody awaits -> not told; who awaits it gets it', async () => {
    const rejected = quiet(Promise.reject(new Error('no')));
    const deferred = quietDeferred();
    deferred.reject(new Error('nor this'));
    await turn();
    expect(unhandled).toEqual([]);
    await expect(rejected).rejects.toThrow('no');
    await expect(deferred.promise).rejects.toThrow('nor this');
  });
});

describe('forgiveEnd', () => {
  it.each<SessionErrorCode>([
    'closed',
    'lost',
    'unauthorized',
    'superseded',
    'protocol',
    'refused',
    'aborted',
  ])('SessionError %s -> forgiven', async (code) => {
    forgiveEnd(Promise.reject(new SessionError(code, '')));
    await turn();
    expect(unhandled).toEqual([]);
  });

  it.each([new SessionError('queue-full', ''), new SessionError('too-large', ''), new TypeError('a bug')])(
    '%s -> unhandled, as it is',
    async (error) => {
      forgiveEnd(Promise.reject(error));
      await turn();
      expect(unhandled).toEqual([error]);
    },
  );
});

describe('async listeners', () => {
  it('the client does not come back -> the server lives, and is told by the event', async () => {
    const stage = setUp();
    const codes: unknown[] = [];
    stage.server.on('session', async (session) => {
      session.on('close', ({ error }) => codes.push(error?.code));
      for await (const message of session) await session.send(message);
    });
    const { client, session } = await stage.open();
    client.terminate();
    await stage.pass(200_000);
    await turn();
    expect([session.state, codes, unhandled]).toEqual(['closed', ['closed'], []]);
    await stage.end(client);
  });

  it("a listener of 'message' that fails otherwise -> an unhandled rejection", async () => {
    const stage = setUp();
    const { client, session } = await stage.open();
    const bug = new TypeError('a bug');
    session.on('message', async () => {
      throw bug;
    });
    client.send('x');
    await stage.pass(100);
    await turn();
    expect(unhandled).toEqual([bug]);
    await stage.end(client);
  });
});
