// Engines without sockets: an endpoint whose events, output and requests to its transport are recorded, a platform that
// counts memory and gives predictable masking keys, and ways to feed the same bytes in every portion.
import { isUtf8 } from 'node:buffer';
import { expect, it } from 'vitest';
import type { AgreedDeflate } from '../../src/protocol/compression.js';
import {
  Connection,
  type ConnectionOptions,
  type ConnectionSink,
  type Transport,
} from '../../src/protocol/connection.js';
import { OutputBlock } from '../../src/protocol/frame-queue.js';
import type { WriteCallback } from '../../src/protocol/message-sender.js';
import type { Platform } from '../../src/protocol/platform.js';
import type { Role } from '../../src/protocol/role.js';
import { CLOSE, TEXT } from '../../src/wire/opcode.js';
import { closePayload, FrameCollector, type FrameFields, serializeFrame, type WireFrame } from './frames.js';

export const ROLES: readonly Role[] = ['client', 'server'];

/** One test for each role; the name reads `[id] role, action, condition -> result`. */
export function both(ids: string, rest: string, test: (role: Role) => void | Promise<void>): void {
  for (const role of ROLES) it(`${ids} ${role}, ${rest}`.trim(), () => test(role));
}

/** What happened at an endpoint: text as it is, bytes in hex. */
export type EngineEvent = readonly [name: string, ...details: (string | number)[]];

export interface Usage {
  allocations: number;
  bytes: number;
  largest: number;
}

/** Memory comes filled with AA, so that bytes which nobody has written show. */
export function testPlatform(): { platform: Platform; usage: Usage; keys: number[] } {
  const usage = { allocations: 0, bytes: 0, largest: 0 };
  const keys: number[] = [];
  const platform: Platform = {
    allocate(length) {
      usage.allocations++;
      usage.bytes += length;
      usage.largest = Math.max(usage.largest, length);
      return Buffer.alloc(length, 0xaa);
    },
    copy: (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)),
    view: (bytes, start, end) => bytes.subarray(start, end),
    isUtf8: (bytes) => isUtf8(bytes),
    isEqual: (one, other) => Buffer.compare(one, other) === 0,
    textLength: (text) => Buffer.byteLength(text),
    writeText: (target, text, offset) => (target as Buffer).write(text, offset),
    randomMaskingKey() {
      const key = Math.imul(keys.length + 1, 0x9e3779b1);
      keys.push(key);
      return key;
    },
  };
  return { platform, usage, keys };
}

export type EndpointOptions = Partial<Omit<ConnectionOptions, 'role' | 'platform' | 'block'>>;

/** A connection whose sink and transport are this object. */
export class Endpoint implements ConnectionSink, Transport {
  readonly connection: Connection;
  readonly events: EngineEvent[] = [];
  /** What the transport was asked to do, in order: 'end', 'destroy', 'idle', 'ready'. */
  readonly requests: string[] = [];
  readonly usage: Usage;
  readonly keys: number[];
  deadlineMs = 0;
  isPaused = false;
  /** Called at the end of each event, with its name. */
  onEvent: (name: string) => void = () => {};
  #callbacks: WriteCallback[] = [];
  #collector = new FrameCollector();

  constructor(
    readonly role: Role,
    options: EndpointOptions = {},
  ) {
    const { platform, usage, keys } = testPlatform();
    this.usage = usage;
    this.keys = keys;
    this.connection = new Connection(
      { ...options, role, platform, block: new OutputBlock(platform) },
      this,
      this,
    );
  }

  /** Hands a copy of `bytes` to the connection, which unmasks in place. */
  receive(bytes: Uint8Array): void {
    this.connection.receiver.receive(Buffer.from(bytes));
  }

