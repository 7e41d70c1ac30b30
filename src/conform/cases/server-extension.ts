// What a server makes of Sec-WebSocket-Extensions in general (RFC 6455 §4.2.2, §9.1): it chooses from what was offered,
// ignores what it does not know, and refuses what breaks the grammar. Offers of permessage-deflate are judged in
// `server-deflate-offer.ts` and `server-deflate-decline.ts`.

import { TEXT } from '../../wire/opcode.js';
import type { ConformanceCase, Encounter, Judgement } from '../case.js';
import { finishClosing } from '../exchange.js';
import { describeNegotiated, negotiate } from '../extension-answer.js';
import { endOf, observe } from '../judgement.js';
import { linesOf, quote } from '../opening.js';
import {
  acceptedBy,
  ask,
  isUpgrade,
  judgeNeedlessRefusal,
  judgeRefusal,
  type ServerFacts,
  serverCase,
  verdict,
} from '../server-answer.js';
import { Tester } from '../tester.js';

const NAME = 'Sec-WebSocket-Extensions';

/** A case in which nothing is offered that a server could know. */
function unknownCase(facts: ServerFacts, ...lines: readonly string[]): ConformanceCase {
  const expectation = 'The server accepts the handshake, and uses no extension.';
  return serverCase('extension', { expectation, ...facts }, async (encounter) => {
    const negotiated = await negotiate(encounter, ...lines);
    const finding = describeNegotiated(negotiated);
    if (negotiated.outcome === 'refused' && lines.length > 0)
      return judgeNeedlessRefusal(negotiated.refusal, 'What is not known can be left out.');
    return verdict(negotiated.outcome === 'declined' ? 'OK' : 'FAILED', finding);
  });
}

/** A case in which the value breaks the grammar. A server that has no extensions may take no notice of it. */
function malformedCase(
  id: string,
  value: string,
  what: string,
  requirements: readonly string[] = ['RFC6455-9.1-1', 'RFC6455-4.3-2'],
): ConformanceCase {
  return serverCase(
    'extension',
    {
      id,
      title: `Sends ${quote(value)}: ${what}.`,
      rule: 'A value that breaks the grammar of extensions fails the handshake.',
      section: 'RFC 6455 §9.1',
      requirements,
      expectation: 'The server answers with the status of an error, such as 400.',
    },
    async (encounter) => {
      const negotiated = await negotiate(encounter, value);
      if (negotiated.outcome === 'refused') return judgeRefusal(negotiated.refusal);
      return verdict(
        negotiated.outcome === 'accepted' ? 'FAILED' : 'NON-STRICT',
        `The server accepted the handshake. ${describeNegotiated(negotiated)}`,
      );
    },
  );
}

