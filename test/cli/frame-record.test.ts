import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../src/cli/frame-reader.js';
import { type FrameRecord, FrameRecorder, type RecorderOptions } from '../../src/cli/frame-record.js';
import { BINARY, CLOSE, CONTINUATION, PING, TEXT } from '../../src/wire/opcode.js';
import { closePayload, type FrameFields, serializeFrame } from '../support/frames.js';

const KEY = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const HELLO_COMPRESSED = Buffer.from('f248cdc9c90700', 'hex');

function record(frames: FrameFields[], options: Partial<RecorderOptions> = {}): FrameRecord[] {
  const recorder = new FrameRecorder({ hasDeflate: false, shownBytes: 1000, messageLimit: 1000, ...options });
  const records: FrameRecord[] = [];
  const reader = new FrameReader(1000, (frame) => records.push(recorder.record(frame)));
  for (const frame of frames) reader.push(serializeFrame(frame));
  reader.end();
  return records;
}

describe('FrameRecorder', () => {
  it('records every bit of a masked text frame', () => {
    expect(record([{ opcode: TEXT, payload: 'Hello', maskingKey: KEY }], { sender: 'client' })).toMatchObject(
      [
        {
          type: 'frame',
          from: 'client',
          fin: true,
          rsv1: false,
          rsv2: false,
          rsv3: false,
          opcode: 1,
          name: 'text',
          masked: true,
          maskingKey: '37fa213d',
          lengthForm: 7,
          payloadLength: 5,
          payload: { length: 5, hex: '48656c6c6f', text: 'Hello', isWhole: true },
          violations: [],
        },
      ],
    );
  });

  it('names the fields in the order of the wire, each with its section', () => {
    const [frame] = record([{ opcode: BINARY, payload: Buffer.alloc(300), maskingKey: KEY }]);
    expect(frame!.fields.map(({ name, wire, value, section }) => [name, wire, value, section])).toEqual([
      ['FIN', '1... ....', '1', '§5.4'],
      ['RSV1', '.0.. ....', '0', '§5.2'],
      ['RSV2', '..0. ....', '0', '§5.2'],
      ['RSV3', '...0 ....', '0', '§5.2'],
      ['Opcode', '.... 0010', '0x2 binary', '§5.6'],
      ['MASK', '1... ....', '1', '§5.1'],
      ['Payload length', '.111 1110', '126', '§5.2'],
      ['Extended payload length', '01 2c', '300', '§5.2'],
      ['Masking key', '37 fa 21 3d', '37fa213d', '§5.3'],
    ]);
  });

  it('[RFC6455-5.5.1-2] explains the code and the reason of a Close', () => {
    const [frame] = record([{ opcode: CLOSE, payload: closePayload(3001, 'done') }]);
    expect(frame).toMatchObject({
      close: { code: 3001, reason: 'done', name: 'Registered Use', section: '§7.4.2' },
    });
    expect(frame!.fields.slice(-2)).toMatchObject([
      { name: 'Status code', wire: '0b b9', value: '3001' },
      { name: 'Reason', wire: '64 6f 6e 65', value: 'done' },
    ]);
  });

  it('has no close code where a Close carries none', () => {
    expect(record([{ opcode: CLOSE }])[0]).not.toHaveProperty('close');
  });

  it('shows as text what is text, the continuation of text among it', () => {
    const records = record([
      { opcode: TEXT, payload: 'a', fin: false },
      { opcode: PING, payload: 'p' },
      { opcode: CONTINUATION, payload: 'b' },
      { opcode: BINARY, payload: 'c', fin: false },
      { opcode: CONTINUATION, payload: 'd' },
    ]);
    expect(records.map(({ payload }) => payload.text)).toEqual(['a', 'p', 'b', undefined, undefined]);
  });

  it('cuts a payload that is longer than what is shown, and says so', () => {
    const [frame] = record([{ opcode: TEXT, payload: 'x'.repeat(50) }], { shownBytes: 3 });
    expect(frame).toMatchObject({
      payloadLength: 50,
      payload: { length: 50, hex: '787878', text: 'xxx', isWhole: false },
    });
  });

  it('writes a length beyond 2^53 - 1 in digits', () => {
    const [frame] = record([{ opcode: BINARY, declaredLength: 2n ** 62n }]);
    expect(frame!.payloadLength).toBe('4611686018427387904');
  });
});

describe('FrameRecorder with permessage-deflate', () => {
  const deflate = { hasDeflate: true };

  it('[RFC7692-6.2-1] shows a compressed message on its last frame', () => {
    const [first, last] = record(
      [
        { opcode: TEXT, payload: HELLO_COMPRESSED.subarray(0, 3), rsv1: true, fin: false },
        { opcode: CONTINUATION, payload: HELLO_COMPRESSED.subarray(3) },
      ],
      deflate,
    );
    expect(first).not.toHaveProperty('message');
    expect(first!.payload.text).toBeUndefined();
    expect(last).toMatchObject({ message: { length: 5, text: 'Hello', hex: '48656c6c6f', isWhole: true } });
  });

  it('[RFC7692-6.2-2] takes a message without RSV1 as it is', () => {
    const [frame] = record([{ opcode: TEXT, payload: 'plain' }], deflate);
    expect(frame!.payload.text).toBe('plain');
    expect(frame).not.toHaveProperty('message');
  });

  it('[RFC7692-6.1-5] judges text after it was inflated', () => {
    const compressed = deflateRawSync(Buffer.from([0xff]), { finishFlush: 2 }).subarray(0, -4);
    const [frame] = record([{ opcode: TEXT, payload: compressed, rsv1: true }], deflate);
    expect(frame!.violations).toMatchObject([{ closeCode: 1007 }]);
  });

  it('says so when a message is too large to be inflated, and for those that refer to it', () => {
    const large = deflateRawSync(Buffer.alloc(100_000), { finishFlush: 2 }).subarray(0, -4);
    const frames = record(
      [
        { opcode: BINARY, payload: large, rsv1: true },
        { opcode: TEXT, payload: HELLO_COMPRESSED, rsv1: true },
      ],
      deflate,
    );
    expect(frames.map(({ message }) => message)).toEqual([
      { unknown: 'compressed; too large to be inflated here, or not valid' },
      { unknown: 'compressed; too large to be inflated here, or not valid' },
    ]);
  });

  it('keeps no more of a compressed message than its limit, however many frames bring it', () => {
    const frames = Array.from({ length: 20 }, (_, index) => ({
      opcode: index === 0 ? BINARY : CONTINUATION,
      payload: Buffer.alloc(100),
      rsv1: index === 0,
      fin: index === 19,
    }));
    expect(record(frames, deflate).at(-1)).toMatchObject({
      message: { unknown: expect.stringContaining('too large') },
    });
  });
});
