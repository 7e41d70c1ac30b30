// Reading echoes: whole, in any chunking, and wrong ones.
import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CompressedEchoCheck,
  type EchoCheck,
  PlainEchoCheck,
} from '../../../src/conform/bench/echo-check.js';
import { MessageReader } from '../../../src/conform/bench/message-reader.js';
import { CompressedMessages, PlainMessages } from '../../../src/conform/bench/messages.js';
import { serializeFrameHeader } from '../../../src/wire/frame-header.js';
import { FrameParser } from '../../../src/wire/frame-parser.js';

/** A frame as a server sends it. @param first FIN, RSV1-3 and opcode */
function frame(first: number, payload: Uint8Array, isMasked = false): Buffer {
  const length = payload.length;
  const header = serializeFrameHeader({
    isFinal: (first & 0x80) !== 0,
    rsv1: (first & 0x40) !== 0,
    rsv2: (first & 0x20) !== 0,
    rsv3: (first & 0x10) !== 0,
    opcode: first & 0x0f,
    isMasked,
    payloadLength: BigInt(length),
    lengthForm: length < 126 ? 7 : length < 65_536 ? 16 : 64,
  });
  return Buffer.concat([header, payload]);
}

interface Reading {
  check: EchoCheck;
  controls: [number, string][];
  blocks: number;
}

function read(check: EchoCheck, chunks: Iterable<Uint8Array>, mayCompress = false): Reading {
  const reading: Reading = { check, controls: [], blocks: 0 };
  check.sent = Number.POSITIVE_INFINITY;
  check.onBlock = () => reading.blocks++;
  const reader = new MessageReader((opcode, payload) =>
    reading.controls.push([opcode, Buffer.from(payload).toString()]),
  );
  reader.sink = check;
  reader.mayCompress = mayCompress;
  const parser = new FrameParser(reader);
  for (const chunk of chunks) parser.push(chunk);
  return reading;
}

function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (const length of lengths) {
    yield Buffer.from(bytes.subarray(at, at + length));
    at += length;
  }
  yield Buffer.from(bytes.subarray(at));
}

const BINARY = 0x82;
const PING = 0x89;

/** One period, with a message in fragments and a Ping between them. */
function echoesOf(messages: PlainMessages): Buffer {
  const parts = Array.from({ length: messages.period }, (_, index) => {
    const payload = messages.payload(index);
    if (index % 3 !== 1) return frame(BINARY, payload);
    return Buffer.concat([
      frame(0x02, payload.subarray(0, 5)),
      frame(PING, Buffer.from('still there?')),
      frame(0x00, Buffer.alloc(0)),
      frame(0x80, payload.subarray(5)),
    ]);
  });
  return Buffer.concat(parts);
}

describe('PlainEchoCheck', () => {
  it.each([1, 5, 125, 126, 1000, 70_000])('%i bytes, byte by byte or whole -> counted', (size) => {
    const messages = new PlainMessages(size, 4);
    const bytes = echoesOf(messages);
    const chunks = size > 1000 ? [bytes] : Array.from(bytes, (byte) => Uint8Array.of(byte));
    const { check, blocks, controls } = read(new PlainEchoCheck(messages), chunks);
    expect([check.echoes, check.wireBytes, blocks]).toEqual([4, 4 * size, 1]);
    expect(controls).toEqual([[9, 'still there?']]);
  });

  it('any chunking of fragmented and whole messages -> the same count', () => {
    const messages = new PlainMessages(200, 7);
    const bytes = Buffer.concat([echoesOf(messages), echoesOf(messages)]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }), (lengths) => {
        const { check, blocks, controls } = read(new PlainEchoCheck(messages), cut(bytes, lengths));
        expect([check.echoes, blocks, controls.length]).toEqual([14, 2, 4]);
      }),
    );
  });

  const messages = new PlainMessages(300, 8);
  const good = Array.from({ length: 8 }, (_, index) => frame(BINARY, messages.payload(index)));
  const changed = (at: number) => {
    const payload = messages.payload(0);
    payload[at]! ^= 0x10;
    return frame(BINARY, payload);
  };

  it.each<[string, Buffer[], string]>([
    ['first octet other', [changed(0)], 'a message came back with other content, or out of order'],
    ['second octet other', [changed(1)], 'a message came back with other content, or out of order'],
    ['last octet other', [changed(299)], 'a message came back with other content, or out of order'],
    ['two messages in another order', [good[1]!, good[0]!], 'other content, or out of order'],
    ['a message twice', [good[0]!, good[0]!], 'other content, or out of order'],
    ['a message left out', [good[0]!, good[2]!], 'other content, or out of order'],
    [
      'too short',
      [frame(BINARY, messages.payload(0).subarray(0, 299))],
      '300 bytes came back with 299 bytes',
    ],
    [
      'too long',
      [frame(BINARY, Buffer.concat([messages.payload(0), Buffer.of(1)]))],
      'came back with more bytes',
    ],
    ['text', [frame(0x81, messages.payload(0))], 'the server echoes binary messages as text'],
    ['masked', [frame(BINARY, messages.payload(0), true)], 'the server sent a masked frame'],
    ['compressed without agreement', [frame(0xc2, messages.payload(0))], 'a frame with a reserved bit set'],
    ['a continuation alone', [frame(0x80, messages.payload(0))], 'a continuation without a message'],
    ['a message within a message', [frame(0x02, Buffer.of(0)), good[0]!], 'a new message within another'],
    ['a reserved opcode', [frame(0x83, Buffer.of(0))], 'the reserved opcode 3'],
    ['a fragmented Ping', [frame(0x09, Buffer.of(0))], 'a control frame that is fragmented'],
  ])('%s -> fails', (_, chunks, message) => {
    const run = () => read(new PlainEchoCheck(messages), [Buffer.concat(chunks)]);
    expect(run).toThrow(message);
  });

  it('content other in a block that is not compared -> found in the next one that is', () => {
    const block = Buffer.concat(good);
    const wrong = Buffer.concat([changed(200), ...good.slice(1)]);
    const check = new PlainEchoCheck(messages);
    const blocks = [block, ...Array.from({ length: 31 }, () => wrong)];
    expect(read(check, [Buffer.concat(blocks)]).blocks).toBe(32);
    expect(() => read(check, [wrong])).toThrow('a message came back with other content');
  });

  it('everything is to be compared from now on -> the next block is', () => {
    const wrong = Buffer.concat([changed(200), ...good.slice(1)]);
    const check = new PlainEchoCheck(messages);
    check.comparesAll = true;
    expect(() => read(check, [Buffer.concat([...good, wrong])])).toThrow('other content');
  });

  it('more echoes than messages -> fails', () => {
    const check = new PlainEchoCheck(messages);
    const reader = new MessageReader(() => {});
    reader.sink = check;
    check.sent = 1;
    const run = () => new FrameParser(reader).push(Buffer.concat(good.slice(0, 2)));
    expect(run).toThrow('the server sent more messages than it was sent');
  });
});

