import { describe, expect, it } from 'vitest';
import { Emitter } from '../../src/agent/emitter.js';

interface Events {
  message: [text: string, number: number];
  close: [];
}

class Source extends Emitter<Events> {
  changes: (keyof Events)[] = [];
  override emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    super.emit(name, ...args);
  }
  override removeAllListeners(): void {
    super.removeAllListeners();
  }
  protected override onListenersChanged(name: keyof Events): void {
    this.changes.push(name);
  }
}

describe('Emitter', () => {
  it('tells every listener, in the order in which they were added, with all arguments', () => {
    const source = new Source();
    const told: unknown[] = [];
    source.on('message', (...args) => told.push(['first', ...args]));
    source.on('message', (...args) => told.push(['second', ...args]));
    source.emit('message', 'hi', 1);
    expect(told).toEqual([
      ['first', 'hi', 1],
      ['second', 'hi', 1],
    ]);
  });

  it('nobody listens -> nothing happens', () => {
    const source = new Source();
    source.on('message', () => expect.unreachable());
    expect(() => source.emit('close')).not.toThrow();
  });

  it('once -> told once, and never again, even when told from within', () => {
    const source = new Source();
    let count = 0;
    source.once('close', () => {
      count++;
      source.emit('close');
    });
    source.emit('close');
    expect(count).toBe(1);
    expect(source.listenerCount('close')).toBe(0);
  });

  it('off -> told no more; the others are', () => {
    const source = new Source();
    const told: string[] = [];
    const first = (): number => told.push('first');
    source.on('close', first).on('close', () => told.push('second'));
    source.off('close', first);
    source.emit('close');
    expect(told).toEqual(['second']);
  });

  it('off with a function that never listened -> nothing happens', () => {
    const source = new Source();
    source.on('close', () => {});
    source.off('close', () => {}).off('message', () => {});
    expect([source.listenerCount('close'), source.listenerCount('message')]).toEqual([1, 0]);
  });

  it('a listener that adds itself again while an event is told -> is not told twice', () => {
    const source = new Source();
    let count = 0;
    const again = (): void => {
      count++;
      if (count < 100) source.on('close', again);
    };
    source.on('close', again);
    source.emit('close');
    expect(count).toBe(1);
  });

  it('listeners added or removed while an event is told -> count from the next one on', () => {
    const source = new Source();
    const told: string[] = [];
    const second = (): number => told.push('second');
    source.on('close', () => {
      told.push('first');
      source.off('close', second);
      source.on('close', () => told.push('third'));
    });
    source.on('close', second);
    source.emit('close');
    expect(told).toEqual(['first', 'second']);
    told.length = 0;
    source.emit('close');
    expect(told).toEqual(['first', 'third']);
  });

  it('tells the class of every change of its listeners', () => {
    const source = new Source();
    const listener = (): void => {};
    source.on('message', listener).off('message', listener).once('close', listener);
    expect(source.changes).toEqual(['message', 'message', 'close']);
    source.emit('close');
    expect(source.changes).toEqual(['message', 'message', 'close', 'close']);
  });

  it('removeAllListeners -> nobody is told any more', () => {
    const source = new Source();
    source.on('close', () => expect.unreachable()).on('message', () => expect.unreachable());
    source.removeAllListeners();
    source.emit('close');
    source.emit('message', '', 1);
    expect([source.listenerCount('close'), source.listenerCount('message')]).toEqual([0, 0]);
  });
});
