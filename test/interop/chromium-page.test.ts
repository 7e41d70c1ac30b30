// The page of `hawser serve` in Chromium, as a person uses it: connect, send, watch the frames, ping, close.

import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Program, runHawser, startHawser } from '../cli/program.js';
import { launchChromium } from '../support/chromium.js';
import { coloursOf, contrast, luminance } from '../support/colours.js';
import { requirement } from '../support/require.js';

const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

describe.runIf(requirement('chromium'))('the page of hawser serve', () => {
  let program: Program;
  let browser: Browser;
  let url: string;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    program = startHawser(['serve', '--port', '0'], null);
    [url] = (await program.printed(/http:\/\/127\.0\.0\.1:\d+\//)) as unknown as [string];
    browser = await launchChromium(
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    );
  });

  afterEach(async () => {
    await page?.context().close();
    // Whatever a test did: the page threw nothing, and talked to its own server only.
    expect(complaints.splice(0)).toEqual([]);
    expect(requests.splice(0).filter((each) => !each.startsWith(url) && !each.startsWith('data:'))).toEqual(
      [],
    );
  });

  afterAll(async () => {
    await browser?.close();
    program?.child.kill('SIGKILL');
    await program?.ended;
  });

  async function openPage(options: BrowserContextOptions = DESKTOP): Promise<void> {
    page = await (await browser.newContext(options)).newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(url);
  }

  async function connect(): Promise<void> {
    await page.click('#open');
    await page.waitForSelector('#state[data-state=open]');
  }

  async function sendText(text: string): Promise<void> {
    await page.check('input[value=text]');
    await page.fill('#text', text);
    await page.click('#send-button');
  }

  /** The row of a frame: `row('client', 'text')`. */
  function row(from: 'client' | 'server', opcode: string): Locator {
    return page.locator(`#frames > li.from-${from}`, {
      has: page.locator('.opcode', { hasText: new RegExp(`^${opcode}$`) }),
    });
  }

  function cell(of: Locator, name: string): Locator {
    return of.locator(`summary .${name}`);
  }

  /** What the visible rows are, one word each. */
  function rowsSeen(): Promise<string[]> {
    const rows = page.locator('#frames > li:visible:has(details)');
    return rows.locator('.opcode').allTextContents();
  }

  /** The table of an opened row: name of the field -> the other columns. */
  async function openTable(of: Locator): Promise<Record<string, string[]>> {
    await of.locator('summary').click();
    await of.locator('table').waitFor();
    const lines = await of.locator('tbody tr').all();
    const entries = lines.map(async (line) => {
      const [name, ...columns] = await line.locator('th, td').allTextContents();
      return [name!, columns] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  }

  it('connects, sends text and bytes, and shows every frame of both sides with its bits', async () => {
    await openPage();
    await page.uncheck('#deflate');
    await connect();
    await sendText('hello, wire');
    await page.check('input[value=hex]');
    await page.fill('#hex', '00 01 fe ff');
    await page.click('#send-button');
    await row('server', 'binary').waitFor();

    expect(await rowsSeen()).toEqual(['request', 'response', 'text', 'text', 'binary', 'binary']);
    expect(await page.textContent('#count')).toBe('4 frames');
    const sent = row('client', 'text');
    expect(await cell(sent, 'bits').locator('span').allTextContents()).toEqual(['FIN', 'MASK']);
    expect(await cell(sent, 'key').textContent()).toMatch(/^[0-9a-f]{8}$/);
    expect(await cell(sent, 'bytes').textContent()).toBe('11');
    expect(await cell(sent, 'preview').textContent()).toBe('hello, wire');
    const echoed = row('server', 'binary');
    expect(await cell(echoed, 'bits').locator('span').allTextContents()).toEqual(['FIN']);
    expect(await cell(echoed, 'key').textContent()).toBe('');
    expect(await cell(echoed, 'preview').textContent()).toBe('00 01 fe ff');
  });

  it('names every bit of an opened frame, with a link to its section', async () => {
    await openPage();
    await page.uncheck('#deflate');
    await connect();
    await sendText('x'.repeat(300));
    await row('server', 'text').waitFor();
    const sent = row('client', 'text');
    const table = await openTable(sent);
    const key = await cell(sent, 'key').textContent();
    expect(table).toMatchObject({
      FIN: ['1... ....', '1', 'the final fragment of its message', '§5.4'],
      RSV1: ['.0.. ....', '0', expect.any(String), '§5.2'],
      RSV2: ['..0. ....', '0', expect.any(String), '§5.2'],
      RSV3: ['...0 ....', '0', expect.any(String), '§5.2'],
      Opcode: ['.... 0001', '0x1 text', expect.any(String), '§5.6'],
      MASK: ['1... ....', '1', expect.any(String), '§5.1'],
      'Payload length': ['.111 1110', '126', expect.stringContaining('126'), '§5.2'],
      'Extended payload length': ['01 2c', '300', expect.stringContaining('16 bits'), '§5.2'],
      'Masking key': [expect.any(String), key, expect.any(String), '§5.3'],
    });
    expect(await sent.locator('a', { hasText: '§5.3' }).getAttribute('href')).toBe(
      'https://www.rfc-editor.org/rfc/rfc6455#section-5.3',
    );
    expect(await sent.locator('.dump').first().textContent()).toMatch(
      /^0000 {2}78 78 .* {2}xxxxxxxxxxxxxxxx\n0010/,
    );
  });

  it('shows the opening handshake, and what its headers are for', async () => {
    await openPage();
    await page.fill('#subprotocols', 'chat, chat.v2');
    await connect();
    expect(await page.textContent('#protocol')).toBe('chat');
    const request = await openTable(row('client', 'request'));
    expect(request['Sec-WebSocket-Protocol']![0]).toBe('chat, chat.v2');
    expect(request['Sec-WebSocket-Key']).toEqual([
      expect.stringMatching(/==$/),
      expect.any(String),
      '§11.3.1',
    ]);
    const response = await openTable(row('server', 'response'));
    expect(response['Status line']![0]).toBe('HTTP/1.1 101 Switching Protocols');
    expect(response['Sec-WebSocket-Accept']).toEqual([
      expect.stringMatching(/=$/),
      expect.any(String),
      '§11.3.3',
    ]);
  });

  it('says whether permessage-deflate is in use, and shows compressed messages inflated', async () => {
    await openPage();
    await connect();
    expect(await page.textContent('#extensions')).toBe('permessage-deflate');
    await sendText('compress me '.repeat(20));
    await row('server', 'text').waitFor();
    const sent = row('client', 'text');
    expect(await cell(sent, 'bits').locator('span').allTextContents()).toEqual(['FIN', 'RSV1', 'MASK']);
    expect(await cell(sent, 'preview').textContent()).toMatch(
      /^compress me compress me .*inflated to 240 bytes$/,
    );

    await page.click('#disconnect');
    await page.waitForSelector('#state[data-state=closed]');
    await page.uncheck('#deflate');
    await connect();
    expect(await page.textContent('#extensions')).toBe('not used on this connection');
  });

  it('has the server ping, and shows the pong of the browser with its time', async () => {
    await openPage();
    await connect();
    await page.check('input[value=ping]');
    await page.fill('#ping-payload', 'you?');
    await page.click('#ping-button');
    await page.locator('#pong', { hasText: /^pong after \d+\.\d\d ms$/ }).waitFor();
    expect(await cell(row('server', 'ping'), 'preview').textContent()).toBe('you?');
    expect(await cell(row('client', 'pong'), 'bits').locator('span').allTextContents()).toEqual([
      'FIN',
      'MASK',
    ]);
    expect(await cell(row('client', 'pong'), 'preview').textContent()).toMatch(
      /^you\?\d+\.\d\d ms after its ping$/,
    );
  });

  it('closes with a code and a reason, and shows what the code means', async () => {
    await openPage();
    await connect();
    await page.check('input[value=close]');
    await page.fill('#code', '3001');
    expect(await page.textContent('#code-meaning')).toContain('Registered Use');
    await page.fill('#reason', 'done here');
    await page.click('#close-button');
    await page.waitForSelector('#state[data-state=closed]');
    expect(await page.textContent('#state')).toBe('closed: 3001 Registered Use');
    await page
      .locator('.note', { hasText: 'the page\'s close event: 3001 Registered Use, "done here", clean' })
      .waitFor();
    const table = await openTable(row('client', 'close'));
    expect(table['Status code']).toEqual([
      '0b b9',
      '3001',
      expect.stringContaining('Registered Use'),
      '§7.4.2',
    ]);
    expect(table.Reason!.slice(0, 2)).toEqual(['64 6f 6e 65 20 68 65 72 65', 'done here']);
    expect(await page.locator('.note', { hasText: 'TCP' }).count()).toBe(3);
  });

  it('has the server close with a code that a page may not send, or cut the connection', async () => {
    await openPage();
    await connect();
    await page.check('input[value=close]');
    await page.fill('#code', '1011');
    await page.click('#close-button');
    expect(await page.textContent('#alert')).toContain('A page may close with 1000 and 3000 to 4999 only');
    await page.check('input[value=server]');
    await page.click('#close-button');
    await page.locator('#state', { hasText: 'closed: 1011 Internal Error' }).waitFor();

    await connect();
    await page.click('#cut');
    await page.locator('#state', { hasText: 'closed: 1006 Abnormal Closure' }).waitFor();
    complaints.length = 0; // Chromium reports the cut connection on its console
  });

  it('pauses, filters, and clears', async () => {
    await openPage();
    await page.uncheck('#deflate');
    await connect();
    await sendText('first');
    await row('server', 'text').waitFor();

    await page.click('#pause');
    await sendText('second');
    await page.locator('#pause', { hasText: 'Resume (2 new)' }).waitFor();
    expect(await rowsSeen()).toHaveLength(4);
    await page.click('#pause');
    await page.locator('#count', { hasText: /^4 frames$/ }).waitFor();
    expect(await page.textContent('#pause')).toBe('Pause');

    await page.selectOption('#filter-from', 'server');
    expect(await rowsSeen()).toEqual(['response', 'text', 'text']);
    await page.fill('#filter-text', 'SEC');
    await page.selectOption('#filter-name', 'text');
    expect(await rowsSeen()).toEqual(['text']);
    expect(await page.textContent('#count')).toBe('1 of 4 frames');
    await page.fill('#filter-text', Buffer.from('first').toString('hex'));
    expect(await rowsSeen()).toEqual(['text']);
    await page.selectOption('#filter-name', 'violation');
    expect(await rowsSeen()).toEqual([]);
    // What comes while a filter is on is filtered too.
    await page.selectOption('#filter-name', '');
    await page.fill('#filter-text', 'third');
    await sendText('third');
    await page.locator('#count', { hasText: '1 of 6 frames' }).waitFor();

    await page.click('#clear');
    expect(await page.locator('#frames > li').count()).toBe(0);
    expect(await page.isVisible('#empty')).toBe(true);
  });

  it('watches a connection that another program made with the same name', async () => {
    await openPage();
    await page.fill('#name', 'from-a-test');
    await page.click('#watch button');
    await page.locator('.note', { hasText: 'watching "from-a-test"' }).waitFor();
    const target = `${url.replace('http', 'ws')}echo?watch=from-a-test`;
    expect(await page.textContent('#command')).toBe(`hawser connect '${target}'`);
    expect((await runHawser(['connect', '--no-deflate', target], 'from the terminal\n')).stdout).toBe(
      'from the terminal\n',
    );
    await row('server', 'close').waitFor();
    expect(await cell(row('client', 'text'), 'preview').textContent()).toBe('from the terminal');
  });

  it('shows markup that a peer sends as text', async () => {
    await openPage();
    await page.uncheck('#deflate');
    await connect();
    const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
    await sendText(markup);
    await row('server', 'text').waitFor();
    expect(await cell(row('server', 'text'), 'preview').textContent()).toBe(markup);
    await row('server', 'text').locator('summary').click();
    expect(await page.locator('#frames img, #frames .preview b').count()).toBe(0);
    expect(await page.title()).toBe('hawser: frames on the wire');
  });

  it('says what is wrong with what a person typed', async () => {
    await openPage();
    await page.fill('#url', 'ws://elsewhere.example/');
    await page.click('#open');
    expect(await page.textContent('#alert')).toContain('This page watches its own server only');
    await page.fill('#url', '/echo');
    await connect();
    expect(await page.isHidden('#alert')).toBe(true);
    await page.check('input[value=hex]');
    await page.fill('#hex', 'xyz');
    await page.click('#send-button');
    expect(await page.textContent('#alert')).toContain('Hex is pairs of the digits');
    await page.check('input[value=ping]');
    await page.fill('#ping-payload', 'x'.repeat(126));
    await page.click('#ping-button');
    await page.locator('#alert', { hasText: '125' }).waitFor();
  });

  it('works by keyboard alone', async () => {
    await openPage();
    await page.focus('#url');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#state[data-state=open]');
    await page.focus('#text');
    await page.keyboard.press('Control+Enter');
    await row('server', 'text').waitFor();
    const summary = row('client', 'text').locator('summary');
    await summary.focus();
    await page.keyboard.press('Enter');
    await row('client', 'text').locator('table').waitFor();
    await page.focus('input[value=text]');
    await page.keyboard.press('ArrowRight');
    expect(await page.isVisible('#hex')).toBe(true);
  });

  it('fits a phone of 360 pixels: nothing scrolls sideways, whatever is open', async () => {
    await openPage(PHONE);
    await page.uncheck('#deflate');
    await connect();
    await sendText(`${'long'.repeat(2000)} ${'words '.repeat(100)}`);
    await row('server', 'text').waitFor();
    for (const from of ['client', 'server'] as const) await row(from, 'text').locator('summary').click();
    await row('client', 'request').locator('summary').click();
    for (const kind of ['file', 'ping', 'close', 'hex']) {
      await page.check(`input[value=${kind}]`);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    }
    const widest =
      'Math.max(...Array.from(document.querySelectorAll("#frames > li"), (row) => row.scrollWidth))';
    expect(await page.evaluate(widest)).toBeLessThanOrEqual(360);
    expect(await countColours()).toBeGreaterThan(20);
  });

  it.each(['light', 'dark'] as const)('is legible in %s mode', async (colorScheme) => {
    await openPage({ ...DESKTOP, colorScheme });
    await connect();
    await sendText('hello');
    await row('server', 'text').waitFor();
    await row('client', 'text').locator('summary').click();
    const texts = [
      'h1',
      'header p',
      '#state',
      'label > span',
      '.hint',
      '#count',
      '.time',
      '.from-client .from',
      '.from-server .from',
    ];
    const more = [
      '.from-client .opcode',
      '.from-server .opcode',
      '.bits',
      '.preview',
      '.fields td.wire',
      '.fields a',
      'button.primary',
    ];
    for (const selector of [...texts, ...more]) {
      const { ink, paper } = await coloursOf(page.locator(`${selector}:visible`).first());
      // WCAG 2.2, 1.4.3: 4.5 to 1
      expect(contrast(ink, paper), selector).toBeGreaterThanOrEqual(4.5);
    }
    const { paper } = await coloursOf(page.locator('body'));
    expect(luminance(paper) < 0.1).toBe(colorScheme === 'dark');
    expect(await countColours()).toBeGreaterThan(20);
  });

  /** How many colours a screenshot has; an empty page has one. */
  async function countColours(): Promise<number> {
    const image = (await page.screenshot()).toString('base64');
    const blank = await page.context().newPage();
    const count = await blank.evaluate(`(async () => {
      const image = new Image();
      image.src = 'data:image/png;base64,${image}';
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.width, image.height);
      return new Set(new Uint32Array(data.buffer)).size;
    })()`);
    await blank.close();
    return count as number;
  }
});
