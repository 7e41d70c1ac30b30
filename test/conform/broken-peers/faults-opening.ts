// Faults in the opening handshake and in what is negotiated with it (RFC 6455 §4, §9.1; RFC 7692 §5, §7.1).

import { randomBytes } from 'node:crypto';
import type { Conduct, Head } from './conduct.js';
import { CLIENT, type Fault, SERVER } from './fault.js';
import type { Role } from './peer.js';

/** A fault in what a peer does not check. */
const blind = (
  roles: readonly Role[],
  name: string,
  breaks: string,
  overlooks: Conduct['overlooks'],
  caughtBy: Fault['caughtBy'],
  more: Partial<Fault> = {},
): Fault => ({ name, roles, breaks, change: () => ({ overlooks }), caughtBy, ...more });

/** A fault in the head that a peer sends. */
const wrong = (
  roles: readonly Role[],
  name: string,
  breaks: string,
  head: Conduct['head'],
  caughtBy: Fault['caughtBy'],
  more: Partial<Fault> = {},
): Fault => ({ name, roles, breaks, change: () => ({ head }), caughtBy, ...more });

/** One field with another value; undefined takes it away, and a field that is not there is not put there. */
const having =
  (name: string, value: string | undefined) =>
  ({ startLine, fields }: Head): Head => ({
    startLine,
    fields: fields.flatMap((field) => {
      if (field[0] !== name) return [field];
      return value === undefined ? [] : [[name, value] as [string, string]];
    }),
  });

const adding =
  (name: string, value: string) =>
  ({ startLine, fields }: Head): Head => ({ startLine, fields: [...fields, [name, value]] });

/** Only in a response that accepts. */
const accepting =
  (change: Conduct['head']): Conduct['head'] =>
  (head) =>
    head.startLine.includes(' 101 ') ? change(head) : head;

const starting =
  (from: string, to: string) =>
  ({ startLine, fields }: Head): Head => ({ startLine: startLine.replace(from, to), fields });

const UNKNOWN_PARAMETER =
  /;\s*(?!\s|(?:server|client)_(?:no_context_takeover|max_window_bits)\b)[\w-][^;,]*/g;

const ACCEPT = 'Sec-WebSocket-Accept';
const KEY = 'Sec-WebSocket-Key';
const PROTOCOL = 'Sec-WebSocket-Protocol';
const EXTENSIONS = 'Sec-WebSocket-Extensions';
const VERSION = 'Sec-WebSocket-Version';

