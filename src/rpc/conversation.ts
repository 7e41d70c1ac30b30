// One conversation of two peers: where each message that comes belongs, and what is done about those that belong nowhere. It
// lasts as long as the other end remembers it; over a session that is as long as the session.

import { CLOSE } from '../agent/errors.js';
import type { Data } from '../agent/link.js';
import { Caller } from './caller.js';
import type { Carrier, ConversationHandler } from './carrier.js';
import type { ConversationHost } from './conversation-parts.js';
import { CallError, lostError, RPC, RpcError } from './errors.js';
import { type Id, type Message, parseMessage, peekId, peekStream, serializeError } from './message.js';
import { Outbox } from './outbox.js';
import { Responder } from './responder.js';
import { Streams, type Verdict } from './streams.js';

/** For who waits for an answer that came with neither. */
const NO_ANSWER = {
  code: RPC.INVALID_REQUEST,
  message: 'the answer has no result, and no error that is one',
};

export class Conversation<Peer> implements ConversationHandler {
  readonly caller: Caller<Peer>;
  readonly #host: ConversationHost<Peer>;
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  readonly #responder: Responder<Peer>;
  #carrier: Carrier;
  #end: Error | undefined;
  #isLeaving = false;

  constructor(host: ConversationHost<Peer>, carrier: Carrier) {
    const { limits } = host;
    const maxBytes = Math.min(limits.messageBytes, carrier.maxBytes);
    const onChange = (): void => this.#onChange();
    this.#host = host;
    this.#carrier = carrier;
    this.#outbox = new Outbox(carrier);
    this.#streams = new Streams({
      outbox: this.#outbox,
      limits,
      maxBytes,
      describe: (error, method) => this.#responder.describe(error, { method }),
      onOver: onChange,
    });
    const parts = { host, outbox: this.#outbox, streams: this.#streams, maxBytes, onChange };
    this.caller = new Caller(parts);
    this.#responder = new Responder(parts);
  }

  /** Why it is over, when it is. */
  get end(): Error | undefined {
    return this.#end;
  }

  /** What is in flight, to the peer (`out`) and from it. */
  get counts(): { callsOut: number; callsIn: number; streamsOut: number; streamsIn: number } {
    return {
      callsOut: this.caller.size,
      callsIn: this.#responder.size,
      streamsOut: this.#streams.outgoing,
      streamsIn: this.#streams.incoming,
    };
  }

  moveTo(carrier: Carrier): void {
    this.#isLeaving = true;
    this.#carrier = carrier;
    this.#outbox.carrier = carrier;
    this.#onChange();
  }

  onMessage(data: Data): void {
    if (this.#end !== undefined) return;
    const { limits } = this.#host;
    if (typeof data !== 'string') {
      this.#onInvalid(null, RPC.INVALID_REQUEST, 'a message is a text');
    } else if (data.length > limits.messageBytes) {
      this.#onTooLong(data);
    } else {
      this.#dispatch(parseMessage(data, limits.idLength), data.length);
    }
  }

  onRoom(): void {
    this.#outbox.flush();
    this.#onChange();
  }

  /** Everything in flight fails; nothing is sent any more. Handlers that do not care go on, and count until they end. */
  onEnd(error: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#outbox.close(error);
    this.caller.endAll(error);
    this.#responder.endAll(error);
    this.#streams.endAll(lostError('unknown', error));
    this.#isLeaving = true;
    this.#onChange();
  }

  #dispatch(message: Message, length: number): void {
    switch (message.kind) {
      case 'request':
        this.#responder.onCall(message.id, message.method, message.params, message.idempotencyKey);
        break;
      case 'result':
        this.caller.onResult(message.id, message.result);
        break;
      case 'next':
        this.#follow(this.#streams.onNext(message.stream, message.items, length), message.stream);
        break;
      case 'credit':
        this.#streams.onCredit(message.stream, message.items, message.bytes);
        break;
      case 'end':
        this.#follow(this.#streams.onEnd(message.stream, message.error), message.stream);
        break;
      case 'error':
        this.#onErrorAnswer(message);
        break;
      case 'progress':
        this.caller.onProgress(message.id, message);
        break;
      case 'notification':
        this.#responder.onNotification(message.method, message.params);
        break;
      case 'cancel':
        this.#responder.onCancel(message.id, message.reason);
        break;
      case 'cancel-stream':
        this.#streams.stop(message.stream);
        break;
      case 'invalid':
        // Nothing better will come for whoever waits.
        if (message.answers !== undefined) this.caller.onError(message.answers, NO_ANSWER);
        this.#onInvalid(message.id, message.code, message.reason);
        break;
    }
  }

  #follow(verdict: Verdict, stream: number): void {
    if (verdict === 'unannounced') {
      this.#onInvalid(null, RPC.INVALID_REQUEST, `stream ${stream} was never announced`);
    } else if (verdict === 'overrun') {
      const reason = `stream ${stream} has sent more than its credit`;
      this.#host.onError(new RpcError(RPC.INVALID_REQUEST, reason), {});
      this.#carrier.fail(CLOSE.CORRUPT, reason);
    }
  }

  #onErrorAnswer({ id, error }: Extract<Message, { kind: 'error' }>): void {
    if (id !== null) this.caller.onError(id, error);
    // The peer could make nothing of a message of ours. An answer to that would be answered, and so on.
    else this.#host.onError(new CallError(error, { isRemote: true }), {});
  }

  #onInvalid(id: Id | null, code: number, reason: string): void {
    if (id !== null) {
      this.#responder.refuse(id, { code, message: reason });
      return;
    }
    this.#host.onError(new RpcError(code, reason), {});
    this.#outbox.sendIfRoom(serializeError(null, { code, message: reason }));
  }

  /** Parsing would cost what the limit is there to save. */
  #onTooLong(text: string): void {
    const { messageBytes, idLength } = this.#host.limits;
    const reason = `a message has a length of ${text.length}, and at most ${messageBytes} are taken`;
    const stream = peekStream(text);
    // Without these items it would have a gap.
    if (stream !== undefined) this.#streams.abandon(stream, new RpcError(RPC.TOO_LARGE, reason));
    const head = peekId(text, idLength);
    if (head?.isRequest === false) {
      this.#host.onError(new RpcError(RPC.TOO_LARGE, reason), { id: head.id });
      this.caller.onError(head.id, { code: RPC.TOO_LARGE, message: reason });
    } else {
      this.#onInvalid(head?.id ?? null, RPC.TOO_LARGE, reason);
    }
  }

  #onChange(): void {
    // Later, because who tells of it may be about to send.
    if (this.#isLeaving) queueMicrotask(() => this.#leaveIfIdle());
  }

  #leaveIfIdle(): void {
    const { callsOut, callsIn, streamsOut, streamsIn } = this.counts;
    const isIdle = callsOut + callsIn + streamsOut + streamsIn === 0 && this.#outbox.isEmpty;
    if (!isIdle) return;
    if (this.#end === undefined) {
      this.#end = new RpcError(RPC.LOST, 'the session has moved');
      this.caller.stop();
      this.#carrier.release();
    }
    this.#host.onDone(this);
  }
}
