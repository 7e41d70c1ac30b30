// RFC 6455 §5.2: reserved bits, opcodes and lengths. The examples are those of §5.7.
import { describe, expect, it } from 'vitest';
import { serializeFrameHeader } from '../../src/wire/frame-header.js';
import { both, Endpoint, eventsOf, expectFailure, feed, fromPeer, KEY } from '../support/engine.js';

type Bits = { rsv1?: boolean; rsv2?: boolean; rsv3?: boolean };

describe('the examples of §5.7', () => {
  it.each([
    ['client', 'an unmasked text message', '810548656c6c6f', [['text', 'Hello']]],
    ['server', 'a masked text message', '818537fa213d7f9f4d5158', [['text', 'Hello']]],
    ['client', 'a fragmented text message', '010348656c80026c6f', [['text', 'Hello']]],
    ['client', 'a Ping', '890548656c6c6f', [['ping', '48656c6c6f']]],
    ['server', 'a masked Pong', '8a8537fa213d7f9f4d5158', [['pong', '48656c6c6f']]],
    ['client', '256 bytes', `827e0100${'ab'.repeat(256)}`, [['binary', 'ab'.repeat(256)]]],
    ['client', '64 KiB', `827f0000000000010000${'cd'.repeat(65536)}`, [['binary', 'cd'.repeat(65536)]]],
  ] as const)('[RFC6455-5.2-7] %s, receives %s -> as the RFC says', (role, _, hex, expected) => {
    const bytes = Buffer.from(hex, 'hex');
    const { events } = feed(role, [bytes]);
    expect(events).toEqual(expected);
    if (bytes.length < 1000) expect(eventsOf(role, bytes)).toEqual(expected);
  });
});

both('[RFC6455-5.2-1]', 'receives one frame with FIN -> a message', (role) => {
  expect(eventsOf(role, fromPeer(role, { opcode: 1, payload: 'whole' }))).toEqual([['text', 'whole']]);
});

describe('reserved bits', () => {
  both('[RFC6455-5.2-2]', 'sends without an extension -> RSV1-3 are 0', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.send('text', { compress: true });
    endpoint.send('a', { isFinal: false, compress: true });
    endpoint.send('b', { compress: true });
    endpoint.connection.ping('');
    endpoint.connection.pong('');
    endpoint.connection.close(1000);
    const firsts = endpoint.takeFrames().map(({ bytes }) => bytes[0]! & 0x70);
    expect(firsts).toEqual([0, 0, 0, 0, 0, 0]);
  });

  for (const opcode of [1, 2, 8, 9, 10]) {
    for (const [bits, code] of [
      [{ rsv1: true }, 'WS_ERR_UNEXPECTED_RSV_1'],
      [{ rsv2: true }, 'WS_ERR_UNEXPECTED_RSV_2_3'],
      [{ rsv3: true }, 'WS_ERR_UNEXPECTED_RSV_2_3'],
      [{ rsv1: true, rsv2: true, rsv3: true }, 'WS_ERR_UNEXPECTED_RSV_2_3'],
    ] as [Bits, string][]) {
      both(
        '[RFC6455-5.2-3] [RFC6455-5.8-1]',
        `receives opcode ${opcode} with ${Object.keys(bits)} -> fails with 1002`,
        (role) => {
          expectFailure(role, fromPeer(role, { opcode, ...bits }), code, 1002);
        },
      );
    }
  }

  for (const bits of [{ rsv1: true }, { rsv2: true }, { rsv3: true }] as Bits[]) {
    both(
      '[RFC6455-5.2-3]',
      `receives a continuation with ${Object.keys(bits)} -> fails with 1002`,
      (role) => {
        const frames = fromPeer(role, { opcode: 1, fin: false, payload: 'a' }, { opcode: 0, ...bits });
        const code = bits.rsv1 ? 'WS_ERR_UNEXPECTED_RSV_1' : 'WS_ERR_UNEXPECTED_RSV_2_3';
        expectFailure(role, frames, code, 1002);
      },
    );
  }
});

