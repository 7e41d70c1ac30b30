// The opening handshakes of the peers (RFC 6455 §4): a server that echoes on a port of its own, and a client that comes to
// a ClientJudge for one case.

import { createHash, randomBytes } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { isToken, listHasToken, splitList } from '../../../src/wire/http-grammar.js';
import {
  findHeadEnd,
  parseRequestHead,
  parseResponseHead,
  type RequestHead,
  type ResponseHead,
} from '../../../src/wire/http-head.js';
import { type Check, type Conduct, type Head, rightConduct } from './conduct.js';
import { Peer } from './peer.js';
import { type Agreement, answerOffer, isExtensionList, readAnswer } from './peer-deflate.js';

/** Called for each connection: a conduct may remember things of one connection. */
export type Change = () => Partial<Conduct>;

const LIMITS = { maxHeadBytes: 16_384, maxHeaderFields: 200 };
const OPENING_LIMIT_MS = 8000;
const SUBPROTOCOLS = ['chat', 'superchat'];

const acceptFor = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** All lines of a field. */
function linesOf({ rawHeaders }: { rawHeaders: string[] }, name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]!.toLowerCase() === name);
}

const listOf = (head: { rawHeaders: string[] }, name: string): string | undefined =>
  linesOf(head, name).length === 0 ? undefined : linesOf(head, name).join(', ');

const bytesOf = ({ startLine, fields }: Head): Uint8Array =>
  Buffer.from(`${[startLine, ...fields.map((field) => field.join(': '))].join('\r\n')}\r\n\r\n`, 'latin1');

/** Collects bytes up to the end of a head; what comes behind it goes to what `onHead` returns, if it goes on. */
function readHead(socket: Socket, onHead: (bytes: Uint8Array) => Peer | undefined): void {
  let received: Uint8Array = new Uint8Array(0);
  let peer: Peer | undefined;
  let isOver = false;
  const timer = setTimeout(() => socket.destroy(), OPENING_LIMIT_MS);
  socket.on('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Uint8Array) => {
    if (peer !== undefined) return peer.receive(bytes);
    if (isOver) return;
    received = Buffer.concat([received, bytes]);
    let end = findHeadEnd(received);
    // RFC 9110 §15.2: interim responses are passed over.
    while (end !== -1 && /^HTTP\/1\.1 1(?!01)\d\d /.test(Buffer.from(received.subarray(0, 13)).toString())) {
      received = received.subarray(end);
      end = findHeadEnd(received);
    }
    if (end === -1 && received.length <= LIMITS.maxHeadBytes && received[0]! < 0x80) return;
    clearTimeout(timer);
    isOver = true;
    peer = onHead(received);
    if (end !== -1) peer?.receive(received.subarray(end));
  });
}

export interface EchoServer {
  url: URL;
  close(): Promise<void>;
}

