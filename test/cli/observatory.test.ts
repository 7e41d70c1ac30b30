import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WireRecord } from '../../src/cli/connection-recorder.js';
import { type Channel, isChannelName, Observatory } from '../../src/cli/observatory.js';
import type { WebSocket } from '../../src/ws/websocket.js';

/** An observer's or a watched connection's WebSocket, as far as a channel uses it. */
class FakeWebSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  readonly received: Record<string, unknown>[] = [];
  readonly orders: unknown[][] = [];
  #callbacks: (() => void)[] = [];

  send(line: string, callback?: () => void): void {
    this.received.push(JSON.parse(line));
    if (callback) this.#callbacks.push(callback);
  }

  /** The peer has read everything. */
  drain(): void {
    this.bufferedAmount = 0;
    for (const callback of this.#callbacks.splice(0)) callback();
  }

  ask(request: object | string): void {
    this.emit('message', Buffer.from(typeof request === 'string' ? request : JSON.stringify(request)));
  }

  ping(payload: string): void {
    if (payload.length > 125) throw new RangeError('too long');
    this.orders.push(['ping', payload]);
  }

  close(...given: unknown[]): void {
    this.orders.push(['close', ...given]);
  }

  terminate(): void {
    this.orders.push(['terminate']);
  }
}

function observe(channel: Channel): FakeWebSocket {
  const observer = new FakeWebSocket();
  channel.addObserver(observer as unknown as WebSocket);
  return observer;
}

function watch(channel: Channel): FakeWebSocket {
  const socket = new FakeWebSocket();
  channel.setEndpoint(channel.addConnection('/echo'), socket as unknown as WebSocket);
  return socket;
}

const event = (text: string): WireRecord => ({ type: 'tcp', from: 'client', event: text });

describe('isChannelName', () => {
  it.each(['a', 'my-name_1.2~', 'x'.repeat(64)])('accepts %j', (name) =>
    expect(isChannelName(name)).toBe(true),
  );
  it.each(['', 'x'.repeat(65), 'a b', 'é', 'a/b', 'a\n', '"'])('refuses %j', (name) =>
    expect(isChannelName(name)).toBe(false),
  );
});

