// RFC 6455 §6.2: how messages are received.
import { expect, it } from 'vitest';
import { both, eventsOf, feed, fromPeer, KEY } from '../support/engine.js';
import { serializeFrame } from '../support/frames.js';

both(
  '[RFC6455-6.2-1] [RFC6455-6.2-2] [RFC6455-6.2-3]',
  'receives every kind of frame in any portions -> the same events',
  (role) => {
    const bytes = fromPeer(
      role,
      { opcode: 1, payload: 'text' },
      { opcode: 2, payload: 'binary' },
      { opcode: 1, fin: false, payload: 'frag' },
      { opcode: 9, payload: 'ping' },
      { opcode: 0, payload: 'ments' },
      { opcode: 10 },
      { opcode: 2, fin: false },
      { opcode: 0, payload: 'x'.repeat(126) },
      { opcode: 8, payload: Buffer.from([3, 232]) },
    );
    expect(eventsOf(role, bytes)).toEqual([
      ['text', 'text'],
      ['binary', '62696e617279'],
      ['ping', '70696e67'],
      ['text', 'fragments'],
      ['pong', ''],
      ['binary', '78'.repeat(126)],
      ['close', 1000, ''],
    ]);
  },
);

both('[RFC6455-6.2-4]', 'receives two messages back to back -> two messages', (role) => {
  const frames = [
    { opcode: 1, payload: 'a' },
    { opcode: 1, payload: 'b' },
    { opcode: 1, fin: false, payload: 'c' },
    { opcode: 0, payload: 'd' },
    { opcode: 1, fin: false, payload: 'e' },
    { opcode: 0, payload: 'f' },
  ];
  expect(eventsOf(role, fromPeer(role, ...frames))).toEqual(
    ['a', 'b', 'cd', 'ef'].map((text) => ['text', text]),
  );
});

it('[RFC6455-6.2-7] server, receives frames with different keys in one read -> each unmasked with its own', () => {
  const keys = [[0, 0, 0, 0], [255, 255, 255, 255], [1, 2, 3, 4], [...KEY]];
  for (const length of [1, 20, 40, 200]) {
    const payload = Buffer.alloc(length, 'unmasked');
    const bytes = Buffer.concat(
      keys.map((key) => serializeFrame({ opcode: 2, payload, maskingKey: Uint8Array.from(key) })),
    );
    expect(feed('server', [bytes]).events).toEqual(keys.map(() => ['binary', payload.toString('hex')]));
  }
});
