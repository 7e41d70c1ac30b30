// `hawser/agent` as a bundler puts it into a page: the client alone, and nothing of Node. test/interop runs it in Chromium.

import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundleForBrowser } from '../support/browser-bundle.js';

it('hawser/agent for browsers -> the client alone, of which the size is printed', async () => {
  const { code, files } = await bundleForBrowser(
    "import * as agent from 'hawser/agent';\nconsole.log(Object.keys(agent));",
  );
  expect(files).toContain('dist/agent/browser.js');
  expect(files.filter((file) => file.startsWith('dist/') && !file.startsWith('dist/agent/'))).toEqual([]);
  expect(files.filter((file) => /server|index|shutdown/.test(file))).toEqual([]);
  const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
  const gzipped = kibibytes(gzipSync(code).length);
  console.log(`hawser/agent for browsers: ${kibibytes(code.length)} minified, ${gzipped} with gzip`);
});

it.each(['node:crypto', 'hawser/conform'])('a program that needs %s -> no bundle', async (name) => {
  await expect(bundleForBrowser(`import '${name}';`)).rejects.toThrow(/Could not resolve/);
});