export async function startServer(change: Change = () => ({})): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    const conduct = { ...rightConduct('server'), ...change() };
    readHead(socket, (bytes) => answerRequest(socket, bytes, conduct));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/echo`),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** §4.2 */
function answerRequest(socket: Socket, bytes: Uint8Array, conduct: Conduct): Peer | undefined {
  const request = parseRequestHead(conduct.overlooks.includes('host') ? withHost(bytes) : bytes, LIMITS);
  const status = request?.ok === true ? statusFor(request, conduct.overlooks) : 400;
  if (request?.ok !== true || status !== 101) {
    const refusal = conduct.head({
      startLine: `HTTP/1.1 ${status} ${status === 426 ? 'Upgrade Required' : 'Bad Request'}`,
      fields: [
        ...(status === 426
          ? ([
              ['Upgrade', 'websocket'],
              ['Sec-WebSocket-Version', '13'],
            ] as [string, string][])
          : []),
        ['Content-Length', '0'],
        ['Connection', 'close'],
      ],
    });
    socket.end(bytesOf(refusal));
    return undefined;
  }
  const [key = ''] = linesOf(request, 'sec-websocket-key');
  const fields: Head['fields'] = [
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Accept', acceptFor(key)],
  ];
  const subprotocol = conduct.subprotocol(splitList(listOf(request, 'sec-websocket-protocol') ?? ''));
  if (subprotocol !== undefined) fields.push(['Sec-WebSocket-Protocol', subprotocol]);
  const extension = answerOffer(conduct.heardExtensions(listOf(request, 'sec-websocket-extensions') ?? ''));
  if (extension !== undefined) fields.push(['Sec-WebSocket-Extensions', extension.answer]);
  socket.write(bytesOf(conduct.head({ startLine: 'HTTP/1.1 101 Switching Protocols', fields })));
  socket.write(conduct.behindHead);
  return new Peer(socket, 'server', conduct, extension?.agreement);
}

/** A server that does not miss Host: it behaves as if there were one. */
function withHost(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  return /\r\nhost:/i.test(text)
    ? bytes
    : Buffer.from(text.replace('\r\n', '\r\nHost: missing\r\n'), 'latin1');
}

/** §4.2.1 */
function statusFor(request: RequestHead, overlooks: readonly Check[]): 101 | 400 | 426 {
  const keys = linesOf(request, 'sec-websocket-key');
  const [version, ...versions] = linesOf(request, 'sec-websocket-version');
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(keys[0] ?? '');
  const faults: [Check, boolean][] = [
    ['method', request.method !== 'GET'],
    ['http-version', request.httpVersion !== '1.1'],
    ['request-upgrade', !listHasToken(listOf(request, 'upgrade') ?? '', 'websocket')],
    ['request-connection', !listHasToken(listOf(request, 'connection') ?? '', 'upgrade')],
    ['key', !isKey],
    ['one-key', keys.length > 1],
  ];
  const isRefused = faults.some(([check, isFault]) => isFault && !overlooks.includes(check));
  if (isRefused || !/^(?:\/|https?:\/\/)/.test(request.target) || !hasRightLists(request)) return 400;
  const isVersion = version === '13' && versions.length === 0;
  return isVersion || overlooks.includes('version') ? 101 : 426;
}

/** §4.3: subprotocols and extensions, where there are any, are lists with elements. */
function hasRightLists(request: RequestHead): boolean {
  const protocols = listOf(request, 'sec-websocket-protocol');
  const names = splitList(protocols ?? '');
  if (protocols !== undefined && (names.length === 0 || !names.every(isToken))) return false;
  const extensions = listOf(request, 'sec-websocket-extensions');
  return extensions === undefined || isExtensionList(extensions);
}

/** Comes to a ClientJudge for one case, and echoes. Resolves when the connection is over. */
export function runClient(url: URL, change: Change = () => ({})): Promise<void> {
  const conduct = { ...rightConduct('client'), ...change() };
  const socket = connect(Number(url.port), url.hostname);
  socket.setNoDelay(true);
  const key = randomBytes(16).toString('base64');
  const request = conduct.head({
    startLine: `GET ${url.pathname}${url.search} HTTP/1.1`,
    fields: [
      ['Host', url.host],
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Key', key],
      ['Sec-WebSocket-Version', '13'],
      ['Sec-WebSocket-Protocol', SUBPROTOCOLS.join(', ')],
      ...(conduct.offer === undefined
        ? []
        : [['Sec-WebSocket-Extensions', conduct.offer] as [string, string]]),
    ],
  });
  // A fault may have put another key into the request: the client expects the Accept that belongs to what it sent.
  const sentKey = request.fields.find(([name]) => name === 'Sec-WebSocket-Key')?.[1] ?? key;
  socket.write(Buffer.concat([bytesOf(request), conduct.behindHead]));
  readHead(socket, (bytes) => {
    const response = parseResponseHead(bytes, LIMITS);
    const agreed = response?.ok === true ? agreementOf(response, acceptFor(sentKey), conduct) : undefined;
    if (agreed === undefined) return void socket.destroy();
    return new Peer(socket, 'client', conduct, agreed.deflate);
  });
  socket.on('end', () => socket.end());
  return new Promise((resolve) => socket.on('close', () => resolve()));
}

/** §4.1: what a response comes to; undefined when it establishes no connection. */
function agreementOf(
  response: ResponseHead,
  accept: string,
  conduct: Conduct,
): { deflate: Agreement | undefined } | undefined {
  const overlooks = (check: Check): boolean => conduct.overlooks.includes(check);
  const only = (name: string): string | undefined => {
    const lines = linesOf(response, name);
    return lines.length === 1 ? lines[0] : undefined;
  };
  const protocols = linesOf(response, 'sec-websocket-protocol');
  const faults: [Check, boolean][] = [
    ['status', response.statusCode !== 101 || response.httpVersion !== '1.1'],
    ['upgrade', only('upgrade')?.toLowerCase() !== 'websocket'],
    ['connection', !listHasToken(listOf(response, 'connection') ?? '', 'upgrade')],
    ['accept', only('sec-websocket-accept') !== accept],
    ['subprotocol', protocols.length > 1 || protocols.some((name) => !SUBPROTOCOLS.includes(name))],
  ];
  if (faults.some(([check, isFault]) => isFault && !overlooks(check))) return undefined;
  const answer = listOf(response, 'sec-websocket-extensions');
  if (answer === undefined) return { deflate: undefined };
  const deflate =
    conduct.offer &&
    readAnswer(conduct.heardExtensions(answer), conduct.offer, overlooks('window-bits-of-answer'));
  if (!deflate) return overlooks('extension') ? { deflate: undefined } : undefined;
  return { deflate };
}
