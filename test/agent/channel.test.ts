// Numbers, replay, the window, control messages. When acknowledgements go out is in channel-acknowledgements.test.ts.
import { describe, expect, it } from 'vitest';
import { serializeControl } from '../../src/agent/control.js';
import { acked, channelStage as setUp } from '../support/channel-stage.js';
import { FakeLink } from '../support/fake-link.js';

describe('sending', () => {
  it('numbers each message, text escaped, bytes as they are', () => {
    const { channel, link, send } = setUp();
    send('a', '\u0001', '\u0001{"t":"bye"}', Uint8Array.of(1));
    expect(link.sent).toEqual(['a', '\u0001\u0001', '\u0001\u0001{"t":"bye"}', Uint8Array.of(1)]);
    expect([channel.sent.seq, channel.sent.count]).toEqual([4, 4]);
  });

  it('large bytes go out as our own copy, because the socket may keep what it gets', () => {
    const { link, send } = setUp();
    const given: unknown[] = [];
    link.send = (data) => given.push(data);
    const [small, large] = [new Uint8Array(4096), new Uint8Array(4097)];
    send(small, large);
    expect(given[0]).toBe(small);
    expect(given[1]).not.toBe(large);
    large.fill(1);
    expect(given[1]).toEqual(new Uint8Array(4097));
  });

  it('without a link there is no room', () => {
    const { channel } = setUp();
    expect([channel.isAttached, channel.canSend(1)]).toEqual([true, true]);
    channel.detach();
    expect([channel.isAttached, channel.canSend(1), channel.bufferedAmount]).toEqual([false, false, 0]);
    channel.sendControl({ t: 'bye' });
  });

  it('the window is full of messages -> no room, until some are acknowledged', () => {
    const { channel, link, log, send, acknowledgement } = setUp({ window: { messages: 2 } });
    send('a', 'b');
    expect(channel.canSend(1)).toBe(false);
    link.receive(acknowledgement(1, 0));
    expect(log).toEqual([['room']]);
    expect(channel.canSend(1)).toBe(true);
  });

  it('the window is full of bytes -> no room; a message larger than it goes alone', () => {
    const { channel, link, send, acknowledgement } = setUp({ window: { bytes: 10 } });
    expect(channel.canSend(11)).toBe(true);
    send('12345');
    expect([channel.canSend(5), channel.canSend(6), channel.canSend(11)]).toEqual([true, false, false]);
    link.receive(acknowledgement(1, 0));
    expect(channel.canSend(1000)).toBe(true);
  });

  it('the link holds much -> no room, until it says that it has left', () => {
    const { channel, link, log, send } = setUp({ highWaterMark: 1000 });
    link.bufferedAmount = 1001;
    send(new Uint8Array(16 * 1024));
    expect([channel.isCongested, channel.canSend(1), channel.bufferedAmount]).toEqual([true, false, 1001]);
    link.handler!.onDrain!();
    expect([channel.isCongested, log]).toEqual([true, []]);
    link.bufferedAmount = 1000;
    link.handler!.onDrain!();
    expect([channel.isCongested, channel.canSend(1), log]).toEqual([false, true, [['room']]]);
  });

  it('an acknowledgement is an occasion to look, too; small messages are, in sum', () => {
    const { channel, link, send, acknowledgement } = setUp({ highWaterMark: 0 });
    link.bufferedAmount = 1;
    for (let i = 0; i < 1000 && !channel.isCongested; i++) send('a');
    expect(channel.isCongested).toBe(true);
    expect(channel.sent.seq).toBeLessThan(1000);
    link.bufferedAmount = 0;
    link.receive(acknowledgement(1, 0));
    expect(channel.isCongested).toBe(false);
  });
});

