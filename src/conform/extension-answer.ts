// What a server answers to offers of extensions (RFC 6455 §9.1), and whether its answer fits the offers of
// permessage-deflate that it may accept (RFC 7692 §7.1).

import { type ExtensionParams, parseExtensions } from '../wire/extension-header.js';
import type { ConformanceCase, Encounter, Judgement } from './case.js';
import { readDeflateAnswer } from './deflate-negotiation.js';
import { linesOf, quote } from './opening.js';
import {
  type Answer,
  acceptedBy,
  ask,
  describeAnswer,
  isUpgrade,
  judgeNeedlessRefusal,
  leave,
  type ServerFacts,
  serverCase,
  verdict,
} from './server-answer.js';

const FIELD = 'Sec-WebSocket-Extensions';
const DEFLATE = 'permessage-deflate';

/** What became of an offer: what the server answers about extensions, or how it refused. */
export type Negotiated =
  | { outcome: 'accepted'; answer: string; refusal?: undefined }
  | { outcome: 'declined'; answer?: undefined; refusal?: undefined }
  | { outcome: 'refused'; answer?: undefined; refusal: Answer };

/** Offers extensions in as many lines as there are. */
export async function negotiate(encounter: Encounter, ...lines: readonly string[]): Promise<Negotiated> {
  const asked = await ask(encounter, {
    headers: (plain) => [...plain, ...lines.map((value) => [FIELD, value] as const)],
  });
  await leave(asked);
  if (!isUpgrade(asked.answer)) return { outcome: 'refused', refusal: asked.answer };
  // Erratum 3433: an answer may have several lines; they are one list.
  const values = linesOf(acceptedBy(asked), FIELD.toLowerCase());
  return values.length === 0 ? { outcome: 'declined' } : { outcome: 'accepted', answer: values.join(', ') };
}

export function describeNegotiated({ outcome, answer, refusal }: Negotiated): string {
  if (outcome === 'accepted') return `The server answered ${quote(answer)}.`;
  return outcome === 'declined' ? 'The server uses no extension.' : describeAnswer(refusal);
}

/** What is wrong with an answer, given the offers that a server may accept. */
export function faultOfAnswer(answer: string, offers: readonly string[]): string | undefined {
  const said = `The server answered ${quote(answer)}`;
  const { problem } = readDeflateAnswer(answer);
  if (problem !== undefined) return `${said}: ${problem}.`;
  const [accepted] = paramsOf(answer);
  const faults = offers.flatMap(paramsOf).map((offered) => faultOfParams(accepted ?? {}, offered));
  if (faults.some((fault) => fault === undefined)) return undefined;
  return `${said}, ${faults[0] ?? 'where there was nothing to accept'}.`;
}

function paramsOf(header: string): ExtensionParams[] {
  return parseExtensions(header)[DEFLATE] ?? [];
}

/** Why an answer cannot be one to this offer; both are well-formed. */
function faultOfParams(answer: ExtensionParams, offer: ExtensionParams): string | undefined {
  const limit = (params: ExtensionParams, name: string) => Number(params[name]?.[0]);
  if (offer.server_no_context_takeover && !answer.server_no_context_takeover)
    return 'without server_no_context_takeover, which was asked for';
  if (offer.server_max_window_bits) {
    if (!answer.server_max_window_bits) return 'without server_max_window_bits, which was asked for';
    if (limit(answer, 'server_max_window_bits') > limit(offer, 'server_max_window_bits'))
      return 'with a larger server_max_window_bits than was asked for';
  }
  if (!answer.client_max_window_bits) return undefined;
  const [hint] = offer.client_max_window_bits ?? [];
  if (hint === undefined) return 'with client_max_window_bits, which was not offered';
  if (typeof hint === 'string' && limit(answer, 'client_max_window_bits') > Number(hint))
    return 'with a larger client_max_window_bits than was offered';
  return undefined;
}

export type DeflateFacts = Omit<ServerFacts, 'section'> & { section?: string };

/** A case about offers of permessage-deflate. */
export const deflateCase = (
  facts: DeflateFacts,
  run: (encounter: Encounter) => Promise<Judgement>,
): ConformanceCase =>
  serverCase(
    'extension',
    {
      section: 'RFC 7692 §7.1',
      expectation: 'The server declines, or answers with parameters that fit the offer.',
      ...facts,
      id: `deflate-${facts.id}`,
    },
    run,
  );

/** Makes offers that are right one after another; the first wrong reaction is the judgement. */
export async function judgeEach(
  encounter: Encounter,
  offers: readonly string[],
): Promise<Judgement | Negotiated[]> {
  const all: Negotiated[] = [];
  for (const offer of offers) {
    const negotiated = await negotiate(encounter, offer);
    if (negotiated.outcome === 'refused') return refusedOffer(offer, negotiated.refusal);
    const fault = negotiated.outcome === 'accepted' ? faultOfAnswer(negotiated.answer, [offer]) : undefined;
    if (fault !== undefined) return verdict('FAILED', `Offered ${quote(offer)}. ${fault}`);
    all.push(negotiated);
  }
  return all;
}

/** To refuse the handshake is no way to decline an offer that is right. */
export function refusedOffer(offer: string, refusal: Answer): Judgement {
  const judgement = judgeNeedlessRefusal(refusal, 'An offer can be declined without a refusal.');
  return { ...judgement, finding: `Offered ${quote(offer)}. ${judgement.finding}` };
}
