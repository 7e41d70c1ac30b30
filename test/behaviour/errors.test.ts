// Every way to break the protocol: the error that is emitted (class, code, message) and the Close frame that is sent.
import { expect, it } from 'vitest';
import { cast, endTcp, ROLES } from '../support/cast.js';
import { next, record } from '../support/events.js';
import { closePayload, type FrameFields } from '../support/frames.js';
import { behaviour, differs } from './implementations.js';

const INVALID = 'Invalid WebSocket frame: ';
const RSV1 = `${INVALID}RSV1 must be clear`;
const RSV23 = `${INVALID}RSV2 and RSV3 must be clear`;
const LENGTH = 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH';

/** name, frames, code, message, close code */
const VIOLATIONS: [string, FrameFields[], string, string, number][] = [
  ['RSV1 without the extension', [{ opcode: 1, rsv1: true }], 'WS_ERR_UNEXPECTED_RSV_1', RSV1, 1002],
  ['RSV1 on a ping', [{ opcode: 9, rsv1: true }], 'WS_ERR_UNEXPECTED_RSV_1', RSV1, 1002],
  ['RSV2', [{ opcode: 1, rsv2: true }], 'WS_ERR_UNEXPECTED_RSV_2_3', RSV23, 1002],
  ['RSV3', [{ opcode: 2, rsv3: true }], 'WS_ERR_UNEXPECTED_RSV_2_3', RSV23, 1002],
  [
    'RSV2 and RSV3 on a pong',
    [{ opcode: 10, rsv2: true, rsv3: true }],
    'WS_ERR_UNEXPECTED_RSV_2_3',
    RSV23,
    1002,
  ],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): (typeof VIOLATIONS)[number] => [
    `opcode ${opcode}`,
    [{ opcode }],
    'WS_ERR_INVALID_OPCODE',
    `${INVALID}invalid opcode ${opcode}`,
    1002,
  ]),
  ['a continuation first', [{ opcode: 0 }], 'WS_ERR_INVALID_OPCODE', `${INVALID}invalid opcode 0`, 1002],
  [
    'a continuation after a whole message',
    [{ opcode: 1 }, { opcode: 0 }],
    'WS_ERR_INVALID_OPCODE',
    `${INVALID}invalid opcode 0`,
    1002,
  ],
  [
    'text inside a fragmented message',
    [{ opcode: 2, fin: false }, { opcode: 1 }],
    'WS_ERR_INVALID_OPCODE',
    `${INVALID}invalid opcode 1`,
    1002,
  ],
  [
    'binary inside a fragmented message',
    [{ opcode: 1, fin: false }, { opcode: 2 }],
    'WS_ERR_INVALID_OPCODE',
    `${INVALID}invalid opcode 2`,
    1002,
  ],
  ...[8, 9, 10].map((opcode): (typeof VIOLATIONS)[number] => [
    `opcode ${opcode} without FIN`,
    [{ opcode, fin: false }],
    'WS_ERR_EXPECTED_FIN',
    `${INVALID}FIN must be set`,
    1002,
  ]),
  [
    'a ping of 126 bytes',
    [{ opcode: 9, payload: 'x'.repeat(126) }],
    LENGTH,
    `${INVALID}invalid payload length 126`,
    1002,
  ],
  [
    'a pong of 65536 bytes',
    [{ opcode: 10, payload: 'x'.repeat(65536) }],
    LENGTH,
    `${INVALID}invalid payload length 127`,
    1002,
  ],
  [
    'a Close of 126 bytes',
    [{ opcode: 8, payload: 'x'.repeat(126) }],
    LENGTH,
    `${INVALID}invalid payload length 126`,
    1002,
  ],
  ['a Close of 1 byte', [{ opcode: 8, payload: 'x' }], LENGTH, `${INVALID}invalid payload length 1`, 1002],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535].map(
    (code): (typeof VIOLATIONS)[number] => [
      `a Close with ${code}`,
      [{ opcode: 8, payload: closePayload(code) }],
      'WS_ERR_INVALID_CLOSE_CODE',
      `${INVALID}invalid status code ${code}`,
      1002,
    ],
  ),
  [
    'a Close whose reason is not UTF-8',
    [{ opcode: 8, payload: closePayload(1000, Buffer.from([0xff])) }],
    'WS_ERR_INVALID_UTF8',
    `${INVALID}invalid UTF-8 sequence`,
    1007,
  ],
  ...(
    [
      ['a stray continuation byte', [0x80]],
      ['a cut sequence', [0xce, 0xba, 0xe1, 0xbd]],
      ['an overlong sequence', [0xc0, 0xaf]],
      ['a surrogate', [0xed, 0xa0, 0x80]],
      ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
      ['a bad byte behind 30 good ones', [...Buffer.from('x'.repeat(30)), 0xff]],
    ] as [string, number[]][]
  ).map(([name, payload]): (typeof VIOLATIONS)[number] => [
    `text with ${name}`,
    [{ opcode: 1, payload: Buffer.from(payload) }],
    'WS_ERR_INVALID_UTF8',
    `${INVALID}invalid UTF-8 sequence`,
    1007,
  ]),
  [
    'a length above 2^53 - 1',
    [{ opcode: 2, lengthForm: 64, declaredLength: 2n ** 53n }],
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    'Unsupported WebSocket frame: payload length > 2^53 - 1',
    1009,
  ],
  [
    'a length above the default maxPayload',
    [{ opcode: 2, declaredLength: 104_857_601n }],
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    'Max payload size exceeded',
    1009,
  ],
];

