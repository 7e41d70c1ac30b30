// Faults by the clock: connections cut at an age, refusals after each cut, black holes that come and go. What the faults do
// is the proxy's.
import type { FaultConnection } from './fault-connection.js';
import type { CutMode, Directions } from './fault-pipe.js';
import type { FaultProxy } from './fault-proxy.js';

export interface Schedule {
  /** The age in milliseconds at which each connection is cut. */
  dropEveryMs?: number | undefined;
  dropWith: CutMode;
  /** Milliseconds after a cut in which new connections are refused. */
  refuseMs?: number | undefined;
  /** The last `forMs` of every `everyMs`, from now on. */
  blackhole?: { forMs: number; everyMs: number; direction: Directions } | undefined;
}

/** Begins at once. @returns a function that ends it */
export function startSchedule(proxy: FaultProxy, schedule: Schedule): () => void {
  const { dropEveryMs, dropWith, refuseMs, blackhole } = schedule;
  const stops: (() => void)[] = [];
  if (dropEveryMs !== undefined) stops.push(dropEvery(proxy, dropEveryMs, dropWith));
  if (refuseMs !== undefined) stops.push(refuseAfterCuts(proxy, refuseMs));
  if (blackhole !== undefined) stops.push(repeatBlackhole(proxy, blackhole));
  return () => {
    for (const stop of stops) stop();
  };
}

function dropEvery(proxy: FaultProxy, ageMs: number, how: CutMode): () => void {
  const timers = new Map<FaultConnection, NodeJS.Timeout>();
  const onConnection = (connection: FaultConnection): void => {
    timers.set(
      connection,
      setTimeout(() => connection.cut(how), ageMs),
    );
  };
  const onClose = (connection: FaultConnection): void => {
    clearTimeout(timers.get(connection));
    timers.delete(connection);
  };
  proxy.on('connection', onConnection);
  proxy.on('close', onClose);
  return () => {
    proxy.off('connection', onConnection);
    proxy.off('close', onClose);
    for (const connection of timers.keys()) onClose(connection);
  };
}

/** Counted from the last cut. */
function refuseAfterCuts(proxy: FaultProxy, forMs: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onCut = (): void => {
    clearTimeout(timer);
    proxy.refuse(true);
    timer = setTimeout(() => proxy.refuse(false), forMs);
  };
  proxy.on('cut', onCut);
  return () => {
    proxy.off('cut', onCut);
    clearTimeout(timer);
    proxy.refuse(false);
  };
}

function repeatBlackhole(
  proxy: FaultProxy,
  { forMs, everyMs, direction }: NonNullable<Schedule['blackhole']>,
): () => void {
  let isOn = false;
  let timer: NodeJS.Timeout;
  const set = (value: boolean): void => {
    isOn = value;
    proxy.blackhole(isOn, direction);
  };
  const turnLater = (): void => {
    timer = setTimeout(
      () => {
        set(!isOn);
        turnLater();
      },
      isOn ? forMs : everyMs - forMs,
    );
  };
  turnLater();
  return () => {
    clearTimeout(timer);
    if (isOn) set(false);
  };
}
