// The head of an HTTP/1.1 message: start line, header fields, empty line (RFC 9112 §2-§5), between bytes and values.
// It is strict where leniency has let messages be smuggled past proxies: bare CR or LF, folded lines, space before a
// colon and a second Host are errors. What the fields mean for a handshake is judged in `protocol/`.

import {
  CHARACTER_CLASS,
  isFieldValue,
  isToken,
  TARGET_CHARACTER,
  TOKEN_CHARACTER,
  VALUE_CHARACTER,
} from './http-grammar.js';

export interface HeadLimits {
  /** Size of the head in bytes, with its last line end. */
  maxHeadBytes: number;
  maxHeaderFields: number;
}

/** Turns bytes `start` to `end` into the characters U+0000 to U+00FF. A native one makes the parser faster. */
export type DecodeLatin1 = (bytes: Uint8Array, start: number, end: number) => string;

/** Header fields by lower-case name, without a prototype; only `set-cookie` is an array. */
export type HeaderFields = Record<string, string | string[] | undefined>;

interface Head {
  ok: true;
  /** For example '1.1'. */
  httpVersion: string;
  /** Names and values in turn, as they came. */
  rawHeaders: string[];
  /** Where the head ends and the next bytes of the connection start. */
  headLength: number;
}

/** A request of which nobody has asked for the fields by name: in most handshakes nobody ever does. */
export interface RawRequestHead extends Head {
  method: string;
  target: string;
}

export interface RequestHead extends RawRequestHead {
  headers: HeaderFields;
}

export interface ResponseHead extends Head {
  statusCode: number;
  statusMessage: string;
  headers: HeaderFields;
}

/** What is wrong with a head; `status` is the HTTP status with which a server answers such a request. */
export interface HeadError {
  ok: false;
  status: number;
  message: string;
}

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;

/**
 * Finds the empty line that ends a head. Lines that end in a bare LF count too, so that a head made of them is
 * refused by the parser and not waited for.
 *
 * @param searched how many bytes an earlier call has already gone through, so that trickled bytes cost linear time
 * @returns the length of the head, or -1 when the empty line has not arrived
 */
export function findHeadEnd(bytes: Uint8Array, searched = 0): number {
  // The last two bytes of an end are both CR or LF. So behind any other byte the next end is at least two bytes away,
  // and the search looks at every second byte of ordinary text.
  for (let at = Math.max(1, searched); at < bytes.length; ) {
    const byte = bytes[at]!;
    if (byte === LF && (bytes[at - 1] === LF || (bytes[at - 1] === CR && bytes[at - 2] === LF)))
      return at + 1;
    at += byte === LF || byte === CR ? 1 : 2;
  }
  return -1;
}

/**
 * Reads the head of a request from the front of `bytes`; what follows it is not looked at.
 *
 * @returns the head, what is wrong with it, or `undefined` when it is not complete yet
 */
export function parseRequestHead(
  bytes: Uint8Array,
  limits: HeadLimits,
  decodeLatin1: DecodeLatin1 = decodeByCharCode,
): RequestHead | HeadError | undefined {
  const head = parseRawRequestHead(bytes, limits, decodeLatin1);
  return head?.ok ? { ...head, headers: headersOf(head.rawHeaders) } : head;
}

