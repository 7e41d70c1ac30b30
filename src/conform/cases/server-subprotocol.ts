// Which subprotocol a server chooses (RFC 6455 §4.2.2, §4.3, §11.3.4). An echo server knows none in particular: it may
// choose any of those that it is offered, or none. What it may not do is to choose something else.

import { isToken } from '../../wire/http-grammar.js';
import type { ConformanceCase, Encounter } from '../case.js';
import { linesOf, quote } from '../opening.js';
import {
  type Answer,
  acceptedBy,
  ask,
  describeAnswer,
  isUpgrade,
  judgeNeedlessRefusal,
  judgeRefusal,
  leave,
  type ServerFacts,
  serverCase,
  verdict,
} from '../server-answer.js';

const NAME = 'Sec-WebSocket-Protocol';
const SECTION = 'RFC 6455 §4.2.2';
const CHOICE_REQUIREMENTS = ['RFC6455-4.2.2-9', 'RFC6455-4.2.2-10', 'RFC6455-4.2.2-11', 'RFC6455-4.2.2-19'];

/** What became of an offer: the names in the response, one for each line; `refusal` where there was no 101. */
interface Choice {
  chosen: readonly string[];
  refusal?: Answer;
}

/** Offers subprotocols in as many lines. */
async function offer(encounter: Encounter, lines: readonly string[], name = NAME): Promise<Choice> {
  const asked = await ask(encounter, {
    headers: (plain) => [...plain, ...lines.map((value) => [name, value] as const)],
  });
  await leave(asked);
  if (!isUpgrade(asked.answer)) return { chosen: [], refusal: asked.answer };
  return { chosen: linesOf(acceptedBy(asked), NAME.toLowerCase()) };
}

/** What is wrong with a choice from `names`. */
function faultOfChoice({ chosen }: Choice, names: readonly string[]): string | undefined {
  if (chosen.length > 1) return `The response has ${chosen.length} lines of ${NAME}.`;
  const [name] = chosen;
  if (name === undefined || names.includes(name)) return undefined;
  return `The server chose ${quote(name)}, which was not offered.`;
}

function describeChoice({ chosen: [name] }: Choice): string {
  return name === undefined ? 'The server chose none.' : `The server chose ${quote(name)}.`;
}

const CHOOSE_NONE = 'A server that knows none of the subprotocols can choose none.';

type Facts = Omit<ServerFacts, 'section' | 'requirements'> & {
  section?: string;
  requirements?: readonly string[];
};

interface ChoiceOptions {
  /** The offer is one that a server may refuse. */
  mayRefuse?: boolean;
}

/** A case in which names are offered: the choice has to be one of them, or none. */
function choiceCase(
  facts: Facts,
  lines: readonly string[],
  names: readonly string[],
  { mayRefuse = false }: ChoiceOptions = {},
): ConformanceCase {
  const all = {
    section: SECTION,
    requirements: CHOICE_REQUIREMENTS,
    expectation: `The response has no ${NAME}, or one, with a name that was offered.`,
    ...facts,
  };
  return serverCase('subprotocol', all, async (encounter) => {
    const choice = await offer(encounter, lines);
    if (choice.refusal !== undefined) {
      const { refusal } = choice;
      if (lines.length === 0) return verdict('FAILED', describeAnswer(refusal));
      return mayRefuse ? judgeRefusal(refusal) : judgeNeedlessRefusal(refusal, CHOOSE_NONE);
    }
    const fault = faultOfChoice(choice, names);
    return fault === undefined ? verdict('OK', describeChoice(choice)) : verdict('FAILED', fault);
  });
}

