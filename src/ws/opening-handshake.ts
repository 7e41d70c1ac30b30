// A client's opening handshake (RFC 6455 §4.1) over `node:http` and `node:https`, because users bring agents, proxies and
// TLS options for those: the request, redirects, what the response means, and giving up. The rules themselves are in
// `protocol/client-handshake.ts`.

import type { EventEmitter } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { Duplex } from 'node:stream';
import * as tls from 'node:tls';
import { randomKey, sha1Base64 } from '../io/handshake-crypto.js';
import { acceptKey } from '../protocol/accept-key.js';
import {
  buildRequestHeaders,
  checkProtocolVersion,
  checkResponse,
  parseWebSocketUrl,
  type WebSocketAddress,
} from '../protocol/client-handshake.js';
import { LIMITS } from '../protocol/limits.js';
import { checkSubprotocolOffer } from '../protocol/subprotocol.js';
import { formatExtensions, parseExtensions } from '../wire/extension-header.js';
import { CONNECTING, type ReadyState } from './constants.js';
import type { SocketOptions } from './options.js';
import { PerMessageDeflate, type PerMessageDeflateOptions } from './permessage-deflate.js';

/** The WebSocket object, as far as its opening handshake is concerned. */
export interface OpeningWebSocket extends EventEmitter {
  readonly readyState: ReadyState;
  _url: string | undefined;
  _req: http.ClientRequest | null;
  _protocol: string;
  _extensions: Record<string, PerMessageDeflate | undefined>;
  _redirects: number;
  _originalIpc: boolean;
  _originalSecure: boolean;
  _originalHostOrSocketPath: string | undefined;
  setSocket(socket: Duplex, head: Uint8Array, options: SocketOptions): void;
  emitClose(): void;
  _emitError(error: Error): void;
  _startClosing(): void;
}

/** Options of a client; what is not named here goes to `http.request` or `https.request`. */
export interface ClientOptions extends SocketOptions, https.RequestOptions {
  finishRequest?: ((request: http.ClientRequest, webSocket: OpeningWebSocket) => void) | undefined;
  followRedirects?: boolean | undefined;
  handshakeTimeout?: number | undefined;
  maxRedirects?: number | undefined;
  origin?: string | undefined;
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  protocols?: string | string[] | undefined;
  protocolVersion?: 13 | 8 | undefined;
}

/** One attempt: the first request, or one that a redirect led to. */
interface Attempt {
  address: WebSocketAddress;
  /** What the user gave, headers in lower case where redirects are followed. */
  options: ClientOptions;
  protocols: unknown;
  subprotocols: Set<string>;
  key: string;
  deflate: PerMessageDeflate | undefined;
  extensions: string | undefined;
}

const EXTENSION = PerMessageDeflate.extensionName;
const aborted = new WeakSet<http.ClientRequest>();

/**
 * Sends the request, and follows it to its end: 'open', or 'error' and 'close'.
 *
 * @throws SyntaxError, RangeError for arguments that no request can be made from; never later
 */
export function startOpeningHandshake(
  webSocket: OpeningWebSocket,
  url: string | URL,
  protocols: unknown,
  options: ClientOptions,
): void {
  const { protocolVersion: version = 13 } = options;
  checkProtocolVersion(version);
  const address = parseWebSocketUrl(url);
  webSocket._url = address.url;
  const offered = protocols === undefined ? options.protocols : protocols;
  const deflate =
    'perMessageDeflate' in options && !options.perMessageDeflate
      ? undefined
      : new PerMessageDeflate({
          ...(typeof options.perMessageDeflate === 'object' ? options.perMessageDeflate : {}),
          isServer: false,
          maxPayload: options.maxPayload,
        });
  const attempt: Attempt = {
    address,
    options,
    protocols,
    subprotocols: offered === undefined ? new Set() : checkSubprotocolOffer(offered),
    key: randomKey(),
    deflate,
    extensions: deflate && formatExtensions({ [EXTENSION]: deflate.offer() }),
  };
  request(webSocket, attempt, version);
}

/** Gives up a handshake that is under way: 'error' with the message, then 'close'. */
export function abortOpeningHandshake(webSocket: OpeningWebSocket, message: string): void {
  webSocket._startClosing();
  const request = webSocket._req;
  if (request !== null) {
    aborted.add(request);
    request.destroy();
    // A socket that an agent keeps for others, or that is still on its way, goes as well.
    request.socket?.destroy();
  }
  process.nextTick(failHandshake, webSocket, new Error(message));
}

