// The opening handshake as a client sees it (RFC 6455 §3, §4.1): reads the URL, builds the headers of the request,
// checks the response. Order and texts are those of npm `ws`. Making the request, redirects and the negotiation of
// extensions are left to others.

import { listHasToken, trimWhitespace } from '../wire/http-grammar.js';
import { checkSubprotocolChoice } from './subprotocol.js';

/** Where a WebSocket URL leads. */
export interface WebSocketAddress {
  /** The URL in normal form, with the scheme ws, wss or ws+unix. */
  url: string;
  isSecure: boolean;
  /** Without the brackets of an IPv6 address; may be empty when there is a `socketPath`. */
  host: string;
  /** As written, or the default as a number. */
  port: string | number;
  /** The RFC's resource name: path and query. */
  path: string;
  /** Path of the unix domain socket. */
  socketPath?: string;
  /** User and password, decoded, for the Basic scheme. */
  auth?: string;
}

export interface RequestOffer {
  /** 16 random bytes in base64, new for each request [RFC6455-4.1-24]. */
  key: string;
  version: 13 | 8;
  subprotocols: ReadonlySet<string>;
  /** Value of Sec-WebSocket-Extensions. */
  extensions?: string | undefined;
  origin?: string | undefined;
}

/** The part of a response that a handshake is made of; an `http.IncomingMessage` is one. */
export interface HandshakeResponse {
  httpVersion?: string | undefined;
  headers: Record<string, string | string[] | undefined>;
}

export interface AcceptedResponse {
  ok: true;
  /** Empty when none was agreed. */
  subprotocol: string;
  /** Value of Sec-WebSocket-Extensions, still to be judged against the offer. */
  extensions: string | undefined;
}

export interface RefusedResponse {
  ok: false;
  message: string;
}

const SCHEMES = new Map([
  ['ws:', 'ws:'],
  ['wss:', 'wss:'],
  ['http:', 'ws:'],
  ['https:', 'wss:'],
  ['ws+unix:', 'ws+unix:'],
]);

/**
 * Reads the URL of a WebSocket. The schemes are ws, wss, http and https, which stand for ws and wss, and ws+unix,
 * whose path is that of the socket, then optionally a colon and the resource name.
 *
 * @param address text, or a URL object, which is not changed
 * @throws SyntaxError when it is not such a URL [RFC6455-4.1-3]
 */
export function parseWebSocketUrl(address: string | URL): WebSocketAddress {
  const url = parseUrl(String(address));
  // [RFC6455-3-2] Schemes come out of the URL parser in lower case.
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined) {
    throw new SyntaxError(
      'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"',
    );
  }
  const isUnix = scheme === 'ws+unix:';
  const target = url.pathname + url.search;
  const [socketPath, path] = isUnix ? splitAtColon(target) : [undefined, target];
  // STRICTER: also when only a resource name follows, as in 'ws+unix::/x', which would lead to TCP port 80.
  if (socketPath === '') throw new SyntaxError("The URL's pathname is empty");
  // [RFC6455-3-4] No fragment; [RFC6455-3-5] a '#' that is none arrives here as %23.
  if (url.hash !== '') throw new SyntaxError('The URL contains a fragment identifier');
  url.protocol = scheme;

  const isSecure = scheme === 'wss:';
  return {
    url: url.href,
    isSecure,
    host: url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname,
    // [RFC6455-3-1] The port is 80, or 443 for wss, unless the URL has another.
    port: url.port || (isSecure ? 443 : 80),
    // [RFC6455-3-3] The resource name starts with a slash.
    path: path.startsWith('/') ? path : `/${path}`,
    ...(socketPath !== undefined && { socketPath }),
    ...((url.username || url.password) && {
      auth: `${decodePercent(url.username)}:${decodePercent(url.password)}`,
    }),
  };
}

function parseUrl(address: string): URL {
  try {
    // [RFC6455-11.1.1-1] [RFC6455-11.1.1-2] It has ASCII only: IDNA for the host, percent-encoding for the rest.
    return new URL(address);
  } catch {
    throw new SyntaxError(`Invalid URL: ${address}`);
  }
}

