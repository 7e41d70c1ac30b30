// `hawser mcp-bridge URL`: stands in for a stdio server before an MCP host, and speaks with the real one over WebSocket.
import { subscribe } from 'node:diagnostics_channel';
import type { CloseMessage, ResumeMessage } from '../agent/diagnostics.js';
import { SessionError } from '../agent/errors.js';
import { WebSocketClientTransport } from '../mcp/index.js';
import { EXIT, UsageError } from './arguments.js';
import { type HostEnd, relayHost } from './mcp-relay.js';
import { escapeLine } from './terminal.js';

export interface HostBridgeOptions {
  url: string;
  headers: Record<string, string>;
  origin: string | undefined;
  rejectsUnauthorized: boolean;
  timeoutMs: number;
  maxBytes: number;
  isResuming: boolean;
  waitMs: number;
}

/** Relays between standard input and output and the server. @returns the exit code */
export async function bridgeHost(options: HostBridgeOptions): Promise<number> {
  const interruption = new AbortController();
  const transport = createTransport(options, interruption.signal);
  const interrupt = (): void => interruption.abort(new Error('interrupted'));
  // Once: a second signal ends the process at once.
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  logDrops();
  const end = await relayHost(transport, {
    input: process.stdin,
    output: process.stdout,
    log,
    maxLineBytes: options.maxBytes,
    waitMs: options.waitMs,
    signal: interruption.signal,
  });
  // Input that nobody reads any more would keep the process alive.
  process.stdin.destroy();
  return exitCodeOf(end);
}

function createTransport(options: HostBridgeOptions, signal: AbortSignal): WebSocketClientTransport {
  const { url, headers, origin, rejectsUnauthorized, timeoutMs, maxBytes, isResuming } = options;
  try {
    return new WebSocketClientTransport(url, {
      resume: isResuming,
      headers,
      socketOptions: { ...(origin !== undefined && { origin }), rejectUnauthorized: rejectsUnauthorized },
      session: { connectTimeoutMs: timeoutMs },
      maxMessageBytes: maxBytes,
      signal,
    });
  } catch (error) {
    // What the checks of the command line let through, such as `wss://`.
    throw new UsageError((error as Error).message);
  }
}

export function exitCodeOf({ by, unanswered, error }: HostEnd): number {
  if (by === 'signal') return EXIT.OK;
  if (by === 'refusal') return EXIT.FAILED;
  const closeCode = error instanceof SessionError ? error.closeCode : undefined;
  if (closeCode !== undefined && closeCode !== 1006) return EXIT.CLOSED_WITH_CODE;
  return unanswered > 0 || error !== undefined ? EXIT.ABNORMAL_CLOSURE : EXIT.OK;
}

/** The session keeps to itself that a connection was lost; whoever looks into the log of a host wants to know. */
function logDrops(): void {
  subscribe('hawser:close', (message) => {
    const { isOver, code, reason } = message as CloseMessage;
    if (!isOver)
      log(`the connection is lost (${code}${reason === '' ? '' : ` ${reason}`}); connecting again`);
  });
  subscribe('hawser:resume', (message) => {
    const { detachedMs } = message as ResumeMessage;
    log(`connected again after ${Math.round(detachedMs)} ms`);
  });
}

function log(text: string): void {
  process.stderr.write(`hawser: ${escapeLine(text)}\n`);
}
