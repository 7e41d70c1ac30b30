// What the two applications have sent and were given, session by session, and what the classes say of it. Throws as soon as
// that is not what a session promises.
import type { ClientSession } from '../../../src/agent/client-session.js';
import type { Data } from '../../../src/agent/link.js';
import type { ServerSession } from '../../../src/agent/server-session.js';
import type { FakeProcess } from './fake-process.js';
import { numberOf } from './payload.js';
import { type Entry, type Lost, Transcript, violation } from './transcript.js';

/** One session as the server knows it; the client may never have heard of it. */
export interface Life {
  session: ServerSession;
  process: FakeProcess;
  /** What the server sends. */
  down: Transcript;
  /** What the client sends; undefined until it knows of the session. */
  up: Transcript | undefined;
  /** Whether its server is about to go, so that it may be lost to a client that comes again. */
  isLeaving: boolean;
  isOver: boolean;
}

export interface LedgerOptions {
  /** Whether sessions may be lost. */
  isMortal: boolean;
  resend: 'none' | 'unsent' | 'all';
  client: { acknowledge: 'auto' | 'manual' };
  server: { acknowledge: 'auto' | 'manual' };
}

export class Ledger {
  /** The last session that began at a server. */
  newest: Life | undefined;
  /** Set when the applications end sessions themselves. */
  isEnding = false;
  readonly #options: LedgerOptions;
  readonly #lives = new Map<string, Life>();
  /** Sessions that the client has had, the present one last. */
  readonly #ofClient: Life[] = [];
  /** What the client sends now. */
  #up: Transcript;
  #hasSession = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#up = this.#newUp();
  }

  /** The session that the client has, as the server knows it. */
  get present(): Life | undefined {
    return this.#hasSession ? this.#ofClient.at(-1) : undefined;
  }

  get up(): Transcript {
    return this.#up;
  }

  /** The session that the server's application cares for: the client may not know it, and never come back to it. */
  get current(): Life | undefined {
    return this.present?.isOver === false ? this.present : this.newest;
  }

  /** Whether everything was delivered, also what was on its way when the client moved to another server. */
  get isComplete(): boolean {
    const { present } = this;
    if (present === undefined || present.isLeaving || present.isOver) return false;
    return this.#up.isComplete && present.down.isComplete;
  }

  get description(): string {
    const { present } = this;
    const states = `the server's session is ${present?.session.state}`;
    return [states, this.#up.description, present?.down.description].join('; ');
  }

  /** Whether messages with a higher number were delivered in both directions. */
  isProvenSince(number: number): boolean {
    return numberOf(this.#up.last) > number && numberOf(this.present?.down.last) > number;
  }

  /** The server has a new session. */
  begin(session: ServerSession, process: FakeProcess): Life {
    const down = new Transcript('server to client', this.#options.client.acknowledge === 'manual');
    const life: Life = { session, process, down, up: undefined, isLeaving: false, isOver: false };
    this.#lives.set(session.id, life);
    this.newest = life;
    return life;
  }

  /** The client has heard of a new session; one that it had goes on for what was sent in it. */
  open(client: ClientSession): void {
    const life = this.#lives.get(client.id!)!;
    if (this.#hasSession) {
      const moving = this.#up.takeUnsent(client.stats().unsent);
      this.#startTranscript(moving);
    }
    life.up = this.#up;
    this.#ofClient.push(life);
    this.#hasSession = true;
  }

  onServerMessage(life: Life, data: Data): void {
    if (life.up === undefined) violation('the client sent before it knew of the session');
    life.up.receive(data);
  }

  /** Messages of a session that was left or lost may come between those of the next one. */
  onClientMessage(data: Data): void {
    const life = this.#ofClient.find(({ down }) => down.expects(data)) ?? this.#ofClient.at(-1);
    if (life === undefined) violation('a message came before a session was open');
    life.down.receive(data);
  }

  /** The client's application is done with all that it was given, whatever session it came by. */
  onClientAcknowledged(): void {
    for (const { down } of this.#ofClient) down.acknowledge();
  }

  /** The event 'sessionlost' of the client. */
  onLost({ reason, ...lost }: Lost<Data> & { reason: string }): void {
    const { isMortal, resend } = this.#options;
    if (!isMortal) violation(`the session was lost: ${reason}`);
    if (reason === 'drained') {
      const left = this.#ofClient.find(
        ({ up }) => up !== this.#up && !up!.isLost && up!.includes(lost.unacked[0]),
      );
      if (left === undefined) violation('messages are lost that were not sent in a session that was left');
      left.up!.lose(lost);
      return;
    }
    const { present } = this;
    if (present?.isOver === false && !present.isLeaving)
      violation(`a session that the server has was lost: ${reason}`);
    const { unsent, unacked, waiting } = this.#up.lose(lost);
    // A key belongs to a message that may still be replaced.
    const again =
      resend === 'all' ? unacked.map(({ data }) => ({ data, key: undefined, isWaiting: false })) : [];
    this.#startTranscript([...again, ...(resend === 'none' ? [] : unsent), ...waiting]);
    this.#hasSession = false;
  }

  onClientClosed({ code, reason, unsent, unacked }: Lost<Data> & { code: number; reason: string }): void {
    if (!this.isEnding) violation(`the client has closed: ${code} ${reason}`);
    let rest = unacked;
    for (const { up } of this.#ofClient) {
      if (up === this.#up || up!.isLost) continue;
      up!.lose({ unsent: [], unacked: rest.filter((data) => up!.includes(data)) });
      rest = rest.filter((data) => !up!.includes(data));
    }
    this.#up.lose({ unsent, unacked: rest });
  }

  onServerSessionClosed(life: Life, lost: Lost<Data> & { code: number; reason: string }): void {
    life.isOver = true;
    life.down.lose(lost);
    const { isMortal } = this.#options;
    if (!isMortal && !this.isEnding && life.up !== undefined) {
      violation(`a session of the server has closed: ${lost.code} ${lost.reason}`);
    }
  }

  onServerLeaves(process: FakeProcess): void {
    for (const life of this.#lives.values()) if (life.process === process) life.isLeaving = true;
  }

  onServerGone(process: FakeProcess): void {
    for (const life of this.#lives.values()) if (life.process === process) life.isOver = true;
    this.newest = undefined;
  }

  /** @throws when a session that was left has messages of which nobody said what became of them */
  checkLeft(): void {
    for (const { up } of this.#ofClient) {
      if (up !== this.#up && !up!.isComplete && !up!.isLost) violation(`left behind: ${up!.description}`);
    }
  }

  #startTranscript(entries: readonly Entry[]): void {
    this.#up = this.#newUp();
    for (const entry of entries) this.#up.add(entry);
  }

  #newUp(): Transcript {
    return new Transcript('client to server', this.#options.server.acknowledge === 'manual');
  }
}
