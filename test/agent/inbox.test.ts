import { describe, expect, it } from 'vitest';
import { SessionError } from '../../src/agent/errors.js';
import { Inbox } from '../../src/agent/inbox.js';
import type { Data } from '../../src/agent/link.js';

function setUp() {
  const inbox = new Inbox(false);
  const handed: number[] = [];
  const source = {
    acknowledge() {},
    handed(number: number, _data: Data) {
      handed.push(number);
    },
  };
  let number = 0;
  const push = (...texts: string[]): void => {
    for (const text of texts) inbox.push(text, ++number, source);
  };
  return { inbox, handed, push };
}

const value = (data: Data) => ({ done: false, value: data });
const END = { done: true, value: undefined };

describe('what one source has brought', () => {
  it('is taken out, in order, and what others have brought stays', () => {
    const { inbox, handed, push } = setUp();
    const other = { acknowledge() {}, handed() {} };
    push('a');
    inbox.push('b', 1, other);
    push('c');
    expect(inbox.take(other).map(({ data }) => data)).toEqual(['b']);
    expect([inbox.count, handed]).toEqual([2, []]);
    expect(inbox.take(other)).toEqual([]);
    const told: unknown[] = [];
    inbox.listener = (data) => told.push(data);
    expect(told).toEqual(['a', 'c']);
  });
});

describe('listener', () => {
  it('gets messages as they come, each counts as handed over', () => {
    const { inbox, handed, push } = setUp();
    const told: unknown[] = [];
    inbox.listener = (data, number) => told.push([data, number]);
    push('a', 'b');
    expect(told).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(handed).toEqual([1, 2]);
  });

  it('gets first what has waited', () => {
    const { inbox, handed, push } = setUp();
    push('a', 'b');
    expect([inbox.count, handed]).toEqual([2, []]);
    const told: unknown[] = [];
    inbox.listener = (data) => told.push(data);
    push('c');
    expect(told).toEqual(['a', 'b', 'c']);
    expect([inbox.count, handed]).toEqual([0, [1, 2, 3]]);
  });

  it('a message counts as handed over while the listener has it: it may say that it is done', () => {
    const { inbox, handed, push } = setUp();
    const seen: unknown[] = [];
    inbox.listener = (data) => seen.push([data, ...handed]);
    push('a', 'b');
    expect(seen).toEqual([
      ['a', 1],
      ['b', 1, 2],
    ]);
  });

  it('goes away after one message -> the others wait', () => {
    const { inbox, handed, push } = setUp();
    push('a', 'b');
    inbox.listener = () => {
      inbox.listener = undefined;
    };
    expect([inbox.count, handed]).toEqual([1, [1]]);
    push('c');
    expect(inbox.count).toBe(2);
  });

  it('is exchanged while it is told -> the numbers stay in order, and the new one gets the others', () => {
    const { inbox, handed, push } = setUp();
    const told: unknown[] = [];
    push('a', 'b', 'c');
    inbox.listener = (data) => {
      told.push(`first ${data}`);
      inbox.listener = (later) => told.push(`second ${later}`);
      told.push('done');
    };
    expect(told).toEqual(['first a', 'done', 'second b', 'second c']);
    expect(handed).toEqual([1, 2, 3]);
  });

  it('throws -> its message is handed over, and the next ones go on', () => {
    const { inbox, handed, push } = setUp();
    const told: unknown[] = [];
    inbox.listener = (data) => {
      told.push(data);
      if (data === 'a') throw new Error('of the listener');
    };
    expect(() => push('a')).toThrow('of the listener');
    push('b');
    expect([told, handed]).toEqual([
      ['a', 'b'],
      [1, 2],
    ]);
  });

  it('throws on what has waited -> it is told the rest all the same', () => {
    const { inbox, handed, push } = setUp();
    const told: unknown[] = [];
    push('a', 'b', 'c');
    expect(() => {
      inbox.listener = (data) => {
        told.push(data);
        if (data === 'a' || data === 'b') throw new Error(`of ${data}`);
      };
    }).toThrow();
    push('d');
    expect(told).toEqual(['a', 'b', 'c', 'd']);
    expect(handed).toEqual([1, 2, 3, 4]);
  });

  it('takes precedence over who iterates', async () => {
    const { inbox, push } = setUp();
    const read = inbox.next();
    const told: unknown[] = [];
    inbox.listener = (data) => told.push(data);
    push('a');
    inbox.listener = undefined;
    push('b');
    expect(told).toEqual(['a']);
    expect(await read).toEqual(value('b'));
  });
});

describe('next', () => {
  it('what has waited first, then what comes, to readers in their order', async () => {
    const { inbox, handed, push } = setUp();
    push('a');
    const reads = [inbox.next(), inbox.next(), inbox.next()];
    expect(handed).toEqual([1]);
    push('b', 'c', 'd');
    expect(await Promise.all(reads)).toEqual(['a', 'b', 'c'].map(value));
    expect([handed, inbox.count]).toEqual([[1, 2, 3], 1]);
  });

  it('nobody reads -> nothing is handed over', () => {
    const { inbox, handed, push } = setUp();
    push('a');
    expect([handed, inbox.count]).toEqual([[], 1]);
  });
});

describe('end', () => {
  it('without an error: what waits can be read, then the end, again and again', async () => {
    const { inbox, handed, push } = setUp();
    push('a');
    inbox.end(undefined);
    expect(await inbox.next()).toEqual(value('a'));
    expect(handed).toEqual([1]);
    expect([await inbox.next(), await inbox.next()]).toEqual([END, END]);
  });

  it('with an error: after what waits, once', async () => {
    const { inbox, push } = setUp();
    push('a');
    inbox.end(new SessionError('closed', 'over'));
    expect(await inbox.next()).toEqual(value('a'));
    await expect(inbox.next()).rejects.toThrow('over');
    expect(await inbox.next()).toEqual(END);
  });

  it('readers that wait: the first gets the error, the others the end', async () => {
    const { inbox } = setUp();
    const reads = [inbox.next(), inbox.next()];
    inbox.end(new SessionError('closed', 'over'));
    await expect(reads[0]).rejects.toThrow('over');
    expect(await reads[1]).toEqual(END);
  });

  it('what waits still goes to a listener', () => {
    const { inbox, handed, push } = setUp();
    push('a');
    inbox.end(undefined);
    const told: unknown[] = [];
    inbox.listener = (data) => told.push(data);
    expect([told, handed]).toEqual([['a'], [1]]);
  });
});
