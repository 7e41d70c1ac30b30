// `hawser/agent` in a page: the client, bundled for browsers, on Chromium's own WebSocket, against a SessionServer behind a
// proxy that cuts connections. What the page does stands in chromium/session.mjs.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page, WebSocket } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ServerSession, SessionServer, type SessionServerOptions } from '../../src/agent/index.js';
import type { CutMode, Directions } from '../../src/cli/fault-pipe.js';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { bundleForBrowser } from '../support/browser-bundle.js';
import { launchChromium } from '../support/chromium.js';
import { requirement } from '../support/require.js';
import { type ScriptPage, serveScriptPage } from '../support/script-page.js';

const COUNT = 300;
/** Cuts, one a connection, after so many bytes: twice in the opening handshake, then in whatever direction gets there first. */
const CUTS: Array<[bytes: number, directions: Directions, how: CutMode]> = [
  [100, 'in', 'rst'],
  [60, 'out', 'fin'],
  [1000, 'both', 'rst'],
  [1500, 'both', 'fin'],
  [2500, 'both', 'rst'],
  [4000, 'both', 'fin'],
  [6000, 'both', 'rst'],
];
const SOON = { backoff: { baseMs: 1, capMs: 5 } };
const OFTEN = { intervalMs: 200, timeoutMs: 200 };

describe.runIf(requirement('chromium'))('hawser/agent in Chromium', () => {
  let pages: ScriptPage;
  let browser: Browser;
  let page: Page;
  let httpServer: http.Server;
  let server: SessionServer;
  let proxy: FaultProxy;

  beforeAll(async () => {
    const { code } = await bundleForBrowser(readFileSync(join(__dirname, 'chromium', 'session.mjs'), 'utf8'));
    pages = await serveScriptPage('session.mjs', code);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  beforeEach(async () => {
    page = await (await browser.newContext()).newPage();
    await page.goto(pages.origin);
  });

  afterEach(async () => {
    await page.context().close();
    await server.close();
    await proxy.close();
    httpServer.close();
  });

  /** A server of sessions, and the way to it. */
  async function serve(options: SessionServerOptions = {}): Promise<string> {
    httpServer = http.createServer().listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    server = new SessionServer({ server: httpServer, origins: [pages.origin], ...options });
    proxy = new FaultProxy({ port: (httpServer.address() as AddressInfo).port });
    await proxy.listen();
    return `ws://127.0.0.1:${proxy.address.port}/`;
  }

  /** Calls a function of chromium/session.mjs in the page. */
  function inPage<T>(name: string, ...args: unknown[]): Promise<T> {
    return page.evaluate(
      `import('/session.mjs').then((program) => program.${name}(...${JSON.stringify(args)}))`,
    );
  }

  function nextSession(): Promise<ServerSession> {
    return new Promise((resolve) => server.once('session', resolve));
  }

  it('connections cut in both directions -> both logs are 1…N', async () => {
    // What was received and not acknowledged comes again after a cut, and must not count twice.
    const url = await serve({ acknowledge: 'manual' });
    const cuts = CUTS.values();
    const cutNext = () => {
      const { value } = cuts.next();
      if (value !== undefined) proxy.cutAfter(...value);
    };
    proxy.on('cut', cutNext);
    cutNext();
    const ofServer = nextSession().then((session) => exchange(session, COUNT));
    await inPage('open', url, SOON);
    const [ofPage, { received, resumes }] = await Promise.all([inPage('exchange', COUNT), ofServer]);
    expect(ofPage).toEqual(numbersTo(COUNT));
    expect(received).toEqual(numbersTo(COUNT));
    expect(proxy.stats().cut).toBe(CUTS.length);
    expect(resumes).toBeGreaterThan(0);
  });

  it('an idle connection -> the page asks, the server answers, and it stays', async () => {
    const url = await serve({ heartbeat: OFTEN });
    const answered = new Promise<{ pings: number }>((resolve) => {
      page.on('websocket', (socket: WebSocket) => {
        // Of one connection.
        let [pings, answers] = [0, 0];
        socket.on('framesent', ({ payload }) => {
          if (isControl(payload, 'p')) pings++;
        });
        socket.on('framereceived', ({ payload }) => {
          if (isControl(payload, 'q') && ++answers === 3) resolve({ pings });
        });
      });
    });
    await inPage('open', url, SOON);
    expect((await answered).pings).toBeGreaterThanOrEqual(3);
  });

  it('a black hole -> the page hears nothing, gives the connection up, and resumes the session over another', async () => {
    const url = await serve({ heartbeat: OFTEN });
    const session = nextSession();
    await inPage('open', url, SOON);
    const resumed = inPage('nextEvent', 'resumed');
    for (const connection of proxy.connections) connection.cut('blackhole');
    await resumed;
    const message = (await session)[Symbol.asyncIterator]().next();
    await inPage('say', 'still here');
    expect(await message).toEqual({ done: false, value: 'still here' });
    expect(proxy.stats().connections).toBeGreaterThan(1);
  });

  it('the network comes back -> the page does not wait for the end of a long delay', async () => {
    const url = await serve();
    const day = 86_400_000;
    await inPage('open', url, { backoff: { baseMs: day, capMs: day } });
    await inPage('drawLargestNumbers');
    const reconnecting = inPage<{ delayMs: number }>('nextEvent', 'reconnecting');
    const resumed = inPage('nextEvent', 'resumed');
    await page.context().setOffline(true);
    proxy.cutAll('rst');
    expect((await reconnecting).delayMs).toBe(day - 1);
    await page.context().setOffline(false);
    await resumed;
    expect(await inPage('state')).toBe('open');
  });
});

/** Sends 1…count and collects the numbers that come, then ends the session. */
async function exchange(session: ServerSession, count: number) {
  const received: number[] = [];
  const closed = new Promise((resolve) => session.once('close', resolve));
  const complete = new Promise<void>((resolve) => {
    session.on('message', (data, number) => {
      if (number % 10 === 0) session.acknowledge(number);
      if (received.push(Number(Buffer.from(data as string).toString())) === count) resolve();
    });
  });
  for (let number = 1; number <= count; number++) {
    const text = String(number).padEnd(100);
    await session.send(number % 2 === 0 ? text : Buffer.from(text));
  }
  await complete;
  await session.flush();
  const { resumes } = session.stats();
  await session.close();
  await closed;
  return { received, resumes };
}

function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

/** Whether a frame is a session's control message of this type. */
function isControl(payload: string | Buffer, type: string): boolean {
  return payload.toString() === `\u0001{"t":"${type}"}`;
}
