// When a channel tells its peer what the application has had, and the option `acknowledge: 'manual'`.
import { describe, expect, it } from 'vitest';
import { acked, channelStage as setUp } from '../support/channel-stage.js';

const TICK_MS = 50;

describe('acknowledgements', () => {
  it('after 64 messages at once, not before, and again after 64', () => {
    const { link } = setUp();
    for (let i = 0; i < 63; i++) link.receive('a');
    expect(link.sent).toEqual([]);
    link.receive('a');
    expect(link.takeSent()).toEqual([acked(64)]);
    for (let i = 0; i < 63; i++) link.receive('a');
    expect(link.sent).toEqual([]);
    link.receive('a');
    expect(link.takeSent()).toEqual([acked(128)]);
  });

  it('held back while a hello is on its way; told when that came to nothing, or not at all', () => {
    const { channel, environment, link, attach } = setUp();
    channel.holdReports();
    for (let i = 0; i < 64; i++) link.receive('a');
    environment.advance(1000);
    expect(link.sent).toEqual([]);
    channel.resumeReports();
    environment.advance(200 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(64)]);
    channel.holdReports();
    const { link: next } = attach();
    for (let i = 0; i < 64; i++) next.receive('a');
    expect(next.takeSent()).toEqual([acked(128)]);
  });

  it('after 64 KiB at once, and the count begins anew', () => {
    const { link } = setUp();
    link.receive(new Uint8Array(65_535));
    expect(link.sent).toEqual([]);
    link.receive('a');
    expect(link.takeSent()).toEqual([acked(2)]);
    link.receive(new Uint8Array(65_535));
    expect(link.sent).toEqual([]);
  });

  it('after 200 ms otherwise, once', () => {
    const { environment, link } = setUp();
    link.receive('a');
    environment.advance(100);
    link.receive('b');
    environment.advance(99);
    expect(link.sent).toEqual([]);
    environment.advance(1 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(2)]);
    environment.advance(1000);
    expect(link.sent).toEqual([]);
    link.receive('c');
    environment.advance(200 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(3)]);
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [10, 5],
    [100, 50],
    [1000, 64],
  ])('a window of %d messages -> after %d', (messages, due) => {
    const { link } = setUp({ window: { messages } });
    for (let i = 1; i < due; i++) link.receive('a');
    expect(link.sent).toEqual([]);
    link.receive('a');
    expect(link.takeSent()).toEqual([acked(due)]);
  });

  it('a window of few bytes -> after half of them', () => {
    const { link } = setUp({ window: { bytes: 101 } });
    link.receive('x'.repeat(49));
    expect(link.sent).toEqual([]);
    link.receive('x');
    expect(link.takeSent()).toEqual([acked(2)]);
  });

  it('say how many messages of ours went before', () => {
    const { environment, link, send } = setUp();
    send('x', 'y');
    link.receive('a');
    environment.advance(200 + TICK_MS);
    expect(link.messages.at(-1)).toEqual(acked(1, 2));
  });

  it('only for what was handed over', async () => {
    const { environment, inbox, link } = setUp({ isTaking: false });
    for (let i = 0; i < 100; i++) link.receive('a');
    environment.advance(1000);
    expect(link.sent).toEqual([]);
    await inbox.next();
    environment.advance(200 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(1)]);
  });

  it('a listener that throws has had the message', () => {
    const { environment, inbox, link, channel } = setUp();
    inbox.listener = () => {
      throw new Error('of the listener');
    };
    expect(() => link.receive('a')).toThrow('of the listener');
    expect([channel.handedOver, channel.acknowledged]).toEqual([1, 1]);
    environment.advance(200 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(1)]);
  });

  it('handed over without a link -> told on the next one', async () => {
    const { environment, inbox, link, attach } = setUp({ isTaking: false });
    link.receive('a');
    link.receive('b');
    link.end();
    await inbox.next();
    // Between the hello and the welcome.
    const second = attach({ announced: 0 }).link;
    environment.advance(200 + TICK_MS);
    expect(second.takeSent()).toEqual([acked(1)]);
    second.end();
    const third = attach().link;
    environment.advance(1000);
    expect(third.sent).toEqual([]);
  });
});

describe('manual', () => {
  it('nothing is acknowledged until the application says so', () => {
    const { environment, link, channel } = setUp({ isManual: true });
    for (let i = 0; i < 100; i++) link.receive('a');
    environment.advance(1000);
    expect([link.sent, channel.handedOver, channel.acknowledged]).toEqual([[], 100, 0]);
    channel.acknowledge(10);
    environment.advance(200 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(10)]);
    channel.acknowledge(90);
    expect(link.takeSent()).toEqual([acked(90)]);
  });

  it('never back, and never more than was handed over', () => {
    const { environment, link, channel } = setUp({ isManual: true });
    for (let i = 0; i < 10; i++) link.receive('a');
    channel.acknowledge(5);
    channel.acknowledge(3);
    expect(channel.acknowledged).toBe(5);
    channel.acknowledge(1000);
    expect(channel.acknowledged).toBe(10);
    environment.advance(200 + TICK_MS);
    expect(link.takeSent()).toEqual([acked(10)]);
  });

  it('from within the listener that has the message', () => {
    const { inbox, link, channel } = setUp({ isManual: true });
    inbox.listener = (_data, number) => channel.acknowledge(number);
    link.receive('a');
    expect(channel.acknowledged).toBe(1);
  });
});
