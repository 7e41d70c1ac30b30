// The two ends of a connection, and what differs between them. No other file compares roles for a rule.

export type Role = 'client' | 'server';

/** The other end. */
export function peerOf(role: Role): Role {
  return role === 'client' ? 'server' : 'client';
}

/** [RFC6455-5.1-1] [RFC6455-5.1-4] A client masks every frame, a server none. */
export function sendsMasked(role: Role): boolean {
  return role === 'client';
}

/** [RFC6455-5.1-2] [RFC6455-5.1-5] Each end receives what the other one must send. */
export function receivesMasked(role: Role): boolean {
  return role === 'server';
}

/** [RFC6455-7.1.1-3] [RFC6455-7.1.1-6] The server closes the TCP connection first; the client waits for it. */
export function closesTransportFirst(role: Role): boolean {
  return role === 'server';
}
