import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  addEventListener,
  CloseEvent,
  ErrorEvent,
  Event,
  getAttributeHandler,
  MessageEvent,
  removeEventListener,
  setAttributeHandler,
} from '../../src/ws/event-target.js';

class Target extends EventEmitter {
  wasClean = true;
  listen = addEventListener;
  unlisten = removeEventListener;
}

// biome-ignore lint/suspicious/noExplicitAny: the properties differ from event to event
type AnyEvent = any;

describe('events', () => {
  it('message, text -> a string; binary -> what it was', () => {
    const target = new Target();
    const data: unknown[] = [];
    target.listen('message', (event: AnyEvent) => data.push(event.data));
    target.emit('message', Buffer.from('é'), false);
    const bytes = Buffer.from([1]);
    target.emit('message', bytes, true);
    expect(data).toEqual(['é', bytes]);
    expect(data[1]).toBe(bytes);
  });

  it('close -> code, reason and whether it was clean', () => {
    for (const wasClean of [true, false]) {
      const target = new Target();
      target.wasClean = wasClean;
      const events: AnyEvent[] = [];
      target.listen('close', (event) => events.push(event));
      target.emit('close', 4000, Buffer.from('why'));
      expect(events[0]).toBeInstanceOf(CloseEvent);
      expect([events[0].code, events[0].reason, events[0].wasClean]).toEqual([4000, 'why', wasClean]);
    }
  });

  it('error -> the error and its message', () => {
    const target = new Target();
    const events: AnyEvent[] = [];
    target.listen('error', (event) => events.push(event));
    const error = new Error('bad');
    target.emit('error', error);
    expect([events[0].error, events[0].message, events[0].type]).toEqual([error, 'bad', 'error']);
    expect(events[0]).toBeInstanceOf(ErrorEvent);
  });

  it('open -> type and target; the listener is called on the target', () => {
    const target = new Target();
    let self: unknown;
    const events: AnyEvent[] = [];
    target.listen('open', function (this: unknown, event) {
      self = this;
      events.push(event);
    });
    target.emit('open');
    expect([events[0].type, events[0].target, self]).toEqual(['open', target, target]);
  });

  it('their properties are enumerable on the prototype and cannot be written', () => {
    for (const [eventClass, names] of [
      [Event, ['target', 'type']],
      [MessageEvent, ['data']],
      [CloseEvent, ['code', 'reason', 'wasClean']],
      [ErrorEvent, ['error', 'message']],
    ] as const) {
      expect(Object.keys(eventClass.prototype)).toEqual([...names]);
    }
    const event = new Event('open', {}) as AnyEvent;
    expect(() => {
      event.type = 'close';
    }).toThrow(TypeError);
  });
});

describe('addEventListener', () => {
  it('the same handler twice -> listens once', () => {
    const target = new Target();
    let count = 0;
    const handler = () => count++;
    target.listen('open', handler);
    target.listen('open', handler);
    target.emit('open');
    expect(count).toBe(1);
  });

  it('once -> one event', () => {
    const target = new Target();
    let count = 0;
    target.listen('open', () => count++, { once: true });
    target.emit('open');
    target.emit('open');
    expect(count).toBe(1);
  });

  it('an object with handleEvent -> is called on itself', () => {
    const target = new Target();
    const handler = {
      seen: 0,
      handleEvent() {
        this.seen++;
      },
    };
    target.listen('open', handler);
    target.emit('open');
    expect(handler.seen).toBe(1);
  });

  it('another type -> ignored', () => {
    const target = new Target();
    target.listen('ping', () => {});
    expect(target.eventNames()).toEqual([]);
  });
});

describe('removeEventListener', () => {
  it('removes what was added, also with once, and nothing else', () => {
    const target = new Target();
    const handler = () => {};
    for (const options of [{}, { once: true }]) {
      target.listen('open', handler, options);
      target.unlisten('open', () => {});
      expect(target.listenerCount('open')).toBe(1);
      target.unlisten('open', handler);
      expect(target.listenerCount('open')).toBe(0);
    }
  });

  it('leaves a plain listener and an attribute alone', () => {
    const target = new Target();
    const handler = () => {};
    target.on('open', handler);
    setAttributeHandler(target, 'open', handler);
    target.unlisten('open', handler);
    expect(target.listenerCount('open')).toBe(2);
  });
});

describe('attributes', () => {
  it('a function -> set, read, replaced, cleared', () => {
    const target = new Target();
    const calls: string[] = [];
    const first = () => calls.push('first');
    const second = () => calls.push('second');
    expect(getAttributeHandler(target, 'open')).toBeNull();
    setAttributeHandler(target, 'open', first);
    expect(getAttributeHandler(target, 'open')).toBe(first);
    setAttributeHandler(target, 'open', second);
    target.emit('open');
    setAttributeHandler(target, 'open', null);
    target.emit('open');
    expect(calls).toEqual(['second']);
    expect(getAttributeHandler(target, 'open')).toBeNull();
  });

  it('beside the same function as a listener -> both are called', () => {
    const target = new Target();
    let count = 0;
    const handler = () => count++;
    setAttributeHandler(target, 'open', handler);
    target.listen('open', handler);
    target.emit('open');
    expect(count).toBe(2);
  });
});
