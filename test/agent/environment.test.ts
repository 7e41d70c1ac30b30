import { afterEach, describe, expect, it, vi } from 'vitest';
import { environment } from '../../src/agent/environment.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes the platform's random bytes these. */
function withRandomBytes(bytes: Uint8Array): void {
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((target) => {
    (target as unknown as Uint8Array).set(bytes);
    return target;
  });
}

describe('environment', () => {
  it.each([
    ['zeros', new Uint8Array(16)],
    ['ones', new Uint8Array(16).fill(255)],
    ['each bit pattern of its own', Uint8Array.from({ length: 16 }, (_, i) => (i * 157 + 41) & 255)],
  ])('an id is base64url of 128 random bits: %s', (_, bytes) => {
    withRandomBytes(bytes);
    expect(environment.randomId()).toBe(Buffer.from(bytes).toString('base64url'));
  });

  it('each id is another one, of 22 characters', () => {
    const ids = Array.from({ length: 1000 }, () => environment.randomId());
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  });

  it('a random number is at least 0 and below 1', () => {
    const number = environment.random();
    expect(number).toBeGreaterThanOrEqual(0);
    expect(number).toBeLessThan(1);
  });

  it('a timer runs, and the clock has gone on', async () => {
    const startedAt = environment.now();
    await new Promise<void>((resolve) => environment.setTimeout(resolve, 1, true));
    expect(environment.now()).toBeGreaterThan(startedAt);
  });

  it('a timer keeps the process alive only when asked to', () => {
    const timers = [
      environment.setTimeout(() => {}, 60_000),
      environment.setTimeout(() => {}, 60_000, false),
      environment.setTimeout(() => {}, 60_000, true),
    ] as NodeJS.Timeout[];
    expect(timers.map((timer) => timer.hasRef())).toEqual([false, false, true]);
    for (const timer of timers) environment.clearTimeout(timer);
  });

  it('a cleared timer does not run', async () => {
    const timer = environment.setTimeout(() => expect.unreachable(), 1);
    environment.clearTimeout(timer);
    // Set later for the same moment, so it runs later.
    await new Promise<void>((resolve) => environment.setTimeout(resolve, 1, true));
  });

  it('timers that are numbers, as in a browser -> nothing to unref', () => {
    vi.spyOn(globalThis, 'setTimeout').mockReturnValue(7 as unknown as NodeJS.Timeout);
    expect(environment.setTimeout(() => {}, 1)).toBe(7);
  });
});
