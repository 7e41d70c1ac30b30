// Loading `hawser/mcp` loads no SDK; and what browsers load has nothing of Node, and no server.
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { runProgram } from '../support/child.js';
import { compiledSources } from '../support/compiled.js';

const dist = compiledSources();

it('required and used, no SDK and nothing but the package is loaded', async () => {
  const { stdout, stderr } = await runProgram(`
    const { serveMcp, WebSocketClientTransport, WebSocketServerTransport } = require(${JSON.stringify(join(dist, 'mcp', 'index.js'))});
    const endpoint = serveMcp({ noServer: true, factory: () => ({ connect: async () => {} }) });
    new WebSocketClientTransport('ws://127.0.0.1:1/');
    endpoint.close().then(() => {
      const foreign = Object.keys(require.cache).filter((path) => !path.startsWith(${JSON.stringify(dist)}));
      console.log(JSON.stringify([foreign, typeof WebSocketServerTransport]));
    });
  `);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([[], 'function']);
});

it('for browsers: a bundle with the client alone', async () => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(process.cwd(), 'src/mcp/browser.ts')],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const files = Object.keys(metafile.inputs);
  expect(files.filter((file) => !/^src\/(agent|mcp)\//.test(file))).toEqual([]);
  expect(files).not.toContain('src/mcp/endpoint.ts');
  expect(outputFiles[0]!.text).toContain('WebSocketClientTransport');
});
