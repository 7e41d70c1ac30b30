// RFC 7692 §7.2.3: the byte vectors of the RFC, both ways and for both roles.
import { describe, expect, it } from 'vitest';
import { agreedWith, bytes, CODECS, text } from './codecs.js';

const HELLO = 'f2 48 cd c9 c9 07 00';

describe.each(CODECS)('RFC 7692 §7.2.3, $kind, $role', ({ inflater, deflater }) => {
  it('[RFC7692-7.2.1-1] [RFC7692-7.2.2-1] §7.2.3.1, one compressed block -> Hello, both ways', async () => {
    expect(bytes(await deflater(agreedWith()).deflate(text('Hello'), true, true))).toBe(HELLO);
    expect(String(await inflater(agreedWith()).inflate(bytes(HELLO), 0))).toBe('Hello');
  });

  it('[RFC7692-6.2-1] §7.2.3.1, in two fragments, cut anywhere -> Hello', async () => {
    const payload = bytes(HELLO);
    for (let cut = 0; cut <= payload.length; cut++) {
      const receiver = inflater(agreedWith());
      const parts = [
        await receiver.inflateFragment(payload.subarray(0, cut), false, 0),
        await receiver.inflateFragment(payload.subarray(cut), true, 0),
      ];
      expect(Buffer.concat(parts).toString()).toBe('Hello');
    }
  });

  it('[RFC7692-7.2.1-8] [RFC7692-7.2.1-10] §7.2.3.2, no context is kept -> the same bytes again', async () => {
    const sender = deflater(agreedWith({ noContext: true }));
    expect(bytes(await sender.deflate(text('Hello'), true, true))).toBe(HELLO);
    expect(bytes(await sender.deflate(text('Hello'), true, true))).toBe(HELLO);
  });

  it('[RFC7692-7.2.1-9] [RFC7692-7.2.1-11] §7.2.3.2, context is kept -> the second message refers to the first', async () => {
    const sender = deflater(agreedWith());
    expect(bytes(await sender.deflate(text('Hello'), true, true))).toBe(HELLO);
    // The RFC has a literal and a match of four, as zlib finds nothing at the first byte of all; we find five there.
    const again = bytes(await sender.deflate(text('Hello'), true, true));
    expect(['f2 00 11 00 00', '02 13 00 00']).toContain(again);
    const receiver = inflater(agreedWith());
    for (const payload of [HELLO, again])
      expect(String(await receiver.inflate(bytes(payload), 0))).toBe('Hello');
  });

  it('[RFC7692-7.2.2-3] [RFC7692-7.2.2-5] §7.2.3.2, context is kept -> a reference to the first message is followed', async () => {
    const receiver = inflater(agreedWith());
    expect(String(await receiver.inflate(bytes(HELLO), 0))).toBe('Hello');
    expect(String(await receiver.inflate(bytes('f2 00 11 00 00'), 0))).toBe('Hello');
  });

  it('[RFC7692-7.2.1-3] §7.2.3.3, a block without compression -> Hello', async () => {
    expect(String(await inflater(agreedWith()).inflate(bytes('00 05 00 fa ff 48 65 6c 6c 6f 00'), 0))).toBe(
      'Hello',
    );
  });

  it('[RFC7692-7.2.1-4] [RFC7692-7.2.1-5] §7.2.3.4, a block with BFINAL -> Hello, and messages after it', async () => {
    const receiver = inflater(agreedWith());
    for (let i = 0; i < 3; i++) {
      expect(String(await receiver.inflate(bytes('f3 48 cd c9 c9 07 00 00'), 0))).toBe('Hello');
    }
    expect(String(await receiver.inflate(bytes(HELLO), 0))).toBe('Hello');
    expect(String(await receiver.inflate(bytes('f2 00 11 00 00'), 0))).toBe('Hello');
  });

  it('[RFC7692-7.2.1-2] §7.2.3.5, two blocks in a message -> Hello', async () => {
    const payload = bytes('f2 48 05 00 00 00 ff ff ca c9 c9 07 00');
    expect(String(await inflater(agreedWith()).inflate(payload, 0))).toBe('Hello');
  });

  it.each([true, false])(
    '§7.2.3.6, nothing left to send, noContext %s -> an empty block',
    async (noContext) => {
      const sender = deflater(agreedWith({ noContext }));
      expect(bytes(await sender.deflate(text(''), true, true))).toBe('00');
      const receiver = inflater(agreedWith());
      const first = await sender.deflate(text('Hello'), true, false);
      const last = await sender.deflate(text(''), false, true);
      expect([bytes(first), bytes(last)]).toEqual(['f2 48 cd c9 c9 07 00 00 00 ff ff', '00']);
      expect(String(await receiver.inflate(bytes('00'), 0))).toBe('');
      expect(String(await receiver.inflate(Buffer.concat([first, last]), 0))).toBe('Hello');
      expect(String(await receiver.inflate(bytes('00'), 0))).toBe('');
      expect(String(await receiver.inflate(bytes('f2 00 11 00 00'), 0))).toBe('Hello');
    },
  );
});