describe('CompressedEchoCheck', () => {
  const messages = new CompressedMessages(500, 6);

  function compress(text: Uint8Array, finishFlush = constants.Z_SYNC_FLUSH): Buffer {
    const bytes = deflateRawSync(text, { finishFlush });
    return finishFlush === constants.Z_SYNC_FLUSH
      ? bytes.subarray(0, -4)
      : Buffer.concat([bytes, Buffer.of(0)]);
  }

  function echoes(change: (text: Buffer, index: number) => Buffer): Buffer {
    return Buffer.concat(messages.texts.map((text, index) => change(text, index)));
  }

  it.each([true, false])(
    'compressed or not, as the server likes, context kept: %s -> counted',
    (keepsContext) => {
      const bytes = echoes((text, index) =>
        index % 2 === 0 ? frame(0xc1, compress(text)) : frame(0x81, text),
      );
      const { check, blocks } = read(new CompressedEchoCheck(messages, keepsContext), [bytes, bytes], true);
      expect([check.echoes, check.compressedEchoes, blocks]).toEqual([12, 6, 2]);
    },
  );

  it('one context over all messages -> inflated as one', () => {
    const all = deflateRawSync(Buffer.concat(messages.texts.slice(0, 1)), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    // Later messages are compressed with the first as dictionary, which is what a kept context comes to.
    const later = messages.texts.slice(1).map((text) =>
      deflateRawSync(text, {
        dictionary: messages.texts[0]!,
        finishFlush: constants.Z_SYNC_FLUSH,
      }).subarray(0, -4),
    );
    const first = frame(0xc1, all.subarray(0, -4));
    const second = frame(0xc1, later[0]!);
    const rest = messages.texts.slice(2).map((text) => frame(0x81, text));
    const bytes = Buffer.concat([first, second, ...rest]);
    expect(read(new CompressedEchoCheck(messages, true), [bytes], true).blocks).toBe(1);
    expect(() => read(new CompressedEchoCheck(messages, false), [bytes], true)).toThrow('does not inflate');
  });

  it('messages that end their stream (BFINAL) -> accepted without context', () => {
    const bytes = echoes((text) => frame(0xc1, compress(text, constants.Z_FINISH)));
    expect(read(new CompressedEchoCheck(messages, false), [bytes], true).blocks).toBe(1);
  });

  it.each<[string, (text: Buffer) => Buffer, string]>([
    [
      'other content',
      (text) => frame(0xc1, compress(Buffer.from(text).fill('x', 100, 101))),
      'other content',
    ],
    ['longer content', (text) => frame(0xc1, compress(Buffer.concat([text, text]))), 'does not inflate'],
    ['not deflate', (text) => frame(0xc1, Buffer.from(text).fill(0xff)), 'does not inflate'],
    ['a flood', () => frame(0xc1, Buffer.alloc(5000)), 'came back with more bytes'],
    ['other content, not compressed', (text) => frame(0x81, Buffer.from(text).fill('x')), 'other content'],
    ['shorter, not compressed', (text) => frame(0x81, text.subarray(1)), 'came back with 499 bytes'],
    ['binary', (text) => frame(0xc2, compress(text)), 'the server echoes text messages as binary'],
  ])('%s -> fails', (_, change, message) => {
    const run = () => read(new CompressedEchoCheck(messages, false), [echoes(change)], true);
    expect(run).toThrow(message);
  });
});
