// A client: every constructor form, option, attribute and method.
import { readFileSync } from 'node:fs';
import { Agent, type ClientRequest, type ClientRequestArgs, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import { URL } from 'node:url';
import { constants } from 'node:zlib';
import WebSocket, { type ClientOptions, type PerMessageDeflateOptions, type RawData } from 'ws';

const deflate: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 15,
  zlibDeflateOptions: {
    flush: constants.Z_SYNC_FLUSH,
    finishFlush: constants.Z_FINISH,
    chunkSize: 1024,
    windowBits: 15,
    level: 3,
    memLevel: 7,
    strategy: constants.Z_DEFAULT_STRATEGY,
    dictionary: Buffer.alloc(4),
    info: false,
  },
  zlibInflateOptions: { chunkSize: 10 * 1024 },
  threshold: 1024,
  concurrencyLimit: 10,
};

const options: ClientOptions = {
  protocol: 'ws:',
  followRedirects: true,
  generateMask(mask) {
    mask.fill(0);
  },
  handshakeTimeout: 1000,
  maxRedirects: 3,
  perMessageDeflate: deflate,
  localAddress: '127.0.0.1',
  protocolVersion: 13,
  headers: { 'X-Token': 'abc' },
  origin: 'http://127.0.0.1',
  agent: new Agent(),
  host: '127.0.0.1',
  family: 4,
  checkServerIdentity: (servername, cert) => servername.length > 0 && cert.length > 0,
  rejectUnauthorized: false,
  allowSynchronousEvents: false,
  autoPong: false,
  maxPayload: 1024,
  maxBufferedChunks: 0,
  maxFragments: 0,
  skipUTF8Validation: true,
  createConnection,
  finishRequest(request, websocket) {
    const url: string = websocket.url;
    request.setHeader('X-Url', url);
    request.end();
  },
  ca: readFileSync('ca.pem'),
  cert: 'pem',
  key: ['pem'],
  passphrase: 'secret',
};
const requestArgs: ClientRequestArgs = { auth: 'user:password', timeout: 5 };

export const sockets: WebSocket[] = [
  new WebSocket(null),
  new WebSocket('ws://127.0.0.1'),
  new WebSocket(new URL('ws://127.0.0.1')),
  new WebSocket('ws://127.0.0.1', options),
  new WebSocket('ws://127.0.0.1', requestArgs),
  new WebSocket('ws://127.0.0.1', { lookup: undefined, origin: 'http://[::1]' }),
  new WebSocket('ws://127.0.0.1', 'chat'),
  new WebSocket('ws://127.0.0.1', ['chat', 'superchat'], options),
  new WebSocket('ws://127.0.0.1', undefined, { perMessageDeflate: false }),
  new WebSocket('ws://127.0.0.1', [], requestArgs),
];

const socket = new WebSocket('wss://127.0.0.1', { perMessageDeflate: undefined, agent: undefined });

// Attributes and their types
const binaryType: 'nodebuffer' | 'arraybuffer' | 'fragments' = socket.binaryType;
socket.binaryType = 'nodebuffer';
socket.binaryType = 'arraybuffer';
socket.binaryType = 'fragments';
socket.binaryType = binaryType;
export function nameOf(socket: WebSocket): string {
  switch (socket.binaryType) {
    case 'nodebuffer':
    case 'arraybuffer':
    case 'fragments':
      return socket.binaryType;
    default: {
      const nothingElse: never = socket.binaryType;
      return nothingElse;
    }
  }
}
export const attributes: [number, string, boolean, string, string] = [
  socket.bufferedAmount,
  socket.extensions,
  socket.isPaused,
  socket.protocol,
  socket.url,
];
const state: 0 | 1 | 2 | 3 = socket.readyState;
export function stateName(): string {
  switch (state) {
    case WebSocket.CONNECTING:
      return 'connecting';
    case WebSocket.OPEN:
      return 'open';
    case WebSocket.CLOSING:
      return 'closing';
    case WebSocket.CLOSED:
      return 'closed';
  }
}
export const isOpen: boolean = socket.readyState === socket.OPEN || socket.readyState !== socket.CLOSED;
export const rest: [0, 2] = [socket.CONNECTING, socket.CLOSING];

// Everything that can be sent
const payloads = [
  '',
  5,
  Buffer.alloc(1),
  new Uint8Array(1),
  new Float64Array(1),
  new DataView(new ArrayBuffer(1)),
  new ArrayBuffer(1),
  new SharedArrayBuffer(1),
  new Blob(['x']),
  [1, 2, 3],
  { valueOf: () => 'text' },
  { valueOf: () => new Uint8Array(1) },
  { [Symbol.toPrimitive]: (_hint: string) => 'text' },
] as const;
for (const payload of payloads) socket.send(payload);
socket.send('text', (error) => {
  const reported: Error | undefined = error;
  if (error) throw error;
  return reported;
});
declare function done(error?: Error): void;
socket.send('text', done);
socket.send('text', (error) => done(error));
socket.send('text', (error?: Error | null) => (error === null ? undefined : done(error)));
socket.send('text', {});
socket.send('text', { mask: true, binary: false, compress: true, fin: false }, done);
socket.send('text', { mask: undefined, binary: undefined, compress: undefined, fin: undefined });
export const result: undefined | void = socket.send('text');
type SendArguments = Parameters<WebSocket['send']>;
export const sendArguments: SendArguments = ['text', { binary: true }, done];

