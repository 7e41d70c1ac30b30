// Links of nothing. A single one notes what its owner does with it, and a test plays the peer; two that are joined carry
// messages to each other in 1 ms of the fake clock, and a FakeNetwork makes such pairs for clients of one server.
// The random network of the session model, with its faults, is in test/agent/model.
import { parseControl } from '../../src/agent/control.js';
import type { ConnectRequest, Data, Link, LinkEnd, LinkHandler } from '../../src/agent/link.js';
import type { FakeEnvironment } from './fake-environment.js';

const LATENCY_MS = 1;
const BROKEN: LinkEnd = { code: 1006, reason: '' };

export class FakeLink implements Link {
  handler: LinkHandler | undefined;
  subprotocol = '';
  bufferedAmount = 0;
  activity = 0;
  ping: (() => void) | undefined = () => {
    this.pings++;
  };
  pings = 0;
  /** All that was sent, as it was then. */
  readonly sent: Data[] = [];
  /** The close code, once the owner has closed the link. */
  closeCode: number | undefined;
  isReleased = false;
  peer: FakeLink | undefined;
  #isOver = false;
  readonly #environment: FakeEnvironment | undefined;

  /** @param environment only for links with a peer */
  constructor(environment?: FakeEnvironment) {
    this.#environment = environment;
  }

  /** Whether neither end can send any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** What was sent, with control messages parsed. */
  get messages(): unknown[] {
    return this.sent.map((data) => (typeof data === 'string' ? (parseControl(data) ?? data) : data));
  }

  /** What was sent since the last call. */
  takeSent(): unknown[] {
    const { messages } = this;
    this.sent.length = 0;
    return messages;
  }

  send(data: Data): void {
    if (this.#isOver || this.closeCode !== undefined) return;
    const copy = typeof data === 'string' ? data : Uint8Array.from(data);
    this.sent.push(copy);
    this.#carry((peer) => peer.receive(copy));
  }

  close(code: number, reason: string): void {
    if (this.#isOver || this.closeCode !== undefined) return;
    this.closeCode = code;
    this.#carry((peer) => {
      peer.end({ code, reason });
      peer.#carry((closer) => closer.end({ code, reason }));
    });
  }

  release(): void {
    this.isReleased = true;
    this.handler = undefined;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#carry((peer) => peer.end(BROKEN));
  }

  /** Something has come. */
  receive(data: Data): void {
    if (this.#isOver) return;
    this.activity++;
    this.handler?.onMessage(data);
  }

  /** The connection is gone, as far as this end is concerned. */
  end(end: LinkEnd = BROKEN): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { handler } = this;
    this.handler = undefined;
    handler?.onEnd(end);
  }

  #carry(deliver: (peer: FakeLink) => void): void {
    const { peer } = this;
    if (peer !== undefined) this.#environment!.arrive(() => deliver(peer), LATENCY_MS);
  }
}

export interface Connection {
  client: FakeLink;
  server: FakeLink;
  request: ConnectRequest;
}

/** Connections of clients to whoever accepts them. */
export class FakeNetwork {
  /** Set: attempts to connect fail so. */
  refusal: LinkEnd | undefined;
  /** Set: attempts to connect stay without an answer. */
  isSilent = false;
  /** All that were tried, oldest first. */
  readonly connections: Connection[] = [];
  /** Who takes connections; another server takes over with the next one. */
  accept: (link: FakeLink) => void;
  readonly #environment: FakeEnvironment;

  constructor(environment: FakeEnvironment, accept: (link: FakeLink) => void) {
    this.#environment = environment;
    this.accept = accept;
  }

  /** The connection that was tried last. */
  get last(): Connection {
    return this.connections.at(-1)!;
  }

  readonly connect = (request: ConnectRequest): FakeLink => {
    const client = new FakeLink(this.#environment);
    const server = new FakeLink(this.#environment);
    this.connections.push({ client, server, request });
    if (!this.isSilent) this.#environment.setTimeout(() => this.#answer(client, server), LATENCY_MS);
    return client;
  };

  /** Breaks the last connection; both ends learn at once, and what is under way is lost. */
  cut(): void {
    const { client, server } = this.last;
    client.peer = undefined;
    server.peer = undefined;
    client.end();
    server.end();
  }

  #answer(client: FakeLink, server: FakeLink): void {
    if (this.refusal !== undefined) {
      client.end(this.refusal);
      return;
    }
    if (client.isOver) return;
    client.peer = server;
    server.peer = client;
    this.accept(server);
    client.handler?.onOpen?.();
  }
}

/** Moves the clock in small steps, so that promises come to run in between. */
export async function pass(environment: FakeEnvironment, ms: number): Promise<void> {
  const stepMs = ms > 1000 ? 50 : 5;
  await environment.settle();
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    environment.advance(Math.min(stepMs, ms - passedMs));
    await environment.settle();
  }
}
