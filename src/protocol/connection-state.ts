// The life of a connection once it is established (RFC 6455 §7.1), as a table. Nothing else names a transition.
//
//                        send Close          receive Close        fail       TCP closed
//   OPEN              -> CLOSE_SENT          CLOSE_RECEIVED       FAILED     CLOSED
//   CLOSE_SENT           -                   CLOSE_EXCHANGED      FAILED     CLOSED
//   CLOSE_RECEIVED    -> CLOSE_EXCHANGED     -                    FAILED     CLOSED
//   CLOSE_EXCHANGED      -                   -                    -          CLOSED
//   FAILED               -                   -                    -          CLOSED
//
// FAILED stands for every end without a closing handshake: a broken rule, a cut by the application, a peer that left.
// The WebSocket API's CLOSING is every state between OPEN and CLOSED.

export const OPEN = 0;
export const CLOSE_SENT = 1;
export const CLOSE_RECEIVED = 2;
export const CLOSE_EXCHANGED = 3;
export const FAILED = 4;
export const CLOSED = 5;

export type ConnectionState = 0 | 1 | 2 | 3 | 4 | 5;
export type ConnectionEvent = 'sendClose' | 'receiveClose' | 'fail' | 'transportClosed';

const TRANSITIONS: Record<ConnectionEvent, readonly ConnectionState[]> = {
  // index: the state before;  OPEN, CLOSE_SENT, CLOSE_RECEIVED, CLOSE_EXCHANGED, FAILED, CLOSED
  sendClose: [CLOSE_SENT, CLOSE_SENT, CLOSE_EXCHANGED, CLOSE_EXCHANGED, FAILED, CLOSED],
  // [RFC6455-5.5.1-15] Behind our own Close it is the other half, whether it answers ours or crossed it.
  receiveClose: [CLOSE_RECEIVED, CLOSE_EXCHANGED, CLOSE_RECEIVED, CLOSE_EXCHANGED, FAILED, CLOSED],
  fail: [FAILED, FAILED, FAILED, CLOSE_EXCHANGED, FAILED, CLOSED],
  transportClosed: [CLOSED, CLOSED, CLOSED, CLOSED, CLOSED, CLOSED],
};

/** The state after `event`. */
export function nextState(state: ConnectionState, event: ConnectionEvent): ConnectionState {
  return TRANSITIONS[event][state]!;
}

/** [RFC6455-5.5.1-6] Data may be sent in OPEN only: not once a Close frame went either way. */
export function maySend(state: ConnectionState): boolean {
  return state === OPEN;
}
