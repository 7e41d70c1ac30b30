// Judges clients: a server that speaks the paths of Autobahn's fuzzing server, so that the drivers which clients have for
// that one run unchanged. A client asks how many cases there are, connects once for each, echoes what it gets, and asks
// for the reports at the end.

import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { findHeadEnd } from '../wire/http-head.js';
import type { AgentMemory, ConformanceCase } from './case.js';
import { finishClosing } from './exchange.js';
import { acceptRequest, headBytes, headerOf, readRequest, responseHeaders } from './opening.js';
import { RawConnection } from './raw-connection.js';
import type { CaseResult } from './result.js';
import { runCase } from './run-case.js';
import { isPass } from './verdict.js';
import { WireLog } from './wire-log.js';

const HEAD_LIMIT_MS = 10_000;
const MAX_HEAD_BYTES = 64 * 1024;
/** How long cases may still run once the judge is closed. */
const LAST_CASES_LIMIT_MS = 1000;
/** Names are a client's to choose; so many of them are remembered. */
const MAX_AGENTS = 100;
const MAX_AGENT_NAME = 100;
/** Handshake keys remembered of each agent. */
const MAX_KEYS = 10_000;

export interface JudgeClientOptions {
  cases: readonly ConformanceCase[];
  /** What the client is called in reports, whatever it calls itself. */
  agent?: string;
  /** Where to listen. Default: a free port of 127.0.0.1. */
  host?: string;
  port?: number;
  /** With a certificate the server speaks TLS. PEM. */
  tls?: { cert: string | Buffer; key: string | Buffer };
  /** An upper bound for the time of every case, in milliseconds. */
  limitMs?: number;
  /** Everything that the tester sends goes out in TCP writes of that many bytes. */
  chopBytes?: number;
  onResult?: (result: CaseResult) => void;
  /** A client asked for the reports: time to write them. */
  onUpdateReports?: (agent: string) => void;
  /** A client asked the server to end. */
  onStop?: () => void;
}

export class ClientJudge {
  readonly #options: JudgeClientOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #running = new Set<Promise<void>>();
  /** When a client last asked for something, or a case ended. */
  #activeAt = performance.now();
  /** For each agent the last result of each case. */
  readonly #results = new Map<string, Map<string, CaseResult>>();
  readonly #memories = new Map<string, AgentMemory>();

