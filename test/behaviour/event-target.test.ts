// addEventListener, removeEventListener, on* attributes, and the event objects they get.
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { next } from '../support/events.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour, type Package } from './implementations.js';

const TYPES = ['open', 'message', 'close', 'error'] as const;

behaviour('EventTarget emulation', ({ ws: WebSocket }) => {
  const { client, pair, rawPair, rawServer } = cast(WebSocket);
  const connecting = () => client('ws://127.0.0.1', { agent: silentAgent() });

  it.each(TYPES)('on%s -> takes functions only, gives back the function or null', (type) => {
    const socket = connecting();
    const listener = () => {};
    const name = `on${type}`;
    expect(socket[name]).toBeNull();
    socket[name] = listener;
    expect(socket[name]).toBe(listener);
    for (const other of [null, undefined, 7, 'x', {}, { handleEvent() {} }]) {
      socket[name] = listener;
      socket[name] = other;
      expect(socket[name]).toBeNull();
    }
    expect(socket.listenerCount(type)).toBe(0);
  });

  it('on* assigned twice -> the first is replaced', () => {
    const socket = connecting();
    const log: string[] = [];
    socket.onmessage = () => log.push('first');
    socket.onmessage = () => log.push('second');
    socket.emit('message', Buffer.from('x'), false);
    expect(log).toEqual(['second']);
    expect(socket.listenerCount('message')).toBe(1);
  });

  it('on* does not see listeners of on() and addEventListener()', () => {
    const socket = connecting();
    socket.on('message', () => {});
    socket.addEventListener('message', () => {});
    expect(socket.onmessage).toBeNull();
    const listener = () => {};
    socket.onmessage = listener;
    expect(socket.onmessage).toBe(listener);
    socket.onmessage = null;
    expect(socket.listenerCount('message')).toBe(2);
  });

  it('addEventListener for other types -> ignored', () => {
    const socket = connecting();
    for (const type of ['ping', 'pong', 'upgrade', 'redirect', 'unexpected-response', 'foo']) {
      expect(socket.addEventListener(type, () => {})).toBeUndefined();
      expect(socket.listenerCount(type)).toBe(0);
    }
  });

  it('addEventListener, the same listener twice -> called once; different ones in order', () => {
    const socket = connecting();
    const log: string[] = [];
    const first = () => log.push('first');
    const object = { handleEvent: () => log.push('object') };
    for (const listener of [first, object, first, object])
      expect(socket.addEventListener('open', listener)).toBeUndefined();
    socket.addEventListener('open', () => log.push('last'));
    expect(socket.listenerCount('open')).toBe(3);
    socket.emit('open');
    expect(log).toEqual(['first', 'object', 'last']);
  });

  it('the same function as on* and by addEventListener -> both', () => {
    const socket = connecting();
    let calls = 0;
    const listener = () => calls++;
    socket.onopen = listener;
    socket.addEventListener('open', listener);
    socket.emit('open');
    expect(calls).toBe(2);
    socket.removeEventListener('open', listener);
    expect(socket.onopen).toBe(listener);
    socket.removeEventListener('open', listener);
    expect(socket.onopen).toBe(listener);
    socket.emit('open');
    expect(calls).toBe(3);
  });

  it('once -> called once', () => {
    const socket = connecting();
    const log: string[] = [];
    socket.addEventListener('open', () => log.push('fn'), { once: true });
    socket.addEventListener('open', { handleEvent: () => log.push('object') }, { once: true });
    expect(socket.listenerCount('open')).toBe(2);
    socket.emit('open');
    socket.emit('open');
    expect(log).toEqual(['fn', 'object']);
    expect(socket.listenerCount('open')).toBe(0);
  });

  it('removeEventListener -> removes what addEventListener added, also once, and nothing else', () => {
    const socket = connecting();
    const log: string[] = [];
    const fn = () => log.push('fn');
    const object = { handleEvent: () => log.push('object') };
    const plain = () => log.push('plain');
    socket.addEventListener('open', fn);
    socket.addEventListener('open', object, { once: true });
    socket.on('open', plain);
    for (const listener of [fn, object, plain, () => {}]) {
      expect(socket.removeEventListener('open', listener)).toBeUndefined();
    }
    socket.emit('open');
    expect(log).toEqual(['plain']);
  });

  it('listeners are wrappers in the list of the EventEmitter', () => {
    const socket = connecting();
    const fn = () => {};
    socket.addEventListener('message', fn);
    socket.onmessage = fn;
    expect(socket.listenerCount('message')).toBe(2);
    expect(socket.listeners('message')).toHaveLength(2);
    expect(socket.listeners('message')).not.toContain(fn);
    socket.removeAllListeners('message');
    expect(socket.onmessage).toBeNull();
    expect(socket.listenerCount('message')).toBe(0);
  });

  it('`this` -> the WebSocket in a function, the object in handleEvent', () => {
    const socket = connecting();
    const seen: unknown[] = [];
    const object = {
      handleEvent(this: unknown) {
        seen.push(this);
      },
    };
    socket.onopen = function (this: unknown) {
      seen.push(this);
    };
    socket.addEventListener('open', function (this: unknown) {
      seen.push(this);
    });
    socket.addEventListener('open', object);
    socket.emit('open');
    expect(seen[0]).toBe(socket);
    expect(seen[1]).toBe(socket);
    expect(seen[2]).toBe(object);
  });

  /** The event that each style gets when the socket emits. */
  function eventOf(type: string, ...args: unknown[]): Package {
    const socket = connecting();
    const events: Package[] = [];
    socket[`on${type}`] = (event: unknown) => events.push(event);
    socket.addEventListener(type, (event: unknown) => events.push(event));
    socket.emit(type, ...args);
    expect(events).toHaveLength(2);
    for (const event of events) {
      expect(event.type).toBe(type);
      expect(event.target).toBe(socket);
    }
    return events[1];
  }

  /** Every name that `for in` finds. */
  function attributes(event: object): string[] {
    const names: string[] = [];
    for (const name in event) names.push(name);
    return names.sort();
  }

  it('open -> Event', () => {
    const event = eventOf('open');
    expect(event.constructor.name).toBe('Event');
    expect(event).not.toBeInstanceOf(Event);
    expect(attributes(event)).toEqual(['target', 'type']);
  });

  it('message -> MessageEvent whose data is a string for text and what was emitted for binary', () => {
    const event = eventOf('message', Buffer.from('text'), false);
    expect(event.constructor.name).toBe('MessageEvent');
    expect(event).not.toBeInstanceOf(Event);
    expect(event.data).toBe('text');
    expect(attributes(event)).toEqual(['data', 'target', 'type']);
    const binary = Buffer.from('binary');
    expect(eventOf('message', binary, true).data).toBe(binary);
  });

  it('close -> CloseEvent with code, reason as a string and wasClean', () => {
    const event = eventOf('close', 1000, Buffer.from('reason'));
    expect(event.constructor.name).toBe('CloseEvent');
    expect([event.code, event.reason, event.wasClean]).toEqual([1000, 'reason', false]);
    expect(attributes(event)).toEqual(['code', 'reason', 'target', 'type', 'wasClean']);
  });

  it('error -> ErrorEvent with the error and its message', () => {
    const error = new Error('oops');
    const event = eventOf('error', error);
    expect(event.constructor.name).toBe('ErrorEvent');
    expect([event.error, event.message]).toEqual([error, 'oops']);
    expect(attributes(event)).toEqual(['error', 'message', 'target', 'type']);
  });

  it('event objects -> attributes are read-only, and nothing else of the DOM is there', () => {
    const event = eventOf('message', Buffer.from('x'), false);
    expect(() => {
      event.data = 'other';
    }).toThrow(TypeError);
    for (const name of ['preventDefault', 'origin', 'lastEventId', 'timeStamp', 'currentTarget']) {
      expect(event[name], name).toBeUndefined();
    }
    expect(connecting().dispatchEvent).toBeUndefined();
  });

  it('a connection -> events of real traffic, wasClean when both Close frames passed', async () => {
    const { client: socket, server: peer } = await pair();
    const log: unknown[] = [];
    socket.onmessage = ({ data }: { data: unknown }) => log.push(data);
    socket.onclose = ({ code, reason, wasClean }: Package) => log.push([code, reason, wasClean]);
    peer.send('text');
    peer.send(Buffer.from('binary'));
    peer.close(4000, 'bye');
    await next(socket, 'close');
    expect(log).toEqual(['text', Buffer.from('binary'), [4000, 'bye', true]]);
  });

  it('a connection that breaks -> wasClean is false', async () => {
    const { client: socket, server: peer } = await pair();
    const closed = new Promise<Package>((resolve) => socket.addEventListener('close', resolve));
    peer.terminate();
    const { code, reason, wasClean } = await closed;
    expect([code, reason, wasClean]).toEqual([1006, '', false]);
  });

  it('our Close frame is not answered -> wasClean is false', async () => {
    const { socket, peer } = await rawPair();
    const closed = new Promise<Package>((resolve) => {
      socket.onclose = resolve;
    });
    socket.close(1000);
    await peer.nextFrame();
    peer.socket.end();
    const { code, wasClean } = await closed;
    expect([code, wasClean]).toEqual([1006, false]);
  });

  it('a handshake that fails -> error and close events', async () => {
    const raw = await rawServer(() => 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    const socket = client(raw.url);
    const log: unknown[] = [];
    socket.onopen = () => log.push('open');
    socket.onerror = ({ message, error }: Package) => log.push([message, error instanceof Error]);
    socket.onclose = ({ code, wasClean }: Package) => log.push([code, wasClean]);
    await next(socket, 'close');
    expect(log).toEqual([
      ['Unexpected server response: 404', true],
      [1006, false],
    ]);
  });

  it('emit() by the caller -> drives both styles', () => {
    const socket = connecting();
    const log: unknown[] = [];
    socket.on('message', (data: Buffer, isBinary: boolean) => log.push([String(data), isBinary]));
    socket.onmessage = ({ data }: { data: unknown }) => log.push(data);
    expect(socket.emit('message', Buffer.from('x'), false)).toBe(true);
    expect(log).toEqual([['x', false], 'x']);
  });
});
