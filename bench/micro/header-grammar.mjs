// What an opening handshake costs in text: the head of a request, its lists and its extensions.
import { compare, explain, loadInsideWs, loadWire } from './suite.mjs';

const { isToken, listHasToken, splitList } = loadWire('http-grammar');
const { parseExtensions } = loadWire('extension-header');
const { findHeadEnd, parseRequestHead } = loadWire('http-head');
const extension = loadInsideWs('extension');

explain(
  'header-grammar',
  'hawser reads with one table of character classes and checks everything on the way. The others: regular expressions and\n' +
    'split(), which take some wrong input too; the parser of ws for Sec-WebSocket-Extensions.',
);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
for (const token of ['chat', 'permessage-deflate', 'a'.repeat(200)]) {
  await compare(`token of ${token.length} characters`, 0, {
    isToken: () => isToken(token),
    'regular expression': () => TOKEN.test(token),
  });
}

const list = 'keep-alive, Upgrade';
await compare(`list: ${list}`, 0, {
  listHasToken: () => listHasToken(list, 'upgrade'),
  splitList: () => splitList(list),
  'split and trim': () => list.split(',').map((element) => element.trim()),
});

const offers = 'permessage-deflate; client_max_window_bits, permessage-deflate; server_max_window_bits="10"';
await compare('extensions of two offers', 0, {
  parseExtensions: () => parseExtensions(offers),
  'split and trim': () =>
    offers.split(',').map((offer) => offer.split(';').map((param) => param.trim().split('='))),
  'parser of ws': extension && (() => extension.parse(offers)),
});

const HEAD = Buffer.from(
  `${[
    'GET /chat?room=1 HTTP/1.1',
    'Host: server.example.com',
    'Connection: keep-alive, Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    'Origin: http://example.com',
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br',
    'Accept-Language: en-US,en;q=0.9',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ].join('\r\n')}\r\n\r\n`,
  'latin1',
);
const LIMITS = { maxHeadBytes: 16_384, maxHeaderFields: 100 };
const decodeNatively = (/** @type {any} */ bytes, /** @type {number} */ start, /** @type {number} */ end) =>
  bytes.latin1Slice(start, end);

/** Lines, and what is before and behind a colon. */
function splitHead() {
  const [requestLine = '', ...lines] = HEAD.toString('latin1').split('\r\n');
  const fields = lines.filter((line) => line !== '').map((line) => line.split(/:\s*/, 2));
  return [
    requestLine.split(' '),
    Object.fromEntries(fields.map(([name = '', value]) => [name.toLowerCase(), value])),
  ];
}

if (parseRequestHead(HEAD, LIMITS)?.ok !== true) throw new Error('the head was not understood');
await compare(`head of a browser's request, ${HEAD.length} B`, HEAD.length, {
  'parseRequestHead, native decoding': () => parseRequestHead(HEAD, LIMITS, decodeNatively),
  'parseRequestHead, plain': () => parseRequestHead(HEAD, LIMITS),
  'split and split again': splitHead,
});
await compare('the end of that head', HEAD.length, {
  findHeadEnd: () => findHeadEnd(HEAD),
  'indexOf of Buffer': () => HEAD.indexOf('\r\n\r\n'),
});
