// 2,000 clients lose their server at the same moment: they must not come back at the same moment.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Backoff } from '../../../src/agent/backoff.js';
import { type ClientSession, connectSession, SessionServer } from '../../../src/agent/index.js';
import { FakeEnvironment } from '../../support/fake-environment.js';
import { until } from '../../support/tcp.js';

const CLIENTS = 2000;
/** A window is looked at in so many intervals; each has 100 clients on average. */
const INTERVALS = 20;

/** How many moments fall into each interval of a window that begins at 0. */
function countByInterval(momentsMs: number[], windowMs: number): number[] {
  const counts: number[] = new Array(INTERVALS).fill(0);
  for (const ms of momentsMs) counts[Math.min(INTERVALS - 1, Math.floor((ms * INTERVALS) / windowMs))]!++;
  return counts;
}

/** When clients with the default backoff are back, counted from the moment at which their server is there again. */
function comebacks(outageMs: number, seed: number, retryAfterMs = 0): number[] {
  const environment = new FakeEnvironment(seed);
  return Array.from({ length: CLIENTS }, () => {
    const backoff = new Backoff({}, environment);
    let ms = backoff.nextDelayMs(retryAfterMs);
    while (ms < outageMs) ms += backoff.nextDelayMs(retryAfterMs);
    return ms - outageMs;
  });
}

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);

function peak(momentsMs: number[], windowMs: number): number {
  return Math.max(...countByInterval(momentsMs, windowMs));
}

/** Of all seeds together, so that chance hardly counts. */
function typicalPeak(outageMs: number, windowMs: number): number {
  return (
    peak(
      SEEDS.flatMap((seed) => comebacks(outageMs, seed)),
      windowMs,
    ) / SEEDS.length
  );
}

describe('the default backoff', () => {
  const meanPerInterval = CLIENTS / INTERVALS;

  it('a server that is back at once -> never more than twice the mean', () => {
    for (const seed of SEEDS) {
      expect(peak(comebacks(0, seed), 250)).toBeLessThanOrEqual(2 * meanPerInterval);
    }
  });

  it('503 with Retry-After: 1 -> nobody before that, and never more than twice the mean of the second after it', () => {
    for (const seed of SEEDS) {
      const afterMs = comebacks(0, seed, 1000).map((ms) => ms - 1000);
      expect(Math.min(...afterMs)).toBeGreaterThanOrEqual(0);
      expect(peak(afterMs, 1000)).toBeLessThanOrEqual(2 * meanPerInterval);
    }
  });

  // Delays are uniform up to the cap, so the time that is left of one is more often short: the rate falls in a straight line
  // from twice the mean to nothing.
  it.each([60_000, 600_000])('an outage of %i ms -> on average at most twice the mean', (outageMs) => {
    expect(typicalPeak(outageMs, 20_000)).toBeLessThanOrEqual(2 * meanPerInterval);
  });

  // Some have drawn short delays all the time, and are where the others were long ago.
  it.each([
    [1000, 2000],
    [5000, 8000],
    [20_000, 20_000],
  ])('an outage of %i ms -> on average at most three times the mean', (outageMs, windowMs) => {
    expect(typicalPeak(outageMs, windowMs)).toBeLessThanOrEqual(3 * meanPerInterval);
  });
});

interface Machine {
  sessions: SessionServer;
  /** Handshakes so far. */
  upgrades: number;
  url: string;
  close(): Promise<void>;
}

async function startServer(): Promise<Machine> {
  const httpServer = http.createServer();
  httpServer.listen(0, '127.0.0.1', 4096);
  await once(httpServer, 'listening');
  const sessions = new SessionServer({ server: httpServer });
  const machine: Machine = {
    sessions,
    upgrades: 0,
    url: `ws://127.0.0.1:${(httpServer.address() as AddressInfo).port}/`,
    async close() {
      await sessions.close();
      httpServer.close();
    },
  };
  httpServer.on('upgrade', () => {
    machine.upgrades++;
  });
  return machine;
}

describe('2,000 real clients', () => {
  it('the server restarts -> each comes once, spread over the window', { timeout: 120_000 }, async () => {
    const windowMs = 2000;
    const first = await startServer();
    let server = first;
    const clients: ClientSession[] = [];
    const delaysMs: number[] = [];
    const codes = new Set<number>();
    while (clients.length < CLIENTS) {
      const some = Array.from({ length: 100 }, () =>
        connectSession(() => server.url, { backoff: { baseMs: windowMs, capMs: windowMs } }),
      );
      await Promise.all(some.map(({ ready }) => ready));
      clients.push(...some);
    }
    for (const client of clients) {
      client.on('reconnecting', ({ delayMs, code }) => {
        delaysMs.push(delayMs);
        codes.add(code);
      });
    }
    const second = await startServer();
    server = second;
    await first.close();
    await until(() => delaysMs.length === CLIENTS);
    await Promise.all(clients.map(({ ready }) => ready));
    expect([...codes]).toEqual([1012]);
    expect(second.upgrades).toBe(CLIENTS);
    expect(second.sessions.stats()).toMatchObject({ attached: CLIENTS, created: CLIENTS, pending: 0 });
    // What was drawn, and not when this machine got round to it.
    expect(peak(delaysMs, windowMs)).toBeLessThanOrEqual((2 * CLIENTS) / INTERVALS);
    for (const client of clients) client.terminate();
    await second.close();
  });
});
