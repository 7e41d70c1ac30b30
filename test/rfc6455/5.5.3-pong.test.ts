// RFC 6455 §5.5.3: Pongs.
import { expect } from 'vitest';
import { both, Endpoint, eventsOf, feed, fromPeer } from '../support/engine.js';

both(
  '[RFC6455-5.5.3-1]',
  'receives Pings of 0-125 bytes, whole or in parts -> the same bytes back',
  (role) => {
    for (let length = 0; length <= 125; length++) {
      const payload = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length) & 0xff));
      const bytes = fromPeer(role, { opcode: 9, payload });
      for (const cut of [0, 1, 3, bytes.length - 1]) {
        const endpoint = feed(role, [bytes.subarray(0, cut), bytes.subarray(cut)]);
        expect(endpoint.takeFrames()).toMatchObject([{ opcode: 10, payload }]);
      }
    }
  },
);

both('[RFC6455-5.5.3-1]', 'receives several Pings in one read -> a Pong for each, in order', (role) => {
  const pings = ['a', 'b', 'c'].map((payload) => ({ opcode: 9, payload }));
  const endpoint = feed(role, [fromPeer(role, ...pings)]);
  expect(endpoint.takeFrames().map(({ payload }) => String(payload))).toEqual(['a', 'b', 'c']);
});

both('[RFC6455-5.5.3-2]', 'gets one Pong for three Pings -> reports it, and that is all', (role) => {
  const endpoint = new Endpoint(role);
  for (const payload of ['a', 'b', 'c']) endpoint.connection.ping(payload);
  endpoint.takeOutput();
  endpoint.receive(fromPeer(role, { opcode: 10, payload: 'c' }));
  expect([endpoint.events, endpoint.takeFrames()]).toEqual([[['pong', '63']], []]);
});

both('[RFC6455-5.5.3-3]', 'receives a Pong that nobody asked for -> reports it, answers nothing', (role) => {
  const bytes = fromPeer(role, { opcode: 10, payload: 'x' });
  expect(eventsOf(role, bytes)).toEqual([['pong', '78']]);
  expect(feed(role, [bytes]).takeFrames()).toEqual([]);
});

both('[RFC6455-5.5.3-3]', 'sends a Pong that nobody asked for -> opcode 10', (role) => {
  const endpoint = new Endpoint(role);
  endpoint.connection.pong('x');
  expect(endpoint.takeFrames()).toMatchObject([{ opcode: 10, payload: Buffer.from('x') }]);
});
