// A call with an idempotency key: its handler runs once for all who call under the same key, as long as one of them waits.

import { type IdempotencyStore, once } from '../agent/idempotency.js';
import { RPC, RpcError } from './errors.js';
import { discard, isAsyncIterable } from './stream-reference.js';

/** What those who wait for the same work are told when its caller has gone. */
const GIVEN_UP = new Error('the call was given up');

/** @throws (rejects) what the handler or the store throws; RpcError `NOT_IDEMPOTENT` for a stream */
export async function handleOnce(
  call: { readonly isAwaited: boolean },
  store: IdempotencyStore,
  key: string,
  handle: () => Promise<unknown>,
): Promise<unknown> {
  for (;;) {
    try {
      return await once(store, key, () => handleFor(call, handle));
    } catch (error) {
      // A caller that came back shares the work of its former self, but not that it was given up.
      if (error !== GIVEN_UP || !call.isAwaited) throw error;
    }
  }
}

/** @throws (rejects) `GIVEN_UP` where it failed and nobody waits for it */
async function handleFor(
  call: { readonly isAwaited: boolean },
  handle: () => Promise<unknown>,
): Promise<unknown> {
  if (!call.isAwaited) throw GIVEN_UP;
  let result: unknown;
  try {
    result = await handle();
  } catch (error) {
    throw call.isAwaited ? error : GIVEN_UP;
  }
  if (!isAsyncIterable(result)) return result;
  discard(result);
  throw new RpcError(RPC.NOT_IDEMPOTENT, 'a stream cannot be remembered under an idempotency key');
}