function failHandshake(webSocket: OpeningWebSocket, error: Error): void {
  webSocket._startClosing();
  webSocket._emitError(error);
  webSocket.emitClose();
}

function request(webSocket: OpeningWebSocket, attempt: Attempt, version: 13 | 8): void {
  const { address } = attempt;
  const settings = requestOptions(attempt, version);
  if (attempt.options.followRedirects) guardCredentials(webSocket, attempt, settings);
  // [RFC6455-4.1-2] [RFC6455-4.1-15] Connects, and sends the request as soon as that is done; [RFC6455-4.1-16] Node.js
  // writes it, and throws at what cannot stand in one.
  const req = address.isSecure ? https.request(settings) : http.request(settings);
  webSocket._req = req;
  if (webSocket._redirects > 0) webSocket.emit('redirect', webSocket._url, req);

  const { handshakeTimeout } = attempt.options;
  if (handshakeTimeout) {
    // Over the whole attempt, so that a server cannot hold it up with a byte now and then.
    const timer = setTimeout(() => {
      if (webSocket._req === req) abortOpeningHandshake(webSocket, 'Opening handshake has timed out');
    }, handshakeTimeout);
    req.once('close', () => clearTimeout(timer));
  }
  // [RFC6455-4.1-10] [RFC6455-4.1-12] [RFC6455-7.2.1-1] No TCP connection, or no TLS on it that can be trusted.
  req.on('error', (error) => {
    if (webSocket._req !== req || aborted.has(req)) return;
    webSocket._req = null;
    failHandshake(webSocket, error);
  });
  req.on('response', (response) => onResponse(webSocket, attempt, req, response));
  req.on('upgrade', (response, socket, head) => onUpgrade(webSocket, attempt, response, socket, head));

  if (attempt.options.finishRequest) attempt.options.finishRequest(req, webSocket);
  else req.end();
}

function requestOptions(
  { address, options, subprotocols, key, extensions }: Attempt,
  version: 13 | 8,
): https.RequestOptions {
  return {
    // [RFC6455-4.1-7] Among them the `agent` that knows a proxy, if there is one.
    ...options,
    // Where to connect to is the URL's to say.
    protocol: undefined,
    hostname: undefined,
    method: 'GET', // [RFC6455-4.1-17]
    host: address.host,
    port: address.port,
    // [RFC6455-4.1-19] Node.js writes Host, with the port unless it is this one.
    defaultPort: address.isSecure ? 443 : 80,
    path: address.path, // [RFC6455-4.1-18]
    socketPath: address.socketPath,
    timeout: undefined,
    auth: address.auth ?? options.auth,
    headers: buildRequestHeaders(
      { key, version, subprotocols, extensions, origin: options.origin },
      options.headers as Record<string, unknown>,
    ) as http.OutgoingHttpHeaders,
    createConnection: options.createConnection ?? (address.isSecure ? connectTls : connectTcp),
  };
}

/** [RFC6455-4.1-8] Straight to the host, unless an agent knows another way. */
function connectTcp(options: http.ClientRequestArgs): net.Socket {
  return net.connect({ ...options, path: options.socketPath } as net.NetConnectOpts);
}

/** [RFC6455-4.1-11] [RFC6455-4.1-13] [RFC6455-10.6-1] TLS comes first, and everything goes through it. */
function connectTls(options: https.RequestOptions): tls.TLSSocket {
  const host = options.host ?? '';
  return tls.connect({
    ...options,
    path: options.socketPath,
    // [RFC6455-4.1-14] SNI, which RFC 6066 has for names only; an empty string switches it off.
    servername: options.servername ?? (net.isIP(host) ? '' : host),
  } as tls.ConnectionOptions);
}

/**
 * Keeps credentials from leaking where a redirect leads to another host, or from wss to ws. With a 'redirect' listener
 * the decision is the user's.
 */
