// Opening handshakes that are unusual and right: a server has to accept each (RFC 6455 §4.2.1, §4.2.2).

import type { ConformanceCase } from '../case.js';
import { type HeaderList, requestTarget, withHeader } from '../opening.js';
import { acceptedCase } from '../server-answer.js';

const READING = 'RFC 6455 §4.2.1';
const SENDING = 'RFC 6455 §4.2.2';

/** The same request with the names of its fields written otherwise. */
const renamed =
  (rename: (name: string) => string) =>
  (plain: HeaderList): HeaderList =>
    plain.map(([name, value]) => [rename(name), value]);

const having =
  (name: string, value: string) =>
  (plain: HeaderList): HeaderList =>
    withHeader(plain, name, value);

const alternate = (text: string): string =>
  Array.from(text, (letter, at) => (at % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())).join('');

export const ACCEPTED_CASES: readonly ConformanceCase[] = [
  acceptedCase(
    {
      id: 'accepts-a-plain-request',
      title: 'Sends a request with the five fields that are needed, and nothing more.',
      rule: 'A server that accepts a handshake answers 101 with Upgrade, Connection and Sec-WebSocket-Accept.',
      section: SENDING,
      requirements: [
        'RFC6455-4.2.2-1',
        'RFC6455-4.2.2-14',
        'RFC6455-4.2.2-15',
        'RFC6455-4.2.2-16',
        'RFC6455-4.2.2-17',
        'RFC6455-4.2.2-18',
      ],
    },
    {},
  ),
  acceptedCase(
    {
      id: 'accepts-the-key-of-the-rfc',
      title: 'Sends the key that the RFC has as its example, dGhlIHNhbXBsZSBub25jZQ==.',
      rule: 'The Accept for that key is s3pPLMBiTxaQ9kYGzzhZRbK+xOo=.',
      section: SENDING,
      requirements: ['RFC6455-4.2.2-18'],
    },
    { key: 'dGhlIHNhbXBsZSBub25jZQ==' },
  ),
  acceptedCase(
    {
      id: 'accepts-lower-case-names',
      title: 'Writes the names of all header fields in lower case.',
      rule: 'Names of header fields are the same in any case.',
      section: 'RFC 6455 §4.1',
      requirements: ['RFC6455-4.1-42'],
    },
    { headers: renamed((name) => name.toLowerCase()) },
  ),
  acceptedCase(
    {
      id: 'accepts-upper-case-names',
      title: 'Writes the names of all header fields in upper case.',
      rule: 'Names of header fields are the same in any case.',
      section: 'RFC 6455 §4.1',
      requirements: ['RFC6455-4.1-42'],
    },
    { headers: renamed((name) => name.toUpperCase()) },
  ),
  acceptedCase(
    {
      id: 'accepts-mixed-case-names',
      title: 'Changes between lower and upper case in the names of header fields, as in hOsT.',
      rule: 'Names of header fields are the same in any case.',
      section: 'RFC 6455 §4.1',
      requirements: ['RFC6455-4.1-42'],
    },
    { headers: renamed(alternate) },
  ),
  acceptedCase(
    {
      id: 'accepts-upgrade-with-capitals',
      title: 'Sends "Upgrade: WebSocket".',
      rule: 'The value of Upgrade is the same in any case.',
      section: READING,
      requirements: ['RFC6455-4.2.1-4'],
    },
    { headers: having('Upgrade', 'WebSocket') },
  ),
  acceptedCase(
    {
      id: 'accepts-upgrade-in-upper-case',
      title: 'Sends "Upgrade: WEBSOCKET".',
      rule: 'The value of Upgrade is the same in any case.',
      section: READING,
      requirements: ['RFC6455-4.2.1-4'],
    },
    { headers: having('Upgrade', 'WEBSOCKET') },
  ),
  acceptedCase(
    {
      id: 'accepts-connection-in-lower-case',
      title: 'Sends "Connection: upgrade".',
      rule: 'The tokens of Connection are the same in any case.',
      section: READING,
      requirements: ['RFC6455-4.2.1-5'],
    },
    { headers: having('Connection', 'upgrade') },
  ),
  acceptedCase(
    {
      id: 'accepts-connection-in-upper-case',
      title: 'Sends "Connection: UPGRADE".',
      rule: 'The tokens of Connection are the same in any case.',
      section: READING,
      requirements: ['RFC6455-4.2.1-5'],
    },
    { headers: having('Connection', 'UPGRADE') },
  ),
  acceptedCase(
    {
      id: 'accepts-connection-with-keep-alive',
      title: 'Sends "Connection: keep-alive, Upgrade", as one browser does.',
      rule: 'Connection is a list, of which Upgrade has to be one element.',
      section: READING,
      requirements: ['RFC6455-4.2.1-5'],
    },
    { headers: having('Connection', 'keep-alive, Upgrade') },
  ),
  acceptedCase(
    {
      id: 'accepts-connection-without-spaces',
      title: 'Sends "Connection: Upgrade,keep-alive".',
      rule: 'Connection is a list, of which Upgrade has to be one element; no space is needed in a list.',
      section: READING,
      requirements: ['RFC6455-4.2.1-5'],
    },
    { headers: having('Connection', 'Upgrade,keep-alive') },
  ),
  acceptedCase(
    {
      id: 'accepts-connection-in-two-lines',
      title: 'Sends "Connection: keep-alive" and, in a line of its own, "Connection: Upgrade".',
      rule: 'A list may be spread over several lines of the same name.',
      section: READING,
      requirements: ['RFC6455-4.2.1-5'],
    },
    { headers: (plain) => [...having('Connection', 'keep-alive')(plain), ['Connection', 'Upgrade']] },
  ),
  acceptedCase(
    {
      id: 'accepts-unknown-headers',
      title: 'Adds header fields that no server knows, cookies and a value of 2000 bytes.',
      rule: 'Unknown header fields are ignored.',
      section: READING,
      requirements: ['RFC6455-4.2.1-9'],
    },
    {
      headers: (plain) => [
        ['X-Unknown', 'a, b; c="d"'],
        ['Sec-WebSocket-Unknown', '1'],
        ...plain,
        ['User-Agent', 'tester'],
        ['Cookie', 'a=1; b=2'],
        ['X-Long', 'x'.repeat(2000)],
        ['X-Empty', ''],
      ],
    },
  ),
  acceptedCase(
    {
      id: 'accepts-headers-in-reverse-order',
      title: 'Sends the header fields in reverse order, Host last.',
      rule: 'The order of header fields does not matter.',
      section: READING,
      requirements: ['RFC6455-4.2.1-9'],
    },
    { headers: (plain) => [...plain].reverse() },
  ),
  acceptedCase(
    {
      id: 'accepts-an-absolute-target',
      title: 'Asks for an absolute http: or https: URI, as through a proxy.',
      rule: 'The target is a resource name, or an absolute HTTP or HTTPS URI that contains one.',
      section: READING,
      requirements: ['RFC6455-4.2.1-2'],
    },
    { target: (url) => `${url.protocol === 'wss:' ? 'https' : 'http'}://${url.host}${requestTarget(url)}` },
  ),
  acceptedCase(
    {
      id: 'accepts-bytes-one-by-one',
      title: 'Sends the request in TCP writes of one byte.',
      rule: 'TCP has no messages: how a request is cut into segments means nothing.',
      section: READING,
      requirements: ['RFC6455-4.2.2-1'],
    },
    { chop: 1 },
  ),
  acceptedCase(
    {
      id: 'accepts-pieces-of-seven-bytes',
      title: 'Sends the request in TCP writes of seven bytes.',
      rule: 'TCP has no messages: how a request is cut into segments means nothing.',
      section: READING,
      requirements: ['RFC6455-4.2.2-1'],
    },
    { chop: 7 },
  ),
  acceptedCase(
    {
      id: 'accepts-no-space-behind-colons',
      title: 'Leaves out the space behind each colon, as in "Upgrade:websocket".',
      rule: 'Whitespace around the value of a header field is optional.',
      section: 'RFC 6455 §4.3',
      requirements: ['RFC6455-4.2.1-1'],
    },
    { edit: (head) => head.replace(/^([\w-]+): /gm, '$1:') },
  ),
  acceptedCase(
    {
      id: 'accepts-spaces-around-values',
      title: 'Puts three spaces around the values of all header fields.',
      rule: 'Whitespace around the value of a header field is optional, and not part of it.',
      section: 'RFC 6455 §4.3',
      requirements: ['RFC6455-4.2.1-1'],
    },
    { headers: (plain) => plain.map(([name, value]) => [name, `  ${value}   `]) },
  ),
  acceptedCase(
    {
      id: 'accepts-tabs-around-values',
      title: 'Puts tabs around the values of all header fields.',
      rule: 'Whitespace around the value of a header field, a tab as well as a space, is not part of it.',
      section: 'RFC 6455 §4.3',
      requirements: ['RFC6455-4.2.1-1'],
      expectation: 'The server answers 101. No client does this, and a refusal is NON-STRICT.',
    },
    { headers: (plain) => plain.map(([name, value]) => [name, `\t${value}\t`]) },
    'NON-STRICT',
  ),
  acceptedCase(
    {
      id: 'accepts-whitespace-around-the-key',
      title: 'Puts spaces and tabs around the key.',
      rule: 'The Accept is made from the key as it is without the whitespace around it.',
      section: SENDING,
      requirements: ['RFC6455-4.2.2-18'],
    },
    { headers: (plain, key) => withHeader(plain, 'Sec-WebSocket-Key', `  \t${key} \t`) },
  ),
];
