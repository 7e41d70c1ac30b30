// The process that listens: some subscribers over one transport. For each message it notes how long after it was due it
// came, and that none is missing, late by a number, or twice there.
import { Agent, get } from 'node:http';
import { parseArgs } from 'node:util';
import { answer } from '../ipc.mjs';
import { loadSessions, loadSockets, OWN_BUILD } from './builds.mjs';
import { transportNamed } from './transports.mjs';

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'websocket' },
    subscribers: { type: 'string', default: '10' },
  },
});
const transport = transportNamed(values.transport);
/** One connection for each subscriber, kept open, as one client has it. */
const newAgent = () => new Agent({ keepAlive: true, maxSockets: 1 });

/** Of messages that were due in this window. @type {number[]} */ let latencies = [];
let windowBeganMs = 0;
let received = 0;

/** Milliseconds on the machine's clock, which all processes share. */
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** The application's callback. @param {{ dueMs: number }} message */
function onMessage({ dueMs }) {
  received++;
  if (dueMs >= windowBeganMs) latencies.push(nowMs() - dueMs);
}

/** @param {string} origin host and port @param {number} id of the subscriber */
function openWebSocket(origin, id) {
  const socket = new (loadSockets(OWN_BUILD).WebSocket)(`ws://${origin}/${id}`);
  socket.on('message', (/** @type {Buffer} */ data) => onMessage(JSON.parse(data.toString())));
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.on('error', reject);
  });
}

/** @param {string} origin @param {number} id */
function openSession(origin, id) {
  const session = loadSessions(OWN_BUILD).connectSession(`ws://${origin}/${id}`);
  session.on('message', (/** @type {string} */ text) => onMessage(JSON.parse(text)));
  return session.ready;
}

/** @param {string} origin @param {number} id */
function openEventStream(origin, id) {
  return new Promise((resolve, reject) => {
    const request = get(`http://${origin}/${id}`, { agent: newAgent() }, (response) => {
      let rest = '';
      response.setEncoding('utf8');
      response.on('data', (/** @type {string} */ text) => {
        const events = (rest + text).split('\n\n');
        rest = /** @type {string} */ (events.pop());
        for (const event of events) onMessage(JSON.parse(event.slice(event.indexOf('\ndata: ') + 7)));
      });
      resolve(undefined);
    });
    request.on('error', reject);
  });
}

/** Asks again and again, and sees each message once. @param {string} origin @param {number} id */
function startRequests(origin, id) {
  const agent = newAgent();
  let last = 0;
  let isAsking = false;
  const ask = () => {
    if (isAsking) return;
    isAsking = true;
    get(`http://${origin}/${id}?after=${last}`, { agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text) => {
        body += text;
      });
      response.on('end', () => {
        isAsking = false;
        const batch = JSON.parse(body);
        if (last + batch.messages.length !== batch.last) throw new Error('messages are missing');
        last = batch.last;
        for (const message of batch.messages) onMessage(message);
        if (transport.isHeld) ask();
      });
    });
  };
  if (transport.isHeld) return ask();
  // Not all in step with each other.
  const start = () => {
    ask();
    setInterval(ask, transport.intervalMs);
  };
  setTimeout(start, Math.random() * (transport.intervalMs ?? 0));
}

/** @param {string} origin @param {number} id */
function subscribe(origin, id) {
  if (transport.face === 'websocket') return openWebSocket(origin, id);
  if (transport.face === 'session') return openSession(origin, id);
  if (transport.face === 'sse') return openEventStream(origin, id);
  if (transport.face === 'request') return startRequests(origin, id);
}

answer({
  subscribe: ({ port }) =>
    Promise.all(
      Array.from({ length: Number(values.subscribers) }, (_, id) => subscribe(`127.0.0.1:${port}`, id)),
    ).then(() => undefined),
  received: () => received,
  beginWindow: () => {
    windowBeganMs = nowMs();
    latencies = [];
  },
  latencies: () => latencies,
});
