// Calls with an idempotency key that are made again because their connection was lost, and whose keys they are.
import { describe, expect, it } from 'vitest';
import { MemoryIdempotencyStore } from '../../src/agent/idempotency.js';
import { FakeSession, useStage } from '../support/rpc-stage.js';

const stage = useStage();

describe('a call is made again under its key', () => {
  /** `work` ends as its `end` says, or when nobody waits for it any more. */
  function working(principal?: string) {
    const store = new MemoryIdempotencyStore({ environment: stage.environment });
    const ends: ((result: unknown) => void)[] = [];
    const handlers = {
      work: (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise((resolve, reject) => {
          ends.push(resolve);
          // Those who clean up take a moment.
          const leave = () => queueMicrotask(() => queueMicrotask(() => reject(signal.reason)));
          signal.addEventListener('abort', leave);
        }),
    };
    const alone = (session?: FakeSession, name?: string | undefined) =>
      stage.alone({ handlers, idempotency: { store, principal: name as string } }, session);
    return { ends, ...alone(undefined, principal), alone };
  }
  const request = { id: 1, method: 'work', idempotencyKey: 'k' };
  const forgetAll = () => stage.pass(120_000);

  it('the first was given up, and has not ended -> it is done again, for the second', async () => {
    const { session, ends, errors } = working();
    session.receive(request);
    await stage.settle();
    session.lose();
    session.receive(request);
    await stage.settle();
    expect(ends).toHaveLength(2);
    ends[1]!('done');
    await stage.settle();
    expect(session.takeSent()).toEqual([{ id: 1, result: 'done' }]);
    expect(errors).toEqual([]);
    await forgetAll();
  });

  it('both were given up -> nothing is done again', async () => {
    const { session, ends, errors } = working();
    session.receive(request);
    await stage.settle();
    session.lose();
    session.receive(request);
    session.receive({ method: '$/cancel', params: { id: 1 } });
    await stage.settle();
    expect([ends.length, session.takeSent(), errors]).toEqual([1, [], []]);
    await forgetAll();
  });

  it('it was given up before it began -> it does not begin', async () => {
    const { session, ends } = working();
    session.receive(request);
    session.receive({ method: '$/cancel', params: { id: 1 } });
    await stage.settle();
    expect([ends.length, session.takeSent()]).toEqual([0, []]);
  });

  it('a key of the longest that may be -> it is remembered, whatever its characters are', async () => {
    const { session, ends } = working('p'.repeat(256));
    session.receive({ ...request, idempotencyKey: '\u0001"'.repeat(512) });
    await stage.settle();
    ends[0]!('done');
    await stage.settle();
    expect(session.takeSent()).toEqual([{ id: 1, result: 'done' }]);
    await forgetAll();
  });

  it('a principal that is undefined -> the keys are those of the session', async () => {
    const [anna, ben] = [new FakeSession(), new FakeSession()];
    anna.principal = 'anna';
    ben.principal = 'ben';
    const { ends, alone } = working();
    alone(anna);
    alone(ben);
    anna.receive(request);
    await stage.settle();
    ends[0]!('for anna');
    await stage.settle();
    ben.receive(request);
    await stage.settle();
    expect(ben.takeSent()).toEqual([]);
    ends[1]?.('for ben');
    await stage.settle();
    expect(ben.takeSent()).toEqual([{ id: 1, result: 'for ben' }]);
    await forgetAll();
  });
});
