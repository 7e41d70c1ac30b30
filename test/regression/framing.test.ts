// Attacks on the framing layer and on what it makes an endpoint hold (RFC 6455 §5, §8.1, §10.3, §10.4), against both
// roles wherever a rule holds for both.
import { describe, expect, it } from 'vitest';
import { platform } from '../../src/io/platform.js';
import { type Allocate, MessageAssembler } from '../../src/protocol/message-assembler.js';
import { MessageReceiver, type MessageSink } from '../../src/protocol/message-receiver.js';
import type { Package } from '../behaviour/implementations.js';
import { ROLES } from '../support/cast.js';
import { called, next, record, several, thrownBy, turn } from '../support/events.js';
import { closePayload, type FrameFields, serializeFrame } from '../support/frames.js';
import { judge, perform, stage, uncaughtDuring } from './stage.js';

const { against, rawPair, rawClient, pair, client: connect } = stage();
const MiB = 1024 * 1024;

describe('C1: bytes chosen by an attacker must not reach the wire as they are', () => {
  it('[RFC6455-5.3-2] client, frames of every kind -> masked, every key its own, every bit of it varies', async () => {
    const { socket, peer } = await rawPair();
    for (let i = 0; i < 64; i++) {
      socket.send('x');
      socket.send(Buffer.alloc(9000));
      socket.ping('y');
      socket.pong('z');
    }
    const keys = (await peer.nextFrames(256)).map(({ maskingKey }) => maskingKey!.readUInt32BE(0));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.reduce((all, key) => all | key) >>> 0).toBe(0xffffffff);
    expect(keys.reduce((all, key) => all & key) >>> 0).toBe(0);
  });

  it('[RFC6455-5.1-2] server, frame without a mask -> 1002', async () => {
    const { socket, peer } = await rawClient();
    peer.socket.write(serializeFrame({ opcode: 1, payload: 'GET / HTTP/1.1' }));
    expect(await judge(socket, peer)).toMatchObject({ told: 1002, messages: [] });
  });

  it('[RFC6455-5.1-5] client, frame with a mask -> 1002', async () => {
    const { socket, peer } = await rawPair();
    const frame = { opcode: 1, payload: 'x', maskingKey: Buffer.from([1, 2, 3, 4]) };
    expect(await judge(socket, peer, frame)).toMatchObject({ told: 1002, messages: [] });
  });
});

describe('C2: a payload that changes after send()', () => {
  it.each([1, 125, 16 * 1024, 16 * 1024 + 1, 3 * MiB])(
    '[RFC6455-10.3-2] client, buffer of %i bytes overwritten after send() -> the peer gets what was sent',
    async (length) => {
      const { socket, peer } = await rawPair({ perMessageDeflate: false });
      // Fills the kernel's buffers first, so that the frame has to wait.
      socket.send(Buffer.alloc(4 * MiB));
      const payload = Buffer.alloc(length, 'a');
      socket.send(payload);
      payload.fill('b');
      const [, frame] = await peer.nextFrames(2);
      expect(frame!.payload.equals(Buffer.alloc(length, 'a'))).toBe(true);
    },
  );

  it('client, buffer overwritten while a Blob in front of it is read -> nothing is masked in view of the writer', async () => {
    const { socket, peer } = await rawPair({ perMessageDeflate: false });
    const payload = Buffer.alloc(64, 'a');
    socket.send(new Blob(['first']));
    socket.send(payload);
    await turn();
    const [first, second] = await peer.nextFrames(2);
    payload.fill('b');
    expect(String(first!.payload)).toBe('first');
    expect(second!.payload.equals(Buffer.alloc(64, 'a'))).toBe(true);
  });
});

describe("C3: the caller's bytes", () => {
  it.each([1, 125, 126, 16 * 1024, 70_000])(
    'client, %i bytes sent -> neither they nor their neighbours change',
    async (length) => {
      const { socket, peer } = await rawPair({ perMessageDeflate: false });
      const surroundings = Buffer.alloc(length + 32, 'n');
      const payload = surroundings.subarray(16, 16 + length);
      socket.send(payload);
      if (length <= 125) socket.ping(payload);
      const frame = await peer.nextFrame();
      expect(frame.payload.equals(Buffer.alloc(length, 'n'))).toBe(true);
      expect(surroundings.equals(Buffer.alloc(length + 32, 'n'))).toBe(true);
    },
  );

  it('client, view of shared memory sent -> it does not change', async () => {
    const { socket, peer } = await rawPair({ perMessageDeflate: false });
    const view = new Uint8Array(new SharedArrayBuffer(300)).fill(7);
    socket.send(view);
    expect((await peer.nextFrame()).payload.equals(Buffer.alloc(300, 7))).toBe(true);
    expect(view.every((byte) => byte === 7)).toBe(true);
  });
});

