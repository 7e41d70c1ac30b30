// Waiting for events, and recording them in order.
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The arguments of the next emission of `name`. An 'error' does not reject it. */
// biome-ignore lint/suspicious/noExplicitAny: the arguments are whatever the event carries
export function next(emitter: EventEmitter, name: string): Promise<any[]> {
  return new Promise((resolve) => emitter.once(name, (...args: unknown[]) => resolve(args)));
}

/** A log that grows as the events come: [name, ...arguments]. */
export function record(emitter: EventEmitter, ...names: string[]): unknown[][] {
  const log: unknown[][] = [];
  for (const name of names) emitter.on(name, (...args: unknown[]) => log.push([name, ...args]));
  return log;
}

/** The arguments of the next `count` emissions. */
export function several(emitter: EventEmitter, name: string, count: number): Promise<unknown[][]> {
  return new Promise((resolve) => {
    const all: unknown[][] = [];
    const onEvent = (...args: unknown[]) => {
      all.push(args);
      if (all.length < count) return;
      emitter.off(name, onEvent);
      resolve(all);
    };
    emitter.on(name, onEvent);
  });
}

/** Calls `start` with a callback and resolves with the arguments that the callback got. */
export function called(start: (callback: (...args: unknown[]) => void) => void): Promise<unknown[]> {
  return new Promise((resolve) => start((...args) => resolve(args)));
}

/** One turn of the event loop: everything that is queued now, and what it queues in ticks, has run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What `action` throws; fails when it throws nothing. */
export function thrownBy(action: () => unknown): Error & { code?: string } {
  try {
    action();
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error('nothing was thrown');
}

/** Writes to one end of a connection and waits until the socket at the other end has read it, as a chunk of its own. */
export async function writeAndWait(from: Duplex, bytes: Uint8Array, to: Socket): Promise<void> {
  const expected = to.bytesRead + bytes.length;
  from.write(bytes);
  while (to.bytesRead < expected && !to.destroyed) await turn();
}
