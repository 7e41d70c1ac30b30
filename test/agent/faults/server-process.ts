// A session server in a process of its own, that can be killed or held up. It tells what it received, and acknowledges as
// far as it is told.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { compiledSources } from '../../support/compiled.js';
import { until } from '../../support/tcp.js';

/** Runs in the child. A message of the parent: how far to acknowledge, or how long to hold the event loop up. */
const PROGRAM = `
const { createServer } = require('node:http');
const { SessionServer } = require(process.argv[1]);
const httpServer = createServer();
const server = new SessionServer({ server: httpServer, ...JSON.parse(process.argv[2]) });
let session;
server.on('session', (begun) => {
  session = begun;
  session.on('message', (data) => process.send({ received: data }));
});
process.on('message', ({ acknowledge, blockMs }) => {
  if (acknowledge !== undefined) session.acknowledge(acknowledge);
  if (blockMs === undefined) return;
  session.send('before');
  // Long enough for what was written to leave.
  setTimeout(() => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
    session.send('after');
  }, 10);
});
process.on('disconnect', () => process.exit());
httpServer.listen(0, '127.0.0.1', () => process.send({ port: httpServer.address().port }));
`;

export class ServerProcess {
  readonly #child: ChildProcess;
  /** What the server's application was given, in all sessions. */
  readonly received: unknown[] = [];
  #port = 0;

  /** @param options of the `SessionServer`, as JSON */
  static async start(options: object): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await until(() => server.#port !== 0);
    return server;
  }

  private constructor(options: object) {
    const main = join(compiledSources(), 'agent', 'index.js');
    this.#child = spawn(process.execPath, ['-e', PROGRAM, main, JSON.stringify(options)], {
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (news: { port?: number; received?: unknown }) => {
      if (news.port !== undefined) this.#port = news.port;
      else this.received.push(news.received);
    });
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}/`;
  }

  acknowledge(number: number): void {
    this.#child.send({ acknowledge: number });
  }

  /** Sends "before", stands still, and sends "after". */
  block(blockMs: number): void {
    this.#child.send({ blockMs });
  }

  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit');
    if (this.#child.kill('SIGKILL')) await exited;
  }
}
