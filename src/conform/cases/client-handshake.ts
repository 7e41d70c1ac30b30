// Cases about responses to the opening handshake of a client (RFC 6455 §4.1): wrong ones, which it has to refuse, and
// unusual ones, which it has to take. Negotiation is in `client-negotiation.ts`.

import { createHash, randomBytes } from 'node:crypto';
import type { ConformanceCase, Judgement } from '../case.js';
import { acceptance, refusal, SWITCHING, switching } from '../client-opening.js';
import { closeFrame } from '../frame.js';
import {
  acceptFor,
  type HeaderList,
  headBytes,
  linesOf,
  OpeningFailed,
  randomHandshakeKey,
  readRequest,
  responseHeaders,
  withHeader,
} from '../opening.js';
import { CLIENT_REQUEST_CASES, FRESH_KEY_CASE } from './client-request.js';

const SECTION = 'RFC 6455 §4.1';
const ACCEPT = 'Sec-WebSocket-Accept';

/** A status other than 101, with everything else as in a right handshake. */
function status(code: number, reason: string, extra: HeaderList = []): ConformanceCase {
  return refusal({
    id: `handshake.client-refuses-status-${code}`,
    title: `Answers with status ${code}, and the fields of a right handshake.`,
    rule: 'A status other than 101 opens nothing; it means what HTTP says.',
    section: SECTION,
    requirements: ['RFC6455-4.1-35', 'RFC6455-4.1-34'],
    expectation:
      'The client does not take the connection as established. It may go on as HTTP allows: end TCP, or ask again.',
    mayStayOpen: true,
    respond: ({ accepting }) =>
      headBytes(`HTTP/1.1 ${code} ${reason}`, [...accepting, ...extra, ['Content-Length', '0']]),
  });
}

/** A response in which one field is other than it has to be; undefined takes it away. */
function wrongField(
  id: string,
  name: string,
  value: string | undefined,
  requirement: string,
  rule: string,
): ConformanceCase {
  return refusal({
    id: `handshake.client-refuses-${id}`,
    title: `Answers 101 ${value === undefined ? `without ${name}` : `with "${name}: ${value}"`}.`,
    rule,
    section: SECTION,
    requirements: [requirement, 'RFC6455-4.1-34'],
    respond: ({ accepting }) => switching(withHeader(accepting, name, value)),
  });
}

const UPGRADE_RULE = 'Upgrade has to be there, and to be websocket in whatever letter case.';
const CONNECTION_RULE = 'Connection has to be there, with the token Upgrade in whatever letter case.';

/** A Sec-WebSocket-Accept that does not belong to the key. */
function wrongAccept(id: string, what: string, makeOf: (key: string) => string): ConformanceCase {
  return refusal({
    id: `handshake.client-refuses-accept-${id}`,
    title: `Answers 101 with ${what} as Sec-WebSocket-Accept.`,
    rule: 'Sec-WebSocket-Accept has to be the base64 of SHA-1 over this key and the GUID, to the letter.',
    section: SECTION,
    requirements: ['RFC6455-4.1-38', 'RFC6455-4.1-34'],
    respond: ({ key, accepting }) => switching(withHeader(accepting, ACCEPT, makeOf(key))),
  });
}

const sha1 = (text: string) => createHash('sha1').update(text);
const swapCase = (text: string): string =>
  text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );

