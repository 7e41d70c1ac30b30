// Cases about subprotocols as a client negotiates them (RFC 6455 §4.1): what it offers, and choices that it has to refuse
// or to take.

import { isToken, splitList } from '../../wire/http-grammar.js';
import type { ConformanceCase } from '../case.js';
import { acceptance, refusal, requestCheck, switching } from '../client-opening.js';
import { quote, withHeader } from '../opening.js';

const PROTOCOL = 'Sec-WebSocket-Protocol';

/** No client offers this by chance. */
const UNOFFERED_PROTOCOL = 'unoffered.tester.example';

/** A choice of subprotocol that the client has not offered, in one way or the other. */
function wrongProtocol(
  id: string,
  title: string,
  rule: string,
  requirements: readonly string[],
  linesOf: (offered: string[]) => string[],
): ConformanceCase {
  return refusal({
    id: `subprotocol.client-refuses-${id}`,
    title,
    rule,
    section: 'RFC 6455 §4.1',
    requirements: ['RFC6455-4.1-40', 'RFC6455-4.1-41', ...requirements],
    respond: ({ accepting, protocols }) =>
      switching([
        ...withHeader(accepting, PROTOCOL, undefined),
        ...linesOf(splitList(protocols ?? '')).map((line): [string, string] => [PROTOCOL, line]),
      ]),
  });
}

export const CLIENT_SUBPROTOCOL_CASES: readonly ConformanceCase[] = [
  requestCheck({
    id: 'subprotocol.client-offer',
    title: 'Reads Sec-WebSocket-Protocol, if there is one.',
    rule: 'The offered subprotocols are tokens, and each is listed once.',
    section: 'RFC 6455 §4.1, §4.3, §11.3.4',
    requirements: ['RFC6455-4.1-28', 'RFC6455-4.1-29', 'RFC6455-4.1-30', 'RFC6455-4.3-2', 'RFC6455-11.3.4-1'],
    check: ({ protocols }) => {
      if (protocols === undefined) return undefined;
      const names = splitList(protocols);
      if (names.length === 0) return 'Sec-WebSocket-Protocol is empty.';
      const wrong = names.find((name) => !isToken(name));
      if (wrong !== undefined) return `The subprotocol ${quote(wrong)} is not a token.`;
      const twice = names.find((name, at) => names.indexOf(name) !== at);
      return twice === undefined ? undefined : `The subprotocol ${quote(twice)} is listed twice.`;
    },
    finding: ({ protocols }) => `Sec-WebSocket-Protocol is ${quote(protocols)}.`,
  }),
  acceptance({
    id: 'subprotocol.client-accepts-its-own',
    title: 'Chooses the last subprotocol that the client offers.',
    rule: 'The server may choose any subprotocol of the offer.',
    section: 'RFC 6455 §4.1, §4.2.2',
    requirements: ['RFC6455-4.1-28', 'RFC6455-4.1-40'],
    respond: ({ accepting, protocols }) => {
      const last = splitList(protocols ?? '').at(-1);
      if (last === undefined)
        return { behavior: 'UNIMPLEMENTED', finding: 'The client offers no subprotocol.' };
      return switching(withHeader(accepting, PROTOCOL, last));
    },
  }),
  wrongProtocol(
    'unoffered',
    `Answers with ${PROTOCOL}: ${UNOFFERED_PROTOCOL}.`,
    'A subprotocol that the client has not offered fails the connection.',
    [],
    () => [UNOFFERED_PROTOCOL],
  ),
  wrongProtocol(
    'empty-name',
    `Answers with an empty ${PROTOCOL}.`,
    'An empty name is no subprotocol, and no client has offered it.',
    [],
    () => [''],
  ),
  wrongProtocol(
    'list',
    `Answers with a list of two in ${PROTOCOL}, the first one offered if there is one.`,
    'The server chooses one subprotocol; a list is not the name of any.',
    [],
    (offered) => [`${offered[0] ?? 'chat'}, ${UNOFFERED_PROTOCOL}`],
  ),
  wrongProtocol(
    'two-lines',
    `Answers with two lines ${PROTOCOL}, the first one with an offered name if there is one.`,
    'A response has one Sec-WebSocket-Protocol at most.',
    [],
    (offered) => [offered[0] ?? 'chat', UNOFFERED_PROTOCOL],
  ),
  wrongProtocol(
    'other-case',
    'Answers with an offered name, or chat, with its letters in the other case.',
    'Names of subprotocols are compared to the letter.',
    [],
    ([first = 'chat']) => [first === first.toUpperCase() ? first.toLowerCase() : first.toUpperCase()],
  ),
];
