import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  agreementOf,
  answerDeflate,
  DEFLATE_DEMANDS,
  offerDeflate,
  readDeflateAnswer,
} from '../../src/conform/deflate-negotiation.js';

const PLAIN = 'permessage-deflate';
const BARE = `${PLAIN}; client_no_context_takeover; client_max_window_bits`;
/** What clients may offer: nothing, a window, both features, and demands of their own. */
const OFFERS = [
  PLAIN,
  `${PLAIN}; client_max_window_bits`,
  BARE,
  `${BARE}; server_no_context_takeover; server_max_window_bits=10`,
];
const NOTHING_ASKED = [
  PLAIN,
  PLAIN,
  PLAIN,
  `${PLAIN}; server_no_context_takeover; server_max_window_bits=10`,
];

/** The answers to those offers: granted first, demanded last; a window is demanded only where it was offered. */
function demanding(demands: string, withoutWindow: string | undefined): (string | undefined)[] {
  return [
    withoutWindow,
    `${PLAIN}; ${demands}`,
    `${PLAIN}; ${demands}`,
    `${PLAIN}; server_no_context_takeover; server_max_window_bits=10; ${demands}`,
  ];
}

const NO_CONTEXT = `${PLAIN}; client_no_context_takeover`;
const GROUPS: [keyof typeof DEFLATE_DEMANDS, offers: string[], answers: (string | undefined)[]][] = [
  ['12', [BARE], NOTHING_ASKED],
  ['13.1', [BARE], NOTHING_ASKED],
  ['13.2', [`${BARE}; server_no_context_takeover`], demanding('client_no_context_takeover', NO_CONTEXT)],
  ['13.3', [`${BARE}; server_max_window_bits=9`], demanding('client_max_window_bits=9', undefined)],
  ['13.4', [`${BARE}; server_max_window_bits=15`], demanding('client_max_window_bits=15', undefined)],
  [
    '13.5',
    [`${BARE}; server_no_context_takeover; server_max_window_bits=9`],
    demanding('client_no_context_takeover; client_max_window_bits=9', undefined),
  ],
  [
    '13.6',
    [`${BARE}; server_no_context_takeover; server_max_window_bits=15`],
    demanding('client_no_context_takeover; client_max_window_bits=15', undefined),
  ],
  [
    '13.7',
    [
      `${BARE}; server_no_context_takeover; server_max_window_bits=9`,
      `${BARE}; server_no_context_takeover`,
      BARE,
    ],
    demanding('client_no_context_takeover; client_max_window_bits=9', NO_CONTEXT),
  ],
];

describe.each(GROUPS)('cases %s', (group, offers, answers) => {
  const demands = DEFLATE_DEMANDS[group];

  it('[RFC7692-5-1] [RFC7692-5-2] the tester as client -> offers what the cases are about', () => {
    expect(offerDeflate(demands)).toBe(offers.join(', '));
  });

  it.each(OFFERS.map((offer, i) => [offer, answers[i] ?? 'no answer']))(
    '[RFC7692-7.1.2.2-6] the tester as server, offered %s -> %s',
    (offer, answer) => {
      expect(answerDeflate(offer, demands)?.header ?? 'no answer').toBe(answer);
    },
  );

  it('the answer of the tester as server -> read as a client, the other side of the same agreement', () => {
    for (const offer of OFFERS) {
      const answer = answerDeflate(offer, demands);
      if (answer === undefined) continue;
      const { agreement } = readDeflateAnswer(answer.header);
      expect(agreement).toEqual({ tester: answer.agreement.peer, peer: answer.agreement.tester });
    }
  });
});

describe('the tester as server', () => {
  const demands = DEFLATE_DEMANDS['13.3'];

  it.each([
    ['no header', undefined],
    ['a malformed header', 'permessage-deflate;'],
    ['another extension', 'x-webkit-deflate-frame'],
    ['an unknown parameter', `${BARE}; foo`],
    ['a doubled parameter', `${BARE}; client_max_window_bits`],
    ['too few bits', `${PLAIN}; client_max_window_bits=7`],
    ['a flag with a value', `${BARE}; server_no_context_takeover=1`],
    ['a window without a number', `${BARE}; server_max_window_bits`],
  ])('[RFC7692-7-1] offered %s -> no answer', (_, offer) => {
    expect(answerDeflate(offer, demands)).toBeUndefined();
  });

  it('[RFC7692-5-2] [RFC7692-5-3] several offers -> the first one that leaves room for the demand', () => {
    const offered = `${PLAIN}, ${BARE}; foo, ${BARE}; server_max_window_bits=12, ${BARE}`;
    const expected = `${PLAIN}; server_max_window_bits=12; client_max_window_bits=9`;
    expect(answerDeflate(offered, demands)?.header).toBe(expected);
  });

  it('[RFC7692-7.1.2.2-4] the client names a smaller window than demanded -> that one', () => {
    const answer = answerDeflate(`${PLAIN}; client_max_window_bits=11`, DEFLATE_DEMANDS['13.4']);
    expect(answer?.header).toBe(`${PLAIN}; client_max_window_bits=11`);
    expect(answer?.agreement.peer.windowBits).toBe(11);
  });
});

