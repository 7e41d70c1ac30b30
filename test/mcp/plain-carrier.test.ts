// One connection as a carrier: what comes before anybody listens, backpressure, a peer that is gone without a word.
import { afterEach, expect, it } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { PlainCarrier } from '../../src/mcp/plain-carrier.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink, pass } from '../support/fake-link.js';
import { outcomeOf } from '../support/session-stage.js';

const MIB = 2 ** 20;
const alive = debug.active().length;

function setUp({ isListening = true, link = new FakeLink() } = {}) {
  const environment = new FakeEnvironment();
  const carrier = new PlainCarrier(link, undefined, environment);
  const log: unknown[] = [];
  const handler = {
    onMessage: (data: unknown) => void log.push(data),
    onDrain: () => log.push('drain'),
    onEnd: (error: Error | undefined) => log.push(['end', error?.message]),
  };
  if (isListening) carrier.begin(handler);
  return { environment, link, carrier, log, handler };
}

afterEach(() => {
  expect(debug.active()).toHaveLength(alive);
});

it('both ways, and the closing handshake', async () => {
  const { environment, link, carrier, log } = setUp();
  await carrier.send('a');
  link.receive('b');
  expect([link.sent, log]).toEqual([['a'], ['b']]);
  expect(debug.active().at(-1)).toMatchObject({ kind: 'mcp connection', id: carrier.id, state: 'open' });
  const closed = carrier.close(1000, '');
  expect(link.closeCode).toBe(1000);
  expect(await outcomeOf(carrier.send('c'))).toBe('closed');
  link.end({ code: 1000, reason: '' });
  await closed;
  expect(log).toEqual(['b', ['end', undefined]]);
  expect(environment.pendingTimers).toBe(0);
});

it.each([
  [1000, undefined],
  [1001, undefined],
  [1005, undefined],
  [1006, 'the connection failed'],
  [1009, 'the peer closed with 1009'],
])('the peer ends with %i -> %s', (code, message) => {
  const { environment, link, log } = setUp();
  link.end({ code, reason: '' });
  expect(log).toEqual([['end', message]]);
  expect(environment.pendingTimers).toBe(0);
});

it('what comes before anybody listens waits, the end, too', () => {
  const { link, carrier, log, handler } = setUp({ isListening: false });
  link.receive('a');
  link.receive('b');
  link.end();
  carrier.begin(handler);
  expect(log).toEqual(['a', 'b', ['end', 'the connection failed']]);
});

it.each([
  ['few messages', 32, 'x'.repeat(MIB)],
  ['many messages', 32 * 1024 + 2, ''],
])('what waits for somebody to listen is bounded, in %s -> closed with 1013', (_what, count, text) => {
  const { link } = setUp({ isListening: false });
  for (let i = 1; i < count; i++) link.receive(text);
  expect(link.closeCode).toBeUndefined();
  link.receive(text);
  expect(link.closeCode).toBe(1013);
  link.end({ code: 1013, reason: '' });
});

it('with more than 256 KiB in the connection send() waits until it has left', async () => {
  const { environment, link, carrier } = setUp();
  link.bufferedAmount = 256 * 1024;
  expect(await outcomeOf(carrier.send('a'))).toBeUndefined();
  link.bufferedAmount++;
  const sent = [carrier.send('b'), carrier.send('c')];
  await pass(environment, 100);
  expect([link.sent, await outcomeOf(sent[0]!)]).toEqual([['a', 'b', 'c'], 'pending']);
  link.bufferedAmount = 0;
  await pass(environment, 10);
  await Promise.all(sent);
  link.end();
});

it('send() that waits when the connection ends waits no more', async () => {
  const { environment, link, carrier } = setUp();
  link.bufferedAmount = MIB;
  const sent = carrier.send('a');
  link.end();
  await pass(environment, 10);
  await sent;
});

it('a peer that is silent -> the end', async () => {
  const { environment, link, log } = setUp();
  await pass(environment, 25_100);
  expect([link.pings, log]).toEqual([1, []]);
  await pass(environment, 22_000);
  expect(log).toEqual([['end', 'the peer was silent']]);
  expect([link.isReleased, environment.pendingTimers]).toEqual([true, 0]);
});

it('a peer that answers Pings, and a platform that has none -> no end', async () => {
  const answering = new FakeLink();
  answering.ping = () => {
    answering.activity++;
  };
  const { environment, link, log } = setUp({ link: answering });
  const without = new FakeLink();
  without.ping = undefined;
  const other = new PlainCarrier(without, undefined, environment);
  other.begin({ onMessage: () => undefined, onDrain() {}, onEnd: () => log.push('other') });
  await pass(environment, 200_000);
  expect(log).toEqual([]);
  link.end();
  without.end();
});

it('a handler that takes its time: one message after the other, nothing is read meanwhile, and that is no silence', async () => {
  const link = Object.assign(new FakeLink(), { isPaused: false, pause() {}, resume() {} });
  link.pause = () => {
    link.isPaused = true;
  };
  link.resume = () => {
    link.isPaused = false;
  };
  const { environment, carrier } = setUp({ isListening: false, link });
  const log: unknown[] = [];
  let done!: () => void;
  carrier.begin({
    onMessage: (data) => {
      log.push(data);
      return new Promise<void>((resolve) => {
        done = resolve;
      });
    },
    onDrain() {},
    onEnd: (error) => log.push(['end', error?.message]),
  });
  link.receive('a');
  link.receive('b');
  await pass(environment, 100_000);
  expect([log, link.isPaused, link.isReleased]).toEqual([['a'], true, false]);
  done();
  await pass(environment, 10);
  expect(log).toEqual(['a', 'b']);
  done();
  await pass(environment, 100_000);
  expect(log).toEqual(['a', 'b', ['end', 'the peer was silent']]);
  expect(environment.pendingTimers).toBe(0);
});