describe('Channel', () => {
  it('greets an observer with the close codes, and which may be sent', () => {
    const [hello] = observe(new Observatory().channel('a')!).received;
    expect(hello).toMatchObject({ type: 'hello' });
    const codes = hello!.closeCodes as { code: number; isSendable: boolean; name: string }[];
    expect(codes.map(({ code }) => code)).toEqual([
      ...Array.from({ length: 16 }, (_, index) => 1000 + index),
      3000,
      4000,
    ]);
    expect(codes.find(({ code }) => code === 1006)).toMatchObject({
      isSendable: false,
      name: 'Abnormal Closure',
    });
  });

  it('tells every observer what happened, with the number of the connection and the time', () => {
    const channel = new Observatory().channel('a')!;
    const observers = [observe(channel), observe(channel)];
    channel.publish(channel.addConnection('/echo'), event('one'));
    for (const { received } of observers) {
      expect(received[1]).toMatchObject({ connection: 1, type: 'tcp', event: 'one', at: expect.any(Number) });
    }
  });

  it('tells a late observer what happened before', () => {
    const channel = new Observatory().channel('a')!;
    channel.publish(channel.addConnection('/echo'), event('early'));
    expect(observe(channel).received[1]).toMatchObject({ event: 'early' });
  });

  it('keeps a bounded number of records for late observers, and says how many are missing', () => {
    const channel = new Observatory().channel('a')!;
    for (let index = 0; index < 600; index++) channel.publish(1, event(String(index)));
    const { received } = observe(channel);
    expect(received[1]).toEqual({ type: 'dropped', count: 100 });
    expect(received[2]).toMatchObject({ event: '100' });
    expect(received).toHaveLength(502);
  });

  it('keeps a bounded size of records for late observers', () => {
    const channel = new Observatory().channel('a')!;
    for (let index = 0; index < 100; index++) channel.publish(1, event('x'.repeat(100_000)));
    expect(JSON.stringify(observe(channel).received).length).toBeLessThan(1024 * 1024 + 10_000);
  });

  it('leaves records out for an observer that does not read, and says how many', () => {
    const channel = new Observatory().channel('a')!;
    const observer = observe(channel);
    channel.publish(1, event('read'));
    observer.bufferedAmount = 2 * 1024 * 1024;
    for (let index = 0; index < 5; index++) channel.publish(1, event('not read'));
    expect(observer.received.at(-1)).toMatchObject({ event: 'read' });
    observer.drain();
    expect(observer.received.at(-1)).toEqual({ type: 'dropped', count: 5 });
    channel.publish(1, event('again'));
    expect(observer.received.at(-1)).toMatchObject({ event: 'again' });
  });

  it('sends nothing to an observer that is closing', () => {
    const channel = new Observatory().channel('a')!;
    const observer = observe(channel);
    observer.readyState = 2;
    channel.publish(1, event('late'));
    expect(observer.received).toHaveLength(1);
  });

  it.each([
    [{ request: 'ping', payload: 'x' }, ['ping', 'x']],
    [{ request: 'ping' }, ['ping', '']],
    [{ request: 'ping', payload: 5 }, ['ping', '']],
    [{ request: 'close' }, ['close']],
    [{ request: 'close', code: 1011, reason: 'why' }, ['close', 1011, 'why']],
    [{ request: 'terminate' }, ['terminate']],
  ])('does what an observer asks: %j', (request, order) => {
    const channel = new Observatory().channel('a')!;
    const socket = watch(channel);
    observe(channel).ask(request);
    expect(socket.orders).toEqual([order]);
  });

  it.each([
    ['no JSON', '{', 'not understood: the request is not JSON'],
    ['null', 'null', 'not understood: a request is ping, close or terminate'],
    ['a number', '1', 'not understood: a request is ping, close or terminate'],
    ['something else', '{"request":"dance"}', 'not understood: a request is ping, close or terminate'],
    ['what the endpoint refuses', JSON.stringify({ request: 'ping', payload: 'x'.repeat(126) }), 'too long'],
  ])('answers %s with a notice', (_, request, text) => {
    const channel = new Observatory().channel('a')!;
    watch(channel);
    const observer = observe(channel);
    observer.ask(request);
    expect(observer.received.at(-1)).toEqual({ type: 'notice', text });
  });

  it('says so when there is no connection to do it on', () => {
    const observer = observe(new Observatory().channel('a')!);
    observer.ask({ request: 'ping' });
    expect(observer.received.at(-1)).toEqual({
      type: 'notice',
      text: 'no connection is open under this name',
    });
  });
});

describe('Observatory', () => {
  it('gives everyone with the same name the same channel', () => {
    const observatory = new Observatory();
    expect(observatory.channel('a')).toBe(observatory.channel('a'));
    expect(observatory.channel('a')).not.toBe(observatory.channel('b'));
  });

  it('has a bounded number of channels', () => {
    const observatory = new Observatory();
    for (let index = 0; index < 32; index++) expect(observatory.channel(`n${index}`)).toBeDefined();
    expect(observatory.channel('one more')).toBeUndefined();
    expect(observatory.channel('n0')).toBeDefined();
  });

  it('forgets a channel when everyone has left', () => {
    const observatory = new Observatory();
    const channel = observatory.channel('a')!;
    const observer = observe(channel);
    const connection = channel.addConnection('/echo');
    observer.emit('close');
    expect(observatory.channel('a')).toBe(channel);
    channel.removeConnection(connection);
    const next = observatory.channel('a')!;
    expect(next).not.toBe(channel);
    // What comes late for the old channel does not touch the new one.
    channel.releaseIfEmpty();
    expect(observatory.channel('a')).toBe(next);
  });

  it('bounds who is in a channel', () => {
    const channel = new Observatory().channel('a')!;
    for (let index = 0; index < 16; index++) channel.addConnection('/echo');
    expect(channel.isFull).toBe(true);
  });
});
