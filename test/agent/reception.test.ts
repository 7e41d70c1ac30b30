import { describe, expect, it } from 'vitest';
import { serializeControl } from '../../src/agent/control.js';
import { type Principal, Reception } from '../../src/agent/reception.js';
import { TimerWheel } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

const HELLO = { t: 'hello', v: 1, gen: 1, recv: 0, caps: { messages: 1, bytes: 1, ping: true } } as const;
const TIMEOUT_MS = 10_000;

function setUp(principal: string | Promise<Principal> = 'anna') {
  const environment = new FakeEnvironment();
  const wheel = new TimerWheel(environment);
  const reception = new Reception(TIMEOUT_MS, wheel);
  const link = new FakeLink();
  const admitted: unknown[] = [];
  reception.receive(link, principal, (hello, name) => {
    admitted.push([hello, name]);
    // As the owner of the link does.
    link.handler = { onMessage: (data) => admitted.push(data), onEnd: () => {} };
  });
  return { environment, wheel, reception, link, admitted };
}

describe('Reception', () => {
  it('a hello -> admitted, and everything after it is the new handler’s', () => {
    const { environment, wheel, reception, link, admitted } = setUp();
    expect(reception.size).toBe(1);
    link.receive(serializeControl(HELLO));
    link.receive('data');
    expect(admitted).toEqual([[HELLO, 'anna'], 'data']);
    expect([reception.size, wheel.size]).toEqual([0, 0]);
    environment.advance(TIMEOUT_MS * 2);
    expect(link.closeCode).toBeUndefined();
  });

  it.each([
    ['data', 'text'],
    ['a binary message that looks like a hello', Buffer.from(serializeControl(HELLO))],
    ['a hello without its mark', `x${JSON.stringify(HELLO)}`],
    ['another control message', serializeControl({ t: 'bye' })],
    ['a hello that is not complete', '\u0001{"t":"hello"}'],
  ])('%s -> 4400', (_name, data) => {
    const { reception, link, admitted } = setUp();
    link.receive(data);
    link.receive(serializeControl(HELLO));
    expect([link.closeCode, admitted, reception.size]).toEqual([4400, [], 0]);
  });

  it('no hello in time -> 4408', () => {
    const { environment, reception, link } = setUp();
    environment.advance(TIMEOUT_MS - 1);
    expect(link.closeCode).toBeUndefined();
    environment.advance(51);
    expect([link.closeCode, reception.size]).toEqual([4408, 0]);
  });

  it('the connection is gone before -> nothing is left', () => {
    const { wheel, reception, link } = setUp();
    link.end();
    expect([reception.size, wheel.size]).toEqual([0, 0]);
  });

  it('close -> everybody is sent away, and it waits until they are gone', async () => {
    const { environment, reception, link } = setUp();
    let isDone = false;
    const closed = reception.close(1012, 'later').then(() => {
      isDone = true;
    });
    expect([link.closeCode, reception.size]).toEqual([1012, 0]);
    await environment.settle();
    expect(isDone).toBe(false);
    link.end();
    await closed;
    expect(environment.pendingTimers).toBe(0);
  });
});

describe('who the client is is not known yet', () => {
  it('admitted when it is', async () => {
    let decide!: (principal: Principal) => void;
    const { environment, link, admitted } = setUp(
      new Promise((resolve) => {
        decide = resolve;
      }),
    );
    link.receive(serializeControl(HELLO));
    await environment.settle();
    expect(admitted).toEqual([]);
    decide('bert');
    await environment.settle();
    expect(admitted).toEqual([[HELLO, 'bert']]);
  });

  it.each([undefined, false] as const)('%s -> 4401, after the hello', async (principal) => {
    const { environment, link, admitted } = setUp(Promise.resolve(principal));
    await environment.settle();
    expect(link.closeCode).toBeUndefined();
    link.receive(serializeControl(HELLO));
    await environment.settle();
    expect([link.closeCode, admitted]).toEqual([4401, []]);
  });

  it('rejected -> 1011; before the hello nobody minds, and no process ends', async () => {
    const { environment, link, admitted } = setUp(Promise.reject(new Error('the database is down')));
    // An unhandled rejection would end the test run here.
    await environment.settle();
    link.receive(serializeControl(HELLO));
    await environment.settle();
    expect([link.closeCode, admitted]).toEqual([1011, []]);
  });

  it('anything after the hello meanwhile -> 4400', async () => {
    const { environment, link, admitted } = setUp(Promise.resolve('anna'));
    link.receive(serializeControl(HELLO));
    link.receive(serializeControl({ ...HELLO, gen: 2 }));
    await environment.settle();
    expect([link.closeCode, admitted]).toEqual([4400, []]);
  });

  it('takes too long -> 4408, also when a hello has come; gone meanwhile -> not admitted', async () => {
    const slow = setUp(new Promise(() => {}));
    slow.link.receive(serializeControl(HELLO));
    slow.environment.advance(TIMEOUT_MS + 50);
    expect(slow.link.closeCode).toBe(4408);
    const gone = setUp(Promise.resolve('anna'));
    gone.link.receive(serializeControl(HELLO));
    gone.link.end();
    await gone.environment.settle();
    expect([gone.admitted, gone.reception.size, gone.environment.pendingTimers]).toEqual([[], 0, 0]);
  });
});
