// Negotiating permessage-deflate (RFC 7692 §5, §7.1): what a client offers, which offer a server accepts, whether the
// response is one that the client can live with. Options, error classes and texts are those of npm `ws`. Compressing
// itself is described in `compression.ts`.

import type { ExtensionParams } from '../wire/extension-header.js';
import { type AgreedDeflate, sendingAgreement } from './compression.js';
import { LIMITS } from './limits.js';
import type { Role } from './role.js';

export const EXTENSION_NAME = 'permessage-deflate';

const MIN_WINDOW_BITS = 8;
/** [RFC7692-7.2.1-7] [RFC7692-7.2.2-7] [RFC7692-7.2.2-9] The window where none was agreed: 32,768 bytes. */
const MAX_WINDOW_BITS = 15;

export interface DeflateOptions {
  /** As a client: ask for it; as a server: insist on it, or with `false` decline offers that ask for it. */
  serverNoContextTakeover?: boolean | undefined;
  /** As a client: hint at it, or with `false` fail where the server insists on it; as a server: insist on it. */
  clientNoContextTakeover?: boolean | undefined;
  /** 8 to 15. As a server `false` declines offers that limit its window. */
  serverMaxWindowBits?: number | boolean | undefined;
  /** 8 to 15; as a client `true`, the default, lets the server choose, and `false` does not. */
  clientMaxWindowBits?: number | boolean | undefined;
  /** Messages of fewer bytes are sent as they are; applies where no context is kept. */
  threshold?: number | undefined;
}

/** One offer or response, each parameter at most once, with valid values. */
export type DeflateParams = {
  server_no_context_takeover?: true;
  client_no_context_takeover?: true;
  server_max_window_bits?: number;
  client_max_window_bits?: number | true;
};

export interface Negotiated {
  agreed: AgreedDeflate;
  /** The response: what the server sends, and for the client what it follows. */
  params: DeflateParams;
}

/**
 * Builds a client's offer, which goes out under the extension's name [RFC7692-5-1] [RFC7692-4-2].
 *
 * @throws RangeError for a window that does not exist
 */
export function buildOffer(options: DeflateOptions): DeflateParams {
  checkOptions(options);
  const { serverMaxWindowBits, clientMaxWindowBits } = options;
  const params: DeflateParams = {};
  // [RFC7692-7.1.1.1-1] [RFC7692-7.1.1.2-1]
  if (options.serverNoContextTakeover) params.server_no_context_takeover = true;
  if (options.clientNoContextTakeover) params.client_no_context_takeover = true;
  // [RFC7692-7.1.2.1-1] [RFC7692-5-4] STRICTER: this one needs a value; `ws` sends `true` as a name alone, which nobody
  // accepts.
  if (serverMaxWindowBits && serverMaxWindowBits !== true)
    params.server_max_window_bits = serverMaxWindowBits;
  // [RFC7692-7.1.2.2-1] [RFC7692-5-5] With or without a value; offering it means being able to obey it.
  if (clientMaxWindowBits ?? true) params.client_max_window_bits = clientMaxWindowBits || true;
  return params;
}

/**
 * Chooses among a client's offers: the first that a server with these options can accept [RFC7692-5-3]. An offer with
 * a fault is declined like one that does not fit, and the next is looked at [RFC7692-7-1]; `ws` gives up there.
 *
 * @param offers as `parseExtensions` gives them, in the client's order of preference
 * @throws Error when none is left: the first fault that was found, if there was one; RangeError for a window in
 *   `options` that does not exist
 */
export function acceptOffers(offers: readonly ExtensionParams[], options: DeflateOptions): Negotiated {
  checkOptions(options);
  let fault: unknown;
  // [RFC7692-5-2]
  for (const params of offers) {
    try {
      const offer = readParams(params, 'server');
      if (isAcceptable(offer, options)) return negotiated(buildResponse(offer, options));
    } catch (error) {
      fault ??= error;
    }
  }
  throw fault ?? new Error('None of the extension offers can be accepted');
}

