// Attacks on a client: answers that a server under the control of an attacker might give (RFC 6455 §4.1, §10.7).

import { ALIVE_LIMIT_MS, attackFacts, fillers, rawAttackCase, sendWithin } from '../attack-case.js';
import type { ConformanceCase } from '../case.js';
import { noise } from '../noise.js';
import {
  type HeaderList,
  headBytes,
  headerOf,
  OpeningFailed,
  readRequest,
  responseHeaders,
} from '../opening.js';
import { conforms, informational } from '../rule-case.js';

const SIZE = 15_000;

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

export const ROBUSTNESS_ANSWERS: readonly ConformanceCase[] = answers;