// Control frames
socket.ping();
socket.ping('');
socket.ping(undefined, true);
socket.ping(Buffer.alloc(1), false, (error: Error) => error.message);
socket.ping(Buffer.alloc(1), false, (error) => error.message);
socket.ping(Buffer.alloc(1), undefined, done);
socket.pong();
socket.pong(1234);
socket.pong({ toString: () => '' }, true, () => {});
const pingLike: (data?: any, mask?: boolean, cb?: (err: Error) => void) => void = socket.ping.bind(socket);
pingLike('x', true, done);
socket.close();
socket.close(1000);
socket.close(1000, 'reason');
socket.close(undefined, Buffer.from('reason'));
socket.terminate();
socket.pause();
socket.resume();

// Each way to listen
const onMessage = (data: RawData, isBinary: boolean): string => (isBinary ? '' : data.toString());
const onClose = (code: number, reason: Buffer): string => `${code} ${reason.toString('utf8')}`;
const onResponse = (request: ClientRequest, response: IncomingMessage): void => {
  request.destroy();
  response.resume();
};
for (const listen of ['on', 'once', 'off', 'addListener', 'removeListener'] as const) {
  socket[listen]('message', onMessage);
  socket[listen]('any event', (...everything: unknown[]) => everything.length);
}
socket
  .on('open', () => socket.send('chained'))
  .on('message', onMessage)
  .on('close', onClose)
  .on('error', (error) => error.message)
  .on('ping', (data) => data.readUInt8(0))
  .on('pong', (data) => data.readUInt8(0))
  .on('upgrade', (response) => response.headers['set-cookie'])
  .on('redirect', (url, request) => request.setHeader('X-From', url))
  .on('unexpected-response', onResponse)
  .on('custom', (first, second) => first + second)
  .on(Symbol('custom'), (first) => first);
socket.once('open', function () {
  this.send('this is the socket');
});
socket.on('message', function message(this: WebSocket, data, isBinary) {
  this.send(data, { binary: isBinary });
});
socket.on('message', function message(data) {
  if (Array.isArray(data)) return Buffer.concat(data).length;
  if (data instanceof ArrayBuffer) return data.byteLength;
  return data.readUInt8(0) + this.bufferedAmount;
});
socket.on('message', (data: Buffer, isBinary) => (isBinary ? data.length : JSON.parse(data.toString())));
socket.on('message', (data: string) => data.trim());
socket.on('message', async (data: any) => JSON.parse(data));
socket.on('close', (code, reason) => code + reason.length);
socket.on('close', (code: number) => code.toFixed());
socket.on('error', (error: Error & { code: string }) => error.code);
socket.on('error', (error: NodeJS.ErrnoException) => error.errno);
socket.on('error', console.error);
socket.on('error', done);
socket.once('close', done);
socket.addListener('close', onClose).removeListener('close', onClose).off('close', onClose);
const eitherControl: 'ping' | 'pong' = Math.random() > 1 ? 'ping' : 'pong';
socket.on(eitherControl, (data) => data.length);
const eitherEnd: 'open' | 'close' = Math.random() > 1 ? 'open' : 'close';
socket.on(eitherEnd, () => {});
socket.on(eitherEnd, (...args: any[]) => args.length);
export const opened = new Promise((resolve, reject) => {
  socket.once('open', resolve);
  socket.once('error', reject);
  socket.once('close', (...args) => resolve(args[0] + args[1].length));
});
export const closedPromise = new Promise<void>((resolve) => socket.on('close', resolve));
export const firstMessage = new Promise<RawData>((resolve) => socket.once('message', resolve));
export const listenerType: Parameters<WebSocket['on']>[0] = 'whatever';

// In the manner of browsers
socket.onopen = (event) => event.target.send(event.type);
socket.onmessage = ({ data }) => (typeof data === 'string' ? data.trim() : data instanceof ArrayBuffer);
socket.onmessage = (event: WebSocket.MessageEvent) => JSON.parse(event.data as string);
socket.onclose = (event) =>
  `${event.code} ${event.reason} ${event.wasClean} ${event.type} ${event.target.url}`;
socket.onerror = (event) => event.error.code + event.message + event.type + event.target.url;
socket.onopen = null;
socket.onmessage?.({ data: 'x', type: 'message', target: socket });
const listener = (event: WebSocket.MessageEvent): void => console.log(event.data);
socket.addEventListener('message', listener);
socket.addEventListener('message', (event) => (event.data as Buffer).length, { once: true });
socket.addEventListener('close', ({ code }) => code, {});
socket.addEventListener('error', { handleEvent: (event) => event.error });
socket.addEventListener('open', { handleEvent() {} }, { once: undefined });
socket.removeEventListener('message', listener);

// What EventEmitter adds
export const counts: number = socket.listenerCount('message') + socket.listeners('message').length;
socket.emit('message', Buffer.from('x'), false);
socket.setMaxListeners(0).removeAllListeners('message').prependListener('message', onMessage);
