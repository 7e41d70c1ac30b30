// Tells when a browser comes back, to the network or to the user's eyes: a moment at which waiting any longer for the next
// attempt to connect makes no sense. Elsewhere, as in Node, nothing of the kind is told, and nothing happens.

interface Target {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

/** The part of a global object that is looked at. */
export interface WakeScope extends Partial<Target> {
  document?: Target & { readonly visibilityState: string };
}

/**
 * Calls `run` each time the browser comes back: it may well be told more than once of the same return. The returned
 * function ends that and leaves no listener.
 */
export function onWake(run: () => void, scope: WakeScope = globalThis as WakeScope): () => void {
  const { document } = scope;
  // Functions of our own, as a target takes the same one only once.
  const onReturn = (): void => run();
  const onVisibilityChange = (): void => {
    if (document?.visibilityState === 'visible') run();
  };
  const listeners: [target: Partial<Target> | undefined, type: string, listener: () => void][] = [
    [scope, 'online', onReturn],
    // From the back/forward cache.
    [scope, 'pageshow', onReturn],
    [document, 'visibilitychange', onVisibilityChange],
    // From being frozen, as background tabs are.
    [document, 'resume', onReturn],
  ];
  for (const [target, type, listener] of listeners) target?.addEventListener?.(type, listener);
  return () => {
    for (const [target, type, listener] of listeners) target?.removeEventListener?.(type, listener);
  };
}
