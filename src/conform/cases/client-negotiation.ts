// Cases about extensions as a client negotiates them (RFC 6455 §9.1, RFC 7692 §5, §7.1): what it offers, and answers that
// it has to refuse or to take. Subprotocols are in a file of their own, compressed messages in others.

import { type ExtensionParams, type Extensions, parseExtensions } from '../../wire/extension-header.js';
import type { ConformanceCase } from '../case.js';
import {
  type Acceptance,
  type Asked,
  acceptance,
  type NotJudged,
  refusal,
  requestCheck,
  switching,
} from '../client-opening.js';
import { quote } from '../opening.js';

import { CLIENT_SUBPROTOCOL_CASES } from './client-subprotocol.js';

const DEFLATE = 'permessage-deflate';
const EXTENSIONS = 'Sec-WebSocket-Extensions';

/** No client offers this by chance. */
const UNOFFERED_EXTENSION = 'x-unoffered-tester-extension';

const OFFER_CASES: readonly ConformanceCase[] = [
  requestCheck({
    id: 'extension.client-offer',
    title: `Reads ${EXTENSIONS}, if there is one.`,
    rule: 'The field is a list of extensions, each with parameters; a quoted value is a token when unquoted.',
    section: 'RFC 6455 §4.3, §9.1',
    requirements: [
      'RFC6455-4.1-31',
      'RFC6455-4.3-1',
      'RFC6455-9-1',
      'RFC6455-9.1-1',
      'RFC6455-9.1-2',
      'RFC6455-11.3.2-1',
    ],
    check: ({ extensions }) =>
      extensions === undefined || tryParse(extensions) !== undefined
        ? undefined
        : `${EXTENSIONS} is malformed: ${quote(extensions)}.`,
    finding: ({ extensions }) => `${EXTENSIONS} is ${quote(extensions)}.`,
  }),
  requestCheck({
    id: 'extension.client-deflate-offer',
    title: `Reads the parameters with which the client offers ${DEFLATE}, if it does.`,
    rule:
      'An offer has only the four parameters, each once; those about context have no value, a window is a number from ' +
      '8 to 15 without leading zeros, and only client_max_window_bits may leave it out.',
    section: 'RFC 7692 §5, §7, §7.1',
    requirements: [
      'RFC7692-4-2',
      'RFC7692-5-1',
      'RFC7692-5-2',
      'RFC7692-5-4',
      'RFC7692-5-5',
      'RFC7692-7.1.1.1-1',
      'RFC7692-7.1.1.2-1',
      'RFC7692-7.1.2.1-1',
      'RFC7692-7.1.2.1-2',
      'RFC7692-7.1.2.2-1',
      'RFC7692-7.1.2.2-2',
      'RFC6455-9-4',
      'RFC6455-9.1-5',
    ],
    check: checkDeflateOffer,
    finding: ({ extensions }) => `${EXTENSIONS} is ${quote(extensions)}.`,
  }),
];

/**
 * An answer that no client may take. One about permessage-deflate goes only to a client that offers it: whether an
 * extension is refused because nobody offered it is for `client-refuses-unoffered` to judge, once.
 */
function wrongAnswer(
  id: string,
  answer: string,
  rule: string,
  requirements: readonly string[],
): ConformanceCase {
  return refusal({
    id: `extension.client-refuses-${id}`,
    title: `Answers with "${EXTENSIONS}: ${answer}".`,
    rule,
    section: requirements.some((one) => one.startsWith('RFC7692'))
      ? 'RFC 7692 §5, §7.1'
      : 'RFC 6455 §4.1, §9.1',
    requirements,
    expectation: answer.startsWith(DEFLATE) ? EXPECTATION_OF_OFFERER : EXPECTATION,
    respond: ({ accepting, extensions }) =>
      answer.startsWith(DEFLATE) && deflateOffers(extensions).length === 0
        ? NO_DEFLATE
        : switching([...accepting, [EXTENSIONS, answer]]),
  });
}

const EXPECTATION =
  'The client fails the connection: it ends TCP, with a Close frame such as 1010 or without.';
const EXPECTATION_OF_OFFERER = `${EXPECTATION} One that does not offer ${DEFLATE} is UNIMPLEMENTED.`;
const NO_DEFLATE: NotJudged = {
  behavior: 'UNIMPLEMENTED',
  finding: `The client does not offer ${DEFLATE}.`,
};
const WINDOW_RULE =
  'The answered window is a number from 8 to 15, in decimal, without leading zeros, and has to be there.';
