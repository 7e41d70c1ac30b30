// What calls and streams promise, on the real classes: scenarios of calls and faults drawn at random (model/scenario.ts), over
// real sessions on the network and the clock of the session model.
//
//   HAWSER_MODEL_SEEDS=100000 npx vitest run test/rpc/faults/model.test.ts   so many scenarios instead of 3,000
//   HAWSER_MODEL_SEED=4711 npx vitest run test/rpc/faults/model.test.ts      only this one
import { test } from 'vitest';
import { RpcError, RpcPeer } from '../../../src/rpc/index.js';
import { assertScenario } from './model/run.js';

const { HAWSER_MODEL_SEEDS = '3000', HAWSER_MODEL_SEED } = process.env;
const classes = { RpcPeer, RpcError };

test('any faults -> each call is settled once and rightly, each stream has its items in order, and nothing is left', async () => {
  if (HAWSER_MODEL_SEED !== undefined) await assertScenario(classes, Number(HAWSER_MODEL_SEED));
  else for (let seed = 0; seed < Number(HAWSER_MODEL_SEEDS); seed++) await assertScenario(classes, seed);
}, 86_400_000);
