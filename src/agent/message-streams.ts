// A session, or a plain socket of Node, as a pair of WHATWG streams in the shape of the platform's `WebSocketStream`: one
// chunk is one message, and backpressure holds both ways.

import { SessionStreams, type StreamableSession } from './session-streams.js';
import { SocketStreams, type StreamableSocket } from './socket-streams.js';
import type { MessageStreams } from './stream-view.js';

/**
 * Streams over a session or a socket; whoever makes them leaves its messages, and its end, to them.
 *
 * Make them before the first message can come: in the listener of 'connection', or right after `new WebSocket()`. A
 * session tells neither code nor reason to the peer, so that `close()` ignores both there; when the server has lost it, the
 * streams fail with the SessionError `lost`.
 *
 * When the peer closes, the readable ends and the writable fails with an InvalidStateError, as the platform's do: a
 * `pipeTo(writable)` under way rejects then.
 *
 * @throws TypeError for a socket that cannot be paused, such as a browser's
 * @example
 * ```ts
 * const { readable, writable } = await messageStreams(session).opened;
 * await readable.pipeThrough(translation).pipeTo(writable);
 * ```
 */
export function messageStreams(source: StreamableSession | StreamableSocket): MessageStreams {
  if (!('readyState' in source)) return new SessionStreams(source);
  if (typeof source.pause !== 'function' || typeof source.resume !== 'function') {
    throw new TypeError(
      'This WebSocket has no pause() and resume(), so its messages would pile up: use a session, whose window holds the peer back',
    );
  }
  return new SocketStreams(source);
}
