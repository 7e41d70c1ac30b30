// puppeteer-core drives Chromium over its DevTools WebSocket; CHROMIUM names the browser's executable.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { exchange } from './exchange.mjs';

const userDataDir = mkdtempSync(join(tmpdir(), 'hawser-puppeteer-'));

await exchange(['puppeteer-core'], async (done) => {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    pipe: false,
    userDataDir,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    assert.match(browser.wsEndpoint(), /^ws:\/\/127\.0\.0\.1:/);
    const page = await browser.newPage();
    assert.equal(await page.evaluate(() => 6 * 7), 42);
    done('evaluate');

    await page.goto(`data:text/html,<title>a page</title><h1>hello</h1>`);
    assert.equal(await page.title(), 'a page');
    assert.equal(await page.$eval('h1', (heading) => heading.textContent), 'hello');
    done('navigate');

    const logged = once(page, 'console');
    await page.evaluate(() => console.log('from the page'));
    assert.equal((await logged)[0].text(), 'from the page');
    done('events');

    const text = 'ab☃'.repeat(700_000);
    assert.equal(await page.evaluate((sent) => sent.length, text), text.length);
    assert.equal(await page.evaluate((n) => 'ab☃'.repeat(n), 700_000), text);
    done('messages of 3.5 MB both ways');

    const image = Buffer.from(await page.screenshot({ type: 'png' }));
    assert.equal(image.toString('latin1', 1, 4), 'PNG');
    done('screenshot');

    const second = await puppeteer.connect({ browserWSEndpoint: browser.wsEndpoint() });
    assert.ok((await second.pages()).length >= 1);
    const gone = once(second, 'disconnected');
    await second.disconnect();
    await gone;
    done('second connection');
  } finally {
    await browser.close();
    rmSync(userDataDir, { recursive: true, force: true });
  }
  done('close');
});
