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
});
