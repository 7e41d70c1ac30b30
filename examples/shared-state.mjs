// Many agents that share what they know: each says what it is working on, and all see it. A server keeps the state, key by key, and
// passes changes on to everybody. Who joins late begins with the state as it is; who reads slowly gets the latest of each key
// instead of everything that ever was, because the queue policy `conflate` replaces what still waits.
//
//     node examples/shared-state.mjs
//
// These are plain messages of sessions. Calls and notifications of hawser/rpc are never dropped or replaced, and so not for this.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSession, SessionServer } from 'hawser/agent';

const AGENTS = ['ada', 'ben', 'cleo', 'dan', 'eve'];
const STEPS = 100;

// The server: the state, and everybody who has to know.

/** By key: the newest value, and how often it has changed. */
const state = new Map();
const everybody = new Set();

const http = createServer().listen(0, '127.0.0.1');
await once(http, 'listening');
const server = new SessionServer({ server: http, queue: { policy: 'conflate' } });
server.on('session', async (session) => {
  // What is so is told first, and then what changes. Nothing can come between the two: there is no `await`.
  for (const [key, entry] of state) tell(session, key, entry);
  everybody.add(session);
  session.on('close', () => everybody.delete(session));
  for await (const message of session) {
    const { key, value } = JSON.parse(message);
    const entry = { value, version: (state.get(key)?.version ?? 0) + 1 };
    state.set(key, entry);
    for (const one of everybody) tell(one, key, entry);
  }
});

/** `key` says which of the changes that wait for this reader is replaced. Nobody is waited for. */
function tell(session, key, { value, version }) {
  session.send(JSON.stringify({ key, value, version }), { key });
}

// An agent: what it knows of all, and how it came to know that.

const address = `ws://127.0.0.1:${http.address().port}`;

class Agent {
  known = new Map();
  received = 0;
  isOrdered = true;
  #session;

  /** @param options those of the session; `maxMessages` is how much is on its way to a reader at most */
  constructor(name, { readingMs = 0, ...options } = {}) {
    this.name = name;
    this.#session = connectSession(address, options);
    this.#read(readingMs);
  }

  set(value) {
    return this.#session.send(JSON.stringify({ key: `${this.name}/status`, value }));
  }

  close() {
    return this.#session.close();
  }

  /** Whether it knows the state as the server does. */
  get isCurrent() {
    const knows = ([key, { version }]) => this.known.get(key)?.version === version;
    return this.known.size === state.size && [...state].every(knows);
  }

  async #read(readingMs) {
    for await (const message of this.#session) {
      const { key, value, version } = JSON.parse(message);
      if (version <= (this.known.get(key)?.version ?? 0)) this.isOrdered = false;
      this.known.set(key, { value, version });
      this.received++;
      if (readingMs > 0) await delay(readingMs);
    }
  }
}

const agents = AGENTS.map((name) => new Agent(name));
const slow = new Agent('slow', { readingMs: 20, queue: { maxMessages: 4 } });
let late;

for (let step = 1; step <= STEPS; step++) {
  for (const agent of agents) await agent.set(`working on part ${step}`);
  if (step === STEPS / 2) late = new Agent('late');
  await delay(5);
}

// All changes have been made. Do all know them, the slow one included?

const all = [...agents, slow, late];
const changes = AGENTS.length * STEPS;
const made = () => [...state.values()].reduce((sum, { version }) => sum + version, 0);
for (let waits = 0; waits < 500; waits++) {
  if (made() === changes && all.every((agent) => agent.isCurrent)) break;
  await delay(10);
}
console.table(
  all.map(({ name, received, known }) => ({
    agent: name,
    'changes made': changes,
    received,
    'ada is': known.get('ada/status')?.value,
  })),
);
const wasCurrent = all.every((agent) => agent.isCurrent);
for (const agent of all) await agent.close();
await server.close();
http.close();

const isOrdered = all.every((agent) => agent.isOrdered);
const isBounded = slow.received < changes / 2 && late.received < changes;
if (!wasCurrent || !isOrdered || !isBounded || made() !== changes || agents[0].received === 0) {
  console.error(`FAILED: ${JSON.stringify({ wasCurrent, isOrdered, isBounded, made: made() })}`);
  process.exitCode = 1;
} else {
  console.log(
    `all ${all.length} agents know the latest of all; the slow one read ${slow.received} of ${changes} changes`,
  );
}