const RESPONSE_FAULTS: readonly Fault[] = [
  wrong(
    SERVER,
    'sends an Accept that belongs to no key',
    'RFC6455-4.2.2-18',
    having(ACCEPT, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='),
    ['handshake.server-accept-*', 'handshake.server-accepts-the-key-of-the-rfc'],
    {
      alsoFails: [
        { says: /Sec-WebSocket-Accept is/, because: 'No connection comes about, and each case says why.' },
      ],
    },
  ),
  wrong(
    SERVER,
    'sends no Upgrade',
    'RFC6455-4.2.2-16',
    accepting(having('Upgrade', undefined)),
    ['handshake.server-response-upgrade'],
    {
      alsoFails: [
        { says: /Upgrade is absent/, because: 'No connection comes about, and each case says why.' },
      ],
    },
  ),
  wrong(
    SERVER,
    'sends no Connection',
    'RFC6455-4.2.2-17',
    accepting(having('Connection', undefined)),
    ['handshake.server-response-connection'],
    {
      alsoFails: [
        { says: /Connection is absent/, because: 'No connection comes about, and each case says why.' },
      ],
    },
  ),
  wrong(
    SERVER,
    'accepts with status 200',
    'RFC6455-4.2.2-15',
    starting('101 Switching Protocols', '200 OK'),
    ['handshake.server-accepts-a-plain-request'],
    {
      alsoFails: [
        {
          says: /answered (?:with status )?200/,
          because: 'No connection comes about, and each case says why.',
        },
      ],
    },
  ),
  wrong(SERVER, 'accepts with HTTP/1.0', 'RFC6455-4.2.2-14', accepting(starting('HTTP/1.1', 'HTTP/1.0')), [
    'handshake.server-response-is-http-1.1',
  ]),
  wrong(
    SERVER,
    'sends two lines of Sec-WebSocket-Accept',
    'RFC6455-11.3.3-1',
    accepting(adding(ACCEPT, 'AAAA')),
    ['handshake.server-response-has-one-accept'],
    {
      alsoFails: [
        {
          says: /Sec-WebSocket-Accept is "[^"]+, AAAA"/,
          because: 'No connection comes about, and each case says why.',
        },
      ],
    },
  ),
  wrong(SERVER, 'does not say which version it has', 'RFC6455-4.4-1', having(VERSION, undefined), [
    'handshake.server-refuses-version-*',
  ]),
  wrong(
    SERVER,
    'always selects an extension',
    'RFC6455-4.2.2-13',
    accepting((head) =>
      head.fields.some(([name]) => name === EXTENSIONS)
        ? head
        : adding(EXTENSIONS, 'permessage-deflate')(head),
    ),
    [
      'extension.server-none-without-an-offer',
      'extension.server-no-reserved-bits-*',
      'extension.server-ignores-*',
    ],
    {
      alsoFails: [
        {
          cases: ['extension.server-deflate-declines-*'],
          because: 'The offer cannot be met, and the server names the extension all the same.',
        },
      ],
    },
  ),
  wrong(
    SERVER,
    'grants a larger window than it was asked for',
    'RFC7692-7.1.2.1-3',
    (head) => ({
      ...head,
      fields: head.fields.map(([name, value]) => [
        name,
        value.replace(/server_max_window_bits=\d+/, 'server_max_window_bits=15'),
      ]),
    }),
    ['extension.server-deflate-server-window-is-at-most-asked'],
    {
      alsoFails: [
        {
          cases: [
            'extension.server-deflate-server-window-gives-no-client-window',
            'extension.server-deflate-all-parameters',
            'extension.server-deflate-first-supported-offer',
            'extension.server-deflate-quoted-value',
            'extension.server-deflate-quoted-pair',
            'extension.server-deflate-no-whitespace',
            'extension.server-deflate-much-whitespace',
            'extension.server-deflate-order-of-parameters',
          ],
          because: 'The offer asks for a window, and gets a larger one.',
        },
      ],
    },
  ),
  wrong(
    SERVER,
    'limits the window of a client that did not say it could',
    'RFC7692-7.1.2.2-6',
    (head) => ({
      ...head,
      fields: head.fields.map(([name, value]) => [
        name,
        name === EXTENSIONS && !value.includes('client_max') ? `${value}; client_max_window_bits=15` : value,
      ]),
    }),
    ['extension.server-deflate-server-window-gives-no-client-window', 'extension.server-deflate-plain-offer'],
    {
      alsoFails: [
        {
          cases: [
            'extension.server-deflate-server-window-is-at-most-asked',
            'extension.server-deflate-server-no-context-takeover',
            'extension.server-deflate-client-no-context-takeover',
            'extension.server-deflate-one-answer-to-equal-offers',
            'extension.server-deflate-first-supported-offer',
            'extension.server-deflate-quoted-value',
            'extension.server-deflate-quoted-pair',
            'extension.server-deflate-falls-back-to-a-later-offer',
            'extension.server-deflate-falls-back-from-an-invalid-value',
            'extension.server-deflate-behind-an-unknown-extension',
            'extension.server-deflate-in-a-second-line',
          ],
          because: 'The offer does not have client_max_window_bits, and the answer has.',
        },
      ],
    },
  ),
  {
    name: 'selects a subprotocol that was not offered',
    roles: SERVER,
    breaks: 'RFC6455-4.2.2-9',
    change: () => ({ subprotocol: (offered) => (offered.length > 0 ? 'unoffered' : undefined) }),
    caughtBy: [
      'subprotocol.server-one-offered',
      'subprotocol.server-several-offered',
      'subprotocol.server-many-offered',
      'subprotocol.server-keeps-upper-and-lower-case',
      'subprotocol.server-any-token-is-a-name',
      'subprotocol.server-the-same-offered-twice',
      'subprotocol.server-empty-list-elements',
      'subprotocol.server-at-most-one-line',
      'subprotocol.server-several-lines-are-one-list',
      'subprotocol.server-whitespace-around-commas',
      'subprotocol.server-no-whitespace-around-commas',
      'subprotocol.server-name-of-the-header-in-upper-case',
    ],
  },
  {
    name: 'sends Sec-WebSocket-Protocol without a value',
    roles: SERVER,
    breaks: 'RFC6455-4.2.2-11',
    change: () => ({ subprotocol: (offered) => (offered.length > 0 ? '' : undefined) }),
    caughtBy: [
      'subprotocol.server-one-offered',
      'subprotocol.server-several-offered',
      'subprotocol.server-many-offered',
      'subprotocol.server-keeps-upper-and-lower-case',
      'subprotocol.server-any-token-is-a-name',
      'subprotocol.server-the-same-offered-twice',
      'subprotocol.server-empty-list-elements',
      'subprotocol.server-at-most-one-line',
      'subprotocol.server-several-lines-are-one-list',
      'subprotocol.server-whitespace-around-commas',
      'subprotocol.server-no-whitespace-around-commas',
      'subprotocol.server-name-of-the-header-in-upper-case',
    ],
  },
  {
    name: 'sends a body behind its response',
    roles: SERVER,
    breaks: 'RFC6455-4.2.2-14',
    change: () => ({ behindHead: Buffer.from('Switching') }),
    caughtBy: ['handshake.server-sends-only-frames-behind-101'],
    alsoFails: [
      {
        cases: [
          'handshake.server-frame-in-the-segment-of-the-request',
          'handshake.server-half-a-frame-in-the-segment-of-the-request',
          'extension.server-no-reserved-bits-*',
        ],
        because: 'The body is read as frames, for it stands where frames begin.',
      },
    ],
  },
  {
    name: 'accepts an offer of permessage-deflate with an unknown parameter',
    roles: SERVER,
    breaks: 'RFC7692-7-1',
    change: () => ({
      heardExtensions: (header) => header.replace(UNKNOWN_PARAMETER, ''),
    }),
    caughtBy: ['extension.server-deflate-declines-an-unknown-parameter'],
    alsoFails: [
      {
        cases: ['extension.server-no-reserved-bits-after-declining'],
        because: 'It has such an offer to be declined.',
      },
    ],
  },
  {
    name: 'accepts windows that there are not',
    roles: SERVER,
    breaks: 'RFC7692-7-1',
    change: () => ({
      heardExtensions: (header) => header.replace(/bits=(?!(?:[89]|1[0-5])\b)[^;,"]+/g, 'bits=15'),
    }),
    caughtBy: [
      'extension.server-deflate-declines-a-*-window-out-of-range',
      'extension.server-deflate-declines-a-*-window-with-leading-zero',
      'extension.server-deflate-declines-a-*-window-that-is-no-number',
    ],
  },
];

const REQUEST_CHECK_FAULTS: readonly Fault[] = [
  blind(
    SERVER,
    'accepts any method',
    'RFC6455-4.2.1-2',
    ['method'],
    [
      'handshake.server-refuses-post',
      'handshake.server-refuses-head',
      'handshake.server-refuses-get-in-lower-case',
    ],
  ),
  blind(
    SERVER,
    'accepts a request of HTTP/1.0',
    'RFC6455-4.2.1-2',
    ['http-version'],
    ['handshake.server-refuses-http-1.0'],
  ),
  blind(
    SERVER,
    'accepts a request without Host',
    'RFC6455-4.2.1-3',
    ['host'],
    ['handshake.server-refuses-no-host'],
  ),
  blind(
    SERVER,
    'accepts a request without Upgrade',
    'RFC6455-4.2.1-4',
    ['request-upgrade'],
    [
      'handshake.server-refuses-no-upgrade',
      'handshake.server-refuses-an-empty-upgrade',
      'handshake.server-refuses-another-upgrade',
      'handshake.server-refuses-a-longer-upgrade',
    ],
  ),
  blind(
    SERVER,
    'accepts a request without Connection',
    'RFC6455-4.2.1-5',
    ['request-connection'],
    [
      'handshake.server-refuses-no-connection',
      'handshake.server-refuses-connection-without-upgrade',
      'handshake.server-refuses-a-longer-connection',
    ],
  ),
  blind(
    SERVER,
    'accepts any key',
    'RFC6455-4.2.1-6',
    ['key'],
    [
      'handshake.server-refuses-no-key',
      'handshake.server-refuses-an-empty-key',
      'handshake.server-refuses-a-key-*',
    ],
    {
      alsoFails: [
        {
          cases: ['handshake.server-takes-no-frames-after-a-refusal'],
          because: 'The request without a key is accepted, not refused.',
        },
      ],
    },
  ),
  blind(
    SERVER,
    'accepts two keys',
    'RFC6455-4.2.1-6',
    ['one-key'],
    ['handshake.server-refuses-two-keys', 'handshake.server-refuses-the-same-key-twice'],
  ),
  blind(
    SERVER,
    'accepts any version',
    'RFC6455-4.2.1-7',
    ['version'],
    [
      'handshake.server-refuses-no-version',
      'handshake.server-refuses-version-*',
      'handshake.server-refuses-an-empty-version',
      'handshake.server-refuses-a-leading-zero',
      'handshake.server-refuses-a-plus-sign',
      'handshake.server-refuses-a-decimal-point',
      'handshake.server-refuses-a-hexadecimal-version',
      'handshake.server-refuses-a-list-of-versions',
      'handshake.server-refuses-a-choice-of-versions',
      'handshake.server-refuses-a-version-above-255',
      'handshake.server-refuses-a-word-as-version',
      'handshake.server-refuses-the-same-version-twice',
    ],
    {
      alsoFails: [
        { cases: ['handshake.server-accepts-version-13-after-a-refusal'], because: 'There is no refusal.' },
      ],
    },
  ),
];

const KEY_OF_ALL = randomBytes(16).toString('base64');
let keysCounted = 0;

const REQUEST_FAULTS: readonly Fault[] = [
  wrong(CLIENT, 'uses one key for all connections', 'RFC6455-4.1-24', having(KEY, KEY_OF_ALL), [
    'handshake.client-fresh-key',
  ]),
  wrong(
    CLIENT,
    'counts its keys up',
    'RFC6455-4.1-23',
    (head) => {
      const key = Buffer.alloc(16);
      key.writeUInt32BE(++keysCounted, 12);
      return having(KEY, key.toString('base64'))(head);
    },
    ['handshake.client-fresh-key'],
  ),
  wrong(
    CLIENT,
    'sends a key of 15 bytes',
    'RFC6455-4.1-23',
    (head) => having(KEY, randomBytes(15).toString('base64'))(head),
    ['handshake.client-key'],
  ),
  wrong(
    CLIENT,
    'sends two keys',
    'RFC6455-11.3.1-1',
    (head) => adding(KEY, randomBytes(16).toString('base64'))(head),
    ['handshake.client-one-of-each-field'],
  ),
  wrong(CLIENT, 'asks for version 8', 'RFC6455-4.1-27', having(VERSION, '8'), ['handshake.client-version']),
  wrong(CLIENT, 'sends POST', 'RFC6455-4.1-17', starting('GET', 'POST'), ['handshake.client-request-line']),
  wrong(CLIENT, 'sends HTTP/1.0', 'RFC6455-4.1-17', starting('HTTP/1.1', 'HTTP/1.0'), [
    'handshake.client-request-line',
  ]),
  wrong(CLIENT, 'leaves the port out of Host', 'RFC6455-4.1-19', having('Host', '127.0.0.1'), [
    'handshake.client-host',
  ]),
  wrong(CLIENT, 'asks for no upgrade', 'RFC6455-4.1-20', having('Upgrade', undefined), [
    'handshake.client-upgrade',
  ]),
  wrong(CLIENT, 'sends Connection without Upgrade', 'RFC6455-4.1-21', having('Connection', 'keep-alive'), [
    'handshake.client-connection',
  ]),
  wrong(CLIENT, 'offers a subprotocol twice', 'RFC6455-4.1-30', having(PROTOCOL, 'chat, superchat, chat'), [
    'subprotocol.client-offer',
  ]),
  wrong(
    CLIENT,
    'offers a window with a leading zero',
    'RFC7692-7.1.2.2-2',
    having(EXTENSIONS, 'permessage-deflate; client_max_window_bits=010'),
    ['extension.client-deflate-offer'],
    {
      alsoFails: [
        {
          cases: ['extension.client-refuses-larger-client-window'],
          because: 'The client goes by the offer that it meant, which has no limit.',
        },
      ],
    },
  ),
  {
    name: 'sends a message before the response',
    roles: CLIENT,
    breaks: 'RFC6455-4.1-33',
    change: () => ({ behindHead: Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 0x49, 0x6b) }),
    caughtBy: ['handshake.client-waits-for-response'],
    alsoFails: [
      {
        says: /took the connection as established: it sent a text frame/,
        because: 'A message of the client is all that shows that it took a wrong response.',
      },
    ],
    groups: ['handshake'],
  },
];

const RESPONSE_CHECK_FAULTS: readonly Fault[] = [
  blind(
    CLIENT,
    'takes any status for 101',
    'RFC6455-4.1-35',
    ['status'],
    ['handshake.client-refuses-status-*', '!handshake.client-refuses-status-of-four-digits'],
    {
      alsoFails: [
        {
          cases: ['handshake.client-refuses-http-1.0: NON-STRICT'],
          because: 'The version stands in the line that the client does not look at.',
        },
      ],
    },
  ),
  blind(
    CLIENT,
    'does not look at Upgrade',
    'RFC6455-4.1-36',
    ['upgrade'],
    [
      'handshake.client-refuses-no-upgrade',
      'handshake.client-refuses-other-upgrade',
      'handshake.client-refuses-longer-upgrade',
      'handshake.client-refuses-list-of-upgrades',
    ],
  ),
  blind(
    CLIENT,
    'does not look at Connection',
    'RFC6455-4.1-37',
    ['connection'],
    [
      'handshake.client-refuses-no-connection',
      'handshake.client-refuses-other-connection',
      'handshake.client-refuses-longer-connection',
    ],
  ),
  blind(
    CLIENT,
    'does not look at Sec-WebSocket-Accept',
    'RFC6455-4.1-38',
    ['accept'],
    [
      'handshake.client-refuses-no-accept',
      'handshake.client-refuses-accept-*',
      'handshake.client-refuses-two-accepts',
      'handshake.client-refuses-accept-twice: NON-STRICT',
    ],
  ),
  blind(CLIENT, 'takes any subprotocol', 'RFC6455-4.1-40', ['subprotocol'], ['subprotocol.client-refuses-*']),
  blind(
    CLIENT,
    'takes any extension',
    'RFC6455-4.1-39',
    ['extension'],
    ['extension.client-refuses-unoffered*'],
    {
      alsoFails: [
        {
          cases: [
            'extension.client-refuses-*',
            '!extension.client-refuses-larger-*',
            '!extension.client-refuses-server-window-left-out',
          ],
          because: 'The client takes an answer that it cannot read for one about another extension.',
        },
      ],
    },
  ),
  {
    name: 'takes a larger window than it offered',
    roles: CLIENT,
    breaks: 'RFC7692-5-15',
    change: () => ({
      offer: 'permessage-deflate; server_max_window_bits=10; client_max_window_bits=10',
      overlooks: ['window-bits-of-answer'],
    }),
    caughtBy: [
      'extension.client-refuses-larger-*',
      'extension.client-refuses-server-window-left-out: NON-STRICT',
    ],
  },
  {
    name: 'takes an answer with an unknown parameter',
    roles: CLIENT,
    breaks: 'RFC7692-7-2',
    change: () => ({
      heardExtensions: (header) => header.replace(UNKNOWN_PARAMETER, ''),
    }),
    caughtBy: ['extension.client-refuses-unknown-parameter'],
  },
];

/** Of a peer whose frames are as they should be, the cases about frames are not run again, unless all of them fail. */
const OPENING_GROUPS = ['handshake', 'subprotocol', 'extension'] as const;

export const OPENING_FAULTS: readonly Fault[] = [
  ...RESPONSE_FAULTS,
  ...REQUEST_CHECK_FAULTS,
  ...REQUEST_FAULTS,
  ...RESPONSE_CHECK_FAULTS,
].map((fault) => (fault.alsoFails?.[0]?.says === undefined ? { groups: OPENING_GROUPS, ...fault } : fault));
