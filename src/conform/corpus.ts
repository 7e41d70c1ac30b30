// What the cases 12.* and 13.* of Autobahn|Testsuite send (RFC 7692 §7.2): five files, of which they cut one message
// after the other. The files under these names are stand-ins: generated, always the same, of the same kind and length as
// those of that suite, and about as easy to compress, throughout and not only on the whole. Nothing in them means
// anything. `data1.json`: a list of records; `lena512.bmp`: a grey picture of 512 by 512 pixels, uncompressed;
// `pg2229.txt`: prose; `data1.html`: a table; `10.1.1.105.5439.pdf`: compressed streams between readable objects.

export type CorpusName = 'data1.json' | 'lena512.bmp' | 'pg2229.txt' | 'data1.html' | '10.1.1.105.5439.pdf';

export interface CorpusFile {
  name: CorpusName;
  /** Whether its contents go into text messages. Those are cut by code points, the others by bytes. */
  isText: boolean;
  bytes: Uint8Array;
  /** How many code points or bytes it has. */
  length: number;
}

const GENERATORS: Record<CorpusName, { isText: boolean; generate: () => Uint8Array }> = {
  'data1.json': { isText: true, generate: () => records(194_056) },
  'lena512.bmp': { isText: false, generate: () => picture(512) },
  'pg2229.txt': { isText: false, generate: () => prose(222_218) },
  'data1.html': { isText: true, generate: () => table(263_647) },
  '10.1.1.105.5439.pdf': { isText: false, generate: () => document(1_042_328) },
};

export const CORPUS_NAMES = Object.keys(GENERATORS) as CorpusName[];

interface CachedFile extends CorpusFile {
  /** Where each code point begins, and the end; undefined where each unit is one byte. */
  offsets: Uint32Array | undefined;
}

const files = new Map<CorpusName, CachedFile>();

/** The file, which nobody may change. It is generated when it is first asked for. */
export function corpusFile(name: CorpusName): CorpusFile {
  return cachedFile(name);
}

/**
 * The contents of messages, without end: a window of `size` code points or bytes that slides over the file, each time by
 * its own length, and wraps around at the end. Most are views of the file; all are only to be read.
 *
 * @throws RangeError if `size` is not from 1 to the length of the file
 */
export function slidingWindow(name: CorpusName, size: number): SlidingWindow {
  return new SlidingWindow(cachedFile(name), size);
}

export class SlidingWindow {
  readonly #file: CachedFile;
  readonly #size: number;
  #start = 0;

  constructor(file: CachedFile, size: number) {
    if (!Number.isInteger(size) || size < 1 || size > file.length) {
      throw new RangeError(`The window has to be from 1 to ${file.length}, and is ${size}`);
    }
    this.#file = file;
    this.#size = size;
  }

