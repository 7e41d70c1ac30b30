// What a user says of the queue and of a message in it, and what the queue says of messages.

import { abortError } from './errors.js';
import type { Data } from './link.js';

/**
 * What becomes of a message when the queue is full:
 * - `block`: `send()` waits for room;
 * - `error`: `send()` rejects with `queue-full`;
 * - `drop-oldest`: the oldest message without a number makes room;
 * - `drop-newest`: the message itself is dropped;
 * - `conflate`: a message replaces the waiting one with the same `key`, in its place, whether or not the queue is full;
 *   for a new key `send()` waits;
 * - `volatile`: a message goes out at once or is dropped, full or not.
 */
export type QueuePolicy = 'block' | 'error' | 'drop-oldest' | 'drop-newest' | 'conflate' | 'volatile';

/** Bounds over everything that was accepted and is not acknowledged. */
export interface QueueOptions {
  /** Payload bytes; text counts one for each UTF-16 code unit, as in `length`. 1 MiB by default. */
  maxBytes?: number;
  /** 4096 by default. */
  maxMessages?: number;
  /** `block` by default. */
  policy?: QueuePolicy;
  /** Messages that could not be sent for so long are dropped; by default they stay. In milliseconds. */
  ttlMs?: number;
}

export interface SendOptions {
  /** Gives up waiting for room. A message that was accepted stays accepted. */
  signal?: AbortSignal;
  /** Instead of the queue's. */
  ttlMs?: number;
  /** What the policy `conflate` compares. */
  key?: unknown;
}

/**
 * What became of a message: `accepted`, to be delivered; `displaced`, accepted in place of an older one that is lost;
 * `dropped`.
 */
export type SendOutcome = 'accepted' | 'displaced' | 'dropped';

/** Why a message was dropped. */
export type DropReason = 'full' | 'conflated' | 'expired' | 'volatile';

export interface DroppedMessage {
  reason: DropReason;
  data: Data;
  key: unknown;
}

const POLICIES: QueuePolicy[] = ['block', 'error', 'drop-oldest', 'drop-newest', 'conflate', 'volatile'];

/** @throws RangeError, TypeError */
export function checkQueueOptions(
  maxBytes: number,
  maxMessages: number,
  policy: QueuePolicy,
  ttlMs: number,
): void {
  for (const [name, value] of Object.entries({ maxBytes, maxMessages })) {
    if (!(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`queue.${name}: a whole number above 0 was expected, got ${value}`);
    }
  }
  if (!POLICIES.includes(policy)) {
    throw new TypeError(`queue.policy: one of ${POLICIES.join(', ')} was expected, got ${policy}`);
  }
  if (!(ttlMs > 0)) throw new RangeError(`queue.ttlMs: milliseconds above 0 were expected, got ${ttlMs}`);
}

/** @throws SessionError `aborted`, RangeError */
export function checkSendOptions({ signal, ttlMs }: SendOptions): void {
  if (signal?.aborted) throw abortError(signal);
  if (ttlMs !== undefined && !(ttlMs > 0)) {
    throw new RangeError(`ttlMs: milliseconds above 0 were expected, got ${ttlMs}`);
  }
}
