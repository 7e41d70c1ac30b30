// Between an MCP transport and lines: for a host, whose requests go to the transport, and for a server process, which gets
// requests from there. Whoever asks always gets an answer, and whoever reads too slowly makes the other end wait.
import type { Readable, Writable } from 'node:stream';
import { type Message, parseLine, readLines, writeMessage } from './mcp-lines.js';
import { failure, PendingRequests } from './mcp-pending.js';
import type { McpProcess } from './mcp-process.js';

/** What is used of an MCP transport. */
export interface Transport {
  /** The next message comes when what this returns is settled. */
  onmessage?: ((message: never) => unknown) | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  start(): Promise<void>;
  /** Resolves when there is room for the next one. */
  send(message: never): Promise<void>;
  close(): Promise<void>;
}

export interface HostOptions {
  input: Readable;
  output: Writable;
  log: (text: string) => void;
  maxBytes: number;
  /** How long to wait for answers when the input has ended, in milliseconds. */
  waitMs: number;
  /** Ends it without waiting. */
  signal: AbortSignal;
}

/** What ended it: the host, a signal, or the connection, which was lost, or never there. */
export interface HostEnd {
  by: 'host' | 'signal' | 'loss' | 'refusal';
  /** Requests that got an error because of it. */
  unanswered: number;
}

/** Relays between a host and the server behind `transport`, until one of them is gone. */
export async function relayHost(transport: Transport, options: HostOptions): Promise<HostEnd> {
  const { output, signal } = options;
  const pending = new PendingRequests();
  transport.onerror = (error) => options.log(error.message);
  transport.onmessage = (message: Message) => {
    pending.answered(message);
    return writeMessage(output, message);
  };
  let isOpen = false;
  const closed = new Promise<void>((resolve) => {
    transport.onclose = resolve;
  });
  const started = transport.start().then(() => {
    isOpen = true;
  });
  const gone = started.then(() => closed).catch((error: Error) => options.log(error.message));
  const by = await Promise.race([
    readHost(transport, started, pending, options).then(() => 'host' as const),
    gone.then(() => (isOpen ? ('loss' as const) : ('refusal' as const))),
    aborted(signal).then(() => 'signal' as const),
  ]);
  const reason = by === 'host' ? 'no answer came in time' : 'the connection is closed';
  const answers = pending.fail(`mcp-bridge: ${reason}`);
  for (const answer of answers) await writeMessage(output, answer);
  await transport.close();
  return { by: by === 'host' && !isOpen ? 'refusal' : by, unanswered: answers.length };
}

/** Passes on what the host says. @returns when its input has ended, and all it asked is answered, or it took too long */
async function readHost(
  transport: Transport,
  started: Promise<void>,
  pending: PendingRequests,
  { input, output, log, maxBytes, waitMs }: HostOptions,
): Promise<void> {
  for await (const line of readLines(input, maxBytes)) {
    const { message, refusal } = parseLine(line, maxBytes);
    if (message === undefined) {
      log(`refused ${refusal.reason} from the host`);
      await writeMessage(output, failure(null, refusal.code, refusal.reason));
      continue;
    }
    pending.asked(message);
    try {
      await started;
      await transport.send(message as never);
    } catch (error) {
      const { message: reason } = error as Error;
      log(`not sent: ${reason}`);
      for (const answer of pending.fail(`mcp-bridge: ${reason}`, message)) await writeMessage(output, answer);
    }
  }
  await within(waitMs, started.then(() => pending.none()));
}

/** What its children say when they are asked to end may still come for so long. */
const LAST_WORDS_MS = 1000;

/** Relays between a client behind `transport` and its server process, until one of them is gone, and then ends the other. */
export async function relayProcess(
  transport: Transport,
  server: McpProcess,
  log: (text: string) => void,
): Promise<void> {
  const pending = new PendingRequests();
  transport.onerror = (error) => log(error.message);
  transport.onmessage = (message: Message) => {
    pending.asked(message);
    return server.send(message);
  };
  const left = new Promise<undefined>((resolve) => {
    transport.onclose = () => resolve(undefined);
  });
  await transport.start();
  const reading = readServer(transport, server, pending, log);
  const fault = await Promise.race([left, server.ended, reading.then((fault) => fault ?? server.ended)]);
  const stopped = server.stop();
  if (fault !== undefined) {
    log(fault);
    await within(LAST_WORDS_MS, reading);
    for (const answer of pending.fail(`mcp-bridge: ${fault}`)) await transport.send(answer as never).catch(() => {});
    await transport.close();
  }
  await stopped;
}

/** Passes on what the server says. @returns why that has ended, unless it just has */
async function readServer(
  transport: Transport,
  server: McpProcess,
  pending: PendingRequests,
  log: (text: string) => void,
): Promise<string | undefined> {
  try {
    for await (const line of server.lines()) {
      // What it answers may be in it, and would be waited for.
      if (line === undefined) return `${server.command} wrote a line that is too long`;
      const { message, refusal } = parseLine(line, server.maxBytes);
      if (message === undefined) {
        log(`${server.command} wrote ${refusal.reason} to its standard output`);
        continue;
      }
      pending.answered(message);
      await transport.send(message as never);
    }
  } catch {
    // The client is gone, or the pipe broke: both are told elsewhere.
  }
  return undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits for `promise`, but not for longer; that it fails is told elsewhere. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise.catch(() => {}), tooLate]);
  clearTimeout(timer);
}
