// Attacks on a server's half of the opening handshake (RFC 6455 §4.2, §10.7): requests of unreasonable size, bytes that are no
// request, header fields made to trip a parser or to get into the answer.

import {
  attackFacts,
  fillers,
  latin1,
  rawAttackCase,
  requestWith,
  rulingOnAnswer,
  sendWithin,
} from '../attack-case.js';
import type { ConformanceCase } from '../case.js';
import { serializeFrame } from '../frame.js';
import { noise } from '../noise.js';
import { type HeaderList, headBytes, withHeader } from '../opening.js';
import { fromHex } from '../payload.js';
import { breaks } from '../rule-case.js';

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

export const ROBUSTNESS_REQUESTS: readonly ConformanceCase[] = [
  ...large,
  ...noRequest,
  ...traps,
  ...splits,
  ...smuggling,
];
