// The upgrade request that a server of our own hands to its application: an `http.IncomingMessage` with all that
// `node:http` would have put into it. Its object of headers is made when somebody looks at it, which few do; the
// handshake reads the few fields that it needs from an object of fixed shape.

import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import {
  addHeaderField,
  type HeaderFields,
  headersOf,
  lowerCaseName,
  type RawRequestHead,
} from '../wire/http-head.js';

/** What `node:http` has beyond its types. */
interface HttpInternals {
  upgrade?: boolean;
  _addHeaderLines?(rawHeaders: string[], count: number): void;
}

/** What a handshake is judged by. */
interface HandshakeRequest {
  method: string;
  url: string;
  httpVersion: string;
  headers: HeaderFields;
  rawHeaders: readonly string[];
}

/** How `headers` is read and set in this version of Node, where that is when it is asked for. */
const HEADERS = Object.getOwnPropertyDescriptor(IncomingMessage.prototype, 'headers');
const MAKES_HEADERS_LATER =
  HEADERS?.get !== undefined &&
  HEADERS.set !== undefined &&
  typeof (IncomingMessage.prototype as HttpInternals)._addHeaderLines === 'function';

export class UpgradeRequest extends IncomingMessage {
  /** Absent once the application has seen `headers`: what it changes there counts. */
  #handshake: HandshakeRequest | undefined;

  /** @param fields those of the head that a handshake has, see {@link handshakeFields} */
  constructor(
    socket: Socket,
    { method, target, httpVersion, rawHeaders }: RawRequestHead,
    fields: HeaderFields,
    makesHeadersLater = MAKES_HEADERS_LATER,
  ) {
    super(socket);
    this.method = method;
    this.url = target;
    this.httpVersion = httpVersion;
    this.httpVersionMajor = 1;
    this.httpVersionMinor = httpVersion === '1.1' ? 1 : 0;
    if (makesHeadersLater) {
      // As `node:http` hands them in: `headers` and `headersDistinct` are derived from them.
      (this as HttpInternals)._addHeaderLines!(rawHeaders, rawHeaders.length);
      this.#handshake = { method, url: target, httpVersion, headers: fields, rawHeaders };
    } else {
      this.rawHeaders = rawHeaders;
      this.headers = { ...headersOf(rawHeaders) } as IncomingMessage['headers'];
    }
    (this as HttpInternals).upgrade = true;
    this.complete = true;
  }

  /** It has no body. Said when somebody reads, because to say it costs a turn of the event loop. */
  override _read(): void {
    this.push(null);
  }

  /** The request as its handshake is judged: the same, but for fields that no handshake has. */
  static handshakeOf(request: IncomingMessage): HandshakeRequest | IncomingMessage {
    return #handshake in request ? (request.#handshake ?? request) : request;
  }

  static {
    // Not `get headers()`: to TypeScript the property of the parent is a value.
    if (MAKES_HEADERS_LATER) {
      Object.defineProperty(UpgradeRequest.prototype, 'headers', {
        configurable: true,
        // `this` may also be a proxy of a request, or an object that inherits from one.
        get(this: object) {
          if (#handshake in this) this.#handshake = undefined;
          return HEADERS!.get!.call(this);
        },
        set(this: object, headers: unknown) {
          if (#handshake in this) this.#handshake = undefined;
          HEADERS!.set!.call(this, headers);
        },
      });
    }
  }
}

/**
 * The fields by which a request is known and judged as a handshake. An object of one shape for all requests is made in a
 * tenth of the time that one takes which gets a property for each field.
 */
export function handshakeFields(rawHeaders: readonly string[]): HeaderFields {
  const fields: HeaderFields = {
    host: undefined,
    upgrade: undefined,
    connection: undefined,
    origin: undefined,
    'sec-websocket-key': undefined,
    'sec-websocket-version': undefined,
    'sec-websocket-protocol': undefined,
    'sec-websocket-extensions': undefined,
    'sec-websocket-origin': undefined,
    'content-length': undefined,
    'transfer-encoding': undefined,
  };
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = lowerCaseName(rawHeaders[at]!);
    if (Object.hasOwn(fields, name)) addHeaderField(fields, name, rawHeaders[at + 1]!);
  }
  return fields;
}
