import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../src/rpc/carrier.js';
import { type ItemSource, Outbox, type Sender } from '../../src/rpc/outbox.js';
import { turn } from '../support/events.js';

/** An outbox whose carrier takes as many messages as it is told. */
function setUp(room = Number.POSITIVE_INFINITY) {
  const sent: string[] = [];
  const stage = { room };
  const carrier: Carrier = {
    get hasRoom() {
      return stage.room > 0;
    },
    hasRoomFor: () => stage.room > 0,
    maxBytes: 1000,
    send(text) {
      stage.room--;
      sent.push(text);
    },
    fail() {},
    release() {},
  };
  const outbox = new Outbox(carrier);
  /** Gives room for so many messages, and takes what is sent. */
  const flush = (count = Number.POSITIVE_INFINITY) => {
    stage.room = count;
    outbox.flush();
    return sent.splice(0);
  };
  return { outbox, sent, stage, carrier, flush };
}

/** Gives these messages, one after the other. */
function sourceOf(...messages: string[]): ItemSource {
  return { takeMessage: () => messages.shift() };
}

function senderNoting(log: string[], name: string): Sender {
  return { onSent: () => log.push(`${name} sent`), onLost: (error) => log.push(`${name}: ${error.message}`) };
}

describe('messages', () => {
  it('room -> sent at once, and the sender is told', () => {
    const { outbox, sent } = setUp();
    const log: string[] = [];
    outbox.send('a', senderNoting(log, 'a'));
    outbox.send('b');
    expect(sent).toEqual(['a', 'b']);
    expect(log).toEqual(['a sent']);
    expect(outbox.isEmpty).toBe(true);
  });

  it('no room -> they wait, and leave in order as far as there is room', () => {
    const { outbox, sent, flush } = setUp(1);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) outbox.send(name, senderNoting(log, name));
    expect(sent.splice(0)).toEqual(['a']);
    expect(flush(2)).toEqual(['b', 'c']);
    expect(log).toEqual(['a sent', 'b sent', 'c sent']);
    expect(outbox.isEmpty).toBe(false);
    expect(flush()).toEqual(['d']);
    expect(outbox.isEmpty).toBe(true);
  });

  it('room again, but nobody was told yet -> nothing overtakes what waits', () => {
    const { outbox, sent, stage, flush } = setUp(0);
    outbox.send('a');
    stage.room = 9;
    outbox.send('b');
    outbox.sendIfRoom('never');
    expect(sent).toEqual([]);
    expect(flush()).toEqual(['a', 'b']);
  });

  it('who is told that its message has left may send', () => {
    const { outbox, flush } = setUp(0);
    outbox.send('a', { onSent: () => outbox.send('c') });
    outbox.send('b');
    expect(flush()).toEqual(['a', 'b', 'c']);
  });

  it('who is told that its message has left may end it all', () => {
    const { outbox, flush } = setUp(0);
    const log: string[] = [];
    outbox.send('a', { onSent: () => outbox.close(new Error('over')) });
    outbox.send('b', senderNoting(log, 'b'));
    expect(flush()).toEqual(['a']);
    expect(log).toEqual(['b: over']);
  });

  it('withdraw -> what waits is not sent; what has left has left', () => {
    const { outbox, sent, flush } = setUp(1);
    const [a, b, c] = ['a', 'b', 'c'].map((name) => senderNoting([], name));
    outbox.send('a', a);
    outbox.send('b', b);
    outbox.send('c', c);
    expect([outbox.withdraw(a!), outbox.withdraw(b!), outbox.withdraw(b!)]).toEqual([false, true, false]);
    expect([sent.splice(0), flush()]).toEqual([['a'], ['c']]);
  });

  it('sendIfRoom -> without room it is left out', () => {
    const { outbox, sent, flush } = setUp(1);
    outbox.sendIfRoom('a');
    outbox.sendIfRoom('b');
    expect(sent.splice(0)).toEqual(['a']);
    expect(flush()).toEqual([]);
  });

  it('another carrier -> what waits leaves with it', () => {
    const { outbox, sent } = setUp(0);
    const other = setUp();
    outbox.send('a');
    outbox.carrier = other.carrier;
    outbox.send('b');
    expect(sent).toEqual([]);
    expect(other.sent).toEqual(['a', 'b']);
  });
});