/** The same without the object of fields, which costs as much as all the rest. */
export function parseRawRequestHead(
  bytes: Uint8Array,
  limits: HeadLimits,
  decodeLatin1: DecodeLatin1 = decodeByCharCode,
): RawRequestHead | HeadError | undefined {
  const end = completeHead(bytes, limits);
  if (typeof end !== 'number') return end;
  const text = decodeLatin1(bytes, 0, end);

  // RFC 9112 §2.2: an empty line in front of the request line is ignored.
  const start = bytes[0] === CR && bytes[1] === LF ? 2 : 0;
  const methodEnd = skip(bytes, start, TOKEN_CHARACTER);
  const targetEnd = skip(bytes, methodEnd + 1, TARGET_CHARACTER);
  const lineEnd = targetEnd + ' HTTP/1.1'.length;
  if (
    methodEnd === start ||
    bytes[methodEnd] !== SPACE ||
    targetEnd === methodEnd + 1 ||
    bytes[targetEnd] !== SPACE ||
    !isHttpVersion(text, targetEnd + 1) ||
    !isLineEnd(bytes, lineEnd)
  ) {
    return error(400, 'Invalid request line');
  }
  const head: RawRequestHead = {
    ok: true,
    method: text.slice(start, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    httpVersion: text.slice(lineEnd - 3, lineEnd),
    rawHeaders: [],
    headLength: end,
  };
  return parseHeaderFields(bytes, text, lineEnd + 2, head, limits) ?? checkHost(head) ?? head;
}

/** Reads the head of a response; the rest is as in {@link parseRequestHead}. */
export function parseResponseHead(
  bytes: Uint8Array,
  limits: HeadLimits,
  decodeLatin1: DecodeLatin1 = decodeByCharCode,
): ResponseHead | HeadError | undefined {
  const end = completeHead(bytes, limits);
  if (typeof end !== 'number') return end;
  const text = decodeLatin1(bytes, 0, end);

  const codeStart = 'HTTP/1.1 '.length;
  const codeEnd = codeStart + 3;
  const statusCode = threeDigits(bytes, codeStart);
  const lineEnd = skip(bytes, codeEnd, VALUE_CHARACTER);
  if (
    !isHttpVersion(text, 0) ||
    bytes[codeStart - 1] !== SPACE ||
    statusCode < 100 ||
    // LENIENT: without a reason phrase the space in front of it may be missing too.
    (lineEnd !== codeEnd && bytes[codeEnd] !== SPACE) ||
    !isLineEnd(bytes, lineEnd)
  ) {
    return error(400, 'Invalid status line');
  }
  const head = {
    ok: true as const,
    httpVersion: text.slice(5, 8),
    statusCode,
    statusMessage: text.slice(codeEnd + 1, lineEnd),
    rawHeaders: [],
    headLength: end,
  };
  const failure = parseHeaderFields(bytes, text, lineEnd + 2, head, limits);
  return failure ?? { ...head, headers: headersOf(head.rawHeaders) };
}

/**
 * Writes a head as text in which each character is one byte (latin1).
 *
 * @param startLine request line or status line, without its line end
 * @param rawHeaders names and values in turn
 * @throws TypeError when a part could not be read back as what it is, such as a value with a line break in it
 */
export function serializeHead(startLine: string, rawHeaders: readonly string[]): string {
  if (!isFieldValue(startLine)) throw new TypeError('The start line has an invalid character');
  let head = `${startLine}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    const value = rawHeaders[at + 1] ?? '';
    if (!isToken(name)) throw new TypeError(`Header name must be a token: ${JSON.stringify(name)}`);
    if (!isFieldValue(value)) throw new TypeError(`Invalid character in the value of the header "${name}"`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/** The length of the head that `bytes` starts with, unless it is incomplete, too large, or cannot be one. */
function completeHead(bytes: Uint8Array, limits: HeadLimits): number | HeadError | undefined {
  const end = findHeadEnd(bytes);
  if ((end === -1 ? bytes.length : end) > limits.maxHeadBytes) return error(431, 'Header section too large');
  if (end !== -1) return end;
  const first = bytes[0] ?? CR;
  // What does not even start like HTTP, such as TLS on a plain port, is refused at once.
  if (first !== CR && (CHARACTER_CLASS[first]! & TOKEN_CHARACTER) === 0)
    return error(400, 'Not an HTTP message');
  return undefined;
}

/** Reads the lines behind the start line into `head`; they end with an empty line, as `findHeadEnd` has seen to. */
function parseHeaderFields(
  bytes: Uint8Array,
  text: string,
  from: number,
  head: Head,
  limits: HeadLimits,
): HeadError | undefined {
  let at = from;
  while (!isLineEnd(bytes, at)) {
    const nameEnd = skip(bytes, at, TOKEN_CHARACTER);
    // RFC 9112 §5.1, §5.2: the colon follows the name directly, and no line starts with whitespace.
    if (nameEnd === at || bytes[nameEnd] !== COLON) return error(400, 'Invalid header name');
    let valueStart = nameEnd + 1;
    while (bytes[valueStart] === SPACE || bytes[valueStart] === TAB) valueStart++;
    const lineEnd = skip(bytes, valueStart, VALUE_CHARACTER);
    if (!isLineEnd(bytes, lineEnd)) return error(400, 'Invalid header value');
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB))
      valueEnd--;

    if (head.rawHeaders.length === 2 * limits.maxHeaderFields) return error(431, 'Too many header fields');
    head.rawHeaders.push(text.slice(at, nameEnd), text.slice(valueStart, valueEnd));
    at = lineEnd + 2;
  }
  return undefined;
}

function skip(bytes: Uint8Array, from: number, characterClass: number): number {
  let at = from;
  while (at < bytes.length && (CHARACTER_CLASS[bytes[at]!]! & characterClass) !== 0) at++;
  return at;
}

/** RFC 9112 §2.2: a line ends with CR LF, never with one of them alone. */
function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

/** [RFC6455-4.2.1-3] A request has exactly one Host; before HTTP/1.1 it could do without (RFC 9112 §3.2). */
function checkHost(head: RawRequestHead): HeadError | undefined {
  let count = 0;
  for (let at = 0; at < head.rawHeaders.length; at += 2) {
    const name = head.rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  if (count > 1) return error(400, 'Duplicate Host header');
  if (count === 0 && head.httpVersion !== '1.0') return error(400, 'Missing Host header');
  return undefined;
}

function isHttpVersion(text: string, at: number): boolean {
  // Another major version has another framing: HTTP/2 starts with `PRI * HTTP/2.0` (RFC 9113 §3.4).
  return text.startsWith('HTTP/1.', at) && (text[at + 7] === '1' || text[at + 7] === '0');
}

function threeDigits(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 3; i++) {
    const digit = bytes[i]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function error(status: number, message: string): HeadError {
  return { ok: false, status, message };
}

/** Fields of which `node:http` keeps the first when they are repeated; programs know `req.headers` from there. */
const FIRST_WINS = new Set(
  (
    'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since ' +
    'last-modified location max-forwards proxy-authorization referer retry-after server user-agent'
  ).split(' '),
);

/** The fields by name, as `node:http` has them. */
export function headersOf(rawHeaders: readonly string[]): HeaderFields {
  const headers: HeaderFields = Object.create(null);
  for (let at = 0; at < rawHeaders.length; at += 2) {
    addHeaderField(headers, lowerCaseName(rawHeaders[at]!), rawHeaders[at + 1]!);
  }
  return headers;
}

/** [RFC6455-4.1-42] Names are case-insensitive. */
export function lowerCaseName(name: string): string {
  return LOWER_CASE_NAMES.get(name) ?? name.toLowerCase();
}

/** Adds a field, its name in lower case. [RFC6455-9.1-3] [RFC6455-11.3.2-1] Repeated fields are one list. */
export function addHeaderField(headers: HeaderFields, name: string, value: string): void {
  const existing = headers[name];
  if (existing === undefined) headers[name] = name === 'set-cookie' ? [value] : value;
  else if (typeof existing === 'object') existing.push(value);
  else if (!FIRST_WINS.has(name)) headers[name] = existing + (name === 'cookie' ? '; ' : ', ') + value;
}

// Looking up a name that browsers and `node:http` send is cheaper than lower-casing it, and gives one string for all
// connections instead of one for each.
const LOWER_CASE_NAMES = new Map<string, string>();
for (const name of (
  'Host Connection Upgrade Origin Cookie User-Agent Pragma Cache-Control Accept Accept-Encoding Accept-Language ' +
  'Authorization Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Protocol Sec-WebSocket-Extensions ' +
  'Sec-WebSocket-Accept Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Content-Length Content-Type Date Server ' +
  'X-Forwarded-For X-Forwarded-Proto X-Real-IP'
).split(' ')) {
  LOWER_CASE_NAMES.set(name, name.toLowerCase());
  LOWER_CASE_NAMES.set(name.toLowerCase(), name.toLowerCase());
}

function decodeByCharCode(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  // In pieces, because the arguments of a call stand on the stack.
  for (let at = start; at < end; at += 4096) {
    text += String.fromCharCode.apply(
      null,
      bytes.subarray(at, Math.min(end, at + 4096)) as unknown as number[],
    );
  }
  return text;
}
