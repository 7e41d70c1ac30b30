import { describe, expect, it } from 'vitest';
import { parseFrameHeader, serializeFrameHeader } from '../../src/wire/frame-header.js';
import { type FrameHandler, FrameParser } from '../../src/wire/frame-parser.js';
import { applyMaskBytewise } from '../../src/wire/mask.js';
import { hasSimd, vectorReadBlock } from '../../src/wire/mask-simd.js';
import { applyMask as maskPlainly, serializeFrame } from '../support/frames.js';

interface SeenFrame {
  first: number;
  second: number;
  length: number;
  payload: string;
  isComplete: boolean;
}

/** Collects frames, whole or in parts. */
class Recorder implements FrameHandler {
  readonly frames: SeenFrame[] = [];
  readonly calls: string[] = [];
  readonly parser = new FrameParser(this);
  refuses = (_first: number) => false;
  onFrame = () => {};

  onHeader(first: number, second: number, length: number): boolean {
    this.calls.push('header');
    this.frames.push({ first, second, length, payload: '', isComplete: false });
    return !this.refuses(first);
  }
  onPayload(bytes: Uint8Array, start: number, end: number): void {
    this.calls.push('payload');
    this.#add(bytes, start, end, true);
  }
  onPayloadPart(bytes: Uint8Array, start: number, end: number, key: number, remaining: number): void {
    const isLast = remaining === 0;
    this.calls.push(isLast ? 'last part' : 'part');
    const part = Uint8Array.from(bytes.subarray(start, end));
    applyMaskBytewise(part, 0, part.length, key);
    this.#add(part, 0, part.length, isLast);
  }
  #add(bytes: Uint8Array, start: number, end: number, isComplete: boolean): void {
    const frame = this.frames.at(-1)!;
    frame.payload += Buffer.from(bytes.subarray(start, end)).toString('hex');
    frame.isComplete = isComplete;
    if (isComplete) this.onFrame();
  }
}

const KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

function payloadOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 5 + 1) & 0xff));
}

/** What the plain functions make of a stream of whole frames. */
function plainFrames(bytes: Uint8Array): SeenFrame[] {
  const frames: SeenFrame[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const header = parseFrameHeader(bytes, offset)!;
    const start = offset + header.headerLength;
    const end = start + Number(header.payloadLength);
    const payload = bytes.subarray(start, end);
    frames.push({
      first: bytes[offset]!,
      second: bytes[offset + 1]!,
      length: Number(header.payloadLength),
      payload: (header.maskingKey ? maskPlainly(payload, header.maskingKey) : Buffer.from(payload)).toString(
        'hex',
      ),
      isComplete: true,
    });
    offset = end;
  }
  return frames;
}

function parse(...portions: Uint8Array[]): Recorder {
  const recorder = new Recorder();
  for (const portion of portions) recorder.parser.push(new Uint8Array(portion));
  return recorder;
}

