// RFC 6455 §10.7: nothing invalid is delivered, and the peer is told why. The properties under test/properties do the
// same with random bytes.
import { expect } from 'vitest';
import { both, feed, fromPeer } from '../support/engine.js';

both(
  '[RFC6455-10.7-1] [RFC6455-10.7-3]',
  'receives every pair of first bytes -> takes it, waits, or fails and sends a Close frame',
  (role) => {
    for (let first = 0; first < 256; first++) {
      for (const second of [0, 1, 2, 125, 126, 127, 128, 129, 130, 253, 254, 255]) {
        const endpoint = feed(role, [Buffer.concat([Buffer.of(first, second), Buffer.alloc(140)])], {
          maxPayload: 1000,
        });
        const failures = endpoint.events.filter(([name]) => name === 'fail');
        const closes = endpoint.takeFrames().filter(({ opcode }) => opcode === 8);
        expect(failures.length).toBeLessThanOrEqual(1);
        expect(closes.length).toBeGreaterThanOrEqual(failures.length);
        if (failures.length > 0) expect(endpoint.events.at(-1)).toBe(failures[0]);
      }
    }
  },
);

both('[RFC6455-10.7-2]', 'receives HTTP instead of frames -> fails', (role) => {
  const endpoint = feed(role, [Buffer.from('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')]);
  expect(endpoint.events.map(([name]) => name)).toEqual(['fail']);
  endpoint.takeOutput();
  expect(endpoint.requests).toEqual(['end']);
});

both(
  '[RFC6455-10.7-1]',
  'receives messages up to an invalid one -> those before it are delivered, nothing behind',
  (role) => {
    const frames = [
      { opcode: 1, payload: 'good' },
      { opcode: 1, payload: Buffer.from([0xc0]) },
      { opcode: 1 },
    ];
    expect(feed(role, [fromPeer(role, ...frames)]).events).toEqual([
      ['text', 'good'],
      ['fail', 'WS_ERR_INVALID_UTF8'],
    ]);
  },
);