  /** Everything that waits for the wire; `isWritten: false` leaves the callbacks of it uncalled. */
  takeOutput({ isWritten = true } = {}): Buffer {
    const taken = this.connection.sender.output.take() ?? [];
    const bytes = Buffer.concat(Array.isArray(taken) ? taken : [taken]);
    if (isWritten) for (const callback of this.#callbacks.splice(0)) callback();
    return bytes;
  }

  takeFrames(options?: { isWritten?: boolean }): WireFrame[] {
    return this.#collector.push(this.takeOutput(options));
  }

  /** The write callbacks, as after a failed write. */
  failWrites(error: Error): void {
    for (const callback of this.#callbacks.splice(0)) callback(error);
  }

  send(payload: Uint8Array | string, options: { isFinal?: boolean; compress?: boolean } = {}): void {
    const { isFinal = true, compress = false } = options;
    this.connection.sender.sendMessage(payload, {
      isBinary: typeof payload !== 'string',
      isFinal,
      compress,
    });
  }

  // ConnectionSink

  onMessage(data: Uint8Array, isBinary: boolean): void {
    this.#record(isBinary ? 'binary' : 'text', Buffer.from(data).toString(isBinary ? 'hex' : 'utf8'));
  }
  onPing(payload: Uint8Array): void {
    this.#record('ping', Buffer.from(payload).toString('hex'));
  }
  onPong(payload: Uint8Array): void {
    this.#record('pong', Buffer.from(payload).toString('hex'));
  }
  onClose(code: number, reason: Uint8Array): void {
    this.#record('close', code, Buffer.from(reason).toString());
  }
  onFail(error: Error & { code?: string }): void {
    this.#record('fail', error.code ?? error.message);
  }

  // Transport

  wake(callback?: WriteCallback): void {
    if (callback !== undefined) this.#callbacks.push(callback);
  }
  end(): void {
    this.requests.push('end');
  }
  destroy(): void {
    this.requests.push('destroy');
  }
  setDeadline(ms: number): void {
    this.deadlineMs = ms;
  }
  onIdle(): void {
    this.requests.push('idle');
  }
  onQueueEmpty(): void {}
  onReady(): void {
    this.requests.push('ready');
    queueMicrotask(() => this.connection.receiver.resume());
  }

  #record(...event: [string, ...(string | number)[]]): void {
    this.events.push(event);
    this.onEvent(event[0]);
  }
}

/** Carries bytes between two endpoints until neither has any left. */
export function exchange(one: Endpoint, other: Endpoint): void {
  for (let isQuiet = false; !isQuiet; ) {
    isQuiet = true;
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const bytes = from.takeOutput();
      if (bytes.length === 0) continue;
      isQuiet = false;
      to.receive(bytes);
    }
  }
}

/** The key with which frames of a client are masked here. */
export const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** Frames as the peer of `role` sends them: masked for a server, not masked for a client. */
export function fromPeer(role: Role, ...frames: FrameFields[]): Buffer {
  const mask = role === 'server' ? { maskingKey: KEY } : {};
  return Buffer.concat(frames.map((fields) => serializeFrame({ ...mask, ...fields })));
}

/** Bytes one by one. */
export function bytewise(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

/** An endpoint that was fed `portions`. */
export function feed(
  role: Role,
  portions: readonly Uint8Array[],
  options: EndpointOptions = {},
  keepsFragments = false,
): Endpoint {
  const endpoint = new Endpoint(role, options);
  endpoint.connection.receiver.keepsFragments = keepsFragments;
  for (const portion of portions) endpoint.receive(portion);
  return endpoint;
}

/** The events of `bytes`; whole, byte by byte, cut in two, and with half a header behind they have to be the same. */
export function eventsOf(role: Role, bytes: Uint8Array, options: EndpointOptions = {}): EngineEvent[] {
  const { events } = feed(role, [bytes], options);
  expect(feed(role, bytewise(bytes), options).events, 'byte by byte').toEqual(events);
  const step = Math.max(1, Math.floor(bytes.length / 40));
  for (let cut = 1; cut < bytes.length; cut += step) {
    const portions = [bytes.subarray(0, cut), bytes.subarray(cut)];
    expect(feed(role, portions, options).events, `cut at ${cut}`).toEqual(events);
  }
  const trailing = feed(role, [Buffer.concat([bytes, Buffer.from([0x82])])], options);
  expect(trailing.events, 'with a trailing byte').toEqual(events);
  return events;
}

/**
 * Expects that `bytes` fail the connection: the failure is reported after `before`, the peer is told `closeCode`, and a
 * message that follows is not delivered.
 */
export function expectFailure(
  role: Role,
  bytes: Uint8Array,
  code: string,
  closeCode: number,
  options: EndpointOptions = {},
  before: EngineEvent[] = [],
): void {
  const all = Buffer.concat([bytes, fromPeer(role, { opcode: TEXT, payload: 'after' })]);
  expect(eventsOf(role, all, options)).toEqual([...before, ['fail', code]]);
  const endpoint = feed(role, [all], options);
  const last = endpoint.takeFrames().at(-1);
  expect(last).toMatchObject({ opcode: CLOSE, payload: closePayload(closeCode) });
  expect(endpoint.requests).toContain('end');
}

/** Defaults of permessage-deflate: contexts are kept, windows are as large as they can be. */
export const AGREED: AgreedDeflate = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
