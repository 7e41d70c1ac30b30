// What the transports of both ends share: the interface `Transport` of the SDKs, 1.x and 2.x, on top of a carrier. Its
// members are described in their terms; none of the SDKs is imported.

import { closedError } from '../agent/errors.js';
import type { Data } from '../agent/link.js';
import { quietDeferred } from '../agent/quiet.js';
import { type Carrier, CLOSE_CODE, MAX_MESSAGE_BYTES } from './carrier.js';
import { InFlight } from './in-flight.js';
import {
  CODE,
  type JsonRpcMessage,
  type JsonRpcRefusal,
  type RequestId,
  readMessage,
  refusal,
} from './message.js';

/** What the SDKs are told of a message beside the message; they know more of it. */
export interface MessageExtra {
  /** For SDK 2.x, a `Request`. */
  request?: object | undefined;
  /** For SDK 1.x. */
  requestInfo?: object | undefined;
  authInfo?: object | undefined;
}

/** Requests of the peer that may be without a response. */
const MAX_REQUESTS = 4096;

const encoder = new TextEncoder();

export abstract class McpTransport {
  /** It is over for good: never called for a connection that is lost and comes back. */
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JsonRpcMessage, extra?: MessageExtra) => void) | undefined;

  /**
   * Whether the next message, and in time the peer, waits for the promise that `onmessage` returns: for relays. A handler that
   * asks the peer something needs the next message itself.
   */
  waitsForHandler = false;

  /**
   * SDK 2.x takes a transport without these two for HTTP, where silence after its first request is a failure, and one with
   * them for a pipe, where it means a server of the era before.
   */
  readonly stderr = null;
  readonly pid = null;

  /** What the two ends agreed on, once an SDK has said so. */
  protocolVersion: string | undefined;
  supportedProtocolVersions: string[] | undefined;

  /** @internal Resolves when it is over. */
  readonly over: Promise<void>;

  protected carrier: Carrier | undefined;
  readonly #maxMessageBytes: number;
  readonly #extra: MessageExtra | undefined;
  readonly #inFlight = new InFlight();
  readonly #over = quietDeferred();
  #state: 'idle' | 'opening' | 'open' | 'closing' | 'closed' = 'idle';
  /** What has come is told one after the other, the end last. */
  #told: Promise<void> = Promise.resolve();
  #hasSent = false;
  #isDraining = false;
  /** For which there is no room yet. */
  #unreadRefusals = 0;

  constructor(maxMessageBytes: number = MAX_MESSAGE_BYTES, extra?: MessageExtra) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#extra = extra;
    this.over = this.#over.promise;
  }

  /**
   * Names the session, or the connection. Undefined until something was sent: for an SDK's client a transport that has a name
   * from the beginning resumes what was initialized before.
   */
  get sessionId(): string | undefined {
    return this.#hasSent ? this.carrier?.id : undefined;
  }

  /**
   * Called by the SDK, which has set its callbacks before.
   *
   * @throws (rejects) SessionError; after `onclose`
   */
  async start(): Promise<void> {
    if (this.isOver) {
      // Who comes too late has to know that there will be no end to wait for.
      this.onclose?.();
      throw closedError();
    }
    if (this.#state !== 'idle')
      throw new Error('the transport is started already: connect() of an SDK does that');
    this.#state = 'opening';
    try {
      this.carrier = await this.open();
    } catch (error) {
      this.#finish(undefined);
      throw error;
    }
    // It may have been closed meanwhile.
    if (this.#state === 'opening') await this.#begin(this.carrier);
    else this.carrier.close(CLOSE_CODE.NORMAL, '');
    if (!this.#isOpen) throw closedError();
  }

  /**
   * @returns when there is room for more
   * @throws (rejects) SessionError `closed`, RangeError for what is larger than `maxMessageBytes`
   */
  async send(message: JsonRpcMessage, _options?: object): Promise<void> {
    if (!this.#isOpen) throw closedError();
    const text = JSON.stringify(message);
    if (exceeds(text, this.#maxMessageBytes)) {
      const fault = `the message is larger than ${this.#maxMessageBytes} bytes`;
      // Whoever waits for a response gets one; the other end would have to close, had it got this one.
      if (message.method === undefined) this.#answer(refusal(message.id ?? null, CODE.INTERNAL, fault));
      throw new RangeError(fault);
    }
    await this.#send(message, text);
  }

  /**
   * Ends it. Over a session what was sent arrives first, over another connection if need be, for up to five seconds.
   *
   * @returns after `onclose`
   */
  close(): Promise<void> {
    return this.end(CLOSE_CODE.NORMAL, '');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  setProtocolVersion(version: string): void {
    this.protocolVersion = version;
  }

  setSupportedProtocolVersions(versions: string[]): void {
    this.supportedProtocolVersions = versions;
  }

  /** @internal Whether it is over for good. */
  get isOver(): boolean {
    return this.#state === 'closed';
  }

  /** @internal Closes when nothing is in flight any more, in either direction. */
  drain(): void {
    this.#isDraining = true;
    this.#closeIfDrained();
  }

  /** @internal Whether it is to end as soon as it can. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** @internal Ends it with this close code. */
  async end(code: number, reason: string): Promise<void> {
    if (this.isOver) return;
    this.#state = 'closing';
    if (this.carrier === undefined) this.abandon();
    else await this.carrier.close(code, reason);
    // A handler may itself be waiting for the end.
    if (!this.waitsForHandler) await this.#told;
    this.#finish(undefined);
  }

  /** What is to carry messages. */
  protected abstract open(): Promise<Carrier>;

  /** Gives up opening. */
  protected abandon(): void {}

  /** It is over: nothing may be left. */
  protected onOver(): void {}

  get #isOpen(): boolean {
    return this.#state === 'open';
  }

  /** @returns when what came before is told */
  #begin(carrier: Carrier): Promise<void> {
    this.#state = 'open';
    carrier.begin({
      onMessage: (data) => {
        this.#tellLater(() => this.#onMessage(data));
        return this.waitsForHandler ? this.#told : undefined;
      },
      onDrain: () => this.drain(),
      onEnd: (error) => this.#tellLater(() => this.#finish(error)),
    });
    return this.#told;
  }

  #tellLater(tell: () => void | Promise<void>): void {
    this.#told = this.#tellAfter(this.#told, tell);
  }

  /**
   * Apart from each other: the SDKs handle a notification a moment later, and a response that comes with it at once. It is
   * `await` and not `then`, because for the stack of an Error V8 walks a chain of `then` to its end, past all that waits.
   */
  async #tellAfter(before: Promise<void>, tell: () => void | Promise<void>): Promise<void> {
    await before;
    try {
      await tell();
    } catch (error) {
      // What a callback throws is its process's to know, and the next message is not to suffer from it.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #onMessage(data: Data): void | Promise<void> {
    if (!this.#isOpen) return;
    if (typeof data !== 'string') {
      this.#report(new TypeError('a binary message came, where MCP has text'));
      this.end(CLOSE_CODE.UNSUPPORTED_DATA, 'MCP has no binary messages');
      return;
    }
    const reading = readMessage(data);
    if ('fault' in reading) this.#refuse(reading.fault, reading.answer);
    else return this.#deliver(reading.message);
  }

  #deliver(message: JsonRpcMessage): void | Promise<void> {
    const { id, method } = message;
    if (id !== undefined && method !== undefined) {
      const answer = this.#refusalOf(id);
      if (answer !== undefined) {
        this.#refuse(answer.error.message, answer);
        return;
      }
    }
    this.#inFlight.received(message);
    try {
      const handled = this.onmessage?.(message, this.#extra);
      if (this.waitsForHandler) return handled;
    } catch (error) {
      this.#report(error as Error);
    } finally {
      this.#closeIfDrained();
    }
  }

  #refusalOf(id: RequestId): JsonRpcRefusal | undefined {
    // With the id it would answer the request that has it.
    if (this.#inFlight.isTheirs(id))
      return refusal(null, CODE.INVALID, 'the id is that of a request in flight');
    if (this.#inFlight.theirs < MAX_REQUESTS) return undefined;
    return refusal(id, CODE.OVERLOADED, `${MAX_REQUESTS} requests are in flight`);
  }

  #refuse(fault: string, answer: JsonRpcRefusal | undefined): void {
    if (answer !== undefined) this.#answer(answer);
    this.#report(new SyntaxError(fault));
    if (this.#unreadRefusals > MAX_REQUESTS) this.end(CLOSE_CODE.TRY_AGAIN, 'responses are not read');
  }

  /** Nobody waits for it: when it cannot be sent, that is told elsewhere. */
  async #answer(answer: JsonRpcRefusal): Promise<void> {
    this.#unreadRefusals++;
    await this.#send(answer as JsonRpcMessage, JSON.stringify(answer)).catch(() => {});
    this.#unreadRefusals--;
  }

  async #send(message: JsonRpcMessage, text: string): Promise<void> {
    const isResponse = message.method === undefined;
    this.#hasSent = true;
    if (!isResponse) this.#inFlight.sent(message);
    await this.carrier!.send(text);
    // Not before there is room for it, so that nobody can ask for more and more who does not read.
    if (isResponse) this.#inFlight.sent(message);
    this.#closeIfDrained();
  }

  #closeIfDrained(): void {
    if (this.#isDraining && this.#inFlight.isIdle) this.end(CLOSE_CODE.NORMAL, '');
  }

  #report(error: Error): void {
    this.onerror?.(error);
  }

  #finish(error: Error | undefined): void {
    if (this.isOver) return;
    this.#state = 'closed';
    this.onOver();
    if (error !== undefined) this.#report(error);
    this.onclose?.();
    this.#over.resolve();
  }
}

/** Whether a text has more bytes in UTF-8; a UTF-16 unit has three at most. */
function exceeds(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || encoder.encode(text).length > maxBytes;
}
