// RFC 7692 §6: what marks a compressed message on the wire, and what may be compressed.
import { describe, expect } from 'vitest';
import { createDeflater, createInflater } from '../../src/io/zlib.js';
import { peerOf, type Role } from '../../src/protocol/role.js';
import {
  AGREED,
  both,
  Endpoint,
  eventsOf,
  exchange,
  expectFailure,
  feed,
  fromPeer,
} from '../support/engine.js';

const withDeflate = (role: Role) => ({
  inflater: createInflater(AGREED, role),
  deflater: createDeflater(AGREED, role),
});

/** `Hello` compressed, as in §7.2.3.1. */
const HELLO = Buffer.from('f248cdc9c90700', 'hex');

function fresh(role: Role, bytes: Uint8Array[]): Endpoint {
  return feed(role, bytes, withDeflate(role));
}

describe('sending (§6.1)', () => {
  both(
    '[RFC7692-6.1-1] [RFC7692-6-1]',
    'sends a compressed message -> RSV1, and the payload is shorter',
    (role) => {
      const endpoint = new Endpoint(role, withDeflate(role));
      endpoint.send('hello '.repeat(100), { compress: true });
      const [frame] = endpoint.takeFrames();
      expect(frame).toMatchObject({ opcode: 1, fin: true, rsv1: true });
      expect(frame!.payload.length).toBeLessThan(50);
    },
  );

  both(
    '[RFC7692-6.1-1] [RFC7692-6.1-3]',
    'sends a compressed message in fragments -> RSV1 on the first only',
    (role) => {
      const endpoint = new Endpoint(role, withDeflate(role));
      endpoint.send('one '.repeat(50), { compress: true, isFinal: false });
      endpoint.send('two '.repeat(50), { compress: true, isFinal: false });
      endpoint.send('three', { compress: true });
      expect(endpoint.takeFrames().map(({ opcode, rsv1, fin }) => [opcode, rsv1, fin])).toEqual([
        [1, true, false],
        [0, false, false],
        [0, false, true],
      ]);
    },
  );

  both('[RFC7692-6.1-3]', 'sends control frames while compression is in use -> RSV1 is 0', (role) => {
    const endpoint = new Endpoint(role, withDeflate(role));
    endpoint.connection.ping('p');
    endpoint.connection.pong('p');
    endpoint.connection.close(1000);
    expect(endpoint.takeFrames().map(({ rsv1 }) => rsv1)).toEqual([false, false, false]);
  });

  both('[RFC7692-6.1-2]', 'sends a message uncompressed -> RSV1 is 0, the payload as it is', (role) => {
    const endpoint = new Endpoint(role, withDeflate(role));
    endpoint.send('plain', { compress: false });
    expect(endpoint.takeFrames()).toMatchObject([{ rsv1: false, payload: Buffer.from('plain') }]);
  });

  both('[RFC7692-6.1-5]', 'sends compressed text and binary -> the opcodes stay', (role) => {
    const endpoint = new Endpoint(role, withDeflate(role));
    endpoint.send('text', { compress: true });
    endpoint.send(Buffer.from('binary'), { compress: true });
    expect(endpoint.takeFrames().map(({ opcode, rsv1 }) => [opcode, rsv1])).toEqual([
      [1, true],
      [2, true],
    ]);
  });
});