describe('receiving', () => {
  it('messages in order, text unescaped; U+0001 alone in a message', () => {
    const { taken, link } = setUp();
    for (const data of ['a', '\u0001\u0001', '\u0001\u0001x', '', Uint8Array.of(1)]) link.receive(data);
    expect(taken).toEqual([
      ['a', 1],
      ['\u0001', 2],
      ['\u0001x', 3],
      ['', 4],
      [Uint8Array.of(1), 5],
    ]);
  });

  it('binary that begins with U+0001 is data', () => {
    const { taken, link } = setUp();
    link.receive(Buffer.from('\u0001{"t":"bye"}'));
    expect(taken).toHaveLength(1);
  });

  it.each([
    ['no control message', '\u0001'],
    ['malformed', '\u0001{"t":"a","r":-1,"s":0}'],
    [
      'a second hello',
      '\u0001{"t":"hello","v":1,"gen":2,"recv":0,"caps":{"messages":1,"bytes":1,"ping":true}}',
    ],
  ])('%s -> 4400', (_name, text) => {
    const { taken, log, link } = setUp();
    link.receive(text);
    expect([log, taken]).toEqual([[['violation', 4400]], []]);
  });

  it('bye and drain are the owner’s', () => {
    const { log, link } = setUp();
    link.receive(serializeControl({ t: 'drain', in: 5 }));
    link.receive(serializeControl({ t: 'bye' }));
    expect(log).toEqual([['drain', { t: 'drain', in: 5 }], ['bye']]);
  });

  it('a ping in band is answered, an answer is not', () => {
    const { link } = setUp();
    link.receive(serializeControl({ t: 'p' }));
    link.receive(serializeControl({ t: 'q' }));
    expect(link.messages).toEqual([{ t: 'q' }]);
  });

  it('acknowledged: forgotten here; what the peer cannot have -> 4500', () => {
    const { channel, log, link, send, acknowledgement } = setUp();
    send('a', 'b', 'c');
    link.receive(acknowledgement(2, 0));
    expect(channel.sent.list()).toEqual(['c']);
    link.receive(acknowledgement(2, 0));
    expect(log).toEqual([['room'], ['room']]);
    link.receive(acknowledgement(1, 0));
    link.receive(acknowledgement(4, 0));
    expect(log.slice(2)).toEqual([
      ['violation', 4500],
      ['violation', 4500],
    ]);
    expect(channel.sent.list()).toEqual(['c']);
  });

  it.each([0, 2])('the peer says it has sent %d, and 1 has come -> 4500', (s) => {
    const { channel, log, link, send, acknowledgement } = setUp();
    send('a');
    link.receive('x');
    link.receive(acknowledgement(1, s));
    expect([log, channel.sent.count]).toEqual([[['violation', 4500]], 1]);
  });
});

describe('overruns', () => {
  it('one message more than the window, counted from what the peer was told -> 4500', () => {
    const { log, link, inbox } = setUp({ window: { messages: 3 }, isTaking: false });
    for (let i = 0; i < 3; i++) link.receive('a');
    expect(log).toEqual([]);
    link.receive('a');
    expect([log, inbox.count]).toEqual([[['violation', 4500]], 3]);
  });

  it('far more bytes than the window -> 4500; a large one alone is in order', () => {
    const { log, link, inbox } = setUp({ window: { bytes: 10 }, isTaking: false });
    link.receive('x'.repeat(100));
    expect([log, inbox.count]).toEqual([[], 1]);
    link.receive('y');
    expect([log, inbox.count]).toEqual([[['violation', 4500]], 1]);
  });

  it('a peer that counts bytes or characters in its own way -> nothing is found', () => {
    const { log, link } = setUp({ window: { bytes: 10 }, isTaking: false });
    for (let i = 0; i < 4; i++) link.receive('x'.repeat(10));
    expect(log).toEqual([]);
    link.receive('x');
    expect(log).toEqual([['violation', 4500]]);
  });

  it('what is handed over makes room', () => {
    const { log, link } = setUp({ window: { bytes: 10, messages: 2 } });
    for (let i = 0; i < 100; i++) link.receive('x'.repeat(100));
    expect(log).toEqual([]);
  });
});

