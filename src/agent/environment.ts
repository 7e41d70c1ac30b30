// Time and randomness for everything in `agent/`, as one object, so that a test can own both.

/** What a timer function returned; only for handing back. */
export type Timer = unknown;

/** Longer ones wrap around in real timers, which then fire at once. */
export const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export interface Environment {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** @param keepsAlive whether the process may not end while the timer runs; only for Node */
  setTimeout(run: () => void, ms: number, keepsAlive?: boolean): Timer;
  clearTimeout(timer: Timer): void;
  /** At least 0 and below 1; need not be unpredictable. */
  random(): number;
  /** 128 unpredictable bits in base64url, 22 characters. */
  randomId(): string;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** 22 characters hold 132 bits, of which the last character leaves four unused. */
function encodeId(bytes: Uint8Array): string {
  let id = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      id += BASE64URL[(held >> bits) & 63];
    }
    held &= (1 << bits) - 1;
  }
  return id + BASE64URL[(held << (6 - bits)) & 63];
}

/** The machine's own clock and random numbers. */
export const environment: Environment = {
  now: () => performance.now(),
  setTimeout(run, ms, keepsAlive = false) {
    const timer: unknown = setTimeout(run, ms);
    // A browser's timers are numbers.
    if (!keepsAlive && typeof timer === 'object') (timer as { unref(): void }).unref();
    return timer;
  },
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
  random: () => Math.random(),
  randomId: () => encodeId(crypto.getRandomValues(new Uint8Array(16))),
};
