// The response with which a server accepts (RFC 6455 §4.2.2, §11.3): each part of it looked at on its own.

import { splitList } from '../../wire/http-grammar.js';
import type { ResponseHead } from '../../wire/http-head.js';
import type { ConformanceCase, Encounter, Judgement } from '../case.js';
import { acceptFor, headerOf, linesOf, OpeningFailed, quote } from '../opening.js';
import {
  acceptedBy,
  ask,
  describeAnswer,
  leave,
  type RequestShape,
  type ServerFacts,
  serverCase,
  verdict,
} from '../server-answer.js';

const SECTION = 'RFC 6455 §4.2.2';

/** Whatever bytes the key stands for, the Accept is made from its text. */
const KEYS = [
  ['of zeros', 'AAAAAAAAAAAAAAAAAAAAAA=='],
  ['of ones', '/////////////////////w=='],
  ['with plus signs', '+++++++++++++++++++++g=='],
  ['that ascends', 'AAECAwQFBgcICQoLDA0ODw=='],
  ['that differs from the one before in case alone', 'aaecaWqfbGCicqOlda0odw=='],
] as const;

/** A case about the response to a plain request; whether the other parts of it are right does not matter. */
function responseCase(
  facts: ServerFacts & { expectation: string },
  judge: (response: ResponseHead) => Judgement,
): ConformanceCase {
  return serverCase('handshake', facts, async (encounter) => {
    const asked = await ask(encounter);
    await leave(asked);
    const { answer } = asked;
    if (answer.kind !== 'response' || answer.response.statusCode !== 101)
      throw new OpeningFailed(describeAnswer(answer));
    return judge(answer.response);
  });
}

/** The one value of a field that has to be there once. */
function once(
  response: ResponseHead,
  name: string,
  judge: (value: string) => Judgement | undefined,
): Judgement {
  const lines = linesOf(response, name.toLowerCase());
  if (lines.length !== 1)
    return verdict('FAILED', `The response has ${lines.length} lines of ${name}, not one.`);
  const value = lines[0]!;
  return judge(value) ?? verdict('OK', `${name} is ${quote(value)}.`);
}

