import { describe, expect, it } from 'vitest';
import { connectSessionWith } from '../../src/agent/connect-session.js';
import type { WebSocketClass } from '../../src/agent/socket-link.js';

/** A class with the face of the standard that connects to nothing, and notes how it is called. */
function notingClass() {
  const calls: unknown[][] = [];
  class Noting {
    binaryType = 'blob';
    readonly bufferedAmount = 0;
    onopen = null;
    onmessage = null;
    onclose = null;
    onerror = null;
    constructor(...args: unknown[]) {
      calls.push(args);
    }
    send(): void {}
    close(): void {}
  }
  return { calls, Class: Noting as unknown as WebSocketClass };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('connectSessionWith', () => {
  it('no URL -> throws at once, and nothing is tried', async () => {
    const { calls, Class } = notingClass();
    expect(() => connectSessionWith(Class, 'no url', {})).toThrow(TypeError);
    await turn();
    expect(calls).toEqual([]);
  });

  it('a URL as text, as an object, from a function', async () => {
    const { calls, Class } = notingClass();
    const sessions = ['ws://a/', new URL('ws://b/'), () => 'ws://c/', async () => new URL('ws://d/')].map(
      (address) => connectSessionWith(Class, address, {}),
    );
    await turn();
    expect(calls).toEqual(['ws://a/', 'ws://b/', 'ws://c/', 'ws://d/'].map((url) => [url, ['hawser.v1']]));
    for (const session of sessions) session.terminate();
  });

  it('a function that gives no URL -> tried again, as what gives it may be back later', async () => {
    const { calls, Class } = notingClass();
    const session = connectSessionWith(
      Class,
      () => {
        throw new Error('no token');
      },
      {},
    );
    const told: unknown[] = [];
    session.on('reconnecting', (info) => told.push(info));
    await turn();
    expect([session.state, calls, told]).toMatchObject([
      'connecting',
      [],
      [{ error: { message: 'no token' } }],
    ]);
    session.terminate();
  });

  it('another class -> that one', async () => {
    const [standard, other] = [notingClass(), notingClass()];
    const session = connectSessionWith(standard.Class, 'ws://a/', { WebSocket: other.Class });
    await turn();
    expect([standard.calls.length, other.calls.length]).toEqual([0, 1]);
    session.terminate();
  });
});
