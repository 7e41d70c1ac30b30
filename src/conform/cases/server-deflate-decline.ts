// Offers of permessage-deflate that a server has to decline (RFC 7692 §7), alone and with others behind them.

import type { ConformanceCase } from '../case.js';
import {
  type DeflateFacts,
  deflateCase,
  describeNegotiated,
  faultOfAnswer,
  negotiate,
  refusedOffer,
} from '../extension-answer.js';
import { quote } from '../opening.js';
import { judgeRefusal, verdict } from '../server-answer.js';

const NAME = 'permessage-deflate';

/** A case in which an offer breaks a rule: whatever the server does, it must not accept it. */
function invalidCase(id: string, requirement: string, ...offers: readonly string[]): ConformanceCase {
  return deflateCase(
    {
      id: `declines-${id}`,
      title: `Offers ${offers.map((offer) => quote(offer.replace(`${NAME}; `, '… ')).replaceAll('"', '')).join(' and ')}.`,
      rule: 'An offer with a parameter that is unknown, there twice, or of an invalid value has to be declined.',
      section: 'RFC 7692 §7',
      requirements: ['RFC7692-7-1', requirement],
      expectation: 'The server goes on without permessage-deflate, or refuses the handshake.',
    },
    async (encounter) => {
      const findings: string[] = [];
      for (const offer of offers) {
        const negotiated = await negotiate(encounter, offer);
        const finding = `Offered ${quote(offer)}. ${describeNegotiated(negotiated)}`;
        if (negotiated.outcome === 'accepted') return verdict('FAILED', finding);
        // A handshake whose parameters are not defined is one that a server may refuse (RFC 6455 §4.2.1, §9.1).
        const refusal = negotiated.outcome === 'refused' ? judgeRefusal(negotiated.refusal) : undefined;
        if (refusal !== undefined && refusal.behavior !== 'OK') return refusal;
        findings.push(finding);
      }
      return verdict('OK', findings.join(' '));
    },
  );
}

/** A case in which an offer is followed by one that a server with compression can accept. */
function fallbackCase(
  facts: DeflateFacts,
  lines: readonly string[],
  { acceptable }: { acceptable: readonly string[] },
): ConformanceCase {
  return deflateCase(facts, async (encounter) => {
    const negotiated = await negotiate(encounter, ...lines);
    const finding = describeNegotiated(negotiated);
    if (negotiated.outcome === 'refused') return refusedOffer(lines.join(', '), negotiated.refusal);
    if (negotiated.outcome === 'accepted') {
      const fault = faultOfAnswer(negotiated.answer, acceptable);
      return fault === undefined ? verdict('OK', finding) : verdict('FAILED', fault);
    }
    const alone = await negotiate(encounter, acceptable.at(-1)!);
    return alone.outcome === 'accepted'
      ? verdict('NON-STRICT', `${finding} The last offer alone was accepted.`)
      : verdict('UNIMPLEMENTED', 'The server declined permessage-deflate.');
  });
}

