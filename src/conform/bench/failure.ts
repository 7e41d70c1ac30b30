// What can go wrong with a server under load, as a value: its kind for programs, its message for people.

export type BenchmarkFailureKind =
  /** No TCP or TLS connection came about. */
  | 'unreachable'
  /** A connection, but no opening handshake of RFC 6455. */
  | 'handshake'
  /** The server fell silent. */
  | 'timeout'
  /** Something came back, but not what was sent. */
  | 'wrong-echo'
  /** A frame that a server may not send. */
  | 'protocol'
  /** The server ended a connection. */
  | 'closed'
  /** An open loop asked for more than the server gives. */
  | 'overload';

/** The message is one sentence in lower case, without a full stop. */
export class BenchmarkFailure extends Error {
  override readonly name = 'BenchmarkFailure';
  readonly kind: BenchmarkFailureKind;

  constructor(kind: BenchmarkFailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
