// RFC 6455 §5.5.1: the Close frame, and what each end does with it.
import { describe, expect, it } from 'vitest';
import {
  both,
  Endpoint,
  eventsOf,
  exchange,
  expectFailure,
  feed,
  fromPeer,
  ROLES,
} from '../support/engine.js';
import { closePayload } from '../support/frames.js';

const VALID_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];
const INVALID_CODES = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535];

describe('the body', () => {
  both('[RFC6455-5.5.1-1]', 'receives an empty Close -> 1005, and answers with an empty one', (role) => {
    expect(eventsOf(role, fromPeer(role, { opcode: 8 }))).toEqual([['close', 1005, '']]);
    const endpoint = feed(role, [fromPeer(role, { opcode: 8 })]);
    expect(endpoint.takeFrames()).toMatchObject([{ opcode: 8, payload: Buffer.alloc(0) }]);
  });

  both('[RFC6455-5.5.1-2]', 'receives a body of one byte -> fails with 1002', (role) => {
    const bytes = fromPeer(role, { opcode: 8, payload: Buffer.from([3]) });
    expectFailure(role, bytes, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002);
  });

  for (const code of VALID_CODES) {
    both(
      '[RFC6455-5.5.1-2] [RFC6455-5.5.1-8]',
      `receives code ${code} -> reports it and sends it back`,
      (role) => {
        const bytes = fromPeer(role, { opcode: 8, payload: closePayload(code, 'why') });
        expect(eventsOf(role, bytes)).toEqual([['close', code, 'why']]);
        expect(feed(role, [bytes]).takeFrames()).toMatchObject([
          { opcode: 8, payload: closePayload(code, 'why') },
        ]);
      },
    );
  }

  for (const code of INVALID_CODES) {
    both('[RFC6455-5.5.1-2]', `receives code ${code} -> fails with 1002`, (role) => {
      const bytes = fromPeer(role, { opcode: 8, payload: closePayload(code) });
      expectFailure(role, bytes, 'WS_ERR_INVALID_CLOSE_CODE', 1002);
    });
  }

  for (const [name, reason] of [
    ['a byte FF', [0xff]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['half a character', [0x61, 0xe2, 0x82]],
  ] as const) {
    both('[RFC6455-5.5.1-3] [RFC6455-8.1-1]', `receives a reason with ${name} -> fails with 1007`, (role) => {
      const bytes = fromPeer(role, { opcode: 8, payload: closePayload(1000, Uint8Array.from(reason)) });
      expectFailure(role, bytes, 'WS_ERR_INVALID_UTF8', 1007);
    });
  }

  it('[RFC6455-5.5.1-5] client, closes or answers a Close -> its frame is masked', () => {
    const closing = new Endpoint('client');
    closing.connection.close(1000);
    const answering = feed('client', [fromPeer('client', { opcode: 8 })]);
    for (const client of [closing, answering]) expect(client.takeFrames()[0]!.maskingKey).toBeDefined();
  });
});

describe('the answer', () => {
  both(
    '[RFC6455-5.5.1-7] [RFC6455-5.5.1-9]',
    'receives Close -> one Close back, before anything else happens',
    (role) => {
      const endpoint = feed(role, [fromPeer(role, { opcode: 8, payload: closePayload(1001) })]);
      expect(endpoint.takeFrames()).toMatchObject([{ opcode: 8, payload: closePayload(1001) }]);
      endpoint.receive(fromPeer(role, { opcode: 8, payload: closePayload(1000) }));
      expect(endpoint.takeFrames()).toEqual([]);
    },
  );

  both('[RFC6455-5.5.1-7]', 'receives Close after it has sent one -> sends no second', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.close(1000);
    expect(endpoint.takeFrames()).toHaveLength(1);
    endpoint.receive(fromPeer(role, { opcode: 8, payload: closePayload(4000) }));
    expect(endpoint.takeFrames()).toEqual([]);
    expect(endpoint.events).toEqual([['close', 4000, '']]);
  });

  both('[RFC6455-5.5.1-6]', 'sends or receives Close -> data may not be sent any more', (role) => {
    const closing = new Endpoint(role);
    closing.connection.close();
    const answering = feed(role, [fromPeer(role, { opcode: 8 })]);
    expect([closing.connection.isOpen, answering.connection.isOpen]).toEqual([false, false]);
  });

  both(
    '[RFC6455-5.5.1-10]',
    'receives Close while messages of its own wait -> they leave first, then the Close',
    async (role) => {
      const endpoint = new Endpoint(role);
      const message = { isBinary: true, isFinal: true, compress: false };
      endpoint.connection.sender.sendMessage(
        () => Promise.resolve(Buffer.from('late')),
        message,
        undefined,
        4,
      );
      endpoint.receive(fromPeer(role, { opcode: 8 }));
      expect(endpoint.takeFrames()).toEqual([]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(endpoint.takeFrames().map(({ opcode }) => opcode)).toEqual([2, 8]);
    },
  );
});

describe('TCP', () => {
  it('[RFC6455-5.5.1-11] [RFC6455-5.5.1-12] server, has sent and received Close -> ends TCP as soon as its Close is written', () => {
    for (const closesFirst of [false, true]) {
      const server = new Endpoint('server');
      if (closesFirst) {
        server.connection.close();
        server.takeOutput();
        expect(server.requests).toEqual([]);
      }
      server.receive(fromPeer('server', { opcode: 8 }));
      if (!closesFirst) {
        expect(server.requests).toEqual([]);
        server.takeOutput();
      }
      expect(server.requests).toEqual(['end']);
    }
  });

  it('[RFC6455-5.5.1-13] client, has sent and received Close -> leaves it to the server to end TCP', () => {
    for (const closesFirst of [false, true]) {
      const client = new Endpoint('client');
      if (closesFirst) client.connection.close();
      client.takeOutput();
      client.receive(fromPeer('client', { opcode: 8 }));
      client.takeOutput();
      expect(client.requests).toEqual([]);
      client.connection.receiveEnd();
      expect(client.requests).toEqual(['end']);
    }
  });

  it('[RFC6455-5.5.1-14] client, the server does not end TCP -> ends it after a while', () => {
    const client = feed('client', [fromPeer('client', { opcode: 8 })]);
    client.takeOutput();
    client.connection.handleTimeout();
    expect(client.requests).toEqual(['end']);
  });

  it('[RFC6455-5.5.1-15] both roles, send Close at the same time -> both consider the connection closed, and it is clean', () => {
    const [client, server] = ROLES.map((role) => new Endpoint(role)) as [Endpoint, Endpoint];
    client.connection.close(4001);
    server.connection.close(4002);
    exchange(client, server);
    expect([client.events, server.events]).toEqual([[['close', 4002, '']], [['close', 4001, '']]]);
    expect([client.connection.wasClean, server.connection.wasClean]).toEqual([true, true]);
    expect(server.requests).toEqual(['end']);
  });
});
