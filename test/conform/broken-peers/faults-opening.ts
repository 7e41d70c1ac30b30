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

const UNKNOWN_PARAMETER = /;\s*(?!\s|(?:server|client)_(?:no_context_takeover|max_window_bits)\b)[^;,]+/g;

const ACCEPT = 'Sec-WebSocket-Accept';
const KEY = 'Sec-WebSocket-Key';
const PROTOCOL = 'Sec-WebSocket-Protocol';
const EXTENSIONS = 'Sec-WebSocket-Extensions';
const VERSION = 'Sec-WebSocket-Version';

const RESPONSE_FAULTS: readonly Fault[] = [
  wrong(SERVER, 'sends an Accept that belongs to no key', 'RFC6455-4.2.2-18', having(ACCEPT, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='), []),
  wrong(SERVER, 'sends no Upgrade', 'RFC6455-4.2.2-16', accepting(having('Upgrade', undefined)), []),
  wrong(SERVER, 'sends no Connection', 'RFC6455-4.2.2-17', accepting(having('Connection', undefined)), []),
  wrong(SERVER, 'accepts with status 200', 'RFC6455-4.2.2-15', starting('101 Switching Protocols', '200 OK'), []),
  wrong(SERVER, 'accepts with HTTP/1.0', 'RFC6455-4.2.2-14', accepting(starting('HTTP/1.1', 'HTTP/1.0')), []),
  wrong(SERVER, 'sends two lines of Sec-WebSocket-Accept', 'RFC6455-11.3.3-1', accepting(adding(ACCEPT, 'AAAA')), []),
  wrong(SERVER, 'does not say which version it has', 'RFC6455-4.4-1', having(VERSION, undefined), []),
  wrong(SERVER, 'always selects an extension', 'RFC6455-4.2.2-13', accepting((head) => head.fields.some(([name]) => name === EXTENSIONS) ? head : adding(EXTENSIONS, 'permessage-deflate')(head)), []),
  wrong(SERVER, 'grants a larger window than it was asked for', 'RFC7692-7.1.2.1-3', (head) => ({ ...head, fields: head.fields.map(([name, value]) => [name, value.replace(/server_max_window_bits=\d+/, 'server_max_window_bits=15')]) }), []),
  wrong(SERVER, 'limits the window of a client that did not say it could', 'RFC7692-7.1.2.2-6', (head) => ({ ...head, fields: head.fields.map(([name, value]) => [name, name === EXTENSIONS && !value.includes('client_max') ? `${value}; client_max_window_bits=15` : value]) }), []),
  {
    name: 'selects a subprotocol that was not offered',
    roles: SERVER,
    breaks: 'RFC6455-4.2.2-9',
    change: () => ({ subprotocol: (offered) => (offered.length > 0 ? 'unoffered' : undefined) }),
    caughtBy: [],
  },
  {
    name: 'sends Sec-WebSocket-Protocol without a value',
    roles: SERVER,
    breaks: 'RFC6455-4.2.2-11',
    change: () => ({ subprotocol: (offered) => (offered.length > 0 ? '' : undefined) }),
    caughtBy: [],
  },
  {
    name: 'sends a body behind its response',
    roles: SERVER,
    breaks: 'RFC6455-4.2.2-14',
    change: () => ({ behindHead: Buffer.from('Switching') }),
    caughtBy: [],
  },
  {
    name: 'accepts an offer of permessage-deflate with an unknown parameter',
    roles: SERVER,
    breaks: 'RFC7692-7-1',
    change: () => ({
      heardExtensions: (header) => header.replace(UNKNOWN_PARAMETER, ''),
    }),
    caughtBy: [],
  },
  {
    name: 'accepts windows that there are not',
    roles: SERVER,
    breaks: 'RFC7692-7-1',
    change: () => ({ heardExtensions: (header) => header.replace(/bits=[^;,]+/g, 'bits=15') }),
    caughtBy: [],
  },
];

const REQUEST_CHECK_FAULTS: readonly Fault[] = [
  blind(SERVER, 'accepts any method', 'RFC6455-4.2.1-2', ['method'], []),
  blind(SERVER, 'accepts a request of HTTP/1.0', 'RFC6455-4.2.1-2', ['http-version'], []),
  blind(SERVER, 'accepts a request without Host', 'RFC6455-4.2.1-3', ['host'], []),
  blind(SERVER, 'accepts a request without Upgrade', 'RFC6455-4.2.1-4', ['request-upgrade'], []),
  blind(SERVER, 'accepts a request without Connection', 'RFC6455-4.2.1-5', ['request-connection'], []),
  blind(SERVER, 'accepts any key', 'RFC6455-4.2.1-6', ['key'], []),
  blind(SERVER, 'accepts two keys', 'RFC6455-4.2.1-6', ['one-key'], []),
  blind(SERVER, 'accepts any version', 'RFC6455-4.2.1-7', ['version'], []),
];

const KEY_OF_ALL = randomBytes(16).toString('base64');
let keysCounted = 0;

const REQUEST_FAULTS: readonly Fault[] = [
  wrong(CLIENT, 'uses one key for all connections', 'RFC6455-4.1-24', having(KEY, KEY_OF_ALL), []),
  wrong(CLIENT, 'counts its keys up', 'RFC6455-4.1-23', (head) => { const key = Buffer.alloc(16); key.writeUInt32BE(++keysCounted, 12); return having(KEY, key.toString('base64'))(head); }, []),
  wrong(CLIENT, 'sends a key of 15 bytes', 'RFC6455-4.1-23', (head) => having(KEY, randomBytes(15).toString('base64'))(head), []),
  wrong(CLIENT, 'sends two keys', 'RFC6455-11.3.1-1', (head) => adding(KEY, randomBytes(16).toString('base64'))(head), []),
  wrong(CLIENT, 'asks for version 8', 'RFC6455-4.1-27', having(VERSION, '8'), []),
  wrong(CLIENT, 'sends POST', 'RFC6455-4.1-17', starting('GET', 'POST'), []),
  wrong(CLIENT, 'sends HTTP/1.0', 'RFC6455-4.1-17', starting('HTTP/1.1', 'HTTP/1.0'), []),
  wrong(CLIENT, 'leaves the port out of Host', 'RFC6455-4.1-19', having('Host', '127.0.0.1'), []),
  wrong(CLIENT, 'asks for no upgrade', 'RFC6455-4.1-20', having('Upgrade', undefined), []),
  wrong(CLIENT, 'sends Connection without Upgrade', 'RFC6455-4.1-21', having('Connection', 'keep-alive'), []),
  wrong(CLIENT, 'offers a subprotocol twice', 'RFC6455-4.1-30', having(PROTOCOL, 'chat, superchat, chat'), []),
  wrong(CLIENT, 'offers a window with a leading zero', 'RFC7692-7.1.2.2-2', having(EXTENSIONS, 'permessage-deflate; client_max_window_bits=010'), []),
  {
    name: 'sends a message before the response',
    roles: CLIENT,
    breaks: 'RFC6455-4.1-33',
    change: () => ({ behindHead: Uint8Array.of(0x81, 0x82, 1, 2, 3, 4, 0x49, 0x6b) }),
    caughtBy: [],
  },
];

const RESPONSE_CHECK_FAULTS: readonly Fault[] = [
  blind(CLIENT, 'takes any status for 101', 'RFC6455-4.1-35', ['status'], []),
  blind(CLIENT, 'does not look at Upgrade', 'RFC6455-4.1-36', ['upgrade'], []),
  blind(CLIENT, 'does not look at Connection', 'RFC6455-4.1-37', ['connection'], []),
  blind(CLIENT, 'does not look at Sec-WebSocket-Accept', 'RFC6455-4.1-38', ['accept'], []),
  blind(CLIENT, 'takes any subprotocol', 'RFC6455-4.1-40', ['subprotocol'], []),
  blind(CLIENT, 'takes any extension', 'RFC6455-4.1-39', ['extension'], []),
  {
    name: 'takes a larger window than it offered',
    roles: CLIENT,
    breaks: 'RFC7692-5-15',
    change: () => ({
      offer: 'permessage-deflate; server_max_window_bits=10; client_max_window_bits=10',
      overlooks: ['window-bits-of-answer'],
    }),
    caughtBy: [],
  },
  {
    name: 'takes an answer with an unknown parameter',
    roles: CLIENT,
    breaks: 'RFC7692-7-2',
    change: () => ({
      heardExtensions: (header) => header.replace(UNKNOWN_PARAMETER, ''),
    }),
    caughtBy: [],
  },
];

export const OPENING_FAULTS: readonly Fault[] = [
  ...RESPONSE_FAULTS,
  ...REQUEST_CHECK_FAULTS,
  ...REQUEST_FAULTS,
  ...RESPONSE_CHECK_FAULTS,
];
