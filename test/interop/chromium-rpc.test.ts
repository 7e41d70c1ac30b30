// `hawser/rpc` in a page, bundled for browsers, on Chromium's own WebSocket: calls and streams in both directions, over a plain
// connection and over a session that loses its network. What the page does stands in chromium/rpc.mjs.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Session, SessionServer } from '../../src/agent/index.js';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { RPC, RpcPeer, type RpcSocket } from '../../src/rpc/index.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { collect, numbersTo, type Service, serve } from '../rpc/faults/service.js';
import { bundleForBrowser } from '../support/browser-bundle.js';
import { launchChromium } from '../support/chromium.js';
import { requirement } from '../support/require.js';
import { type ScriptPage, serveScriptPage } from '../support/script-page.js';
import { until } from '../support/tcp.js';

/** More items than one window. */
const COUNT = 300;
const ALL = Array.from({ length: COUNT }, (_, i) => i + 1);
const SUM = (COUNT * (COUNT + 1)) / 2;
const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };

describe.runIf(requirement('chromium'))('hawser/rpc in Chromium', () => {
  let pages: ScriptPage;
  let browser: Browser;
  let page: Page;
  let httpServer: http.Server;
  let sessions: SessionServer;
  let sockets: WebSocketServer;
  let proxy: FaultProxy;
  /** Lets calls end that wait for it. */
  let release: () => void;
  let peers: RpcPeer<Service, Service>[];

  beforeAll(async () => {
    const { code } = await bundleForBrowser(readFileSync(join(__dirname, 'chromium', 'rpc.mjs'), 'utf8'));
    pages = await serveScriptPage('rpc.mjs', code);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  beforeEach(async () => {
    httpServer = http.createServer().listen(0, '127.0.0.1');
    await once(httpServer, 'listening');
    sessions = new SessionServer({ server: httpServer });
    sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(sockets, 'listening');
    proxy = new FaultProxy({ port: portOf(httpServer) });
    await proxy.listen();
    peers = [];
    const released = new Promise<void>((resolve) => (release = resolve));
    const onConnection = (connection: Session | RpcSocket): void => {
      const peer = new RpcPeer<Service, Service>(connection);
      serve(peer);
      (peer as RpcPeer).handle('hold', () => released.then(() => 'held'));
      (peer as RpcPeer).handle('slow', async function* () {
        yield* numbersTo(10);
        await released;
        for await (const number of numbersTo(COUNT)) if (number > 10) yield number;
      });
      peers.push(peer);
    };
    sessions.on('session', onConnection);
    sockets.on('connection', (socket) => onConnection(socket as unknown as RpcSocket));
    page = await (await browser.newContext()).newPage();
    await page.goto(pages.origin);
  });

  afterEach(async () => {
    await page.context().close();
    await sessions.close();
    sockets.close();
    await proxy.close();
    httpServer.close();
  });

  /** Calls a function of chromium/rpc.mjs in the page. */
  function inPage<T>(name: string, ...args: unknown[]): Promise<T> {
    return page.evaluate(`import('/rpc.mjs').then((program) => program.${name}(...${JSON.stringify(args)}))`);
  }

  /** The server calls the page. */
  async function callPage(): Promise<unknown[]> {
    const [peer] = peers;
    return Promise.all([
      peer!.call('sum', { numbers: numbersTo(COUNT) }),
      peer!.call('count', { to: COUNT }).then((stream) => collect(stream)),
    ]);
  }

  it.each(['a plain connection', 'a session'])('%s -> calls and streams both ways', async (name) => {
    const isPlain = name === 'a plain connection';
    await inPage('open', `ws://127.0.0.1:${isPlain ? portOf(sockets) : proxy.address.port}/`, isPlain);
    const used = inPage('use', COUNT);
    await until(() => peers.length === 1);
    expect(await callPage()).toEqual([SUM, ALL]);
    expect(await used).toEqual({
      sum: SUM,
      echoed: ALL,
      left: [1, 2, 3],
      worked: 'worked',
      progress: [1, 2, 3],
      missing: RPC.METHOD_NOT_FOUND,
    });
    await until(() => Object.values(peers[0]!.stats()).every((count) => count === 0));
    expect(await inPage('stats')).toEqual(IDLE);
    await inPage('close');
    await until(() => peers[0]!.isClosed);
  });

  it('offline for a while, with calls in flight -> they go on where they were', async () => {
    await inPage('open', `ws://127.0.0.1:${proxy.address.port}/`, false);
    await inPage('begin');
    await until(() => peers[0]?.stats().streamsOut === 1);
    await page.context().setOffline(true);
    proxy.cutAll('rst');
    await until(() => proxy.stats().open === 0);
    // Meanwhile the server goes on, and calls the page.
    release();
    const called = callPage();
    await page.context().setOffline(false);
    expect(await inPage('ends')).toEqual({ hold: 'held', slow: ALL });
    expect(await called).toEqual([SUM, ALL]);
    expect([peers.length, sessions.stats().resumed > 0]).toEqual([1, true]);
  });
});

function portOf(server: http.Server | WebSocketServer): number {
  return (server.address() as AddressInfo).port;
}