describe('another link', () => {
  it('what the peer lacks is sent again, in order, as it was', () => {
    const { channel, attach, send } = setUp();
    const bytes = Uint8Array.of(1, 2);
    send('a', '\u0001', bytes, 'd');
    bytes.fill(9);
    channel.detach();
    const { link, replayed } = attach({ peerHas: 1 });
    expect(replayed).toBe(3);
    expect(link.sent).toEqual(['\u0001\u0001', Uint8Array.of(1, 2), 'd']);
    send('e');
    expect([link.sent.at(-1), channel.sent.seq]).toEqual(['e', 5]);
  });

  it('replayed to us: what we have is dropped, whether handed over or waiting', () => {
    const { taken, channel, attach, link, inbox } = setUp({ isTaking: false });
    for (const data of ['a', 'b', 'c']) link.receive(data);
    inbox.next();
    expect(channel.acknowledged).toBe(1);
    link.end();
    // The peer sends from 2 on, as it was told.
    const second = attach({ announced: 1 }).link;
    for (const data of ['b', 'c', 'd']) second.receive(data);
    inbox.listener = (...message) => taken.push(message);
    expect(taken).toEqual([
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ]);
    expect([channel.received, channel.handedOver]).toEqual([4, 4]);
  });

  it('the count that acknowledgements carry is that of this connection', () => {
    const { attach, log, link, send, acknowledgement } = setUp({ isTaking: false });
    send('x');
    for (const data of ['a', 'b']) link.receive(data);
    link.end();
    const second = attach({ announced: 0 }).link;
    second.receive(acknowledgement(1, 0));
    second.receive('a');
    second.receive(acknowledgement(1, 1));
    expect(log.slice(1)).toEqual([['room'], ['room']]);
    second.receive(acknowledgement(1, 2));
    expect(log.at(-1)).toEqual(['violation', 4500]);
  });

  it('takes over: the former link is destroyed and not heard any more', () => {
    const { taken, attach, link, log } = setUp();
    const second = attach().link;
    expect([link.isReleased, link.handler]).toEqual([true, undefined]);
    link.receive('late');
    second.receive('a');
    expect([taken, log]).toEqual([[['a', 1]], []]);
  });

  it('is congested after the replay -> no room', () => {
    const { channel, attach } = setUp({ highWaterMark: 10 });
    const link = new FakeLink();
    link.bufferedAmount = 11;
    attach({ link });
    expect(channel.canSend(1)).toBe(false);
  });

  it('canResumeFrom: from what is acknowledged to what was sent', () => {
    const { channel, link, send, acknowledgement } = setUp();
    send('a', 'b', 'c');
    link.receive(acknowledgement(1, 0));
    expect([0, 1, 3, 4].map((number) => channel.canResumeFrom(number))).toEqual([false, true, true, false]);
  });
});

describe('the end of a link', () => {
  it('the owner is told, and no timer is left', () => {
    const { environment, channel, link, log } = setUp();
    link.receive('a');
    link.end({ code: 1001, reason: 'bye' });
    expect([log, channel.isAttached]).toEqual([[['detached', { code: 1001, reason: 'bye' }]], false]);
    expect(environment.pendingTimers).toBe(0);
  });

  it('a silent peer: pinged, then destroyed', () => {
    const { environment, link, log } = setUp();
    environment.advance(25_100);
    expect(link.pings).toBe(1);
    environment.advance(21_200);
    expect([link.isReleased, log]).toEqual([
      true,
      [['detached', { code: 1006, reason: 'the peer was silent' }]],
    ]);
    expect(environment.pendingTimers).toBe(0);
  });

  it('where there are no protocol Pings, one in band', () => {
    const { environment, attach } = setUp();
    const link = new FakeLink();
    link.ping = undefined;
    attach({ link });
    environment.advance(25_100);
    expect(link.messages).toEqual([{ t: 'p' }]);
  });

  it('close: the closing handshake, and the owner is not told of its end', async () => {
    const { environment, channel, link, log } = setUp();
    const closed = channel.close(1000, '');
    expect([link.closeCode, channel.isAttached]).toEqual([1000, false]);
    link.end({ code: 1000, reason: '' });
    await closed;
    expect([log, environment.pendingTimers]).toEqual([[], 0]);
    await channel.close(1000, '');
  });

  it('report says what the peer does not know, once', () => {
    const { channel, link } = setUp();
    channel.report();
    link.receive('a');
    channel.report();
    channel.report();
    expect(link.messages).toEqual([acked(1)]);
  });
});
