// Packages that depend on `ws` keep going with hawser in its place: each program of dependents/ is a real exchange
// between the server and the client of such a package, run by node where the package finds hawser as `ws`.

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { requirement } from '../support/require.js';
import { installLocked, replaceWs, run } from './install.js';
import { subjectName } from './subject.js';

const folder = join(__dirname, 'dependents');
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
let isInstalled = false;

const EXCHANGES: Record<string, string[]> = {
  'socket-io': [
    'connect',
    'acks both ways',
    'binary',
    'broadcast',
    'rooms, framed once',
    'upgrade from polling',
    'disconnect',
  ],
  'engine-io': ['connect with permessage-deflate', 'text', 'binary', 'message above the limit', 'close'],
  'fastify-websocket': [
    'echo',
    'one route, HTTP and WebSocket',
    'refused before the upgrade',
    'stream',
    'error handler',
    'injectWS',
    'close',
  ],
  'graphql-ws': [
    'query and subprotocol',
    'subscription',
    'error of a resolver',
    'subscription stopped by the client',
    'refused connections',
    'dispose',
  ],
  mqtt: [
    'connect',
    'subscribe',
    'publish with QoS 0, 1 and 2',
    '1 MiB',
    '1000 messages in order',
    'retained message',
    'will of a client that vanishes',
    'end',
  ],
  'express-ws': [
    'route with middleware and parameter',
    'HTTP beside it',
    'clients of the server',
    'path without a route',
    'message above the limit',
  ],
  jsdom: [
    'open with origin and subprotocol',
    'text and binary',
    'close of the server',
    'close of the page',
    'failed connection',
  ],
  puppeteer: [
    'evaluate',
    'navigate',
    'events',
    'messages of 3.5 MB both ways',
    'screenshot',
    'second connection',
    'close',
  ],
};

async function exchange(program: string) {
  const { code, stdout, stderr } = await run(process.execPath, [join(folder, `${program}.mjs`)], {
    cwd: folder,
    env: { CHROMIUM },
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

describe('dependents of ws', () => {
  beforeAll(async () => {
    isInstalled = await installLocked(folder);
    if (isInstalled) await replaceWs(folder);
  }, 300_000);

  for (const [program, steps] of Object.entries(EXCHANGES)) {
    const isPossible = program !== 'puppeteer' || requirement('chromium');
    it.runIf(isPossible)(
      `${program}, hawser in place of ws -> the exchange completes`,
      async ({ skip }) => {
        skip(!isInstalled, 'not installed, and offline');
        expect(await exchange(program)).toEqual({ ws: subjectName, steps });
      },
      70_000,
    );
  }
});
