// One connection as the carrier of a transport: when it is gone, all is over. A peer that is gone without having said so is
// found out by Pings, where the platform has them.

import { stopError } from '../agent/backoff.js';
import { type ActiveEntry, track, untrack } from '../agent/debug.js';
import type { Environment } from '../agent/environment.js';
import { closedError, SessionError } from '../agent/errors.js';
import { closeLink, type Data, type Link, type LinkEnd, type LinkHandler } from '../agent/link.js';
import { Liveness, type LivenessOptions } from '../agent/liveness.js';
import { wheelOf } from '../agent/timer-wheel.js';
import { type Carrier, type CarrierHandler, CLOSE_CODE, MAX_MESSAGE_BYTES } from './carrier.js';

const HEARTBEAT: LivenessOptions = { intervalMs: 25_000, timeoutMs: 20_000 };
/** With more than this in the connection, `send()` waits. */
const HIGH_WATER_MARK_BYTES = 256 * 1024;
/** Not every platform tells when there is room again: it is looked so often. */
const LOOK_EVERY_MS = 10;
/** What a message that waits counts beside its text: so 32,768 can wait. The first of many more is slow to take from an array. */
const OVERHEAD_BYTES = 1024;

export class PlainCarrier implements Carrier, LinkHandler {
  readonly id: string;
  readonly #link: Link;
  readonly #environment: Environment;
  readonly #maxWaitingBytes: number;
  readonly #createdAt: number;
  #liveness: Liveness | undefined;
  #handler: CarrierHandler | undefined;
  /** What came before anybody listened, or while somebody was busy. */
  readonly #waiting: Data[] = [];
  #waitingBytes = 0;
  #isBusy = false;
  #room: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #isOver = false;
  #error: Error | undefined;

  /** @param link that is open */
  constructor(
    link: Link,
    heartbeat: LivenessOptions | undefined,
    environment: Environment,
    maxMessageBytes = MAX_MESSAGE_BYTES,
  ) {
    this.id = environment.randomId();
    this.#link = link;
    this.#environment = environment;
    // A client speaks first and then waits: more than one message of the largest size is nothing that MCP says.
    this.#maxWaitingBytes = Math.max(maxMessageBytes, MAX_MESSAGE_BYTES) + OVERHEAD_BYTES;
    this.#createdAt = environment.now();
    link.handler = this;
    this.#watch(heartbeat ?? HEARTBEAT);
    track(this);
  }

  /** For `debug.active()`. */
  describe(): ActiveEntry {
    const state = this.#closed === undefined ? 'open' : 'closing';
    return { kind: 'mcp connection', id: this.id, state, ageMs: this.#environment.now() - this.#createdAt };
  }

  begin(handler: CarrierHandler): void {
    this.#handler = handler;
    this.#handOver();
  }

  async send(text: string): Promise<void> {
    if (this.#isOver || this.#closed !== undefined) throw closedError();
    this.#link.send(text);
    if (this.#link.bufferedAmount <= HIGH_WATER_MARK_BYTES) return;
    this.#room ??= this.#findRoom();
    await this.#room;
  }

  close(code: number, reason: string): Promise<void> {
    this.#closed ??= this.#close(code, reason);
    return this.#closed;
  }

  onMessage(data: Data): void {
    this.#waiting.push(data);
    this.#waitingBytes += data.length + OVERHEAD_BYTES;
    this.#handOver();
    if (this.#waitingBytes > this.#maxWaitingBytes) {
      this.close(CLOSE_CODE.TRY_AGAIN, 'messages are not taken fast enough');
    }
  }

  onEnd(end: LinkEnd): void {
    const isOrderly = end.code === 1000 || end.code === 1001 || end.code === 1005;
    this.#finish(isOrderly ? undefined : (end.error ?? stopError(end)));
  }

  async #close(code: number, reason: string): Promise<void> {
    if (this.#isOver) return;
    this.#liveness?.stop();
    // For the peer's answer.
    this.#link.resume?.();
    await closeLink(this.#link, code, reason, wheelOf(this.#environment));
    this.#finish(undefined);
  }

  async #findRoom(): Promise<void> {
    while (!this.#isOver && this.#link.bufferedAmount > HIGH_WATER_MARK_BYTES) {
      await new Promise<void>((resolve) => this.#environment.setTimeout(resolve, LOOK_EVERY_MS));
    }
    this.#room = undefined;
  }

  /** One after the other; the end is last. */
  async #handOver(): Promise<void> {
    const handler = this.#handler;
    if (handler === undefined || this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const data = this.#waiting.shift()!;
      this.#waitingBytes -= data.length + OVERHEAD_BYTES;
      const handled = handler.onMessage(data);
      if (!(handled instanceof Promise)) continue;
      this.#link.pause?.();
      await handled;
      this.#link.resume?.();
    }
    this.#isBusy = false;
    if (this.#isOver) handler.onEnd(this.#error);
  }

  #watch(heartbeat: LivenessOptions): void {
    const link = this.#link;
    const { ping } = link;
    if (ping === undefined) return;
    const onDead = (): void => {
      // Whoever does not read hears no sign of life.
      if (this.#isBusy) {
        this.#watch(heartbeat);
      } else {
        link.release();
        this.#finish(new SessionError('closed', 'the peer was silent'));
      }
    };
    this.#liveness = new Liveness(link, wheelOf(this.#environment), heartbeat, { ping, onDead });
  }

  #finish(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#liveness?.stop();
    untrack(this);
    this.#handOver();
  }
}