describe('receiving (§6.2)', () => {
  both('[RFC7692-6.2-1]', 'receives the Hello of §7.2.3.1 -> Hello', (role) => {
    expect(fresh(role, [fromPeer(role, { opcode: 1, rsv1: true, payload: HELLO })]).events).toEqual([
      ['text', 'Hello'],
    ]);
  });

  both(
    '[RFC7692-6.2-1]',
    'receives a compressed message cut into fragments at each byte -> whole',
    (role) => {
      for (let cut = 0; cut <= HELLO.length; cut++) {
        const frames = fromPeer(
          role,
          { opcode: 1, rsv1: true, fin: false, payload: HELLO.subarray(0, cut) },
          { opcode: 9 },
          { opcode: 0, payload: HELLO.subarray(cut) },
        );
        expect(fresh(role, [frames]).events).toEqual([
          ['ping', ''],
          ['text', 'Hello'],
        ]);
      }
    },
  );

  both(
    '[RFC7692-6.2-2] [RFC7692-6-1]',
    'receives uncompressed messages between compressed ones -> as they are',
    (role) => {
      const frames = fromPeer(
        role,
        { opcode: 1, rsv1: true, payload: HELLO },
        { opcode: 1, payload: 'plain' },
        { opcode: 1, fin: false, payload: 'in ' },
        { opcode: 0, payload: 'parts' },
        { opcode: 1, rsv1: true, payload: HELLO },
      );
      expect(fresh(role, [frames]).events).toEqual(
        ['Hello', 'plain', 'in parts', 'Hello'].map((text) => ['text', text]),
      );
    },
  );

  both('[RFC7692-5-16]', 'both ends compress -> all arrives, of any size', async (role) => {
    const one = new Endpoint(role, withDeflate(role));
    const other = new Endpoint(peerOf(role), withDeflate(peerOf(role)));
    const texts = ['', 'a', 'Hello', 'Hello', 'é'.repeat(5000), 'x'.repeat(100_000), 'last'];
    for (const text of texts) one.send(text, { compress: true });
    while (other.events.length < texts.length) {
      exchange(one, other);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(other.events).toEqual(texts.map((text) => ['text', text]));
  });
});

describe('what may not be', () => {
  const inert = { inflater: { inflate: (payload: Uint8Array) => payload, close: () => {} } };

  for (const opcode of [8, 9, 10]) {
    both('[RFC7692-6.1-4]', `receives opcode ${opcode} with RSV1 -> fails with 1002`, (role) => {
      expectFailure(role, fromPeer(role, { opcode, rsv1: true }), 'WS_ERR_UNEXPECTED_RSV_1', 1002, inert);
    });
  }

  for (const rsv1 of [false, true]) {
    both(
      '[RFC7692-6.1-4]',
      `receives a continuation with RSV1, first frame with RSV1 ${rsv1} -> fails with 1002`,
      (role) => {
        const frames = fromPeer(
          role,
          { opcode: 1, rsv1, fin: false, payload: 'a' },
          { opcode: 0, rsv1: true },
        );
        expectFailure(role, frames, 'WS_ERR_UNEXPECTED_RSV_1', 1002, inert);
      },
    );
  }

  both('[RFC6455-5.2-3]', 'receives RSV2 or RSV3 while compression is in use -> fails with 1002', (role) => {
    for (const bits of [{ rsv2: true }, { rsv3: true }, { rsv1: true, rsv2: true }]) {
      expectFailure(role, fromPeer(role, { opcode: 1, ...bits }), 'WS_ERR_UNEXPECTED_RSV_2_3', 1002, inert);
    }
  });

  both('[RFC7692-6.1-5]', 'receives compressed text that is not UTF-8 -> fails with 1007', (role) => {
    const frame = fromPeer(role, { opcode: 1, rsv1: true, payload: Buffer.from([0x61, 0xff]) });
    expectFailure(role, frame, 'WS_ERR_INVALID_UTF8', 1007, inert);
    const half = { opcode: 1, rsv1: true, fin: false, payload: Buffer.from([0xe2]) };
    expectFailure(
      role,
      fromPeer(role, half, { opcode: 0, payload: Buffer.from([0x82]) }),
      'WS_ERR_INVALID_UTF8',
      1007,
      inert,
    );
  });

  both('[RFC7692-6.1-5]', 'receives compressed binary that is not UTF-8 -> takes it', (role) => {
    const frame = fromPeer(role, { opcode: 2, rsv1: true, payload: Buffer.from([0xff]) });
    expect(eventsOf(role, frame, inert)).toEqual([['binary', 'ff']]);
  });

  both('[RFC7692-6.2-1]', 'receives what is no compressed data -> fails with 1007', (role) => {
    const endpoint = fresh(role, [
      fromPeer(role, { opcode: 1, rsv1: true, payload: Buffer.from([0xff, 0xff, 0xff]) }),
    ]);
    expect(endpoint.events.map(([name]) => name)).toEqual(['fail']);
    expect(endpoint.takeFrames().at(-1)!.payload.readUInt16BE()).toBe(1007);
  });
});
