import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { cast, urlOf } from '../support/cast.js';
import { launchChromium } from '../support/chromium.js';
import { next } from '../support/events.js';
import { requirement } from '../support/require.js';
import { type ScriptPage, serveScriptPage } from '../support/script-page.js';
import { LENGTHS, pattern, subject, subjectName, textOf } from './subject.js';

const COMPRESSIONS = {
  'no extension': false,
  'context takeover': { threshold: 0 },
  'no context takeover': { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
  'windows of 9 and 10 bits': { threshold: 0, serverMaxWindowBits: 9, clientMaxWindowBits: 10 },
  'default threshold': true,
};

describe.runIf(requirement('chromium'))(`${subjectName} as server, Chromium as client`, () => {
  const { server } = cast(subject);
  let pages: ScriptPage;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const script = readFileSync(join(__dirname, 'chromium', 'page.mjs'));
    pages = await serveScriptPage('page.mjs', script);
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(pages.origin);
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  /** Calls a function of chromium/page.mjs in the page. */
  function inPage(name: string, ...args: unknown[]): Promise<Package> {
    return page.evaluate(
      `import('/page.mjs').then((exchanges) => exchanges.${name}(...${JSON.stringify(args)}))`,
    );
  }

  function echo(socket: Package): void {
    socket.on('message', (data: Buffer, isBinary: boolean) => socket.send(data, { binary: isBinary }));
  }

  describe.each(Object.entries(COMPRESSIONS))('%s', (_title, perMessageDeflate) => {
    it('bytes, blobs and text of every length form, echoed -> the same', async () => {
      const wss = await server({ perMessageDeflate });
      wss.on('connection', echo);
      const { changed, extensions } = await inPage('echo', urlOf(wss), LENGTHS);
      expect(changed).toEqual([]);
      expect(extensions.split(';')[0]).toBe(perMessageDeflate ? 'permessage-deflate' : '');
    });

    it('500 messages in one burst, echoed -> all of them in order', async () => {
      const wss = await server({ perMessageDeflate });
      wss.on('connection', echo);
      expect(await inPage('burst', urlOf(wss), 500)).toBe(500);
    });

    it('fragments with a ping between -> one message', async () => {
      const wss = await server({ perMessageDeflate });
      const pong = new Promise((resolve) => {
        wss.on('connection', (socket: Package) => {
          socket.on('pong', resolve);
          const text = textOf(100_000);
          socket.send(text.slice(0, 10), { fin: false });
          socket.ping('between');
          socket.send('', { fin: false });
          socket.send(text.slice(10), { fin: true });
        });
      });
      const { data } = await inPage('receive', urlOf(wss));
      expect(data === textOf(100_000)).toBe(true);
      expect(String(await pong)).toBe('between');
    });
  });

  it('binary message in fragments -> its bytes', async () => {
    const wss = await server();
    wss.on('connection', (socket: Package) => {
      socket.send(pattern(5), { fin: false });
      socket.send(pattern(300), { fin: true });
    });
    expect((await inPage('receive', urlOf(wss))).data).toEqual([...pattern(5), ...pattern(300)]);
  });

  it('origin and subprotocols -> the server sees them, the page the chosen one', async () => {
    const wss = await server({ handleProtocols: (offered: Set<string>) => [...offered].at(-1) });
    const connection = next(wss, 'connection');
    wss.on('connection', (socket: Package) => socket.send('welcome'));
    const { data, protocol } = await inPage('receive', urlOf(wss), ['first', 'second']);
    expect([data, protocol]).toEqual(['welcome', 'second']);
    const [socket, { headers }] = await connection;
    expect([socket.protocol, headers.origin]).toEqual(['second', pages.origin]);
  });

  it.each([1000, 1001, 1003, 1007, 1008, 1011, 1012, 1013, 3000, 4999])(
    'close of the server with %i -> clean',
    async (code) => {
      const wss = await server();
      const closed = new Promise((resolve) => {
        wss.on('connection', (socket: Package) => {
          socket.on('close', resolve);
          socket.close(code, 'naïve ☃');
        });
      });
      expect(await inPage('closedByServer', urlOf(wss))).toEqual({ code, reason: 'naïve ☃', wasClean: true });
      expect(await closed).toBe(code);
    },
  );

  it('close of the server without a code -> 1005', async () => {
    const wss = await server();
    wss.on('connection', (socket: Package) => socket.close());
    expect(await inPage('closedByServer', urlOf(wss))).toEqual({ code: 1005, reason: '', wasClean: true });
  });

  it('terminate of the server -> 1006, not clean', async () => {
    const wss = await server();
    wss.on('connection', (socket: Package) => socket.terminate());
    expect(await inPage('closedByServer', urlOf(wss))).toEqual({ code: 1006, reason: '', wasClean: false });
  });

  it.each([
    { args: [], code: 1005, reason: '' },
    { args: [1000], code: 1000, reason: '' },
    { args: [3000, 'bye ☃'], code: 3000, reason: 'bye ☃' },
  ])('close of the page with $args -> the server hears $code', async ({ args, code, reason }) => {
    const wss = await server();
    const closed = next(wss, 'connection').then(([socket]) => next(socket, 'close'));
    expect(await inPage('close', urlOf(wss), ...args)).toMatchObject({ code, wasClean: true });
    const [codeSeen, reasonSeen] = await closed;
    expect([codeSeen, String(reasonSeen)]).toEqual([code, reason]);
  });

  it('a page that navigates away -> the server hears 1001', async () => {
    const wss = await server();
    const closed = next(wss, 'connection').then(([socket]) => next(socket, 'close'));
    await Promise.all([page.waitForURL('about:blank'), inPage('leave', urlOf(wss)).catch(() => {})]);
    expect((await closed)[0]).toBe(1001);
    await page.goto(pages.origin);
  });

  it('message above the limit -> the page hears 1009', async () => {
    const wss = await server({ maxPayload: 1000 });
    wss.on('connection', (socket: Package) => socket.on('error', () => {}));
    expect(await inPage('sendUntilClosed', urlOf(wss), 1001)).toMatchObject({ code: 1009, wasClean: true });
  });

  it('handshake refused by verifyClient -> 1006', async () => {
    const wss = await server({
      verifyClient: ({ origin: from }: { origin: string }) => from !== pages.origin,
    });
    expect(await inPage('closedByServer', urlOf(wss))).toEqual({ code: 1006, reason: '', wasClean: false });
  });
});