/** A case in which the same offer is written in two ways, and both have to lead to the same choice. */
function sameChoiceCase(
  facts: Facts,
  names: readonly string[],
  other: { lines: readonly string[]; name?: string },
): ConformanceCase {
  const all = {
    section: 'RFC 6455 §4.3, §11.3.4',
    requirements: ['RFC6455-4.2.2-9', 'RFC6455-4.3-2'],
    expectation: 'The server chooses as it does when the offer is written in the usual way.',
    ...facts,
  };
  return serverCase('subprotocol', all, async (encounter) => {
    const usual = await offer(encounter, [names.join(', ')]);
    const choice = await offer(encounter, other.lines, other.name);
    const fault = faultOfChoice(usual, names) ?? faultOfChoice(choice, names);
    if (fault !== undefined) return verdict('FAILED', fault);
    if (usual.refusal !== undefined) return judgeNeedlessRefusal(usual.refusal, CHOOSE_NONE);
    if (choice.refusal !== undefined) return verdict('FAILED', describeAnswer(choice.refusal));
    return usual.chosen[0] === choice.chosen[0]
      ? verdict('OK', describeChoice(choice))
      : verdict('FAILED', `${describeChoice(choice)} Offered in the usual way: ${describeChoice(usual)}`);
  });
}

/** A case in which the value breaks the grammar. A server that takes no notice of it may go on without a subprotocol. */
function malformedCase(id: string, title: string, value: string): ConformanceCase {
  return serverCase(
    'subprotocol',
    {
      id,
      title,
      rule: 'The client offers a list of one or more tokens; what breaks the grammar is refused.',
      section: 'RFC 6455 §4.2.1, §4.3',
      requirements: ['RFC6455-4.3-2', 'RFC6455-4.2.1-1'],
      expectation: 'The server answers with the status of an error, such as 400.',
    },
    async (encounter) => {
      const choice = await offer(encounter, [value]);
      const { chosen, refusal } = choice;
      if (refusal !== undefined) return judgeRefusal(refusal);
      if (chosen.length > 1 || chosen.some((name) => !isToken(name)))
        return verdict('FAILED', `The server chose ${chosen.map(quote).join(' and ')}, which is no token.`);
      return verdict('NON-STRICT', `The server accepted the handshake. ${describeChoice(choice)}`);
    },
  );
}

const TWO = ['hawser-b.v2', 'hawser-a.v1'];
const PUNCTUATION = "!#$%&'*+-.^_`|~";
const MANY = Array.from({ length: 60 }, (_, n) => `subprotocol-${n}`);

