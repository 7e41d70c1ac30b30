// RFC 6455 §10.4: every limit, by name. `usage` counts what was allocated on the peer's behalf.

import { deflateRawSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import { createInflater } from '../../src/io/zlib.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { AGREED, both, Endpoint, eventsOf, expectFailure, feed, fromPeer } from '../support/engine.js';

const TOO_LONG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const TOO_MANY = 'WS_ERR_TOO_MANY_BUFFERED_PARTS';

const fragments = (count: number, payload = 'a') =>
  Array.from({ length: count }, (_, i) => ({ opcode: i === 0 ? 2 : 0, fin: i === count - 1, payload }));

describe('maxPayload, single frame', () => {
  for (const maxPayload of [1, 10, 125, 126, 200, 65535, 65536]) {
    both('[RFC6455-10.4-2]', `maxPayload ${maxPayload}: receives exactly that -> takes it`, (role) => {
      const bytes = fromPeer(role, { opcode: 2, payload: Buffer.alloc(maxPayload) });
      expect(feed(role, [bytes], { maxPayload }).events).toHaveLength(1);
      expect(feed(role, [bytes.subarray(0, 20), bytes.subarray(20)], { maxPayload }).events[0]![0]).toBe(
        'binary',
      );
    });

    both(
      '[RFC6455-10.4-1] [RFC6455-10.4-2]',
      `maxPayload ${maxPayload}: receives a header that announces one more -> fails with 1009, before the payload`,
      (role) => {
        const bytes = fromPeer(role, { opcode: 2, payload: Buffer.alloc(maxPayload + 1) });
        const headerLength = bytes.length - maxPayload - 1;
        expectFailure(role, bytes.subarray(0, headerLength), TOO_LONG, 1009, { maxPayload });
      },
    );
  }

  both(
    '[RFC6455-10.4-1]',
    'maxPayload by default: a header announces 100 MiB and a byte -> fails with 1009',
    (role) => {
      const declaredLength = BigInt(LIMITS.maxPayload + 1);
      const bytes = fromPeer(role, { opcode: 2, declaredLength });
      expectFailure(role, bytes, TOO_LONG, 1009);
      const within = feed(role, [fromPeer(role, { opcode: 2, declaredLength: declaredLength - 1n })]);
      expect(within.events).toEqual([]);
    },
  );

  both(
    '[RFC6455-10.4-1]',
    'maxPayload by default: a header announces 100 MiB and little comes -> little memory',
    (role) => {
      const bytes = fromPeer(role, { opcode: 2, declaredLength: BigInt(LIMITS.maxPayload) });
      const endpoint = feed(role, [bytes, Buffer.alloc(10), Buffer.alloc(10)]);
      expect(endpoint.usage.bytes).toBeLessThanOrEqual(LIMITS.assemblyBytes);
    },
  );

  both('', 'maxPayload 0: receives more than the default would allow -> waits for it', (role) => {
    const bytes = fromPeer(role, { opcode: 2, declaredLength: BigInt(LIMITS.maxPayload + 1) });
    expect(feed(role, [bytes], { maxPayload: 0 }).events).toEqual([]);
  });
});

describe('maxPayload, total of the fragments', () => {
  both('[RFC6455-10.4-2]', 'maxPayload 10: ten fragments of one byte -> takes them', (role) => {
    const bytes = fromPeer(role, ...fragments(10));
    expect(eventsOf(role, bytes, { maxPayload: 10 })).toEqual([['binary', '61'.repeat(10)]]);
  });

  both(
    '[RFC6455-10.4-1] [RFC6455-10.4-2]',
    'maxPayload 10: an eleventh byte in a fragment -> fails with 1009',
    (role) => {
      expectFailure(role, fromPeer(role, ...fragments(11)), TOO_LONG, 1009, { maxPayload: 10 });
      const frames = [
        { opcode: 2, fin: false, payload: 'x'.repeat(8) },
        { opcode: 0, payload: 'x'.repeat(3) },
      ];
      expectFailure(role, fromPeer(role, ...frames), TOO_LONG, 1009, { maxPayload: 10 });
    },
  );

  both(
    '[RFC6455-10.4-2]',
    'maxPayload 10: two messages of ten -> takes both, the count starts anew',
    (role) => {
      const bytes = fromPeer(role, ...fragments(10), ...fragments(10), {
        opcode: 2,
        payload: 'x'.repeat(10),
      });
      expect(eventsOf(role, bytes, { maxPayload: 10 })).toHaveLength(3);
    },
  );

  both(
    '[RFC6455-10.4-1]',
    'maxPayload 100,000: endless fragments of one byte -> fails, and held little more than the limit',
    (role) => {
      const endpoint = new Endpoint(role, { maxPayload: 100_000 });
      endpoint.receive(fromPeer(role, { opcode: 2, fin: false, payload: 'a' }));
      const many = fromPeer(
        role,
        ...Array.from({ length: 1000 }, () => ({ opcode: 0, fin: false, payload: 'a' })),
      );
      for (let i = 0; i < 101; i++) endpoint.receive(many);
      expect(endpoint.events).toEqual([['fail', TOO_LONG]]);
      expect(endpoint.usage.largest).toBeLessThanOrEqual(200_000);
    },
  );

  both('[RFC6455-10.4-1]', '100,000 empty fragments -> no memory', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.receive(fromPeer(role, { opcode: 2, fin: false }));
    const many = fromPeer(role, ...Array.from({ length: 1000 }, () => ({ opcode: 0, fin: false })));
    for (let i = 0; i < 100; i++) endpoint.receive(many);
    expect(endpoint.events).toEqual([]);
    expect(endpoint.usage.bytes).toBe(0);
  });
});

