// What a streamed result, or a streamed member of params, is to the end that reads it. Types only: how items travel, and
// the credit that holds their producer back, are elsewhere.

/**
 * Items from the peer, once: `for await (const item of stream)`. Leaving the loop cancels the stream where its items are
 * made. The producer is held back while nobody reads.
 */
export interface RpcStream<T> extends AsyncIterableIterator<T, undefined> {
  /** Wants no more items. `reason` is told to the producer. Resolves when that is on its way. */
  cancel(reason?: string): Promise<void>;
}

/** Nothing in JSON is iterable this way: where received data holds one, it is a stream of ours. */
export function isStream(value: unknown): value is RpcStream<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