export const SERVER_EXTENSION_CASES: readonly ConformanceCase[] = [
  unknownCase({
    id: 'none-without-an-offer',
    title: 'Offers no extension.',
    rule: 'A server uses no extension that the client has not offered.',
    section: 'RFC 6455 §4.2.2, §9',
    requirements: ['RFC6455-4.2.2-12', 'RFC6455-4.2.2-13', 'RFC6455-9-3'],
    expectation: `The response has no ${NAME}.`,
  }),
  serverCase(
    'extension',
    {
      id: 'no-reserved-bits-without-an-offer',
      title: 'Offers no extension, and sends a message that would be worth compressing.',
      rule: 'Without an extension the reserved bits of a frame are 0, and messages are as they are.',
      section: 'RFC 6455 §5.2, §9',
      requirements: ['RFC6455-4.2.2-13', 'RFC7692-5-14'],
      expectation: 'No frame of the server has a reserved bit set.',
    },
    (encounter) => judgeReservedBits(encounter),
  ),
  serverCase(
    'extension',
    {
      id: 'no-reserved-bits-after-declining',
      title:
        'Offers permessage-deflate with a parameter that does not exist, and sends a message if it is declined.',
      rule: 'A server that declines all compression goes on without, and names none in its response.',
      section: 'RFC 7692 §5',
      requirements: ['RFC7692-5-14', 'RFC7692-7-1'],
      expectation: 'The server refuses the handshake, or goes on without compression.',
    },
    (encounter) => judgeReservedBits(encounter, 'permessage-deflate; no_such_parameter'),
  ),
  unknownCase(
    {
      id: 'ignores-an-unknown-extension',
      title: 'Offers an extension that no server knows.',
      rule: 'An offer is no demand: a server leaves out what it does not know.',
      section: 'RFC 6455 §9.1',
      requirements: ['RFC6455-4.2.2-12', 'RFC6455-9-2'],
    },
    'x-hawser-unknown',
  ),
  unknownCase(
    {
      id: 'ignores-unknown-extensions-with-parameters',
      title: 'Offers unknown extensions with every form of parameter: a name, a value, a quoted value.',
      rule: 'An offer is no demand: a server leaves out what it does not know, whatever its parameters.',
      section: 'RFC 6455 §9.1',
      requirements: ['RFC6455-4.2.2-12', 'RFC6455-9-2', 'RFC6455-4.3-2'],
    },
    'x-hawser-a; b; c=d; e="f", x-hawser-g;h=1;h=2',
  ),
  unknownCase(
    {
      id: 'ignores-unknown-extensions-in-two-lines',
      title: 'Offers two unknown extensions, in two lines.',
      rule: 'The field may be split over several lines.',
      section: 'RFC 6455 §9.1',
      requirements: ['RFC6455-9.1-3', 'RFC6455-4.2.2-12'],
    },
    'x-hawser-a',
    'x-hawser-b; c=d',
  ),
  malformedCase('refuses-an-empty-value', '', 'a list has at least one element'),
  malformedCase('refuses-a-lone-comma', ',', 'a list has at least one element'),
  malformedCase(
    'refuses-a-lone-parameter',
    '; server_no_context_takeover',
    'a parameter without an extension',
  ),
  malformedCase('refuses-a-trailing-semicolon', 'permessage-deflate;', 'a parameter has a name'),
  malformedCase(
    'refuses-a-doubled-semicolon',
    'permessage-deflate;; client_max_window_bits',
    'a parameter has a name',
  ),
  malformedCase('refuses-a-value-without-name', 'permessage-deflate; =10', 'a parameter has a name'),
  malformedCase(
    'refuses-a-name-without-value',
    'permessage-deflate; server_max_window_bits=',
    'behind = stands a value',
  ),
  malformedCase(
    'refuses-two-values',
    'permessage-deflate; server_max_window_bits=10=10',
    'a parameter has one value',
  ),
  malformedCase('refuses-two-words', 'permessage deflate', 'a name is one token'),
  malformedCase('refuses-a-quoted-name', '"permessage-deflate"', 'the name of an extension is not quoted'),
  malformedCase('refuses-a-separator-in-a-name', 'permessage/deflate', 'a slash is no part of a token'),
  malformedCase(
    'refuses-an-open-quotation',
    'permessage-deflate; server_max_window_bits="10',
    'the second quotation mark is missing',
  ),
  malformedCase(
    'refuses-a-quoted-value-that-is-no-token',
    'permessage-deflate; server_max_window_bits="1 0"',
    'a quoted value is a token when its quotes are taken off',
    ['RFC6455-4.3-1', 'RFC6455-9.1-2', 'RFC6455-9.1-1'],
  ),
  malformedCase(
    'refuses-an-empty-quoted-value',
    'permessage-deflate; server_max_window_bits=""',
    'a quoted value is a token when its quotes are taken off',
    ['RFC6455-4.3-1', 'RFC6455-9.1-2', 'RFC6455-9.1-1'],
  ),
];

const ECHO_LIMIT_MS = 2000;

/** Sends a text that compresses well, and looks at the bits of what comes back. */
async function judgeReservedBits(encounter: Encounter, offer?: string): Promise<Judgement> {
  const asked = await ask(encounter, {
    headers: (plain) => (offer === undefined ? plain : [...plain, [NAME, offer]]),
  });
  const { answer } = asked;
  if (offer !== undefined && !isUpgrade(answer)) return judgeRefusal(answer);
  const lines = linesOf(acceptedBy(asked), NAME.toLowerCase());
  const tester = new Tester(asked.connection, 'server');
  await tester.send({ opcode: TEXT, payload: 'worth compressing. '.repeat(200) });
  await tester.until(() => tester.messages.length > 0 || !tester.isOpen, ECHO_LIMIT_MS);
  await tester.close(1000);
  await finishClosing(tester);
  const end = endOf(observe(tester));
  if (lines.length > 0)
    return { ...verdict('FAILED', `The server answered ${lines.map(quote).join(', ')}.`), ...end };
  const fault = tester.hasViolated('reserved-bit');
  return fault === undefined
    ? { ...verdict('OK', 'The server uses no extension, and set no reserved bit.'), ...end }
    : { ...verdict('FAILED', `The server uses no extension, but sent ${fault.detail}.`), ...end };
}