describe('FrameParser against parseFrameHeader', () => {
  for (const isMasked of [false, true]) {
    const mask = isMasked ? { maskingKey: KEY } : {};
    const name = isMasked ? 'masked' : 'unmasked';

    it(`[RFC6455-6.2-1] both roles, ${name} frames of 0-130 bytes at offsets 0-7 -> same as the plain reading`, () => {
      for (let offset = 0; offset < 8; offset++) {
        for (let length = 0; length <= 130; length++) {
          const frame = serializeFrame({ opcode: 2, payload: payloadOf(length), ...mask });
          const bytes = new Uint8Array(new ArrayBuffer(offset + frame.length), offset);
          bytes.set(frame);
          const recorder = new Recorder();
          recorder.parser.push(bytes);
          expect(recorder.frames).toEqual(plainFrames(frame));
          expect(recorder.parser.takeRest()).toBeUndefined();
        }
      }
    });

    it(`[RFC6455-6.2-1] both roles, ${name} frames cut in two at every place -> same as whole`, () => {
      const bytes = Buffer.concat(
        [0, 1, 5, 125, 126, 300].map((length) =>
          serializeFrame({ opcode: 2, payload: payloadOf(length), ...mask }),
        ),
      );
      const expected = plainFrames(bytes);
      for (let cut = 0; cut <= bytes.length; cut++) {
        expect(parse(bytes.subarray(0, cut), bytes.subarray(cut)).frames).toEqual(expected);
      }
    });

    it(`[RFC6455-6.2-1] both roles, ${name} frames byte by byte -> same as whole`, () => {
      for (const length of [0, 1, 2, 3, 4, 5, 125, 126, 127, 65535, 65536]) {
        const bytes = serializeFrame({ opcode: 1, payload: payloadOf(length), ...mask });
        const recorder = new Recorder();
        for (const byte of bytes) recorder.parser.push(Uint8Array.of(byte));
        expect(recorder.frames).toEqual(plainFrames(bytes));
      }
    });

    it(`[RFC6455-6.2-1] both roles, ${name} 64-bit length with three cuts -> same as whole`, () => {
      const bytes = serializeFrame({ opcode: 2, payload: payloadOf(9), lengthForm: 64, ...mask });
      for (let one = 0; one <= bytes.length; one++) {
        for (let two = one; two <= bytes.length; two++) {
          const portions = [bytes.subarray(0, one), bytes.subarray(one, two), bytes.subarray(two)];
          expect(parse(...portions).frames).toEqual(plainFrames(bytes));
        }
      }
    });
  }

  it('reports every first and second byte as on the wire', () => {
    for (let first = 0; first < 256; first++) {
      expect(parse(Uint8Array.of(first, 0)).frames).toMatchObject([{ first, second: 0, length: 0 }]);
    }
  });

  it('unmasks with the key 00000000', () => {
    const bytes = serializeFrame({ opcode: 2, payload: payloadOf(40), maskingKey: new Uint8Array(4) });
    expect(parse(bytes).frames).toEqual(plainFrames(bytes));
  });
});

describe('lengths', () => {
  const header = (payloadLength: bigint) =>
    serializeFrameHeader({
      ...{ isFinal: true, rsv1: false, rsv2: false, rsv3: false, opcode: 2, isMasked: false },
      payloadLength,
      lengthForm: 64,
    });

  it.each([2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n])('%i is exact', (length) => {
    for (const portions of [[header(length)], [...header(length)].map((byte) => Uint8Array.of(byte))]) {
      expect(parse(...portions).frames).toMatchObject([{ length: Number(length) }]);
    }
  });

  it.each([2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n])('%i is at least 2^53 and below 2^63', (length) => {
    const [frame] = parse(header(length)).frames;
    expect(frame!.length).toBeGreaterThanOrEqual(2 ** 53);
    expect(frame!.length).toBeLessThan(2 ** 63);
  });

  it.each([2n ** 63n, 2n ** 64n - 1n])('%i is at least 2^63', (length) => {
    expect(parse(header(length)).frames[0]!.length).toBeGreaterThanOrEqual(2 ** 63);
  });
});

describe('what the handler is told', () => {
  it('a frame that lies whole in the bytes is passed on at once', () => {
    const bytes = serializeFrame({ opcode: 2, payload: 'abc' });
    expect(parse(bytes).calls).toEqual(['header', 'payload']);
  });

  it('the header is judged before a byte of the payload has come', () => {
    expect(parse(Uint8Array.of(0x82, 5)).calls[0]).toBe('header');
    expect(parse(Uint8Array.of(0x82), Uint8Array.of(5)).calls).toEqual(['header']);
  });

  it('there is always a last part, also of an empty payload', () => {
    expect(parse(Uint8Array.of(0x82), Uint8Array.of(0)).calls).toEqual(['header', 'last part']);
  });

  it('every part comes with the bytes it came in', () => {
    const bytes = serializeFrame({ opcode: 2, payload: 'abcdef', maskingKey: KEY });
    const { calls } = parse(bytes.subarray(0, 8), bytes.subarray(8, 10), bytes.subarray(10));
    expect(calls).toEqual(['header', 'part', 'part', 'last part']);
  });
});

