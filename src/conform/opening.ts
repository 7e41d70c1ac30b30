// The opening handshake as the tester plays it (RFC 6455 §4), from either end. The well-behaved one is `open()`; cases that
// are about the handshake itself build their own request or response from the parts here.

import { createHash, randomBytes } from 'node:crypto';
import { listHasToken, splitList } from '../wire/http-grammar.js';
import {
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
} from '../wire/http-head.js';
import type { Encounter } from './case.js';
import { acceptAnswer, acceptOffer, type DeflateProfile } from './deflate-session.js';
import type { RawConnection } from './raw-connection.js';
import { type MessageCodec, Tester, type TesterOptions } from './tester.js';

/** How long a peer may take for its half of the opening handshake. */
export const OPENING_LIMIT_MS = 5000;

const HEAD_LIMITS = { maxHeadBytes: 64 * 1024, maxHeaderFields: 1000 };
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The opening handshake did not come about; the message says how, as a sentence. */
export class OpeningFailed extends Error {
  override readonly name = 'OpeningFailed';
}

/** Names and values of header fields in turn, as they go onto the wire. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** 16 random bytes in base64 (§4.1). */
export function randomHandshakeKey(): string {
  return randomBytes(16).toString('base64');
}

/** The value of Sec-WebSocket-Accept that belongs to a key (§4.2.2). */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** The fields of a request that asks for nothing special, in the order that browsers have them. */
export function requestHeaders(url: URL, key: string): HeaderList {
  return [
    ['Host', url.host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', '13'],
  ];
}

/** The fields of a response that accepts `key` and nothing more. */
export function responseHeaders(key: string): HeaderList {
  return [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptFor(key)],
  ];
}

/** The list with one field changed: `undefined` takes it away. */
export function withHeader(headers: HeaderList, name: string, value: string | undefined): HeaderList {
  const others = headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
  return value === undefined ? others : [...others, [name, value]];
}

/** The bytes of a head. One character is one byte, and nothing is checked. */
export function headBytes(startLine: string, headers: HeaderList): Uint8Array {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`${startLine}\r\n${fields}\r\n`, 'latin1');
}

/** What a GET asks for: path and query. */
export function requestTarget(url: URL): string {
  return `${url.pathname}${url.search}`;
}

/** Sends bytes of the opening handshake, and notes them in the log. */
export async function sendHead(connection: RawConnection, bytes: Uint8Array): Promise<void> {
  connection.log.bytes('tester', bytes);
  await connection.write(bytes);
}

/**
 * Reads the response of a server.
 *
 * @throws OpeningFailed when none comes, or what comes is no HTTP response
 */
export async function readResponse(
  connection: RawConnection,
  limitMs = OPENING_LIMIT_MS,
): Promise<ResponseHead> {
  const bytes = await connection.readHead(limitMs);
  if (bytes === undefined) {
    if (connection.received.length > 0) connection.log.bytes('peer', connection.received);
    const what = connection.isOver
      ? 'the peer ended TCP'
      : `nothing complete came within ${limitMs / 1000} s`;
    throw new OpeningFailed(`No HTTP response: ${what}.`);
  }
  connection.log.bytes('peer', bytes);
  const head = parseResponseHead(bytes, HEAD_LIMITS);
  if (head === undefined || !head.ok)
    throw new OpeningFailed(`The response is not HTTP: ${head?.message ?? ''}.`);
  return head;
}

/**
 * Reads the request of a client under test, which has come already.
 *
 * @throws OpeningFailed when it is no HTTP request
 */
export function readRequest(connection: RawConnection): RequestHead {
  const bytes = connection.request?.head;
  if (bytes === undefined) throw new OpeningFailed('There is no request.');
  const head = parseRequestHead(bytes, HEAD_LIMITS);
  if (head === undefined || !head.ok)
    throw new OpeningFailed(`The request is not HTTP: ${head?.message ?? ''}.`);
  return head;
}

/** The one value of a field; undefined when it is absent. Set-Cookie has no place here. */
export function headerOf(head: { headers: RequestHead['headers'] }, name: string): string | undefined {
  const value = head.headers[name.toLowerCase()];
  return typeof value === 'string' ? value : undefined;
}

/** The values that a head has under a name in lower case, each line on its own. */
export function linesOf({ rawHeaders }: Pick<RequestHead, 'rawHeaders'>, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === name);
}

