// How much a peer may ask of us, and we of it. Every default stands here.

export interface RpcLimits {
  /** Calls in flight, in each direction; notifications whose handlers are still at work count. 1,024 by default. */
  calls?: number;
  /** Open streams, in each direction; 256 by default. */
  streams?: number;
  /** Characters of an id or an idempotency key; 1,024 by default. */
  idLength?: number;
  /** Length of a message in UTF-16 code units; 1 MiB by default. A session's queue may set a lower one. */
  messageBytes?: number;
}

export const DEFAULT_LIMITS: Required<RpcLimits> = {
  calls: 1024,
  streams: 256,
  idLength: 1024,
  messageBytes: 2 ** 20,
};

/** What every stream begins with, and has at most: the first items need not wait for a grant (docs/rpc-protocol.md). */
export const STREAM_WINDOW = { items: 64, bytes: 256 * 1024 } as const;

/** @throws RangeError for what is no whole number above 0 */
export function checkLimits(limits: RpcLimits): Required<RpcLimits> {
  for (const [name, value] of Object.entries(limits)) {
    if (!(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`limits.${name}: a whole number above 0 was expected, got ${value}`);
    }
  }
  return { ...DEFAULT_LIMITS, ...limits };
}