export const SERVER_RESPONSE_CASES: readonly ConformanceCase[] = [
  responseCase(
    {
      id: 'response-is-http-1.1',
      title: 'Looks at the status line of the response.',
      rule: 'The handshake is accepted with a valid response whose status is 101; HTTP/1.0 has no such status.',
      section: SECTION,
      requirements: ['RFC6455-4.2.2-14', 'RFC6455-4.2.2-15'],
      expectation: 'The status line begins with "HTTP/1.1 101".',
    },
    ({ httpVersion, statusMessage }) =>
      verdict(
        httpVersion === '1.1' ? 'OK' : 'FAILED',
        `The status line is "HTTP/${httpVersion} 101 ${statusMessage}".`,
      ),
  ),
  responseCase(
    {
      id: 'response-upgrade',
      title: 'Looks at Upgrade in the response.',
      rule: 'The response has one Upgrade field with the value websocket.',
      section: SECTION,
      requirements: ['RFC6455-4.2.2-16'],
      expectation: 'There is one line "Upgrade: websocket".',
    },
    (response) =>
      once(response, 'Upgrade', (value) => {
        if (value === 'websocket') return undefined;
        const isOtherCase = value.toLowerCase() === 'websocket';
        return verdict(isOtherCase ? 'NON-STRICT' : 'FAILED', `Upgrade is ${quote(value)}, not "websocket".`);
      }),
  ),
  responseCase(
    {
      id: 'response-connection',
      title: 'Looks at Connection in the response.',
      rule: 'The response has a Connection field with the value Upgrade.',
      section: SECTION,
      requirements: ['RFC6455-4.2.2-17'],
      expectation: 'Connection is Upgrade.',
    },
    (response) => {
      const value = headerOf(response, 'connection');
      const tokens = splitList(value ?? '').map((token) => token.toLowerCase());
      if (!tokens.includes('upgrade'))
        return verdict('FAILED', `Connection is ${quote(value)}, without Upgrade.`);
      return tokens.length === 1
        ? verdict('OK', `Connection is ${quote(value)}.`)
        : verdict('NON-STRICT', `Connection is ${quote(value)}, which is more than Upgrade.`);
    },
  ),
  responseCase(
    {
      id: 'response-has-one-accept',
      title: 'Counts Sec-WebSocket-Accept in the response.',
      rule: 'Sec-WebSocket-Accept stands in a response once.',
      section: 'RFC 6455 §11.3.3',
      requirements: ['RFC6455-11.3.3-1'],
      expectation: 'There is one line of it.',
    },
    (response) => once(response, 'Sec-WebSocket-Accept', () => undefined),
  ),
  responseCase(
    {
      id: 'response-announces-no-body',
      title: 'Looks for Content-Length and Transfer-Encoding in the response.',
      rule: 'A response with status 101 has no body, and no field that speaks of one (RFC 9110 §8.6, RFC 9112 §6.1).',
      section: SECTION,
      requirements: ['RFC6455-4.2.2-14'],
      expectation: 'Neither is there.',
    },
    (response) => {
      const name = ['Content-Length', 'Transfer-Encoding'].find(
        (one) => headerOf(response, one) !== undefined,
      );
      return name === undefined
        ? verdict('OK', 'The response announces no body.')
        : verdict('NON-STRICT', `The response has ${name}: ${headerOf(response, name)}.`);
    },
  ),
  ...KEYS.map(([what, key], at) =>
    serverCase(
      'handshake',
      {
        id: `accept-${at + 1}`,
        title: `Sends the key ${key}, ${what}.`,
        rule: 'The Accept is the base64 form of the SHA-1 hash of the key, as it is written, and a fixed text.',
        section: SECTION,
        requirements: ['RFC6455-4.2.2-18'],
        expectation: `Sec-WebSocket-Accept is ${acceptFor(key)}.`,
      },
      (encounter) => judgeAccept(encounter, { key }),
    ),
  ),
  serverCase(
    'handshake',
    {
      id: 'accept-for-a-key-with-odd-bits',
      title:
        'Sends the key AQIDBAUGBwgJCgsMDQ4PEC== from the RFC, in whose last letter are bits that mean nothing.',
      rule: 'The key stands for 16 bytes, though no encoder would write it so (erratum 3150); a server that takes it goes by its text.',
      section: 'RFC 6455 §4.1, §4.2.2, erratum 3150',
      requirements: ['RFC6455-4.2.1-6', 'RFC6455-4.2.2-18'],
      expectation: 'The server refuses the key, or its Accept belongs to the text of the key.',
    },
    (encounter) => judgeAccept(encounter, { key: 'AQIDBAUGBwgJCgsMDQ4PEC==' }, true),
  ),
  serverCase(
    'handshake',
    {
      id: 'accept-of-each-connection',
      title: 'Opens four connections at the same time, and reads the responses when all requests are sent.',
      rule: 'Each connection gets the Accept that belongs to its own key.',
      section: SECTION,
      requirements: ['RFC6455-4.2.2-18', 'RFC6455-4.2.2-1'],
      expectation: 'The four Accepts belong to the four keys.',
    },
    async (encounter) => {
      const all = await Promise.all(KEYS.slice(0, 4).map(([, key]) => ask(encounter, { key })));
      await Promise.all(all.map(leave));
      for (const asked of all) acceptedBy(asked);
      return verdict('OK', 'Each of the four keys got its own Accept.');
    },
  ),
];

async function judgeAccept(encounter: Encounter, shape: RequestShape, mayRefuse = false): Promise<Judgement> {
  const asked = await ask(encounter, shape);
  await leave(asked);
  const { answer, key } = asked;
  if (answer.kind !== 'response' || answer.response.statusCode !== 101) {
    const isRefusal = mayRefuse && answer.kind === 'response';
    return verdict(isRefusal ? 'OK' : 'FAILED', describeAnswer(answer));
  }
  const accept = headerOf(answer.response, 'sec-websocket-accept');
  return accept === acceptFor(key)
    ? verdict('OK', `Sec-WebSocket-Accept is ${accept}.`)
    : verdict('FAILED', `Sec-WebSocket-Accept is ${quote(accept)}, not ${acceptFor(key)}.`);
}