function splitAtColon(text: string): [before: string, after: string] {
  const colon = text.indexOf(':');
  return colon === -1 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** Undoes percent-encoding of UTF-8. Unlike `decodeURIComponent` it leaves a lone % alone and replaces bad UTF-8. */
function decodePercent(text: string): string {
  // The URL parser has left ASCII only, so that each character is now one byte.
  const latin1 = text.replace(/%[0-9a-f]{2}/gi, (code) =>
    String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
  const bytes = Uint8Array.from(latin1, (character) => character.charCodeAt(0));
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** @throws RangeError unless `version` is one that a client can ask for */
export function checkProtocolVersion(version: unknown): asserts version is 13 | 8 {
  if (version === 13 || version === 8) return;
  throw new RangeError(`Unsupported protocol version: ${String(version)} (supported versions: 8, 13)`);
}

/**
 * Builds the header fields of the request. Host, which depends on the connection, is left to the sender.
 *
 * @param extra the application's fields [RFC6455-4.1-32]; they come first, and cannot replace those of the handshake
 */
export function buildRequestHeaders(
  { key, version, subprotocols, extensions, origin }: RequestOffer,
  extra?: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const headers: Record<string, unknown> = {
    ...extra,
    'Sec-WebSocket-Version': version, // [RFC6455-4.1-27]
    'Sec-WebSocket-Key': key, // [RFC6455-4.1-22]
    Connection: 'Upgrade', // [RFC6455-4.1-21]
    Upgrade: 'websocket', // [RFC6455-4.1-20]
  };
  // Optional: [RFC6455-4.1-31] [RFC6455-9-1] extensions, [RFC6455-4.1-28] subprotocols by preference,
  // [RFC6455-4.1-26] origin.
  if (extensions) headers['Sec-WebSocket-Extensions'] = extensions;
  if (subprotocols.size > 0) headers['Sec-WebSocket-Protocol'] = [...subprotocols].join(',');
  if (origin) headers[version === 13 ? 'Origin' : 'Sec-WebSocket-Origin'] = origin;
  return headers;
}

/**
 * Judges a response with status 101 [RFC6455-4.1-34].
 *
 * @param accept the value that Sec-WebSocket-Accept must have, see `acceptKey`
 */
export function checkResponse(
  { httpVersion, headers }: HandshakeResponse,
  accept: string,
  offer: Pick<RequestOffer, 'subprotocols' | 'extensions'>,
): AcceptedResponse | RefusedResponse {
  // STRICTER: [RFC6455-4.1-41] An HTTP/1.0 server cannot have switched protocols.
  if (httpVersion !== undefined && !(Number(httpVersion) >= 1.1)) return refused('Invalid HTTP version');
  // [RFC6455-4.1-36] Upgrade is "websocket", in whatever case.
  if (field(headers.upgrade)?.toLowerCase() !== 'websocket') return refused('Invalid Upgrade header');
  // STRICTER: [RFC6455-4.1-37] Connection has the token "upgrade".
  if (!listHasToken(field(headers.connection) ?? '', 'upgrade')) return refused('Invalid Connection header');
  // [RFC6455-4.1-38] The server has understood this very request. [RFC6455-11.3.3-1] A repeated header does not pass.
  if (trimWhitespace(field(headers['sec-websocket-accept']) ?? '') !== accept) {
    return refused('Invalid Sec-WebSocket-Accept header');
  }
  const subprotocol = field(headers['sec-websocket-protocol']);
  const fault = checkSubprotocolChoice(offer.subprotocols, subprotocol);
  if (fault !== undefined) return refused(fault);
  // [RFC6455-4.1-39] No extension unless asked for. Several headers are one list, by erratum 3433.
  const extensions = field(headers['sec-websocket-extensions']);
  if (extensions !== undefined && !offer.extensions) {
    return refused('Server sent a Sec-WebSocket-Extensions header but no extension was requested');
  }
  return { ok: true, subprotocol: subprotocol ?? '', extensions };
}

function field(value: string | string[] | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

function refused(message: string): RefusedResponse {
  return { ok: false, message };
}
