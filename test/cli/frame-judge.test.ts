import { describe, expect, it } from 'vitest';
import { FrameJudge, type Sender, type Violation } from '../../src/cli/frame-judge.js';
import { FrameReader } from '../../src/cli/frame-reader.js';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../../src/wire/opcode.js';
import { closePayload, type FrameFields, serializeFrame } from '../support/frames.js';

const KEY = Buffer.from([1, 2, 3, 4]);

function judge(frames: FrameFields[], sender?: Sender, allowsCompression = false): Violation[] {
  const judgeOfSide = new FrameJudge(sender, allowsCompression);
  const violations: Violation[] = [];
  const reader = new FrameReader(200_000, (frame) => violations.push(...judgeOfSide.judge(frame)));
  for (const frame of frames) reader.push(serializeFrame(frame));
  reader.end();
  return violations;
}

describe('frames that keep the rules', () => {
  it.each<[string, FrameFields[]]>([
    ['text', [{ opcode: TEXT, payload: 'é' }]],
    ['an empty message', [{ opcode: BINARY }]],
    [
      'each shortest length form',
      [125, 126, 65535, 65536].map((size) => ({ opcode: BINARY, payload: Buffer.alloc(size) })),
    ],
    [
      '[RFC6455-5.4-3] [RFC6455-5.6-1] a code point that straddles fragments, with a ping between',
      [
        { opcode: TEXT, payload: Buffer.from([0xc3]), fin: false },
        { opcode: PING, payload: 'x' },
        { opcode: CONTINUATION, payload: Buffer.from([0xa9]) },
      ],
    ],
    ['a Close without a body', [{ opcode: CLOSE }]],
    ['a Close with code and reason', [{ opcode: CLOSE, payload: closePayload(1000, 'bye') }]],
    ['binary that is not UTF-8', [{ opcode: BINARY, payload: Buffer.from([0xff]) }]],
    ['pongs after a Close', [{ opcode: CLOSE }, { opcode: PONG }]],
  ])('%s -> nothing', (_, frames) => {
    expect(judge(frames)).toEqual([]);
  });

  it('a compressed message where that was negotiated -> nothing, also when its bytes are not UTF-8', () => {
    expect(
      judge([{ opcode: TEXT, payload: Buffer.from('f248cdc9c90700', 'hex'), rsv1: true }], undefined, true),
    ).toEqual([]);
  });
});

