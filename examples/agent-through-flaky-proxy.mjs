// An agent reports its progress over a network that fails again and again. The network is `hawser proxy`, which cuts every
// connection soon after it was opened; the session on top sees to it that each update arrives once, and in order.
//
//     node examples/agent-through-flaky-proxy.mjs
//
// Who watches, the bad network and the agent are separate in real life; here one program starts all three.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectSession, SessionServer } from 'hawser/agent';

const UPDATES = 300;
const DROP_EVERY = '500ms';

// Who watches: notes the number of every update that comes.

const seen = [];
const http = createServer().listen(0, '127.0.0.1');
await once(http, 'listening');
const server = new SessionServer({ server: http });
server.on('session', async (session) => {
  for await (const message of session) seen.push(JSON.parse(message).step);
});

// The network: 20 ms each way, and no connection gets older than DROP_EVERY.

const hawser = fileURLToPath(new URL('dist/cli/main.js', import.meta.resolve('hawser/package.json')));
const target = `ws://127.0.0.1:${http.address().port}`;
const faults = ['--latency', '20ms', '--drop-every', DROP_EVERY];
const network = spawn(process.execPath, [hawser, 'proxy', target, '--port', '0', ...faults]);
process.once('exit', () => network.kill());
const address = await firstMatch(network.stdout, /ws:\/\/[\d.]+:\d+/);
// What else it says is not read.
network.stdout.resume();

// The agent: works, and says so. It never asks whether it is connected.

const session = connectSession(address, { backoff: { baseMs: 50, capMs: 200 } });
session.on('reconnecting', ({ delayMs }) => {
  console.log(`${seen.length} updates seen, connection lost, next attempt in ${Math.round(delayMs)} ms`);
});
session.on('resumed', ({ replayed }) => console.log(`back again, ${replayed} updates sent a second time`));

for (let step = 1; step <= UPDATES; step++) {
  await session.send(JSON.stringify({ step, status: `working on part ${step}` }));
  await delay(10);
}
// Until the other end has taken the last update, however many connections that takes.
await session.flush();
await session.close();

await server.close();
http.close();
network.kill();

// Did each come once, and in order?

const drops = session.stats().resumes;
const isComplete = seen.length === UPDATES && seen.every((step, i) => step === i + 1);
if (!isComplete || drops === 0) {
  console.error(`FAILED: ${seen.length} of ${UPDATES} updates, ${drops} drops: ${seen.join(' ')}`);
  process.exitCode = 1;
} else {
  console.log(`${seen.length} updates, each once and in order, ${drops} drops survived`);
}

/** What a program says first that looks like this. */
async function firstMatch(stream, pattern) {
  for await (const line of createInterface({ input: stream })) {
    const match = pattern.exec(line);
    if (match !== null) return match[0];
  }
  throw new Error('the program ended before it said where it listens');
}
