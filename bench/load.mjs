// The load generator: a process of its own, so that its work is not billed to the server. It sends blocks
// that were built beforehand, counts reply bytes where sizes are known and frame headers where they are not,
// and tells its own CPU time, so that one sees whether it held the server back. Also runs alone, against a
// server under a profiler:
//   node bench/load.mjs --case echo-64 --port 40123 --seconds 5
// Where a client is under test, it listens, and everything else is the same.
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CASE_OPTIONS, caseFromArguments } from './cases.mjs';
import { Client } from './client.mjs';
import { buildExchange, ReplyCounter } from './frames.mjs';
import { answer, sampleProcess } from './ipc.mjs';

const HANDSHAKES_AT_ONCE = 50;
const DRAIN_TIMEOUT_MS = 20_000;
/** An open-loop server that lags this far behind will not catch up: give up rather than fill the memory. */
const MOST_IN_FLIGHT = 100_000;
const MOST_LATENCIES = 10_000_000;

const { values } = parseArgs({
  options: {
    ...CASE_OPTIONS,
    port: { type: 'string' },
    seconds: { type: 'string', default: '5' },
  },
});

const spec = caseFromArguments(values);
const exchange = await buildExchange(spec);
const isCompressed = spec.deflate !== false;
const blockFrames = exchange.messages.length;
const blockReplyBytes = exchange.reply.length;
const replyBytes = blockReplyBytes / blockFrames;
const testsClient = spec.kind === 'client';

/** @type {Client[]} */
let clients = [];
/** The first thing that went wrong; every later question is answered with it. @type {Error | null} */
let failure = null;
let isRunning = false;
let messages = 0;
let bytes = 0;
/** Messages or, in the closed loops, blocks that were sent and not yet answered in full. */
let inFlight = 0;

function check() {
  if (failure !== null) throw failure;
}

/** @type {(error: Error) => void} */ let rejectFailed = () => {};
/** Rejects when something goes wrong, for those who would otherwise wait in vain. @type {Promise<never>} */
const failed = new Promise((_, reject) => {
  rejectFailed = reject;
});
failed.catch(() => {});

/** @param {unknown} error */
function fail(error) {
  failure ??= error instanceof Error ? error : new Error(String(error));
  rejectFailed(failure);
}

/** Opens connections, a few at a time. @param {number} port @param {number} count */
async function open(port, count) {
  let started = 0;
  const worker = async () => {
    while (started < count && failure === null) {
      started++;
      const client = Client.connect(port, spec.tls, fail);
      clients.push(client);
      await client.handshake(port, spec.deflate === false ? 'none' : spec.deflate);
    }
  };
  await Promise.race([
    failed,
    Promise.all(Array.from({ length: Math.min(HANDSHAKES_AT_ONCE, count) }, worker)),
  ]);
}

/** Waits for the connections of a client under test; answers with the port at once. @returns {Promise<number>} */
function listen() {
  const server = createServer((socket) => {
    const client = Client.accept(socket, fail);
    clients.push(client);
    client.welcome();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(/** @type {any} */ (server.address()).port));
  });
}

function close() {
  for (const client of clients) client.close();
  clients = [];
}

/** @param {Promise<unknown>} replies */
async function inTime(replies) {
  const tooLate = delay(DRAIN_TIMEOUT_MS, null, { ref: false }).then(() => {
    throw new Error('a message was never answered');
  });
  await Promise.race([failed, replies, tooLate]);
}

/** One exchange of which every byte is checked: on each connection in turn, or from one to all in a broadcast. */
async function verify() {
  if (spec.kind === 'broadcast') {
    const replies = clients.map((client) => client.expectReply(exchange, false));
    clients[0]?.socket.write(exchange.request);
    await inTime(Promise.all(replies));
  } else {
    for (const client of clients) {
      const reply = client.expectReply(exchange, testsClient);
      client.socket.write(exchange.request);
      await inTime(reply);
    }
  }
  check();
}

/** Each connection sends its block again when all replies to the last one are in. */
function startClosedLoop() {
  for (const client of clients) {
    let left = blockReplyBytes;
    const again = () => {
      inFlight--;
      if (!isRunning) return;
      left = blockReplyBytes;
      inFlight++;
      client.socket.write(exchange.request);
    };
    client.receive = (_bytes, length) => {
      bytes += length;
      left -= length;
      if (left < 0) fail(new Error('the server sent more than the replies'));
      if (left === 0) again();
    };
    inFlight++;
    client.socket.write(exchange.request);
  }
}

/** The same where the size of a reply is up to the server: its frame headers tell. */
function startCountingLoop() {
  for (const client of clients) {
    const counter = new ReplyCounter();
    let left = blockFrames;
    client.receive = (received, length) => {
      bytes += length;
      const ended = counter.count(received, length);
      messages += ended;
      left -= ended;
      if (left > 0) return;
      inFlight--;
      if (!isRunning) return;
      left = blockFrames;
      inFlight++;
      client.socket.write(exchange.request);
    };
    inFlight++;
    client.socket.write(exchange.request);
  }
}

