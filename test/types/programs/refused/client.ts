// What must not compile.
import WebSocket, { extension, Sender, WebSocketServer } from 'hawser';

// @ts-expect-error the address is a string or a URL
new WebSocket(5);
// @ts-expect-error unknown option
new WebSocket('ws://127.0.0.1', { maxPayloads: 5 });
// @ts-expect-error the interval is not optional
new WebSocket('ws://127.0.0.1', { heartbeat: {} });
// @ts-expect-error units last: intervalMs
new WebSocketServer({ heartbeat: { interval: 5 } });
// @ts-expect-error constructed, not called
WebSocket('ws://127.0.0.1');

const socket = new WebSocket('ws://127.0.0.1');
// @ts-expect-error only the connection changes its state
socket.readyState = WebSocket.OPEN;
// @ts-expect-error not a binary type
socket.binaryType = 'buffer';
// @ts-expect-error has no bytes
socket.send(true);
// @ts-expect-error has no bytes
socket.send(undefined);
// @ts-expect-error the code is a number
socket.close('1000');
// @ts-expect-error not an option of send()
socket.send('text', { opcode: 1 });
// @ts-expect-error the payload is not a string
socket.onclose = (event) => event.reason.readUInt8(0);
// @ts-expect-error ping events exist only for on()
socket.addEventListener('ping', () => {});
// @ts-expect-error a promise, not a number
export const time: number = socket.pinged();
// @ts-expect-error a Message, not its data
for await (const data of socket) data.toString('utf8');

const server = new WebSocketServer({ port: 0 });
// @ts-expect-error timeoutMs
await server.close({ timeout: 5 });
// @ts-expect-error close(cb) gives no promise
export const closing: Promise<void> = server.close(() => {});
// @ts-expect-error the filter sees clients
server.broadcast('text', { filter: (client: string) => client.length > 0 });
// @ts-expect-error a Blob would have to be waited for
server.broadcast(new Blob(['x']));
// @ts-expect-error the opcode is not optional
Sender.frame('text', { fin: true });
// @ts-expect-error a list of offers for each name
extension.parse('x')['x']?.toFixed();

export {};