describe('C4: memory that nobody has written', () => {
  it.each(ROLES)('%s, ping(50), pong(50) and send(50) -> the digits, not 50 bytes', async (role) => {
    const { socket, peer } = await against(role);
    socket.ping(50);
    socket.pong(50);
    socket.send(50);
    expect((await peer.nextFrames(3)).map(({ payload }) => String(payload))).toEqual(['50', '50', '50']);
  });

  it.each(ROLES)(
    '%s, close(1000, Float32Array) -> TypeError, nothing is sent, the connection stays open',
    async (role) => {
      const { socket, peer } = await against(role);
      expect(thrownBy(() => socket.close(1000, new Float32Array(20)))).toBeInstanceOf(TypeError);
      socket.send('open');
      expect(String((await peer.nextFrame()).payload)).toBe('open');
    },
  );

  it.each(ROLES)(
    '%s, views of elements wider than a byte -> all of their bytes, and no others',
    async (role) => {
      const { socket, peer } = await against(role, role === 'client' ? { perMessageDeflate: false } : {});
      const floats = new Float32Array([0.5, 1, 1.5, 2, 2.5]).subarray(1, 4);
      const bytes = Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength);
      socket.send(floats);
      socket.ping(floats);
      socket.send(new DataView(floats.buffer, 4, 12));
      for (const { payload } of await peer.nextFrames(3)) expect(payload.equals(bytes)).toBe(true);
    },
  );
});

describe('C5: lengths that are only announced', () => {
  /** bytes announced, status code */
  const LENGTHS: [name: string, declaredLength: bigint, told: number][] = [
    ['100 MiB + 1, by default', 100n * 2n ** 20n + 1n, 1009],
    ['2^31', 2n ** 31n, 1009],
    ['2^32 + 1', 2n ** 32n + 1n, 1009],
    ['2^53 - 1', 2n ** 53n - 1n, 1009],
    ['2^53', 2n ** 53n, 1009],
    ['2^60', 2n ** 60n, 1009],
    ['2^63 - 1', 2n ** 63n - 1n, 1009],
    ['2^63', 2n ** 63n, 1002],
    ['2^64 - 1', 2n ** 64n - 1n, 1002],
  ];

  for (const role of ROLES) {
    it.each(LENGTHS)(
      `[RFC6455-10.4-1] ${role}, header that announces %s -> refused before any payload`,
      async (_name, declaredLength, told) => {
        const { socket, peer } = await against(role);
        const judgement = await judge(
          socket,
          peer,
          { opcode: 1, payload: 'before' },
          { opcode: 2, declaredLength },
        );
        expect(judgement).toMatchObject({ told, messages: ['before'] });
      },
    );

    it(`${role}, fragments whose sum passes 2^53 with no limit set -> refused, not wrapped around`, async () => {
      const { socket, peer } = await against(role, { maxPayload: 0 });
      const judgement = await judge(
        socket,
        peer,
        { opcode: 2, fin: false, payload: 'x' },
        { opcode: 0, declaredLength: 2n ** 53n },
      );
      expect(judgement.told).toBe(1009);
    });

    it(`${role}, 1 TiB announced with no limit set -> only what has come takes memory`, async () => {
      const { socket, peer } = await against(role, { maxPayload: 0 });
      const before = process.memoryUsage().arrayBuffers;
      const read = socket._socket.bytesRead;
      const frame = serializeFrame({
        opcode: 2,
        declaredLength: 2n ** 40n,
        payload: 'ten bytes.',
        ...(role === 'server' && { maskingKey: Buffer.alloc(4) }),
      });
      peer.socket.write(frame);
      while (socket._socket.bytesRead < read + frame.length) await turn();
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MiB);
      expect(socket.readyState).toBe(1);
    });
  }
});