/** One connection publishes; the next message goes out when every connection has all of the last one. */
function startBroadcastLoop() {
  const publisher = /** @type {Client} */ (clients[0]);
  // Sizes are counted in bytes where they are known, in messages where the server compresses.
  const due = (isCompressed ? blockFrames : blockReplyBytes) * clients.length;
  let left = due;
  for (const client of clients) {
    const counter = isCompressed ? new ReplyCounter() : null;
    client.receive = (received, length) => {
      bytes += length;
      const step = counter === null ? length : counter.count(received, length);
      if (counter !== null) messages += step;
      left -= step;
      if (left < 0) fail(new Error('the server sent more than the messages'));
      if (left > 0) return;
      inFlight--;
      if (!isRunning) return;
      left = due;
      inFlight++;
      publisher.socket.write(exchange.request);
    };
  }
  inFlight++;
  publisher.socket.write(exchange.request);
}

/** Reply times and how late the generator itself was, in ms, of the messages that were due in the window. */
const window = { begin: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };
/** @type {number[]} */ const latencies = [];
/** @type {number[]} */ const lateness = [];

/**
 * Messages are due at fixed times, whether or not earlier ones were answered, and their latency counts from when
 * they were due. A server that stalls is billed for all the messages that it kept waiting, not only for the one
 * it was busy with. The loop spins: a timer would be up to a millisecond late, many times what is measured.
 */
function startOpenLoop() {
  const intervalMs = 1000 / spec.ratePerSecond;
  const queues = clients.map((client) => {
    /** @type {number[]} */ const intended = [];
    let partial = 0;
    client.receive = (_bytes, length) => {
      bytes += length;
      const now = performance.now();
      for (partial += length; partial >= replyBytes; partial -= replyBytes) {
        inFlight--;
        const due = intended.shift();
        if (due === undefined) fail(new Error('the server sent more than the replies'));
        else if (due >= window.begin && due < window.end) latencies.push(now - due);
      }
    };
    return intended;
  });
  let due = performance.now();
  let turn = 0;
  const spin = () => {
    if (!isRunning || failure !== null) return;
    for (const now = performance.now(); due <= now; due += intervalMs) {
      queues[turn]?.push(due);
      clients[turn]?.socket.write(exchange.request);
      turn = (turn + 1) % clients.length;
      inFlight++;
      if (due >= window.begin && due < window.end) lateness.push(performance.now() - due);
    }
    if (inFlight > MOST_IN_FLIGHT)
      fail(new Error(`the server does not keep up with ${spec.ratePerSecond} a second`));
    if (latencies.length > MOST_LATENCIES)
      fail(new Error('too many latencies: choose fewer --seconds or a lower --rate'));
    setImmediate(spin);
  };
  spin();
}

function start() {
  check();
  isRunning = true;
  if (spec.kind === 'latency') startOpenLoop();
  else if (spec.kind === 'broadcast') startBroadcastLoop();
  else if (isCompressed) startCountingLoop();
  else startClosedLoop();
}

function sample() {
  check();
  // Where the size of a reply is known, bytes tell the messages, fractions of a large one included.
  const count = isCompressed ? messages : (bytes / blockReplyBytes) * exchange.counted;
  return { ...sampleProcess(), messages: count, bytes };
}

/** @param {number[]} unsorted */
function percentilesUs(unsorted) {
  const sorted = Float64Array.from(unsorted).sort();
  const at = (/** @type {number} */ share) =>
    Math.round(1000 * (sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0));
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** Stops, waits until everything that was sent is answered, and checks one last exchange. */
async function finish() {
  isRunning = false;
  const deadline = performance.now() + DRAIN_TIMEOUT_MS;
  while (inFlight > 0 && failure === null) {
    if (performance.now() > deadline) throw new Error(`${inFlight} blocks were never answered`);
    await delay(5);
  }
  check();
  // Later replies refer to earlier ones where context is kept: they cannot be read from the middle.
  if (spec.deflate !== 'takeover') await verify();
  return spec.kind === 'latency'
    ? { latency: percentilesUs(latencies), lateness: percentilesUs(lateness) }
    : {};
}

if (process.send !== undefined) {
  answer({
    open: ({ port, count }) => open(port, count),
    listen,
    close,
    verify,
    start,
    sample,
    beginWindow: () => {
      window.begin = performance.now();
      return sample();
    },
    endWindow: () => {
      window.end = performance.now();
      return sample();
    },
    finish,
  });
} else {
  await open(Number(values.port), spec.connections);
  if (spec.kind !== 'idle' && spec.kind !== 'handshake') {
    await verify();
    start();
    const before = sample();
    await delay(1000 * Math.min(600, Number(values.seconds)));
    const after = sample();
    const perSecond = (1000 * (after.messages - before.messages)) / (after.atMs - before.atMs);
    console.log(`${Math.round(perSecond)} messages a second`, await finish());
  }
  close();
  process.exit(0);
}
