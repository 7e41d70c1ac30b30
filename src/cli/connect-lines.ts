// The piped side of `hawser connect`: sends standard input line by line, and closes when it and the answers have ended.
import { createInterface } from 'node:readline';
import type { WebSocket } from '../ws/websocket.js';
import type { Outcome } from './connect-outcome.js';

/** @param waitMs how long nothing must have arrived, after the end of the input, before the connection is closed */
export async function sendLines(socket: WebSocket, outcome: Outcome, waitMs: number): Promise<void> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    try {
      // Waits until the message was handed to the operating system: input is read no faster than that.
      await socket.sent(line);
    } catch {
      return; // the connection has ended, and its close event tells how
    }
  }
  if (waitMs === Number.POSITIVE_INFINITY || socket.readyState !== socket.OPEN) return;
  if (waitMs === 0) outcome.close();
  else closeWhenQuiet(socket, outcome, waitMs);
}

function closeWhenQuiet(socket: WebSocket, outcome: Outcome, waitMs: number): void {
  const timer = setTimeout(() => outcome.close(), waitMs);
  socket.on('message', () => timer.refresh());
  socket.on('close', () => clearTimeout(timer));
}
