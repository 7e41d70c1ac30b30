// Text and close reasons that are not UTF-8 (RFC 6455 §8.1): split over frames, far inside, at the end; and how soon the
// peer notices.

import { CONTINUATION, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { fromHex } from '../payload.js';
import { promptlyRefusedCase, type Refusal, refusedCase } from '../rule-case.js';
import { close, continuation, frame, ping, type Step, text, unfinished } from '../step.js';

const SECTION = 'RFC 6455 §5.6, §8.1';
const IS_UTF8 = 'A text message is UTF-8 as a whole, as RFC 3629 defines it.';

/** What Autobahn has in its section 6 in one frame is here at other places: split, at an end, far inside. */
const INVALID: readonly [id: string, title: string, steps: readonly Step[]][] = [
  [
    'lone-surrogate-pair',
    'Sends a character as two surrogates of three bytes each.',
    [text(fromHex('eda080edb080'))],
  ],
  ['surrogate-split', 'Sends a surrogate in fragments of ED and A0 80.', pieces('ed', 'a080')],
  ['overlong-2-split', 'Sends an overlong slash in fragments of C0 and AF.', pieces('c0', 'af')],
  ['overlong-3-split', 'Sends an overlong slash in fragments of E0 and 80 AF.', pieces('e0', '80af')],
  [
    'overlong-4-split',
    'Sends an overlong slash in fragments of F0, 80 and 80 AF.',
    pieces('f0', '80', '80af'),
  ],
  ['above-10ffff-split', 'Sends F4 90 80 80 in fragments of two bytes.', pieces('f490', '8080')],
  ['f5', 'Sends F5 80 80 80, which no character begins with.', [text(fromHex('f5808080'))]],
  ['ff-alone', 'Sends the byte FF.', [text(fromHex('ff'))]],
  ['lone-continuation-byte', 'Sends the byte 80 between ASCII.', [text(fromHex('418042'))]],
  [
    'one-continuation-byte-too-many',
    'Sends a 3-byte character and one more byte 80.',
    [text(fromHex('e2988380'))],
  ],
  ['truncated-2', 'Sends a text that ends in the middle of a 2-byte character.', [text(fromHex('6162c3'))]],
  ['truncated-3', 'Sends a text that ends in the middle of a 3-byte character.', [text(fromHex('6162e298'))]],
  [
    'truncated-4',
    'Sends a text that ends in the middle of a 4-byte character.',
    [text(fromHex('6162f09d84'))],
  ],
  [
    'truncated-in-last-fragment',
    'Sends two fragments, the last of which ends in a character.',
    pieces('6162', '63e298'),
  ],
  [
    'truncated-before-empty-fragment',
    'Sends half a character, then an empty last fragment.',
    pieces('61c3', ''),
  ],
  [
    'completed-by-next-message',
    'Sends a text that ends in C3, and another one that begins with A9.',
    [text(fromHex('61c3')), text(fromHex('a962'))],
  ],
  [
    'split-around-bad-ping',
    'Sends half a character, a Ping with the other half, and a last fragment without it.',
    [unfinished(text(fromHex('61c3'))), ping(fromHex('a9')), continuation('b')],
  ],
];

function pieces(...hex: string[]): Step[] {
  return hex.map((part, index) =>
    frame(index === 0 ? TEXT : CONTINUATION, fromHex(part), { isFinal: index === hex.length - 1 }),
  );
}

/** §7.4.1 leaves the codes to the endpoint. Which of the two it is, is for `close-code.fault-bad-text` to judge. */
const REFUSED: Pick<Refusal, 'codes'> = { codes: [1002, 1007] };

const INVALID_FACTS = {
  rule: IS_UTF8,
  section: SECTION,
  requirements: ['RFC6455-8.1-1', 'RFC6455-5.6-1'],
  expectation: 'The connection is failed, with code 1007 or 1002 if there is a Close frame.',
};

const invalid = INVALID.map(([id, title, steps]) =>
  refusedCase({ ...INVALID_FACTS, id: `utf8.${id}`, title }, { steps, ...REFUSED }),
);

/** Places around the widths at which a fast check may work. */
const OFFSETS = [0, 7, 8, 15, 16, 31, 32, 63, 64, 127, 4095, 65_535];

const offsets = OFFSETS.map((offset) => {
  const payload = Buffer.alloc(offset + 40, 'ascii ');
  payload[offset] = 0x80;
  return refusedCase(
    {
      ...INVALID_FACTS,
      id: `utf8.bad-byte-at-${offset}`,
      title: `Sends ${payload.length} bytes of ASCII with one byte 80 at ${offset}.`,
    },
    { steps: [text(payload)], ...REFUSED },
  );
});

const LONG = Buffer.alloc(100_000, 'long text ');
LONG[1000] = 0xff;

const EARLY: readonly [id: string, title: string, first: readonly Step[], rest: readonly Step[]][] = [
  [
    'in-first-fragment',
    'Sends a first fragment with a byte FF in its middle, and the last half a second later.',
    [unfinished(text(fromHex('6162ff6364')))],
    [continuation('end')],
  ],
  [
    'in-later-fragment',
    'Sends three fragments, FF in the second, and the last half a second later.',
    [unfinished(text('good, ')), unfinished(continuation(fromHex('62ff64')))],
    [continuation('end')],
  ],
  [
    'by-second-byte',
    'Sends a fragment that ends in E0 80, which no byte can complete, and the last half a second later.',
    [unfinished(text(fromHex('6162e080')))],
    [continuation(fromHex('80'))],
  ],
  [
    'across-fragments',
    'Sends fragments that end in ED and begin with A0, and the last half a second later.',
    [unfinished(text(fromHex('61ed'))), unfinished(continuation(fromHex('a0')))],
    [continuation(fromHex('80'))],
  ],
  [
    'inside-a-frame',
    'Sends the first half of a frame of 100,000 bytes, FF in it, and the rest half a second later.',
    [
      { do: 'head', frame: { opcode: TEXT, payload: LONG } },
      { do: 'body', bytes: 50_000 },
    ],
    [{ do: 'body', bytes: 50_000 }],
  ],
  [
    'inside-a-short-frame',
    'Sends the header and 5 of 10 bytes, FF among them, and the rest half a second later.',
    [
      { do: 'head', frame: { opcode: TEXT, payload: fromHex('6162ff64656667686970') } },
      { do: 'body', bytes: 5 },
    ],
    [{ do: 'body', bytes: 5 }],
  ],
];

const early = EARLY.map(([id, title, first, rest]) =>
  promptlyRefusedCase(
    {
      ...INVALID_FACTS,
      id: `utf8.fails-early-${id}`,
      title,
      rule: 'Bytes that cannot be UTF-8 whatever follows fail the connection; there is nothing to wait for.',
      expectation:
        'The connection is failed before the rest is sent. A peer that checks only whole messages is NON-STRICT.',
    },
    first,
    rest,
    REFUSED,
  ),
);

const BAD_REASONS: readonly [id: string, what: string, reason: Uint8Array][] = [
  ['ff', 'FF', fromHex('ff')],
  ['overlong', 'an overlong slash', fromHex('6162c0af')],
  ['surrogate', 'a surrogate', fromHex('eda080')],
  ['truncated', 'half a character at its end', fromHex('6162e298')],
  ['long', 'FF as the last of 123 bytes', Uint8Array.from(Buffer.alloc(123, 'r')).fill(0xff, 122)],
];

const reasons = BAD_REASONS.map(([id, what, reason]) =>
  refusedCase(
    {
      id: `utf8.close-reason-${id}`,
      title: `Sends a Close frame with code 3000 and a reason that has ${what}.`,
      rule: 'A close reason is UTF-8.',
      section: 'RFC 6455 §5.5.1, §8.1',
      requirements: ['RFC6455-8.1-1', 'RFC6455-5.5.1-3'],
      expectation: 'The answer is 1007, or 1002, or TCP is ended; not the code that was sent.',
    },
    { steps: [close(3000, reason)], hasWitness: false, codes: [1002, 1007] },
  ),
);

export const UTF8_REFUSED_CASES: readonly ConformanceCase[] = [...invalid, ...offsets, ...early, ...reasons];