function guardCredentials(
  webSocket: OpeningWebSocket,
  attempt: Attempt,
  settings: https.RequestOptions,
): void {
  const { address } = attempt;
  const isIpc = address.socketPath !== undefined;
  const place = isIpc ? address.socketPath : new URL(address.url).host;
  const headers = settings.headers as http.OutgoingHttpHeaders;
  if (webSocket._redirects === 0) {
    webSocket._originalIpc = isIpc;
    webSocket._originalSecure = address.isSecure;
    webSocket._originalHostOrSocketPath = place;
    // Lower case, so that the fields can be found again; and a copy, so that the user's object stays as it is.
    const own = Object.entries(attempt.options.headers ?? {}).map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    attempt.options = { ...attempt.options, headers: Object.fromEntries(own) };
  } else if (webSocket.listenerCount('redirect') === 0) {
    const isSamePlace = webSocket._originalIpc === isIpc && webSocket._originalHostOrSocketPath === place;
    if (!isSamePlace || (webSocket._originalSecure && !address.isSecure)) {
      delete headers.authorization;
      delete headers.cookie;
      if (!isSamePlace) delete headers.host;
      settings.auth = undefined;
    }
  }
  // `http` makes the header for this request only; the next one may need it too.
  const own = attempt.options.headers as http.OutgoingHttpHeaders;
  if (settings.auth && !own.authorization) {
    own.authorization = `Basic ${Buffer.from(settings.auth).toString('base64')}`;
  }
}

/** [RFC6455-4.1-35] Anything but 101 is HTTP's affair. */
function onResponse(
  webSocket: OpeningWebSocket,
  { address, options, protocols }: Attempt,
  req: http.ClientRequest,
  response: http.IncomingMessage,
): void {
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (location && options.followRedirects && status >= 300 && status < 400) {
    if (++webSocket._redirects > (options.maxRedirects ?? 10)) {
      abortOpeningHandshake(webSocket, 'Maximum redirects exceeded');
      return;
    }
    aborted.add(req);
    req.destroy();
    try {
      startOpeningHandshake(webSocket, resolveLocation(location, address.url), protocols, options);
    } catch (error) {
      failHandshake(webSocket, error as Error);
    }
  } else if (!webSocket.emit('unexpected-response', req, response)) {
    abortOpeningHandshake(webSocket, `Unexpected server response: ${status}`);
  }
}

function resolveLocation(location: string, base: string): URL {
  try {
    return new URL(location, base);
  } catch {
    throw new SyntaxError(`Invalid URL: ${location}`);
  }
}

function onUpgrade(
  webSocket: OpeningWebSocket,
  attempt: Attempt,
  response: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  webSocket.emit('upgrade', response);
  // The listener may have closed it.
  if (webSocket.readyState !== CONNECTING) return;
  webSocket._req = null;
  const verdict = checkResponse(response, acceptKey(attempt.key, sha1Base64), attempt);
  const fault = verdict.ok ? agreeOnExtensions(webSocket, attempt, verdict.extensions) : verdict.message;
  if (!verdict.ok || fault !== undefined) {
    // [RFC6455-4.1-41] [RFC6455-7.2.1-1] not a response to our request: the connection never opens
    webSocket._startClosing();
    socket.destroy();
    socket.on('error', () => {});
    socket.once('close', () => failHandshake(webSocket, new Error(fault)));
    return;
  }
  webSocket._protocol = verdict.subprotocol;
  const { options } = attempt;
  const { maxPayload = LIMITS.maxPayload } = options;
  webSocket.setSocket(socket, head, { ...options, maxPayload });
}

/** Takes up what the server accepted; returns what is wrong with it, if anything. */
function agreeOnExtensions(
  webSocket: OpeningWebSocket,
  { deflate }: Attempt,
  header: string | undefined,
): string | undefined {
  // [RFC6455-9.1-6] What was offered and not granted stays out of use.
  if (header === undefined || deflate === undefined) return undefined;
  try {
    const accepted = parseExtensions(header);
    const names = Object.keys(accepted);
    // [RFC6455-4.1-39] [RFC7692-5-15]
    if (names.length !== 1 || names[0] !== EXTENSION)
      return 'Server indicated an extension that was not requested';
    // [RFC7692-7-2]
    deflate.accept(accepted[EXTENSION]!);
  } catch {
    return 'Invalid Sec-WebSocket-Extensions header';
  }
  webSocket._extensions[EXTENSION] = deflate;
  return undefined;
}
