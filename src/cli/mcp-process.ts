// A stdio MCP server as a child process: messages in, messages out, what it logs with a prefix, and an end that comes for sure.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { readLines, writeMessage, writeText } from './mcp-lines.js';
import { escapeLine } from './terminal.js';

/** How long a process may take to end when its input has ended, and then after SIGTERM, until SIGKILL. */
interface StopTimes {
  inputMs: number;
  termMs: number;
}

const STOP_TIMES: StopTimes = { inputMs: 2000, termMs: 3000 };
/** Longer lines of what it logs are cut. */
const LOG_LINE_BYTES = 64 * 1024;

export interface ProcessOptions {
  command: string;
  args: string[];
  env: NodeJS.ProcessEnv;
  /** Longer lines are told apart, and not kept. */
  maxLineBytes: number;
  /** Where what it logs goes. */
  log: Writable;
  stopTimes?: StopTimes;
}

export class McpProcess {
  /** Resolves with the reason when the process has ended, or could not be started. Never rejects. */
  readonly ended: Promise<string>;
  readonly #options: ProcessOptions;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  #isOver = false;
  #stopped: Promise<void> | undefined;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { command, args, env } = options;
    this.#child = spawn(command, args, {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl+C reaches the bridge only, and what is started by a wrapper (`npx`, `sh -c`) ends with it.
      detached: process.platform !== 'win32',
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error: NodeJS.ErrnoException) => resolve(explainStartError(command, error)));
      this.#child.on('exit', (code, signal) => {
        this.#isOver = true;
        resolve(`${command} ended with ${signal === null ? `exit code ${code}` : signal}`);
      });
    });
    // Written to after its end, or ended while it is written to: `ended` tells.
    this.#child.stdin.on('error', () => {});
    if (this.#child.pid === undefined) this.#isOver = true;
    this.#passLog();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get command(): string {
    return this.#options.command;
  }

  /** The lines that it writes; reading none makes it wait. */
  lines(): AsyncGenerator<string | undefined> {
    return readLines(this.#child.stdout, this.#options.maxLineBytes);
  }

  send(message: object): Promise<void> {
    return writeMessage(this.#child.stdin, message);
  }

  /** Ends it as the MCP specification says: its input first, then SIGTERM, then SIGKILL. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Ends it at once. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  async #stop(): Promise<void> {
    const { inputMs, termMs } = this.#options.stopTimes ?? STOP_TIMES;
    this.#child.stdin.end();
    if (await this.#endsWithin(inputMs)) return;
    this.#signal('SIGTERM');
    if (await this.#endsWithin(termMs)) return;
    this.#signal('SIGKILL');
    await this.ended;
  }

  async #endsWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.ended, tooLate]);
    clearTimeout(timer);
    return this.#isOver;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (this.#isOver || pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, signal);
    } catch {
      // It was faster.
    }
  }

  async #passLog(): Promise<void> {
    const { log, command } = this.#options;
    try {
      for await (const line of readLines(this.#child.stderr, LOG_LINE_BYTES)) {
        const text = line === undefined ? '(a line that is too long)' : escapeLine(line);
        await writeText(log, `[${command} ${this.pid}] ${text}\n`);
      }
    } catch {
      // Its pipe broke: `ended` tells.
    }
  }
}

function explainStartError(command: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return `${command} could not be started: there is no such command`;
  if (code === 'EACCES') return `${command} could not be started: it may not be executed`;
  return `${command} could not be started: ${message}`;
}
