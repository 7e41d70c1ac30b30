// RFC 6455 §5.1: a client masks, a server does not, and each insists on it.
import { describe, expect, it } from 'vitest';
import { both, Endpoint, exchange, expectFailure, fromPeer, ROLES } from '../support/engine.js';
import { serializeFrame } from '../support/frames.js';

/** One frame of every kind, and of every form of length. */
function sendEverything(endpoint: Endpoint): void {
  endpoint.send('');
  endpoint.send('text');
  endpoint.send(Buffer.alloc(200));
  endpoint.send(Buffer.alloc(70_000));
  endpoint.send('a', { isFinal: false });
  endpoint.send('b', { isFinal: false });
  endpoint.connection.ping('ping');
  endpoint.connection.pong('');
  endpoint.send('');
  endpoint.connection.close(1000);
}

const EVERY_OPCODE = [1, 1, 2, 2, 1, 0, 9, 10, 0, 8];

it('[RFC6455-5.1-1] [RFC6455-5.3-1] [RFC6455-5.5.1-5] [RFC6455-6.1-8] client, sends every kind of frame -> all are masked', () => {
  const client = new Endpoint('client');
  sendEverything(client);
  const frames = client.takeFrames();
  expect(frames.map(({ opcode }) => opcode)).toEqual(EVERY_OPCODE);
  for (const { maskingKey } of frames) expect(maskingKey).toBeDefined();
});

it('[RFC6455-5.1-4] server, sends every kind of frame -> none is masked', () => {
  const server = new Endpoint('server');
  sendEverything(server);
  const frames = server.takeFrames();
  expect(frames.map(({ opcode }) => opcode)).toEqual(EVERY_OPCODE);
  for (const { maskingKey } of frames) expect(maskingKey).toBeUndefined();
});

describe('frames with the wrong mask', () => {
  for (const opcode of [0, 1, 2, 8, 9, 10]) {
    for (const payload of ['', '\x03\xe8', 'x'.repeat(125)]) {
      const begun = (role: 'client' | 'server') =>
        opcode === 0 ? fromPeer(role, { opcode: 1, fin: false }) : Buffer.alloc(0);
      const bytes = Buffer.from(payload, 'latin1');

      it(`[RFC6455-5.1-2] [RFC6455-5.1-3] server, receives an unmasked frame of opcode ${opcode} with ${bytes.length} bytes -> fails with 1002`, () => {
        const frame = serializeFrame({ opcode, payload: bytes });
        expectFailure('server', Buffer.concat([begun('server'), frame]), 'WS_ERR_EXPECTED_MASK', 1002);
      });

      it(`[RFC6455-5.1-5] [RFC6455-5.1-6] client, receives a masked frame of opcode ${opcode} with ${bytes.length} bytes -> fails with 1002`, () => {
        const frame = serializeFrame({ opcode, payload: bytes, maskingKey: Buffer.from([1, 2, 3, 4]) });
        expectFailure('client', Buffer.concat([begun('client'), frame]), 'WS_ERR_UNEXPECTED_MASK', 1002);
      });
    }
  }

  it('[RFC6455-5.1-5] client, receives a frame masked with 00000000 -> fails with 1002', () => {
    const frame = serializeFrame({ opcode: 1, payload: 'a', maskingKey: Buffer.alloc(4) });
    expectFailure('client', frame, 'WS_ERR_UNEXPECTED_MASK', 1002);
  });

  it('server, receives a frame masked with 00000000 -> takes it: every key is as good', () => {
    const server = new Endpoint('server');
    server.receive(serializeFrame({ opcode: 1, payload: 'a', maskingKey: Buffer.alloc(4) }));
    expect(server.events).toEqual([['text', 'a']]);
  });
});

both('[RFC6455-5.1-7]', 'sends data at once and until it sends Close -> all arrives', (role) => {
  const one = new Endpoint(role);
  const other = new Endpoint(ROLES.find((peer) => peer !== role)!);
  one.send('first');
  one.send('last');
  one.connection.close();
  exchange(one, other);
  expect(other.events).toEqual([
    ['text', 'first'],
    ['text', 'last'],
    ['close', 1005, ''],
  ]);
});