const WRONG_RESPONSES: readonly ConformanceCase[] = [
  status(200, 'OK'),
  status(201, 'Created'),
  status(302, 'Found', [['Location', '/elsewhere']]),
  status(401, 'Unauthorized', [['WWW-Authenticate', 'Basic realm="tester"']]),
  status(404, 'Not Found'),
  status(426, 'Upgrade Required', [['Sec-WebSocket-Version', '25']]),
  status(503, 'Service Unavailable', [['Retry-After', '3600']]),
  wrongField('no-upgrade', 'Upgrade', undefined, 'RFC6455-4.1-36', UPGRADE_RULE),
  wrongField('other-upgrade', 'Upgrade', 'h2c', 'RFC6455-4.1-36', UPGRADE_RULE),
  wrongField('longer-upgrade', 'Upgrade', 'websockets', 'RFC6455-4.1-36', UPGRADE_RULE),
  wrongField('list-of-upgrades', 'Upgrade', 'websocket, h2c', 'RFC6455-4.1-36', UPGRADE_RULE),
  wrongField('no-connection', 'Connection', undefined, 'RFC6455-4.1-37', CONNECTION_RULE),
  wrongField('other-connection', 'Connection', 'keep-alive', 'RFC6455-4.1-37', CONNECTION_RULE),
  wrongField('longer-connection', 'Connection', 'Upgraded', 'RFC6455-4.1-37', CONNECTION_RULE),
  wrongField(
    'no-accept',
    ACCEPT,
    undefined,
    'RFC6455-4.1-38',
    'Without Sec-WebSocket-Accept nothing shows that the server has understood the request.',
  ),
  wrongAccept('empty', 'nothing', () => ''),
  wrongAccept('of-another-key', 'the value of another key', () => acceptFor(randomHandshakeKey())),
  wrongAccept('random', '20 random bytes in base64', () => randomBytes(20).toString('base64')),
  wrongAccept('in-other-case', 'the right value with each letter in the other case', (key) =>
    swapCase(acceptFor(key)),
  ),
  wrongAccept('without-padding', 'the right value without its =', (key) => acceptFor(key).slice(0, -1)),
  wrongAccept('with-more', 'the right value and one letter more', (key) => `${acceptFor(key)}A`),
  wrongAccept('in-hex', 'the right hash in hexadecimal', (key) =>
    Buffer.from(acceptFor(key), 'base64').toString('hex'),
  ),
  wrongAccept('that-is-the-key', 'the key itself', (key) => key),
  wrongAccept('without-guid', 'the hash of the key without the GUID', (key) => sha1(key).digest('base64')),
  wrongAccept('of-lower-case-guid', 'the hash of the key and the GUID in lower case', (key) =>
    sha1(`${key}258eafa5-e914-47da-95ca-c5ab0dc85b11`).digest('base64'),
  ),
  refusal({
    id: 'handshake.client-refuses-two-accepts',
    title: 'Answers 101 with two lines Sec-WebSocket-Accept: a wrong one and the right one.',
    rule: 'A response has one Sec-WebSocket-Accept. Two that differ are not the value that the client expects.',
    section: 'RFC 6455 §4.1, §11.3.3',
    requirements: ['RFC6455-4.1-38'],
    respond: ({ accepting }) => switching([[ACCEPT, acceptFor(randomHandshakeKey())], ...accepting]),
  }),
  refusal({
    id: 'handshake.client-refuses-accept-twice',
    title: 'Answers 101 with the right Sec-WebSocket-Accept, in two lines.',
    rule: 'A response has one Sec-WebSocket-Accept; one with two does not keep to the form.',
    section: 'RFC 6455 §4.1, §11.3.3',
    requirements: ['RFC6455-4.1-41'],
    expectation: 'The client fails the connection. Taking it is NON-STRICT: both say the same.',
    ifTaken: 'NON-STRICT',
    respond: ({ key, accepting }) => switching([...accepting, [ACCEPT, acceptFor(key)]]),
  }),
  refusal({
    id: 'handshake.client-refuses-http-1.0',
    title: 'Answers HTTP/1.0 101 with the fields of a right handshake.',
    rule: 'HTTP/1.0 has neither status 101 nor Upgrade; the response has to be HTTP/1.1.',
    section: 'RFC 6455 §4.1, §4.2.2',
    requirements: ['RFC6455-4.1-41'],
    expectation: 'The client fails the connection. Taking it is NON-STRICT: no sentence names the version.',
    ifTaken: 'NON-STRICT',
    respond: ({ accepting }) => headBytes('HTTP/1.0 101 Switching Protocols', accepting),
  }),
  refusal({
    id: 'handshake.client-refuses-another-protocol',
    title: 'Answers with a status line that is not of HTTP: "WEBS/1.1 101 Switching Protocols".',
    rule: 'The answer to the opening handshake is an HTTP response.',
    section: 'RFC 6455 §4.1, §4.2.2',
    requirements: ['RFC6455-4.1-41'],
    respond: ({ accepting }) => headBytes('WEBS/1.1 101 Switching Protocols', accepting),
  }),
  refusal({
    id: 'handshake.client-refuses-status-of-four-digits',
    title: 'Answers with status 1010.',
    rule: 'A status has three digits.',
    section: 'RFC 6455 §4.1, §4.2.2',
    requirements: ['RFC6455-4.1-41', 'RFC6455-4.1-35'],
    respond: ({ accepting }) => headBytes('HTTP/1.1 1010 Switching Protocols', accepting),
  }),
  refusal({
    id: 'handshake.client-refuses-no-status-line',
    title: 'Sends the fields of a right handshake without a status line.',
    rule: 'The answer to the opening handshake is an HTTP response, which begins with a status line.',
    section: 'RFC 6455 §4.1, §4.2.2',
    requirements: ['RFC6455-4.1-41', 'RFC6455-4.1-35'],
    respond: ({ accepting }) => headBytes('', accepting).subarray(2),
  }),
  refusal({
    id: 'handshake.client-refuses-field-without-colon',
    title: 'Answers 101 with a line among the fields that has no colon.',
    rule: 'The answer to the opening handshake is a well-formed HTTP response.',
    section: 'RFC 6455 §4.1, §4.2.2',
    requirements: ['RFC6455-4.1-41'],
    expectation: 'The client fails the connection. Passing over the line is NON-STRICT.',
    ifTaken: 'NON-STRICT',
    respond: ({ accepting }) => {
      const head = Buffer.from(switching(accepting)).toString('latin1');
      return Buffer.from(head.replace('\r\n', '\r\nthis is no field\r\n'), 'latin1');
    },
  }),
  {
    id: 'handshake.client-ends-after-half-a-response',
    group: 'handshake',
    subjects: ['client'],
    title: 'Sends the first half of a right response, and ends TCP.',
    rule: 'Without a response there is no connection: the client gives it up.',
    section: SECTION,
    requirements: ['RFC6455-4.1-2', 'RFC6455-4.1-41', 'RFC6455-7.1.7-1', 'RFC6455-7.2.1-1'],
    expectation: 'The client ends its side of TCP too.',
    limitMs: 10_000,
    run: async (encounter): Promise<Judgement> => {
      const connection = await encounter.connect();
      const [key = ''] = linesOf(readRequest(connection), 'sec-websocket-key');
      const head = switching(responseHeaders(key));
      const half = head.subarray(0, head.length >> 1);
      connection.log.bytes('tester', half);
      await connection.write(half);
      connection.end();
      const hasEnded = await connection.until(() => connection.isOver, 1500);
      const end = { droppedBy: connection.droppedBy } as const;
      if (hasEnded)
        return { behavior: 'OK', behaviorClose: 'OK', finding: 'The client ended TCP too.', ...end };
      const finding = 'The client left its side of TCP open for 1.5 s after the tester had ended the other.';
      return { behavior: 'FAILED', behaviorClose: 'FAILED', finding, ...end };
    },
  },
  {
    id: 'handshake.client-bounds-the-head',
    group: 'handshake',
    subjects: ['client'],
    title: 'Answers with a head that does not end: up to 4 MiB of fields.',
    rule: 'A client limits how much of a response it takes in.',
    section: 'RFC 6455 §10.4',
    requirements: ['RFC6455-10.4-1', 'RFC6455-10.7-1'],
    expectation: 'The client ends TCP. Taking in all 4 MiB is NON-STRICT.',
    limitMs: 20_000,
    run: async (encounter): Promise<Judgement> => {
      const connection = await encounter.connect();
      if (linesOf(readRequest(connection), 'sec-websocket-key').length === 0) {
        throw new OpeningFailed('The request has no Sec-WebSocket-Key.');
      }
      const fields = Buffer.from(`X-Filler: ${'f'.repeat(1012)}\r\n`.repeat(64));
      connection.log.note('The tester sends a head of 64 KiB of fields, again and again.');
      await connection.write(Buffer.from('HTTP/1.1 101 Switching Protocols\r\n'));
      let sent = 0;
      for (; sent < 4 << 20 && !connection.isOver; sent += fields.length) {
        await connection.write(fields);
        await connection.until(() => connection.isOver, 2);
      }
      const hasEnded = await connection.until(() => connection.isOver, 1500);
      const finding = hasEnded
        ? `The client ended TCP after at most ${sent >> 10} KiB.`
        : 'The client took in 4 MiB of header fields, and waited for more.';
      const { droppedBy } = connection;
      return { behavior: hasEnded ? 'OK' : 'NON-STRICT', behaviorClose: 'OK', finding, droppedBy };
    },
  },
];

