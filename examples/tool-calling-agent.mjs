// An agent in its loop: a model says what to do next, the agent has its tools do it, tells the model what came of it, and so on
// until the model has an answer. Model and tools are behind one connection, which is cut twice: in the middle of a tool's work, and
// in the middle of a sentence. Of two tools that know the same, the slower one is cancelled.
//
//     node examples/tool-calling-agent.mjs
//
// THE MODEL IS A SCRIPT: what it says and chooses stands below, word by word. What is real is everything around it: calls,
// progress, streams of tokens, cancellation, and a connection that fails. A real model goes where `complete` is handled.

import { once } from 'node:events';
import { createServer } from 'node:http';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSession, SessionServer } from 'hawser/agent';
import { RpcPeer } from 'hawser/rpc';

const QUESTION = 'Is there enough rope in stock for the three boats in the harbour, and what is more of it?';

// The other end: the script that plays the model, and the tools. What each did is noted, for the check below.

const ran = { search: 0, northPrice: 0, southPrice: 0 };
const cancelled = [];

const SCRIPT = [
  { says: 'I will look it up.', uses: [{ tool: 'search', params: { word: 'rope' } }] },
  {
    says: 'It is not enough. I will ask two shops, and take what comes first.',
    usesFirstOf: [{ tool: 'northPrice' }, { tool: 'southPrice' }],
  },
  {
    says: 'No: 80 m are there, and three boats take 120 m. The missing 40 m are 60 crowns at the southern shop.',
  },
];

const handlers = {
  // One turn of the model: its tokens as they come, and then the tools that it wants.
  async *complete({ transcript }) {
    const { says, ...choice } = SCRIPT[transcript.filter(({ from }) => from === 'model').length];
    for (const word of says.match(/\S+\s*/g)) {
      await delay(20);
      yield { token: word };
    }
    yield choice;
  },

  async search({ word }, { progress }) {
    ran.search++;
    const shelves = 10;
    for (let shelf = 1; shelf <= shelves; shelf++) {
      await delay(30);
      progress(shelf, shelves);
    }
    return { word, inStock: '80 m', needed: '3 x 40 m' };
  },

  async southPrice() {
    ran.southPrice++;
    await delay(50);
    return { shop: 'south', crownsPerMetre: 1.5 };
  },

  // `signal` tells it that nobody waits any more.
  async northPrice(_, { signal }) {
    ran.northPrice++;
    signal.addEventListener('abort', () => cancelled.push('northPrice'));
    await delay(60_000, undefined, { signal });
    return { shop: 'north', crownsPerMetre: 1 };
  },
};

const http = createServer().listen(0, '127.0.0.1');
await once(http, 'listening');
const server = new SessionServer({ server: http });
server.on('session', (session) => new RpcPeer(session, { handlers }));

// The network between the two. `cut()` is what a tunnel, a lid that is closed, or a restarted proxy does.

const cables = new Set();
const network = net.createServer((near) => {
  const far = net.connect(http.address().port, '127.0.0.1');
  for (const [cable, other] of [
    [near, far],
    [far, near],
  ]) {
    cables.add(cable);
    cable.pipe(other);
    cable.on('error', () => {});
    cable.on('close', () => {
      cables.delete(cable);
      other.destroy();
    });
  }
});
network.listen(0, '127.0.0.1');
await once(network, 'listening');
function cut() {
  console.log('\n   *** the connection is cut ***');
  for (const cable of cables) cable.destroy();
}

// The agent. It never asks whether it is connected.

const session = connectSession(`ws://127.0.0.1:${network.address().port}`, {
  backoff: { baseMs: 20, capMs: 100 },
});
const remote = new RpcPeer(session);

async function answer(question) {
  const transcript = [{ from: 'user', text: question }];
  for (;;) {
    const { text, uses = [], usesFirstOf = [] } = await think(transcript);
    transcript.push({ from: 'model', text });
    if (uses.length + usesFirstOf.length === 0) return text;
    const results = await Promise.all(uses.map((choice) => useTool(choice)));
    if (usesFirstOf.length > 0) results.push(await useFirstOf(usesFirstOf));
    transcript.push({ from: 'tools', results });
  }
}

/** Shows the model's words while they come. */
async function think(transcript) {
  let text = '';
  let choice = {};
  process.stdout.write('model: ');
  for await (const { token, ...rest } of await remote.call('complete', { transcript })) {
    if (token === undefined) {
      choice = rest;
      continue;
    }
    text += token;
    process.stdout.write(token);
    if (text.startsWith('No: ') && token.startsWith('three')) cut();
  }
  process.stdout.write('\n');
  return { text, ...choice };
}

async function useTool({ tool, params }, signal) {
  const onProgress = ({ progress, total }) => {
    console.log(`   ${tool}: ${progress} of ${total}`);
    if (progress === 4) cut();
  };
  const result = await remote.call(tool, params, { onProgress, signal });
  console.log(`   ${tool}: ${JSON.stringify(result)}`);
  return result;
}

async function useFirstOf(choices) {
  const others = new AbortController();
  const first = await Promise.any(choices.map((choice) => useTool(choice, others.signal)));
  others.abort();
  return first;
}

console.log(`user: ${QUESTION}`);
const said = await answer(QUESTION);
const drops = session.stats().resumes;
// Before the end, by which everything is cancelled that is still at work.
const wasCancelled = cancelled.join() === 'northPrice';
await remote.close();
await server.close();
network.close();
http.close();

// Did every word come once, did each tool run once, and was the slow one told to stop?

const isComplete = said === SCRIPT.at(-1).says;
const ranOnce = Object.values(ran).every((times) => times === 1);
if (!isComplete || !ranOnce || !wasCancelled || drops !== 2) {
  console.error(`FAILED: ${JSON.stringify({ said, ran, wasCancelled, drops })}`);
  process.exitCode = 1;
} else {
  console.log(
    `an answer with every word in its place; 3 tools ran once, 1 of them cancelled; ${drops} drops survived`,
  );
}
