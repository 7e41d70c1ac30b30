// autobahn/: the peers that the suite judges are judged here by ours, and the expected results fit the cases. The suite itself
// needs Docker, and is not run.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CASES } from '../../src/conform/cases/index.js';
import { runHawser } from '../cli/program.js';

const directory = join(__dirname, '../../autobahn');
const EXPECTED = join(directory, 'expected-results.json');
const SOME = ['--cases', '1.1.*,3.*,5.3,6.3.1,7.3.*,7.13.1'];
const COUNT = 8 + 7 + 1 + 1 + 6 + 1;

it('the expected results are those of the 517 cases: all OK but three', () => {
  const expected = JSON.parse(readFileSync(EXPECTED, 'utf8')) as Record<string, { behavior: string }>;
  expect(Object.keys(expected)).toEqual(
    CASES.filter(({ group }) => group === 'autobahn').map(({ id }) => id),
  );
  const others = Object.entries(expected).filter(([, { behavior }]) => behavior !== 'OK');
  expect(others.map(([id]) => id)).toEqual(['7.1.6', '7.13.1', '7.13.2']);
});

describe.each(['hawser', 'ws'])('the echo peers on %s', (agent) => {
  it('client: runs all cases, and gets the expected verdicts', async () => {
    const command = ['--', process.execPath, join(directory, 'echo-client.mjs'), agent, '{url}'];
    const run = await runHawser([
      'conform',
      'client',
      '--port',
      '0',
      ...SOME,
      '--baseline',
      EXPECTED,
      ...command,
    ]);
    expect(run.stdout).toContain(`${agent}: ${COUNT} of ${COUNT} passed`);
    expect(run.code).toBe(0);
  });

  it('server: gets the expected verdicts', async () => {
    const port = await freePort();
    const server = spawn(process.execPath, [join(directory, 'echo-server.mjs'), agent, String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(server.stdout!, 'data');
    const run = await runHawser([
      'conform',
      'server',
      `ws://127.0.0.1:${port}`,
      ...SOME,
      '--baseline',
      EXPECTED,
    ]);
    server.kill();
    expect(run.code).toBe(0);
  });
});

it.skipIf(spawnSync('docker', ['info']).status === 0)('without Docker: one line that says so, and 1', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(directory, 'run.mjs')], { encoding: 'utf8' });
  expect(stderr).toBe(
    'autobahn: a running Docker engine is needed (`docker info` fails); nothing was tested.\n',
  );
  expect(status).toBe(1);
});

/** A port that was free a moment ago: the server takes its port as an argument. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
