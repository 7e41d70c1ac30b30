// The session's guarantee, on the real classes: scenarios of faults drawn at random (model/scenario.ts), with a network and a
// clock of the model's own.
//
//   HAWSER_MODEL_SEEDS=1000000 npx vitest run test/agent/model.test.ts   so many scenarios instead of 20,000
//   HAWSER_MODEL_SEED=4711 npx vitest run test/agent/model.test.ts       only this one
import { test } from 'vitest';
import { ClientSession } from '../../src/agent/client-session.js';
import { SessionServer } from '../../src/agent/session-server.js';
import { assertScenario } from './model/run.js';

const { HAWSER_MODEL_SEEDS = '20000', HAWSER_MODEL_SEED } = process.env;
const classes = { ClientSession, SessionServer };

test('any faults -> each message is handed over once and in order, or is reported as lost or dropped', async () => {
  if (HAWSER_MODEL_SEED !== undefined) await assertScenario(classes, Number(HAWSER_MODEL_SEED));
  else for (let seed = 0; seed < Number(HAWSER_MODEL_SEEDS); seed++) await assertScenario(classes, seed);
}, 86_400_000);
