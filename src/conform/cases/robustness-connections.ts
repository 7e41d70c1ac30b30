// Attacks with connections (RFC 6455 §10.4): many that are opened and left, slow ones, and such that end where they should not.

import { BINARY } from '../../wire/opcode.js';
import {
  ALIVE_LIMIT_MS,
  attackCase,
  attackFacts,
  floodFrames,
  rawAttackCase,
  requestWith,
  rulingOnAnswer,
  sendWithin,
  servesOthers,
} from '../attack-case.js';
import type { ConformanceCase, Encounter } from '../case.js';
import { serializeFrame } from '../frame.js';
import { open } from '../opening.js';
import { repeated } from '../payload.js';
import { type RawConnection, turn } from '../raw-connection.js';
import { breaks, conforms, informational, nonStrict, type Ruling } from '../rule-case.js';
import type { Tester } from '../tester.js';

/** Opens that many connections at once. Those that do not come about are left out. */
async function openMany<T>(count: number, one: () => Promise<T>): Promise<T[]> {
  const settled = await Promise.allSettled(Array.from({ length: count }, one));
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

const CROWD = 200;

const crowds = [
  rawAttackCase(
    attackFacts('silent-connections', {
      title: `Opens ${CROWD} TCP connections and says nothing, then dials as others do.`,
      rule: 'Connections that are not established cost a server little, and do not keep others out.',
      section: 'RFC 6455 §10.4',
      requirements: ['RFC6455-10.4-1'],
    }),
    async (_connection, encounter) => {
      const silent = await openMany(CROWD, () => encounter.connect());
      return rulingOnCrowd(silent, silent, encounter);
    },
  ),
  rawAttackCase(
    attackFacts('abandoned-connections', {
      title: `Establishes ${CROWD} connections, dials as others do, and resets them all.`,
      rule: 'Connections that are idle, or break off, do not keep others out.',
      section: 'RFC 6455 §10.4',
      requirements: ['RFC6455-10.4-1'],
    }),
    async (_connection, encounter) => {
      const opened = await openMany(CROWD, () => open(encounter));
      return rulingOnCrowd(
        opened,
        opened.map(({ tester }) => tester.connection),
        encounter,
      );
    },
  ),
  rawAttackCase(
    attackFacts('announced-and-abandoned', {
      title: `Establishes ${CROWD / 4} connections, announces a message of 50 MiB on each, and resets them all.`,
      rule: 'A length is a claim: memory is taken as bytes come.',
      section: 'RFC 6455 §10.4',
      requirements: ['RFC6455-10.4-1', 'RFC6455-10.4-2'],
    }),
    async (_connection, encounter) => {
      const opened = await openMany(CROWD / 4, () => open(encounter));
      for (const { tester } of opened)
        await tester.send({ opcode: 2, payload: 'begun', announcedLength: 50n << 20n });
      return rulingOnCrowd(
        opened,
        opened.map(({ tester }) => tester.connection),
        encounter,
      );
    },
  ),
];

async function rulingOnCrowd(
  opened: readonly unknown[],
  connections: readonly RawConnection[],
  encounter: Encounter,
): Promise<Ruling> {
  const isServed = await servesOthers(encounter);
  for (const connection of connections) connection.reset();
  const what = `${opened.length} connections were opened`;
  return isServed
    ? conforms(`${what}, and another was served.`)
    : informational(`${what}, and no more while those stood.`);
}

const slow = rawAttackCase(
  attackFacts('slow-request', {
    title: 'Sends a request byte by byte, one every 50 ms for 3 s, and dials as others do.',
    rule: 'A client that takes its time over the opening handshake keeps nobody out.',
    section: 'RFC 6455 §4.1, §10.4',
    requirements: ['RFC6455-10.4-1'],
  }),
  async (connection, encounter) => {
    const bytes = requestWith(encounter, [['X-Slow', 'slow'.repeat(100)]]);
    const served = servesOthers(encounter);
    for (let at = 0; at < 60 && !connection.isOver; at++) {
      await connection.write(bytes.subarray(at, at + 1));
      await connection.until(() => connection.isOver, 50);
    }
    if (!(await served)) return breaks('Meanwhile the server served no other connection.');
    return conforms(connection.isOver ? 'The server cut it off.' : 'The server waited, and served others.');
  },
);

const halfRequest = rawAttackCase(
  attackFacts('fin-inside-the-request', {
    title: 'Sends half a request and ends TCP with FIN.',
    rule: 'A request that will not be complete is given up.',
    expectation:
      'The server ends the connection, and serves others. One that does not within 5 s is NON-STRICT.',
  }),
  async (connection, encounter) => {
    const bytes = requestWith(encounter, []);
    await sendWithin(connection, bytes.subarray(0, bytes.length >> 1));
    await turn();
    connection.end();
    if (await connection.until(() => connection.isOver, ALIVE_LIMIT_MS))
      return conforms('The server gave it up.');
    return nonStrict('The server kept its half of TCP open.');
  },
);

const early = rawAttackCase(
  attackFacts('frames-behind-the-request', {
    title: 'Sends a request and a mebibyte of frames behind it, without waiting for the answer.',
    rule: 'A client has to wait for the answer; what comes before it is bounded by the server, or refused.',
    section: 'RFC 6455 §4.1, §10.4',
    requirements: ['RFC6455-10.4-1'],
  }),
  async (connection, encounter) => {
    const frame = serializeFrame({ opcode: 2, payload: Buffer.alloc(1000) }, 'server').bytes;
    await sendWithin(
      connection,
      Buffer.concat([requestWith(encounter, []), Buffer.alloc(1000 * frame.length, frame)]),
    );
    return await rulingOnAnswer(connection);
  },
);

const ENDINGS: readonly [id: string, title: string, start: Uint8Array | undefined][] = [
  ['fin-behind-the-handshake', 'Ends TCP with FIN right behind the opening handshake.', undefined],
  ['fin-inside-a-header', 'Ends TCP with FIN behind the first byte of a frame.', Uint8Array.of(0x82)],
  [
    'fin-inside-a-payload',
    'Ends TCP with FIN in the middle of a frame.',
    serializeFrame({ opcode: BINARY, payload: 'half', announcedLength: 8n, isMasked: true }, 'server').bytes,
  ],
];

const endings = ENDINGS.map(([id, title, start]) =>
  attackCase(
    attackFacts(id, {
      title,
      rule: 'When TCP is ended the WebSocket connection is over, whatever state it was in.',
      section: 'RFC 6455 §7.1.4, §7.1.5',
      requirements: ['RFC6455-10.7-1'],
      expectation: 'The peer ends TCP, too. One that keeps its half open for 5 s is NON-STRICT.',
    }),
    async (tester) => {
      if (start !== undefined) await tester.connection.write(start);
      tester.connection.end();
      if (await tester.until(() => tester.connection.isOver, 5000)) return conforms('The peer ended TCP.');
      return { behavior: 'NON-STRICT', why: 'The peer kept its half of TCP open.' };
    },
  ),
);

const resets: readonly [id: string, title: string, attack: (tester: Tester) => Promise<unknown>][] = [
  [
    'reset-inside-a-frame',
    'Resets TCP in the middle of a frame.',
    (tester) => tester.send({ opcode: BINARY, payload: 'half', announcedLength: 1000n }),
  ],
  [
    'reset-while-echoes-are-under-way',
    'Sends 20 messages of 1 MiB and resets TCP without reading their echoes.',
    async (tester) => {
      tester.connection.pause();
      await floodFrames(tester, { opcode: BINARY, payload: repeated('r', 1 << 20) }, 20);
    },
  ],
];

const resetCases = resets.map(([id, title, attack]) =>
  attackCase(
    attackFacts(id, {
      title,
      rule: 'A connection that breaks off harms nobody but itself.',
      section: 'RFC 6455 §7.1.7',
      requirements: ['RFC6455-10.7-1'],
      subjects: ['server'],
    }),
    async (tester) => {
      await attack(tester);
      tester.connection.reset();
      return undefined;
    },
  ),
);

export const ROBUSTNESS_CONNECTIONS: readonly ConformanceCase[] = [
  ...crowds,
  slow,
  halfRequest,
  early,
  ...endings,
  ...resetCases,
];
