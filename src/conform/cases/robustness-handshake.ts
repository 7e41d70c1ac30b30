// Attacks on the opening handshake (RFC 6455 §4, §10.7): connections that are opened and left, requests of unreasonable
// size, bytes that are no request, header fields made to trip a parser, and answers of such kinds to a client.

import {
  ALIVE_LIMIT_MS,
  awaitAnswer,
  latin1,
  rawAttackCase,
  requestWith,
  sendWithin,
  servesOthers,
} from '../attack-case.js';
import type { ConformanceCase, Encounter } from '../case.js';
import { noise } from '../deflate-case.js';
import { serializeFrame } from '../frame.js';
import {
  type HeaderList,
  headBytes,
  headerOf,
  OpeningFailed,
  open,
  readRequest,
  responseHeaders,
  withHeader,
} from '../opening.js';
import { fromHex } from '../payload.js';
import { type RawConnection, turn } from '../raw-connection.js';
import { breaks, conforms, informational, nonStrict, type RuleFacts, type Ruling } from '../rule-case.js';

const SERVES = 'The server answers or ends the connection, and serves others.';

interface HandshakeAttack {
  title: string;
  rule: string;
  section?: string;
  requirements?: readonly string[];
  expectation?: string;
  subjects?: RuleFacts['subjects'];
}

function attackFacts(id: string, attack: HandshakeAttack): RuleFacts {
  const { subjects, ...others } = attack;
  return {
    section: 'RFC 6455 §10.7',
    requirements: ['RFC6455-10.7-1'],
    expectation: SERVES,
    ...others,
    ...(subjects !== undefined && { subjects }),
    id: `robustness.${id}`,
  };
}

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

const LARGE: readonly [id: string, what: string, fields: () => HeaderList][] = [
  ['header-flood', '10,000 header fields', () => fillers(10_000)],
  ['headers-1004', '1004 header fields before those of the upgrade', () => fillers(1004)],
  ['header-of-a-mebibyte', 'a header field of 1 MiB', () => [['X-Large', 'x'.repeat(1 << 20)]]],
  [
    'header-name-of-64-kib',
    'a header field whose name has 64 KiB',
    () => [['x'.repeat(65_536), 'long name']],
  ],
];

function fillers(count: number): HeaderList {
  return Array.from({ length: count }, (_, n) => [`X-${n}`, 'f'] as const);
}

const large = LARGE.map(([id, what, fields]) =>
  rawAttackCase(
    attackFacts(id, {
      title: `Sends a request with ${what}.`,
      rule: 'A request may be refused for its size. Whatever becomes of it, the server lives.',
      section: 'RFC 6455 §4.2.2, §10.4',
      requirements: ['RFC6455-10.4-1', 'RFC6455-10.7-4'],
    }),
    async (connection, encounter) => {
      await sendWithin(connection, requestWith(encounter, fields()));
      return await rulingOnAnswer(connection);
    },
  ),
);

/** Any answer will do, and so does the end of TCP; silence is noted. */
async function rulingOnAnswer(connection: RawConnection): Promise<Ruling> {
  const answer = await awaitAnswer(connection, ALIVE_LIMIT_MS / 2);
  if (answer !== undefined) return conforms(`The server answered ${answer}.`);
  if (connection.isOver) return conforms('The server ended the connection.');
  return informational('The server said nothing, and left the connection open.');
}

/** The first bytes of a TLS handshake: a record with a ClientHello of 512 bytes. */
const CLIENT_HELLO = Buffer.concat([fromHex('1603010200010001fc0303'), noise(506, 22)]);
const HTTP2 = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

const NO_REQUEST: readonly [id: string, what: string, bytes: () => Uint8Array][] = [
  ['tls-hello', 'the beginning of a TLS handshake', () => CLIENT_HELLO],
  ['random-bytes', '4096 random bytes', () => noise(4096, 4)],
  ['http2-preface', 'the preface of HTTP/2', () => HTTP2],
  ['zero-bytes', '4096 bytes of zero', () => new Uint8Array(4096)],
  [
    'endless-line',
    'a request line of 1 MiB without an end',
    () => Buffer.from(`GET /${'a'.repeat(1 << 20)}`),
  ],
  ['empty-lines', '10,000 empty lines', () => Buffer.from('\r\n'.repeat(10_000))],
];

