// A client's attempt to connect: the address, the connection, hello and welcome, all of it within one deadline.

import { type Hello, parseControl, serializeControl, type Welcome } from './control.js';
import { CLOSE } from './errors.js';
import {
  type Connect,
  type ConnectRequest,
  closeLink,
  type Data,
  type Link,
  type LinkEnd,
  type LinkHandler,
} from './link.js';
import type { TimerWheel, WheelTimer } from './timer-wheel.js';

export interface OpeningOptions {
  /** What to connect to; asked anew for each attempt. */
  request(): Promise<ConnectRequest>;
  connect: Connect;
  /** Called when the connection is there. */
  hello(link: Link): Hello;
  timeoutMs: number;
  wheel: TimerWheel;
  /** The link's handler is the caller's to set, at once. */
  onWelcome(link: Link, welcome: Welcome, hello: Hello): void;
  /** @param isFinal whether there is no point in trying again, whatever `end` says */
  onFailed(end: LinkEnd, isFinal: boolean): void;
}

export class Opening implements LinkHandler {
  readonly #options: OpeningOptions;
  readonly #timer: WheelTimer;
  #link: Link | undefined;
  #hello: Hello | undefined;
  #isOver = false;

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#timer = options.wheel.schedule(options.timeoutMs, () => this.#onTimeout());
    this.#connect();
  }

  /** Gives up. Nobody is told. */
  cancel(): void {
    this.#stop();
    this.#link?.release();
  }

  onOpen(): void {
    this.#hello = this.#options.hello(this.#link!);
    this.#link!.send(serializeControl(this.#hello));
  }

  onMessage(data: Data): void {
    const welcome = typeof data === 'string' ? parseControl(data) : undefined;
    const hello = this.#hello;
    this.#stop();
    if (welcome?.t === 'welcome' && hello !== undefined && isAnswer(welcome, hello)) {
      this.#options.onWelcome(this.#link!, welcome, hello);
    } else {
      const reason = 'a welcome was expected';
      closeLink(this.#link!, CLOSE.MALFORMED, reason, this.#options.wheel);
      this.#options.onFailed({ code: CLOSE.MALFORMED, reason }, true);
    }
  }

  onEnd(end: LinkEnd): void {
    this.#stop();
    this.#options.onFailed(end, false);
  }

  async #connect(): Promise<void> {
    let request: ConnectRequest;
    try {
      request = await this.#options.request();
    } catch (error) {
      // Where the address or a token comes from may be down for a while.
      this.#fail({ code: 1006, reason: 'no address', error: error as Error }, false);
      return;
    }
    if (this.#isOver) return;
    try {
      this.#link = this.#options.connect(request);
      this.#link.handler = this;
    } catch (error) {
      this.#fail({ code: 1006, reason: 'an address that cannot be', error: error as Error }, true);
    }
  }

  #onTimeout(): void {
    this.cancel();
    this.#options.onFailed({ code: CLOSE.TIMEOUT, reason: 'no welcome in time' }, false);
  }

  #fail(end: LinkEnd, isFinal: boolean): void {
    if (this.#isOver) return;
    this.#stop();
    this.#options.onFailed(end, isFinal);
  }

  #stop(): void {
    this.#isOver = true;
    this.#options.wheel.cancel(this.#timer);
  }
}

/** Whether a server can say this: the session that was asked for, or one that is new (S-12, S-15). */
function isAnswer({ gen, resumed, sid, tok }: Welcome, hello: Hello): boolean {
  if (gen !== hello.gen) return false;
  return resumed ? sid === hello.sid && tok === hello.tok : sid !== hello.sid;
}
