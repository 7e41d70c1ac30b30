// Finds peers that are gone without having said so: a Ping at every interval, and an end to the connection of which no
// byte has come since (RFC 6455 §5.5.2). One unref'ed timer serves all sockets of the same interval.

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

interface Entry {
  socket: Monitored;
  /** Ticks since the Ping that no byte has answered yet; -1 when none is out. */
  silentTicks: number;
}

/** A group of sockets that share an interval. Ticks are as short as the shorter of interval and timeout. */
class Ward {
  readonly #entries = new Map<Monitored, Entry>();
  readonly #pingEvery: number;
  readonly #patience: number;
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;
  #tick = 0;
  #expectedAt = 0;

  constructor(intervalMs: number, timeoutMs: number) {
    this.#tickMs = Math.min(intervalMs, timeoutMs);
    this.#pingEvery = Math.max(1, Math.round(intervalMs / this.#tickMs));
    this.#patience = Math.max(1, Math.round(timeoutMs / this.#tickMs));
  }

  add(socket: Monitored): void {
    this.#entries.set(socket, { socket, silentTicks: -1 });
    if (this.#timer !== undefined) return;
    this.#expectedAt = performance.now() + this.#tickMs;
    this.#timer = setInterval(() => this.#beat(), this.#tickMs);
    this.#timer.unref();
  }

  /** Returns true when nobody is left. */
  remove(socket: Monitored): boolean {
    this.#entries.delete(socket);
    if (this.#entries.size > 0) return false;
    clearInterval(this.#timer);
    this.#timer = undefined;
    return true;
  }

  #beat(): void {
    const now = performance.now();
    // Our own event loop was blocked: the peers' answers may wait in the kernel. They get another tick.
    const isLate = now > this.#expectedAt + this.#tickMs;
    this.#expectedAt = now + this.#tickMs;
    this.#tick++;
    const pings = this.#tick % this.#pingEvery === 0;
    for (const entry of this.#entries.values()) {
      if (entry.socket.takeActivity()) entry.silentTicks = -1;
      else if (entry.silentTicks >= 0 && !isLate) entry.silentTicks++;
      if (entry.silentTicks >= this.#patience) {
        entry.socket.terminate();
        continue;
      }
      if (!pings) continue;
      entry.socket.ping();
      if (entry.silentTicks < 0) entry.silentTicks = 0;
    }
  }
}

const wards = new Map<string, Ward>();

/**
 * Watches a socket until the returned function is called.
 *
 * @throws RangeError when a duration is not a positive finite number
 */
export function watch(socket: Monitored, options: HeartbeatOptions): () => void {
  const { intervalMs, timeoutMs = intervalMs } = options;
  for (const ms of [intervalMs, timeoutMs]) {
    if (!(Number.isFinite(ms) && ms > 0)) {
      throw new RangeError(`heartbeat: a positive number of milliseconds was expected, got ${ms}`);
    }
  }
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