/** A right response in unusual form. */
function unusual(
  id: string,
  title: string,
  rule: string,
  requirements: readonly string[],
  makeOf: (headers: HeaderList) => Uint8Array,
  options: Partial<Parameters<typeof acceptance>[0]> = {},
): ConformanceCase {
  return acceptance({
    id: `handshake.client-accepts-${id}`,
    title,
    rule,
    section: SECTION,
    requirements,
    ...options,
    respond: ({ accepting }) => makeOf(accepting),
  });
}

/** Before and behind the values of the fields in turn. */
const WHITESPACE: readonly (readonly string[])[] = [[''], ['  \t ', '  '], ['\t', ' \t ']];

/** All letters changed, but for those that matter. */
function withLetters(headers: HeaderList, change: (text: string) => string): HeaderList {
  return headers.map(([name, value]) => [change(name), name.startsWith('Sec-') ? value : change(value)]);
}

const UNUSUAL_RESPONSES: readonly ConformanceCase[] = [
  unusual(
    'plain-response',
    'Answers as the RFC shows it, and sends a message.',
    'Once the response is right the connection is established.',
    ['RFC6455-4.1-2', 'RFC6455-4.1-34', 'RFC6455-5.1-7'],
    (headers) => switching(headers),
  ),
  unusual(
    'fields-in-lower-case',
    'Answers with names and values in lower case, but for the value of Sec-WebSocket-Accept.',
    'Letter case does not matter in names, nor in the values of Upgrade and Connection.',
    ['RFC6455-4.1-42', 'RFC6455-4.1-36', 'RFC6455-4.1-37'],
    (headers) => switching(withLetters(headers, (text) => text.toLowerCase())),
  ),
  unusual(
    'fields-in-upper-case',
    'Answers with names and values in upper case, but for the value of Sec-WebSocket-Accept.',
    'Letter case does not matter in names, nor in the values of Upgrade and Connection.',
    ['RFC6455-4.1-42', 'RFC6455-4.1-36', 'RFC6455-4.1-37'],
    (headers) => switching(withLetters(headers, (text) => text.toUpperCase())),
  ),
  unusual(
    'fields-in-another-order',
    'Answers with the fields in reverse order.',
    'The order of fields says nothing.',
    ['RFC6455-4.1-34'],
    (headers) => switching([...headers].reverse()),
  ),
  unusual(
    'more-fields',
    'Answers with fields that have nothing to do with WebSocket, two cookies among them.',
    'A response may have other fields.',
    ['RFC6455-4.1-34'],
    (headers) =>
      switching([
        ['Server', 'tester'],
        ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
        ['Set-Cookie', 'a=1; HttpOnly'],
        ...headers,
        ['Set-Cookie', 'b=2'],
        ['X-Empty', ''],
        ['X-Obs-Text', 'caf\xe9'],
      ]),
  ),
  unusual(
    'connection-list',
    'Answers with "Connection: keep-alive, Upgrade".',
    'Connection is a list in which the token Upgrade has to be.',
    ['RFC6455-4.1-37'],
    (headers) => switching(withHeader(headers, 'Connection', 'keep-alive, Upgrade')),
  ),
  unusual(
    'connection-in-two-lines',
    'Answers with "Connection: keep-alive" and "Connection: Upgrade".',
    'A list may be spread over several lines.',
    ['RFC6455-4.1-37'],
    (headers) => switching([['Connection', 'keep-alive'], ...headers]),
  ),
  unusual(
    'whitespace-around-values',
    'Answers with no space, several spaces and tabs around the values.',
    'Whitespace around the value of a field does not belong to it.',
    ['RFC6455-4.1-34', 'RFC6455-4.1-38'],
    (headers) => {
      const lines = headers.map(([name, value], at) => {
        const [before = '', after = ''] = WHITESPACE[at % WHITESPACE.length]!;
        return `${name}:${before}${value}${after}\r\n`;
      });
      return Buffer.from(`${SWITCHING}\r\n${lines.join('')}\r\n`, 'latin1');
    },
  ),
  unusual(
    'other-reason-phrase',
    'Answers "HTTP/1.1 101 Web Socket Protocol Handshake".',
    'The reason phrase is for people.',
    ['RFC6455-4.1-34', 'RFC6455-4.1-35'],
    (headers) => headBytes('HTTP/1.1 101 Web Socket Protocol Handshake', headers),
  ),
  unusual(
    'no-reason-phrase',
    'Answers "HTTP/1.1 101 " with an empty reason phrase.',
    'The reason phrase may be empty.',
    ['RFC6455-4.1-34', 'RFC6455-4.1-35'],
    (headers) => headBytes('HTTP/1.1 101 ', headers),
  ),
  unusual(
    'response-byte-by-byte',
    'Sends each byte of the response in a TCP write of its own.',
    'How TCP cuts the bytes says nothing.',
    ['RFC6455-4.1-34'],
    (headers) => switching(headers),
    { chop: 1 },
  ),
  unusual(
    'frame-behind-the-head',
    'Sends the first message in one TCP write with the response.',
    'Once the response is out the server may send; the head ends with its empty line.',
    ['RFC6455-5.1-7', 'RFC6455-4.1-34'],
    (headers) => switching(headers),
    { isTogether: true },
  ),
  unusual(
    'close-behind-the-head',
    'Sends a Close frame in one TCP write with the response.',
    'Once the response is out the server may send, a Close frame too.',
    ['RFC6455-5.1-7', 'RFC6455-5.5.1-7'],
    (headers) => switching(headers),
    { isTogether: true, first: closeFrame(1000), expectation: 'The client answers with a Close frame.' },
  ),
  unusual(
    'interim-response',
    'Answers 100 Continue first, and then 101.',
    'HTTP clients read interim responses before the final one, expected or not (RFC 9110 §15.2).',
    ['RFC6455-4.1-35'],
    (headers) => Buffer.concat([headBytes('HTTP/1.1 100 Continue', []), switching(headers)]),
    {
      ifRefused: 'NON-STRICT',
      expectation: 'The client takes the connection as established, and echoes. Failing it is NON-STRICT.',
    },
  ),
  unusual(
    'early-hints',
    'Answers 103 Early Hints first, and then 101.',
    'HTTP clients read interim responses before the final one, known or not (RFC 9110 §15.2).',
    ['RFC6455-4.1-35'],
    (headers) =>
      Buffer.concat([
        headBytes('HTTP/1.1 103 Early Hints', [['Link', '</a>; rel=preload']]),
        switching(headers),
      ]),
    {
      ifRefused: 'NON-STRICT',
      expectation: 'The client takes the connection as established, and echoes. Failing it is NON-STRICT.',
    },
  ),
];

export const CLIENT_HANDSHAKE_CASES: readonly ConformanceCase[] = [
  ...CLIENT_REQUEST_CASES,
  ...WRONG_RESPONSES,
  ...UNUSUAL_RESPONSES,
  FRESH_KEY_CASE,
];
