import { describe, expect, it } from 'vitest';
import {
  Backoff,
  type BackoffOptions,
  parseRetryAfter,
  shouldRetry,
  stopError,
} from '../../src/agent/backoff.js';
import type { LinkEnd } from '../../src/agent/link.js';
import { FakeEnvironment } from '../support/fake-environment.js';

function setUp(
  options: BackoffOptions = {},
  random?: number,
): { environment: FakeEnvironment; backoff: Backoff } {
  const environment = new FakeEnvironment();
  if (random !== undefined) environment.random = () => random;
  return { environment, backoff: new Backoff(options, environment) };
}

const NEARLY_ONE = 1 - 2 ** -32;

function delays(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.nextDelayMs());
}

describe('Backoff', () => {
  it('the longest delays double up to the cap', () => {
    const { backoff } = setUp({}, NEARLY_ONE);
    expect(delays(backoff, 10)).toEqual([249, 499, 999, 1999, 3999, 7999, 15_999, 19_999, 19_999, 19_999]);
  });

  it('the shortest delay is none, at every attempt', () => {
    const { backoff } = setUp({}, 0);
    expect(delays(backoff, 10)).toEqual(Array(10).fill(0));
  });

  it('full jitter: a thousand clients spread evenly over the whole delay', () => {
    const environment = new FakeEnvironment();
    const quarters = [0, 0, 0, 0];
    for (let client = 0; client < 1000; client++) {
      const backoff = new Backoff({ baseMs: 1000 }, environment);
      quarters[Math.floor(backoff.nextDelayMs() / 250)]!++;
    }
    for (const count of quarters) expect(count).toBeGreaterThan(200);
  });

  it('takes base and cap from its options', () => {
    const { backoff } = setUp({ baseMs: 10, capMs: 30 }, NEARLY_ONE);
    expect(delays(backoff, 4)).toEqual([9, 19, 29, 29]);
  });

  it('after years of attempts -> still a delay', () => {
    const { backoff } = setUp({}, NEARLY_ONE);
    expect(delays(backoff, 5000).at(-1)).toBe(19_999);
  });

  it('counts attempts', () => {
    const { backoff } = setUp();
    expect(backoff.attempt).toBe(0);
    delays(backoff, 3);
    expect(backoff.attempt).toBe(3);
  });

  it('open for five seconds -> begins anew, at the next failure', () => {
    const { environment, backoff } = setUp({}, NEARLY_ONE);
    delays(backoff, 5);
    backoff.opened();
    environment.advance(5000);
    expect(backoff.attempt).toBe(5);
    expect(backoff.nextDelayMs()).toBe(249);
    expect(backoff.attempt).toBe(1);
  });

  it('open for less -> goes on, however long the attempts take from then on', () => {
    const { environment, backoff } = setUp({}, NEARLY_ONE);
    delays(backoff, 5);
    backoff.opened();
    environment.advance(4999);
    expect(backoff.nextDelayMs()).toBe(7999);
    environment.advance(60_000);
    expect(backoff.nextDelayMs()).toBe(15_999);
  });

  it('a stable session counts once, not for the failures behind it', () => {
    const { environment, backoff } = setUp({}, NEARLY_ONE);
    backoff.opened();
    environment.advance(10_000);
    expect(delays(backoff, 3)).toEqual([249, 499, 999]);
  });

  it('resetAfterMs is an option', () => {
    const { environment, backoff } = setUp({ resetAfterMs: 100 }, NEARLY_ONE);
    delays(backoff, 5);
    backoff.opened();
    environment.advance(100);
    expect(backoff.nextDelayMs()).toBe(249);
  });

  it('Retry-After is the least to wait, with as much jitter on top', () => {
    expect(setUp({}, 0).backoff.nextDelayMs(3000)).toBe(3000);
    expect(setUp({}, NEARLY_ONE).backoff.nextDelayMs(3000)).toBe(5999);
  });

  it('a short Retry-After does not shorten the jitter', () => {
    const { backoff } = setUp({}, NEARLY_ONE);
    delays(backoff, 5);
    expect(backoff.nextDelayMs(100)).toBe(100 + 7999);
  });

  it('a long Retry-After -> the jitter stays below the cap', () => {
    expect(setUp({}, NEARLY_ONE).backoff.nextDelayMs(600_000)).toBe(600_000 + 19_999);
  });

  it('an absurd Retry-After -> an hour', () => {
    for (const ms of [2 ** 40, 1e308, Number.POSITIVE_INFINITY]) {
      expect(setUp({}, 0).backoff.nextDelayMs(ms)).toBe(3_600_000);
    }
  });
});