describe('C6: lengths in a longer form than needed', () => {
  for (const role of ROLES) {
    it.each([
      ['125 bytes in 16 bits', 125, 16],
      ['0 bytes in 64 bits', 0, 64],
      ['126 bytes in 64 bits', 126, 64],
      ['65,535 bytes in 64 bits', 65_535, 64],
    ] as const)(`[RFC6455-5.2-6] ${role}, %s -> 1002`, async (_name, length, lengthForm) => {
      const { socket, peer } = await against(role);
      const frame = { opcode: 2, payload: Buffer.alloc(length), lengthForm };
      expect(await judge(socket, peer, { opcode: 1, payload: 'before' }, frame)).toMatchObject({
        told: 1002,
        messages: ['before'],
      });
    });
  }
});

describe('C7: endless fragments, each within the limit', () => {
  it.each(ROLES)(
    '[RFC6455-10.4-2] %s, the sum passes maxPayload -> 1009 at the header that does it',
    async (role) => {
      const { socket, peer } = await against(role, { maxPayload: 1000 });
      const payload = Buffer.alloc(400);
      const judgement = await judge(
        socket,
        peer,
        { opcode: 2, fin: false, payload },
        { opcode: 0, fin: false, payload },
        { opcode: 9, payload: 'not counted' },
        // The payload never comes.
        { opcode: 0, fin: false, declaredLength: 201n, payload: '' },
      ).catch((error) => error);
      expect(judgement).not.toMatchObject({ messages: [expect.anything()] });
      expect(peer.frames.map(({ opcode }) => opcode)).toEqual([10, 8]);
      expect(peer.frames[1]!.payload.readUInt16BE(0)).toBe(1009);
    },
  );

  it.each(ROLES)('%s, the sum is exactly maxPayload -> delivered', async (role) => {
    const { socket, peer } = await against(role, { maxPayload: 1000 });
    const message = next(socket, 'message');
    const payload = Buffer.alloc(500);
    peer.send({ opcode: 2, fin: false, payload }, { opcode: 0, fin: false }, { opcode: 0, payload });
    expect((await message)[0].length).toBe(1000);
  });
});

describe('C8: fragments and reads that carry next to nothing', () => {
  it('server, 1,000,000 fragments of one byte -> holds about their bytes, and delivers them', async () => {
    const { held, length } = await perform('fragments', { count: 1_000_000, payload: 'x' });
    expect(length).toBe(1_000_000);
    expect(held).toBeLessThan(6 * MiB);
  });

  it('server, 1,000,000 empty fragments -> holds nothing', async () => {
    const { held, length } = await perform('fragments', { count: 1_000_000, payload: '' });
    expect(length).toBe(0);
    expect(held).toBeLessThan(2 * MiB);
  });

  it('server, a frame of 300,000 bytes in reads of one byte -> holds about its bytes, and delivers it', async () => {
    const { held, length } = await perform('drip', { count: 300_000 });
    expect(length).toBe(300_000);
    expect(held).toBeLessThan(4 * MiB);
  });

  it.each(ROLES)(
    "%s, empty fragments where boundaries are kept ('fragments') -> their bookkeeping counts: 1009",
    async (role) => {
      const { socket, peer } = await against(role, { maxPayload: 64 * 1024 });
      socket.binaryType = 'fragments';
      const empty = Array.from({ length: 2000 }, () => ({ opcode: 0, fin: false }));
      expect((await judge(socket, peer, { opcode: 2, fin: false }, ...empty)).told).toBe(1009);
    },
  );

  it.each(ROLES)('%s, maxFragments passed, empty ones counted -> 1008', async (role) => {
    const { socket, peer } = await against(role, { maxFragments: 3 });
    const empty = { opcode: 0, fin: false };
    expect((await judge(socket, peer, { opcode: 1, fin: false }, empty, empty, empty)).told).toBe(1008);
  });
});

