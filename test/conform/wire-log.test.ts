import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireLog } from '../../src/conform/wire-log.js';

const frameOf = (length: number, payload: Uint8Array) =>
  ({ from: 'peer', opcode: 2, isFinal: true, rsv: 0, length, payload }) as const;

describe('the log of a case', () => {
  it('keeps the first bytes of a payload in hexadecimal, as they were', () => {
    const log = new WireLog();
    const payload = Buffer.alloc(1000, 0xab);
    log.frame({ ...frameOf(1000, payload), maskingKey: Uint8Array.of(1, 2, 3, 4) });
    payload.fill(0);
    expect(log.records).toEqual([
      {
        kind: 'frame',
        atMs: expect.any(Number),
        ...frameOf(1000, payload),
        maskingKey: '01020304',
        payload: 'ab'.repeat(48),
      },
    ]);
  });

  it('is plain data', () => {
    const log = new WireLog();
    log.frame(frameOf(3, Uint8Array.of(1, 2, 3)));
    log.bytes('tester', Buffer.from('GET / HTTP/1.1\r\n'));
    log.note('something happened');
    expect(JSON.parse(JSON.stringify(log.records))).toEqual(log.records);
    expect(Object.keys(log.records[0]!)).not.toContain('maskingKey');
  });

  it('loses its middle when it grows', () => {
    const log = new WireLog();
    for (let n = 0; n < 1000; n++) log.note(`${n}`);
    const { records } = log;
    const texts = records.map((record) => (record.kind === 'note' ? Number(record.text) : -1));
    expect(texts).toEqual([
      ...Array.from({ length: 64 }, (_, n) => n),
      -1,
      ...Array.from({ length: 32 }, (_, n) => 968 + n),
    ]);
    expect(records[64]).toEqual({ kind: 'gap', records: 904 });
  });

  it('has a gap that counts what is missing, whatever came and however much', () => {
    const record = fc.constantFrom('note', 'bytes', 'frame');
    fc.assert(
      fc.property(fc.array(record, { maxLength: 300, size: 'max' }), (kinds) => {
        const log = new WireLog();
        kinds.forEach((kind, n) => {
          if (kind === 'note') log.note(`${n}`);
          else if (kind === 'bytes') log.bytes('peer', Buffer.from(`${n}`));
          else log.frame(frameOf(n, new Uint8Array(0)));
        });
        const { records } = log;
        const numbers = records.flatMap((one) =>
          one.kind === 'gap' ? [] : [one.kind === 'frame' ? one.length : Number(one.text)],
        );
        const missing = records.flatMap((one) => (one.kind === 'gap' ? one.records : []));
        expect(numbers.length + (missing[0] ?? 0)).toBe(kinds.length);
        expect(missing).toHaveLength(kinds.length > 96 ? 1 : 0);
        expect(numbers).toEqual(kinds.map((_, n) => n).filter((n) => n < 64 || n >= kinds.length - 32));
        const times = records.flatMap((one) => (one.kind === 'gap' ? [] : one.atMs));
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
    );
  });

  it('keeps of bytes that are no frames the first 4096, and says how many there were', () => {
    const log = new WireLog();
    log.bytes('peer', Buffer.alloc(100_000, 0xff));
    expect(log.records).toEqual([
      { kind: 'bytes', atMs: expect.any(Number), from: 'peer', length: 100_000, text: '\xff'.repeat(4096) },
    ]);
  });
});