/** What is wrong with a response to `key`, or undefined (§4.1). */
export function faultOfResponse(response: ResponseHead, key: string): string | undefined {
  if (response.statusCode !== 101) return `The server answered with status ${response.statusCode}, not 101.`;
  const upgrade = headerOf(response, 'upgrade');
  if (upgrade?.toLowerCase() !== 'websocket') return `Upgrade is ${quote(upgrade)}, not websocket.`;
  const connection = headerOf(response, 'connection');
  if (!listHasToken(connection ?? '', 'upgrade'))
    return `Connection is ${quote(connection)}, without Upgrade.`;
  const accept = headerOf(response, 'sec-websocket-accept');
  if (accept !== acceptFor(key)) return `Sec-WebSocket-Accept is ${quote(accept)}, not ${acceptFor(key)}.`;
  return undefined;
}

export function quote(value: string | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}

export interface OpenOptions extends TesterOptions {
  /** Offers permessage-deflate, or accepts it, as that section of Autobahn's cases does. */
  deflate?: DeflateProfile;
  /** Sec-WebSocket-Protocol to offer to a server. */
  protocols?: string;
  /** Sec-WebSocket-Extensions to offer to a server, in place of `deflate`. */
  extensions?: string;
}

/** An established connection, and what was said to establish it. */
export interface Opened {
  tester: Tester;
  /** The server's response, be it the peer's or the tester's. */
  response: ResponseHead | undefined;
  request: RequestHead | undefined;
}

/**
 * Establishes a connection as a well-behaved endpoint.
 *
 * @throws OpeningFailed
 */
export async function open(encounter: Encounter, options: OpenOptions = {}): Promise<Opened> {
  const connection = await encounter.connect();
  return encounter.subject === 'server'
    ? openAsClient(connection, encounter, options)
    : openAsServer(connection, options);
}

async function openAsClient(
  connection: RawConnection,
  { url }: Encounter,
  options: OpenOptions,
): Promise<Opened> {
  const key = randomHandshakeKey();
  const extensions = options.extensions ?? options.deflate?.offer;
  let headers = requestHeaders(url, key);
  if (options.protocols !== undefined)
    headers = withHeader(headers, 'Sec-WebSocket-Protocol', options.protocols);
  if (extensions !== undefined) headers = withHeader(headers, 'Sec-WebSocket-Extensions', extensions);
  await sendHead(connection, headBytes(`GET ${requestTarget(url)} HTTP/1.1`, headers));
  const response = await readResponse(connection);
  const fault = faultOfResponse(response, key);
  if (fault !== undefined) throw new OpeningFailed(fault);
  const codec = codecOfAnswer(headerOf(response, 'sec-websocket-extensions'), extensions);
  return { tester: new Tester(connection, 'server', { ...options, codec }), response, request: undefined };
}

function codecOfAnswer(answer: string | undefined, offer: string | undefined): MessageCodec | undefined {
  if (answer === undefined) return undefined;
  // §4.1: an extension that was not offered fails the connection.
  if (offer === undefined)
    throw new OpeningFailed(`The server uses ${quote(answer)}, which was not offered.`);
  try {
    return acceptAnswer(answer);
  } catch (error) {
    throw new OpeningFailed(
      `The server's extensions ${quote(answer)} are wrong: ${(error as Error).message}.`,
    );
  }
}

async function openAsServer(connection: RawConnection, options: OpenOptions): Promise<Opened> {
  const request = readRequest(connection);
  // Of several keys the first one counts here: that there is one only is the matter of a case of its own.
  const key = headerOf(request, 'sec-websocket-key')?.split(', ')[0];
  if (key === undefined) throw new OpeningFailed('The request has no Sec-WebSocket-Key.');
  const offer = headerOf(request, 'sec-websocket-extensions');
  const accepted =
    options.deflate === undefined || offer === undefined ? undefined : acceptOffer(offer, options.deflate);
  let headers = responseHeaders(key);
  // Some clients take it as a failure when none of the subprotocols that they offer is chosen.
  const [protocol] = splitList(headerOf(request, 'sec-websocket-protocol') ?? '');
  if (protocol !== undefined) headers = withHeader(headers, 'Sec-WebSocket-Protocol', protocol);
  if (accepted !== undefined) headers = withHeader(headers, 'Sec-WebSocket-Extensions', accepted.answer);
  const tester = await acceptRequest(connection, headers, { ...options, codec: accepted?.codec });
  return { tester, response: undefined, request };
}

/** Answers the request of a client under test with 101 and these fields, right or wrong, and goes on in frames. */
export async function acceptRequest(
  connection: RawConnection,
  headers: HeaderList,
  options: TesterOptions = {},
): Promise<Tester> {
  await sendHead(connection, headBytes('HTTP/1.1 101 Switching Protocols', headers));
  return new Tester(connection, 'client', options);
}
