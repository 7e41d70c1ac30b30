// The tester's own reading of permessage-deflate in Sec-WebSocket-Extensions (RFC 7692 §5, §7.1): what it offers as a
// client, what it answers as a server, and what both come to for either end. What a peer says is never thrown about: an
// offer that breaks a rule is passed over, an answer that breaks one is returned as a problem in words.

import { type ExtensionParams, formatExtensions, parseExtensions } from '../wire/extension-header.js';
import type { DeflateContext } from './raw-deflate.js';

const NAME = 'permessage-deflate';
const DEFAULT_WINDOW_BITS = 15;

/** What the tester wants of what its peer sends; undefined leaves the window to the peer. */
export interface DeflateDemand {
  noContextTakeover: boolean;
  windowBits: number | undefined;
}

/** The parameters of an offer or an answer; what was not there is false or undefined. */
export interface DeflateParameters {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number | undefined;
  /** true stands for the parameter without a value, which only an offer may have. */
  clientMaxWindowBits: number | true | undefined;
}

/** How each end compresses what it sends. */
export interface DeflateAgreement {
  tester: DeflateContext;
  peer: DeflateContext;
}

/** `agreement` is undefined where the extension is not used; a `problem` fails the handshake. */
export type DeflateAnswer =
  | { problem?: undefined; agreement: DeflateAgreement | undefined }
  | { problem: string; agreement?: undefined };

const NOTHING: DeflateDemand = { noContextTakeover: false, windowBits: undefined };
const NO_CONTEXT: DeflateDemand = { noContextTakeover: true, windowBits: undefined };

/** By the beginning of the case id: what is demanded, first choice first. */
export const DEFLATE_DEMANDS = {
  '12': [NOTHING],
  '13.1': [NOTHING],
  '13.2': [NO_CONTEXT],
  '13.3': [{ noContextTakeover: false, windowBits: 9 }],
  '13.4': [{ noContextTakeover: false, windowBits: 15 }],
  '13.5': [{ noContextTakeover: true, windowBits: 9 }],
  '13.6': [{ noContextTakeover: true, windowBits: 15 }],
  '13.7': [{ noContextTakeover: true, windowBits: 9 }, NO_CONTEXT, NOTHING],
} as const satisfies Record<string, readonly DeflateDemand[]>;

/** The header that the tester sends as a client: one offer for each demand, in that order. */
export function offerDeflate(demands: readonly DeflateDemand[]): string {
  const offers = demands.map(({ noContextTakeover, windowBits }) => ({
    // Whatever the server asks of the tester can be done.
    client_no_context_takeover: true as const,
    client_max_window_bits: true as const,
    server_no_context_takeover: noContextTakeover ? (true as const) : [],
    server_max_window_bits: windowBits ?? [],
  }));
  return formatExtensions({ [NAME]: offers });
}

/**
 * What the tester answers as a server: for the first demand that one of the offers allows, the first offer that does.
 * What an offer asks of the server is granted, and then comes what the tester demands of the client.
 */
export function answerDeflate(
  offered: string | undefined,
  demands: readonly DeflateDemand[],
): { header: string; agreement: DeflateAgreement } | undefined {
  const offers = readOffers(offered);
  for (const demand of demands) {
    for (const offer of offers) {
      const answer = grant(offer, demand);
      if (answer !== undefined) return { header: format(answer), agreement: agreementOf(answer, 'server') };
    }
  }
  return undefined;
}

/**
 * Reads the server's answer, when the tester is the client. It is held against the rules of an answer only, not against
 * what was offered: with what the server answers the tester goes on, if it can be done at all.
 */
export function readDeflateAnswer(header: string | undefined): DeflateAnswer {
  if (header === undefined) return { agreement: undefined };
  const extensions = tryParse(header);
  if (extensions === undefined) return { problem: 'the value of Sec-WebSocket-Extensions is malformed' };
  const unknown = Object.keys(extensions).find((name) => name !== NAME);
  if (unknown !== undefined) return { problem: `the extension ${unknown} was not offered` };
  const [answer, second] = extensions[NAME] ?? [];
  if (answer === undefined) return { agreement: undefined };
  // Two of them would both have a claim on RSV1. [RFC7692-5-11]
  if (second !== undefined) return { problem: `${NAME} is answered twice` };
  const parameters = readParameters(answer);
  if (typeof parameters === 'string') return { problem: parameters };
  // Only an offer may leave the number open. [RFC7692-7.1.2.2-5]
  if (parameters.clientMaxWindowBits === true) return { problem: 'client_max_window_bits has no value' };
  return { agreement: agreementOf(parameters, 'client') };
}

