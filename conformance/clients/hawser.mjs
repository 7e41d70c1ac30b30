// hawser's client; `HAWSER_DIST` names another build of it. `node hawser.mjs URL AGENT`
import { createRequire } from 'node:module';
import { drive } from './driver.mjs';
import { connectWith } from './node-style.mjs';

const { WebSocket } = createRequire(import.meta.url)(process.env.HAWSER_DIST ?? '../../dist');
const [, , url, agent] = process.argv;
await drive(url, agent, connectWith(WebSocket));