  /** Listens once `listen()` is called. */
  constructor(options: JudgeClientOptions) {
    this.#options = options;
    const onSocket = (socket: Socket): void => this.#accept(socket);
    this.#server =
      options.tls === undefined
        ? createTcpServer({ allowHalfOpen: true }, onSocket)
        : createTlsServer(
            { ...options.tls, allowHalfOpen: true, handshakeTimeout: HEAD_LIMIT_MS } as object,
            onSocket,
          );
    // With TLS these are the sockets below it: they are there before the TLS handshake is.
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** @returns the URL to which clients connect, without a path; rejects when the port cannot be had */
  listen(): Promise<string> {
    const { host = '127.0.0.1', port = 0, tls } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        // A connection that could not be taken, for want of file descriptors: the next one may be.
        this.#server.on('error', () => {});
        const address = this.#server.address() as { port: number };
        const name = host.includes(':') ? `[${host}]` : host;
        resolve(`${tls === undefined ? 'ws' : 'wss'}://${name}:${address.port}`);
      });
    });
  }

  /** Stops listening, lets the cases that run come to their end if that is soon, and cuts what is still connected. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const timer = setTimeout(() => this.#cut(), LAST_CASES_LIMIT_MS);
    while (this.#running.size > 0) await Promise.all(this.#running);
    clearTimeout(timer);
    this.#cut();
    await closed;
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Milliseconds for which no case has run and no client has asked for anything. */
  get idleMs(): number {
    return this.#running.size > 0 ? 0 : performance.now() - this.#activeAt;
  }

  /** Everything known so far: the last result of each case for each agent, in suite order. */
  get results(): CaseResult[] {
    return [...this.#results.values()].flatMap((own) =>
      this.#options.cases.flatMap(({ id }) => own.get(id) ?? []),
    );
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    this.#readRequest(socket);
  }

  /** Collects the head of the request; from there on the connection belongs to what the request asks for. */
  #readRequest(socket: Socket): void {
    let received: Uint8Array = new Uint8Array(0);
    const timer = setTimeout(() => socket.destroy(), HEAD_LIMIT_MS);
    const onData = (bytes: Uint8Array): void => {
      const searched = Math.max(0, received.length - 3);
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      const end = findHeadEnd(received, searched);
      if (end === -1 && received.length <= MAX_HEAD_BYTES) return;
      clearTimeout(timer);
      socket.off('data', onData);
      socket.off('end', onEnd);
      if (end === -1) return void socket.destroy();
      socket.pause();
      if (end < received.length) socket.unshift(received.subarray(end));
      void this.#answer(socket, received.subarray(0, end));
    };
    const onEnd = (): void => void socket.destroy();
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', () => clearTimeout(timer));
  }

  async #answer(socket: Socket, head: Uint8Array): Promise<void> {
    this.#activeAt = performance.now();
    const target = / (\S+) HTTP\//.exec(Buffer.from(head.subarray(0, 2048)).toString('latin1'))?.[1] ?? '/';
    const base = `ws://127.0.0.1:${socket.localPort ?? 0}`;
    const url = new URL(URL.canParse(target, base) ? target : '/', base);
    const name = this.#options.agent ?? url.searchParams.get('agent');
    const agent = (name || 'client').slice(0, MAX_AGENT_NAME);
    const open = (log: WireLog): RawConnection => {
      log.bytes('peer', head);
      return new RawConnection(socket, log, { request: { head }, chopBytes: this.#options.chopBytes });
    };
    if (url.pathname === '/runCase') {
      const running = this.#runCase(url, agent, open);
      this.#running.add(running);
      await running;
      this.#running.delete(running);
      this.#activeAt = performance.now();
      return;
    }
    const connection = open(new WireLog());
    // A link or an image on a web page must not end a run.
    if (handshakeKeyOf(head) === undefined) return refuse(connection, 426, 'This is a WebSocket server.\n');
    if (url.pathname === '/getCaseCount') return say(connection, String(this.#options.cases.length));
    if (url.pathname === '/getCaseInfo') return say(connection, this.#caseInfo(url));
    if (url.pathname === '/getCaseStatus') return say(connection, this.#caseStatus(url, agent));
    if (url.pathname === '/updateReports') {
      this.#options.onUpdateReports?.(agent);
      return say(connection);
    }
    if (url.pathname === '/stopServer') {
      await say(connection);
      this.#options.onStop?.();
      return;
    }
    await refuse(
      connection,
      404,
      'There is nothing here. Clients under test connect to /getCaseCount first.\n',
    );
  }

  async #runCase(url: URL, agent: string, open: (log: WireLog) => RawConnection): Promise<void> {
    const one = this.#caseOf(url);
    const memory = this.#memoryOf(agent);
    if (one === undefined || memory === undefined) {
      const why = one === undefined ? 'There is no such case.\n' : 'There are too many agents.\n';
      return refuse(open(new WireLog()), 404, why);
    }
    const { limitMs } = this.#options;
    let key: string | undefined;
    const result = await runCase(one, {
      agent,
      ...(limitMs !== undefined && { limitMs }),
      encounter: (log, own) => {
        const connection = own(open(log));
        key = handshakeKeyOf(connection.request?.head);
        return { subject: 'client', url, log, memory, connect: () => Promise.resolve(connection) };
      },
    });
    // Not before the case is over, so that a case can tell a key that has been used already.
    if (key !== undefined && memory.handshakeKeys.size < MAX_KEYS) memory.handshakeKeys.add(key);
    this.#results.get(agent)!.set(one.id, result);
    this.#options.onResult?.(result);
  }

  #memoryOf(agent: string): AgentMemory | undefined {
    const known = this.#memories.get(agent);
    if (known !== undefined || this.#memories.size >= MAX_AGENTS) return known;
    const memory: AgentMemory = { handshakeKeys: new Set() };
    this.#memories.set(agent, memory);
    this.#results.set(agent, new Map());
    return memory;
  }

  /** `case=n` counts the chosen cases from 1; `casetuple=1.2.3` names one. */
  #caseOf(url: URL): ConformanceCase | undefined {
    const id = url.searchParams.get('casetuple');
    if (id !== null) return this.#options.cases.find((one) => one.id === id);
    return this.#options.cases[Number(url.searchParams.get('case') ?? Number.NaN) - 1];
  }

  #caseInfo(url: URL): string {
    const one = this.#caseOf(url);
    return JSON.stringify({ id: one?.id ?? null, description: one?.title ?? 'There is no such case.' });
  }

  #caseStatus(url: URL, agent: string): string {
    const one = this.#caseOf(url);
    const result = one === undefined ? undefined : this.#results.get(agent)?.get(one.id);
    return JSON.stringify({
      behavior: result?.behavior ?? 'UNKNOWN',
      behaviorClose: result?.behaviorClose ?? 'UNKNOWN',
      passed: result !== undefined && isPass(result),
    });
  }
}

function handshakeKeyOf(head: Uint8Array | undefined): string | undefined {
  return /^sec-websocket-key:[ \t]*(\S{24})[ \t]*\r$/im.exec(Buffer.from(head ?? []).toString('latin1'))?.[1];
}

/** Accepts, sends one message if there is one, and closes. */
async function say(connection: RawConnection, message?: string): Promise<void> {
  try {
    const key = headerOf(readRequest(connection), 'sec-websocket-key');
    if (key === undefined) return await refuse(connection, 426, 'This is a WebSocket server.\n');
    const tester = await acceptRequest(connection, responseHeaders(key));
    if (message !== undefined) await tester.send({ opcode: 1, payload: message });
    await tester.close(1000);
    await finishClosing(tester);
  } catch {
    // A request that is not HTTP: nothing is owed to it.
    connection.destroy();
  }
}

async function refuse(connection: RawConnection, status: number, body: string): Promise<void> {
  const head = headBytes(`HTTP/1.1 ${status} ${status === 426 ? 'Upgrade Required' : 'Not Found'}`, [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Connection', 'close'],
    ...(status === 426 ? ([['Upgrade', 'websocket']] as const) : []),
  ]);
  await connection.write(Buffer.concat([head, Buffer.from(body)]));
  connection.end();
  await connection.until(() => connection.isOver, 1000);
  connection.destroy();
}