export const SERVER_SUBPROTOCOL_CASES: readonly ConformanceCase[] = [
  choiceCase(
    {
      id: 'none-without-an-offer',
      title: 'Offers no subprotocol.',
      rule: 'Where the client offers no subprotocol, the response names none.',
      requirements: ['RFC6455-4.2.2-9', 'RFC6455-4.2.2-10'],
      expectation: `The response has no ${NAME}.`,
    },
    [],
    [],
  ),
  choiceCase(
    {
      id: 'one-offered',
      title: 'Offers one subprotocol.',
      rule: 'The server chooses what was offered, or nothing; an empty name is no choice.',
    },
    ['hawser-a.v1'],
    ['hawser-a.v1'],
  ),
  choiceCase(
    {
      id: 'several-offered',
      title: 'Offers three subprotocols.',
      rule: 'The server chooses one of those that were offered, or nothing; never a list.',
    },
    ['hawser-c.v3, hawser-b.v2, hawser-a.v1'],
    ['hawser-c.v3', 'hawser-b.v2', 'hawser-a.v1'],
  ),
  choiceCase(
    {
      id: 'keeps-upper-and-lower-case',
      title: 'Offers a subprotocol with capitals.',
      rule: 'The value is derived from what the client sent: a name in other case is another name.',
    },
    ['Hawser-MIXED.Case'],
    ['Hawser-MIXED.Case'],
  ),
  choiceCase(
    {
      id: 'any-token-is-a-name',
      title: 'Offers a name that is made of all the punctuation that a token may have.',
      rule: 'Names are tokens, and tokens may have punctuation.',
      section: 'RFC 6455 §4.3',
      requirements: ['RFC6455-4.3-2', 'RFC6455-4.2.2-9'],
    },
    [PUNCTUATION],
    [PUNCTUATION],
  ),
  choiceCase(
    {
      id: 'many-offered',
      title: 'Offers sixty subprotocols.',
      rule: 'The server chooses one of those that were offered, or nothing.',
    },
    [MANY.join(', ')],
    MANY,
  ),
  choiceCase(
    {
      id: 'the-same-offered-twice',
      title:
        'Offers the same subprotocol twice. A client must not, but no rule says what a server does about it.',
      rule: 'If the server accepts, its response names the subprotocol once, or not at all.',
      section: 'RFC 6455 §4.2.2, §11.3.4',
      requirements: ['RFC6455-4.2.2-9', 'RFC6455-11.3.4-2'],
    },
    ['hawser-a.v1, hawser-a.v1'],
    ['hawser-a.v1'],
    { mayRefuse: true },
  ),
  choiceCase(
    {
      id: 'empty-list-elements',
      title:
        'Offers ", hawser-a.v1,, hawser-b.v2", a list with empty elements, which may be ignored or refused.',
      rule: 'If the server accepts, it chooses a name, never an empty element.',
      section: 'RFC 6455 §4.2.2, §4.3',
      requirements: ['RFC6455-4.2.2-11', 'RFC6455-4.3-2'],
    },
    [', hawser-a.v1,, hawser-b.v2'],
    ['hawser-a.v1', 'hawser-b.v2'],
    { mayRefuse: true },
  ),
  choiceCase(
    {
      id: 'at-most-one-line',
      title: 'Offers two subprotocols, in two lines.',
      rule: `${NAME} stands in a response once at most.`,
      section: 'RFC 6455 §11.3.4',
      requirements: ['RFC6455-11.3.4-2', 'RFC6455-4.2.2-9'],
    },
    TWO,
    TWO,
  ),
  sameChoiceCase(
    {
      id: 'several-lines-are-one-list',
      title: 'Offers two subprotocols in one line, and on another connection in two.',
      rule: `Several lines of ${NAME} are the same as one with all values.`,
    },
    TWO,
    { lines: TWO },
  ),
  sameChoiceCase(
    {
      id: 'whitespace-around-commas',
      title:
        'Offers two subprotocols with ", ", and on another connection with tabs and spaces around the comma.',
      rule: 'Whitespace around the elements of a list is optional.',
    },
    TWO,
    { lines: [TWO.join(' \t,\t  ')] },
  ),
  sameChoiceCase(
    {
      id: 'no-whitespace-around-commas',
      title: 'Offers two subprotocols with ", ", and on another connection with a comma alone.',
      rule: 'Whitespace around the elements of a list is optional.',
    },
    TWO,
    { lines: [TWO.join(',')] },
  ),
  sameChoiceCase(
    {
      id: 'name-of-the-header-in-upper-case',
      title: `Offers two subprotocols in ${NAME}, and on another connection in ${NAME.toUpperCase()}.`,
      rule: 'Names of header fields are the same in any case.',
      section: 'RFC 6455 §4.1',
      requirements: ['RFC6455-4.1-42', 'RFC6455-4.2.2-9'],
    },
    TWO,
    { lines: [TWO.join(', ')], name: NAME.toUpperCase() },
  ),
  malformedCase('refuses-an-empty-value', `Sends ${NAME} without a value.`, ''),
  malformedCase('refuses-a-lone-comma', `Sends "${NAME}: ,".`, ','),
  malformedCase('refuses-a-space-inside-a-name', 'Offers "hawser a", a name with a space.', 'hawser a'),
  malformedCase('refuses-a-semicolon', 'Offers "hawser-a;q=1", as if names had parameters.', 'hawser-a;q=1'),
  malformedCase('refuses-a-quoted-name', 'Offers a name in quotation marks.', '"hawser-a"'),
  malformedCase('refuses-a-slash', 'Offers "hawser/a", with a separator in it.', 'hawser/a'),
  malformedCase('refuses-a-name-that-is-not-ascii', 'Offers a name with the byte E9 in it.', 'caf\xe9'),
];
