// permessage-deflate as the peers of these tests have it (RFC 7692). Each message is deflated by a call of its own, and
// what went before is handed to zlib as its dictionary: so the context is a plain value that a fault can get at.

import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { parseExtensions } from '../../../src/wire/extension-header.js';

export interface Agreement {
  /** Window and context of what this end deflates. */
  ownBits: number;
  ownKeepsContext: boolean;
  /** Of what it inflates. */
  peerBits: number;
  peerKeepsContext: boolean;
}

/** What an end goes by, and faults in how it inflates. */
export interface DeflateSettings extends Agreement {
  /** Takes a final block for the end of the message. */
  stopsAtFinalBlock?: boolean;
  /** Remembers no more than so many bits of what it inflated, whatever was agreed on. */
  remembersBits?: number;
}

const NAME = 'permessage-deflate';
const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);
/** Ends a stream: zlib then tells whether what stands before is complete. */
const LAST_BLOCK = Uint8Array.of(1, 0, 0, 0xff, 0xff);
const MAX_MESSAGE_BYTES = 64 << 20;
const NO_CONTEXT = new Uint8Array(0);

interface Params {
  serverKeepsContext: boolean;
  clientKeepsContext: boolean;
  serverBits?: number | undefined;
  /** `true` stands for a hint without a value. */
  clientBits?: number | true | undefined;
}

/** §7.1: what the parameters of one element say; undefined when one is unknown, there twice, or has a wrong value. */
function readParams(params: Record<string, (string | true)[]>): Params | undefined {
  const read: Params = { serverKeepsContext: true, clientKeepsContext: true };
  for (const [name, values] of Object.entries(params)) {
    const [value] = values;
    if (values.length !== 1) return undefined;
    const bits = typeof value === 'string' && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : undefined;
    if (name === 'server_no_context_takeover' && value === true) read.serverKeepsContext = false;
    else if (name === 'client_no_context_takeover' && value === true) read.clientKeepsContext = false;
    else if (name === 'server_max_window_bits' && bits !== undefined) read.serverBits = bits;
    else if (name === 'client_max_window_bits' && (value === true || bits !== undefined))
      read.clientBits = bits ?? true;
    else return undefined;
  }
  return read;
}

/** Answers the first of a client's offers that can be met. */
export function answerOffer(offer: string): { answer: string; agreement: Agreement } | undefined {
  for (const params of elementsOf(offer)?.[NAME] ?? []) {
    const read = readParams(params);
    if (read === undefined) continue;
    const { serverKeepsContext, clientKeepsContext, serverBits, clientBits } = read;
    const said = [
      NAME,
      !serverKeepsContext && 'server_no_context_takeover',
      !clientKeepsContext && 'client_no_context_takeover',
      serverBits !== undefined && `server_max_window_bits=${serverBits}`,
      typeof clientBits === 'number' && `client_max_window_bits=${clientBits}`,
    ];
    return {
      answer: said.filter(Boolean).join('; '),
      agreement: {
        ownBits: serverBits ?? 15,
        ownKeepsContext: serverKeepsContext,
        peerBits: typeof clientBits === 'number' ? clientBits : 15,
        peerKeepsContext: clientKeepsContext,
      },
    };
  }
  return undefined;
}

/** What a server's answer to `offer` means; undefined when it is no right answer to it. */
export function readAnswer(answer: string, offer: string, mayExceedOffer = false): Agreement | undefined {
  const elements = elementsOf(answer);
  const [params, second] = elements?.[NAME] ?? [];
  if (params === undefined || second !== undefined || Object.keys(elements!).length !== 1) return undefined;
  const read = readParams(params);
  const offered = readParams(elementsOf(offer)![NAME]![0]!)!;
  if (read === undefined || read.clientBits === true) return undefined;
  if (!mayExceedOffer && !isWithin(read, offered)) return undefined;
  return {
    ownBits: read.clientBits ?? 15,
    ownKeepsContext: read.clientKeepsContext,
    peerBits: read.serverBits ?? 15,
    peerKeepsContext: read.serverKeepsContext,
  };
}

/** §7.1.1.1, §7.1.2: what was asked for is granted, and nothing is imposed that was not offered. */
function isWithin(answer: Params, offer: Params): boolean {
  if (!offer.serverKeepsContext && answer.serverKeepsContext) return false;
  if (offer.serverBits !== undefined && (answer.serverBits ?? 15) > offer.serverBits) return false;
  if (answer.clientBits === undefined) return true;
  if (offer.clientBits === undefined) return false;
  return offer.clientBits === true || Number(answer.clientBits) <= offer.clientBits;
}

export const isExtensionList = (header: string): boolean => elementsOf(header) !== undefined;

function elementsOf(header: string): ReturnType<typeof parseExtensions> | undefined {
  try {
    return parseExtensions(header);
  } catch {
    return undefined;
  }
}

export class Deflate {
  readonly #agreement: DeflateSettings;
  #sent: Uint8Array = NO_CONTEXT;
  #received: Uint8Array = NO_CONTEXT;

  constructor(agreement: DeflateSettings) {
    this.#agreement = agreement;
  }

  /** §7.2.1 */
  deflate(message: Uint8Array): Uint8Array {
    const { ownBits, ownKeepsContext } = this.#agreement;
    const bytes = deflateRawSync(message, {
      // zlib has no window of 256 bytes. Without matches none is needed.
      ...(ownBits === 8 && { strategy: constants.Z_HUFFMAN_ONLY }),
      windowBits: Math.max(9, ownBits),
      finishFlush: constants.Z_SYNC_FLUSH,
      ...(this.#sent.length > 0 && { dictionary: this.#sent }),
    });
    if (ownKeepsContext) this.#sent = lastOf(this.#sent, message, ownBits);
    return bytes.subarray(0, bytes.length - TAIL.length);
  }

  /**
   * §7.2.2
   *
   * @throws when `bytes` is not DEFLATE, or inflates to too much
   */
  inflate(bytes: Uint8Array): Uint8Array {
    let rest: Uint8Array = Buffer.concat([bytes, TAIL, LAST_BLOCK]);
    let message: Uint8Array = new Uint8Array(0);
    let context = this.#received;
    // A block with BFINAL ends a stream of zlib, but not the message: more may follow.
    while (rest.length > 0) {
      const { buffer, engine } = inflateRawSync(rest, {
        info: true,
        maxOutputLength: MAX_MESSAGE_BYTES,
        ...(context.length > 0 && { dictionary: context }),
      }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
      message = message.length === 0 ? buffer : Buffer.concat([message, buffer]);
      context = lastOf(context, buffer, this.#agreement.remembersBits ?? 15);
      if (this.#agreement.stopsAtFinalBlock) break;
      rest = rest.subarray(Math.max(1, engine.bytesWritten));
    }
    if (this.#agreement.peerKeepsContext) this.#received = context;
    return message;
  }
}

function lastOf(context: Uint8Array, message: Uint8Array, bits: number): Uint8Array {
  return Buffer.concat([context.subarray(-(1 << 15)), message]).subarray(-(1 << bits));
}