  next(): Uint8Array {
    const { length, bytes } = this.#file;
    const start = this.#start;
    const end = (start + this.#size) % length;
    this.#start = end;
    if (end > start) return bytes.subarray(this.#offset(start), this.#offset(end));
    return concat([bytes.subarray(this.#offset(start)), bytes.subarray(0, this.#offset(end))]);
  }

  #offset(unit: number): number {
    return this.#file.offsets?.[unit] ?? unit;
  }
}

function cachedFile(name: CorpusName): CachedFile {
  let file = files.get(name);
  if (file === undefined) {
    const { isText, generate } = GENERATORS[name];
    const bytes = generate();
    const offsets = isText ? codePointOffsets(bytes) : undefined;
    file = {
      name,
      isText,
      bytes,
      length: offsets === undefined ? bytes.length : offsets.length - 1,
      offsets,
    };
    files.set(name, file);
  }
  return file;
}

function codePointOffsets(bytes: Uint8Array): Uint32Array | undefined {
  const offsets = new Uint32Array(bytes.length + 1);
  let count = 0;
  // In UTF-8 all bytes of a code point but the first begin with the bits 10.
  for (let at = 0; at < bytes.length; at++) if ((bytes[at]! & 0xc0) !== 0x80) offsets[count++] = at;
  if (count === bytes.length) return undefined;
  offsets[count] = bytes.length;
  return offsets.slice(0, count + 1);
}

/** A list of records in JSON, alike but for a few numbers and words. */
function records(octets: number): Uint8Array {
  const dice = new Dice(1);
  const names = words(dice, 60);
  const end = '\n]\n';
  const parts = ['['];
  let length = 1 + end.length;
  for (let id = 1; ; id++) {
    const record = `${id === 1 ? '' : ','}
  {
    "id": ${100_000 + id},
    "type": "measurement",
    "station": { "name": "${dice.pick(names)}", "country": "Nowhere", "elevation": { "value": ${dice.below(1000)}, "unit": "m" } },
    "sensor": { "model": "T-1000", "calibrated": true, "channels": [1, 2, 3, 4], "firmware": "2.7.${dice.below(10)}" },
    "temperature": { "value": ${dice.below(40)}.${dice.below(10)}, "unit": "celsius", "quality": "checked" },
    "comment": null
  }`;
    if (length + record.length > octets) break;
    parts.push(record);
    length += record.length;
  }
  // What is missing is white space, which JSON does not mind.
  parts.push(' '.repeat(octets - length), end);
  return Buffer.from(parts.join(''));
}

/** A bitmap of 8 bits per pixel: the headers, a palette of greys, and rows of slopes under noise. */
function picture(side: number): Uint8Array {
  const dice = new Dice(2);
  const start = 54 + 4 * 256;
  const bytes = new Uint8Array(start + side * side);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from('BM'));
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, start, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, side, true);
  view.setInt32(22, side, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 8, true);
  view.setUint32(34, side * side, true);
  for (let grey = 0; grey < 256; grey++) bytes.fill(grey, 54 + 4 * grey, 54 + 4 * grey + 3);
  for (let y = 0, at = start; y < side; y++) {
    for (let x = 0; x < side; x++) {
      // Triangle waves across and down, so that each part has dark and light in it.
      const slope = Math.abs(((x + (y >> 1)) & 255) - 128) + (Math.abs((y & 127) - 64) >> 2);
      bytes[at++] = 24 + slope + dice.below(8) + dice.below(9);
    }
  }
  return bytes;
}

const COMMON_WORDS =
  'the of and to a in that he was it his is with as for had you not be her on at by which have or from this him but all she they were my are me one their so an said them we who would been will no when there if more out up into do any your what has man could other than our some very time upon about may its only now like little then can should made did us such great before must two these see know over much down after first good men own never most old shall day where those came come himself way work without go make well through being long life say might how am too even again back here think every people went same last thought away under take found hand eyes still place while just also young yet though against things get ever give god years off face nothing right once another left part saw house world head three took new love always mrs put night each king between tell mind heart few because thing whom far seemed looked called whole de set both got find done heard look name days told let lord country asked going seen better having home knew side something moment father among course'.split(
    ' ',
  );

/** Lines of sentences. Few words are frequent and many are rare, as in a natural language. */
function prose(octets: number): Uint8Array {
  const dice = new Dice(3);
  const vocabulary = [...COMMON_WORDS, ...words(dice, 1500)];
  let line = '';
  const lines: string[] = [];
  let isStart = true;
  for (let length = 0; length < octets; ) {
    let word = vocabulary[dice.rank(vocabulary.length)]!;
    if (isStart) word = word[0]!.toUpperCase() + word.slice(1);
    isStart = dice.below(16) === 0;
    if (isStart) word += '.';
    else if (dice.below(14) === 0) word += ',';
    if (line.length + word.length > 70) {
      lines.push(line);
      length += line.length + 2;
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return Buffer.from(lines.join('\r\n')).subarray(0, octets);
}

/** A page with one large table. 18 of its rows have a name with a character that takes two bytes or three. */
function table(octets: number): Uint8Array {
  const dice = new Dice(4);
  const names = words(dice, 800);
  const end = '</tbody>\n</table>\n</body>\n</html>\n';
  const parts = [
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Table</title>\n</head>\n<body>\n',
    '<table class="results">\n<tbody>\n',
  ];
  let length = parts.join('').length + end.length;
  for (let id = 1; ; id++) {
    let name = dice.pick(names);
    let extraBytes = 0;
    if (id % 30 === 7 && id < 18 * 30) {
      extraBytes = id % 60 === 7 ? 1 : 2;
      name = extraBytes === 1 ? 'caf\u00e9' : 'one \u2013 two';
    }
    const row = `<tr class="row">
  <td class="number" align="right" valign="top"><a id="row${id}" href="#row${id}">${id}</a></td>
  <td class="name" align="left" valign="top"><a class="details" href="details.html">${name}</a></td>
  <td class="value" align="right" valign="top"><span class="value">${dice.below(1000)}.${dice.below(1000)}</span></td>
  <td class="state ${dice.below(3) === 0 ? 'failed' : 'passed'}" align="center" valign="top"><span class="state">finished</span></td>
</tr>
`;
    if (length + row.length + extraBytes > octets) break;
    parts.push(row);
    length += row.length + extraBytes;
  }
  parts.push(' '.repeat(octets - length), end);
  return Buffer.from(parts.join(''));
}

/** Objects in the manner of a PDF: streams that look compressed, and between them page contents that are readable. */
function document(octets: number): Uint8Array {
  const dice = new Dice(5);
  const vocabulary = words(dice, 400);
  const end = Buffer.from('trailer\n<< /Root 1 0 R >>\n%%EOF\n');
  const parts: Uint8Array[] = [Buffer.from('%PDF-1.4\n')];
  let left = octets - parts[0]!.length - end.length;
  for (let id = 1; left > 0; id += 2) {
    const stream = dice.bytes(540 + dice.below(540));
    const operators = Array.from({ length: 14 }, () => {
      return `${dice.below(600)} ${dice.below(800)} Td (${dice.pick(vocabulary)} ${dice.pick(vocabulary)}) Tj\n`;
    });
    const object = concat([
      Buffer.from(`${id} 0 obj\n<< /Length ${stream.length} /Filter /FlateDecode >>\nstream\n`),
      stream,
      Buffer.from(`\nendstream\nendobj\n${id + 1} 0 obj\nBT\n/F1 12 Tf\n${operators.join('')}ET\nendobj\n`),
    ]).subarray(0, left);
    parts.push(object);
    left -= object.length;
  }
  parts.push(end);
  return concat(parts);
}

/** Words that can be pronounced, each made of two to four syllables. */
function words(dice: Dice, count: number): string[] {
  return Array.from({ length: count }, () => {
    let word = '';
    for (let left = 2 + dice.below(3); left > 0; left--) {
      word += 'bcdfghklmnprstvw'[dice.below(16)]! + 'aeiou'[dice.below(5)]!;
      if (dice.below(3) === 0) word += 'nrstl'[dice.below(5)]!;
    }
    return word;
  });
}

/** Integers that look random and are the same on every machine: Marsaglia's xorshift with 32 bits. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) | 1;
  }

  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** From 0 to `limit` - 1, for limits up to 65,536. */
  below(limit: number): number {
    return ((this.#next() >>> 16) * limit) >>> 16;
  }

  /** From 0 to `limit` - 1, small numbers far more often than large ones. */
  rank(limit: number): number {
    return this.below(1 + this.below(1 + this.below(limit)));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
