// Durations and numbers of bytes as a person types them: 40ms, 5s, 64k.
import { UsageError } from './arguments.js';

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTE_UNITS = { '': 1, k: 1024, m: 1024 * 1024 };

/** Longer ones wrap around in Node's timers. */
const LONGEST_MS = 2 ** 31 - 1;

/** @returns milliseconds, at least 1. @throws UsageError */
export function parseDuration(what: string, text: string): number {
  const [, digits, unit] = /^(\d{1,10}(?:\.\d{1,6})?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(digits) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS];
  if (ms >= 1 && ms <= LONGEST_MS) return ms;
  throw new UsageError(
    `${what} must be a duration such as 40ms, 5s or 1m, of at most 24 days, not ${JSON.stringify(text)}`,
  );
}

/** @returns bytes, at least `min`. @throws UsageError */
export function parseByteCount(what: string, text: string, min: number): number {
  const [, digits, unit] = /^(\d{1,10})([km]?)$/i.exec(text) ?? [];
  const bytes = Number(digits) * BYTE_UNITS[unit?.toLowerCase() as keyof typeof BYTE_UNITS];
  if (bytes >= min) return bytes;
  throw new UsageError(
    `${what} must be a number of bytes such as 64, 1k or 1m, at least ${min}, not ${JSON.stringify(text)}`,
  );
}
