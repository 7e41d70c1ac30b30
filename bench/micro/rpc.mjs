// What calls and streams cost without sockets below: two peers in one process that hand each other their texts.
import { compare, explain, loadBuilt } from './suite.mjs';

const { RpcPeer } = loadBuilt('rpc/index');
const { parseMessage, serializeNext, serializeRequest, serializeResult } = loadBuilt('rpc/message');

/** What a peer asks of a session. What it sends waits until it is asked for, as what is sent in one turn does in a socket. */
class FakeSession {
  policy = 'block';
  state = 'open';
  hasRoom = true;
  maxBytes = 2 ** 20;
  /** @type {string[]} */ sent = [];
  /** @type {(text: string) => void} */ receive = () => {};

  /** @param {string} name @param {any} listener */
  on(name, listener) {
    if (name === 'message') this.receive = listener;
  }

  off() {}

  hasRoomFor() {
    return this.hasRoom;
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }

  takeAll() {
    return this.sent.splice(0);
  }
}

/** Calls in flight, and items in a message. */
const COUNT = 64;
const OBJECT = { id: 1234, name: 'a part', state: 'working', text: 'x'.repeat(50) };
const numbers = Array.from({ length: COUNT }, (_, i) => i);

const handlers = {
  add: (/** @type {any} */ { a, b }) => a + b,
  addLater: async (/** @type {any} */ { a, b }) => a + b,
  async *count(/** @type {any} */ { items }) {
    for (let i = 0; i < items; i++) yield i;
  },
  async *objects(/** @type {any} */ { items }) {
    for (let i = 0; i < items; i++) yield OBJECT;
  },
};
const here = new FakeSession();
const there = new FakeSession();
const caller = new RpcPeer(here);
new RpcPeer(there, { handlers });

/** Hands over what waits, until nothing does. */
function exchange() {
  while (here.sent.length + there.sent.length > 0) {
    for (const text of here.takeAll()) there.receive(text);
    for (const text of there.takeAll()) here.receive(text);
  }
}

/** @param {string} method @param {AbortSignal[]} [signals] */
async function call(method, signals) {
  const calls = numbers.map((b) => {
    const signal = signals?.[b];
    return caller.call(method, { a: 1, b }, signal && { signal });
  });
  exchange();
  const answered = Promise.all(calls);
  // Handlers that return promises answer later in the same turn.
  await undefined;
  await undefined;
  exchange();
  await answered;
}

let isReading = false;
/** Hands over in each turn, as sockets do, while a stream is read. */
function exchangeInTurns() {
  exchange();
  if (isReading) setImmediate(exchangeInTurns);
}

/** @param {string} method */
async function stream(method, items = 1000) {
  isReading = true;
  exchangeInTurns();
  let count = 0;
  const answer = caller.call(method, { items });
  for await (const _ of await answer) count++;
  isReading = false;
  if (count !== items) throw new Error(`${count} items came`);
}

function json() {
  for (let id = 0; id < COUNT; id++) {
    JSON.parse(JSON.stringify({ jsonrpc: '2.0', id, method: 'add', params: { a: 1, b: 2 } }));
    JSON.parse(JSON.stringify({ jsonrpc: '2.0', id, result: 3 }));
  }
}

explain(
  'rpc',
  `${COUNT} calls from call() to the result, both ends; the JSON of the same messages; then 1,000 items of a stream. No sockets, no session.`,
);

const signals = numbers.map(() => new AbortController().signal);
await compare(`${COUNT} calls of add({ a, b })`, 0, {
  'JSON alone': json,
  'calls, a plain handler': () => call('add'),
  'calls, an async handler': () => call('addLater'),
  'calls with a signal': () => call('add', signals),
});

const requests = numbers.map((i) => serializeRequest(1e6 + i, 'add', '{"a":1,"b":2}', undefined));
const answering = new FakeSession();
new RpcPeer(answering, { handlers });
await compare(`${COUNT} calls at the end that answers`, 0, {
  'JSON.parse alone': () => requests.map((text) => JSON.parse(text)),
  parseMessage: () => requests.map((text) => parseMessage(text, 1024)),
  'from the request to the answer': () => {
    for (const text of requests) answering.receive(text);
    answering.takeAll();
  },
});

const request = String(requests[0]);
const result = serializeResult(123_456, '3');
const next = serializeNext(1, numbers.map(String));
let id = 0;
await compare('one message', 0, {
  'write a request': () => serializeRequest(++id, 'add', JSON.stringify({ a: 1, b: 2 }), undefined).length,
  'the same with JSON.stringify': () =>
    JSON.stringify({ jsonrpc: '2.0', id: ++id, method: 'add', params: { a: 1, b: 2 } }).length,
  'read a request': () => parseMessage(request, 1024),
  'JSON.parse of it': () => JSON.parse(request),
  'write a result': () => serializeResult(++id, '3').length,
  'read a result': () => parseMessage(result, 1024),
  'JSON.parse of that': () => JSON.parse(result),
  [`write $/next of ${COUNT} numbers`]: () =>
    serializeNext(
      1,
      numbers.map((i) => JSON.stringify(i)),
    ).length,
  [`read $/next of ${COUNT} numbers`]: () => parseMessage(next, 1024),
});

await compare('a stream of 1,000 items', 0, {
  numbers: () => stream('count'),
  'objects of 100 B': () => stream('objects'),
});