/** [RFC7692-5-8] What the server cannot do is not accepted. */
function isAcceptable(offer: DeflateParams, options: DeflateOptions): boolean {
  // [RFC7692-7.1.1.1-3] It can, unless the application says otherwise.
  if (offer.server_no_context_takeover && options.serverNoContextTakeover === false) return false;
  // [RFC7692-7.1.2.1-3] What is answered must not be larger than what was asked for.
  if (offer.server_max_window_bits !== undefined) {
    if (options.serverMaxWindowBits === false) return false;
    if ((limitOf(options.serverMaxWindowBits) ?? 0) > offer.server_max_window_bits) return false;
  }
  // [RFC7692-7.1.2.2-4] [RFC7692-7.1.2.2-6] The client's window can be limited only if it offered that, and not to more.
  const clientLimit = limitOf(options.clientMaxWindowBits);
  const offered = offer.client_max_window_bits;
  return clientLimit === undefined || offered === true || (offered !== undefined && clientLimit <= offered);
}

/** The number of bits that a server insists on. */
function limitOf(option: number | boolean | undefined): number | undefined {
  return typeof option === 'number' && option !== 0 ? option : undefined;
}

/** [RFC7692-5-9] Turns an acceptable offer into the response: what was asked for, and what the server wants besides. */
function buildResponse(offer: DeflateParams, options: DeflateOptions): DeflateParams {
  // [RFC7692-7.1.1.1-2] [RFC7692-7.1.1.2-2] [RFC7692-7.1.2.1-3] by repeating a parameter the server accepts it
  const response = { ...offer };
  // [RFC7692-7.1.1.1-4] [RFC7692-7.1.2.1-5] also without being asked
  if (options.serverNoContextTakeover) response.server_no_context_takeover = true;
  if (options.clientNoContextTakeover) response.client_no_context_takeover = true;
  const serverLimit = limitOf(options.serverMaxWindowBits);
  if (serverLimit !== undefined) response.server_max_window_bits = serverLimit;
  const clientLimit = limitOf(options.clientMaxWindowBits);
  if (clientLimit !== undefined) {
    // [RFC7692-7.1.2.2-3]
    response.client_max_window_bits = clientLimit;
  } else if (response.client_max_window_bits === true || options.clientMaxWindowBits === false) {
    // [RFC7692-7.1.2.2-5] in a response it needs a value
    delete response.client_max_window_bits;
  }
  return response;
}

/**
 * Judges the server's response [RFC7692-7-2]. A parameter that was asked for and not confirmed is no fault: it asked
 * for less than this end can handle.
 *
 * @param responses as `parseExtensions` gives them; more than one would be two extensions that use RSV1
 * @param options those that the offer was built from
 * @throws Error or TypeError when the connection has to fail
 */
export function checkResponse(responses: readonly ExtensionParams[], options: DeflateOptions): Negotiated {
  const [params] = responses;
  // STRICTER: [RFC7692-5-11] `ws` looks at the first only
  if (params === undefined || responses.length > 1) {
    throw new Error(`Expected "${EXTENSION_NAME}" once: ${responses.length}`);
  }
  const offer = buildOffer(options);
  const response = readParams(params, 'client');
  // [RFC7692-7.1.1.2-3] supported, unless the application says otherwise
  if (response.client_no_context_takeover && options.clientNoContextTakeover === false) {
    throw new Error('Unexpected parameter "client_no_context_takeover"');
  }
  // STRICTER: [RFC7692-7.1.2.1-3] `ws` would go on with the larger window
  const { server_max_window_bits: serverBits = MIN_WINDOW_BITS, client_max_window_bits: clientBits } =
    response;
  if (serverBits > (offer.server_max_window_bits ?? MAX_WINDOW_BITS)) {
    throw new Error('Unexpected or invalid parameter "server_max_window_bits"');
  }
  const offeredBits = offer.client_max_window_bits;
  if (typeof clientBits !== 'number') {
    // [RFC7692-7.2.1-13] [RFC7692-7.2.2-10] The client keeps to its own hint, which is within what was agreed.
    if (typeof offeredBits === 'number') response.client_max_window_bits = offeredBits;
  } else if (offeredBits === undefined || (offeredBits !== true && clientBits > offeredBits)) {
    // [RFC7692-7.1.2.2-4] [RFC7692-7.1.2.2-6]
    throw new Error('Unexpected or invalid parameter "client_max_window_bits"');
  }
  return negotiated(response);
}