const INVALID = 'RFC7692-5-15';
const SERVER_WINDOW = [INVALID, 'RFC7692-7-2', 'RFC6455-9-4'];
const CLIENT_WINDOW = [INVALID, 'RFC7692-7-2', 'RFC6455-9-4'];
const MALFORMED = 'A field that does not keep to the grammar fails the connection.';

const WRONG_ANSWERS: readonly ConformanceCase[] = [
  wrongAnswer('unoffered', UNOFFERED_EXTENSION, 'An extension that was not offered fails the connection.', [
    'RFC6455-4.1-39',
    'RFC6455-9.1-6',
  ]),
  wrongAnswer(
    'unoffered-beside-deflate',
    `${DEFLATE}, ${UNOFFERED_EXTENSION}`,
    'Each extension of the answer has to be one that was offered.',
    ['RFC6455-4.1-39', 'RFC6455-9.1-6'],
  ),
  wrongAnswer('empty-field', '', MALFORMED, ['RFC6455-9.1-1', 'RFC6455-4.3-2']),
  wrongAnswer('name-that-is-no-token', `${DEFLATE}/1`, MALFORMED, ['RFC6455-9.1-1', 'RFC6455-4.3-2']),
  wrongAnswer('semicolon-without-parameter', `${DEFLATE};`, MALFORMED, ['RFC6455-9.1-1', 'RFC6455-4.3-2']),
  wrongAnswer('parameter-without-name', `${DEFLATE}; =10`, MALFORMED, ['RFC6455-9.1-1', 'RFC6455-4.3-2']),
  wrongAnswer('open-quote', `${DEFLATE}; server_max_window_bits="10`, MALFORMED, [
    'RFC6455-9.1-1',
    'RFC6455-4.3-2',
  ]),
  wrongAnswer(
    'quoted-value-that-is-no-token',
    `${DEFLATE}; server_max_window_bits="1 0"`,
    'A quoted value has to be a token once it is unquoted.',
    ['RFC6455-9.1-2', 'RFC6455-4.3-1', 'RFC6455-9.1-1'],
  ),
  wrongAnswer(
    'unknown-parameter',
    `${DEFLATE}; x_unknown`,
    'Only the parameters that the extension defines may stand.',
    [INVALID, 'RFC7692-7-2', 'RFC6455-9.1-5'],
  ),
  wrongAnswer(
    'parameter-twice',
    `${DEFLATE}; server_no_context_takeover; server_no_context_takeover`,
    'A parameter stands once.',
    [INVALID, 'RFC7692-7-2', 'RFC6455-9-4'],
  ),
  wrongAnswer(
    'server-context-with-value',
    `${DEFLATE}; server_no_context_takeover=1`,
    'server_no_context_takeover has no value.',
    [INVALID, 'RFC7692-7-2', 'RFC6455-9-4'],
  ),
  wrongAnswer(
    'client-context-with-value',
    `${DEFLATE}; client_no_context_takeover=true`,
    'client_no_context_takeover has no value.',
    [INVALID, 'RFC7692-7-2', 'RFC6455-9-4'],
  ),
  wrongAnswer('server-window-7', `${DEFLATE}; server_max_window_bits=7`, WINDOW_RULE, SERVER_WINDOW),
  wrongAnswer('server-window-16', `${DEFLATE}; server_max_window_bits=16`, WINDOW_RULE, SERVER_WINDOW),
  wrongAnswer('server-window-08', `${DEFLATE}; server_max_window_bits=08`, WINDOW_RULE, SERVER_WINDOW),
  wrongAnswer('server-window-0xa', `${DEFLATE}; server_max_window_bits=0xa`, WINDOW_RULE, SERVER_WINDOW),
  wrongAnswer(
    'server-window-without-value',
    `${DEFLATE}; server_max_window_bits`,
    WINDOW_RULE,
    SERVER_WINDOW,
  ),
  wrongAnswer('client-window-7', `${DEFLATE}; client_max_window_bits=7`, WINDOW_RULE, CLIENT_WINDOW),
  wrongAnswer('client-window-16', `${DEFLATE}; client_max_window_bits=16`, WINDOW_RULE, CLIENT_WINDOW),
  wrongAnswer('client-window-010', `${DEFLATE}; client_max_window_bits=010`, WINDOW_RULE, CLIENT_WINDOW),
  wrongAnswer(
    'client-window-without-value',
    `${DEFLATE}; client_max_window_bits`,
    WINDOW_RULE,
    CLIENT_WINDOW,
  ),
  wrongAnswer(
    'deflate-twice',
    `${DEFLATE}, ${DEFLATE}`,
    'Two extensions that both claim RSV1 cannot be combined; permessage-deflate twice are two such.',
    ['RFC7692-5-11', INVALID],
  ),
  refusal({
    id: 'extension.client-refuses-deflate-in-two-lines',
    title: `Answers with two lines "${EXTENSIONS}: ${DEFLATE}".`,
    rule: 'Several lines count as one list, and permessage-deflate cannot be in it twice.',
    section: 'RFC 7692 §5, RFC 6455 §9.1',
    requirements: ['RFC7692-5-11', 'RFC6455-9.1-3', INVALID],
    expectation: EXPECTATION_OF_OFFERER,
    respond: ({ accepting, extensions }) =>
      deflateOffers(extensions).length === 0
        ? NO_DEFLATE
        : switching([...accepting, [EXTENSIONS, DEFLATE], [EXTENSIONS, DEFLATE]]),
  }),
  refusal({
    id: 'extension.client-refuses-larger-server-window',
    title: 'Answers with a server_max_window_bits one above what the client offers.',
    rule: 'The server agrees to the window that the client asked for, or to a smaller one.',
    section: 'RFC 7692 §5, §7.1.2.1',
    requirements: [INVALID, 'RFC7692-5-4'],
    expectation: EXPECTATION_OF_OFFERER,
    respond: (asked) => respondBeyond(asked, 'server_max_window_bits'),
  }),
  refusal({
    id: 'extension.client-refuses-server-window-left-out',
    title: 'Answers without server_max_window_bits to a client that asks for one below 15.',
    rule: 'A server that accepts an offer with server_max_window_bits has to repeat it.',
    section: 'RFC 7692 §5, §7.1.2.1',
    requirements: [INVALID, 'RFC7692-5-4'],
    expectation:
      'The client fails the connection. Taking it is NON-STRICT: such a server has granted less than was asked.',
    ifTaken: 'NON-STRICT',
    respond: ({ accepting, extensions }) => {
      const offers = deflateOffers(extensions);
      // Every offer has to ask for it, or the answer stands for the one that does not.
      const asks = offers.map((offer) => Number(firstValue(offer, 'server_max_window_bits') ?? 15));
      if (asks.length === 0) return NO_DEFLATE;
      if (asks.some((bits) => !(bits < 15)))
        return nothingToJudge('The client asks for no server_max_window_bits below 15.');
      return switching([...accepting, [EXTENSIONS, DEFLATE]]);
    },
  }),
  refusal({
    id: 'extension.client-refuses-larger-client-window',
    title: 'Answers with a client_max_window_bits that the client does not offer, or one above its offer.',
    rule: 'The server limits only a client that said it could be, and to no more than the client named.',
    section: 'RFC 7692 §5, §7.1.2.2',
    requirements: [INVALID],
    expectation: EXPECTATION_OF_OFFERER,
    respond: (asked) => respondBeyond(asked, 'client_max_window_bits'),
  }),
];

