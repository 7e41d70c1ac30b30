// Autobahn 2: Pings and Pongs (RFC 6455 §5.5.2, §5.5.3).

import type { ConformanceCase } from '../case.js';
import { fromHex, type Payload, repeated } from '../payload.js';
import { chopped, close, ping, pong } from '../step.js';
import { answered, autobahnCase, pongBack, refused, type Topic } from './autobahn-case.js';

const ANSWERED: Topic = {
  rule: 'A Ping is answered with a Pong that repeats its payload.',
  section: 'RFC 6455 §5.5.2',
  requirements: ['RFC6455-5.5.2-1', 'RFC6455-5.5.2-2', 'RFC6455-5.5.3-1'],
  expectation: 'One Pong with the same payload comes back.',
};

const TOO_LONG: Topic = {
  rule: 'A control frame carries at most 125 bytes.',
  section: 'RFC 6455 §5.5',
  requirements: ['RFC6455-5.5-1'],
  expectation: 'The peer fails the connection.',
};

const UNASKED: Topic = {
  rule: 'A Pong that nobody asked for is allowed, and nothing answers it.',
  section: 'RFC 6455 §5.5.3',
  requirements: ['RFC6455-5.5.3-3'],
  expectation: 'The Pong is passed over.',
};

const MANY: Topic = {
  ...ANSWERED,
  // §5.5.3 lets an endpoint answer only the latest of several Pings; this suite wants an answer to each.
  rule: 'A Ping is answered with a Pong; of several Pings, each one is, though the RFC would be content with the latest.',
  expectation: 'Ten Pongs come back, in order.',
};

/** In this chapter a tester that waited in vain closes without a code. */
const SILENT = { endsWith: 'no code' } as const;
const UNASKED_PAYLOAD = 'unsolicited pong payload';
const TEN = Array.from({ length: 10 }, (_, index) => `payload-${index}`);

const once = (id: string, title: string, payload: Payload): ConformanceCase =>
  answered(id, title, ANSWERED, [ping(payload)], [pongBack(payload)], SILENT);

const unaskedThenClose = (id: string, title: string, payload: Payload): ConformanceCase =>
  autobahnCase(id, title, UNASKED, {
    steps: [pong(payload), close(1000)],
    outcomes: [{ behavior: 'OK', events: [] }],
    close: { by: 'tester', codes: [1000], isClean: true },
    ...SILENT,
  });

export const AUTOBAHN_PINGS: readonly ConformanceCase[] = [
  once('2.1', 'sends a Ping without payload', ''),
  once('2.2', 'sends a Ping with 13 bytes of text', 'Hello, world!'),
  once('2.3', 'sends a Ping with 8 bytes that are not UTF-8', fromHex('00fffefdfcfb00ff')),
  once('2.4', 'sends a Ping with 125 bytes, the most there can be', repeated(0xfe, 125)),
  refused('2.5', 'sends a Ping with 126 bytes, one too many', TOO_LONG, [ping(repeated(0xfe, 126))]),
  answered(
    '2.6',
    'sends a Ping with 125 bytes, byte by byte',
    ANSWERED,
    [chopped(1, ping(repeated(0xfe, 125)))],
    [pongBack(repeated(0xfe, 125))],
    { ...SILENT, patienceMs: 2000 },
  ),
  unaskedThenClose('2.7', 'sends a Pong without payload, unasked, and a Close frame', ''),
  unaskedThenClose('2.8', 'sends a Pong with payload, unasked, and a Close frame', UNASKED_PAYLOAD),
  answered(
    '2.9',
    'sends a Pong, unasked, and a Ping',
    { ...UNASKED, expectation: 'Only the Ping is answered.' },
    [pong(UNASKED_PAYLOAD), ping('ping payload')],
    [pongBack('ping payload')],
    SILENT,
  ),
  answered(
    '2.10',
    'sends ten Pings at once',
    MANY,
    TEN.map((payload) => ping(payload)),
    TEN.map(pongBack),
    { ...SILENT, patienceMs: 3000 },
  ),
  answered(
    '2.11',
    'sends ten Pings, byte by byte',
    MANY,
    TEN.map((payload) => chopped(1, ping(payload))),
    TEN.map(pongBack),
    { ...SILENT, patienceMs: 3000 },
  ),
];