describe('progress', () => {
  it('no room -> only the newest of each call is kept, behind messages', () => {
    const { outbox, flush } = setUp(0);
    outbox.sendProgress(1, '1: a');
    outbox.sendProgress(2, '2: a');
    outbox.sendProgress(1, '1: b');
    outbox.send('message');
    expect(outbox.isEmpty).toBe(false);
    expect(flush(2)).toEqual(['message', '2: a']);
    expect(flush()).toEqual(['1: b']);
    expect(outbox.isEmpty).toBe(true);
  });

  it('room again, but nobody was told yet -> what was kept does not follow what is newer', () => {
    const { outbox, sent, stage, flush } = setUp(0);
    outbox.sendProgress(1, 'a');
    stage.room = 9;
    outbox.sendProgress(1, 'b');
    expect([...sent.splice(0), ...flush()]).toEqual(['b']);
  });

  it('dropProgress -> it is not sent', () => {
    const { outbox, flush } = setUp(0);
    outbox.sendProgress(1, '1');
    outbox.sendProgress(2, '2');
    outbox.dropProgress(1);
    expect(flush()).toEqual(['2']);
  });
});

describe('streams', () => {
  it('one message of each in turn, behind all else', async () => {
    const { outbox, sent, flush } = setUp(0);
    outbox.addSource(sourceOf('a1', 'a2', 'a3'));
    outbox.addSource(sourceOf('b1'));
    outbox.addSource(sourceOf('c1', 'c2'));
    await turn();
    expect(sent).toEqual([]);
    outbox.sendProgress(1, 'progress');
    outbox.send('message');
    expect(flush(4)).toEqual(['message', 'progress', 'a1', 'b1']);
    expect(flush(2)).toEqual(['c1', 'a2']);
    expect(flush()).toEqual(['c2', 'a3']);
    expect(outbox.isEmpty).toBe(true);
  });

  it('they leave when the streams pause, without being told to', async () => {
    const { outbox, sent } = setUp();
    let items = 0;
    const source: ItemSource = {
      takeMessage: () => {
        const count = items;
        items = 0;
        return count > 0 ? `${count} items` : undefined;
      },
    };
    for (let i = 0; i < 20; i++) {
      items++;
      outbox.addSource(source);
      // As a generator that does not wait for anything.
      await undefined;
      await undefined;
      await undefined;
    }
    expect(sent).toEqual([]);
    await turn();
    expect(sent).toEqual(['20 items']);
  });

  it('removeSource -> nothing is taken from it', async () => {
    const { outbox, sent } = setUp();
    const source = sourceOf('a');
    outbox.addSource(source);
    outbox.removeSource(source);
    await turn();
    expect(sent).toEqual([]);
    expect(outbox.isEmpty).toBe(true);
  });
});

describe('close', () => {
  it('what waits is lost, and what comes later is taken and not sent', async () => {
    const { outbox, sent, flush } = setUp(1);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) outbox.send(name, senderNoting(log, name));
    outbox.send('no sender');
    outbox.sendProgress(1, 'progress');
    outbox.addSource(sourceOf('items'));
    outbox.close(new Error('over'));
    expect(outbox.isEmpty).toBe(true);
    outbox.send('d', senderNoting(log, 'd'));
    outbox.sendIfRoom('e');
    outbox.sendProgress(1, 'f');
    outbox.addSource(sourceOf('g'));
    await turn();
    expect([...sent.splice(0), ...flush()]).toEqual(['a']);
    expect(log).toEqual(['a sent', 'b: over', 'c: over', 'd sent']);
    expect(outbox.isEmpty).toBe(true);
  });
});
