import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { AUTOBAHN_CASES } from '../../../src/conform/cases/autobahn.js';
import type { CompressedEcho } from '../../../src/conform/echo.js';
import type { CaseFacts, Exchange } from '../../../src/conform/exchange.js';
import { payloadBytes, payloadLength } from '../../../src/conform/payload.js';
import type { Step } from '../../../src/conform/step.js';
import { fragments } from '../../../src/conform/tester.js';

interface Echo {
  kind: 'large' | 'round trips';
  facts: CaseFacts;
  count: number;
  step: Step;
  expected: { type: string; length: number };
}

/** What the cases were made of. */
const made = vi.hoisted(() => ({
  exchanges: new Map<string, unknown>(),
  echoes: new Map<string, unknown>(),
  compressed: new Map<string, unknown>(),
}));

vi.mock('../../../src/conform/exchange.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../../src/conform/exchange.js')>();
  return {
    ...original,
    exchangeCase: (facts: CaseFacts, exchange: Exchange) => {
      made.exchanges.set(facts.id, exchange);
      return original.exchangeCase(facts, exchange);
    },
  };
});

vi.mock('../../../src/conform/echo.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../../src/conform/echo.js')>();
  return {
    ...original,
    largeEcho: (...[facts, step, expected]: Parameters<typeof original.largeEcho>) => {
      made.echoes.set(facts.id, { kind: 'large', facts, count: 1, step, expected } satisfies Echo);
      return original.largeEcho(facts, step, expected);
    },
    roundTrips: (...[facts, count, step, expected]: Parameters<typeof original.roundTrips>) => {
      made.echoes.set(facts.id, { kind: 'round trips', facts, count, step, expected } satisfies Echo);
      return original.roundTrips(facts, count, step, expected);
    },
    compressedEchoes: (...[facts, echoes]: Parameters<typeof original.compressedEchoes>) => {
      made.compressed.set(facts.id, { ...echoes, limitMs: facts.limitMs });
      return original.compressedEchoes(facts, echoes);
    },
  };
});

const exchangeOf = (id: string): Exchange => made.exchanges.get(id) as Exchange;
const echoOf = (id: string): Echo => made.echoes.get(id) as Echo;
const compressedOf = (id: string) => made.compressed.get(id) as CompressedEcho & { limitMs: number };
const idsOf = (prefix: string): string[] =>
  AUTOBAHN_CASES.map(({ id }) => id).filter((id) => id.startsWith(`${prefix}.`));

type Sent = Extract<Step, { do: 'send' }>;
const sentBy = (id: string): Sent[] => exchangeOf(id).steps.filter((step) => step.do === 'send') as Sent[];
const hexOf = ({ frame }: Sent): string => Buffer.from(payloadBytes(frame.payload ?? '')).toString('hex');

/** A step in one word: opcode, `-` without FIN, RSV, payload, and how it travels. */
function word(step: Step): string {
  if (step.do === 'pause') return `pause ${step.ms}${step.mark ?? ''}`;
  if (step.do === 'head') return `head ${step.frame.opcode} of ${payloadLength(step.frame.payload ?? '')}`;
  if (step.do === 'body') return `body ${step.bytes}`;
  if (step.do !== 'send') return step.do;
  const { opcode, payload = '', isFinal = true, rsv = 0 } = step.frame;
  const how = step.chop === undefined ? (step.isAlone ? ' alone' : '') : ` chopped ${step.chop}`;
  return `${opcode}${isFinal ? '' : '-'}${rsv === 0 ? '' : ` rsv ${rsv}`}:${payloadLength(payload)}${how}`;
}
const words = (id: string): string[] => exchangeOf(id).steps.map(word);