describe('stopping', () => {
  const two = Buffer.concat([
    serializeFrame({ opcode: 1, payload: 'one' }),
    serializeFrame({ opcode: 2, payload: 'two' }),
  ]);

  it('a refused header ends it: nothing behind is looked at', () => {
    for (const cut of [0, 1, 2, 4]) {
      const recorder = new Recorder();
      recorder.refuses = () => true;
      recorder.parser.push(new Uint8Array(two.subarray(0, cut)));
      recorder.parser.push(new Uint8Array(two.subarray(cut)));
      recorder.parser.push(new Uint8Array(two));
      expect(recorder.calls).toEqual(['header']);
    }
  });

  it('a handler that stops it gets no further frame, and `takeRest` has what is behind', () => {
    for (const cut of [0, 1, 3]) {
      const recorder = new Recorder();
      recorder.onFrame = () => {
        recorder.parser.isStopped = true;
      };
      recorder.parser.push(new Uint8Array(two.subarray(0, cut)));
      recorder.parser.push(new Uint8Array(two.subarray(cut)));
      expect(recorder.frames).toHaveLength(1);
      recorder.parser.isStopped = false;
      const rest = recorder.parser.takeRest()!;
      expect(rest).toHaveLength(two.length - 5);
      expect(recorder.parser.takeRest()).toBeUndefined();
      recorder.parser.push(rest);
      expect(recorder.frames).toEqual(plainFrames(two));
    }
  });

  it('a handler that throws leaves what is behind the frame it threw at', () => {
    const recorder = new Recorder();
    recorder.onFrame = () => {
      throw new Error('listener');
    };
    expect(() => recorder.parser.push(new Uint8Array(two))).toThrow('listener');
    expect(recorder.parser.takeRest()).toEqual(new Uint8Array(two.subarray(5)));
  });
});

