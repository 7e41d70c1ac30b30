// How a server answers offers of permessage-deflate (RFC 7692 §5, §7.1): which it may accept, and what its answer may then
// contain. A server may decline any of them; one that has no compression is as conformant as one that has. Offers that have
// to be declined are in `server-deflate-decline.ts`.

import type { ConformanceCase, Encounter, Judgement } from '../case.js';
import {
  type DeflateFacts,
  deflateCase,
  describeNegotiated,
  faultOfAnswer,
  judgeEach,
  negotiate,
  refusedOffer,
} from '../extension-answer.js';
import { quote } from '../opening.js';
import { verdict } from '../server-answer.js';

const NAME = 'permessage-deflate';
const WINDOW_BITS = [15, 14, 13, 12, 11, 10, 9, 8];

/** A case in which each of some offers, which are right, is made on a connection of its own. */
function offerCase(facts: DeflateFacts, ...offers: readonly string[]): ConformanceCase {
  return deflateCase(facts, async (encounter) => {
    const all = await judgeEach(encounter, offers);
    if (!Array.isArray(all)) return all;
    const answers = all.filter(({ outcome }) => outcome === 'accepted').map(({ answer }) => quote(answer));
    return answers.length === 0
      ? verdict('UNIMPLEMENTED', 'The server declined permessage-deflate.')
      : verdict('OK', `The server answered ${answers.join(', ')}.`);
  });
}

/** A case in which one offer is written in two ways, which have to lead to the same. */
function sameAnswerCase(facts: DeflateFacts, usual: string, lines: readonly string[]): ConformanceCase {
  return deflateCase(facts, async (encounter) => {
    const first = await negotiate(encounter, usual);
    if (first.outcome === 'refused') return refusedOffer(usual, first.refusal);
    if (first.outcome === 'declined')
      return verdict('UNIMPLEMENTED', 'The server declined permessage-deflate with these parameters.');
    const second = await negotiate(encounter, ...lines);
    const finding = `${describeNegotiated(second)} Offered as ${quote(usual)}: ${describeNegotiated(first)}`;
    if (second.outcome === 'refused') return verdict('FAILED', finding);
    if (second.outcome === 'declined') return verdict('NON-STRICT', finding);
    const fault = faultOfAnswer(second.answer, [usual]);
    return fault === undefined ? verdict('OK', finding) : verdict('FAILED', fault);
  });
}

