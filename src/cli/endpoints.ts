// What the WebSockets of `hawser serve` do with the messages they get.
import type { ServerSession } from '../agent/index.js';
import type { WebSocket } from '../ws/websocket.js';
import type { WebSocketServer } from '../ws/websocket-server.js';

/** A peer that leaves this much unread holds up its own echo, and is cut off from the broadcast. */
const MAX_ECHO_UNREAD_BYTES = 1024 * 1024;
const MAX_BROADCAST_UNREAD_BYTES = 16 * 1024 * 1024;

/** Sends every message back, and stops reading while its peer does not read. */
export function echo(socket: WebSocket): void {
  const goOn = (): void => {
    if (socket.bufferedAmount <= MAX_ECHO_UNREAD_BYTES) socket.resume();
  };
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (socket.bufferedAmount + data.length <= MAX_ECHO_UNREAD_BYTES) {
      socket.send(data, { binary: isBinary });
    } else {
      socket.pause();
      socket.send(data, { binary: isBinary }, goOn);
    }
  });
}

/** Sends every message back, and takes the next one when there is room for its echo. */
export async function echoSession(session: ServerSession): Promise<void> {
  try {
    for await (const message of session) await session.send(message);
  } catch {
    // The session is over, and there is nobody to tell.
  }
}

/** Sends every message to all who joined, the sender among them. */
export class BroadcastGroup {
  readonly #servers: WebSocketServer[];
  readonly #members = new Set<WebSocket>();

  /** @param servers those whose clients may join */
  constructor(servers: WebSocketServer[]) {
    this.#servers = servers;
  }

  join(socket: WebSocket): void {
    this.#members.add(socket);
    socket.on('close', () => this.#members.delete(socket));
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const filter = (client: WebSocket): boolean => this.#members.has(client) && keepsUp(client);
      for (const server of this.#servers) server.broadcast(data, { binary: isBinary, filter });
    });
  }
}

function keepsUp(member: WebSocket): boolean {
  const isBehind = member.bufferedAmount > MAX_BROADCAST_UNREAD_BYTES;
  if (isBehind) member.terminate();
  return !isBehind;
}