/** What the parameters of an answer come to, when the tester is `testerRole`. */
export function agreementOf(answer: DeflateParameters, testerRole: 'client' | 'server'): DeflateAgreement {
  const { clientMaxWindowBits: clientBits } = answer;
  const client: DeflateContext = {
    windowBits: typeof clientBits === 'number' ? clientBits : DEFAULT_WINDOW_BITS,
    noContextTakeover: answer.clientNoContextTakeover,
  };
  const server: DeflateContext = {
    windowBits: answer.serverMaxWindowBits ?? DEFAULT_WINDOW_BITS,
    noContextTakeover: answer.serverNoContextTakeover,
  };
  return testerRole === 'client' ? { tester: client, peer: server } : { tester: server, peer: client };
}

/** The answer to an offer, or undefined if it leaves no room for the demand. */
function grant(offer: DeflateParameters, demand: DeflateDemand): DeflateParameters | undefined {
  let clientMaxWindowBits: number | undefined;
  if (demand.windowBits !== undefined) {
    const { clientMaxWindowBits: offeredBits } = offer;
    // A window can be asked of a client only where it said that it can. [RFC7692-7.1.2.2-6]
    if (offeredBits === undefined) return undefined;
    // [RFC7692-7.1.2.2-4] Not more than the client named.
    clientMaxWindowBits = offeredBits === true ? demand.windowBits : Math.min(demand.windowBits, offeredBits);
  }
  return {
    serverNoContextTakeover: offer.serverNoContextTakeover,
    serverMaxWindowBits: offer.serverMaxWindowBits,
    clientNoContextTakeover: demand.noContextTakeover,
    clientMaxWindowBits,
  };
}

function format(answer: DeflateParameters): string {
  return formatExtensions({
    [NAME]: {
      server_no_context_takeover: answer.serverNoContextTakeover ? true : [],
      server_max_window_bits: answer.serverMaxWindowBits ?? [],
      client_no_context_takeover: answer.clientNoContextTakeover ? true : [],
      client_max_window_bits: answer.clientMaxWindowBits ?? [],
    },
  });
}

/** The offers that keep to the rules; the others count as declined. [RFC7692-7-1] */
function readOffers(header: string | undefined): DeflateParameters[] {
  const extensions = header === undefined ? undefined : tryParse(header);
  return (extensions?.[NAME] ?? []).map(readParameters).filter((offer) => typeof offer !== 'string');
}

function tryParse(header: string): ReturnType<typeof parseExtensions> | undefined {
  try {
    return parseExtensions(header);
  } catch {
    return undefined;
  }
}

/** The parameters, or what is wrong with them. */
function readParameters(listed: ExtensionParams): DeflateParameters | string {
  const parameters: DeflateParameters = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: undefined,
    clientMaxWindowBits: undefined,
  };
  for (const [name, [value, second]] of Object.entries(listed)) {
    if (second !== undefined) return `${name} is there twice`;
    switch (name) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        if (value !== true) return `${name} has a value`;
        if (name === 'server_no_context_takeover') parameters.serverNoContextTakeover = true;
        else parameters.clientNoContextTakeover = true;
        break;
      case 'server_max_window_bits':
        parameters.serverMaxWindowBits = windowBitsOf(value);
        if (parameters.serverMaxWindowBits === undefined) return notWindowBits(name, value);
        break;
      case 'client_max_window_bits':
        parameters.clientMaxWindowBits = value === true ? true : windowBitsOf(value);
        if (parameters.clientMaxWindowBits === undefined) return notWindowBits(name, value);
        break;
      default:
        return `${NAME} has no parameter ${name}`;
    }
  }
  return parameters;
}

/** A decimal number from 8 to 15 without leading zeros. [RFC7692-7.1.2.1-4] [RFC7692-7.1.2.2-5] */
function windowBitsOf(value: string | true | undefined): number | undefined {
  return typeof value === 'string' && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : undefined;
}

function notWindowBits(name: string, value: string | true | undefined): string {
  return typeof value === 'string'
    ? `${name} is ${value}, not a number from 8 to 15`
    : `${name} has no value`;
}
