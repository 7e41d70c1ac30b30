// What a streamed result, or a streamed member of params, is to the end that reads it. How items travel, and the credit that
// holds their producer back, are elsewhere.

/**
 * Items from the peer, once: `for await (const item of stream)`. Leaving the loop cancels the stream where its items are
 * made, and so does `await using`. The producer is held back while nobody reads.
 */
export interface RpcStream<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** Wants no more items. `reason` is told to the producer. Never rejects. */
  cancel(reason?: string): Promise<void>;
}
