// permessage-deflate as the tester speaks it (RFC 7692): from what the two ends said to a codec for their messages.
// Which offers and answers there are is the matter of `deflate-negotiation.ts`, zlib that of `raw-deflate.ts`.

import {
  answerDeflate,
  type DeflateAgreement,
  type DeflateDemand,
  offerDeflate,
  readDeflateAnswer,
} from './deflate-negotiation.js';
import { type DeflateContext, RawDeflater, RawInflater } from './raw-deflate.js';
import type { MessageCodec } from './tester.js';

/** A message that inflates to more is taken for an attack. */
const MAX_MESSAGE_BYTES = 64 << 20;

/** What a case wants of the extension. */
export interface DeflateProfile {
  /** What the tester offers to a server. */
  offer: string;
  /** What it demands of a client, first choice first. */
  demands: readonly DeflateDemand[];
}

/** The profile of a tester that makes the same demands in both roles. */
export function deflateProfile(demands: readonly DeflateDemand[]): DeflateProfile {
  return { offer: offerDeflate(demands), demands };
}

/**
 * The codec that a server's answer asks for; undefined when it does not use the extension.
 *
 * @throws Error which says what is wrong with the answer
 */
export function acceptAnswer(answer: string): MessageCodec | undefined {
  const { agreement, problem } = readDeflateAnswer(answer);
  if (problem !== undefined) throw new Error(problem);
  return agreement && new DeflateCodec(agreement);
}

/** The answer to a client's offers and the codec that follows from it; undefined when none of them will do. */
export function acceptOffer(
  offer: string,
  { demands }: DeflateProfile,
): { answer: string; codec: MessageCodec } | undefined {
  const accepted = answerDeflate(offer, demands);
  return accepted && { answer: accepted.header, codec: new DeflateCodec(accepted.agreement) };
}

/** Both directions of one connection. */
export class DeflateCodec implements MessageCodec {
  readonly outgoing: DeflateContext;
  readonly #deflater: RawDeflater;
  readonly #inflater: RawInflater;

  constructor({ tester, peer }: DeflateAgreement) {
    this.outgoing = tester;
    this.#deflater = new RawDeflater(tester);
    this.#inflater = new RawInflater({ ...peer, maxBytes: MAX_MESSAGE_BYTES });
  }

  deflate(payload: Uint8Array): Uint8Array {
    return this.#deflater.message(payload);
  }

  inflate(payload: Uint8Array): Uint8Array {
    return this.#inflater.message(payload);
  }

  close(): void {
    this.#deflater.close();
    this.#inflater.close();
  }
}
