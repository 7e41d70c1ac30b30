// What hawser has beyond @types/ws: members that are there at run time, and its own additions.
import type { Writable } from 'node:stream';
import WebSocket, {
  type CloseResult,
  extension,
  type HeartbeatOptions,
  type Message,
  PerMessageDeflate,
  type RawData,
  Receiver,
  Sender,
  Server,
  subprotocol,
  WebSocketServer,
} from 'hawser';

const heartbeat: HeartbeatOptions = { intervalMs: 30_000 };
const socket = new WebSocket('ws://127.0.0.1', {
  protocols: ['chat'],
  closeTimeout: 1000,
  maxPendingAutoPongs: 10,
  heartbeat: { intervalMs: 1000, timeoutMs: 500 },
  signal: AbortSignal.abort(),
  crashOnUnhandledError: true,
});
WebSocket.crashOnUnhandledError = true;
socket.binaryType = 'blob';
socket.on('message', (data: RawData | Blob, isBinary) => isBinary || data);
socket.maxPayload = socket.maxPayload * 2;
socket.on('drain', function () {
  this.send('more');
});
socket.ping((error) => error.message);
socket.ping('data', (error) => error.message);
socket.pong((error) => error.message);
socket.pong(Buffer.alloc(1), (error) => error.message);
socket.close(1000, new Uint8Array(3));

export async function promises(): Promise<CloseResult> {
  const nothing: void = await socket.sent('text', { compress: false });
  await socket.sent(new Uint8Array(1));
  const milliseconds: number = (await socket.pinged()) + (await socket.pinged('data'));
  for await (const { data, isBinary } of socket) {
    const sized: RawData = data;
    if (isBinary) await socket.sent(sized as Buffer);
  }
  const message: IteratorResult<Message> = await socket[Symbol.asyncIterator]().next();
  const { code, reason, wasClean } = await socket.closed(1000, 'done');
  const ended: [number, string, boolean] = [code, reason, wasClean];
  console.log(nothing, milliseconds, message.done, ended);
  return socket.closed();
}

class Client extends WebSocket {
  room = '';
}
const server = new WebSocketServer({
  port: 0,
  WebSocket: Client,
  closeTimeout: 1000,
  maxPendingAutoPongs: 10,
  heartbeat,
  crashOnUnhandledError: false,
});
export const reached: number = server.broadcast('text', { filter: (client) => client.room === 'a' });
server.broadcast(Buffer.alloc(1));
server.broadcast('text', { binary: true, compress: false });
export const done: Promise<void> = server.close({ code: 1001, reason: 'restart', timeoutMs: 1000 });
export const done2: Promise<void> = server.close({});
export const done3: void = server.close();
export async function scoped(): Promise<void> {
  await using scopedServer = new Server({ port: 0 });
  await using scopedSocket = new WebSocket('ws://127.0.0.1');
  scopedSocket.send(String(scopedServer.address()));
}

// Framing
const offers = extension.parse('permessage-deflate; client_max_window_bits');
export const flag: string | true | undefined =
  offers['permessage-deflate']?.[0]?.['client_max_window_bits']?.[0];
export const header: string = extension.format({
  'permessage-deflate': { server_max_window_bits: 10, flag: true },
});
extension.format(offers);
export const protocols: Set<string> = subprotocol.parse('chat, superchat');
export const frame: Array<Buffer | string> = Sender.frame(Buffer.from('x'), {
  fin: true,
  rsv1: false,
  opcode: 1,
  mask: false,
  readOnly: false,
});
const receiver: Writable = new Receiver({ isServer: true, maxPayload: 10, binaryType: 'blob' });
const deflate = new PerMessageDeflate({ isServer: true, maxPayload: 10, threshold: 0 });
new Sender(socket as unknown as import('node:stream').Duplex, {
  [PerMessageDeflate.extensionName]: deflate,
}).sendFrame(frame);
deflate.accept(offers[PerMessageDeflate.extensionName] ?? []);
deflate.compress('text', true, (error, result) => error?.message ?? result?.length);
deflate.decompress(Buffer.alloc(1), true, (error, result) => error?.message ?? result?.length);
deflate.cleanup();
extension.format({ name: deflate.offer() });
receiver.end();
