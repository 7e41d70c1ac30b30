import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CORPUS_NAMES, type CorpusName, corpusFile, slidingWindow } from '../../src/conform/corpus.js';

/** What is known of the files that these stand for; `deflated` is their size after zlib at level 6. */
const FACTS: Record<CorpusName, { octets: number; length: number; isText: boolean; deflated: number }> = {
  'data1.json': { octets: 194_056, length: 194_056, isText: true, deflated: 8442 },
  'lena512.bmp': { octets: 263_222, length: 263_222, isText: false, deflated: 223_904 },
  'pg2229.txt': { octets: 222_218, length: 222_218, isText: false, deflated: 86_352 },
  'data1.html': { octets: 263_647, length: 263_620, isText: true, deflated: 14_610 },
  '10.1.1.105.5439.pdf': { octets: 1_042_328, length: 1_042_328, isText: false, deflated: 789_810 },
};

/** How much is left of each part of a file when it is compressed by itself. */
function ratios(bytes: Uint8Array, partBytes: number): number[] {
  return Array.from({ length: Math.floor(bytes.length / partBytes) }, (_, i) => {
    return deflateRawSync(bytes.subarray(i * partBytes, (i + 1) * partBytes)).length / partBytes;
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

describe.each(CORPUS_NAMES)('%s', (name) => {
  const { octets, length, isText, deflated } = FACTS[name];
  const file = corpusFile(name);

  it('has the length and the kind of the file that it stands for', () => {
    expect(file).toMatchObject({ name, length, isText });
    expect(file.bytes.length).toBe(octets);
    if (isText) expect([...utf8.decode(file.bytes)]).toHaveLength(length);
  });

  it('is as easy to compress, to within 5 %', () => {
    const size = deflateRawSync(file.bytes, { level: 6, memLevel: 8 }).length;
    expect(Math.abs(size / deflated - 1)).toBeLessThan(0.05);
  });

  it.each([1024, 4096, 32_768])('is equally easy to compress in each part of %d bytes', (partBytes) => {
    const all = ratios(file.bytes, partBytes);
    const mean = all.reduce((sum, ratio) => sum + ratio, 0) / all.length;
    for (const ratio of all) expect(Math.abs(ratio / mean - 1)).toBeLessThan(0.4);
  });

  it.each([1, 16, 1000, 65_536, 131_072, length])(
    'is cut in windows of %d, one behind the other, around the end',
    (size) => {
      const window = slidingWindow(name, size);
      const whole = isText ? [...utf8.decode(file.bytes)] : [...file.bytes];
      for (let i = 0, start = 0; i < 10; i++) {
        const units = whole
          .slice(start, start + size)
          .concat(whole.slice(0, Math.max(0, start + size - length)));
        const expected = isText ? Buffer.from(units.join('')) : Buffer.from(units as number[]);
        expect(expected.equals(window.next())).toBe(true);
        start = (start + size) % length;
      }
    },
  );

  it('takes no window that is empty, broken or longer than the file', () => {
    for (const size of [0, -1, 1.5, Number.NaN, length + 1]) {
      expect(() => slidingWindow(name, size)).toThrow(RangeError);
    }
  });
});

describe('the corpus', () => {
  it('data1.json is JSON', () => {
    const records = JSON.parse(utf8.decode(corpusFile('data1.json').bytes));
    expect(records.length).toBeGreaterThan(300);
  });

  it('data1.html has 18 characters beyond ASCII', () => {
    const text = utf8.decode(corpusFile('data1.html').bytes);
    expect(text.startsWith('<!DOCTYPE html>\n')).toBe(true);
    expect(text.endsWith('</html>\n')).toBe(true);
    expect([...text].filter((character) => character > '\u007f')).toHaveLength(18);
  });

  it('lena512.bmp has the headers of a bitmap of 512 by 512 pixels', () => {
    const bytes = Buffer.from(corpusFile('lena512.bmp').bytes);
    expect(bytes.toString('latin1', 0, 2)).toBe('BM');
    expect(bytes.readUInt32LE(2)).toBe(bytes.length);
    expect(bytes.readUInt32LE(10)).toBe(bytes.length - 512 * 512);
    expect([bytes.readInt32LE(18), bytes.readInt32LE(22), bytes.readUInt16LE(28)]).toEqual([512, 512, 8]);
  });

  it('10.1.1.105.5439.pdf begins and ends like a PDF', () => {
    const text = Buffer.from(corpusFile('10.1.1.105.5439.pdf').bytes).toString('latin1');
    expect(text.startsWith('%PDF-1.4\n')).toBe(true);
    expect(text.endsWith('%%EOF\n')).toBe(true);
  });

  it('is the same everywhere', () => {
    const hashes = CORPUS_NAMES.map((name) => {
      return createHash('sha256').update(corpusFile(name).bytes).digest('hex').slice(0, 16);
    });
    expect(hashes).toEqual([
      '70e867c312a0c486',
      'b61926a8e2b646a1',
      '09c994699ffa8ecc',
      '83ebbba0569fc228',
      'c28b2649b3315a24',
    ]);
  });

  it('is generated once, and windows that do not wrap are views of it', () => {
    const { bytes } = corpusFile('data1.html');
    expect(corpusFile('data1.html').bytes).toBe(bytes);
    expect(slidingWindow('data1.html', 1000).next().buffer).toBe(bytes.buffer);
  });
});
