// One connection of the load: a bare socket, the opening handshake (RFC 6455 §4.1) and the reading of what comes after it.
// Pings are answered; everything else that ends a connection is told to `onLost`, once, as a value.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describeCloseCode } from '../../wire/close-code.js';
import { parseExtensions } from '../../wire/extension-header.js';
import { FrameParser } from '../../wire/frame-parser.js';
import { type HeaderFields, parseResponseHead } from '../../wire/http-head.js';
import { CLOSE, PING, PONG } from '../../wire/opcode.js';
import { acceptFor, randomHandshakeKey } from '../opening.js';
import { BenchmarkFailure } from './failure.js';
import { maskedFrame } from './message-block.js';
import { MessageReader, type MessageSink } from './message-reader.js';
import type { BenchTarget } from './target.js';

const HEAD_LIMITS = { maxHeadBytes: 16_384, maxHeaderFields: 200 };
/** How long the server has for its half of the closing handshake. */
const CLOSE_TIMEOUT_MS = 1000;
/** Pongs wait here while the server does not read; more than so much, and it gets none. */
const MAX_UNREAD_PONG_BYTES = 1024 * 1024;
const FIN = 0x80;

/** Every plain socket reads into it, one at a time: what arrives is looked at at once and not kept. */
const readBuffer = Buffer.allocUnsafeSlow(512 * 1024);

/** What the server agreed to about permessage-deflate. */
export interface AgreedDeflate {
  /** Whether its messages may refer to earlier ones (no `server_no_context_takeover`). */
  keepsContext: boolean;
}

export class BenchConnection {
  /** Null when permessage-deflate was not offered, or was declined. */
  deflate: AgreedDeflate | null = null;
  /** Bytes that have arrived since the handshake. */
  bytesReceived = 0;
  /** Called once when the connection ends although it was not closed here. */
  onLost: (failure: BenchmarkFailure) => void = () => {};
  /** Why it ended, if it did. */
  lost: BenchmarkFailure | null = null;
  readonly #socket: Socket;
  readonly #reader = new MessageReader((opcode, payload) => this.#onControl(opcode, payload));
  readonly #parser = new FrameParser(this.#reader);
  #receive: (bytes: Uint8Array) => void = () => {};
  #closeReceived: string | null = null;
  #isOpen = false;
  #isClosing = false;

  /** Opens a connection and checks the server's handshake. @throws BenchmarkFailure by rejection */
  static open(target: BenchTarget, offersDeflate: boolean, timeoutMs: number): Promise<BenchConnection> {
    const connection = new BenchConnection(target);
    return connection.#handshake(target, offersDeflate, timeoutMs).then(() => connection);
  }

