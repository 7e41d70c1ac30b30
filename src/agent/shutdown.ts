// Ends a server gracefully when the system asks for it: the first signal drains and closes it, the second one ends the
// process at once. Only for Node; what draining means is the server's own business.

/** What is shut down: a SessionServer, or anything like it. */
export interface Drainable {
  /** Sends the clients elsewhere; done when they have gone, or when the deadline has cut them off. */
  drain(options: { deadlineMs?: number }): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface ShutdownOptions {
  /** By default SIGTERM and SIGINT. */
  signals?: NodeJS.Signals[];
  /**
   * Milliseconds that draining may take; by default the server's own. Less than what your supervisor waits before it
   * sends SIGKILL.
   */
  deadlineMs?: number;
  /**
   * What to do then, once; by default the error is printed and the process exits. The code is 0; 1 when draining or
   * closing failed, with the error; after a second signal 128 and the signal's number.
   */
  exit?: (code: number, error?: unknown) => void;
}

/**
 * Shuts `server` down at a signal.
 *
 * @returns a function that takes the signals' listeners away again; a shutdown that has begun goes on
 * @example
 * shutdownOn(server, {
 *   deadlineMs: 20_000,
 *   exit: async (code) => {
 *     await database.end();
 *     process.exit(code);
 *   },
 * });
 */
export function shutdownOn(server: Drainable, options: ShutdownOptions = {}): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], deadlineMs, exit = exitProcess } = options;
  let isShuttingDown = false;
  let hasExited = false;

  const dispose = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const exitOnce = (code: number, error?: unknown): void => {
    if (hasExited) return;
    hasExited = true;
    dispose();
    exit(code, error);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isShuttingDown) {
      exitOnce(128 + signalNumber(signal));
      return;
    }
    isShuttingDown = true;
    drainAndClose(server, deadlineMs).then(
      () => exitOnce(0),
      (error) => exitOnce(1, error),
    );
  };

  for (const signal of signals) process.on(signal, onSignal);
  return dispose;
}

/** Closes even when draining fails. */
async function drainAndClose(server: Drainable, deadlineMs: number | undefined): Promise<void> {
  try {
    await server.drain(deadlineMs === undefined ? {} : { deadlineMs });
  } finally {
    await server.close();
  }
}

function exitProcess(code: number, error: unknown): void {
  if (error !== undefined) console.error(error);
  process.exit(code);
}

function signalNumber(signal: NodeJS.Signals): number {
  return process.getBuiltinModule('node:os').constants.signals[signal];
}
