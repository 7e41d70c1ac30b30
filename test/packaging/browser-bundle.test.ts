// `hawser/agent` and `hawser/rpc` as a bundler puts them into a page: the client alone, and nothing of Node. test/interop runs it in Chromium.

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
  console.log(`hawser/agent for browsers: ${kibibytes(code.length)} minified, ${gzipped(code)} with gzip`);
});

it('hawser/rpc for browsers -> with hawser/agent one copy of what both need, and nothing of Node', async () => {
  const { code, files } = await bundleForBrowser(
    "export { connectSession } from 'hawser/agent';\nexport { RpcPeer } from 'hawser/rpc';",
  );
  expect(files).toContain('dist/rpc/peer.js');
  expect(files).toContain('dist/agent/browser.js');
  expect(files.filter((file) => file.startsWith('dist/') && !/^dist\/(?:agent|rpc)\//.test(file))).toEqual(
    [],
  );
  console.log(
    `hawser/agent and hawser/rpc for browsers: ${kibibytes(code.length)} minified, ${gzipped(code)} with gzip`,
  );
});

it.each(['node:crypto', 'hawser/conform'])('a program that needs %s -> no bundle', async (name) => {
  await expect(bundleForBrowser(`import '${name}';`)).rejects.toThrow(/Could not resolve/);
});

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

function gzipped(code: string): string {
  return kibibytes(gzipSync(code).length);
}
