// `hawser mcp-bridge --listen`: a stdio MCP server as a process of its own for every client that comes over WebSocket.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveMcp } from '../mcp/index.js';
import { type JsonRpcMessage, refusal } from '../mcp/message.js';
import { EXIT } from './arguments.js';
import { explainListenError } from './listen-error.js';
import { McpProcess } from './mcp-process.js';
import { relayProcess, type Transport } from './mcp-relay.js';
import { escapeLine } from './terminal.js';

export interface ListenerOptions {
  port: number;
  host: string;
  path: string | undefined;
  /** Of web pages, beside this server's own. */
  origins: string[];
  /** What clients have to send as `Authorization: Bearer …`. */
  token: string | undefined;
  maxBytes: number;
  maxProcesses: number;
  windowMs: number;
  command: string;
  args: string[];
  environment: NodeJS.ProcessEnv;
}

/** Runs until a signal ends it. @returns the exit code */
export async function listenForClients(options: ListenerOptions): Promise<number> {
  const { port, host, path, origins, token, maxBytes, windowMs } = options;
  const server = createServer((_request, response) => {
    response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end('WebSocket only\n');
  });
  const processes = new Processes(options);
  const endpoint = serveMcp({
    server,
    ...(path !== undefined && { path }),
    origins,
    verify: (request) => hasToken(request, token) && 'client',
    connect: ({ transport }) => processes.serve(transport),
    onerror: (error) => log(error.message),
    windowMs,
    maxMessageBytes: maxBytes,
  });
  const listening = new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  server.listen(port, host);
  try {
    await listening;
  } catch (error) {
    log(explainListenError(error as NodeJS.ErrnoException, host, port));
    await endpoint.close();
    return EXIT.FAILED;
  }
  const { address, family, port: bound } = server.address() as AddressInfo;
  log(`listening on ws://${family === 'IPv6' ? `[${address}]` : address}:${bound}${path ?? '/'}`);
  if (token === undefined && !isLoopback(address)) {
    log(`whoever can reach this port can use ${options.command}: consider --token-file`);
  }
  await new Promise<void>((resolve) => {
    let signals = 0;
    const onSignal = (): void => {
      signals++;
      if (signals === 1) resolve();
      // Does not wait for processes that do not want to end.
      else processes.kill();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
  log('closing');
  await Promise.all([endpoint.close(), processes.allEnded()]);
  server.close();
  server.closeAllConnections();
  return EXIT.OK;
}

/** The processes that run for clients. */
class Processes {
  readonly #options: ListenerOptions;
  readonly #running = new Map<McpProcess, Promise<void>>();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Starts one for the client. */
  serve(transport: Transport): void {
    const { command, args, environment, maxBytes, maxProcesses } = this.#options;
    if (this.#running.size >= maxProcesses) {
      log(`refused a client: ${maxProcesses} processes are running`);
      refuse(transport, `mcp-bridge: ${maxProcesses} processes are running, which is the limit`);
      return;
    }
    const server = new McpProcess({
      command,
      args,
      env: environment,
      maxLineBytes: maxBytes,
      log: process.stderr,
    });
    const name = `${command} ${server.pid ?? ''}`.trim();
    const relayed = relayProcess(transport, server, {
      maxLineBytes: maxBytes,
      log: (text) => log(`${name}: ${text}`),
    });
    const done = relayed
      .catch((error: Error) => log(`${name}: ${error.message}`))
      .finally(() => this.#running.delete(server));
    this.#running.set(server, done);
  }

  async allEnded(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  /** Ends all of them at once. */
  kill(): void {
    for (const server of this.#running.keys()) server.kill();
  }
}

/** Who only connects is not told why it is closed; it is, though. */
const REFUSAL_MS = 10_000;

/** Answers the client's first request with an error, and closes. */
function refuse(transport: Transport, reason: string): void {
  const timer = setTimeout(() => transport.close(), REFUSAL_MS);
  transport.onclose = () => clearTimeout(timer);
  transport.onmessage = async ({ id, method }) => {
    if (id === undefined || method === undefined) return;
    await transport.send(refusal(id, -32000, reason) as JsonRpcMessage).catch(() => {});
    await transport.close();
  };
  // Who has left meanwhile needs no answer.
  transport.start().catch(() => {});
}

/** Without telling by the time it takes how much of a guess was right. */
function hasToken({ headers }: IncomingMessage, token: string | undefined): boolean {
  if (token === undefined) return true;
  const [, guess = ''] = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
  // Digests, because only what has the same length can be compared.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(guess), digest(token));
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function log(text: string): void {
  process.stderr.write(`hawser: ${escapeLine(text)}\n`);
}
