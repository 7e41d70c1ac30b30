// A list of what lives: sessions and servers enter when they begin and leave when they are closed. For finding out why a
// process does not end, or what it still holds; gauges come from `stats()`.

/** A living thing, as it was when asked. Kinds add details of their own: counts, never payloads or secrets. */
export interface ActiveEntry {
  kind: string;
  id: string | undefined;
  state: string;
  /** Since it was made. */
  ageMs: number;
  readonly [detail: string]: unknown;
}

export interface Describable {
  describe(): ActiveEntry;
}

const living = new Set<Describable>();

/** Lists an object until {@link untrack}, which its owner calls when it closes. */
export function track(object: Describable): void {
  living.add(object);
}

export function untrack(object: Describable): void {
  living.delete(object);
}

export const debug = {
  /**
   * Everything of the agent layer in this process that has not been closed, oldest first.
   *
   * @example
   * console.table(debug.active());
   */
  active(): ActiveEntry[] {
    return Array.from(living, (object) => object.describe());
  },
};