describe('the tester as client', () => {
  it.each([undefined, PLAIN])('answered %s -> no extension, or one with the defaults', (header) => {
    const context = { windowBits: 15, noContextTakeover: false };
    const agreement = header === undefined ? undefined : { tester: context, peer: context };
    expect(readDeflateAnswer(header)).toEqual({ agreement });
  });

  it('[RFC7692-5-16] all parameters -> those of the client are for the tester, those of the server for the peer', () => {
    const header =
      'permessage-deflate; server_no_context_takeover; client_max_window_bits="10"; server_max_window_bits=8';
    expect(readDeflateAnswer(header)).toEqual({
      agreement: {
        tester: { windowBits: 10, noContextTakeover: false },
        peer: { windowBits: 8, noContextTakeover: true },
      },
    });
  });

  it.each([
    ['permessage-deflate; foo', 'permessage-deflate has no parameter foo'],
    ['permessage-deflate; __proto__', 'permessage-deflate has no parameter __proto__'],
    ['permessage-deflate; server_no_context_takeover; server_no_context_takeover', 'is there twice'],
    ['permessage-deflate; client_max_window_bits=9; client_max_window_bits=9', 'is there twice'],
    ['permessage-deflate; server_no_context_takeover=true', 'server_no_context_takeover has a value'],
    ['permessage-deflate; client_no_context_takeover=1', 'client_no_context_takeover has a value'],
    ['permessage-deflate; client_max_window_bits', 'client_max_window_bits has no value'],
    ['permessage-deflate; server_max_window_bits', 'server_max_window_bits has no value'],
    ...['7', '16', '99', '08', '010', '1', '-9', '1e1', '9.0'].map((bits) => [
      `permessage-deflate; server_max_window_bits=${bits}`,
      `server_max_window_bits is ${bits}, not a number from 8 to 15`,
    ]),
    ['permessage-deflate; client_max_window_bits=16', 'client_max_window_bits is 16'],
    ['permessage-deflate, permessage-deflate', 'permessage-deflate is answered twice'],
    ['x-other', 'the extension x-other was not offered'],
    ['permessage-deflate, x-other', 'the extension x-other was not offered'],
    ['', 'malformed'],
    ['permessage-deflate;', 'malformed'],
  ])('[RFC7692-7-2] [RFC7692-5-11] answered "%s" -> a problem: %s', (header, problem) => {
    const answer = readDeflateAnswer(header);
    expect(answer.problem).toContain(problem);
    expect(answer.agreement).toBeUndefined();
  });
});

describe('either role', () => {
  it('the same answer -> the other way round', () => {
    const answer = {
      serverNoContextTakeover: true,
      clientNoContextTakeover: false,
      serverMaxWindowBits: undefined,
      clientMaxWindowBits: 9,
    };
    const server = { windowBits: 15, noContextTakeover: true };
    const client = { windowBits: 9, noContextTakeover: false };
    expect(agreementOf(answer, 'client')).toEqual({ tester: client, peer: server });
    expect(agreementOf(answer, 'server')).toEqual({ tester: server, peer: client });
  });

  it('any header -> nothing is thrown', () => {
    const words = fc.constantFrom(
      PLAIN,
      ';',
      '=',
      ',',
      ' ',
      '"',
      '9',
      'server_max_window_bits',
      '__proto__',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(words, fc.string({ maxLength: 5 })), { maxLength: 12 }), (parts) => {
        const header = parts.join('');
        expect(readDeflateAnswer(header)).toBeDefined();
        answerDeflate(header, DEFLATE_DEMANDS['13.7']);
      }),
      { numRuns: 1000 },
    );
  });
});