describe('maxPayload, inflated', () => {
  const compressed = (length: number) =>
    deflateRawSync(Buffer.alloc(length), { finishFlush: 2 }).subarray(0, -4);
  const options = (role: 'client' | 'server', maxPayload: number) => ({
    maxPayload,
    inflater: createInflater(AGREED, role),
  });
  const message = (length: number) => ({ opcode: 2, rsv1: true, payload: compressed(length) });

  async function settled(endpoint: Endpoint): Promise<Endpoint> {
    while (endpoint.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
    return endpoint;
  }

  for (const length of [1000, 2_000_000]) {
    both(
      '[RFC6455-10.4-1]',
      `maxPayload ${length}: a compressed message becomes exactly that -> takes it`,
      async (role) => {
        const endpoint = await settled(feed(role, [fromPeer(role, message(length))], options(role, length)));
        expect(endpoint.events[0]![0]).toBe('binary');
      },
    );

    both(
      '[RFC6455-10.4-1]',
      `maxPayload ${length}: a compressed message becomes one byte more -> fails with 1009`,
      async (role) => {
        const endpoint = await settled(
          feed(role, [fromPeer(role, message(length + 1))], options(role, length)),
        );
        expect(endpoint.events).toEqual([['fail', TOO_LONG]]);
        expect(endpoint.takeFrames().at(-1)!.payload.readUInt16BE()).toBe(1009);
      },
    );
  }

  both(
    '[RFC6455-10.4-1]',
    'maxPayload 100: a compressed frame is itself larger -> fails with 1009 at its header',
    (role) => {
      const bytes = fromPeer(role, { opcode: 2, rsv1: true, payload: Buffer.alloc(101) }).subarray(0, 10);
      expect(feed(role, [bytes], options(role, 100)).events).toEqual([['fail', TOO_LONG]]);
    },
  );
});

describe('maxFragments', () => {
  both('[RFC6455-10.4-1]', 'maxFragments 3: three frames -> a message', (role) => {
    const bytes = fromPeer(role, ...fragments(3), ...fragments(3));
    expect(eventsOf(role, bytes, { maxFragments: 3 })).toHaveLength(2);
  });

  for (const payload of ['a', '']) {
    both(
      '[RFC6455-10.4-1]',
      `maxFragments 3: a fourth frame, payload ${JSON.stringify(payload)} -> fails with 1008`,
      (role) => {
        expectFailure(role, fromPeer(role, ...fragments(4, payload)), TOO_MANY, 1008, { maxFragments: 3 });
      },
    );
  }

  both(
    '',
    'maxFragments by default: 20,000 frames -> a message, since none costs more than its bytes',
    (role) => {
      const endpoint = feed(role, [fromPeer(role, ...fragments(20_000))]);
      expect(endpoint.events).toEqual([['binary', '61'.repeat(20_000)]]);
      expect(endpoint.usage.largest).toBeLessThanOrEqual(40_000);
    },
  );
});

describe('maxBufferedChunks', () => {
  const reads = (role: 'client' | 'server', count: number) => {
    const bytes = fromPeer(role, { opcode: 2, payload: Buffer.alloc(count, 'a') });
    const headerLength = bytes.length - count;
    return [
      bytes.subarray(0, headerLength + 1),
      ...Array.from({ length: count - 1 }, (_, i) =>
        bytes.subarray(headerLength + 1 + i, headerLength + 2 + i),
      ),
    ];
  };

  both(
    '[RFC6455-10.4-1]',
    'maxBufferedChunks 4: a frame over five reads, of which four wait -> a message',
    (role) => {
      expect(feed(role, reads(role, 5), { maxBufferedChunks: 4 }).events).toEqual([
        ['binary', '61'.repeat(5)],
      ]);
    },
  );

  both(
    '[RFC6455-10.4-1]',
    'maxBufferedChunks 4: a fifth read that does not complete the frame -> fails with 1008',
    (role) => {
      const endpoint = feed(role, reads(role, 6), { maxBufferedChunks: 4 });
      expect(endpoint.events).toEqual([['fail', TOO_MANY]]);
      expect(endpoint.takeFrames().at(-1)!.payload.readUInt16BE()).toBe(1008);
    },
  );

  both('', 'maxBufferedChunks 4: the count is that of a frame -> the next frame starts anew', (role) => {
    const portions = [...reads(role, 5), ...reads(role, 5)];
    expect(feed(role, portions, { maxBufferedChunks: 4 }).events).toHaveLength(2);
  });

  both('', 'maxBufferedChunks by default: 10,000 reads -> a message, in one buffer', (role) => {
    const endpoint = feed(role, reads(role, 10_000));
    expect(endpoint.events).toHaveLength(1);
    expect(endpoint.usage.allocations).toBeLessThan(6);
  });
});

describe('control length', () => {
  both(
    '[RFC6455-10.4-1] [RFC6455-5.5-1]',
    'control length: a Ping announces 2^40 bytes -> fails at its header, without memory',
    (role) => {
      const bytes = fromPeer(role, { opcode: 9, declaredLength: 2n ** 40n });
      expectFailure(role, bytes, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002);
      expect(feed(role, [bytes]).usage.largest).toBeLessThanOrEqual(LIMITS.outputBlockBytes);
    },
  );
});

describe('fragmentBookkeeping', () => {
  const keeping = (role: 'client' | 'server', count: number, maxPayload: number, payload = 'a') =>
    feed(role, [fromPeer(role, ...fragments(count, payload))], { maxPayload }, true);

  both(
    '[RFC6455-10.4-1]',
    'fragmentBookkeeping: 64 bytes for each boundary within maxPayload -> takes them',
    (role) => {
      expect(keeping(role, 11, 640).events[0]![0]).toBe('binary');
    },
  );

  both(
    '[RFC6455-10.4-1]',
    'fragmentBookkeeping: more boundaries than maxPayload pays for -> fails with 1009',
    (role) => {
      expect(keeping(role, 12, 640).events).toEqual([['fail', TOO_LONG]]);
      expect(keeping(role, 12, 640, '').events).toEqual([['fail', TOO_LONG]]);
    },
  );

  both('', 'fragmentBookkeeping: boundaries are not kept -> they cost nothing', (role) => {
    expect(feed(role, [fromPeer(role, ...fragments(100))], { maxPayload: 640 }).events[0]![0]).toBe('binary');
  });

  both(
    '',
    'fragmentBookkeeping: a message in one frame, smaller than the bookkeeping -> costs nothing',
    (role) => {
      const { events } = feed(
        role,
        [
          fromPeer(role, { opcode: 2, payload: 'abc' }),
          fromPeer(role, { opcode: 2, rsv1: true, payload: 'abc' }),
        ],
        { maxPayload: 10, inflater: { inflate: (payload) => payload, close: () => {} } },
        true,
      );
      expect(events).toEqual([
        ['binary', '616263'],
        ['binary', '616263'],
      ]);
    },
  );
});

describe('maxPendingAutoPongs', () => {
  both('[RFC6455-10.4-1]', 'maxPendingAutoPongs 5: the sixth Ping without a read -> cut', (role) => {
    const endpoint = new Endpoint(role, { maxPendingAutoPongs: 5 });
    for (let i = 0; i < 1000; i++) endpoint.receive(fromPeer(role, { opcode: 9, payload: 'x'.repeat(125) }));
    expect(endpoint.requests).toEqual(['destroy']);
    expect(endpoint.takeFrames()).toHaveLength(5);
  });
});
