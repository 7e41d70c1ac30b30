import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WireTap } from '../../src/cli/wire-tap.js';
import { next, turn } from '../support/events.js';

/** The socket below the tap: what the test makes it receive, and what was written to it. */
class FakeSocket extends Duplex {
  readonly written: string[] = [];
  readonly corked: number[] = [];
  /** Held until `drain()`, so that the test decides when a write is done. */
  #pending: (() => void) | undefined;
  isSlow = false;

  constructor() {
    super({ readableHighWaterMark: 16, writableHighWaterMark: 16 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk.toString());
    if (this.isSlow) this.#pending = done;
    else done();
  }

  drain(): void {
    this.isSlow = false;
    this.#pending?.();
  }

  override cork(): void {
    this.corked.push(this.written.length);
    super.cork();
  }
}

function setUp() {
  const seen: string[] = [];
  const socket = new FakeSocket();
  const tap = new WireTap(socket, {
    bytes: (from, bytes) => seen.push(`${from}: ${Buffer.from(bytes)}`),
    end: (from) => seen.push(`${from} ended`),
    close: (error) => seen.push(`closed ${error?.code ?? ''}`.trim()),
  });
  return { seen, socket, tap };
}

describe('WireTap', () => {
  it('forwards bytes both ways, and shows them', async () => {
    const { seen, socket, tap } = setUp();
    socket.push('from below');
    const [chunk] = await next(tap, 'data');
    tap.write('from above');
    expect(String(chunk)).toBe('from below');
    expect(socket.written).toEqual(['from above']);
    expect(seen).toEqual(['client: from below', 'server: from above']);
  });

  it('shows bytes before the endpoint gets them, which may unmask them in place', async () => {
    const { seen, socket, tap } = setUp();
    tap.on('data', (chunk: Buffer) => chunk.fill(0));
    socket.push('masked');
    await turn();
    expect(seen).toEqual(['client: masked']);
  });

  it('reads nothing before it is read from', async () => {
    const { seen, socket } = setUp();
    socket.push('early');
    await turn();
    expect(seen).toEqual([]);
    expect(socket.isPaused()).toBe(true);
  });

  it('passes backpressure down: a reader that pauses stops the socket from being read', async () => {
    const { seen, socket, tap } = setUp();
    tap.resume();
    await turn();
    tap.pause();
    const chunk = Buffer.alloc(tap.readableHighWaterMark, 'x');
    for (let index = 0; index < 10; index++) socket.push(chunk);
    await turn();
    expect(socket.isPaused()).toBe(true);
    expect(seen.length).toBeLessThan(3);
    tap.resume();
    await turn();
    await turn();
    expect(seen).toHaveLength(10);
  });

  it('passes backpressure up: a write is done when the socket has written', async () => {
    const { socket, tap } = setUp();
    socket.isSlow = true;
    let isDone = false;
    tap.write('slow', () => {
      isDone = true;
    });
    await turn();
    expect(isDone).toBe(false);
    expect(tap.writableLength).toBe(4);
    socket.drain();
    await turn();
    expect(isDone).toBe(true);
    expect(tap.writableLength).toBe(0);
  });

  it('hands writes that came together to the socket together', async () => {
    const { seen, socket, tap } = setUp();
    tap.cork();
    tap.write('a');
    tap.write('b');
    tap.write('c');
    tap.uncork();
    await turn();
    expect(socket.written).toEqual(['a', 'b', 'c']);
    expect(socket.corked).toEqual([0]);
    expect(seen).toEqual(['server: a', 'server: b', 'server: c']);
  });

  it('passes a half-close up, and can still write', async () => {
    const { seen, socket, tap } = setUp();
    tap.resume();
    socket.push(null);
    await next(tap, 'end');
    tap.write('goodbye');
    await turn();
    expect(socket.written).toEqual(['goodbye']);
    expect(seen).toEqual(['client ended', 'server: goodbye']);
  });

  it('passes a half-close down, and can still read', async () => {
    const { seen, socket, tap } = setUp();
    const finished = next(socket, 'finish');
    tap.end('last');
    await finished;
    socket.push('answer');
    const [chunk] = await next(tap, 'data');
    expect(String(chunk)).toBe('answer');
    expect(seen).toEqual(['server: last', 'server ended', 'client: answer']);
  });

  it('passes an error of the socket up, and closes', async () => {
    const { seen, socket, tap } = setUp();
    const error = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const failed = next(tap, 'error');
    const closed = next(tap, 'close');
    socket.destroy(error);
    expect(await failed).toEqual([error]);
    await closed;
    expect(seen).toEqual(['closed ECONNRESET']);
  });

  it('destroys the socket when it is destroyed, and closes after it', async () => {
    const { seen, socket, tap } = setUp();
    tap.destroy();
    await next(tap, 'close');
    expect(socket.closed).toBe(true);
    expect(seen).toEqual(['closed']);
  });

  it('is destroyed when the socket closes without a word', async () => {
    const { socket, tap } = setUp();
    socket.destroy();
    await next(tap, 'close');
    expect(tap.destroyed).toBe(true);
  });
});
