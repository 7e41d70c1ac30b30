// Blocks are shared by all sessions, and sockets may keep what they were given until it has left.
import { describe, expect, it } from 'vitest';
import { Channel, type ChannelOwner } from '../../src/agent/channel.js';
import { serializeAcknowledgement } from '../../src/agent/control.js';
import { Inbox } from '../../src/agent/inbox.js';
import type { Data } from '../../src/agent/link.js';
import { wheelOf } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

/** Keeps what it is given as it is, like a socket that compresses, or whose buffer is full. */
class KeepingLink extends FakeLink {
  readonly kept: Data[] = [];
  override send(data: Data): void {
    this.kept.push(data);
  }
}

const OWNER: ChannelOwner = { onRoom() {}, onDetached() {}, onViolation() {}, onBye() {}, onDrain() {} };
const WINDOW = { messages: 100, bytes: 100_000 };
const HEARTBEAT = { intervalMs: 25_000, timeoutMs: 20_000 };

describe('a message that is sent again', () => {
  it('acknowledged before it has left -> what leaves is the message, not one of another session', () => {
    const wheel = wheelOf(new FakeEnvironment());
    const channelOf = () =>
      new Channel({ owner: OWNER, inbox: new Inbox(false), wheel, isManual: false, highWaterMark: 1 << 20 });
    const channel = channelOf();
    channel.attach(new FakeLink(), 0, 0, WINDOW, HEARTBEAT);
    channel.transmit(Uint8Array.from([1, 1, 1, 1]), false);
    // Taken over: the former connection was still there.
    const link = new KeepingLink();
    channel.attach(link, 0, 0, WINDOW, HEARTBEAT);
    channel.onMessage(serializeAcknowledgement(1, 0));
    const other = channelOf();
    other.attach(new FakeLink(), 0, 0, WINDOW, HEARTBEAT);
    other.transmit(Uint8Array.from([9, 9, 9, 9]), false);
    expect(link.kept).toEqual([Uint8Array.from([1, 1, 1, 1])]);
    channel.detach();
    other.detach();
  });
});
