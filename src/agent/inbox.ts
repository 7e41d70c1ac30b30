// Messages on their way to the application: to the listener of 'message', else to whoever iterates, else they wait here.
// A message that was handed over is reported to the channel it came by, which acknowledges it.

import type { SessionError } from './errors.js';
import type { Data } from './link.js';
import { forgiveEnd } from './quiet.js';

/** Where messages come from. */
interface Source {
  /** Message `number` was handed to the application. */
  handed(number: number, data: Data): void;
  /** The application is done with messages up to `number`. */
  acknowledge(number: number): void;
}

interface Waiting {
  data: Data;
  number: number;
  source: Source;
}

interface Reader {
  resolve(result: IteratorResult<Data, undefined>): void;
  reject(error: SessionError): void;
}

/** `number` counts what was handed over, from 1, also over the loss of a session. */
export type MessageListener = (data: Data, number: number) => void;

const END: IteratorResult<Data, undefined> = { done: true, value: undefined };

export class Inbox {
  /** How many messages were handed over. */
  handedOver = 0;
  /** Those that the application is not done with, when it is the one to say so; the first has the number `#firstOpen`. */
  readonly #open: { source: Source; number: number }[] | undefined;
  #firstOpen = 1;
  #listener: MessageListener | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #readers: Reader[] = [];
  #isTelling = false;
  #isOver = false;
  #error: SessionError | undefined;

  /** @param isManual whether {@link acknowledge} will be called */
  constructor(isManual: boolean) {
    if (isManual) this.#open = [];
  }

  /** Messages that wait for the application. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Who gets messages from now on; what waits is handed over at once. */
  set listener(listener: MessageListener | undefined) {
    this.#listener = listener;
    this.#tellWaiting();
  }

  push(data: Data, number: number, source: Source): void {
    if (this.#listener !== undefined && this.#waiting.length === 0) {
      this.#tell(data, number, source);
      return;
    }
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#waiting.push({ data, number, source });
    } else {
      reader.resolve({ done: false, value: data });
      this.hand(data, number, source);
    }
  }

  /** @returns the next message; the end, or the reason for it, only after all that came before */
  next(): Promise<IteratorResult<Data, undefined>> {
    const message = this.#waiting.shift();
    if (message !== undefined) {
      this.hand(message.data, message.number, message.source);
      return Promise.resolve({ done: false, value: message.data });
    }
    if (!this.#isOver) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    // Told once: whoever asks again gets the end.
    this.#error = undefined;
    return error === undefined ? Promise.resolve(END) : Promise.reject(error);
  }

  /** The application is done with the messages that it got under numbers up to this one. */
  acknowledge(number: number): void {
    const done = this.#open?.splice(0, Math.max(0, number - this.#firstOpen + 1)) ?? [];
    this.#firstOpen += done.length;
    // They may have come by several sessions, one after the other.
    for (const [i, message] of done.entries()) {
      if (done[i + 1]?.source !== message.source) message.source.acknowledge(message.number);
    }
  }

  /** Takes out what waits of what one source has brought. */
  take(source: Source): Waiting[] {
    const taken = this.#waiting.filter((message) => message.source === source);
    const others = this.#waiting.filter((message) => message.source !== source);
    this.#waiting.splice(0, this.#waiting.length, ...others);
    return taken;
  }

  /** Counts a message as handed over, whoever gets it. */
  hand(data: Data, number: number, source: Source): void {
    this.handedOver++;
    this.#open?.push({ source, number });
    source.handed(number, data);
  }

  /** No more will come. What waits can still be read. */
  end(error: SessionError | undefined): void {
    this.#isOver = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.next().then(reader.resolve, reader.reject);
  }

  #tellWaiting(): void {
    // A listener that sets another one is still busy with its message.
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#listener !== undefined && this.#waiting.length > 0) {
        const { data, number, source } = this.#waiting.shift()!;
        this.#tell(data, number, source);
      }
    } finally {
      this.#isTelling = false;
      // A listener that threw has the others to come.
      if (this.#listener !== undefined && this.#waiting.length > 0) this.#tellWaiting();
    }
  }

  #tell(data: Data, number: number, source: Source): void {
    // First, so that the listener can acknowledge the message that it has, and one that throws has had it, too.
    this.hand(data, number, source);
    forgiveEnd(this.#listener!(data, this.handedOver));
  }
}
