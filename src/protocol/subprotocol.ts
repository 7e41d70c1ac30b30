// Subprotocols: the client offers names in order of preference, the server chooses one of them or none
// (RFC 6455 §1.9, §4.1 items 10 and 6, §4.2.2 item 4). The texts of errors are those of npm `ws`.

import { isToken, tokenEnd, whitespaceEnd } from '../wire/http-grammar.js';

/**
 * Reads the Sec-WebSocket-Protocol header of a request: one or more different tokens, separated by commas. Several
 * such headers are one list, once they are joined with commas [RFC6455-11.3.4-1].
 *
 * @throws SyntaxError that names the index of the first wrong character, or the subprotocol that came twice
 */
export function parseSubprotocols(header: string): Set<string> {
  const names = new Set<string>();
  for (let at = 0; ; ) {
    const end = tokenEnd(header, at);
    if (end === at) throw unexpected(header, at);
    const comma = whitespaceEnd(header, end);
    const isLast = comma >= header.length;
    // Whitespace stands around commas only: behind the last name something has to follow it.
    if (isLast ? comma > end : header[comma] !== ',') throw unexpected(header, comma);

    const name = header.slice(at, end);
    if (names.has(name)) throw new SyntaxError(`The "${name}" subprotocol is duplicated`);
    names.add(name);
    if (isLast) return names;
    at = whitespaceEnd(header, comma + 1);
  }
}

function unexpected(header: string, at: number): SyntaxError {
  return new SyntaxError(
    at < header.length ? `Unexpected character at index ${at}` : 'Unexpected end of input',
  );
}

/**
 * Checks what an application wants to offer.
 *
 * @param protocols one name or an array of them, not trusted to be strings
 * @returns the names in the order given
 * @throws SyntaxError when one is not a token or comes twice
 */
export function checkSubprotocolOffer(protocols: unknown): Set<string> {
  const offer = new Set<string>();
  for (const name of Array.isArray(protocols) ? protocols : [protocols]) {
    // [RFC6455-4.1-29] [RFC6455-4.1-30] Names are tokens, and all different.
    if (typeof name !== 'string' || !isToken(name) || offer.has(name)) {
      throw new SyntaxError('An invalid or duplicated subprotocol was specified');
    }
    offer.add(name);
  }
  return offer;
}

/**
 * Judges the Sec-WebSocket-Protocol header of a response.
 *
 * @returns what is wrong with it, if anything
 */
export function checkSubprotocolChoice(
  offer: ReadonlySet<string>,
  choice: string | undefined,
): string | undefined {
  if (choice === undefined) return offer.size === 0 ? undefined : 'Server sent no subprotocol';
  if (offer.size === 0) return 'Server sent a subprotocol but none was requested';
  // [RFC6455-4.1-40] Only what was offered. [RFC6455-11.3.4-2] A repeated header, joined to 'a, b', is no such name,
  // [RFC6455-4.2.2-11] and neither is the empty string.
  return offer.has(choice) ? undefined : 'Server sent an invalid subprotocol';
}

/**
 * Chooses the subprotocol of a connection for a server.
 *
 * @param offer what the client offers
 * @param choose the application's choice, not asked when there is no offer; something falsy chooses none. By default
 *   the first name of the offer is chosen
 * @throws TypeError when the application chose what cannot be a subprotocol
 */
export function chooseSubprotocol(
  offer: Set<string>,
  choose?: ((offer: Set<string>) => unknown) | null,
): string | undefined {
  // [RFC6455-4.2.2-10] Without an offer there is nothing to agree on, and no header is sent.
  if (offer.size === 0) return undefined;
  // [RFC6455-4.2.2-9]
  if (!choose) return offer.values().next().value;
  const choice = choose(offer);
  if (!choice) return undefined;
  // LENIENT: as in `ws`, a choice that was not offered is sent; the client has to fail the connection then.
  const name = String(choice);
  // STRICTER: it reaches the response as it is, so it must not be able to break out of its header.
  if (!isToken(name)) throw new TypeError(`The chosen subprotocol is not a token: ${JSON.stringify(name)}`);
  return name;
}