describe('opcodes', () => {
  for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    both('[RFC6455-5.2-4]', `receives opcode ${opcode} -> fails with 1002`, (role) => {
      expectFailure(role, fromPeer(role, { opcode }), 'WS_ERR_INVALID_OPCODE', 1002);
      expectFailure(role, fromPeer(role, { opcode, payload: 'x' }), 'WS_ERR_INVALID_OPCODE', 1002);
    });

    both('[RFC6455-5.2-4]', `receives opcode ${opcode} between fragments -> fails with 1002`, (role) => {
      const frames = fromPeer(role, { opcode: 1, fin: false }, { opcode });
      expectFailure(role, frames, 'WS_ERR_INVALID_OPCODE', 1002);
    });
  }
});

describe('lengths', () => {
  const unlimited = { maxPayload: 0 };
  const header = (role: 'client' | 'server', payloadLength: bigint) =>
    Buffer.from(
      serializeFrameHeader({
        ...{ isFinal: true, rsv1: false, rsv2: false, rsv3: false, opcode: 2 },
        ...{ isMasked: role === 'server', maskingKey: KEY, payloadLength, lengthForm: 64 },
      }),
    );

  for (const length of [0, 1, 125, 126, 127, 65535, 65536]) {
    both('[RFC6455-5.2-6]', `sends ${length} bytes -> in the shortest form`, (role) => {
      const endpoint = new Endpoint(role);
      endpoint.send(Buffer.alloc(length, 1));
      const [frame] = endpoint.takeFrames();
      expect(frame!.lengthForm).toBe(length < 126 ? 7 : length < 65536 ? 16 : 64);
      expect(frame!.payload).toHaveLength(length);
    });

    both('[RFC6455-5.2-7]', `receives ${length} bytes -> a message of that length`, (role) => {
      const payload = Buffer.alloc(length, 1);
      const bytes = fromPeer(role, { opcode: 2, payload });
      expect(feed(role, [bytes]).events).toEqual([['binary', payload.toString('hex')]]);
    });
  }

  for (const [length, lengthForm] of [
    [0, 16],
    [124, 16],
    [125, 16],
    [0, 64],
    [126, 64],
    [65535, 64],
  ] as const) {
    both(
      '[RFC6455-5.2-6]',
      `receives ${length} bytes in the ${lengthForm}-bit form -> fails with 1002`,
      (role) => {
        const frame = fromPeer(role, { opcode: 2, payload: Buffer.alloc(length), lengthForm });
        expectFailure(role, frame.subarray(0, 14), 'WS_ERR_NON_MINIMAL_LENGTH', 1002);
      },
    );
  }

  for (const length of [2n ** 63n, 2n ** 63n + 5n, 2n ** 64n - 1n]) {
    both(
      '[RFC6455-5.2-5]',
      `receives the length ${length} -> fails with 1002, without the memory`,
      (role) => {
        expectFailure(role, header(role, length), 'WS_ERR_INVALID_PAYLOAD_LENGTH', 1002, unlimited);
        expect(feed(role, [header(role, length)], unlimited).usage.bytes).toBeLessThan(100_000);
      },
    );
  }

  for (const length of [2n ** 53n, 2n ** 63n - 1n]) {
    both(
      '[RFC6455-10.4-1]',
      `receives the length ${length}, no limit -> fails with 1009, without the memory`,
      (role) => {
        const code = 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH';
        expectFailure(role, header(role, length), code, 1009, unlimited);
        expect(feed(role, [header(role, length)], unlimited).usage.bytes).toBeLessThan(100_000);
      },
    );
  }

  both('[RFC6455-10.4-1]', 'receives the length 2^53 - 1, no limit -> waits, without the memory', (role) => {
    const { events, usage } = feed(role, [header(role, 2n ** 53n - 1n), Buffer.alloc(10)], unlimited);
    expect(events).toEqual([]);
    expect(usage.bytes).toBeLessThan(100_000);
  });
});