describe('the cases of Autobahn', () => {
  it('are 517, as many in each chapter as there', () => {
    const perChapter: Record<string, number> = {};
    for (const { id } of AUTOBAHN_CASES) {
      const chapter = id.split('.')[0]!;
      perChapter[chapter] = (perChapter[chapter] ?? 0) + 1;
    }
    expect(AUTOBAHN_CASES).toHaveLength(517);
    expect(perChapter).toEqual({
      1: 16,
      2: 11,
      3: 7,
      4: 10,
      5: 20,
      6: 145,
      7: 37,
      9: 54,
      10: 1,
      12: 90,
      13: 126,
    });
  });

  it('stand in numeric order, each id once', () => {
    const ids = AUTOBAHN_CASES.map(({ id }) => id);
    const sorted = [...new Set(ids)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    expect(ids).toEqual(sorted);
  });

  it('have the numbers by which clients ask for them', () => {
    const idAt = (n: number) => AUTOBAHN_CASES[n - 1]!.id;
    expect([1, 17, 26, 210, 247, 301, 302, 392, 517].map(idAt)).toEqual([
      '1.1.1',
      '2.1',
      '2.10',
      '7.1.1',
      '9.1.1',
      '10.1.1',
      '12.1.1',
      '13.1.1',
      '13.7.18',
    ]);
  });

  it('judge both roles with a strict tester', () => {
    for (const one of AUTOBAHN_CASES) expect(one.subjects).toEqual(['server', 'client']);
    for (const id of made.exchanges.keys()) expect(exchangeOf(id).open).toEqual({ isStrict: true });
    expect(made.exchanges.size + made.echoes.size + made.compressed.size).toBe(517);
  });

  it('say in words what they are about, and name requirements that exist and can be tested', () => {
    const { requirements } = JSON.parse(readFileSync('docs/requirements.json', 'utf8')) as {
      requirements: { id: string; testable: boolean }[];
    };
    const testable = new Set(requirements.filter((one) => one.testable).map(({ id }) => id));
    for (const one of AUTOBAHN_CASES) {
      expect(one.title.length, one.id).toBeGreaterThan(15);
      expect(one.section, one.id).toMatch(/^RFC (6455|7692) §\d/);
      expect(one.requirements.length, one.id).toBeGreaterThan(0);
      expect(
        one.requirements.filter((id) => !testable.has(id)),
        one.id,
      ).toEqual([]);
    }
    const titles = AUTOBAHN_CASES.map(({ id, title }) => `${id.split('.').slice(0, 2).join('.')} ${title}`);
    const repeated = titles.filter((title, index) => titles.indexOf(title) !== index);
    expect(repeated).toEqual([]);
  });
});

describe('chapters 1 to 5', () => {
  it('1 sends the lengths at which the length field changes its form', () => {
    for (const [section, opcode] of [
      ['1.1', 1],
      ['1.2', 2],
    ] as const) {
      expect(idsOf(section).flatMap(words)).toEqual([
        ...[0, 125, 126, 127, 128, 65_535, 65_536].map((size) => `${opcode}:${size}`),
        `${opcode}:65536 chopped 997`,
      ]);
      expect(idsOf(section).map((id) => exchangeOf(id).patienceMs ?? 1000)).toEqual([
        1000, 1000, 1000, 1000, 1000, 10_000, 10_000, 10_000,
      ]);
    }
  });

  it('2 sends Pings and Pongs, and closes without a code where it waited in vain', () => {
    expect(words('2.5')).toEqual(['9:126']);
    expect(words('2.6')).toEqual(['9:125 chopped 1']);
    expect(words('2.8')).toEqual(['10:24', '8:2']);
    expect(exchangeOf('2.10').outcomes[0]!.events).toHaveLength(10);
    expect(sentBy('2.11').map(({ frame }) => frame.payload)).toContain('payload-9');
    expect(idsOf('2').filter((id) => exchangeOf(id).endsWith !== 'no code')).toEqual(['2.5']);
  });

  it('3 sends reserved bits, 4 unknown opcodes', () => {
    expect(idsOf('3').map((id) => words(id).join())).toEqual([
      '1 rsv 1:13',
      '1:13,1 rsv 2:13,9:0',
      '1:13 alone,1 rsv 3:13 alone,9:0 alone',
      '1:13 chopped 1,1 rsv 4:13 chopped 1,9:0 chopped 1',
      '2 rsv 5:8',
      '2 rsv 6:13',
      '8 rsv 7:0',
    ]);
    expect(idsOf('4.2').map((id) => words(id).join())).toEqual([
      '11:0',
      '12:23',
      '1:13,13:0,9:0',
      '1:13,14:13,9:0',
      '1:13 chopped 1,15:13 chopped 1,9:0 chopped 1',
    ]);
  });

  it('5.20 pauses for a second between fragments, each frame alone', () => {
    expect(words('5.20')).toEqual([
      '1-:9 alone',
      '0-:9 alone',
      '9:9 alone',
      'pause 1000',
      '0-:9 alone',
      '0-:9 alone',
      '9:9 alone',
      '0:9 alone',
    ]);
  });

  it('is NON-STRICT where a peer drops what came before the fault, and only there', () => {
    const lenient = [...made.exchanges.keys()].filter((id) =>
      exchangeOf(id).outcomes.some(({ behavior }) => behavior === 'NON-STRICT'),
    );
    expect(lenient).toEqual([
      ...['3.2', '3.3', '3.4', '4.1.3', '4.1.4', '4.1.5', '4.2.3', '4.2.4', '4.2.5', '5.15'],
      ...['6.4.1', '6.4.2', '6.4.3', '6.4.4', '7.1.6'],
    ]);
  });
});

describe('chapter 6', () => {
  const inOneFrame = Array.from({ length: 19 }, (_, index) => idsOf(`6.${index + 5}`)).flat();

  it('has as many sequences in each section as there', () => {
    const counts = Array.from({ length: 23 }, (_, index) => idsOf(`6.${index + 1}`).length);
    expect(counts).toEqual([3, 4, 2, 4, 5, 11, 4, 2, 4, 3, 5, 8, 5, 10, 1, 3, 5, 5, 5, 7, 8, 34, 7]);
  });

  it('wants back what is UTF-8, and 1007 for everything else', () => {
    for (const id of inOneFrame) {
      const { outcomes, close, patienceMs } = exchangeOf(id);
      const { payload } = sentBy(id)[0]!.frame;
      const isValid = isUtf8(payloadBytes(payload!));
      expect(outcomes, id).toEqual([{ behavior: 'OK', events: isValid ? [{ type: 'text', payload }] : [] }]);
      expect(close.codes, id).toEqual([isValid ? 1000 : 1007]);
      expect(close.endIsBehavior, id).toBe(isValid ? undefined : 'wrong side');
      // A slow echo is no wrong one: the default of a second holds.
      expect(patienceMs, id).toBe(isValid ? undefined : 500);
    }
  });

  it('sends these bytes', () => {
    const literal: Record<string, string> = {
      '6.2.1': '48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d382121',
      '6.3.1': 'cebae1bdb9cf83cebcceb5eda080656469746564',
      '6.5.4': '68656c6c6ff0a4ada2776f726c64',
      '6.6.4': 'cebae1bd',
      '6.8.2': 'fc8480808080',
      '6.11.5': 'f4908080',
      '6.13.4': 'f820f920fa20',
      '6.14.10': 'fdbfbfbfbf',
      '6.15.1': 'c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf',
      '6.18.5': 'fc83bfbfbfbf',
      '6.20.6': 'edbe80',
      '6.21.8': 'edafbfedbfbf',
      '6.22.34': 'f48fbfbf',
      '6.23.1': 'efbfb9',
    };
    for (const [id, hex] of Object.entries(literal)) expect(sentBy(id).map(hexOf), id).toEqual([hex]);
    expect(sentBy('6.12.8').map(hexOf)[0]).toMatch(/^808182.*bdbe$/);
    expect(sentBy('6.13.1').map(hexOf)[0]).toMatch(/^c020c120.*de20$/);
    expect(words('6.2.2')).toEqual(['1-:15', '0:14']);
    expect(words('6.2.4')).toEqual(['1-:1', ...Array.from({ length: 10 }, () => '0-:1'), '0:0']);
  });

  it('6.4 sends what breaks the text a second after the rest, and marks the time', () => {
    expect(words('6.4.1')).toEqual(['1-:11', 'pause 1000A', '0-:4', 'pause 1000B', '0:6']);
    expect(words('6.4.2')).toEqual(['1-:12', 'pause 1000A', '0-:1', 'pause 1000B', '0:8']);
    expect(words('6.4.3')).toEqual([
      ...['head 1 of 21', 'body 11', 'pause 1000A', 'body 4', 'pause 1000B', 'body 6', '0:0'],
    ]);
    expect(words('6.4.4').filter((step) => step.startsWith('body'))).toEqual(['body 12', 'body 1', 'body 8']);
  });
});

describe('chapter 7', () => {
  it('sends these close payloads, and accepts these codes in answer', () => {
    const codes = (section: string) =>
      idsOf(section).map((id) => Number.parseInt(sentBy(id).map(hexOf)[0]!, 16));
    expect(codes('7.7')).toEqual([
      1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ]);
    expect(codes('7.9')).toEqual([0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]);
    expect(codes('7.13')).toEqual([5000, 65_535]);
    expect(exchangeOf('7.7.10').close.codes).toEqual([1000, 3000]);
    expect(exchangeOf('7.5.1').close.codes).toEqual([1002, 1007]);
    for (const id of idsOf('7.9')) expect(exchangeOf(id).close.codes).toEqual([1002]);
    expect(
      ['7.3.1', '7.3.2', '7.3.4', '7.3.5', '7.3.6'].map((id) => sentBy(id).map(hexOf)[0]!.length / 2),
    ).toEqual([0, 1, 14, 125, 126]);
  });

  it('judges by the code, but for three cases that only show what a peer does', () => {
    const byCode = idsOf('7').filter((id) => exchangeOf(id).close.endIsBehavior === 'wrong code');
    const informational = [...made.exchanges.keys()].filter((id) => exchangeOf(id).isInformational);
    expect(informational).toEqual(['7.1.6', '7.13.1', '7.13.2']);
    expect([...byCode, ...informational]).toHaveLength(37);
  });
});

describe('chapters 9 and 10', () => {
  it('9.1 and 9.2 send 64 KiB to 16 MiB in one frame', () => {
    const lengths = idsOf('9.1').map((id) => echoOf(id).expected.length);
    expect(lengths).toEqual([65_536, 262_144, 1_048_576, 4_194_304, 8_388_608, 16_777_216]);
    expect(idsOf('9.1').map((id) => echoOf(id).facts.limitMs! / 1000)).toEqual([10, 10, 100, 100, 100, 100]);
    expect(idsOf('9.2').map((id) => echoOf(id).facts.limitMs! / 1000)).toEqual([10, 10, 10, 10, 100, 100]);
    expect(sentFirst('9.1.1')).toBe('4241736437266a6832334241');
    expect(sentFirst('9.2.6')).toBe('00fe23faf000fe23faf000fe');
  });

  it('9.3 and 9.4 send 4 MiB in fragments, the last of them empty', () => {
    for (const section of ['9.3', '9.4']) {
      const steps = idsOf(section).map((id) => echoOf(id).step);
      const sizes = steps.map((step) => (step.do === 'send-fragmented' ? step.fragmentBytes : 0));
      expect(sizes).toEqual([64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 0]);
    }
    const cut = [...fragments(new Uint8Array(4 << 20), 1 << 20)];
    expect(cut.map(({ bytes }) => bytes.length)).toEqual([1 << 20, 1 << 20, 1 << 20, 1 << 20, 0]);
    expect(sentFirst('9.4.1')).toMatch(/^fefe/);
    expect(sentFirst('9.4.2')).toMatch(/^2a2a/);
  });

  it('9.5 and 9.6 send 1 MiB in small writes, 9.7 and 9.8 a thousand messages', () => {
    const chops = idsOf('9.5').map((id) => (echoOf(id).step as Sent).chop);
    expect(chops).toEqual([64, 128, 256, 512, 1024, 2048]);
    for (const section of ['9.7', '9.8']) {
      expect(idsOf(section).map((id) => echoOf(id).expected.length)).toEqual([0, 16, 64, 256, 1024, 4096]);
      expect(idsOf(section).map((id) => echoOf(id).facts.limitMs! / 1000)).toEqual([
        60, 60, 60, 120, 240, 480,
      ]);
      for (const id of idsOf(section)) expect(echoOf(id).count).toBe(1000);
    }
  });

  it('10.1.1 sends one text frame and fifty continuations', () => {
    const [step] = exchangeOf('10.1.1').steps as Extract<Step, { do: 'send-fragmented' }>[];
    const lengths = [...fragments(payloadBytes(step!.payload), step!.fragmentBytes)].map(
      ({ bytes }) => bytes.length,
    );
    expect(lengths).toEqual([...Array.from({ length: 50 }, () => 1300), 536]);
  });

  function sentFirst(id: string): string {
    const { step } = echoOf(id);
    const payload = step.do === 'send' ? step.frame.payload! : (step as { payload: Uint8Array }).payload;
    return Buffer.from(payloadBytes(payload).subarray(0, 12)).toString('hex');
  }
});

describe('chapters 12 and 13', () => {
  it.each(['12.1', '12.5', '13.1', '13.7'])('%s sends a thousand messages of each size', (section) => {
    const compressed = idsOf(section).map(compressedOf);
    expect(compressed.map(({ fragmentBytes }) => fragmentBytes)).toEqual([
      ...Array.from({ length: 10 }, () => 0),
      ...[256, 256, 256, 256, 256, 1024, 4096, 32_768],
    ]);
    expect(compressed.map(({ limitMs }) => limitMs / 1000)).toEqual([
      ...[60, 60, 120, 240],
      ...Array.from({ length: 14 }, () => 480),
    ]);
    expect(compressed.map(({ contents }) => firstOf(contents()).length)).toEqual([
      ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072],
      ...[8192, 16_384, 32_768, 65_536, 131_072, 131_072, 131_072, 131_072],
    ]);
    expect([...compressed[0]!.contents()]).toHaveLength(1000);
  });

  it('cuts text by code points and everything else by bytes', () => {
    const types = Array.from({ length: 5 }, (_, index) => compressedOf(`12.${index + 1}.1`).type);
    expect(types).toEqual(['text', 'binary', 'binary', 'text', 'binary']);
    const html = [...compressedOf('12.4.6').contents()];
    expect(html.every((part) => isUtf8(part) && [...Buffer.from(part).toString()].length === 8192)).toBe(
      true,
    );
    expect(html.some((part) => part.length > 8192)).toBe(true);
  });

  it('offers these parameters to a server', () => {
    const base = 'permessage-deflate; client_no_context_takeover; client_max_window_bits';
    const none = '; server_no_context_takeover';
    const bits = (n: number) => `; server_max_window_bits=${n}`;
    const offers = ['12.3', '13.1', '13.2', '13.3', '13.4', '13.5', '13.6', '13.7'].map(
      (section) => compressedOf(`${section}.18`).profile.offer,
    );
    expect(offers).toEqual([
      base,
      base,
      base + none,
      base + bits(9),
      base + bits(15),
      base + none + bits(9),
      base + none + bits(15),
      `${base}${none}${bits(9)}, ${base}${none}, ${base}`,
    ]);
  });

  function firstOf<T>(values: Iterable<T>): T {
    for (const value of values) return value;
    throw new Error('nothing');
  }
});
