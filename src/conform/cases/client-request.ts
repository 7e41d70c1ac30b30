// Cases about the request with which a client under test opens (RFC 6455 §4.1, items 1 to 12). Nothing wrong is sent:
// the request is read, the connection accepted and closed. What responses do to a client is in `client-handshake.ts`.

import { isIP } from 'node:net';
import { listHasToken } from '../../wire/http-grammar.js';
import type { ConformanceCase } from '../case.js';
import { type Asked, requestCheck } from '../client-opening.js';
import { linesOf, quote } from '../opening.js';

/** Keys that stand in specifications and tutorials: a client that sends one of them has not drawn it. */
const PUBLISHED_KEYS = new Set([
  'dGhlIHNhbXBsZSBub25jZQ==',
  'AQIDBAUGBwgJCgsMDQ4PEA==',
  'AQIDBAUGBwgJCgsMDQ4PEC==',
  'x3JJHMbDL1EzLkh9GBhXDw==',
  'AAAAAAAAAAAAAAAAAAAAAA==',
]);

/** How long the tester keeps the client waiting for the response. */
const RESPONSE_DELAY_MS = 80;

/** With so many keys, a bit that is the same in all is no chance: 128 × 2^-40 is below 10^-9. */
const KEYS_FOR_BITS = 41;

const SECTION = 'RFC 6455 §4.1';

