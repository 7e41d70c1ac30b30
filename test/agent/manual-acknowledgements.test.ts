// With `acknowledge: 'manual'`, over the loss of a session and a move to another server.

import { describe, expect, it } from 'vitest';
import { Inbox } from '../../src/agent/inbox.js';

function source() {
  const acknowledged: number[] = [];
  return { acknowledged, handed() {}, acknowledge: (number: number) => acknowledged.push(number) };
}

describe('Inbox.acknowledge', () => {
  it('numbers of two sessions -> each session gets its own', () => {
    const inbox = new Inbox(true);
    const [lost, next] = [source(), source()];
    const told: number[] = [];
    inbox.listener = (_data, number) => told.push(number);
    for (let number = 1; number <= 3; number++) inbox.push('x', number, lost);
    for (let number = 1; number <= 2; number++) inbox.push('x', number, next);
    expect(told).toEqual([1, 2, 3, 4, 5]);
    inbox.acknowledge(2);
    expect([lost.acknowledged, next.acknowledged]).toEqual([[2], []]);
    inbox.acknowledge(4);
    expect([lost.acknowledged, next.acknowledged]).toEqual([[2, 3], [1]]);
    inbox.acknowledge(3);
    inbox.acknowledge(100);
    expect([lost.acknowledged, next.acknowledged]).toEqual([
      [2, 3],
      [1, 2],
    ]);
  });
});
