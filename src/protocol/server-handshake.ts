// The opening handshake as a server sees it (RFC 6455 §4.2): checks a request, builds the response that accepts or
// refuses it. Order, statuses and texts are those of npm `ws`; what only the RFC asks for is checked behind them.
// Subprotocols are in `subprotocol.ts`; the negotiation of extensions is not looked into here.

import { isFieldValue, isToken, listHasToken } from '../wire/http-grammar.js';
import { isValidKey } from './accept-key.js';
import { parseSubprotocols } from './subprotocol.js';

/** The part of a request that a handshake is made of; an `http.IncomingMessage` is one. */
export interface HandshakeRequest {
  method?: string | undefined;
  url?: string | undefined;
  httpVersion?: string | undefined;
  /** By lower-case name. Any may be missing, even where HTTP asks for it: Node.js drops fields above its limit. */
  headers: Record<string, string | string[] | undefined>;
  rawHeaders?: readonly string[] | undefined;
}

export type ExtraHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Why a handshake is refused, and what the client is told. */
export interface Rejection {
  ok: false;
  status: number;
  /** The body of the response; by default the status's reason phrase. */
  message?: string;
  headers?: ExtraHeaders;
}

export interface AcceptedRequest {
  ok: true;
  key: string;
  version: 13 | 8;
  origin: string | undefined;
}

/** Refusal for a Sec-WebSocket-Extensions header that breaks the grammar, or offers nothing that can be accepted. */
export const UNACCEPTABLE_EXTENSIONS: Rejection = rejection(
  400,
  'Invalid or unacceptable Sec-WebSocket-Extensions header',
);

export function rejection(status: number, message?: string, headers?: ExtraHeaders): Rejection {
  return { ok: false, status, ...(message !== undefined && { message }), ...(headers && { headers }) };
}

/** Checks that a request is an opening handshake, all but its subprotocols and extensions. */
export function checkRequest(request: HandshakeRequest): AcceptedRequest | Rejection {
  // [RFC6455-4.2.1-9] Fields are found by name: others do not matter, nor does their order.
  const { headers } = request;
  // [RFC6455-4.2.1-2] The method is GET.
  if (request.method !== 'GET') return rejection(405, 'Invalid HTTP method');
  // [RFC6455-4.2.1-4] Upgrade is "websocket", in whatever case.
  if (text(headers.upgrade)?.toLowerCase() !== 'websocket') return rejection(400, 'Invalid Upgrade header');
  // [RFC6455-4.2.1-6] The key stands for 16 bytes.
  const key = text(headers['sec-websocket-key']);
  if (key === undefined || !isValidKey(key)) {
    return rejection(400, 'Missing or invalid Sec-WebSocket-Key header');
  }
  // [RFC6455-4.2.1-7] The version is 13; 8 is the last draft, the same on the wire but for the name of Origin.
  // STRICTER: [RFC6455-4.3-2] compared as text: '013' and '0xd' are not versions, and [RFC6455-11.3.5-2] a repeated
  // header, joined to '13, 13', is not one either.
  const version = text(headers['sec-websocket-version']);
  if (version !== '13' && version !== '8') {
    // [RFC6455-4.2.2-7] [RFC6455-4.4-1] The refusal lists every version that would be accepted.
    return rejection(400, 'Missing or invalid Sec-WebSocket-Version header', {
      'Sec-WebSocket-Version': '13, 8',
    });
  }
  return (
    checkHttp(request) ?? {
      ok: true,
      key,
      version: version === '13' ? 13 : 8,
      origin: text(headers[version === '13' ? 'origin' : 'sec-websocket-origin']),
    }
  );
}

/** STRICTER: what the RFC asks of the HTTP around the handshake. `ws` leaves it to Node.js, which lets all of it pass. */
function checkHttp({ url, httpVersion, headers, rawHeaders }: HandshakeRequest): Rejection | undefined {
  // A request without raw fields was not read from a connection: an application made it, to inject a connection.
  if (rawHeaders === undefined || rawHeaders.length === 0) return undefined;
  // [RFC6455-4.2.1-2] The HTTP version is 1.1 or higher.
  if (httpVersion !== undefined && !(Number(httpVersion) >= 1.1)) {
    return rejection(400, 'HTTP version must be 1.1 or higher');
  }
  // [RFC6455-4.2.1-2] The target is a resource name, or an absolute URI that has one.
  if (url !== undefined && !/^(?:\/|https?:\/\/)/i.test(url)) return rejection(400, 'Invalid request target');
  // [RFC6455-4.2.1-3] There is a Host, and only one: a second could have led a proxy elsewhere.
  if (headers.host === undefined || occurrences(rawHeaders, 'host') > 1) {
    return rejection(400, 'Missing or duplicate Host header');
  }
  // [RFC6455-4.2.1-5] Connection has the token "upgrade", in whatever case.
  if (!listHasToken(text(headers.connection) ?? '', 'upgrade')) {
    return rejection(400, 'Invalid Connection header');
  }
  return undefined;
}

