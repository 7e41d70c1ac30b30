import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundleForBrowser } from '../support/browser-bundle.js';
import { launchChromium } from '../support/chromium.js';
import { type McpScene, setScene } from '../support/mcp-scene.js';
import { requirement } from '../support/require.js';
import { type ScriptPage, serveScriptPage } from '../support/script-page.js';
import { MODERN } from './mcp/clients.js';
import { Journal, SERVERS } from './mcp/servers.js';

/** What stands in the page's `window`. */
interface PageWindow {
  callSlow(url: string, resume: boolean, args: object): Promise<unknown>;
  dial(url: string): Promise<string>;
}

describe.runIf(requirement('chromium'))('hawser/mcp in Chromium', () => {
  let pages: ScriptPage;
  let origin: string;
  let browser: Browser;
  let page: Page;
  let scene: McpScene;

  beforeAll(async () => {
    const { code } = await bundleForBrowser(readFileSync(join(__dirname, 'chromium', 'mcp.mjs'), 'utf8'));
    pages = await serveScriptPage('mcp.mjs', code, '<script type="module" src="/mcp.mjs"></script>');
    ({ origin } = pages);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  afterEach(async () => {
    await page.context().close();
    await scene.close();
  });

  async function open(origins: string[]): Promise<Journal> {
    const journal = new Journal();
    scene = await setScene({ ...SERVERS['SDK 2.4, serveStdio']!(journal), origins });
    page = await (await browser.newContext()).newPage();
    return journal;
  }

  async function load(): Promise<void> {
    await page.goto(origin);
    await page.waitForFunction(() => 'callSlow' in globalThis);
  }

  it.each([true, false])('resume: %s', async (resume) => {
    const journal = await open([origin]);
    await page.exposeFunction('tell', (progress: number) => {
      if (resume && (progress === 2 || progress === 4)) scene.proxy.cutAll();
    });
    await load();
    const result = await page.evaluate(
      ([url, isResuming]) =>
        (globalThis as unknown as PageWindow).callSlow(url, isResuming, { steps: 6, stepMs: 50 }),
      [scene.url, resume] as const,
    );
    expect(result).toEqual({ version: MODERN, steps: [1, 2, 3, 4, 5, 6], text: '6 steps' });
    expect(journal.runs).toEqual(['slow']);
    expect(scene.endpoint.stats().resumed).toBe(resume ? 2 : 0);
  });

  it('a page that is not listed cannot connect', async () => {
    await open(['https://app.example']);
    await load();
    const dialled = page.evaluate((url) => (globalThis as unknown as PageWindow).dial(url), scene.url);
    expect(await dialled).toBe('the connection failed');
    expect(scene.endpoint.stats().created).toBe(0);
  });
});
