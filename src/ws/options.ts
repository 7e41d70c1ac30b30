// Options that clients and servers share.

import type { HeartbeatOptions } from './heartbeat.js';

/** Options that hold for either role, once the connection stands. */
export interface SocketOptions {
  allowSynchronousEvents?: boolean | undefined;
  autoPong?: boolean | undefined;
  closeTimeout?: number | undefined;
  crashOnUnhandledError?: boolean | undefined;
  generateMask?: ((mask: Buffer) => void) | undefined;
  heartbeat?: HeartbeatOptions | undefined;
  maxBufferedChunks?: number | undefined;
  maxFragments?: number | undefined;
  maxPayload?: number | undefined;
  maxPendingAutoPongs?: number | undefined;
  skipUTF8Validation?: boolean | undefined;
}
