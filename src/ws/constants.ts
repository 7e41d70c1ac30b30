// The ready states of the WebSocket API and the values of `binaryType`.

export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;

export const READY_STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

export type ReadyState = 0 | 1 | 2 | 3;

/** Forms in which a binary message can be handed over. */
export const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const;

export type BinaryType = (typeof BINARY_TYPES)[number];
