// RFC 6455 §6.1: how a message is sent.
import { expect } from 'vitest';
import { both, Endpoint, exchange, feed, fromPeer, ROLES } from '../support/engine.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

both(
  '[RFC6455-6.1-1] [RFC6455-6.1-4] [RFC6455-6.1-9]',
  'sends messages and then closes -> all arrive, in order, before the Close',
  (role) => {
    const one = new Endpoint(role);
    const other = new Endpoint(ROLES.find((peer) => peer !== role)!);
    for (let i = 0; i < 100; i++) one.send(i % 2 === 0 ? `message ${i}` : Buffer.alloc(i * 200, i));
    one.connection.close(1000);
    exchange(one, other);
    expect(other.events).toHaveLength(101);
    for (let i = 0; i < 100; i++) {
      const expected =
        i % 2 === 0 ? ['text', `message ${i}`] : ['binary', Buffer.alloc(i * 200, i).toString('hex')];
      expect(other.events[i]).toEqual(expected);
    }
    expect(other.events[100]).toEqual(['close', 1000, '']);
  },
);

both('[RFC6455-6.1-2]', 'is in any state but OPEN -> says that data may not be sent', (role) => {
  const endings: ((endpoint: Endpoint) => void)[] = [
    ({ connection }) => connection.close(),
    ({ connection }) => connection.terminate(),
    ({ connection }) => connection.receiveEnd(),
    ({ connection }) => connection.transportClosed(),
    (endpoint) => endpoint.receive(fromPeer(role, { opcode: 8 })),
    (endpoint) => endpoint.receive(fromPeer(role, { opcode: 5 })),
  ];
  expect(new Endpoint(role).connection.isOpen).toBe(true);
  for (const end of endings) {
    const endpoint = new Endpoint(role);
    end(endpoint);
    expect(endpoint.connection.isOpen).toBe(false);
  }
});

both(
  '[RFC6455-6.1-3]',
  'the transport closes while a payload is still to come -> it is not sent',
  async (role) => {
    const endpoint = new Endpoint(role);
    const errors: unknown[] = [];
    const message = { isBinary: true, isFinal: true, compress: false };
    const { sender } = endpoint.connection;
    sender.sendMessage(
      () => Promise.resolve(Buffer.from('late')),
      message,
      (error) => errors.push(error),
      4,
    );
    endpoint.connection.terminate();
    await turn();
    expect(endpoint.takeFrames()).toEqual([]);
    expect(errors).toEqual([expect.any(Error)]);
  },
);

both(
  '[RFC6455-6.1-5] [RFC6455-6.1-6] [RFC6455-6.1-7]',
  'sends what is not all there yet as fragments -> one message',
  (role) => {
    const one = new Endpoint(role);
    one.send(Buffer.from('a'), { isFinal: false });
    one.send(Buffer.from('b'), { isFinal: false });
    one.send(Buffer.from('c'));
    const frames = one.takeFrames();
    expect(frames.map(({ opcode, fin }) => [opcode, fin])).toEqual([
      [2, false],
      [0, false],
      [0, true],
    ]);
    const other = feed(
      ROLES.find((peer) => peer !== role)!,
      frames.map(({ bytes }) => bytes),
    );
    expect(other.events).toEqual([['binary', '616263']]);
  },
);
