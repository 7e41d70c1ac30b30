// The client that the running Node.js has built in. `node node.mjs URL AGENT`
import { drive } from './driver.mjs';
import { connectWith } from './standard.mjs';

const [, , url, agent] = process.argv;
await drive(url, agent, connectWith(globalThis.WebSocket));
process.exit();
