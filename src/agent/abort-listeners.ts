// One listener on an AbortSignal for all who wait for it here. Many calls share one signal, and Node takes the eleventh listener
// for a leak.

const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `run` when the signal is aborted, unless {@link offAbort} comes first. It is not aborted yet. */
export function onAbort(signal: AbortSignal, run: () => void): void {
  let all = waiting.get(signal);
  if (all === undefined) {
    all = new Set();
    waiting.set(signal, all);
    signal.addEventListener('abort', tellAll);
  }
  all.add(run);
}

export function offAbort(signal: AbortSignal, run: () => void): void {
  const all = waiting.get(signal);
  all?.delete(run);
  if (all?.size === 0) forget(signal);
}

function tellAll({ target }: Event): void {
  const signal = target as AbortSignal;
  // Who is told may make another leave.
  for (const run of waiting.get(signal) ?? []) run();
  forget(signal);
}

function forget(signal: AbortSignal): void {
  waiting.delete(signal);
  signal.removeEventListener('abort', tellAll);
}
