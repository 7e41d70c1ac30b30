// Opening handshakes that are wrong in one point: a server has to refuse each, with an HTTP error and never with 101
// (RFC 6455 §4.2.1, §4.2.2, §4.4).

import { splitList } from '../../wire/http-grammar.js';
import type { ResponseHead } from '../../wire/http-head.js';
import type { ConformanceCase, Judgement } from '../case.js';
import { type HeaderList, headerOf, linesOf, quote, requestTarget, withHeader } from '../opening.js';
import { type RequestShape, refusedCase, verdict } from '../server-answer.js';

const READING = 'RFC 6455 §4.2.1';

interface Row {
  id: string;
  title: string;
  rule: string;
  requirements: readonly string[];
  shape: RequestShape;
  isOrdinaryHttp?: boolean;
}

const having =
  (name: string, value: string | undefined) =>
  (plain: HeaderList): HeaderList =>
    withHeader(plain, name, value);

const adding =
  (name: string, value: string) =>
  (plain: HeaderList): HeaderList => [...plain, [name, value]];

const METHOD = {
  rule: 'A handshake is a GET request.',
  requirements: ['RFC6455-4.2.1-2', 'RFC6455-4.2.1-1'],
  isOrdinaryHttp: true,
};
const TARGET = {
  rule: 'The target is a resource name, which begins with a slash, or an absolute HTTP or HTTPS URI.',
  requirements: ['RFC6455-4.2.1-2', 'RFC6455-4.2.1-1'],
};
const HOST = {
  rule: 'A request has one Host field (RFC 9112 §3.2: without one, or with several, the answer is 400).',
  requirements: ['RFC6455-4.2.1-3', 'RFC6455-4.2.1-1'],
};
const UPGRADE = {
  rule: 'Upgrade has the value websocket; what has not is no WebSocket handshake.',
  requirements: ['RFC6455-4.2.1-4', 'RFC6455-4.2.1-1'],
  isOrdinaryHttp: true,
};
const CONNECTION = {
  rule: 'Connection has the token Upgrade; without it Upgrade means nothing.',
  requirements: ['RFC6455-4.2.1-5', 'RFC6455-4.2.1-1'],
  isOrdinaryHttp: true,
};
const KEY = {
  rule: 'The key is the base64 form of 16 bytes.',
  requirements: ['RFC6455-4.2.1-6', 'RFC6455-4.2.1-1'],
};
const SYNTAX = {
  rule: 'A request that breaks the grammar of HTTP is refused.',
  requirements: ['RFC6455-4.2.1-1', 'RFC6455-10.7-1'],
};

