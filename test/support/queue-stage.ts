// A send queue for tests: text goes in, what is dropped is noted, and promises are looked at without waiting for them.

import type { DroppedMessage, QueueOptions, SendOptions } from '../../src/agent/queue-options.js';
import { SendQueue } from '../../src/agent/send-queue.js';

export const NOTHING_SENT = { count: 0, bytes: 0 };

/** A queue to which text is added, with what is dropped as `reason:text`. */
export function queueStage(options: QueueOptions = {}, onDrop: (dropped: DroppedMessage) => void = () => {}) {
  const drops: string[] = [];
  const queue = new SendQueue(options, (dropped) => {
    drops.push(`${dropped.reason}:${dropped.data}`);
    onDrop(dropped);
  });
  const add = (text: string, options: SendOptions = {}, sent = NOTHING_SENT, nowMs = 0) =>
    queue.add(text, options, sent, nowMs);
  return { queue, drops, add, waiting: () => waitingIn(queue) };
}

/** Takes everything out, as a session sends it. */
export function waitingIn(queue: SendQueue): unknown[] {
  const all: unknown[] = [];
  for (let message = queue.peek(); message !== undefined; message = queue.peek()) {
    all.push(message.data);
    queue.shift();
  }
  return all;
}

/** What has become of a promise by now. */
export async function fate(promise: unknown): Promise<unknown> {
  const pending = Symbol('pending');
  const outcome = await Promise.race([promise, Promise.resolve(pending)]).catch(
    (error: { code: string }) => error.code,
  );
  return outcome === pending ? 'pending' : outcome;
}
