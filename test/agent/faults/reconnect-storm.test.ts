// 2,000 clients lose their server at the same moment: they must not come back at the same moment.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ClientSession, connectSession, SessionServer } from '../../../src/agent/index.js';
import { Backoff } from '../../../src/agent/backoff.js';
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
for (const [o, w] of [[0,250],[1000,2000],[5000,8000],[20000,20000],[60000,20000],[600000,20000]]) {
  const m = []; for (let s = 1; s <= 20; s++) { const c = countByInterval(comebacks(o!, s), w!); m.push(Math.max(...c) / 100); }
  console.log(o, w, m.join(' '), countByInterval(comebacks(o!, 1), w!).join(' '));
}
it('x', () => {});