/** An answer that fits any offer of permessage-deflate. */
function rightAnswer(
  id: string,
  answer: string,
  rule: string,
  requirements: readonly string[],
  options: Partial<Acceptance> = {},
): ConformanceCase {
  return acceptance({
    id: `extension.client-accepts-${id}`,
    title: `Answers with "${EXTENSIONS}: ${answer}", and sends a message that is not compressed.`,
    rule,
    section: 'RFC 7692 §5, §7.1',
    requirements,
    ...options,
    respond: ({ accepting, extensions }) =>
      deflateOffers(extensions).some(isOpenOffer)
        ? switching([...accepting, [EXTENSIONS, answer]])
        : unimplemented(`The client does not offer ${DEFLATE} in a way that this answer would fit.`),
  });
}

const RIGHT_ANSWERS: readonly ConformanceCase[] = [
  acceptance({
    id: 'extension.client-accepts-none',
    title: `Answers without ${EXTENSIONS}, whatever the client offers.`,
    rule: 'A server may grant none of the extensions that are offered.',
    section: 'RFC 6455 §9, §9.1',
    requirements: ['RFC6455-9.1-6'],
    respond: ({ accepting }) => switching(accepting),
  }),
  rightAnswer('deflate', DEFLATE, 'A server grants what was offered by naming it.', ['RFC7692-5-16']),
  rightAnswer(
    'deflate-without-contexts',
    `${DEFLATE}; server_no_context_takeover; client_no_context_takeover`,
    'A server may announce or demand that no context is kept, asked or not; a client has to comply.',
    ['RFC7692-7.1.1.2-3'],
  ),
  rightAnswer(
    'smaller-server-window',
    `${DEFLATE}; server_max_window_bits=9`,
    'A server may announce a window smaller than asked for, or without being asked.',
    ['RFC7692-5-16'],
  ),
  rightAnswer(
    'quoted-value',
    `${DEFLATE}; server_max_window_bits="9"`,
    'The value of a parameter may be quoted, and means the same.',
    ['RFC6455-9.1-2', 'RFC6455-4.3-1'],
    { section: 'RFC 6455 §4.3, §9.1, RFC 7692 §5' },
  ),
  rightAnswer(
    'whitespace-in-the-list',
    `${DEFLATE} ;\t server_no_context_takeover  ;server_max_window_bits=9`,
    'Whitespace may stand around the parts of a list.',
    ['RFC6455-9.1-1'],
    {
      section: 'RFC 6455 §9.1',
      ifRefused: 'NON-STRICT',
      expectation:
        'The client takes the connection as established, and echoes. Failing it is NON-STRICT: the whitespace is ' +
        'implied by the grammar of HTTP, not written down.',
    },
  ),
  acceptance({
    id: 'extension.client-accepts-client-window',
    title: 'Answers with client_max_window_bits=10, where the client offers the parameter without a value.',
    rule: 'A client that says its window can be limited has to live with any limit from 8 to 15.',
    section: 'RFC 7692 §7.1.2.2',
    requirements: ['RFC7692-7.1.2.2-1'],
    respond: ({ accepting, extensions }) =>
      deflateOffers(extensions).some((offer) => firstValue(offer, 'client_max_window_bits') === true)
        ? switching([...accepting, [EXTENSIONS, `${DEFLATE}; client_max_window_bits=10`]])
        : unimplemented('The client does not offer client_max_window_bits without a value.'),
  }),
];

