// The HTML report in Chromium, opened as a file, as a person reads it: matrix, filters, a case with its frames.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '../../../src/conform/report/html.js';
import { launchChromium } from '../../support/chromium.js';
import { coloursOf, contrast, luminance } from '../../support/colours.js';
import { requirement } from '../../support/require.js';
import { sampleData } from './sample.js';

const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const MARKUP = '<script>document.title="broken"</script><img src=x onerror="document.title=1"> & </script>';

describe.runIf(requirement('chromium'))('the HTML report in Chromium', () => {
  const data = sampleData();
  const results = data.results.map((result) =>
    result.id === '1.1.2' ? { ...result, finding: MARKUP } : result,
  );
  let directory: string;
  let address: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'hawser-report-'));
    const file = join(directory, 'report.html');
    writeFileSync(file, renderHtml({ ...data, results }));
    address = pathToFileURL(file).href;
    browser = await launchChromium('--no-first-run');
  });

  afterEach(async () => {
    await page?.context().close();
    // The page threw nothing, broke no rule of its own policy, and asked for no other file.
    expect(complaints.splice(0)).toEqual([]);
    expect(requests.splice(0).filter((url) => !url.startsWith(address) && !url.startsWith('data:'))).toEqual(
      [],
    );
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(hash = '', options: BrowserContextOptions = DESKTOP): Promise<void> {
    page = await (await browser.newContext({ ...options, reducedMotion: 'reduce' })).newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(address + hash);
    await page.locator('#count', { hasText: 'cases' }).waitFor();
  }

  const rows = () => page.locator('#matrix tbody th[scope=row]:visible');
  const cell = (id: string, column: number) =>
    page
      .locator('#matrix tbody tr', { has: page.locator(`th b:text-is("${id}")`) })
      .locator('td')
      .nth(column);
  const fact = (name: string) =>
    page.locator('#detail .facts div', { has: page.locator(`dt:text-is("${name}")`) }).locator('dd');
  const widthOfPage = () => page.evaluate('document.documentElement.scrollWidth');

  it('shows totals, and a matrix with a cell for each agent and case, by section', async () => {
    await open();
    expect(await rows().count()).toBe(data.cases.length);
    expect(await page.locator('#matrix td').count()).toBe(data.cases.length * data.agents.length);
    expect(await page.locator('#matrix td a').count()).toBe(data.results.length);
    expect(await page.locator('#matrix th[scope=rowgroup]').count()).toBe(24);
    expect(await cell('1.1.1', 0).textContent()).toBe('Pass, close 1000');
    const labels = new Set(await page.locator('#matrix td a > span:first-child').allTextContents());
    expect([...labels].sort()).toEqual(['Fail', 'Info', 'Non-Strict', 'Pass', 'Unimplemented']);
    const ends = new Set(await page.locator('#matrix .end[class*=v-]').allTextContents());
    expect([...ends].sort()).toEqual([
      ', close Failed by Client',
      ', close Unclean',
      ', close Wrong Code 1000',
    ]);
    const totals = await page.locator('#totals tbody tr').first().locator('th, td').allTextContents();
    expect(totals.slice(0, 4)).toEqual(['alpha', 'server', '608', '608']);
  });

  it('filters by words, verdict, agent, section and requirement', async () => {
    await open();
    await page.selectOption('#verdict', 'FAILED');
    const failed = data.cases.filter(({ id }) =>
      results.some((result) => result.id === id && result.behavior === 'FAILED'),
    );
    expect(await rows().count()).toBe(failed.length);
    expect(await page.textContent('#count')).toBe(`${failed.length} of ${data.cases.length} cases`);
    await page.selectOption('#agent', '0');
    expect(await rows().count()).toBe(0);
    expect(await page.isVisible('#nothing')).toBe(true);
    await page.click('#reset');
    await page.locator('#count', { hasText: /^608 cases$/ }).waitFor();

    await page.selectOption('#section', 'masking');
    expect(await rows().count()).toBe(7);
    expect(await page.locator('#matrix th[scope=rowgroup]:visible').allTextContents()).toEqual([
      'Masking7 cases',
    ]);
    await page.fill('#text', 'SHOW-3 header');
    expect(await rows().count()).toBe(1);
    await page.click('#reset');
    await page.fill('#requirement', 'RFC' + '6455-5.1');
    expect(await rows().count()).toBe(16);
    await page.fill('#requirement', 'rfc6455-5.1-2');
    expect(await rows().count()).toBe(5);

    await page.locator('#totals tbody tr').nth(1).locator('button.v-unclean').click();
    expect(await rows().count()).toBe(6);
    expect(await page.inputValue('#agent')).toBe('1');
  });

  it('opens a case with its rule, its finding and its frames; the address leads there and back', async () => {
    await open();
    expect(await page.isVisible('#detail')).toBe(false);
    await cell('1.1.1', 1).click();
    await page.waitForSelector('#detail .wire');
    expect(await page.textContent('#detail-title')).toMatch(/^1\.1\.1 sends a text message/);
    expect(await fact('Rule').textContent()).toMatch(/^An endpoint that gets a message/);
    expect(await fact('Section').locator('a').getAttribute('href')).toBe(
      'https://www.rfc-editor.org/rfc/rfc6455#section-5.6',
    );
    expect(await fact('Requirements').textContent()).toBe('RFC6455-5.1-1');
    expect(await fact('Expected').textContent()).toContain('comes back');
    expect(await fact('Finding').textContent()).toBe('The message came back unchanged.');
    expect(await fact('Close of agent').textContent()).toBe('1000 Normal Closure');
    const frames = await page.locator('#detail .frame').allInnerTexts();
    expect(frames.map((text) => text.replace(/\s+/g, ' ')).slice(2, 6)).toEqual([
      expect.stringMatching(/^\d+\.50 ms tester → text FIN mask 37fa213d 14 bytes$/),
      expect.stringMatching(/^\d+\.75 ms ← agent text FIN not masked 14 bytes$/),
      '9.00 ms ← agent binary RSV1 not masked 65,536 bytes',
      '9.50 ms tester → ping FIN mask 37fa213d 0 bytes written 1 byte at a time',
    ]);
    expect(await page.locator('#detail pre.text').allTextContents()).toContain('grüße, wire\\n!');
    expect(await page.locator('#detail pre.text').last().textContent()).toBe('1000 done');
    expect(await page.locator('#detail pre.hex').first().textContent()).toMatch(/^67 72 c3 bc/);
    expect(await page.locator('#detail pre').first().textContent()).toMatch(/^GET \/echo HTTP\/1\.1\nHost/);

    await page.click('#detail .tabs a:has-text("alpha (client)")');
    await page.locator('#detail [aria-current]', { hasText: 'alpha (client)' }).waitFor();
    await page.goBack();
    await page.locator('#detail [aria-current]', { hasText: 'beta' }).waitFor();
    await page.goBack();
    await page.waitForSelector('#detail', { state: 'hidden' });
    await open('#9.1.1/beta%208.23');
    expect(await page.textContent('#detail-title')).toContain('9.1.1');
    await open('#%E0%A4%A/none');
    expect(await page.isVisible('#detail')).toBe(false);
  });

  it('shows the cases of a requirement from an open case, and says where an agent did not run', async () => {
    const client = data.agents[2]!;
    const ran = new Set(results.filter(({ subject }) => subject === client.subject).map(({ id }) => id));
    const missing = data.cases.find(({ id }) => !ran.has(id))!;
    await open(`#${missing.id}/alpha%20(client)`);
    expect(await page.textContent('#detail .empty')).toBe('alpha (client) did not run this case.');
    await page.click('#detail .tag');
    expect(await page.inputValue('#requirement')).toBe(missing.requirements[0]);
    expect(await rows().count()).toBeLessThan(data.cases.length);
  });

  it('shows markup in a finding as text', async () => {
    await open('#1.1.2/beta%208.23');
    expect(await fact('Finding').textContent()).toBe(MARKUP);
    expect(await page.locator('#detail img, #detail script').count()).toBe(0);
    expect(await page.title()).toBe('1.1.2: WebSocket conformance');
  });

  it('works by keyboard alone: one stop for Tab in the matrix, arrows from cell to cell', async () => {
    await open();
    const focused = () => page.evaluate('document.activeElement.getAttribute("href")');
    await page.focus('#reset');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('#1.1.1');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.closest("#matrix")')).toBeNull();
    await page.keyboard.press('Shift+Tab');
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    expect(await focused()).toBe('#1.1.2/beta%208.23');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#detail .wire');
    expect(await page.evaluate('document.activeElement.id')).toBe('detail-title');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#detail', { state: 'hidden' });
    expect(await focused()).toBe('#1.1.2/beta%208.23');
    expect(await page.locator('#matrix a[tabindex="0"]').count()).toBe(1);
  });

  it('keeps its heads in view while the matrix scrolls', async () => {
    await open();
    await page.evaluate('document.getElementById("matrix-scroll").scrollTop = 4000');
    const box = (await page.locator('#matrix-scroll').boundingBox())!;
    const head = (await page.locator('#matrix thead th').first().boundingBox())!;
    expect(Math.abs(head.y - box.y)).toBeLessThan(4);
  });

  it('has the benchmarks and the durations of chapter 9', async () => {
    await open();
    expect(await page.locator('#speed caption').allTextContents()).toEqual([
      'Benchmarks',
      'Durations of the cases of chapter 9',
    ]);
    const row = await page.locator('#speed tbody tr').first().locator('th, td').allTextContents();
    expect(row).toContain('1,234,567median of 5 runs');
    expect(await page.locator('#speed table').nth(1).locator('tbody tr').count()).toBe(54);
  });

  it('fits a phone of 360 pixels: the matrix scrolls by itself, the page never sideways', async () => {
    await open('', PHONE);
    expect(await widthOfPage()).toBe(360);
    const widths = await page.evaluate(
      '[document.getElementById("matrix-scroll").scrollWidth, document.getElementById("matrix-scroll").clientWidth]',
    );
    expect((widths as number[])[0]).toBeGreaterThan((widths as number[])[1]!);
    await cell('1.1.1', 0).locator('a').tap();
    await page.waitForSelector('#detail .wire');
    expect(await widthOfPage()).toBe(360);
    expect(await page.evaluate('document.getElementById("detail").scrollWidth')).toBeLessThanOrEqual(360);
    expect(await page.locator('#detail').boundingBox()).toEqual({ x: 0, y: 0, width: 360, height: 740 });
    await page.tap('#close');
    await page.waitForSelector('#detail', { state: 'hidden' });
  });

  it.each(['light', 'dark'] as const)('is legible in %s mode', async (colorScheme) => {
    await open('#1.1.2/beta%208.23', { ...DESKTOP, colorScheme });
    const verdicts = ['ok', 'non-strict', 'informational', 'unimplemented', 'failed'].map(
      (name) => `a.cell.v-${name}`,
    );
    const ends = ['unclean', 'wrong-code', 'failed-by-client'].map((name) => `.end.v-${name}`);
    const texts = [
      'h1',
      'header p',
      '#count',
      '.hint',
      '#matrix th a span',
      '#matrix small',
      'span.cell.v-none',
    ];
    const details = [
      '.facts dt',
      '.facts dd a',
      '.tag',
      '.time',
      '.bits',
      'pre.hex',
      '.note',
      '.plain thead th',
    ];
    const wire = ['.from-client .opcode', '.from-server .opcode', '.from-client .from', '.from-server .from'];
    for (const selector of [...verdicts, ...ends, ...texts, ...details, ...wire]) {
      const { ink, paper } = await coloursOf(page.locator(selector).first());
      // WCAG 2.2, 1.4.3: 4.5 to 1
      expect(contrast(ink, paper), selector).toBeGreaterThanOrEqual(4.5);
    }
    const { paper } = await coloursOf(page.locator('body'));
    expect(luminance(paper) < 0.1).toBe(colorScheme === 'dark');
  });
});
