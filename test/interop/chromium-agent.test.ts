// The panel of `hawser serve` that calls tools, in Chromium, as a person uses it: calls them, drops the connection under
// them, cancels some, ends the session.

import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { explain } from '../../src/cli/agent-tools/explain.js';
import { collect, testContext } from '../cli/agent-tools/context.js';
import { type Program, startHawser } from '../cli/program.js';
import { launchChromium } from '../support/chromium.js';
import { coloursOf, contrast } from '../support/colours.js';
import { requirement } from '../support/require.js';

const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 400, height: 740 }, isMobile: true, hasTouch: true };

/** Notes each state of the session that the page shows. Text, because this project knows no types of the DOM. */
const RECORD_STATES = `
addEventListener('DOMContentLoaded', () => {
  const shown = document.getElementById('session-state');
  window.states = [shown.dataset.state];
  new MutationObserver(() => states.push(shown.dataset.state)).observe(shown, { attributeFilter: ['data-state'] });
});`;

describe.runIf(requirement('chromium'))('the agent on the page of hawser serve', () => {
  let program: Program;
  let browser: Browser;
  let url: string;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    program = startHawser(['serve', '--port', '0'], null);
    [url] = (await program.printed(/http:\/\/127\.0\.0\.1:\d+\//)) as unknown as [string];
    browser = await launchChromium();
  });

  afterEach(async () => {
    await page?.context().close();
    expect(complaints.splice(0)).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    program?.child.kill('SIGTERM');
    expect(await program?.ended).toMatchObject({ code: 0, stderr: '' });
  });

  async function openPanel(options: BrowserContextOptions = DESKTOP, address = url): Promise<void> {
    page = await (await browser.newContext(options)).newPage();
    await page.addInitScript(RECORD_STATES);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(address);
    await page.check('input[name=mode][value=agent]');
  }

  async function call(tool: string): Promise<Locator> {
    await page.check(`input[name=tool][value=${tool}]`);
    await page.click('#call-button');
    return page.locator(`.call[data-call=${tool}]`).first();
  }

  async function callCalculate(expression: string): Promise<Locator> {
    await page.check('input[name=tool][value=calculate]');
    await page.fill('#calculate-expression', expression);
    return call('calculate');
  }

  function ended(view: Locator, state: string): Promise<void> {
    return view.and(page.locator(`[data-state=${state}]`)).waitFor();
  }

  function isRunning(view: Locator): Promise<boolean> {
    return view.and(page.locator('[data-state=running]')).isVisible();
  }

  it('the connection is dropped in the middle -> words and search go on, and each word arrives once', async () => {
    await openPanel();
    const explanation = await call('explain');
    const search = await call('search');
    await explanation.locator('.piece').nth(4).waitFor();
    await search.locator('progress').waitFor();
    await page.click('#drop');
    await page.locator('#session-connections', { hasText: '2' }).waitFor();
    expect([await isRunning(explanation), await isRunning(search)]).toEqual([true, true]);
    await ended(explanation, 'done');
    await ended(search, 'done');

    expect(await explanation.locator('.piece').allTextContents()).toEqual(
      await collect(explain.call({ topic: 'session', paceMs: 0 }, testContext())),
    );
    // The mark of the break stands inside of the text.
    expect(await explanation.locator('.piece + .seam + .piece').count()).toBe(1);
    expect(await explanation.locator('.status').textContent()).toMatch(/^done after .* over 2 connections$/);
    expect(await search.locator('p').last().textContent()).toMatch(/^\d+ lines in \d+ files$/);
    expect(await search.locator('.place').allTextContents()).toContainEqual(
      expect.stringMatching(/^src\/.*:\d+$/),
    );
    expect(await page.evaluate('states')).toEqual(['idle', 'connecting', 'open', 'reconnecting', 'open']);
    expect(await page.textContent('#session-now')).toMatch(/^open again, after \d+\.\d s$/);
    complaints.length = 0; // Chromium may report the cut connection on its console
  });

  it('the frames of all connections of the session stand in the list, and the break between them', async () => {
    await openPanel();
    const clock = await call('clock');
    await clock.locator('.piece').first().waitFor();
    await page.click('#drop');
    await page.locator('#session-connections', { hasText: '2' }).waitFor();
    const request = page.locator('.preview', { hasText: /^GET \/agent\?watch=/ });
    await request.nth(1).waitFor();
    await page.locator('.preview', { hasText: /^#1 clock \{"count":10,"everyMs":500\}$/ }).waitFor();
    await page.locator('.preview', { hasText: /^\$\/next \{"s":1,"items":\["1 / }).waitFor();
    await page
      .locator('.note.alarm', { hasText: 'the connection of the session is lost (1006); 1 call' })
      .waitFor();
    await page.locator('.note', { hasText: 'the session goes on over a new connection' }).waitFor();
    complaints.length = 0;
  });

  it('several at once -> each shows its own result; of two, the one that is cancelled ends alone', async () => {
    await openPanel();
    await page.click('#call-all');
    const [explanation, search, calculation] = ['explain', 'search', 'calculate'].map((tool) =>
      page.locator(`.call[data-call=${tool}]`),
    ) as [Locator, Locator, Locator];
    await ended(calculation, 'done');
    expect(await calculation.locator('.output').textContent()).toBe('94');
    await explanation.locator('.piece').first().waitFor();
    await search.locator('button').click();
    await ended(search, 'cancelled');
    expect(await search.locator('button').count()).toBe(0);
    expect(await isRunning(explanation)).toBe(true);
    const before = await explanation.locator('.piece').count();
    await explanation.locator('.piece').nth(before).waitFor();
    await explanation.locator('button').click();
    await ended(explanation, 'cancelled');
    expect(await explanation.locator('.status').textContent()).toMatch(/^cancelled after/);
  });

  it('what is wrong with a call is said where the call is, and the next one works', async () => {
    await openPanel();
    const wrong = await callCalculate('2 *');
    await ended(wrong, 'failed');
    expect(await wrong.locator('.reason').textContent()).toBe('a number was expected at position 4 (-32602)');
    const right = await callCalculate('2 * 3');
    await ended(right, 'done');
    expect(await right.locator('.output').textContent()).toBe('6');
  });

  it('the session is ended -> calls in flight fail, and the next call begins another one', async () => {
    await openPanel();
    const explanation = await call('explain');
    await explanation.locator('.piece').first().waitFor();
    await page.click('#end-session');
    await ended(explanation, 'failed');
    await page.waitForSelector('#session-state[data-state=closed]');
    expect(await page.isDisabled('#drop')).toBe(true);
    await ended(await callCalculate('1 + 1'), 'done');
    expect(await page.evaluate('states')).toEqual([
      'idle',
      'connecting',
      'open',
      'closed',
      'connecting',
      'open',
    ]);
  });

  it('the server is killed and starts anew -> the session is lost, the page says so, and the next call works', async () => {
    const first = startHawser(['serve', '--port', '0'], null);
    const [address, port] = await first.printed(/http:\/\/127\.0\.0\.1:(\d+)\//);
    await openPanel(DESKTOP, address);
    const explanation = await call('explain');
    const search = await call('search');
    await explanation.locator('.piece').first().waitFor();
    await search.locator('progress').waitFor();
    first.child.kill('SIGKILL');
    await page.waitForSelector('#session-state[data-state=reconnecting]');
    await first.ended;
    const second = startHawser(['serve', '--port', port!], null);
    await second.printed(/http/);
    await ended(explanation, 'failed');
    await ended(search, 'failed');
    expect(await explanation.locator('.reason').textContent()).toMatch(/\(-31003, perhaps run\)$/);
    expect(await search.locator('.reason').textContent()).toMatch(/\(-31003, perhaps run\)$/);
    await page.locator('.note.alarm', { hasText: 'the server has forgotten the session' }).waitFor();
    await ended(await callCalculate('1 + 1'), 'done');
    second.child.kill('SIGKILL');
    await second.ended;
    complaints.length = 0;
  });

  it('cutting the connection of one half of the page leaves that of the other', async () => {
    await openPanel();
    const clock = await call('clock');
    await clock.locator('.piece').first().waitFor();
    await page.check('input[name=mode][value=messages]');
    await page.click('#open');
    await page.waitForSelector('#state[data-state=open]');
    await page.check('input[value=close]');
    await page.click('#cut');
    await page.locator('#state', { hasText: 'closed: 1006' }).waitFor();
    await page.check('input[name=mode][value=agent]');
    await ended(clock, 'done');
    expect(await page.evaluate('states')).toEqual(['idle', 'connecting', 'open']);
    complaints.length = 0;
  });

  it('works by keyboard alone', async () => {
    await openPanel();
    await page.locator('#call-button:enabled').waitFor();
    await page.focus('input[name=tool][value=explain]');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('search-text');
    await page.keyboard.press('Enter');
    const search = page.locator('.call[data-call=search]');
    await search.locator('progress').waitFor();
    await search.locator('button').focus();
    await page.keyboard.press('Enter');
    await ended(search, 'cancelled');
    await page.locator('#call-news', { hasText: 'search: cancelled' }).waitFor({ state: 'attached' });
  });

  it('comes up at #agent, and fits 400 pixels whatever is open', async () => {
    await openPanel(PHONE);
    await page.goto(`${url}#agent`);
    await page.reload();
    expect(await page.isVisible('#drop')).toBe(true);
    await page.click('#call-all');
    const long = await callCalculate('1+'.repeat(300));
    await ended(long, 'failed');
    await page.locator('.call[data-call=explain] .piece').first().waitFor();
    for (const tool of ['search', 'calculate', 'clock', 'explain']) {
      await page.check(`input[name=tool][value=${tool}]`);
      expect(await page.evaluate('document.documentElement.scrollWidth'), tool).toBe(400);
    }
  });

  it.each(['light', 'dark'] as const)('is legible in %s mode', async (colorScheme) => {
    await openPanel({ ...DESKTOP, colorScheme });
    const search = await call('search');
    await ended(await callCalculate('0 / 0'), 'failed');
    await search.locator('.step').waitFor();
    const texts = [
      '#session-state',
      '.hint',
      '.call-head b',
      '.call .title',
      '.call .status',
      '.step',
      '.reason',
      '.call button',
    ];
    for (const selector of texts) {
      const { ink, paper } = await coloursOf(page.locator(`${selector}:visible`).first());
      // WCAG 2.2, 1.4.3: 4.5 to 1
      expect(contrast(ink, paper), selector).toBeGreaterThanOrEqual(4.5);
    }
  });
});