const ROWS: readonly Row[] = [
  { ...METHOD, id: 'refuses-post', title: 'Sends POST instead of GET.', shape: { method: 'POST' } },
  { ...METHOD, id: 'refuses-head', title: 'Sends HEAD instead of GET.', shape: { method: 'HEAD' } },
  {
    ...METHOD,
    id: 'refuses-get-in-lower-case',
    title: 'Sends the method "get": methods are case-sensitive.',
    shape: { method: 'get' },
  },
  {
    id: 'refuses-http-1.0',
    title: 'Sends the request as HTTP/1.0.',
    rule: 'A handshake is a request of HTTP/1.1 or higher.',
    requirements: ['RFC6455-4.2.1-2', 'RFC6455-4.2.1-1'],
    isOrdinaryHttp: true,
    shape: { version: 'HTTP/1.0' },
  },
  {
    id: 'refuses-no-http-version',
    title: 'Leaves out the HTTP version.',
    rule: 'A handshake is a request of HTTP/1.1 or higher.',
    requirements: ['RFC6455-4.2.1-2', 'RFC6455-4.2.1-1'],
    shape: { edit: (head) => head.replace(' HTTP/1.1', '') },
  },
  {
    ...TARGET,
    id: 'refuses-a-target-without-slash',
    title: 'Asks for a target that does not begin with a slash.',
    shape: { target: (url) => `chat${requestTarget(url).slice(1)}` },
  },
  { ...TARGET, id: 'refuses-an-asterisk', title: 'Asks for the target "*".', shape: { target: () => '*' } },
  {
    ...TARGET,
    id: 'refuses-a-space-in-the-target',
    title: 'Asks for a target with a space in it.',
    shape: { target: (url) => `${requestTarget(url)} x` },
  },
  {
    ...HOST,
    id: 'refuses-no-host',
    title: 'Leaves out Host.',
    shape: { headers: having('Host', undefined) },
  },
  {
    ...HOST,
    id: 'refuses-two-hosts',
    title: 'Sends a second, different Host.',
    shape: { headers: adding('Host', 'other.example') },
  },
  {
    ...HOST,
    id: 'refuses-the-same-host-twice',
    title: 'Sends the same Host in two lines.',
    shape: { headers: (plain) => [...plain, ['Host', plain[0]![1]]] },
  },
  {
    ...UPGRADE,
    id: 'refuses-no-upgrade',
    title: 'Leaves out Upgrade.',
    shape: { headers: having('Upgrade', undefined) },
  },
  {
    ...UPGRADE,
    id: 'refuses-an-empty-upgrade',
    title: 'Sends Upgrade without a value.',
    shape: { headers: having('Upgrade', '') },
  },
  {
    ...UPGRADE,
    id: 'refuses-another-upgrade',
    title: 'Sends "Upgrade: h2c".',
    shape: { headers: having('Upgrade', 'h2c') },
  },
  {
    ...UPGRADE,
    id: 'refuses-a-longer-upgrade',
    title: 'Sends "Upgrade: websockets", of which websocket is a part.',
    shape: { headers: having('Upgrade', 'websockets') },
  },
  {
    ...CONNECTION,
    id: 'refuses-no-connection',
    title: 'Leaves out Connection.',
    shape: { headers: having('Connection', undefined) },
  },
  {
    ...CONNECTION,
    id: 'refuses-connection-without-upgrade',
    title: 'Sends "Connection: keep-alive".',
    shape: { headers: having('Connection', 'keep-alive') },
  },
  {
    ...CONNECTION,
    id: 'refuses-a-longer-connection',
    title: 'Sends "Connection: keep-alive, Upgraded", of which Upgrade is a part.',
    shape: { headers: having('Connection', 'keep-alive, Upgraded') },
  },
  {
    ...KEY,
    id: 'refuses-no-key',
    title: 'Leaves out Sec-WebSocket-Key.',
    shape: { headers: having('Sec-WebSocket-Key', undefined) },
  },
  {
    ...KEY,
    id: 'refuses-an-empty-key',
    title: 'Sends Sec-WebSocket-Key without a value.',
    shape: { key: '' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-of-15-bytes',
    title: 'Sends a key that stands for 15 bytes.',
    shape: { key: 'AAECAwQFBgcICQoLDA0O' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-of-17-bytes',
    title: 'Sends a key that stands for 17 bytes.',
    shape: { key: 'AAECAwQFBgcICQoLDA0ODxA=' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-of-18-bytes',
    title: 'Sends a key that stands for 18 bytes, which is as long as a right one.',
    shape: { key: 'AAECAwQFBgcICQoLDA0ODxAR' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-without-padding',
    title: 'Sends a key without its two equals signs.',
    shape: { key: 'AAECAwQFBgcICQoLDA0ODw' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-that-is-not-base64',
    title: 'Sends a key of the right length with characters that base64 does not have.',
    shape: { key: '!AECAwQFBgcICQoLDA0OD*==' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-in-base64url',
    title: 'Sends a key with - and _, which stand in base64url only.',
    shape: { key: '-_ECAwQFBgcICQoLDA0ODw==' },
  },
  {
    ...KEY,
    id: 'refuses-a-key-with-a-space',
    title: 'Sends a key with a space in it.',
    shape: { key: 'AAECAwQFBgcI CQoLDA0ODw==' },
  },
  {
    id: 'refuses-the-same-key-twice',
    title: 'Sends the same Sec-WebSocket-Key in two lines.',
    rule: 'Sec-WebSocket-Key stands in a request once.',
    requirements: ['RFC6455-4.2.1-6', 'RFC6455-4.2.1-1'],
    shape: { headers: (plain, key) => [...plain, ['Sec-WebSocket-Key', key]] },
  },
  {
    id: 'refuses-two-keys',
    title: 'Sends two different keys, each in a line of its own.',
    rule: 'Sec-WebSocket-Key stands in a request once.',
    requirements: ['RFC6455-4.2.1-6', 'RFC6455-4.2.1-1'],
    shape: { headers: adding('Sec-WebSocket-Key', 'AAECAwQFBgcICQoLDA0ODw==') },
  },
  {
    ...SYNTAX,
    id: 'refuses-a-space-before-a-colon',
    title: 'Sends "Upgrade : websocket", with a space before the colon.',
    shape: { edit: (head) => head.replace('Upgrade: ', 'Upgrade : ') },
  },
  {
    ...SYNTAX,
    id: 'refuses-a-line-without-colon',
    title: 'Sends a line among the header fields that has no colon.',
    shape: { edit: (head) => head.replace('Connection: ', 'nonsense\r\nConnection: ') },
  },
  {
    ...SYNTAX,
    id: 'refuses-a-space-in-a-name',
    title: 'Sends a header field with a space in its name.',
    shape: { headers: adding('X Unknown', '1') },
  },
  {
    ...SYNTAX,
    id: 'refuses-a-nul-byte',
    title: 'Sends a header field with a NUL byte in its value.',
    shape: { headers: adding('X-Unknown', 'a\0b') },
  },
];

/** Versions that could be one, and which the server does not have. */
const OTHER_VERSIONS = ['0', '12', '14', '25', '255'];

/** Values that are no version at all. */
const NO_VERSIONS: readonly (readonly [id: string, value: string, what: string])[] = [
  ['refuses-an-empty-version', '', 'Sends Sec-WebSocket-Version without a value.'],
  ['refuses-a-leading-zero', '013', 'Sends version 013, with a leading zero.'],
  ['refuses-a-plus-sign', '+13', 'Sends version +13.'],
  ['refuses-a-decimal-point', '13.0', 'Sends version 13.0.'],
  ['refuses-a-hexadecimal-version', '0xd', 'Sends version 0xd, which is 13 in hexadecimal.'],
  ['refuses-a-list-of-versions', '13, 13', 'Sends version "13, 13".'],
  ['refuses-a-choice-of-versions', '25, 13', 'Sends version "25, 13", as if a client could offer several.'],
  ['refuses-a-version-above-255', '269', 'Sends version 269, which is 13 if only eight bits are looked at.'],
  ['refuses-a-word-as-version', 'thirteen', 'Sends version "thirteen".'],
];

/** What a response to a version that the server does not have has to say (§4.4). */
function judgeVersions(response: ResponseHead): Judgement | undefined {
  const field = headerOf(response, 'sec-websocket-version');
  const status = `The server answered ${response.statusCode}`;
  if (field === undefined) return verdict('FAILED', `${status} without Sec-WebSocket-Version.`);
  const versions = splitList(field);
  const wrong = versions.find((version) => !/^(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])$/.test(version));
  if (wrong !== undefined) return verdict('FAILED', `${status}, and ${quote(wrong)} is no version.`);
  if (!versions.includes('13'))
    return verdict('FAILED', `${status}, and Sec-WebSocket-Version is ${quote(field)}, without 13.`);
  return undefined;
}

/** RFC 9110 §15.5.22: 426 names in Upgrade what to upgrade to. */
function judgeUpgradeRequired(response: ResponseHead): Judgement | undefined {
  if (response.statusCode !== 426 || linesOf(response, 'upgrade').length > 0) return undefined;
  return verdict('NON-STRICT', 'The server answered 426 without Upgrade, which belongs to that status.');
}

export const REFUSED_CASES: readonly ConformanceCase[] = [
  ...ROWS.map(({ shape, isOrdinaryHttp = false, ...facts }) =>
    refusedCase({ section: READING, ...facts }, shape, { isOrdinaryHttp }),
  ),
  refusedCase(
    {
      id: 'refuses-no-version',
      title: 'Leaves out Sec-WebSocket-Version.',
      rule: 'A request says which version of the protocol it is about.',
      section: READING,
      requirements: ['RFC6455-4.2.1-7', 'RFC6455-4.2.1-1'],
    },
    { headers: having('Sec-WebSocket-Version', undefined) },
  ),
  ...OTHER_VERSIONS.map((version) =>
    refusedCase(
      {
        id: `refuses-version-${version}`,
        title: `Asks for version ${version} of the protocol.`,
        rule: 'To a version that it does not have, a server answers with an HTTP error, and with all versions that it has, in one line or several.',
        section: 'RFC 6455 §4.2.2, §4.4',
        requirements: ['RFC6455-4.2.1-7', 'RFC6455-4.2.2-7', 'RFC6455-4.4-1', 'RFC6455-11.3.5-1'],
        expectation:
          'The server answers with an error, such as 426 or 400, and Sec-WebSocket-Version has 13.',
      },
      { headers: having('Sec-WebSocket-Version', version) },
      { alsoCheck: judgeVersions },
    ),
  ),
  ...NO_VERSIONS.map(([id, value, title]) =>
    refusedCase(
      {
        id,
        title,
        rule: 'The version is a number from 0 to 255 without leading zeros, and it is 13.',
        section: 'RFC 6455 §4.2.1, §4.3',
        requirements: ['RFC6455-4.2.1-7', 'RFC6455-4.3-2'],
      },
      { headers: having('Sec-WebSocket-Version', value) },
    ),
  ),
  refusedCase(
    {
      id: 'refuses-the-same-version-twice',
      title: 'Sends "Sec-WebSocket-Version: 13" in two lines.',
      rule: 'Sec-WebSocket-Version stands in a request once.',
      section: 'RFC 6455 §4.2.1, §11.3.5',
      requirements: ['RFC6455-4.2.1-7', 'RFC6455-4.2.1-1'],
    },
    { headers: adding('Sec-WebSocket-Version', '13') },
  ),
  refusedCase(
    {
      id: 'refuses-a-plain-get',
      title: 'Sends a GET request that has nothing of WebSocket, as a browser does for a page.',
      rule: 'A request that asks for no upgrade gets none; a 426 says in Upgrade what is required.',
      section: READING,
      requirements: ['RFC6455-4.2.1-1', 'RFC6455-4.2.1-4'],
    },
    { headers: ([host]) => [host!, ['Accept', '*/*']] },
    { isOrdinaryHttp: true, alsoCheck: judgeUpgradeRequired },
  ),
];