describe('C9: one byte at a time', () => {
  /** Bytes of memory that were asked for while a frame of `length` bytes came in bytes. */
  function allocated(length: number): number {
    let total = 0;
    const allocate: Allocate = (bytes) => {
      total += bytes;
      return platform.allocate(bytes);
    };
    let received = -1;
    const ignore = () => {};
    const sink: MessageSink = {
      onMessage: (data) => {
        received = data.length;
      },
      onPing: ignore,
      onPong: ignore,
      onClose: ignore,
      onFail: ignore,
      onReady: ignore,
      onIdle: ignore,
    };
    const receiver = new MessageReceiver({ role: 'client', platform: { ...platform, allocate } }, sink);
    const bytes = serializeFrame({ opcode: 1, payload: Buffer.alloc(length, 'x') });
    for (let at = 0; at < bytes.length; at++) receiver.receive(Uint8Array.of(bytes[at]!));
    expect(received).toBe(length);
    return total;
  }

  it('frame of 128 KiB in bytes -> what is copied grows with its length, not with the square', () => {
    const small = allocated(32 * 1024);
    const large = allocated(128 * 1024);
    expect(large).toBeLessThan(4 * 128 * 1024);
    expect(large / small).toBeLessThan(6);
  });

  it('message of unannounced length in bytes -> copied at most about twice', () => {
    let total = 0;
    const assembler = new MessageAssembler((length) => {
      total += length;
      return new Uint8Array(length);
    });
    for (let i = 0; i < 128 * 1024; i++) assembler.append(Uint8Array.of(1), 0, 1, 0, 0);
    expect(assembler.take().length).toBe(128 * 1024);
    expect(total).toBeLessThan(4 * 128 * 1024);
  });

  it.each(ROLES)('%s, messages of every size class in writes of one byte -> whole', async (role) => {
    const { socket, peer } = await against(role);
    const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(1000)];
    const messages = several(socket, 'message', texts.length);
    for (const payload of texts) {
      const mask = role === 'server' ? { maskingKey: Buffer.from([9, 8, 7, 6]) } : {};
      for (const byte of serializeFrame({ opcode: 1, payload, ...mask }))
        peer.socket.write(Uint8Array.of(byte));
    }
    expect((await messages).map(([data]) => String(data))).toEqual(texts);
  });
});

/** name, frames, status code */
const FAULTS: [name: string, frames: FrameFields[], told: number][] = [
  ['Ping of 126 bytes', [{ opcode: 9, payload: Buffer.alloc(126) }], 1002],
  ['Pong of 65,536 bytes', [{ opcode: 10, payload: Buffer.alloc(65_536) }], 1002],
  ['Close of 126 bytes', [{ opcode: 8, payload: closePayload(1000, 'r'.repeat(124)) }], 1002],
  ...[8, 9, 10].map((opcode): [string, FrameFields[], number] => [
    `control frame ${opcode} without FIN`,
    [{ opcode, fin: false }],
    1002,
  ]),
  ...(['rsv1', 'rsv2', 'rsv3'] as const).flatMap((bit) =>
    [1, 8, 9].map((opcode): [string, FrameFields[], number] => [
      `${bit} on opcode ${opcode}`,
      [{ opcode, [bit]: true }],
      1002,
    ]),
  ),
  ['Close with half a status code', [{ opcode: 8, payload: '\x03' }], 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
    (code): [string, FrameFields[], number] => [
      `Close with the status code ${code}`,
      [{ opcode: 8, payload: closePayload(code) }],
      1002,
    ],
  ),
  [
    'Close with a reason that is not UTF-8',
    [{ opcode: 8, payload: closePayload(1000, Buffer.from([0xc3])) }],
    1007,
  ],
  ...[3, 7, 11, 15].map((opcode): [string, FrameFields[], number] => [
    `opcode ${opcode}`,
    [{ opcode }],
    1002,
  ]),
];

/** What confuses the state of a message. */
const CONFUSIONS: typeof FAULTS = [
  ['continuation of nothing', [{ opcode: 0, payload: 'x' }], 1002],
  [
    'second continuation after the final one',
    [{ opcode: 1, fin: false }, { opcode: 0 }, { opcode: 0 }],
    1002,
  ],
  [
    'text inside a message',
    [
      { opcode: 2, fin: false, payload: 'a' },
      { opcode: 1, payload: 'b' },
    ],
    1002,
  ],
  [
    'binary inside a message',
    [
      { opcode: 1, fin: false, payload: 'a' },
      { opcode: 2, payload: 'b' },
    ],
    1002,
  ],
  [
    'RSV1 on a continuation',
    [
      { opcode: 1, fin: false },
      { opcode: 0, rsv1: true },
    ],
    1002,
  ],
];

for (const [title, faults] of [
  ['C10: control frames that break the rules', FAULTS],
  ['C11: state confusion', CONFUSIONS],
] as const) {
  describe(title, () => {
    for (const role of ROLES) {
      it.each(faults)(
        `${role}, %s -> failed, what came before is delivered, nothing behind it is`,
        async (_name, frames, told) => {
          const { socket, peer } = await against(role);
          const before = { opcode: 1, payload: 'before' };
          const behind = { opcode: 1, payload: 'behind' };
          const judgement = await judge(socket, peer, before, ...frames, behind, { opcode: 9 });
          const [first, ...more] = judgement.messages;
          expect(first).toBe('before');
          expect(more).not.toContain('behind');
          expect(judgement.told).toBe(told);
          expect(judgement.errors).toHaveLength(1);
          expect(peer.frames).toHaveLength(1);
        },
      );
    }
  });
}