export const CLIENT_NEGOTIATION_CASES: readonly ConformanceCase[] = [
  ...CLIENT_SUBPROTOCOL_CASES,
  ...OFFER_CASES,
  ...WRONG_ANSWERS,
  ...RIGHT_ANSWERS,
];

function unimplemented(finding: string): NotJudged {
  return { behavior: 'UNIMPLEMENTED', finding };
}

function nothingToJudge(finding: string): NotJudged {
  return { behavior: 'INFORMATIONAL', finding: `${finding} There is nothing to go beyond.` };
}

function tryParse(header: string): Extensions | undefined {
  try {
    return parseExtensions(header);
  } catch {
    return undefined;
  }
}

/** Each offer of permessage-deflate in turn. */
function deflateOffers(extensions: string | undefined): ExtensionParams[] {
  return (extensions === undefined ? undefined : tryParse(extensions)?.[DEFLATE]) ?? [];
}

/** The first value of a parameter; true where it came without one. */
function firstValue(offer: ExtensionParams, name: string): string | true | undefined {
  return offer[name]?.[0];
}

/** Whether the offer asks the server for nothing that an answer would have to repeat. */
function isOpenOffer(offer: ExtensionParams): boolean {
  return offer.server_no_context_takeover === undefined && offer.server_max_window_bits === undefined;
}

/** Answers with a window larger than every offer allows. */
function respondBeyond(
  { accepting, extensions }: Asked,
  name: 'server_max_window_bits' | 'client_max_window_bits',
): Uint8Array | NotJudged {
  const offers = deflateOffers(extensions);
  // Unasked, the server may announce any window for itself, and none for the client.
  const unasked = name === 'server_max_window_bits' ? 15 : 8;
  const limits = offers.map((offer) => {
    const bits = firstValue(offer, name);
    return bits === true ? 15 : Number(bits ?? unasked);
  });
  const beyond = Math.max(...limits) + 1;
  if (limits.length === 0) return NO_DEFLATE;
  if (!(beyond <= 15)) return nothingToJudge(`The client's offer leaves ${name} open.`);
  return switching([...accepting, [EXTENSIONS, `${DEFLATE}; ${name}=${beyond}`]]);
}

function checkDeflateOffer({ extensions }: Asked): string | undefined {
  for (const offer of deflateOffers(extensions)) {
    for (const [name, [value, second]] of Object.entries(offer)) {
      if (second !== undefined) return `${name} stands twice in an offer.`;
      const isWindow = /^(?:server|client)_max_window_bits$/.test(name);
      if (!isWindow && !/^(?:server|client)_no_context_takeover$/.test(name))
        return `${DEFLATE} has no parameter ${quote(name)}.`;
      if (!isWindow && value !== true) return `${name} has a value.`;
      if (isWindow && value === true && name === 'server_max_window_bits') return `${name} has no value.`;
      if (isWindow && value !== true && !/^(?:[89]|1[0-5])$/.test(value ?? ''))
        return `${name} is ${quote(value)}, not a number from 8 to 15.`;
    }
  }
  return undefined;
}
