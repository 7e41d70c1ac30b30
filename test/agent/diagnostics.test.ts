import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { channels, type SessionLostMessage } from '../../src/agent/diagnostics.js';
import { turn } from '../support/events.js';

const lost: SessionLostMessage = {
  session: {},
  sessionId: 's1',
  side: 'client',
  unsent: 1,
  unacked: 2,
  reason: 'unknown',
};

describe('channels', () => {
  it.each([
    ['hawser:connect', channels.connect],
    ['hawser:close', channels.close],
    ['hawser:resume', channels.resume],
    ['hawser:session.lost', channels.lost],
    ['hawser:queue.drop', channels.drop],
    ['hawser:slow', channels.slow],
  ])('%s has subscribers only while somebody listens', (name, channel) => {
    const onMessage = () => {};
    expect(channel.hasSubscribers).toBe(false);
    subscribe(name, onMessage);
    expect(channel.hasSubscribers).toBe(true);
    unsubscribe(name, onMessage);
    expect(channel.hasSubscribers).toBe(false);
  });

  it('a subscriber gets the message itself', () => {
    const seen: unknown[] = [];
    const onMessage = (message: unknown) => seen.push(message);
    subscribe('hawser:session.lost', onMessage);
    channels.lost.publish(lost);
    unsubscribe('hawser:session.lost', onMessage);
    expect(seen[0]).toBe(lost);
    expect(seen).toHaveLength(1);
  });

  it('a subscriber throws -> not to who publishes, nor to the next subscriber: an uncaught exception', async () => {
    const uncaught: unknown[] = [];
    const own = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    const failure = new Error('from a subscriber');
    const bad = () => {
      throw failure;
    };
    const seen: unknown[] = [];
    const good = (message: unknown) => seen.push(message);
    subscribe('hawser:session.lost', bad);
    subscribe('hawser:session.lost', good);
    try {
      channels.lost.publish(lost);
      expect(uncaught).toEqual([]);
      await turn();
    } finally {
      unsubscribe('hawser:session.lost', bad);
      unsubscribe('hawser:session.lost', good);
      process.removeAllListeners('uncaughtException');
      for (const listener of own) process.on('uncaughtException', listener);
    }
    expect(seen).toEqual([lost]);
    expect(uncaught).toEqual([failure]);
  });
});

describe('without node:diagnostics_channel', () => {
  const { getBuiltinModule } = process;

  afterEach(() => {
    process.getBuiltinModule = getBuiltinModule;
    vi.resetModules();
  });

  it('the channels are there, and nobody listens', async () => {
    vi.resetModules();
    Object.assign(process, { getBuiltinModule: undefined });
    const { channels: silent } = await import('../../src/agent/diagnostics.js');
    expect(Object.keys(silent)).toEqual(Object.keys(channels));
    for (const channel of Object.values(silent)) expect(channel.hasSubscribers).toBe(false);
    silent.lost.publish(lost);
  });
});