export const SERVER_DEFLATE_DECLINE_CASES: readonly ConformanceCase[] = [
  fallbackCase(
    {
      id: 'falls-back-to-a-later-offer',
      title: 'Offers permessage-deflate with a parameter that does not exist, and behind it without.',
      rule: 'Of several offers one that breaks a rule is declined, and the others stand.',
      section: 'RFC 7692 §5, §7',
      requirements: ['RFC7692-7-1', 'RFC7692-5-3'],
      expectation: 'The server answers the second offer, or declines.',
    },
    [`${NAME}; no_such_parameter, ${NAME}`],
    { acceptable: [NAME] },
  ),
  fallbackCase(
    {
      id: 'falls-back-from-an-invalid-value',
      title: 'Offers server_max_window_bits=16, and behind it 15.',
      rule: 'Of several offers one that breaks a rule is declined, and the others stand.',
      section: 'RFC 7692 §5, §7',
      requirements: ['RFC7692-7-1', 'RFC7692-5-3', 'RFC7692-7.1.2.1-3'],
      expectation: 'The server answers the second offer, or declines.',
    },
    [`${NAME}; server_max_window_bits=16, ${NAME}; server_max_window_bits=15`],
    { acceptable: [`${NAME}; server_max_window_bits=15`] },
  ),
  fallbackCase(
    {
      id: 'behind-an-unknown-extension',
      title: 'Offers an extension that no server knows, and behind it permessage-deflate.',
      rule: 'A server leaves out what it does not know, and chooses among the rest.',
      section: 'RFC 6455 §9.1, RFC 7692 §5',
      requirements: ['RFC6455-4.2.2-12', 'RFC6455-9-2', 'RFC7692-5-3'],
      expectation: 'The server answers with permessage-deflate alone, or declines.',
    },
    [`x-hawser-unknown; a="b", ${NAME}`],
    { acceptable: [NAME] },
  ),
  fallbackCase(
    {
      id: 'in-a-second-line',
      title: 'Offers an unknown extension, and permessage-deflate in a line of its own.',
      rule: 'Several lines of the field are the same as one with all values.',
      section: 'RFC 6455 §9.1',
      requirements: ['RFC6455-9.1-3', 'RFC6455-4.2.2-12'],
      expectation: 'The server answers with permessage-deflate alone, or declines.',
    },
    ['x-hawser-unknown', NAME],
    { acceptable: [NAME] },
  ),
  fallbackCase(
    {
      id: 'among-many-offers',
      title: 'Makes thirty offers, of which the last has no parameters.',
      rule: 'The server accepts one of the offers, or none.',
      section: 'RFC 7692 §5',
      requirements: ['RFC7692-5-10', 'RFC7692-5-9'],
    },
    [[...Array(29).fill(`${NAME}; server_max_window_bits=8; client_max_window_bits`), NAME].join(', ')],
    { acceptable: [`${NAME}; server_max_window_bits=8; client_max_window_bits`, NAME] },
  ),
  invalidCase(
    'an-unknown-parameter',
    'RFC6455-9.1-5',
    `${NAME}; no_such_parameter`,
    `${NAME}; no_such_parameter=1`,
  ),
  invalidCase('a-server-window-without-value', 'RFC7692-7.1.2.1-3', `${NAME}; server_max_window_bits`),
  invalidCase(
    'a-server-window-out-of-range',
    'RFC7692-7.1.2.1-3',
    `${NAME}; server_max_window_bits=7`,
    `${NAME}; server_max_window_bits=16`,
    `${NAME}; server_max_window_bits=0`,
    `${NAME}; server_max_window_bits=271`,
  ),
  invalidCase(
    'a-server-window-with-leading-zero',
    'RFC7692-7.1.2.1-3',
    `${NAME}; server_max_window_bits=08`,
    `${NAME}; server_max_window_bits=010`,
  ),
  invalidCase(
    'a-server-window-that-is-no-number',
    'RFC7692-7.1.2.1-3',
    `${NAME}; server_max_window_bits=large`,
    `${NAME}; server_max_window_bits=10.0`,
    `${NAME}; server_max_window_bits=+10`,
    `${NAME}; server_max_window_bits=1e1`,
  ),
  invalidCase(
    'a-client-window-out-of-range',
    'RFC7692-7.1.2.2-4',
    `${NAME}; client_max_window_bits=7`,
    `${NAME}; client_max_window_bits=16`,
    `${NAME}; client_max_window_bits=0`,
  ),
  invalidCase(
    'a-client-window-with-leading-zero',
    'RFC7692-7.1.2.2-4',
    `${NAME}; client_max_window_bits=08`,
    `${NAME}; client_max_window_bits=010`,
  ),
  invalidCase(
    'a-client-window-that-is-no-number',
    'RFC7692-7.1.2.2-4',
    `${NAME}; client_max_window_bits=large`,
    `${NAME}; client_max_window_bits=10.0`,
  ),
  invalidCase(
    'server-no-context-takeover-with-value',
    'RFC7692-7.1.1.1-2',
    `${NAME}; server_no_context_takeover=1`,
    `${NAME}; server_no_context_takeover=true`,
  ),
  invalidCase(
    'client-no-context-takeover-with-value',
    'RFC7692-7.1.1.2-2',
    `${NAME}; client_no_context_takeover=1`,
    `${NAME}; client_no_context_takeover=true`,
  ),
  invalidCase(
    'a-repeated-context-takeover',
    'RFC7692-7.1.1.1-2',
    `${NAME}; server_no_context_takeover; server_no_context_takeover`,
    `${NAME}; client_no_context_takeover; client_no_context_takeover`,
  ),
  invalidCase(
    'a-repeated-server-window',
    'RFC7692-7.1.2.1-3',
    `${NAME}; server_max_window_bits=10; server_max_window_bits=10`,
    `${NAME}; server_max_window_bits=10; server_max_window_bits=12`,
  ),
  invalidCase(
    'a-repeated-client-window',
    'RFC7692-7.1.2.2-4',
    `${NAME}; client_max_window_bits; client_max_window_bits`,
    `${NAME}; client_max_window_bits; client_max_window_bits=12`,
  ),
];
