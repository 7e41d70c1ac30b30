import { describe, expect, it } from 'vitest';
import { fromPeer } from '../support/engine.js';
import { next, record, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { webSocketOnStream } from '../support/web-socket.js';

const EVENTS = ['message', 'ping', 'pong', 'error', 'close'];
// Made anew each time: a stream in memory hands over the very bytes, and they are unmasked in place.
const all = () =>
  fromPeer(
    'server',
    { opcode: 1, payload: 'text' },
    { opcode: 2, payload: 'binary' },
    { opcode: 9, payload: 'ping' },
    { opcode: 10, payload: 'pong' },
    { opcode: 8, payload: closePayload(4000, 'why') },
  );

for (const allowSynchronousEvents of [true, false]) {
  describe(`allowSynchronousEvents ${allowSynchronousEvents}`, () => {
    it('server, receives every kind of frame -> its events, in order', async () => {
      const { webSocket, peer } = webSocketOnStream({ allowSynchronousEvents });
      const log = record(webSocket, ...EVENTS);
      const closed = next(webSocket, 'close');
      peer.end(all());
      await closed;
      expect(
        log.map(([name, value, more]) => [
          name,
          String(value),
          more === undefined ? undefined : String(more),
        ]),
      ).toEqual([
        ['message', 'text', 'false'],
        ['message', 'binary', 'true'],
        ['ping', 'ping', undefined],
        ['pong', 'pong', undefined],
        ['close', '4000', 'why'],
      ]);
    });

    it(`server, receives two messages in one read -> ${allowSynchronousEvents ? 'both in one turn' : 'one a turn'}`, async () => {
      const { webSocket, peer } = webSocketOnStream({ allowSynchronousEvents });
      let turns = 0;
      let isCounting = true;
      const seen: number[] = [];
      webSocket.on('message', () => seen.push(turns));
      const count = () => {
        turns++;
        if (isCounting) setImmediate(count);
      };
      setImmediate(count);
      peer.write(fromPeer('server', { opcode: 1, payload: 'a' }, { opcode: 1, payload: 'b' }));
      while (seen.length < 2) await turn();
      isCounting = false;
      expect(seen[1]! - seen[0]! > 0).toBe(!allowSynchronousEvents);
    });

    it('server, a listener throws -> the messages behind still come', async () => {
      const { webSocket, peer } = webSocketOnStream({ allowSynchronousEvents });
      const seen: string[] = [];
      const thrown = next(process, 'uncaughtExceptionMonitor');
      const swallow = () => {};
      const others = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException').on('uncaughtException', swallow);
      webSocket.on('message', (data: Buffer) => {
        seen.push(String(data));
        if (seen.length === 1) throw new Error('listener');
      });
      peer.write(fromPeer('server', { opcode: 1, payload: 'a' }, { opcode: 1, payload: 'b' }));
      expect((await thrown)[0]).toMatchObject({ message: 'listener' });
      while (seen.length < 2) await turn();
      process.off('uncaughtException', swallow);
      for (const listener of others) process.on('uncaughtException', listener);
      expect(seen).toEqual(['a', 'b']);
    });
  });
}

describe('forms of binary messages', () => {
  it.each([
    ['nodebuffer', (data: unknown) => Buffer.isBuffer(data)],
    ['arraybuffer', (data: unknown) => data instanceof ArrayBuffer],
    ['blob', (data: unknown) => data instanceof Blob],
    ['fragments', (data: unknown) => Array.isArray(data) && data.map(String).join('|') === 'ab|c'],
  ] as const)('binaryType %s', async (binaryType, matches) => {
    const { webSocket, peer } = webSocketOnStream();
    webSocket.binaryType = binaryType;
    const log = record(webSocket, 'message');
    peer.write(
      fromPeer(
        'server',
        { opcode: 2, fin: false, payload: 'ab' },
        { opcode: 0, payload: 'c' },
        { opcode: 1, payload: 't' },
      ),
    );
    while (log.length < 2) await turn();
    expect(matches(log[0]![1])).toBe(true);
    expect(Buffer.isBuffer(log[1]![1])).toBe(true);
  });
});

describe('the end', () => {
  it('[RFC6455-7.1.5-1] server, no Close came -> 1006 and no reason', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const closed = next(webSocket, 'close');
    peer.end();
    expect((await closed).map(String)).toEqual(['1006', '']);
  });

  it('server, remembers the reason -> does not keep the read that brought it', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const closed = next(webSocket, 'close');
    peer.end(
      fromPeer(
        'server',
        { opcode: 2, payload: Buffer.alloc(60_000) },
        { opcode: 8, payload: closePayload(1000, 'r') },
      ),
    );
    const [, reason] = await closed;
    expect((reason as Buffer).buffer.byteLength).toBeLessThan(60_000);
  });

  it('server, breaks a rule and nobody listens to errors -> closed with 1006, nothing is thrown', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const closed = next(webSocket, 'close');
    peer.end(fromPeer('server', { opcode: 3 }));
    expect((await closed)[0]).toBe(1006);
  });
});