export const CLIENT_REQUEST_CASES: readonly ConformanceCase[] = [
  requestCheck({
    id: 'handshake.client-request-line',
    title: 'Reads the request line.',
    rule: 'The opening handshake is a GET request of HTTP/1.1.',
    section: SECTION,
    requirements: ['RFC6455-4.1-2', 'RFC6455-4.1-8', 'RFC6455-4.1-15', 'RFC6455-4.1-16', 'RFC6455-4.1-17'],
    check: ({ head }) =>
      head.method === 'GET' && head.httpVersion === '1.1'
        ? undefined
        : `The request is ${head.method} of HTTP/${head.httpVersion}, not GET of HTTP/1.1.`,
  }),
  requestCheck({
    id: 'handshake.client-request-target',
    title: 'Reads the request target.',
    rule: 'The target is the path and query of the URL, or a whole URL, and has no fragment.',
    section: 'RFC 6455 §3, §4.1',
    requirements: ['RFC6455-4.1-18', 'RFC6455-3-3', 'RFC6455-3-4', 'RFC6455-3-5', 'RFC6455-11.1.1-2'],
    check: ({ head: { target } }) =>
      /^(?:(?:wss?|https?):\/\/[^/?#]+)?\/[^#]*$/i.test(target)
        ? undefined
        : `The request target is ${quote(target)}.`,
  }),
  requestCheck({
    id: 'handshake.client-host',
    title: 'Reads Host, and holds its port against the one on which the tester listens.',
    rule: 'Host names the host, and the port too unless it is the default one of the scheme.',
    section: SECTION,
    requirements: ['RFC6455-4.1-19'],
    check: checkHost,
  }),
  requestCheck({
    id: 'handshake.client-names-the-server-in-tls',
    title: 'Reads the server name of the TLS handshake (SNI), and holds it against Host.',
    rule: 'With TLS, the client says in the TLS handshake which server it wants; an IP address is no such name.',
    section: SECTION,
    requirements: ['RFC6455-4.1-14', 'RFC6455-4.1-11', 'RFC6455-10.6-1'],
    expectation:
      'The name is that of the URL. Without TLS, or with an address in the URL, there is nothing to see.',
    ifRight: ({ connection, head }) =>
      connection.isSecure && hostName(head) !== undefined ? 'OK' : 'INFORMATIONAL',
    check: ({ connection, head }) => {
      const name = hostName(head);
      if (!connection.isSecure || name === undefined || connection.serverName === name) return undefined;
      return `TLS asked for ${quote(connection.serverName)}, Host for ${quote(name)}.`;
    },
    finding: ({ connection }) =>
      connection.isSecure ? `TLS asked for ${quote(connection.serverName)}.` : 'TLS was not used.',
  }),
  requestCheck({
    id: 'handshake.client-upgrade',
    title: 'Reads Upgrade.',
    rule: 'Upgrade has the keyword websocket, in any letter case.',
    section: SECTION,
    requirements: ['RFC6455-4.1-20'],
    check: ({ head }) => {
      const value = linesOf(head, 'upgrade').join(', ');
      return listHasToken(value, 'websocket') ? undefined : `Upgrade is ${quote(value)}, without websocket.`;
    },
  }),
  requestCheck({
    id: 'handshake.client-connection',
    title: 'Reads Connection.',
    rule: 'Connection has the token Upgrade, in any letter case.',
    section: SECTION,
    requirements: ['RFC6455-4.1-21'],
    check: ({ head }) => {
      const value = linesOf(head, 'connection').join(', ');
      return listHasToken(value, 'upgrade') ? undefined : `Connection is ${quote(value)}, without Upgrade.`;
    },
  }),
  requestCheck({
    id: 'handshake.client-key',
    title: 'Reads Sec-WebSocket-Key.',
    rule: 'The key is 16 random bytes in base64: 22 characters, the last one with its spare bits clear, and ==.',
    section: SECTION,
    requirements: ['RFC6455-4.1-22', 'RFC6455-4.1-23'],
    check: ({ key }) => {
      if (PUBLISHED_KEYS.has(key)) return `Sec-WebSocket-Key is ${quote(key)}, a published example.`;
      const isKey = /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key);
      return isKey ? undefined : `Sec-WebSocket-Key is ${quote(key)}, not 16 bytes in base64.`;
    },
  }),
  requestCheck({
    id: 'handshake.client-version',
    title: 'Reads Sec-WebSocket-Version.',
    rule: 'The version is 13.',
    section: SECTION,
    requirements: ['RFC6455-4.1-27', 'RFC6455-4.3-2'],
    check: ({ head }) => {
      const [version] = linesOf(head, 'sec-websocket-version');
      return version === '13' ? undefined : `Sec-WebSocket-Version is ${quote(version)}, not 13.`;
    },
  }),
  requestCheck({
    id: 'handshake.client-one-of-each-field',
    title: 'Counts Host, Sec-WebSocket-Key and Sec-WebSocket-Version.',
    rule: 'Each of these fields stands once in a request.',
    section: 'RFC 6455 §11.3.1, §11.3.5',
    requirements: ['RFC6455-11.3.1-1', 'RFC6455-11.3.5-2', 'RFC6455-4.1-19'],
    check: ({ head }) => {
      const names = ['host', 'sec-websocket-key', 'sec-websocket-version'];
      const wrong = names.find((name) => linesOf(head, name).length !== 1);
      return wrong === undefined ? undefined : `${wrong} is there ${linesOf(head, wrong).length} times.`;
    },
  }),
  requestCheck({
    id: 'handshake.client-has-no-accept',
    title: 'Looks for fields that only a response has.',
    rule: 'A request may have an Origin, cookies and other fields, but Sec-WebSocket-Accept belongs to responses.',
    section: 'RFC 6455 §11.3.3',
    requirements: ['RFC6455-4.1-16', 'RFC6455-4.1-26', 'RFC6455-4.1-32'],
    ifWrong: 'NON-STRICT',
    check: ({ head }) =>
      linesOf(head, 'sec-websocket-accept').length === 0
        ? undefined
        : 'The request has a Sec-WebSocket-Accept.',
  }),
  requestCheck({
    id: 'handshake.client-request-has-no-body',
    title: 'Looks for the announcement of a body.',
    rule: 'The request ends with its head; what followed would be taken as frames.',
    section: SECTION,
    requirements: ['RFC6455-4.1-16', 'RFC6455-4.1-33'],
    check: ({ head }) => {
      const [length] = linesOf(head, 'content-length');
      if (linesOf(head, 'transfer-encoding').length > 0) return 'The request has a Transfer-Encoding.';
      return Number(length ?? 0) === 0 ? undefined : `The request has Content-Length ${quote(length)}.`;
    },
  }),
  requestCheck({
    id: 'handshake.client-waits-for-response',
    title: `Keeps back the response for ${RESPONSE_DELAY_MS} ms, and looks whether anything comes.`,
    rule: 'After its request the client sends nothing until the response has come.',
    section: SECTION,
    requirements: ['RFC6455-4.1-33', 'RFC6455-9.1-6'],
    expectation: 'Nothing comes, and TCP stays open.',
    check: async ({ connection }) => {
      await connection.until(() => connection.received.length > 0 || connection.isOver, RESPONSE_DELAY_MS);
      if (connection.received.length > 0)
        return `${connection.received.length} bytes came before the response.`;
      return connection.isOver ? 'The client ended TCP before the response.' : undefined;
    },
  }),
];

/** Comes after the others, when many keys have been seen. */
export const FRESH_KEY_CASE: ConformanceCase = requestCheck({
  id: 'handshake.client-fresh-key',
  title: 'Compares the key with those of earlier connections of this client.',
  rule: 'Each connection gets a key of its own, drawn at random.',
  section: SECTION,
  requirements: ['RFC6455-4.1-24', 'RFC6455-4.1-23'],
  expectation: `No key comes twice; among ${KEYS_FOR_BITS} or more, no bit is always the same.`,
  check: checkFreshness,
  finding: ({ encounter }) => {
    const { size } = encounter.memory.handshakeKeys;
    return `The key differs from all ${size} that this client sent in earlier cases.`;
  },
});

/** The name in Host, in lower case; undefined for an address. */
function hostName(head: Asked['head']): string | undefined {
  const name = (linesOf(head, 'host')[0] ?? '').replace(/:\d+$/, '').toLowerCase();
  return name === '' || isIP(name.replace(/^\[|\]$/g, '')) !== 0 ? undefined : name;
}

function checkHost({ head, encounter }: Asked): string | undefined {
  const [host] = linesOf(head, 'host');
  const parts = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(\d+))?$/i.exec(host ?? '');
  if (parts === null) return `Host is ${quote(host)}, not a host name with perhaps a port.`;
  const { port: expected } = encounter.url;
  const isDefault = expected === '' || expected === '443';
  if (parts[2] === undefined && isDefault) return undefined;
  return parts[2] === (expected || '80') ? undefined : `Host is ${quote(host)}, but the port is ${expected}.`;
}

function checkFreshness({ key, encounter }: Asked): string | undefined {
  const earlier = encounter.memory.handshakeKeys;
  if (earlier.has(key)) return `The key ${quote(key)} was used for an earlier connection.`;
  const keys = [...earlier, key]
    .map((one) => Buffer.from(one, 'base64'))
    .filter(({ length }) => length === 16);
  if (keys.length < KEYS_FOR_BITS) return undefined;
  for (let bit = 0; bit < 128; bit++) {
    const valueIn = (one: Uint8Array): number => (one[bit >> 3]! >> (7 - (bit & 7))) & 1;
    if (keys.every((one) => valueIn(one) === valueIn(keys[0]!))) {
      return `Bit ${bit} of the key is the same in all ${keys.length} keys: they are not random.`;
    }
  }
  return undefined;
}
