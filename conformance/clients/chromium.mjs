// Chromium's WebSocket: a page runs the cases, with the driver that the other clients have. `node chromium.mjs URL AGENT`
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';

const MODULES = ['/driver.mjs', '/standard.mjs'];

const pages = createServer((request, response) => {
  const isModule = MODULES.includes(request.url);
  response.setHeader('Content-Type', isModule ? 'text/javascript' : 'text/html');
  response.end(isModule ? readFileSync(new URL(`.${request.url}`, import.meta.url)) : '<!doctype html>');
});
pages.listen(0, '127.0.0.1');
await once(pages, 'listening');

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  const [, , url, agent] = process.argv;
  await page.evaluate(
    async ([to, as]) => {
      const { drive } = await import('/driver.mjs');
      const { connectWith } = await import('/standard.mjs');
      await drive(to, as, connectWith(WebSocket));
    },
    [url, agent],
  );
} finally {
  await browser.close();
  pages.close();
}
