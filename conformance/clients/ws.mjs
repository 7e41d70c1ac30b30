// The client of npm ws. `node ws.mjs URL AGENT`
import WebSocket from 'ws';
import { drive } from './driver.mjs';
import { connectWith } from './node-style.mjs';

const [, , url, agent] = process.argv;
await drive(url, agent, connectWith(WebSocket));