function closedWith(code: number, reason = ''): LinkEnd {
  return { code, reason };
}

function refusedWith(status: number): LinkEnd {
  return { code: 1006, reason: '', status };
}

/** What there is to say about an end: 'retry', or the code of the error, if any. */
function verdict(end: LinkEnd): string | undefined {
  return shouldRetry(end) ? 'retry' : stopError(end)?.code;
}

describe('shouldRetry and stopError', () => {
  it.each([
    [1000, undefined],
    [1001, 'retry'],
    [1002, 'refused'],
    [1003, 'refused'],
    [1005, 'retry'],
    [1006, 'retry'],
    [1007, 'refused'],
    [1008, 'refused'],
    [1009, 'refused'],
    [1010, 'refused'],
    [1011, 'retry'],
    [1012, 'retry'],
    [1013, 'retry'],
    [1014, 'retry'],
    [1015, 'retry'],
    [3000, 'retry'],
    [4000, 'retry'],
    [4399, 'retry'],
    [4400, 'protocol'],
    [4401, 'unauthorized'],
    [4402, 'refused'],
    [4403, 'unauthorized'],
    [4408, 'retry'],
    [4409, 'superseded'],
    [4429, 'refused'],
    [4499, 'refused'],
    [4500, 'retry'],
    [4999, 'retry'],
  ])('close code %i -> %s', (code, expected) => {
    expect(verdict(closedWith(code))).toBe(expected);
  });

  it.each([
    [200, 'retry'],
    [302, 'retry'],
    [400, 'refused'],
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'refused'],
    [408, 'retry'],
    [410, 'refused'],
    [425, 'retry'],
    [426, 'refused'],
    [429, 'retry'],
    [499, 'refused'],
    [500, 'retry'],
    [502, 'retry'],
    [503, 'retry'],
    [504, 'retry'],
  ])('HTTP status %i -> %s', (status, expected) => {
    expect(verdict(refusedWith(status))).toBe(expected);
  });

  it('the error tells where the reason came from', () => {
    const cause = new Error('underneath');
    expect(stopError({ ...refusedWith(403), error: cause })).toMatchObject({
      name: 'SessionError',
      message: 'the server answered with HTTP status 403',
      status: 403,
      closeCode: undefined,
      cause,
    });
    expect(stopError({ ...closedWith(4403), error: cause })).toMatchObject({
      message: 'the peer closed with 4403',
      status: undefined,
      closeCode: 4403,
      cause,
    });
  });

  it('without a closing handshake it was no peer that closed', () => {
    expect(stopError(closedWith(1006))).toMatchObject({ message: 'the connection failed', closeCode: 1006 });
    expect(stopError({ ...closedWith(1006), error: new Error('ECONNREFUSED') })?.message).toBe(
      'the connection failed: ECONNREFUSED',
    );
  });

  it("the peer's reason is quoted", () => {
    expect(stopError(closedWith(1008, 'no\nERROR forged'))?.message).toBe(
      String.raw`the peer closed with 1008: "no\nERROR forged"`,
    );
  });
});

describe('parseRetryAfter', () => {
  const now = Date.UTC(2026, 0, 31, 23, 59, 30);

  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 2 ', 2000],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['9'.repeat(400), 3_600_000],
    ['Sun, 01 Feb 2026 00:00:00 GMT', 30_000],
    ['Sat, 31 Jan 2026 23:59:30 GMT', 0],
    ['Sat, 31 Jan 2026 23:00:00 GMT', 0],
    ['Sun, 01 Feb 2099 00:00:00 GMT', 3_600_000],
  ])('%j -> %d ms', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '1 2',
    '120 s',
    '2026-02-01T00:00:00Z',
    'soon',
    'Sun, 01 Feb 2026 00:00:00 CET',
    'Sun, 01 Foo 2026 00:00:00 GMT',
    'Sun, 01 Feb 2026 25:00:00 GMT',
    'Sun Feb  1 00:00:00 2026',
  ])('%j -> undefined', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });
});
