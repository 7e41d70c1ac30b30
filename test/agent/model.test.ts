import { test } from 'vitest';
import { ClientSession } from '../../src/agent/client-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { assertScenarios } from './model/run.js';
test('x', async () => {
  await assertScenarios({ ClientSession, SessionServer }, Number(process.env.FROM ?? 0), Number(process.env.TO ?? 2000));
}, 600_000);
