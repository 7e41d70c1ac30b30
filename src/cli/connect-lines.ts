// The piped side of `hawser connect`: sends standard input line by line, and closes when it and the answers have ended.
import { createInterface } from 'node:readline';
import type { ClientSession } from '../agent/index.js';
import type { WebSocket } from '../ws/websocket.js';
import type { Ending, Outcome, SessionOutcome } from './connect-outcome.js';
import type { Reporter } from './connect-report.js';

/** @param waitMs how long nothing must have arrived, after the end of the input, before the connection is closed */
export async function sendLines(socket: WebSocket, outcome: Outcome, waitMs: number): Promise<void> {
  for await (const line of readLines()) {
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

/**
 * The same over a session: lines wait while there is no connection.
 *
 * @param waitMs counted from when the server has acknowledged every line, and only while there is a connection
 */
export async function sendLinesOverSession(
  session: ClientSession,
  report: Reporter,
  outcome: SessionOutcome,
  waitMs: number,
  lines: AsyncIterable<string> = readLines(),
): Promise<void> {
  for await (const line of lines) {
    try {
      // Waits while the queue is full: input is read no faster than the server takes it.
      await session.send(line);
    } catch (error) {
      outcome.noteLoss();
      if (session.state === 'closed') return;
      report.problem((error as Error).message);
    }
  }
  // Rejects when the session is over or lost, which its own events tell.
  await session.flush().catch(() => {});
  if (session.state === 'closed') return;
  if (waitMs === Number.POSITIVE_INFINITY) return;
  if (waitMs === 0) outcome.close();
  else closeSessionWhenQuiet(session, outcome, waitMs);
}

function readLines(): AsyncIterable<string> {
  return createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
}

function closeWhenQuiet(socket: WebSocket, outcome: Outcome, waitMs: number): void {
  const timer = setTimeout(() => outcome.close(), waitMs);
  socket.on('message', () => timer.refresh());
  socket.on('close', () => clearTimeout(timer));
}

/** Closes when nothing has arrived for so long over a connection. */
export function closeSessionWhenQuiet(session: ClientSession, outcome: Ending, waitMs: number): void {
  const timer = setTimeout(() => {
    // An answer may be waiting at the other end.
    if (session.state === 'open') outcome.close();
    else timer.refresh();
  }, waitMs);
  session.on('message', () => timer.refresh());
  session.on('resumed', () => timer.refresh());
  session.on('close', () => clearTimeout(timer));
}
