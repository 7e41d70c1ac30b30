// Every default number of the protocol, and why it is what it is. Options of the same names override them.

export const LIMITS = {
  /** Largest message that is received, in bytes, after inflating; 0 is no limit. The same as in `ws`. */
  maxPayload: 100 * 1024 * 1024,
  /**
   * Frames a message may consist of; 0 is no limit. Unlike in `ws` none is needed: fragments are copied into one
   * buffer, so that a message costs its bytes however many frames brought it.
   */
  maxFragments: 0,
  /** Reads, of 64 KiB at most, over which the payload of one frame may be spread; 0 is no limit, for the same reason. */
  maxBufferedChunks: 0,
  /** Messages of fewer bytes are not compressed, where no context is kept: it would cost more than it saves. */
  compressFromBytes: 1024,
  /** Automatic Pongs that may wait for a peer which does not read, before the connection is cut. */
  maxPendingAutoPongs: 60,
  /** From sending Close to destroying the socket of a peer that does not answer. */
  closeTimeoutMs: 30_000,
  /** How long a client waits, once both Close frames went through, for the server to close TCP first. */
  serverClosesFirstMs: 1_000,
  /** First space for a message that does not arrive in one read; it grows with what has arrived. */
  assemblyBytes: 16 * 1024,
  /** From this many bytes on the space may leap to `assemblyLeapBytes`, if as much is announced. */
  assemblyLeapFromBytes: 32 * 1024,
  assemblyLeapBytes: 1024 * 1024,
  /** The bookkeeping that a fragment costs where its boundary is kept (`binaryType` 'fragments'). */
  fragmentBookkeepingBytes: 64,
  /**
   * Payloads of at most this size are copied behind their header, so that the answers to what came in one read leave in one
   * write (echo of 16 KiB: 12 µs -> 9); larger ones are written from where they are.
   */
  copiedPayloadBytes: 16 * 1024,
  /** Size of the block in which outgoing frames are gathered. */
  outputBlockBytes: 64 * 1024,
} as const;
