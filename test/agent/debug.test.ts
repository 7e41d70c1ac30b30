import { describe, expect, it } from 'vitest';
import { type Describable, debug, track, untrack } from '../../src/agent/debug.js';

function thing(id: string, state = 'open'): Describable & { state: string } {
  return {
    state,
    describe() {
      return { kind: 'thing', id, state: this.state, ageMs: 5, unacked: 3 };
    },
  };
}

describe('debug.active', () => {
  it('lists what is tracked as it is now, oldest first, until it is closed', () => {
    const first = thing('1');
    const second = thing('2');
    track(first);
    track(second);
    first.state = 'detached';
    expect(debug.active()).toEqual([
      { kind: 'thing', id: '1', state: 'detached', ageMs: 5, unacked: 3 },
      { kind: 'thing', id: '2', state: 'open', ageMs: 5, unacked: 3 },
    ]);
    untrack(first);
    expect(debug.active().map(({ id }) => id)).toEqual(['2']);
    untrack(first);
    untrack(second);
    expect(debug.active()).toEqual([]);
  });
});
