// A carrier of nothing: it notes what a transport does with it, and a test plays the other end.
import { closedError } from '../../src/agent/errors.js';
import type { Data } from '../../src/agent/link.js';
import type { Carrier, CarrierHandler } from '../../src/mcp/carrier.js';
import { McpTransport, type MessageExtra } from '../../src/mcp/transport.js';

export class FakeCarrier implements Carrier {
  readonly id = 'fake';
  readonly sent: unknown[] = [];
  closedWith: [code: number, reason: string] | undefined;
  handler: CarrierHandler | undefined;
  /** What `send()` waits for. */
  room: Promise<void> | undefined;
  /** What came before anybody listened. */
  readonly waiting: Data[] = [];

  begin(handler: CarrierHandler): void {
    this.handler = handler;
    for (const data of this.waiting) handler.onMessage(data);
  }

  async send(text: string): Promise<void> {
    if (this.closedWith !== undefined) throw closedError();
    this.sent.push(JSON.parse(text));
    await this.room;
  }

  async close(code: number, reason: string): Promise<void> {
    this.closedWith ??= [code, reason];
    this.handler?.onEnd(undefined);
  }

  /** Something comes from the other end. */
  receive(message: unknown): void {
    this.handler!.onMessage(message instanceof Uint8Array ? message : JSON.stringify(message));
  }
}

/** A transport on it, with a log of what its user is told. */
export class FakeTransport extends McpTransport {
  readonly fake = new FakeCarrier();
  readonly log: unknown[][] = [];

  constructor(maxMessageBytes?: number, extra?: MessageExtra) {
    super(maxMessageBytes, extra);
    this.onmessage = (...args) => void this.log.push(['message', ...args]);
    this.onerror = ({ message }) => this.log.push(['error', message]);
    this.onclose = () => this.log.push(['close']);
  }

  protected override async open(): Promise<Carrier> {
    return this.fake;
  }
}