export const SERVER_DEFLATE_OFFER_CASES: readonly ConformanceCase[] = [
  offerCase(
    {
      id: 'plain-offer',
      title: 'Offers permessage-deflate without parameters.',
      rule: 'An offer without client_max_window_bits must not be answered with it.',
      requirements: [
        'RFC7692-5-7',
        'RFC7692-5-8',
        'RFC7692-7.1.2.2-6',
        'RFC7692-4-2',
        'RFC7692-7.1.1.1-4',
        'RFC7692-7.1.2.1-5',
        'RFC6455-4.2.2-19',
      ],
    },
    NAME,
  ),
  offerCase(
    {
      id: 'client-window-without-value',
      title: 'Offers client_max_window_bits without a value, as browsers do.',
      rule: 'In an answer client_max_window_bits has a value, from 8 to 15 without leading zeros.',
      requirements: ['RFC7692-7.1.2.2-3', 'RFC7692-7.1.2.2-5'],
    },
    `${NAME}; client_max_window_bits`,
  ),
  offerCase(
    {
      id: 'client-window-is-at-most-offered',
      title: 'Offers client_max_window_bits from 15 down to 8, each on a connection of its own.',
      rule: 'The value of client_max_window_bits in an answer is at most that of the offer.',
      requirements: ['RFC7692-7.1.2.2-4', 'RFC7692-7.1.2.2-5', 'RFC7692-5-9'],
    },
    ...WINDOW_BITS.map((bits) => `${NAME}; client_max_window_bits=${bits}`),
  ),
  offerCase(
    {
      id: 'server-window-is-at-most-asked',
      title: 'Asks for server_max_window_bits from 15 down to 8, each on a connection of its own.',
      rule: 'A server that accepts answers with server_max_window_bits, of the same or a smaller value.',
      requirements: ['RFC7692-7.1.2.1-3', 'RFC7692-7.1.2.1-4', 'RFC7692-5-9'],
    },
    ...WINDOW_BITS.map((bits) => `${NAME}; server_max_window_bits=${bits}`),
  ),
  offerCase(
    {
      id: 'server-window-gives-no-client-window',
      title: 'Asks for server_max_window_bits=12 and does not offer client_max_window_bits.',
      rule: 'client_max_window_bits is answered only where it was offered.',
      requirements: ['RFC7692-7.1.2.2-6'],
    },
    `${NAME}; server_max_window_bits=12`,
  ),
  deflateCase(
    {
      id: 'server-no-context-takeover',
      title: 'Asks for server_no_context_takeover.',
      rule: 'A server that accepts answers with server_no_context_takeover; that it can is recommended.',
      requirements: ['RFC7692-7.1.1.1-2', 'RFC7692-7.1.1.1-3'],
    },
    async (encounter) => {
      const all = await judgeEach(encounter, [NAME, `${NAME}; server_no_context_takeover`]);
      if (!Array.isArray(all)) return all;
      const [plain, asked] = all;
      if (asked!.outcome === 'accepted') return verdict('OK', describeNegotiated(asked!));
      return plain!.outcome === 'accepted'
        ? verdict('NON-STRICT', 'The server has permessage-deflate, but not server_no_context_takeover.')
        : verdict('UNIMPLEMENTED', 'The server declined permessage-deflate.');
    },
  ),
  offerCase(
    {
      id: 'client-no-context-takeover',
      title: 'Hints with client_no_context_takeover that it will not keep its window.',
      rule: 'The server may repeat the hint, without a value, or pass it over.',
      requirements: ['RFC7692-7.1.1.2-2'],
    },
    `${NAME}; client_no_context_takeover`,
  ),
  offerCase(
    {
      id: 'all-parameters',
      title: 'Offers all four parameters at once.',
      rule: 'An answer says what became of each request.',
      requirements: [
        'RFC6455-9-4',
        'RFC7692-5-9',
        'RFC7692-7.1.1.1-2',
        'RFC7692-7.1.2.1-3',
        'RFC7692-7.1.2.2-4',
      ],
    },
    `${NAME}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11`,
  ),
  offerCase(
    {
      id: 'one-answer-to-equal-offers',
      title: 'Makes the same offer three times.',
      rule: 'One offer is accepted at most, however many lines the answer has: two extensions cannot both use RSV1.',
      section: 'RFC 7692 §5',
      requirements: ['RFC7692-5-10', 'RFC6455-11.3.2-2'],
    },
    Array(3).fill(NAME).join(', '),
  ),
  deflateCase(
    {
      id: 'first-supported-offer',
      title: 'Offers a window of 10 bits or no context takeover, and each on a connection of its own.',
      rule: 'It is recommended that a server accepts the first offer that it supports.',
      section: 'RFC 7692 §5',
      requirements: ['RFC7692-5-3', 'RFC7692-5-10', 'RFC6455-9.1-8'],
      expectation: 'The answer is one to the first offer, if the server accepts that one alone.',
    },
    judgePreference,
  ),
  sameAnswerCase(
    {
      id: 'quoted-value',
      title: 'Offers server_max_window_bits=12, and on another connection "12" in quotation marks.',
      rule: 'A value may be quoted, and means the same.',
      section: 'RFC 6455 §9.1, RFC 7692 §5.2',
      requirements: ['RFC6455-4.3-1', 'RFC6455-9.1-2', 'RFC7692-7.1.2.1-3'],
      expectation: 'The server reads both offers alike.',
    },
    `${NAME}; server_max_window_bits=12`,
    [`${NAME}; server_max_window_bits="12"`],
  ),
  sameAnswerCase(
    {
      id: 'quoted-pair',
      title: 'Offers server_max_window_bits=12, and on another connection "1\\2", with a backslash.',
      rule: 'In a quoted value a backslash stands before a character, and is no part of the value.',
      section: 'RFC 6455 §4.3, §9.1',
      requirements: ['RFC6455-4.3-1', 'RFC6455-9.1-2'],
      expectation: 'The server reads both offers alike.',
    },
    `${NAME}; server_max_window_bits=12`,
    [`${NAME}; server_max_window_bits="1\\2"`],
  ),
  sameAnswerCase(
    {
      id: 'no-whitespace',
      title: 'Offers two parameters with spaces, and on another connection without any.',
      rule: 'Whitespace between the parts of an offer is optional.',
      section: 'RFC 6455 §4.3, §9.1',
      requirements: ['RFC6455-4.3-2', 'RFC6455-9.1-1'],
      expectation: 'The server reads both offers alike.',
    },
    `${NAME}; client_max_window_bits; server_max_window_bits=12`,
    [`${NAME};client_max_window_bits;server_max_window_bits=12`],
  ),
  sameAnswerCase(
    {
      id: 'much-whitespace',
      title: 'Offers two parameters with single spaces, and on another connection with tabs and more spaces.',
      rule: 'Whitespace between the parts of an offer is optional.',
      section: 'RFC 6455 §4.3, §9.1',
      requirements: ['RFC6455-4.3-2', 'RFC6455-9.1-1'],
      expectation: 'The server reads both offers alike.',
    },
    `${NAME}; client_max_window_bits; server_max_window_bits=12`,
    [`${NAME} \t;  client_max_window_bits\t;\tserver_max_window_bits=12`],
  ),
  sameAnswerCase(
    {
      id: 'order-of-parameters',
      title: 'Offers two parameters, and on another connection in reverse order.',
      rule: 'The order of parameters means nothing.',
      section: 'RFC 7692 §7.1',
      requirements: ['RFC7692-5-9'],
      expectation: 'The server reads both offers alike.',
    },
    `${NAME}; client_max_window_bits; server_max_window_bits=12`,
    [`${NAME}; server_max_window_bits=12; client_max_window_bits`],
  ),
];

async function judgePreference(encounter: Encounter): Promise<Judgement> {
  const first = `${NAME}; server_max_window_bits=10`;
  const second = `${NAME}; server_no_context_takeover`;
  const all = await judgeEach(encounter, [first, second]);
  if (!Array.isArray(all)) return all;
  if (all.every(({ outcome }) => outcome === 'declined'))
    return verdict('UNIMPLEMENTED', 'The server declined permessage-deflate.');
  const both = await negotiate(encounter, `${first}, ${second}`);
  const finding = describeNegotiated(both);
  if (both.outcome === 'refused') return refusedOffer(`${first}, ${second}`, both.refusal);
  if (both.outcome === 'declined')
    return verdict('NON-STRICT', `${finding} One of the two alone was accepted.`);
  const fault = faultOfAnswer(both.answer, [first, second]);
  if (fault !== undefined) return verdict('FAILED', fault);
  const isFirst = faultOfAnswer(both.answer, [first]) === undefined;
  return isFirst || all[0]!.outcome === 'declined'
    ? verdict('OK', finding)
    : verdict('NON-STRICT', `${finding} The first offer alone was accepted.`);
}