describe('frames that break a rule', () => {
  const PART = { opcode: TEXT, payload: 'a', fin: false };
  it.each<[string, FrameFields[], Partial<Violation>]>([
    ['[RFC6455-5.2-3] RSV1', [{ opcode: TEXT, rsv1: true }], { section: '§5.2', closeCode: 1002 }],
    ['[RFC6455-5.2-3] RSV2', [{ opcode: TEXT, rsv2: true }], { section: '§5.2', closeCode: 1002 }],
    ['[RFC6455-5.2-3] RSV3', [{ opcode: TEXT, rsv3: true }], { section: '§5.2', closeCode: 1002 }],
    [
      '[RFC6455-5.2-4] reserved opcode 3',
      [{ opcode: 3 }],
      { message: 'opcode 0x3 is reserved', closeCode: 1002 },
    ],
    [
      '[RFC6455-5.2-4] reserved opcode f',
      [{ opcode: 15 }],
      { message: 'opcode 0xf is reserved', closeCode: 1002 },
    ],
    [
      '[RFC6455-5.2-5] a length with its top bit set',
      [{ opcode: BINARY, declaredLength: 2n ** 63n }],
      { section: '§5.2', closeCode: 1002 },
    ],
    [
      '[RFC6455-5.2-6] 16 bits for 125',
      [{ opcode: BINARY, payload: Buffer.alloc(125), lengthForm: 16 }],
      { section: '§5.2' },
    ],
    [
      '[RFC6455-5.2-6] 64 bits for 65535',
      [{ opcode: BINARY, payload: Buffer.alloc(65535), lengthForm: 64 }],
      { section: '§5.2' },
    ],
    [
      '[RFC6455-5.4-4] a fragmented ping',
      [{ opcode: PING, fin: false }],
      { section: '§5.5', closeCode: 1002 },
    ],
    [
      '[RFC6455-5.5-1] a ping of 126 bytes',
      [{ opcode: PING, payload: 'x'.repeat(126) }],
      { section: '§5.5', closeCode: 1002 },
    ],
    ['[RFC7692-6.1-3] RSV1 on a ping', [{ opcode: PING, rsv1: true }], { closeCode: 1002 }],
    [
      '[RFC6455-5.4-2] a continuation of nothing',
      [{ opcode: CONTINUATION }],
      { section: '§5.4', closeCode: 1002 },
    ],
    [
      '[RFC6455-5.4-6] a message inside a message',
      [PART, { opcode: TEXT }],
      { section: '§5.4', closeCode: 1002 },
    ],
    [
      '[RFC7692-6.1-3] RSV1 on a continuation',
      [PART, { opcode: CONTINUATION, rsv1: true }],
      { section: 'RFC 7692 §6.1' },
    ],
    [
      '[RFC6455-5.5.1-2] a Close with half a code',
      [{ opcode: CLOSE, payload: 'x' }],
      { section: '§5.5', closeCode: 1002 },
    ],
    [
      '[RFC6455-7.4.1-3] a Close with 1005',
      [{ opcode: CLOSE, payload: closePayload(1005) }],
      { section: '§7.4', closeCode: 1002 },
    ],
    [
      '[RFC6455-7.4.2-1] a Close with 999',
      [{ opcode: CLOSE, payload: closePayload(999) }],
      { section: '§7.4', closeCode: 1002 },
    ],
    [
      '[RFC6455-8.1-1] a reason that is not UTF-8',
      [{ opcode: CLOSE, payload: closePayload(1000, Buffer.from([0xff])) }],
      { section: '§8.1', closeCode: 1007 },
    ],
    [
      '[RFC6455-8.1-1] text that is not UTF-8',
      [{ opcode: TEXT, payload: Buffer.from([0xff]) }],
      { section: '§8.1', closeCode: 1007 },
    ],
    [
      '[RFC6455-5.6-1] text that ends within a code point',
      [{ opcode: TEXT, payload: Buffer.from([0xc3]) }],
      { section: '§8.1', closeCode: 1007 },
    ],
    [
      '[RFC6455-5.5.1-6] data after a Close',
      [{ opcode: CLOSE }, { opcode: TEXT }],
      { section: '§5.5.1', closeCode: 1002 },
    ],
  ])('%s -> one violation', (_, frames, expected) => {
    const violations = judge(frames);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatchObject(expected);
  });

  it('[RFC6455-5.1-1] client, frame without a mask -> 1002', () => {
    expect(judge([{ opcode: TEXT }], 'client')).toMatchObject([{ section: '§5.1', closeCode: 1002 }]);
    expect(judge([{ opcode: TEXT, maskingKey: KEY }], 'client')).toEqual([]);
  });

  it('[RFC6455-5.1-4] server, frame with a mask -> 1002', () => {
    expect(judge([{ opcode: TEXT, maskingKey: KEY }], 'server')).toMatchObject([
      { section: '§5.1', closeCode: 1002 },
    ]);
    expect(judge([{ opcode: TEXT }], 'server')).toEqual([]);
  });

  it('names every rule that one frame breaks', () => {
    expect(
      judge([{ opcode: 0xb, fin: false, rsv2: true, rsv3: true, payload: 'x'.repeat(126) }]),
    ).toHaveLength(5);
  });

  it('says bad text once, not for each fragment that follows', () => {
    const frames = [
      { opcode: TEXT, payload: Buffer.from([0xff]), fin: false },
      { opcode: CONTINUATION, payload: Buffer.from([0xff]) },
    ];
    expect(judge(frames)).toHaveLength(1);
  });
});
