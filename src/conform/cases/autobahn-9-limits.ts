// Autobahn 9: large messages, many fragments, many TCP writes, many messages (RFC 6455 §5.4). Only type and length of what
// comes back are compared. How long it takes says something about speed as well, which is why people run these.

import type { ConformanceCase } from '../case.js';
import { largeEcho, roundTrips } from '../echo.js';
import { cycled, fromHex, type Payload, repeated } from '../payload.js';
import { chopped, fragmented, frame } from '../step.js';
import { autobahnFacts, type Topic } from './autobahn-case.js';

const LARGE: Topic = {
  rule: 'The protocol sets no limit to the size of a message short of 63 bits.',
  section: 'RFC 6455 §5.2',
  requirements: ['RFC6455-5.2-7', 'RFC6455-6.2-3'],
  expectation: 'A message of the same type and length comes back in time.',
};

const FRAGMENTS: Topic = {
  ...LARGE,
  rule: 'A message may come in any number of fragments.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-5.4-2', 'RFC6455-5.4-9'],
};

const WRITES: Topic = {
  ...LARGE,
  rule: 'How TCP cuts the bytes has no meaning: a frame may arrive in any number of pieces.',
  requirements: ['RFC6455-5.2-7', 'RFC6455-6.2-1'],
};

const ROUND_TRIPS: Topic = {
  ...LARGE,
  rule: 'A connection carries any number of messages.',
  section: 'RFC 6455 §5.4',
  requirements: ['RFC6455-6.2-3', 'RFC6455-6.2-4'],
  expectation: 'Each message comes back before the next one is sent, all of them in time.',
};

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND_MS = 1000;
const TEXT_CYCLE = 'BAsd7&jh23';
const BINARY_CYCLE = fromHex('00fe23faf0');

interface Kind {
  type: 'text' | 'binary';
  opcode: number;
  cycle: string | Uint8Array;
}

const TEXT: Kind = { type: 'text', opcode: 1, cycle: TEXT_CYCLE };
const BINARY: Kind = { type: 'binary', opcode: 2, cycle: BINARY_CYCLE };
const nameOf = ({ type }: Kind): string => (type === 'text' ? 'a text' : 'a binary message');

function sizeName(bytes: number): string {
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return bytes >= KIB ? `${bytes / KIB} KiB` : `${bytes} bytes`;
}

/** 9.1, 9.2: one frame of growing size. */
function sizes(section: string, kind: Kind, seconds: readonly number[]): ConformanceCase[] {
  return [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB].map((length, index) => {
    const title = `sends ${nameOf(kind)} of ${sizeName(length)}`;
    const facts = autobahnFacts(`${section}.${index + 1}`, title, LARGE);
    const limitMs = seconds[index]! * SECOND_MS;
    return largeEcho({ ...facts, limitMs }, frame(kind.opcode, cycled(kind.cycle, length)), {
      type: kind.type,
      length,
    });
  });
}

/** 9.3, 9.4: 4 MiB in fragments of growing size, in the end in one frame. */
function fragmentSizes(section: string, kind: Kind, fillOf: (n: number) => number): ConformanceCase[] {
  const length = 4 * MIB;
  const expected = { type: kind.type, length };
  const facts = (n: number, how: string) => ({
    ...autobahnFacts(`${section}.${n}`, `sends ${nameOf(kind)} of 4 MiB in ${how}`, FRAGMENTS),
    limitMs: 100 * SECOND_MS,
  });
  const sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB];
  return [
    ...sizes.map((size, index) => {
      const payload = repeated(fillOf(index + 1), length);
      const step = fragmented(kind.opcode, payload, size);
      return largeEcho(facts(index + 1, `fragments of ${sizeName(size)}`), step, expected);
    }),
    largeEcho(facts(9, 'one frame'), frame(kind.opcode, repeated(fillOf(9), length)), expected),
  ];
}

/** 9.5, 9.6: 1 MiB in one frame that leaves in TCP writes of growing size. */
function writeSizes(section: string, kind: Kind): ConformanceCase[] {
  return [64, 128, 256, 512, 1024, 2048].map((size, index) => {
    const title = `sends ${nameOf(kind)} of 1 MiB in TCP writes of ${size} bytes`;
    const facts = { ...autobahnFacts(`${section}.${index + 1}`, title, WRITES), limitMs: 1000 * SECOND_MS };
    const step = chopped(size, frame(kind.opcode, cycled(kind.cycle, MIB)));
    return largeEcho(facts, step, { type: kind.type, length: MIB });
  });
}

/** 9.7, 9.8: a thousand messages, one after another. */
function repeatedMessages(section: string, kind: Kind, fill: number): ConformanceCase[] {
  const rows = [
    [0, 60],
    [16, 60],
    [64, 60],
    [256, 120],
    [1024, 240],
    [4096, 480],
  ] as const;
  return rows.map(([length, seconds], index) => {
    const title = `sends ${nameOf(kind)} of ${length} bytes a thousand times, each after the echo of the last`;
    const facts = autobahnFacts(`${section}.${index + 1}`, title, ROUND_TRIPS);
    const payload: Payload = repeated(fill, length);
    const expected = { type: kind.type, length };
    return roundTrips(
      { ...facts, limitMs: seconds * SECOND_MS },
      1000,
      frame(kind.opcode, payload),
      expected,
    );
  });
}

export const AUTOBAHN_LIMITS: readonly ConformanceCase[] = [
  ...sizes('9.1', TEXT, [10, 10, 100, 100, 100, 100]),
  ...sizes('9.2', BINARY, [10, 10, 10, 10, 100, 100]),
  ...fragmentSizes('9.3', TEXT, () => 0x2a),
  // In that suite, too, only the first of these has bytes that are not text.
  ...fragmentSizes('9.4', BINARY, (n) => (n === 1 ? 0xfe : 0x2a)),
  ...writeSizes('9.5', TEXT),
  ...writeSizes('9.6', BINARY),
  ...repeatedMessages('9.7', TEXT, 0x2a),
  ...repeatedMessages('9.8', BINARY, 0xfe),
];
