// Between an MCP transport and lines: for a host, whose requests go to the transport, and for a server process, which gets
// requests from there. Whoever asks always gets an answer, and whoever reads too slowly makes the other end wait.
import type { Readable, Writable } from 'node:stream';
import { CODE, type JsonRpcMessage, type Reading, readMessage, refusal } from '../mcp/message.js';
import { readLines, writeMessage } from './mcp-lines.js';
import { PendingRequests } from './mcp-pending.js';
import type { McpProcess } from './mcp-process.js';

/** What is used of an MCP transport. */
export interface Transport {
  /** Whether the next message waits for the promise that `onmessage` returns. */
  waitsForHandler: boolean;
  onmessage?: ((message: JsonRpcMessage) => void | Promise<void>) | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  start(): Promise<void>;
  /** Resolves when there is room for the next one. */
  send(message: JsonRpcMessage): Promise<void>;
  close(): Promise<void>;
}

export interface HostOptions {
  input: Readable;
  output: Writable;
  log: (text: string) => void;
  maxLineBytes: number;
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
  /** What went wrong with the connection, when that was the last of it. */
  error: Error | undefined;
}

/** Relays between a host and the server behind `transport`, until one of them is gone. */
export async function relayHost(transport: Transport, options: HostOptions): Promise<HostEnd> {
  const { output, signal } = options;
  const pending = new PendingRequests();
  let isOpen = false;
  let lastError: Error | undefined;
  const onError = (error: Error): void => {
    lastError = error;
    options.log(error.message);
  };
  transport.onerror = onError;
  transport.waitsForHandler = true;
  transport.onmessage = (message) => {
    lastError = undefined;
    pending.answered(message);
    return writeMessage(output, message);
  };
  const closed = new Promise<void>((resolve) => {
    transport.onclose = resolve;
  });
  const started = transport.start().then(() => {
    isOpen = true;
  });
  const gone = started.then(() => closed, onError);
  const by = await Promise.race([
    readHost(transport, started, pending, options).then(() => 'host' as const),
    gone.then(() => 'loss' as const),
    aborted(signal).then(() => 'signal' as const),
  ]);
  const why = by === 'host' ? 'no answer came in time' : 'the connection is closed';
  const answers = pending.fail(`mcp-bridge: ${why}`);
  for (const answer of answers) await writeMessage(output, answer);
  await transport.close();
  return { by: isOpen || by === 'signal' ? by : 'refusal', unanswered: answers.length, error: lastError };
}

/** Passes on what the host says. @returns when its input has ended, and all it asked is answered, or took too long */
async function readHost(
  transport: Transport,
  started: Promise<void>,
  pending: PendingRequests,
  { input, output, log, maxLineBytes, waitMs }: HostOptions,
): Promise<void> {
  for await (const line of readLines(input, maxLineBytes)) {
    const reading = readLine(line, maxLineBytes);
    if ('fault' in reading) {
      log(`refused what the host wrote: ${reading.fault}`);
      if (reading.answer !== undefined) await writeMessage(output, reading.answer);
      continue;
    }
    const { message } = reading;
    pending.asked(message);
    try {
      await started;
      await transport.send(message);
    } catch (error) {
      const { message: fault } = error as Error;
      // Of a connection that is gone, or never was, others tell.
      if (error instanceof RangeError) log(`not sent: ${fault}`);
      const answers = message.id === undefined ? [] : pending.fail(`mcp-bridge: ${fault}`, [message.id]);
      for (const answer of answers) await writeMessage(output, answer);
    }
  }
  await isDoneWithin(
    waitMs,
    started.then(() => pending.none()),
  );
}

/** A process that takes no input for so long will not take any more. */
const STUCK_MS = 60_000;
/** Between the end of a process and that of its output: what it has started may hold the pipe open. */
const LAST_LINES_MS = 1000;
/** How long a client that has come may take to ask for something. */
const FIRST_REQUEST_MS = 5000;

export interface ProcessOptions {
  maxLineBytes: number;
  log: (text: string) => void;
  stuckMs?: number;
}

/** Relays between a client behind `transport` and its server process, until one of them is gone, and then ends the other. */
export async function relayProcess(
  transport: Transport,
  server: McpProcess,
  options: ProcessOptions,
): Promise<void> {
  const { log, stuckMs = STUCK_MS } = options;
  const pending = new PendingRequests();
  transport.onerror = (error) => log(error.message);
  const left = new Promise<undefined>((resolve) => {
    transport.onclose = () => resolve(undefined);
  });
  const stuck = new Promise<string>((resolve) => {
    transport.waitsForHandler = true;
    transport.onmessage = async (message) => {
      pending.asked(message);
      if (!(await isDoneWithin(stuckMs, server.send(message))))
        resolve(`${server.command} does not read its input`);
    };
  });
  const reading = transport.start().then(() => readServer(transport, server, pending, options));
  const fault = await Promise.race([left, stuck, server.ended, reading.catch(() => left)]);
  const stopped = server.stop();
  if (fault !== undefined) {
    log(fault);
    await isDoneWithin(LAST_LINES_MS, reading);
    // Who has only just come learns it from the first answer.
    await isDoneWithin(FIRST_REQUEST_MS, Promise.race([pending.first, left]));
    for (const answer of pending.fail(`mcp-bridge: ${fault}`)) {
      await transport.send(answer as JsonRpcMessage).catch(() => {});
    }
    await transport.close();
  }
  await stopped;
}

/** Passes on what the server writes. @returns what is wrong with it; how the process has ended, when that is all */
async function readServer(
  transport: Transport,
  server: McpProcess,
  pending: PendingRequests,
  { maxLineBytes, log }: ProcessOptions,
): Promise<string> {
  for await (const line of server.lines()) {
    // There may be an answer in it, for which somebody would wait.
    if (line === undefined) return `${server.command} wrote a line longer than ${maxLineBytes} bytes`;
    const reading = readLine(line, maxLineBytes);
    if ('fault' in reading) {
      log(`ignored what ${server.command} wrote: ${reading.fault}`);
      continue;
    }
    pending.answered(reading.message);
    await transport.send(reading.message).catch((error: Error) => {
      // Of a client that has left we know; a response that is too large was replaced by an error.
      if (error instanceof RangeError) log(`not sent: ${error.message}`);
    });
  }
  if (await isDoneWithin(LAST_LINES_MS, server.ended)) return server.ended;
  return `${server.command} closed its standard output`;
}

function readLine(line: string | undefined, maxBytes: number): Reading {
  if (line !== undefined) return readMessage(line);
  const fault = `a line longer than ${maxBytes} bytes`;
  return { fault, answer: refusal(null, CODE.INVALID, fault) };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** Waits for `promise`, but not for longer; that it fails is told elsewhere. */
async function isDoneWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = promise.then(
    () => true,
    () => true,
  );
  const isDone = await Promise.race([done, tooLate]);
  clearTimeout(timer);
  return isDone;
}