const noRequest = NO_REQUEST.map(([id, what, bytes]) =>
  rawAttackCase(
    attackFacts(id, {
      title: `Sends ${what} instead of a request.`,
      rule: 'What is no request is answered with an error, or not at all.',
      requirements: ['RFC6455-10.7-2', 'RFC6455-10.7-4'],
    }),
    async (connection) => {
      await sendWithin(connection, bytes());
      const ruling = await rulingOnAnswer(connection);
      return / 101\b/.test(ruling.why) ? breaks('The server accepted what was no request.') : ruling;
    },
  ),
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

const SIZE = 15_000;

/** Each value makes a careless regular expression, or a careless table, go wrong. */
const TRAPS: readonly [id: string, name: string, value: string, what: string][] = [
  [
    'extension-named-constructor',
    'Sec-WebSocket-Extensions',
    'constructor',
    'an extension by the name of a property of all objects',
  ],
  [
    'extension-named-proto',
    'Sec-WebSocket-Extensions',
    '__proto__; toString; hasOwnProperty=1',
    'more such names',
  ],
  [
    'extension-without-name',
    'Sec-WebSocket-Extensions',
    ',;constructor',
    'a list of extensions that is none',
  ],
  [
    'deflate-parameter-named-proto',
    'Sec-WebSocket-Extensions',
    'permessage-deflate; __proto__=1; constructor',
    'a parameter by such a name',
  ],
  [
    'spaces-in-extensions',
    'Sec-WebSocket-Extensions',
    `b${' '.repeat(SIZE)}x`,
    `${SIZE} spaces inside of Sec-WebSocket-Extensions`,
  ],
  [
    'backslashes-in-extensions',
    'Sec-WebSocket-Extensions',
    `a; b="${'\\c'.repeat(SIZE / 2)}`,
    `${SIZE / 2} escapes in a string without an end`,
  ],
  [
    'many-offers',
    'Sec-WebSocket-Extensions',
    'permessage-deflate, '.repeat(SIZE / 20).slice(0, -2),
    `${SIZE / 20} offers of the same extension`,
  ],
  [
    'many-parameters',
    'Sec-WebSocket-Extensions',
    `permessage-deflate${'; a'.repeat(SIZE / 3)}`,
    `${SIZE / 3} parameters of one extension`,
  ],
  [
    'commas-in-protocols',
    'Sec-WebSocket-Protocol',
    `a${','.repeat(SIZE)}b`,
    `${SIZE} commas in Sec-WebSocket-Protocol`,
  ],
  [
    'spaces-in-protocols',
    'Sec-WebSocket-Protocol',
    `a${' '.repeat(SIZE)}b`,
    `${SIZE} spaces in Sec-WebSocket-Protocol`,
  ],
  [
    'protocol-named-proto',
    'Sec-WebSocket-Protocol',
    '__proto__, constructor, toString',
    'subprotocols by the names of properties of all objects',
  ],
];

const traps = TRAPS.map(([id, name, value, what]) =>
  rawAttackCase(
    attackFacts(id, {
      title: `Sends a request with ${what}.`,
      rule: 'A header field is read in one pass, and no name in it has a meaning that it was not given.',
      section: 'RFC 6455 §4.2.2, §9.1',
      requirements: ['RFC6455-10.7-1', 'RFC6455-9.1-1', 'RFC7692-7-1'],
      expectation: 'The server refuses the request, or leaves out what it was offered; and it serves others.',
    }),
    async (connection, encounter) => {
      await sendWithin(connection, requestWith(encounter, [[name, value]]));
      const ruling = await rulingOnAnswer(connection);
      const head = latin1(connection).split('\r\n\r\n')[0]!;
      const taken = /^sec-websocket-extensions:.*(?:constructor|__proto__|tostring)/im.exec(head)?.[0];
      return taken === undefined ? ruling : breaks(`The server agreed to ${JSON.stringify(taken)}.`);
    },
  ),
);

const SPLITS: readonly [id: string, value: string, what: string][] = [
  ['cr', 'chat\rX-Injected: yes', 'a CR'],
  ['lf', 'chat\nX-Injected: yes', 'an LF'],
  ['escaped', 'chat%0d%0aX-Injected: yes', 'an escaped CRLF'],
  ['folded', 'chat\r\n X-Injected: yes', 'a folded line'],
  ['latin1', 'chat\u0085X-Injected: yes', 'a byte that is a line end elsewhere'],
];

const splits = SPLITS.map(([id, value, what]) =>
  rawAttackCase(
    attackFacts(`response-splitting-by-${id}`, {
      title: `Asks for a subprotocol with ${what} in its name.`,
      rule: 'Nothing of a request gets into the answer but what is a token.',
      section: 'RFC 6455 §4.2.2',
      requirements: ['RFC6455-4.2.2-9', 'RFC6455-10.7-1'],
      expectation: 'The answer has no header field that the tester made up.',
    }),
    async (connection, encounter) => {
      await sendWithin(connection, requestWith(encounter, [['Sec-WebSocket-Protocol', value]]));
      const ruling = await rulingOnAnswer(connection);
      const head = latin1(connection).split('\r\n\r\n')[0]!;
      return /(?:^|[\r\n])x-injected:/i.test(head)
        ? breaks('A field of the request stands in the answer.')
        : ruling;
    },
  ),
);

const SMUGGLED: readonly [id: string, what: string, refused: HeaderList][] = [
  ['by-version', 'an unknown version', [['Sec-WebSocket-Version', '777']]],
  ['by-key', 'a key that is none', [['Sec-WebSocket-Key', 'none']]],
];

const smuggling = SMUGGLED.map(([id, what, refused]) =>
  rawAttackCase(
    attackFacts(`smuggling-${id}`, {
      title: `Asks for an upgrade with ${what}, and sends frames behind the request as if it had been accepted.`,
      rule: 'A connection whose upgrade was refused speaks no WebSocket.',
      section: 'RFC 6455 §4.2.2, §10.3',
      requirements: ['RFC6455-4.2.2-7', 'RFC6455-10.7-1'],
      expectation: 'No frame comes back.',
    }),
    async (connection, encounter) => {
      const key = Buffer.alloc(16).toString('base64');
      const fields: HeaderList = [
        ['Host', encounter.url.host],
        ['Upgrade', 'websocket'],
        ['Connection', 'Upgrade'],
        ['Sec-WebSocket-Key', key],
        ['Sec-WebSocket-Version', '13'],
      ];
      const headers = refused.reduce(
        (list: HeaderList, [name, value]) => withHeader(list, name, value),
        fields,
      );
      const { bytes } = serializeFrame({ opcode: 1, payload: 'smuggled' }, 'server');
      const head = headBytes(`GET ${encounter.url.pathname}${encounter.url.search} HTTP/1.1`, headers);
      await sendWithin(connection, Buffer.concat([head, bytes]));
      const ruling = await rulingOnAnswer(connection);
      await connection.write(bytes);
      await connection.until(() => connection.isOver, 500);
      return latin1(connection).includes('smuggled') ? breaks('The server echoed a frame.') : ruling;
    },
  ),
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

/** Answers that a server under the control of an attacker might give to a client. */
const ANSWERS: readonly [id: string, what: string, answer: (key: string) => Uint8Array][] = [
  [
    'header-flood',
    'with 10,000 header fields',
    (key) => accepting([...fillers(10_000), ...responseHeaders(key)]),
  ],
  [
    'header-of-a-mebibyte',
    'with a header field of 1 MiB',
    (key) => accepting([...responseHeaders(key), ['X-Large', 'x'.repeat(1 << 20)]]),
  ],
  [
    'extension-named-constructor',
    'with an extension named constructor',
    (key) => withExtensions(key, 'constructor'),
  ],
  [
    'spaces-in-extensions',
    `with ${SIZE} spaces in Sec-WebSocket-Extensions`,
    (key) => withExtensions(key, `b${' '.repeat(SIZE)}x`),
  ],
  [
    'backslashes-in-extensions',
    `with ${SIZE / 2} escapes in a string without an end`,
    (key) => withExtensions(key, `permessage-deflate; b="${'\\c'.repeat(SIZE / 2)}`),
  ],
  [
    'window-of-99-bits',
    'with server_max_window_bits=99',
    (key) => withExtensions(key, 'permessage-deflate; server_max_window_bits=99'),
  ],
  ['random-bytes', 'of 4096 random bytes', () => noise(4096, 44)],
  [
    'endless-body',
    'with status 200 and 16 MiB of body',
    () =>
      Buffer.concat([
        headBytes('HTTP/1.1 200 OK', [['Content-Length', '99999999999']]),
        new Uint8Array(16 << 20),
      ]),
  ],
];

function accepting(headers: HeaderList): Uint8Array {
  return headBytes('HTTP/1.1 101 Switching Protocols', headers);
}

function withExtensions(key: string, extensions: string): Uint8Array {
  return accepting([...responseHeaders(key), ['Sec-WebSocket-Extensions', extensions]]);
}

const answers = ANSWERS.map(([id, what, answer]) =>
  rawAttackCase(
    attackFacts(`answer-${id}`, {
      title: `Answers ${what}.`,
      rule: 'A client trusts a server no more than a server trusts a client.',
      section: 'RFC 6455 §4.1, §10.7',
      requirements: ['RFC6455-10.7-1', 'RFC6455-9.1-1'],
      subjects: ['client'],
      expectation: 'The client ends the connection. One that goes on, or waits, is INFORMATIONAL.',
    }),
    async (connection) => {
      const key = headerOf(readRequest(connection), 'sec-websocket-key');
      if (key === undefined) throw new OpeningFailed('The request has no Sec-WebSocket-Key.');
      await sendWithin(connection, answer(key));
      if (await connection.until(() => connection.isOver, ALIVE_LIMIT_MS / 2))
        return conforms('The client ended the connection.');
      return informational('The client went on, or waits for more.');
    },
  ),
);

export const ROBUSTNESS_HANDSHAKE: readonly ConformanceCase[] = [
  ...crowds,
  slow,
  ...large,
  ...noRequest,
  halfRequest,
  ...traps,
  ...splits,
  ...smuggling,
  early,
  ...answers,
];
