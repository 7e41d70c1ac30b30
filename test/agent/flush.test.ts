import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Channel } from '../../src/agent/channel.js';
import { SessionError } from '../../src/agent/errors.js';
import { Flushes } from '../../src/agent/flush.js';
import type { QueuedMessage } from '../../src/agent/send-queue.js';

const channelAt = (acked: number, seq: number) => ({ sent: { acked, seq } }) as Channel;
const queued = (): QueuedMessage => ({ data: '', key: undefined, expiresAt: 0, number: 0 });

function setUp(channels: Channel[], last?: QueuedMessage, signal?: AbortSignal) {
  const flushes = new Flushes();
  const log: string[] = [];
  flushes.add(channels, last, signal).then(
    () => log.push('flushed'),
    ({ code }) => log.push(code),
  );
  const settled = async (): Promise<string[]> => {
    await new Promise(setImmediate);
    return log;
  };
  return { flushes, settled };
}

describe('Flushes', () => {
  it('nothing to wait for -> done at the next look', async () => {
    const channel = channelAt(3, 3);
    const { flushes, settled } = setUp([channel]);
    flushes.settle(channel, undefined);
    expect(await settled()).toEqual(['flushed']);
    expect(flushes.size).toBe(0);
  });

  it('what was sent before counts, what is sent later does not', async () => {
    const channel = channelAt(1, 3);
    const { flushes, settled } = setUp([channel]);
    channel.sent.seq = 5;
    channel.sent.acked = 2;
    flushes.settle(channel, undefined);
    expect(await settled()).toEqual([]);
    channel.sent.acked = 3;
    flushes.settle(channel, queued());
    expect(await settled()).toEqual(['flushed']);
  });

  it('the last message has no number yet -> its number counts as soon as there is one', async () => {
    const channel = channelAt(0, 0);
    const last = queued();
    const { flushes, settled } = setUp([channel], last);
    flushes.settle(channel, last);
    expect(await settled()).toEqual([]);
    last.number = 4;
    channel.sent.acked = 3;
    flushes.settle(channel, undefined);
    expect(await settled()).toEqual([]);
    channel.sent.acked = 4;
    flushes.settle(channel, undefined);
    expect(await settled()).toEqual(['flushed']);
  });

  it('the last message was dropped -> what waits now counts instead', async () => {
    const channel = channelAt(0, 0);
    const [dropped, earlier] = [queued(), queued()];
    const { flushes, settled } = setUp([channel], dropped);
    dropped.number = -1;
    flushes.settle(channel, earlier);
    expect(await settled()).toEqual([]);
    earlier.number = -1;
    flushes.settle(channel, undefined);
    expect(await settled()).toEqual(['flushed']);
  });

  it('two channels: both have to be acknowledged, and so has what got its number on the second', async () => {
    const [old, young] = [channelAt(0, 1), channelAt(0, 0)];
    const last = queued();
    const { flushes, settled } = setUp([old], last);
    last.number = 1;
    young.sent.acked = 1;
    flushes.settle(young, undefined);
    expect(await settled()).toEqual([]);
    old.sent.acked = 1;
    flushes.settle(young, undefined);
    expect(await settled()).toEqual(['flushed']);
  });

  it('reject of a channel -> only those that wait for this channel', async () => {
    const [old, young] = [channelAt(0, 1), channelAt(0, 1)];
    const { flushes, settled } = setUp([young]);
    flushes.reject(new SessionError('lost', ''), old);
    expect(await settled()).toEqual([]);
    flushes.reject(new SessionError('lost', ''), young);
    expect(await settled()).toEqual(['lost']);
    expect(flushes.size).toBe(0);
  });

  it('reject -> everybody', async () => {
    const { flushes, settled } = setUp([channelAt(0, 1)]);
    flushes.reject(new SessionError('closed', ''));
    expect(await settled()).toEqual(['closed']);
    expect(flushes.size).toBe(0);
  });

  it('aborted -> rejects; the signal is let go in any case', async () => {
    const [channel, controller] = [channelAt(0, 1), new AbortController()];
    const { flushes, settled } = setUp([channel], undefined, controller.signal);
    controller.abort();
    expect(await settled()).toEqual(['aborted']);
    expect(flushes.size).toBe(0);
    const { signal } = new AbortController();
    const other = setUp([channel], undefined, signal);
    channel.sent.acked = 1;
    other.flushes.settle(channel, undefined);
    expect(await other.settled()).toEqual(['flushed']);
    expect([controller.signal, signal].map((each) => getEventListeners(each, 'abort'))).toEqual([[], []]);
  });
});