describe('bytes that are lent', () => {
  hasSimd();
  const block = vectorReadBlock();
  const copy = (bytes: Uint8Array, start: number, end: number) => Uint8Array.from(bytes.subarray(start, end));
  /** Memory of two kinds: where frames are unmasked all at once, and where they are not. */
  const memories = { 'the block for reads': block, 'other memory': new Uint8Array(200_000) };

  /** Has the parser read `portion` from memory that holds something else right afterwards. */
  function lend(parser: FrameParser, memory: Uint8Array, portion: Uint8Array): void {
    const bytes = memory.subarray(7, 7 + portion.length);
    bytes.set(portion);
    try {
      parser.push(bytes, copy);
    } finally {
      if (parser.isStopped) kept = parser.takeRest();
      bytes.fill(0xee);
    }
  }
  let kept: Uint8Array | undefined;

  /** Remembers where whole payloads were passed on, to look at them once more at the end. */
  class Keeper extends Recorder {
    readonly payloads: Uint8Array[] = [];
    override onPayload(bytes: Uint8Array, start: number, end: number): void {
      this.payloads.push(bytes.subarray(start, end));
      super.onPayload(bytes, start, end);
    }
  }

  for (const [name, memory] of Object.entries(memories)) {
    for (const mask of [{}, { maskingKey: KEY }, { maskingKey: new Uint8Array(4) }]) {
      const kind =
        mask.maskingKey === undefined
          ? 'unmasked'
          : `masked with ${Buffer.from(mask.maskingKey).toString('hex')}`;

      it(`[RFC6455-6.2-1] both roles, frames ${kind} in ${name}, cut in two at every place -> same as owned`, () => {
        const lengths = [0, 1, 5, 125, 126, 300, 2];
        const bytes = Buffer.concat(
          lengths.map((length) => serializeFrame({ opcode: 2, payload: payloadOf(length), ...mask })),
        );
        const expected = plainFrames(bytes);
        for (let cut = 0; cut <= bytes.length; cut++) {
          const keeper = new Keeper();
          lend(keeper.parser, memory, bytes.subarray(0, cut));
          lend(keeper.parser, memory, bytes.subarray(cut));
          expect(keeper.frames).toEqual(expected);
          expect(keeper.parser.isMidFrame).toBe(false);
          for (const payload of keeper.payloads) expect(payload.buffer).not.toBe(memory.buffer);
        }
      });

      it(`[RFC6455-6.2-1] both roles, large frames ${kind} in ${name}, between small ones -> same as owned`, () => {
        for (const length of [4095, 4096, 4097, 65_535, 65_536, 100_000]) {
          const lengths = [3, length, 0, 3, length];
          const bytes = Buffer.concat(
            lengths.map((each) => serializeFrame({ opcode: 2, payload: payloadOf(each), ...mask })),
          ).subarray(0, 190_000);
          const recorder = new Recorder();
          lend(recorder.parser, memory, bytes);
          expect(recorder.frames).toEqual(parse(bytes).frames);
        }
      });

      it(`both roles, stopped or thrown at after each frame ${kind} in ${name} -> the rest is kept and right`, () => {
        const lengths = [3, 0, 5000, 7, 130, 1];
        const bytes = Buffer.concat([
          ...lengths.map((length) => serializeFrame({ opcode: 2, payload: payloadOf(length), ...mask })),
          serializeFrame({ opcode: 1, payload: payloadOf(9), ...mask }).subarray(0, 10),
        ]);
        const expected = parse(bytes).frames;
        for (let at = 1; at <= lengths.length; at++) {
          for (const isThrown of [false, true]) {
            const recorder = new Recorder();
            recorder.onFrame = () => {
              if (recorder.frames.length !== at) return;
              recorder.parser.isStopped = true;
              if (isThrown) throw new Error('listener');
            };
            if (isThrown) expect(() => lend(recorder.parser, memory, bytes)).toThrow('listener');
            else lend(recorder.parser, memory, bytes);
            expect(recorder.frames).toHaveLength(at);
            expect(kept!.buffer).not.toBe(memory.buffer);
            recorder.parser.isStopped = false;
            recorder.onFrame = () => {};
            recorder.parser.push(kept!);
            expect(recorder.frames).toEqual(expected);
          }
        }
      });
    }
  }

  it('a payload that fills what was read is passed on without a copy, small frames with one for all', () => {
    let copies = 0;
    const counting = (bytes: Uint8Array, start: number, end: number) => {
      copies++;
      return copy(bytes, start, end);
    };
    const frame = (length: number) =>
      serializeFrame({ opcode: 2, payload: payloadOf(length), maskingKey: KEY });
    const push = (...lengths: number[]) => {
      copies = 0;
      const bytes = Buffer.concat(lengths.map(frame));
      const recorder = new Recorder();
      block.set(bytes);
      recorder.parser.push(block.subarray(0, bytes.length), counting);
      expect(recorder.frames).toEqual(plainFrames(bytes));
      return copies;
    };
    expect(push(10)).toBe(0);
    expect(push(100_000)).toBe(0);
    expect(push(5000, 5000, 10)).toBe(0);
    expect(push(10, 20, 30, 40)).toBe(1);
  });

  it('nothing is held on to once all is parsed', () => {
    const recorder = new Recorder();
    lend(recorder.parser, block, serializeFrame({ opcode: 2, payload: 'abc', maskingKey: KEY }));
    expect(recorder.parser.takeRest()).toBeUndefined();
    lend(recorder.parser, block, Uint8Array.of(0x82));
    expect(recorder.parser.takeRest()).toBeUndefined();
    expect(recorder.parser.isMidFrame).toBe(true);
  });
});

it('isMidFrame is true while the peer owes the rest of a header or of a payload', () => {
  const bytes = serializeFrame({ opcode: 2, payload: 'abc', maskingKey: KEY });
  const recorder = new Recorder();
  const states = [...bytes].map((byte) => {
    recorder.parser.push(Uint8Array.of(byte));
    return recorder.parser.isMidFrame;
  });
  expect(states).toEqual([...Array(8).fill(true), false]);
});
