// RFC 6455 §5.5.2: Pings, and that they are answered.
import { expect } from 'vitest';
import { both, Endpoint, eventsOf, feed, fromPeer } from '../support/engine.js';

for (const length of [0, 1, 125]) {
  both(
    '[RFC6455-5.5.2-1] [RFC6455-5.5.2-2]',
    `receives a Ping of ${length} bytes -> reports it and answers`,
    (role) => {
      const payload = Buffer.alloc(length, 'p');
      const bytes = fromPeer(role, { opcode: 9, payload });
      expect(eventsOf(role, bytes)).toEqual([['ping', payload.toString('hex')]]);
      expect(feed(role, [bytes]).takeFrames()).toMatchObject([{ opcode: 10, fin: true, payload }]);
    },
  );

  both(
    '[RFC6455-5.5.2-1] [RFC6455-5.5.2-4]',
    `sends a Ping of ${length} bytes -> opcode 9 with that payload`,
    (role) => {
      const endpoint = new Endpoint(role);
      const payload = Buffer.alloc(length, 'p');
      endpoint.connection.ping(payload);
      expect(endpoint.takeFrames()).toMatchObject([{ opcode: 9, fin: true, payload }]);
    },
  );
}

both('[RFC6455-5.5.2-2]', 'receives a Ping after sending its own Close -> still answers it', (role) => {
  const endpoint = new Endpoint(role);
  endpoint.connection.close(1000);
  endpoint.receive(fromPeer(role, { opcode: 9, payload: 'x' }));
  expect(endpoint.takeFrames().map(({ opcode }) => opcode)).toEqual([8, 10]);
});

both('[RFC6455-5.5.2-2]', 'receives a Ping after a Close -> neither reports nor answers it', (role) => {
  const endpoint = feed(role, [fromPeer(role, { opcode: 8 }, { opcode: 9 })]);
  endpoint.receive(fromPeer(role, { opcode: 9 }));
  expect(endpoint.events).toEqual([['close', 1005, '']]);
  expect(endpoint.takeFrames().map(({ opcode }) => opcode)).toEqual([8]);
});

both(
  '[RFC6455-5.5.2-3]',
  'receives a Ping between messages -> the Pong is made before the next message is looked at',
  (role) => {
    const endpoint = new Endpoint(role);
    const answered: number[] = [];
    endpoint.onEvent = () => answered.push(endpoint.connection.bufferedBytes);
    endpoint.receive(fromPeer(role, { opcode: 1, payload: 'a' }, { opcode: 9 }, { opcode: 1, payload: 'b' }));
    const pongLength = role === 'client' ? 6 : 2;
    expect(answered).toEqual([0, pongLength, pongLength]);
  },
);

both(
  '[RFC6455-5.5.2-3]',
  'receives a Ping while its own fragments are under way -> the Pong leaves between them',
  (role) => {
    const endpoint = new Endpoint(role);
    endpoint.send('a', { isFinal: false });
    endpoint.receive(fromPeer(role, { opcode: 9 }));
    endpoint.send('b');
    expect(endpoint.takeFrames().map(({ opcode }) => opcode)).toEqual([1, 10, 0]);
  },
);