/** Reads the subprotocols that a request offers; none when the header is missing. */
export function checkSubprotocols(request: HandshakeRequest): { ok: true; offer: Set<string> } | Rejection {
  const header = text(request.headers['sec-websocket-protocol']);
  if (header === undefined) return { ok: true, offer: new Set() };
  try {
    return { ok: true, offer: parseSubprotocols(header) };
  } catch {
    return rejection(400, 'Invalid Sec-WebSocket-Protocol header');
  }
}

/**
 * Builds the response that accepts a handshake, as lines without their ends; an application may add more.
 *
 * @param accept answers the key, see `acceptKey`
 * @param extensions value of Sec-WebSocket-Extensions: only what the client has offered [RFC6455-4.2.2-13]
 */
export function buildResponse(accept: string, subprotocol?: string, extensions?: string): string[] {
  const lines = [
    'HTTP/1.1 101 Switching Protocols', // [RFC6455-4.2.2-15]
    'Upgrade: websocket', // [RFC6455-4.2.2-16]
    'Connection: Upgrade', // [RFC6455-4.2.2-17]
    `Sec-WebSocket-Accept: ${accept}`, // [RFC6455-4.2.2-18] [RFC6455-11.3.3-1]
  ];
  // [RFC6455-4.2.2-19] [RFC6455-4.2.2-10] [RFC6455-4.2.2-11] Both are left out where nothing was agreed, and stand once
  // [RFC6455-11.3.2-2] where something was; [RFC7692-5-7] the extension by its name.
  if (subprotocol) lines.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
  if (extensions) lines.push(`Sec-WebSocket-Extensions: ${extensions}`);
  return lines;
}

/**
 * Joins the lines of a response, behind which frames may follow at once [RFC6455-4.2.2-20].
 *
 * @throws TypeError when a line that was added is not one header field
 */
export function serializeResponse(lines: readonly string[]): string {
  for (let index = 1; index < lines.length; index++) checkLine(String(lines[index]));
  // [RFC6455-4.2.2-14] A valid response: each line has its end, and an empty one follows.
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Writes the whole response that refuses a handshake, body included; the connection is closed behind it
 * [RFC6455-4.2.1-1], so that no proxy takes what follows for another message.
 *
 * @param reasonPhrases texts of status codes, such as `http.STATUS_CODES`
 * @returns text to be sent as UTF-8
 * @throws TypeError when a status or header that an application gave cannot stand in a response
 */
export function serializeRejection(
  { status, message, headers }: Omit<Rejection, 'ok'>,
  reasonPhrases: Readonly<Record<number, string | undefined>>,
): string {
  if (!/^[1-9][0-9][0-9]$/.test(String(status)))
    throw new TypeError(`Invalid status code: ${String(status)}`);
  const reason = reasonPhrases[status] ?? '';
  const body = message || reason;
  const fields = new Map<string, [name: string, value: unknown]>();
  const all = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': new TextEncoder().encode(body).length,
    ...headers,
  };
  // DIFFERS(ws): a header that is given in another case replaces the one above, as names are compared without case.
  for (const [name, value] of Object.entries(all)) {
    if (value !== undefined) fields.set(name.toLowerCase(), [name, value]);
  }

  const lines = [`HTTP/1.1 ${status} ${reason}`];
  for (const [name, value] of fields.values()) {
    // DIFFERS(ws): an array is as many headers, as in `node:http`, which Set-Cookie needs.
    for (const item of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${item}`);
  }
  return serializeResponse(lines) + body;
}

/** STRICTER: what an application adds must not end its line or the head, and so forge headers, frames or messages. */
function checkLine(line: string): void {
  const colon = Math.max(0, line.indexOf(':'));
  if (!isToken(line.slice(0, colon)) || !isFieldValue(line.slice(colon + 1))) {
    throw new TypeError(`Not a header field: ${JSON.stringify(line)}`);
  }
}

function occurrences(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const other = rawHeaders[at]!;
    if (other.length === name.length && other.toLowerCase() === name) count++;
  }
  return count;
}

/** The text of a field: a request that an application made may hold numbers. */
function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}