describe('C11: after the end', () => {
  it.each(ROLES)(
    '[RFC6455-5.5.1-7] %s, data and a Ping behind a Close frame -> not delivered, not answered',
    async (role) => {
      const { socket, peer } = await against(role);
      const events = record(socket, 'message', 'ping', 'error');
      await Promise.all([
        next(socket, 'close'),
        judge(
          socket,
          peer,
          { opcode: 8, payload: closePayload(1000) },
          { opcode: 1, payload: 'late' },
          { opcode: 9 },
        ),
      ]);
      expect(events).toEqual([]);
      expect(peer.frames).toHaveLength(1);
    },
  );

  it.each(ROLES)(
    '[RFC6455-7.1.7-7] %s, a message in a read of its own behind a fault -> not delivered',
    async (role) => {
      const { socket, peer } = await against(role);
      const messages = record(socket, 'message');
      const failed = next(socket, 'error');
      peer.send({ opcode: 3 });
      await failed;
      peer.send({ opcode: 1, payload: 'behind' });
      peer.socket.end();
      await next(socket, 'close');
      expect(messages).toEqual([]);
    },
  );

  it.each(ROLES)(
    '%s, terminate() in a message listener -> the messages behind it are not delivered',
    async (role) => {
      const { socket, peer } = await against(role);
      const messages = record(socket, 'message');
      socket.once('message', () => socket.terminate());
      peer.send({ opcode: 1, payload: '1' }, { opcode: 1, payload: '2' }, { opcode: 3 });
      await next(socket, 'close');
      expect(messages.length).toBeLessThanOrEqual(2);
      expect(socket.readyState).toBe(3);
    },
  );
});

describe('C12: text that is not UTF-8', () => {
  const BAD: [name: string, hex: string][] = [
    ['overlong slash in two bytes', 'c0af'],
    ['overlong slash in three bytes', 'e080af'],
    ['overlong NUL in four bytes', 'f0808080'],
    ['high surrogate', 'eda080'],
    ['low surrogate', 'edbfbf'],
    ['U+110000', 'f4908080'],
    ['lone continuation byte', '80'],
    ['byte FE', 'fe'],
    ['sequence cut off by ASCII', 'e28261'],
    ['sequence cut off by the end', 'f09f98'],
  ];
  const GOOD = 'aé€\u{1f600}\u{10ffff}\ufffd\u0000z';

  for (const role of ROLES) {
    it.each(BAD)(
      `[RFC6455-8.1-1] ${role}, %s, whole and split at every place -> 1007, never delivered`,
      async (_name, hex) => {
        const bytes = Buffer.from(`6162${hex}`, 'hex');
        for (let at = 0; at <= bytes.length; at++) {
          const { socket, peer } = await against(role);
          const frames =
            at === 0
              ? [{ opcode: 1, payload: bytes }]
              : [
                  { opcode: 1, fin: false, payload: bytes.subarray(0, at) },
                  { opcode: 0, payload: bytes.subarray(at) },
                ];
          expect(await judge(socket, peer, ...frames)).toMatchObject({ told: 1007, messages: [] });
        }
      },
    );

    it(`${role}, good text split into fragments at every place -> intact`, async () => {
      const { socket, peer } = await against(role);
      const bytes = Buffer.from(GOOD);
      const messages = several(socket, 'message', bytes.length);
      for (let at = 0; at < bytes.length; at++) {
        peer.send(
          { opcode: 1, fin: false, payload: bytes.subarray(0, at) },
          { opcode: 9 },
          { opcode: 0, payload: bytes.subarray(at) },
        );
      }
      for (const [data] of await messages) expect(String(data)).toBe(GOOD);
    });

    it(`${role}, a bad byte in a fragment, the rest never comes -> 1007 at once`, async () => {
      const { socket, peer } = await against(role);
      const judgement = await judge(socket, peer, {
        opcode: 1,
        fin: false,
        payload: Buffer.from('61ff', 'hex'),
      });
      expect(judgement.told).toBe(1007);
    });
  }
});

