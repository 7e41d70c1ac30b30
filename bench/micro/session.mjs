// What the session layer does with 64 messages and their acknowledgement, without a socket below.
import { compare, explain, loadBuilt } from './suite.mjs';

const { ClientSession } = loadBuilt('agent/client-session');
const { environment } = loadBuilt('agent/environment');
const { parseControl, serializeAcknowledgement, serializeControl } = loadBuilt('agent/control');

/** Takes what it is given, and answers nothing. */
const link = {
  /** @type {any} */ handler: undefined,
  bufferedAmount: 0,
  activity: 0,
  ping() {},
  send() {},
  close() {},
  release() {},
};
const session = new ClientSession('ws://127.0.0.1/', {}, () => link, environment);
// Until it has asked for the link.
await new Promise((resolve) => setImmediate(resolve));
link.handler.onOpen();
link.handler.onMessage(
  serializeControl({
    t: 'welcome',
    sid: 'session',
    tok: 'token',
    gen: 1,
    resumed: false,
    recv: 0,
    epoch: 'epoch',
    ttl: 120_000,
    hb: { interval: 25_000, timeout: 20_000 },
    limits: { messages: 4096, bytes: 2 ** 20 },
  }),
);
session.on('message', () => {});

const MESSAGES = 64;
let sent = 0;
let received = 0;

/** @param {string | Uint8Array} data */
function send(data) {
  for (let i = 0; i < MESSAGES; i++) session.send(data);
  sent += MESSAGES;
  link.handler.onMessage(serializeAcknowledgement(sent, received));
}

/** @param {string | Uint8Array} data */
function receive(data) {
  for (let i = 0; i < MESSAGES; i++) link.handler.onMessage(data);
  received += MESSAGES;
}

explain(
  'session',
  'The session layer alone: 64 messages sent, with their replay buffer and the acknowledgement that comes back, and 64 received,\n' +
    'with the acknowledgement that is due. An echo is one of each at both ends.',
);

for (const size of [64, 1024]) {
  const bytes = Buffer.alloc(size, 0x61);
  const text = bytes.toString();
  await compare(`64 messages of ${size} B`, 0, {
    'send bytes': () => send(bytes),
    'send text': () => send(text),
    'receive bytes': () => receive(bytes),
    'receive text': () => receive(text),
  });
}

const block = new Uint8Array(16 * 1024);
const payload = Buffer.alloc(64);
let number = 100_000;
const acknowledgement = serializeAcknowledgement(123_456, 654_321);
await compare('parts of it', 0, {
  'copy 64 B into a block': () => block.set(payload, 64),
  'copy 64 B into a buffer of its own': () => new Uint8Array(payload),
  'write an acknowledgement': () => serializeAcknowledgement(++number, number).length,
  'read an acknowledgement': () => parseControl(acknowledgement),
});
session.terminate();
