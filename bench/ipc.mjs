// Questions and answers between the runner and its child processes. A child never outlives the runner: it is
// killed when the runner exits, and exits by itself when the channel closes.
import { fork } from 'node:child_process';

const ANSWER_TIMEOUT_MS = 60_000;
/** The number of the answer that a child gives unasked, when it has begun to listen. */
const READY = 0;

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

/** The runner's end. */
export class Child {
  #process;
  #name;
  #nextId = READY + 1;
  /** Settles when the child can be asked. */
  #ready;
  /**
   * @type {Map<number, { resolve: (value: any) => void, reject: (error: Error) => void, timer: NodeJS.Timeout }>}
   */
  #waiting = new Map();

  /**
   * @param {string} name
   * @param {URL} file
   * @param {string[]} args
   * @param {{ execArgv?: string[], execPath?: string }} [options]
   */
  constructor(name, file, args, { execArgv = [], execPath = process.execPath } = {}) {
    this.#name = name;
    this.#process = fork(file, args, { execArgv, execPath });
    running.add(this.#process);
    this.#ready = this.#expect(READY, 'ready', ANSWER_TIMEOUT_MS);
    this.#ready.catch(() => {});
    this.#process.on('message', (/** @type {any} */ answer) => this.#settle(answer.id, answer));
    this.#process.on('error', (error) => this.#failAll(error));
    this.#process.on('exit', (code, signal) => {
      running.delete(this.#process);
      this.#failAll(new Error(`the ${name} process ended early (${signal ?? `code ${code}`})`));
    });
  }

  /**
   * Asks the child and waits for its answer, at most `timeoutMs`.
   *
   * @param {string} question
   * @param {object} [details]
   * @returns {Promise<any>}
   */
  async ask(question, details = {}, timeoutMs = ANSWER_TIMEOUT_MS) {
    await this.#ready;
    if (!this.#process.connected) throw new Error(`the ${this.#name} process is gone`);
    const id = this.#nextId++;
    const answered = this.#expect(id, question, timeoutMs);
    this.#process.send({ id, question, ...details });
    return answered;
  }

  /** @param {number} id @param {string} question @param {number} timeoutMs @returns {Promise<any>} */
  #expect(id, question, timeoutMs) {
    return new Promise((resolve, reject) => {
      const error = `the ${this.#name} did not answer "${question}" within ${timeoutMs} ms`;
      const timer = setTimeout(() => this.#settle(id, { error }), timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  /** Ends the child and waits until it is gone. */
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await gone;
  }

  #settle(/** @type {number} */ id, /** @type {{ error?: string, value?: unknown }} */ answer) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (answer.error === undefined) waiting.resolve(answer.value);
    else waiting.reject(new Error(answer.error));
  }

  #failAll(/** @type {Error} */ error) {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { error: error.message });
  }
}

/**
 * The child's end: answers each question with what its handler returns or resolves to.
 *
 * @param {Record<string, (details: any) => unknown>} handlers
 */
export function answer(handlers) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async (/** @type {any} */ { id, question, ...details }) => {
    try {
      const handler = handlers[question];
      if (handler === undefined) throw new Error(`unknown question ${question}`);
      process.send?.({ id, value: await handler(details) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  process.send?.({ id: READY });
}

/** What this process has used so far, and when that was. */
export function sampleProcess() {
  const { user, system } = process.cpuUsage();
  return { userUs: user, systemUs: system, atMs: performance.now() };
}