describe('C13: a flood of Pings', () => {
  it('server, 1,000,000 Pings from a peer that reads no Pong -> cut off, nothing piles up', async () => {
    const { code, held, most } = await perform('pings', { count: 1_000_000 });
    expect(code).toBe(1006);
    expect(most).toBeLessThan(MiB);
    expect(held).toBeLessThan(2 * MiB);
  });

  it.each(ROLES)(
    '%s, 1,000 Pings, each read before the next -> every one is answered, in order',
    async (role) => {
      const { socket, peer } = await against(role);
      for (let i = 0; i < 1000; i++) {
        peer.send({ opcode: 9, payload: String(i) });
        expect(String((await peer.nextFrame()).payload)).toBe(String(i));
      }
      expect(socket.readyState).toBe(1);
    },
  );
});

describe('C14: messages faster than they are consumed', () => {
  const COUNT = 16 * 1024;
  const message = { opcode: 2, payload: Buffer.alloc(1024) };

  async function flooded(consume: (socket: Package) => unknown) {
    const { socket, peer } = await rawClient();
    await consume(socket);
    const frames = Buffer.concat(
      Array(1024).fill(serializeFrame({ ...message, maskingKey: Buffer.from([1, 1, 1, 1]) })),
    );
    for (let sent = 0; sent < COUNT; sent += 1024) peer.socket.write(frames);
    for (let i = 0; i < 500; i++) await turn();
    return { socket, peer };
  }

  it('server, paused by a listener -> the peer is held back, resume() brings everything', async () => {
    const { socket } = await flooded((end) => end.pause());
    expect(socket._socket.bytesRead).toBeLessThan(MiB);
    const messages = several(socket, 'message', COUNT);
    socket.resume();
    await messages;
  });

  it('server, async iteration whose consumer stalls -> the peer is held back', async () => {
    const messages: AsyncGenerator[] = [];
    const { socket } = await flooded((end) => {
      messages.push(end[Symbol.asyncIterator]());
      // The first call starts to listen; nobody asks for the second message.
      messages[0]!.next();
    });
    expect(socket._socket.bytesRead).toBeLessThan(MiB);
    let count = 1;
    while (count < COUNT && !(await messages[0]!.next()).done) count++;
    expect(count).toBe(COUNT);
  });
});

describe('C15: a peer that does not read', () => {
  it.each(ROLES)(
    '%s, 32 MiB sent -> bufferedAmount tells, callbacks wait, terminate() ends it',
    async (role) => {
      const { socket, peer } = await against(role, role === 'client' ? { perMessageDeflate: false } : {});
      peer.socket.pause();
      const results = Array.from({ length: 32 }, () =>
        called((callback) => socket.send(Buffer.alloc(MiB), callback)),
      );
      await turn();
      expect(socket.bufferedAmount).toBeGreaterThan(16 * MiB);
      const closed = next(socket, 'close');
      socket.terminate();
      expect((await closed)[0]).toBe(1006);
      const outcomes = await Promise.all(results);
      const failures = outcomes.filter(([error]) => error instanceof Error);
      expect(failures.length).toBeGreaterThan(0);
      expect(socket.bufferedAmount).toBe(0);
    },
  );

  it('server, a broadcast with a filter -> passes over the peer that lags', async () => {
    const { wss, client, server } = await pair();
    const other = await rawPairOf(wss);
    server._socket.cork();
    server.send(Buffer.alloc(2 * MiB));
    const message = next(other.client, 'message');
    const filter = (socket: Package) => socket.bufferedAmount < MiB;
    expect(wss.broadcast('news', { filter })).toBe(1);
    expect(String((await message)[0])).toBe('news');
    expect(client.readyState).toBe(1);
  });

  async function rawPairOf(wss: Package) {
    const connection = next(wss, 'connection');
    const client = connect(`ws://127.0.0.1:${wss.address().port}`);
    await next(client, 'open');
    await connection;
    return { client };
  }
});

describe('C16: exceptions from what a peer sends', () => {
  it('ends without a listener, every fault and 200 runs of noise -> the process is there, and serves', async () => {
    expect(await perform('faults')).toEqual({ message: 'still here' });
  });

  it.each(ROLES)('%s, a message listener that throws once -> the next message is delivered', async (role) => {
    const { socket, peer } = await against(role);
    const { result, thrown } = await uncaughtDuring(() => {
      socket.once('message', () => {
        throw new Error('from the application');
      });
      const message = next(socket, 'message');
      peer.send({ opcode: 1, payload: '1' }, { opcode: 1, payload: '2' });
      return message;
    }, 1000);
    expect(String(result?.[0])).toBe('2');
    expect(thrown).toHaveLength(1);
  });
});