  private constructor(target: BenchTarget) {
    const { host, port } = target;
    if (target.isSecure) {
      this.#socket = connectTls({
        host,
        port,
        rejectUnauthorized: !target.acceptsAnyCertificate,
        ...(isIP(host) === 0 && { servername: host }),
      });
      this.#socket.on('data', (bytes) => this.#onBytes(bytes));
    } else {
      const callback = (length: number): boolean => {
        this.#onBytes(readBuffer.subarray(0, length));
        return true;
      };
      this.#socket = connectTcp({ host, port, onread: { buffer: readBuffer, callback } });
    }
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#end(explainSocketError(error, target)));
    this.#socket.on('close', () => this.#end(this.#closedByPeer()));
  }

  /** Who gets the messages. */
  set sink(sink: MessageSink) {
    this.#reader.sink = sink;
  }

  /** Bytes that the socket has taken but not yet sent. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Does nothing once the connection is lost. */
  write(bytes: Uint8Array): void {
    if (this.lost === null) this.#socket.write(bytes);
  }

  /** The closing handshake, and the end of the TCP connection, whoever brings it about. */
  close(): Promise<void> {
    if (this.lost !== null || this.#isClosing) return Promise.resolve();
    this.#isClosing = true;
    this.#receive = () => {};
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
      this.#socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end(maskedFrame(FIN | CLOSE, Uint8Array.of(0x03, 0xe8)));
    });
  }

  /** Drops the connection with a reset, which leaves no port in TIME_WAIT behind. */
  reset(): void {
    this.#isClosing = true;
    if ('encrypted' in this.#socket) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  #handshake(target: BenchTarget, offersDeflate: boolean, timeoutMs: number): Promise<void> {
    const key = randomHandshakeKey();
    return new Promise((resolve, reject) => {
      const late = (): void =>
        this.#end(
          new BenchmarkFailure('timeout', `no answer to the opening handshake within ${timeoutMs} ms`),
        );
      const timer = setTimeout(late, timeoutMs);
      this.onLost = (failure) => {
        clearTimeout(timer);
        reject(failure);
      };
      let head: Buffer = Buffer.alloc(0);
      this.#receive = (bytes) => {
        head = Buffer.concat([head, bytes]);
        const rest = this.#readResponse(head, key, offersDeflate);
        if (rest === undefined) return;
        clearTimeout(timer);
        this.onLost = () => {};
        this.#isOpen = true;
        this.#receive = (received) => this.#onFrames(received);
        resolve();
        if (rest.length > 0) this.#onFrames(rest);
      };
      this.#socket.write(requestHead(target, key, offersDeflate));
    });
  }

  /** Returns what follows the head, or undefined when the head is incomplete. */
  #readResponse(bytes: Buffer, key: string, offersDeflate: boolean): Buffer | undefined {
    const head = parseResponseHead(bytes, HEAD_LIMITS, latin1);
    const isHttp = 'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7));
    if (head === undefined && isHttp) return undefined;
    if (!head?.ok) throw notWebSocket('with something that is not HTTP');
    if (head.statusCode !== 101) {
      throw notWebSocket(`with ${`${head.statusCode} ${printable(head.statusMessage)}`.trim()}`);
    }
    if (String(head.headers['sec-websocket-accept'] ?? '').trim() !== acceptFor(key)) {
      throw notWebSocket('with 101, but without the right Sec-WebSocket-Accept');
    }
    this.deflate = readDeflate(head.headers, offersDeflate);
    this.#reader.mayCompress = this.deflate !== null;
    return Buffer.from(bytes.subarray(head.headLength));
  }

  #onBytes(bytes: Uint8Array): void {
    try {
      this.#receive(bytes);
    } catch (error) {
      // A peer never throws into the judge: what it did wrong ends its connection.
      this.#end(error instanceof BenchmarkFailure ? error : new BenchmarkFailure('protocol', String(error)));
    }
  }

  #onFrames(bytes: Uint8Array): void {
    this.bytesReceived += bytes.length;
    this.#parser.push(bytes);
  }

  #onControl(opcode: number, payload: Uint8Array): void {
    // RFC 6455 §5.5.2: a Ping is answered, also under load, or the server may think that we are gone.
    if (opcode === PING && this.unsentBytes < MAX_UNREAD_PONG_BYTES) {
      this.write(maskedFrame(FIN | PONG, payload));
    }
    if (opcode !== CLOSE) return;
    const code = payload.length >= 2 ? (payload[0]! << 8) | payload[1]! : null;
    this.#closeReceived =
      code === null
        ? 'with a Close frame without a code'
        : `with code ${code} (${describeCloseCode(code).name})`;
    this.#socket.end(maskedFrame(FIN | CLOSE, payload.subarray(0, 2)));
    // The rest of the closing handshake is the server's, but not for ever.
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS);
    this.#socket.once('close', () => clearTimeout(timer));
    this.#lose(this.#closedByPeer());
  }

  #closedByPeer(): BenchmarkFailure {
    const how = !this.#isOpen
      ? 'during the opening handshake'
      : (this.#closeReceived ?? 'without a Close frame');
    return new BenchmarkFailure('closed', `the server closed the connection ${how}`);
  }

  #end(failure: BenchmarkFailure): void {
    if (this.lost !== null || this.#isClosing) {
      this.#socket.destroy();
      return;
    }
    // A reset is an end without a Close frame.
    this.#lose(failure.kind === 'closed' ? this.#closedByPeer() : failure);
    this.#socket.destroy();
  }

  #lose(failure: BenchmarkFailure): void {
    this.lost = failure;
    this.#receive = () => {};
    // The parser may be in the middle of more frames.
    this.#parser.isStopped = true;
    this.onLost(failure);
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);
}

/** Two offers: a server that cannot do without its context takes the second. */
const DEFLATE_OFFERS =
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover, permessage-deflate';

function requestHead(target: BenchTarget, key: string, offersDeflate: boolean): string {
  const lines = [
    `GET ${target.resource} HTTP/1.1`,
    `Host: ${target.authority}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
    'User-Agent: hawser-bench',
    ...(offersDeflate ? [`Sec-WebSocket-Extensions: ${DEFLATE_OFFERS}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function readDeflate(headers: HeaderFields, wasOffered: boolean): AgreedDeflate | null {
  const header = headers['sec-websocket-extensions'];
  if (header === undefined || header === '') return null;
  if (!wasOffered) throw notWebSocket('by agreeing to an extension that was not offered');
  try {
    const agreed = parseExtensions(String(header));
    const params = agreed['permessage-deflate'];
    if (params?.length === 1 && Object.keys(agreed).length === 1) {
      return { keepsContext: params[0]!.server_no_context_takeover === undefined };
    }
  } catch {
    // told below
  }
  throw notWebSocket('with extensions that were not offered');
}

function notWebSocket(how: string): BenchmarkFailure {
  return new BenchmarkFailure('handshake', `the server answered the opening handshake ${how}`);
}

/** A phrase from a peer, fit for one line of a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80);
}

function explainSocketError(error: NodeJS.ErrnoException, { authority }: BenchTarget): BenchmarkFailure {
  switch (error.code) {
    case 'ECONNREFUSED':
      return new BenchmarkFailure('unreachable', `connection refused: nothing listens at ${authority}`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new BenchmarkFailure('unreachable', `no address is known for ${authority}`);
    case 'EMFILE':
      return new BenchmarkFailure(
        'unreachable',
        'this process may open no more files: raise its limit (ulimit -n)',
      );
    case 'EADDRNOTAVAIL':
      return new BenchmarkFailure('unreachable', 'this machine has no free port left for a connection');
    case 'ECONNRESET':
    case 'EPIPE':
      return new BenchmarkFailure('closed', `the connection was reset (${error.code})`);
    case 'EPROTO':
      return new BenchmarkFailure(
        'unreachable',
        `the server at ${authority} does not speak TLS as it should`,
      );
    default:
      if (/CERT|SELF_SIGNED|ISSUER/.test(error.code ?? '')) {
        const why = printable(error.message);
        return new BenchmarkFailure(
          'unreachable',
          `the server's certificate is not trusted (${why}); --insecure accepts any`,
        );
      }
      return new BenchmarkFailure('unreachable', `${error.code ?? 'error'}: ${printable(error.message)}`);
  }
}