function negotiated(params: DeflateParams): Negotiated {
  const { client_max_window_bits: clientBits } = params;
  const agreed: AgreedDeflate = {
    serverNoContextTakeover: params.server_no_context_takeover === true,
    clientNoContextTakeover: params.client_no_context_takeover === true,
    serverMaxWindowBits: params.server_max_window_bits ?? MAX_WINDOW_BITS,
    // [RFC7692-5-6] Only a number in the response is a limit.
    clientMaxWindowBits: typeof clientBits === 'number' ? clientBits : MAX_WINDOW_BITS,
  };
  return { agreed, params };
}

/** Checks parameters and gives each its type. @throws Error or TypeError for the first that is wrong */
function readParams(params: ExtensionParams, reader: Role): DeflateParams {
  const read: DeflateParams = {};
  for (const [name, values] of Object.entries(params)) {
    // [RFC7692-7-1] [RFC7692-7-2]
    if (values.length > 1) throw new Error(`Parameter "${name}" must have only a single value`);
    const value = values[0]!;
    switch (name) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        // [RFC7692-7.1.1.1-2]
        if (value !== true) throw invalidValue(name, value);
        read[name] = value;
        break;
      case 'client_max_window_bits':
        // [RFC7692-7.1.2.2-1] [RFC7692-7.1.2.2-5] the value may be missing in an offer, not in a response
        read[name] = value === true && MAY_OMIT_WINDOW_BITS[reader] ? value : readWindowBits(name, value);
        break;
      case 'server_max_window_bits':
        read[name] = readWindowBits(name, value);
        break;
      default:
        // [RFC6455-9.1-5] [RFC6455-9-4]
        throw new Error(`Unknown parameter "${name}"`);
    }
  }
  return read;
}

/** A server reads offers, a client responses. */
const MAY_OMIT_WINDOW_BITS: Record<Role, boolean> = { server: true, client: false };

/** STRICTER: [RFC7692-7.1.2.1-2] [RFC7692-7.1.2.1-4] [RFC7692-7.1.2.2-2] digits only, no leading zero; `ws` takes '08' and '1e1'. */
function readWindowBits(name: string, value: string | true): number {
  const bits = Number(value);
  if (value !== String(bits) || !isWindowBits(bits)) throw invalidValue(name, value);
  return bits;
}

function isWindowBits(bits: number): boolean {
  return Number.isInteger(bits) && bits >= MIN_WINDOW_BITS && bits <= MAX_WINDOW_BITS;
}

/** STRICTER: `ws` puts any number of the application's on the wire, and hands it to zlib when a message comes. */
function checkOptions(options: DeflateOptions): void {
  for (const name of ['serverMaxWindowBits', 'clientMaxWindowBits'] as const) {
    const bits = options[name];
    if (typeof bits === 'number' && bits !== 0 && !isWindowBits(bits)) {
      throw new RangeError(`Option "${name}" must be an integer from 8 to 15: ${bits}`);
    }
  }
}

function invalidValue(name: string, value: string | true): TypeError {
  return new TypeError(`Invalid value for parameter "${name}": ${value}`);
}

/**
 * From how many bytes on an end with `role` compresses a message. Where context is kept all of them are, because even a short
 * one refers to what went before and makes those behind it shorter.
 */
export function compressionThreshold(agreed: AgreedDeflate, role: Role, options: DeflateOptions): number {
  return sendingAgreement(agreed, role).noContextTakeover
    ? (options.threshold ?? LIMITS.compressFromBytes)
    : 0;
}
