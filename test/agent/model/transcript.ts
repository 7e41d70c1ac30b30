// What one application sent in one session, in order, and how much of it the other one was given: the judge of exactly once.

import type { Data } from '../../../src/agent/link.js';
import type { DropReason } from '../../../src/agent/queue-options.js';

/** Throws what the model exists to find. */
export function violation(text: string): never {
  throw new Error(text);
}

export interface Entry {
  data: Data;
  key: number | undefined;
  /** Whether `send()` has not said yet what became of it. */
  isWaiting: boolean;
}

/** How the end of a session splits what is not known to be delivered. */
export interface Lost<Message> {
  unsent: Message[];
  unacked: Message[];
}

export class Transcript {
  readonly #name: string;
  /** Everything that has to be delivered, unless it is reported as dropped. */
  #entries: Entry[] = [];
  #delivered = 0;
  /** How much the receiving application has acknowledged, where it does so by itself. */
  #processed = 0;
  readonly #isManual: boolean;
  #isLost = false;

  /** @param isManual whether the receiving application acknowledges by itself */
  constructor(name: string, isManual: boolean) {
    this.#name = name;
    this.#isManual = isManual;
  }

  /** What was delivered last. */
  get last(): Data | undefined {
    return this.#entries[this.#delivered - 1]?.data;
  }

  get isComplete(): boolean {
    return this.#delivered === this.#entries.length;
  }

  /** Whether the end of the session was told, and what it left. */
  get isLost(): boolean {
    return this.#isLost;
  }

  includes(data: Data | undefined): boolean {
    return this.#entries.some((entry) => data !== undefined && isSame(entry.data, data));
  }

  /** Whether this is what has to come next. */
  expects(data: Data): boolean {
    const expected = this.#entries[this.#delivered];
    return expected !== undefined && isSame(expected.data, data);
  }

  get description(): string {
    const waiting = this.#entries.filter(({ isWaiting }) => isWaiting).length;
    return `${this.#name}: ${this.#delivered} of ${this.#entries.length} messages delivered, ${waiting} waiting for room`;
  }

  /** A message is about to be sent. */
  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  /** It was not accepted, and nobody will get it. */
  withdraw(entry: Entry): void {
    const index = this.#entries.indexOf(entry);
    if (index !== -1) this.#remove(index);
  }

  drop(reason: DropReason, data: Data): void {
    const index = this.#entries.findIndex((entry, i) => i >= this.#delivered && isSame(entry.data, data));
    if (index === -1) violation(`${this.#name}: ${show(data)} was dropped, but was delivered or never sent`);
    if (reason === 'conflated') this.#moveSuccessorTo(index);
    else this.#remove(index);
  }

  /** The other application was given a message. */
  receive(data: Data): void {
    const expected = this.#entries[this.#delivered];
    if (expected === undefined || !isSame(expected.data, data)) {
      violation(
        `${this.#name}: message ${this.#delivered + 1} should be ${show(expected?.data)}, but ${show(data)} came`,
      );
    }
    this.#delivered++;
  }

  /** The other application has acknowledged all that it was given. */
  acknowledge(): void {
    this.#processed = this.#delivered;
  }

  /**
   * The session is lost, and its end says what of it is not known to be delivered.
   *
   * @returns what can go on in another session: the same messages, and those that still wait for room
   */
  lose({ unsent, unacked }: Lost<Data>): Lost<Entry> & { waiting: Entry[] } {
    this.#isLost = true;
    const lost = [...unacked, ...unsent];
    for (const entry of this.#entries) {
      if (this.#endsWith(lost)) break;
      // It was accepted in this very moment, and the promise that says so is still on its way.
      entry.isWaiting = false;
    }
    if (!this.#endsWith(lost)) violation(`${this.#name}: ${lost.map(show)} were lost, ${this.description}`);
    const waiting = this.#entries.filter(({ isWaiting }) => isWaiting);
    const accepted = this.#entries.filter(({ isWaiting }) => !isWaiting);
    const acknowledged = accepted.length - lost.length;
    if (this.#delivered < acknowledged) {
      violation(`${this.#name}: ${acknowledged - this.#delivered} messages are lost and not reported`);
    }
    if (this.#isManual && acknowledged > this.#processed) {
      violation(
        `${this.#name}: ${acknowledged - this.#processed} messages were acknowledged before they were processed`,
      );
    }
    if (this.#delivered > acknowledged + unacked.length) {
      violation(`${this.#name}: a message is reported as unsent, but was delivered`);
    }
    // What is unsent must not come any more; what is unacknowledged may.
    this.#entries = accepted.slice(0, acknowledged + unacked.length);
    return {
      unacked: this.#entries.slice(acknowledged),
      unsent: accepted.slice(acknowledged + unacked.length),
      waiting,
    };
  }

  /** The session goes on for what has a number. @returns what has none: so many accepted messages, and those that wait */
  takeUnsent(count: number): Entry[] {
    const firstWaiting = this.#entries.findIndex(({ isWaiting }) => isWaiting);
    const end = firstWaiting === -1 ? this.#entries.length : firstWaiting;
    return this.#entries.splice(end - count);
  }

  /** Whether these are the last messages that were accepted. */
  #endsWith(messages: readonly Data[]): boolean {
    const accepted = this.#entries.filter(({ isWaiting }) => !isWaiting);
    const start = accepted.length - messages.length;
    return start >= 0 && messages.every((data, i) => isSame(data, accepted[start + i]!.data));
  }

  #remove(index: number): void {
    if (index < this.#delivered) violation(`${this.#name}: a delivered message was reported as dropped`);
    this.#entries.splice(index, 1);
  }

  /** A newer message with the same key takes the place of one that has not been sent. */
  #moveSuccessorTo(index: number): void {
    const { key } = this.#entries[index]!;
    const successor = this.#entries.find((entry, i) => i > index && entry.isWaiting && entry.key === key);
    if (successor === undefined) violation(`${this.#name}: a message gave way to an older one`);
    this.#entries.splice(this.#entries.indexOf(successor), 1);
    this.#entries[index] = successor;
  }
}

function isSame(one: Data, other: Data): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return Buffer.compare(one, other) === 0;
}

function show(data: Data | undefined): string {
  return data === undefined
    ? 'nothing'
    : typeof data === 'string'
      ? JSON.stringify(data.slice(0, 40))
      : `<${Buffer.from(data).toString('latin1').slice(0, 40)}>`;
}
