// The client of npm undici. `node undici.mjs URL AGENT`
import { WebSocket } from 'undici';
import { drive } from './driver.mjs';
import { connectWith } from './standard.mjs';

const [, , url, agent] = process.argv;
await drive(url, agent, connectWith(WebSocket));
// A connection that undici keeps does not keep the process.
process.exit();