behaviour('errors', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { against, rawClient, rawPair, pair } = cast(WebSocket);

  type Failing = Awaited<ReturnType<typeof against>>;

  /** The error that `frames` cause; everything else about a failure is the same for all. */
  async function failure(
    { socket, peer }: Failing,
    frames: FrameFields[],
    isClient: boolean,
  ): Promise<[Error, number]> {
    const log = record(socket, 'error', 'close');
    const closed = next(socket, 'close');
    peer.send(...frames);
    const frame = await peer.nextFrame();
    expect(frame.opcode).toBe(8);
    expect(frame.payload).toHaveLength(2);
    expect(frame.maskingKey !== undefined).toBe(isClient);
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    await peer.ended;
    peer.socket.end();
    await closed;
    expect(log).toEqual([
      ['error', expect.any(Error)],
      ['close', 1006, Buffer.alloc(0)],
    ]);
    return [log[0]![1] as Error, frame.payload.readUInt16BE()];
  }

  for (const role of ROLES) {
    it.each(VIOLATIONS)(
      `${role}, %s -> error and Close frame`,
      async (_name, frames, code, message, closeCode) => {
        const [error, sent] = await failure(await against(role), frames, role === 'client');
        expect(error).toMatchObject({ code, message });
        expect(error instanceof RangeError).toBe(code !== 'WS_ERR_INVALID_UTF8');
        expect(sent).toBe(closeCode);
      },
    );

    it(`${role}, messages before the violation -> delivered, those behind it are not`, async () => {
      const context = await against(role);
      const log = record(context.socket, 'message', 'ping');
      await failure(
        context,
        [{ opcode: 1, payload: 'a' }, { opcode: 5 }, { opcode: 1, payload: 'b' }],
        role === 'client',
      );
      expect(log).toEqual([['message', Buffer.from('a'), false]]);
    });

    it.each<[string, FrameFields]>([
      ['5 bytes in 16 bits', { opcode: 1, payload: 'hello', lengthForm: 16 }],
      ['5 bytes in 64 bits', { opcode: 1, payload: 'hello', lengthForm: 64 }],
      ['200 bytes in 64 bits', { opcode: 1, payload: 'x'.repeat(200), lengthForm: 64 }],
    ])(`${role}, a length that is not minimal: %s`, async (_name, frame) => {
      const context = await against(role);
      const check = differs(implementation, 'minimal-length', {
        ws: async () => {
          const message = next(context.socket, 'message');
          context.peer.send(frame);
          expect(await message).toEqual([Buffer.from(frame.payload!), false]);
        },
        hawser: async () => {
          const [error, sent] = await failure(context, [frame], role === 'client');
          expect(error).toMatchObject({ code: 'WS_ERR_NON_MINIMAL_LENGTH' });
          expect(sent).toBe(1002);
        },
      });
      await check();
    });

    it(`${role}, a 64-bit length with its most significant bit set`, async () => {
      const frame: FrameFields = { opcode: 2, lengthForm: 64, declaredLength: 2n ** 63n };
      const [error, sent] = await failure(await against(role), [frame], role === 'client');
      expect([(error as { code?: string }).code, sent]).toEqual(
        differs(implementation, 'length-msb', {
          ws: ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009],
          hawser: ['WS_ERR_INVALID_PAYLOAD_LENGTH', 1002],
        }),
      );
    });

    it(`${role}, invalid UTF-8 at the start of a message that goes on`, async () => {
      const context = await against(role);
      const begin: FrameFields = { opcode: 1, payload: Buffer.from([0x61, 0xff]), fin: false };
      const check = differs(implementation, 'early-utf8', {
        ws: async () => {
          context.socket.on('error', () => {});
          context.peer.send(begin, { opcode: 9 });
          expect((await context.peer.nextFrame()).opcode).toBe(10);
          context.peer.send({ opcode: 0 });
          expect((await context.peer.nextFrame()).payload).toEqual(closePayload(1007));
        },
        hawser: async () => {
          const [error, sent] = await failure(context, [begin], role === 'client');
          expect(error).toMatchObject({
            code: 'WS_ERR_INVALID_UTF8',
            message: `${INVALID}invalid UTF-8 sequence`,
          });
          expect(sent).toBe(1007);
        },
      });
      await check();
    });

    it(`${role}, a character split over fragments -> valid`, async () => {
      const { socket, peer } = await against(role);
      const message = next(socket, 'message');
      const euro = Buffer.from('€');
      peer.send(
        { opcode: 1, payload: euro.subarray(0, 1), fin: false },
        { opcode: 9 },
        { opcode: 0, payload: euro.subarray(1, 2), fin: false },
        { opcode: 0, payload: euro.subarray(2) },
      );
      expect(await message).toEqual([euro, false]);
    });

    it(`${role}, skipUTF8Validation -> text and reasons that are not UTF-8 are delivered`, async () => {
      const { socket, peer } = await against(role, { skipUTF8Validation: true });
      const log = record(socket, 'message', 'error', 'close');
      const closed = next(socket, 'close');
      peer.send(
        { opcode: 1, payload: Buffer.from([0xff]) },
        { opcode: 8, payload: closePayload(1000, Buffer.from([0xfe])) },
      );
      await endTcp(role, peer);
      await closed;
      expect(log).toEqual([
        ['message', Buffer.from([0xff]), false],
        ['close', 1000, Buffer.from([0xfe])],
      ]);
    });
  }

  it('server, a frame that is not masked -> WS_ERR_EXPECTED_MASK', async () => {
    const { socket, peer } = await rawClient();
    const log = record(socket, 'error');
    peer.socket.write(Buffer.from([0x81, 0x01, 0x61]));
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1002));
    expect(log[0]![1]).toMatchObject({
      code: 'WS_ERR_EXPECTED_MASK',
      message: `${INVALID}MASK must be set`,
      name: 'RangeError',
    });
  });

  it('client, a frame that is masked -> WS_ERR_UNEXPECTED_MASK', async () => {
    const { socket, peer } = await rawPair();
    const log = record(socket, 'error');
    peer.send({ opcode: 1, payload: 'a', maskingKey: Buffer.from([1, 2, 3, 4]) });
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1002));
    expect(log[0]![1]).toMatchObject({
      code: 'WS_ERR_UNEXPECTED_MASK',
      message: `${INVALID}MASK must be clear`,
      name: 'RangeError',
    });
  });

  it('with the extension, RSV1 on a continuation or a control frame -> WS_ERR_UNEXPECTED_RSV_1', async () => {
    const request = { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } };
    for (const frames of [
      [
        { opcode: 1, fin: false },
        { opcode: 0, rsv1: true },
      ],
      [{ opcode: 9, rsv1: true }],
    ]) {
      const context = await rawClient({ perMessageDeflate: true }, request);
      const [error, sent] = await failure(context, frames, false);
      expect(error).toMatchObject({ code: 'WS_ERR_UNEXPECTED_RSV_1', message: RSV1 });
      expect(sent).toBe(1002);
    }
  });

  it('with the extension, data that is not deflate -> the error of zlib, 1007', async () => {
    const request = { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } };
    const context = await rawClient({ perMessageDeflate: true }, request);
    const [error, sent] = await failure(
      context,
      [{ opcode: 1, rsv1: true, payload: Buffer.from([0xff, 0xff, 0xff]) }],
      false,
    );
    expect(error).toMatchObject({ code: 'Z_DATA_ERROR', message: 'invalid block type', errno: -3 });
    expect(sent).toBe(1007);
  });

  it('with the extension, text that is not UTF-8 after inflating -> 1007', async () => {
    const { client: socket, server: peer } = await pair({ perMessageDeflate: { threshold: 0 } });
    const log = record(peer, 'error');
    const closed = next(socket, 'close');
    socket.send(Buffer.from([0xff, 0xff]), { binary: false });
    expect((await closed)[0]).toBe(1007);
    expect(log[0]![1]).toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
  });
});
