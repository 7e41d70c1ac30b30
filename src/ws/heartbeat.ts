// Finds peers that are gone without having said so: a Ping at every interval, and an end to the connection of which no
// byte has come since (RFC 6455 §5.5.2). Sockets with the same options share their timers, which keep no process alive.

/** How often to ping, and how long a peer may stay silent afterwards. */
export interface HeartbeatOptions {
  /** Milliseconds between Pings. */
  intervalMs: number;
  /** Milliseconds after a Ping in which some byte must arrive; by default the interval. */
  timeoutMs?: number;
}

/** A connection under watch. */
export interface Monitored {
  /** Whether any byte has arrived since the last call. */
  takeActivity(): boolean;
  ping(): void;
  terminate(): void;
}

/** A group of sockets with the same options. */
class Ward {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  /** For each socket the number of the last Ping behind which something was heard of it. */
  readonly #heardAfter = new Map<Monitored, number>();
  #interval: NodeJS.Timeout | undefined;
  #pingNumber = 0;

  constructor(intervalMs: number, timeoutMs: number) {
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
  }

  add(socket: Monitored): void {
    this.#heardAfter.set(socket, this.#pingNumber);
    this.#interval ??= setInterval(() => this.#ping(), this.#intervalMs).unref();
  }

  /** Returns true when nobody is left. */
  remove(socket: Monitored): boolean {
    this.#heardAfter.delete(socket);
    if (this.#heardAfter.size > 0) return false;
    clearInterval(this.#interval);
    this.#interval = undefined;
    return true;
  }

  #ping(): void {
    this.#listen();
    this.#pingNumber++;
    for (const socket of this.#heardAfter.keys()) socket.ping();
    this.#checkLater(this.#pingNumber);
  }

  /** Cuts off, after the timeout, who was silent since this Ping. */
  #checkLater(pingNumber: number): void {
    // When our own event loop was blocked the answers wait in the kernel: they are read between the timer and the check.
    setTimeout(() => setImmediate(() => this.#check(pingNumber)), this.#timeoutMs).unref();
  }

  #check(pingNumber: number): void {
    this.#listen();
    for (const [socket, heardAfter] of this.#heardAfter) {
      if (heardAfter >= pingNumber) continue;
      // Once is enough; the socket leaves when its end is known.
      this.#heardAfter.set(socket, Number.POSITIVE_INFINITY);
      socket.terminate();
    }
  }

  #listen(): void {
    for (const socket of this.#heardAfter.keys()) {
      if (socket.takeActivity()) this.#heardAfter.set(socket, this.#pingNumber);
    }
  }
}

const wards = new Map<string, Ward>();

/** Longer ones wrap around in Node's timers. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws RangeError when a duration is not one that a timer can have */
export function checkHeartbeat({ intervalMs, timeoutMs = intervalMs }: HeartbeatOptions): void {
  for (const ms of [intervalMs, timeoutMs]) {
    if (!(ms > 0 && ms <= LONGEST_MS)) {
      throw new RangeError(`heartbeat: 1 to ${LONGEST_MS} milliseconds were expected, got ${ms}`);
    }
  }
}

/**
 * Watches a socket until the returned function is called.
 *
 * @throws RangeError when a duration is not one that a timer can have
 */
export function watch(socket: Monitored, options: HeartbeatOptions): () => void {
  checkHeartbeat(options);
  const { intervalMs, timeoutMs = intervalMs } = options;
  const key = `${intervalMs}/${timeoutMs}`;
  let ward = wards.get(key);
  if (ward === undefined) {
    ward = new Ward(intervalMs, timeoutMs);
    wards.set(key, ward);
  }
  ward.add(socket);
  return () => {
    if (ward.remove(socket)) wards.delete(key);
  };
}
