// Cases about permessage-deflate (RFC 7692): a connection that uses it, with what a case wants of the parameters, and the
// compressed payloads of the peer kept as they stood on the wire. A peer that does not agree is UNIMPLEMENTED.

import { formatExtensions } from '../wire/extension-header.js';
import { BINARY, CONTINUATION, TEXT } from '../wire/opcode.js';
import type { ConformanceCase, Encounter } from './case.js';
import { answerDeflate, type DeflateAgreement, readDeflateAnswer } from './deflate-negotiation.js';
import { DeflateCodec } from './deflate-session.js';
import { takeSteps } from './exchange.js';
import { describeObservation, endOf, observe } from './judgement.js';
import {
  acceptRequest,
  faultOfResponse,
  headBytes,
  headerOf,
  OpeningFailed,
  randomHandshakeKey,
  readRequest,
  readResponse,
  requestHeaders,
  requestTarget,
  responseHeaders,
  sendHead,
  withHeader,
} from './opening.js';
import { type Payload, payloadBytes } from './payload.js';
import {
  awaitMessages,
  BOTH,
  breaks,
  commitFault,
  conforms,
  type ExpectedMessage,
  faultOfEchoes,
  leave,
  PATIENCE_MS,
  type Refusal,
  type RuleFacts,
  type Ruling,
  unimplemented,
} from './rule-case.js';
import { frame, type Step } from './step.js';
import { type MessageCodec, Tester } from './tester.js';

const NAME = 'permessage-deflate';
const LIMIT_MS = 15_000;
const MAX_PAYLOADS = 1000;
/** How long a message of more than 250 KB may take to come back: a busy machine needs a while to compress it. */
export const LARGE_ECHO_LIMIT_MS = 10_000;

/** What a case wants to be agreed on. Without it the peer is asked for nothing, and asks for what it likes. */
export interface DeflateWish {
  /** The peer compresses each message on its own. */
  peerNoContext?: boolean;
  /** The peer refers back no farther than 2 to that power. */
  peerWindowBits?: number;
  /** The tester says that it will keep no context. */
  testerNoContext?: boolean;
  /** A hint to a server: the tester's window, of which the server may make a limit. */
  testerWindowHint?: number;
  /** The tester refers to its earlier messages. */
  needsContext?: boolean;
  /** The tester uses all of the 32 KiB. */
  needsWindow?: boolean;
}

/** A connection that uses the extension. */
export interface DeflateSession {
  tester: Tester;
  agreement: DeflateAgreement;
  /** The compressed messages of the peer as they stood on the wire, their frames joined. */
  payloads: readonly Uint8Array[];
}

/** A server refused the handshake where parameters were asked for: what it has of them is not known. */
class OfferRefused extends OpeningFailed {}

/** Keeps what it is given to inflate. */
class RecordingCodec extends DeflateCodec implements MessageCodec {
  readonly payloads: Uint8Array[] = [];

  override inflate(payload: Uint8Array): Uint8Array {
    if (this.payloads.length < MAX_PAYLOADS) this.payloads.push(payload);
    return super.inflate(payload);
  }
}

/**
 * A case that opens a connection with the extension, has `decide` find out about the rule, and leaves. A server that
 * refuses what was asked for in place of declining it is UNIMPLEMENTED like one that declines: the `extension` cases judge
 * the way it does so.
 */
export function deflateCase(
  facts: RuleFacts,
  wish: DeflateWish,
  decide: (session: DeflateSession, encounter: Encounter) => Promise<Ruling>,
): ConformanceCase {
  return {
    subjects: BOTH,
    limitMs: LIMIT_MS,
    ...facts,
    group: 'deflate',
    run: async (encounter) => {
      const session = await openDeflate(encounter, wish).catch((error: Error) => {
        if (error instanceof OfferRefused) return error;
        throw error;
      });
      if (session instanceof OfferRefused)
        return { behavior: 'UNIMPLEMENTED', behaviorClose: 'OK', finding: session.message };
      const { tester, agreement } = session;
      const missing =
        agreement === undefined ? `The peers did not agree on ${NAME}.` : lacking(agreement, wish);
      const {
        behavior,
        why,
        behaviorClose = 'OK',
      }: Ruling = agreement === undefined || missing !== undefined
        ? unimplemented(missing!)
        : await decide({ ...session, agreement }, encounter);
      const finding = `${why} ${describeObservation(observe(tester))}`;
      await leave(tester);
      return { behavior, behaviorClose, finding, ...endOf(observe(tester)) };
    },
  };
}

interface MaybeDeflateSession extends Omit<DeflateSession, 'agreement'> {
  agreement: DeflateAgreement | undefined;
}

/**
 * Establishes a connection on which the extension is offered, or accepted where the client offers it.
 *
 * @throws OpeningFailed
 */
export async function openDeflate(encounter: Encounter, wish: DeflateWish): Promise<MaybeDeflateSession> {
  const connection = await encounter.connect();
  if (encounter.subject === 'server') {
    const key = randomHandshakeKey();
    const offer = offerFor(wish);
    const headers = withHeader(requestHeaders(encounter.url, key), 'Sec-WebSocket-Extensions', offer);
    await sendHead(connection, headBytes(`GET ${requestTarget(encounter.url)} HTTP/1.1`, headers));
    const response = await readResponse(connection);
    if (response.statusCode >= 400 && offer !== NAME)
      throw new OfferRefused(`The server answered the offer "${offer}" with status ${response.statusCode}.`);
    const fault = faultOfResponse(response, key);
    if (fault !== undefined) throw new OpeningFailed(fault);
    const answer = readDeflateAnswer(headerOf(response, 'sec-websocket-extensions'));
    if (answer.problem !== undefined)
      throw new OpeningFailed(`The server's answer is wrong: ${answer.problem}.`);
    return sessionOf(answer.agreement, (codec) => new Tester(connection, 'server', { codec }));
  }
  const request = readRequest(connection);
  const key = headerOf(request, 'sec-websocket-key');
  if (key === undefined) throw new OpeningFailed('The request has no Sec-WebSocket-Key.');
  const accepted = answerFor(headerOf(request, 'sec-websocket-extensions'), wish);
  let headers = responseHeaders(key);
  if (accepted !== undefined) headers = withHeader(headers, 'Sec-WebSocket-Extensions', accepted.header);
  return sessionOf(accepted?.agreement, (codec) => acceptRequest(connection, headers, { codec }));
}

async function sessionOf(
  agreement: DeflateAgreement | undefined,
  establish: (codec: RecordingCodec | undefined) => Tester | Promise<Tester>,
): Promise<MaybeDeflateSession> {
  const codec = agreement && new RecordingCodec(agreement);
  return { tester: await establish(codec), agreement, payloads: codec?.payloads ?? [] };
}

/** What the tester offers to a server. */
function offerFor(wish: DeflateWish): string {
  const offer = {
    server_no_context_takeover: wish.peerNoContext === true ? (true as const) : [],
    server_max_window_bits: wish.peerWindowBits ?? [],
    client_no_context_takeover: wish.testerNoContext === true ? (true as const) : [],
    client_max_window_bits: wish.testerWindowHint ?? [],
  };
  return formatExtensions({ [NAME]: offer });
}

/** What the tester answers to a client. */
function answerFor(
  offer: string | undefined,
  wish: DeflateWish,
): { header: string; agreement: DeflateAgreement } | undefined {
  const demand = { noContextTakeover: wish.peerNoContext ?? false, windowBits: wish.peerWindowBits };
  const answer = answerDeflate(offer, [demand]);
  if (answer === undefined || wish.testerNoContext !== true) return answer;
  const { tester, peer } = answer.agreement;
  if (tester.noContextTakeover) return answer;
  // [RFC7692-7.1.1.1-4] A server may promise that unasked.
  const header = `${answer.header}; server_no_context_takeover`;
  return { header, agreement: { tester: { ...tester, noContextTakeover: true }, peer } };
}

/** What of the wish was not agreed on, as a sentence. */
function lacking({ tester, peer }: DeflateAgreement, wish: DeflateWish): string | undefined {
  if (wish.peerNoContext === true && !peer.noContextTakeover)
    return 'The peer did not agree to keep no context.';
  if (wish.peerWindowBits !== undefined && peer.windowBits > wish.peerWindowBits)
    return `The peer did not agree to a window of ${wish.peerWindowBits} bits.`;
  if (wish.testerNoContext === true && wish.needsContext !== true && !tester.noContextTakeover)
    return 'It was not agreed that the tester keeps no context.';
  if (wish.needsContext === true && tester.noContextTakeover)
    return 'The peer wants the tester to keep no context, as it may.';
  if (wish.needsWindow === true && tester.windowBits < 15)
    return `The peer wants a window of ${tester.windowBits} bits of the tester, as it may.`;
  return undefined;
}

/** A message of compressed bytes in one frame. */
export const compressedText = (payload: Payload): Step => frame(TEXT, payload, { rsv: 4 });
export const compressedBinary = (payload: Payload): Step => frame(BINARY, payload, { rsv: 4 });

/** A compressed message in frames; RSV1 is on the first alone. */
export function compressedFragments(opcode: number, parts: readonly Uint8Array[]): Step[] {
  return parts.map((part, index) =>
    frame(index === 0 ? opcode : CONTINUATION, part, {
      rsv: index === 0 ? 4 : 0,
      isFinal: index === parts.length - 1,
    }),
  );
}

/** The bytes cut at these places. */
export function cutAt(bytes: Uint8Array, ...places: number[]): Uint8Array[] {
  const ends = [...places, bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** The messages that `steps` sends come back unchanged, compressed or not. */
export function inflatedCase(
  facts: RuleFacts,
  steps: () => readonly Step[],
  expected: readonly ExpectedMessage[],
  wish: DeflateWish = {},
): ConformanceCase {
  return deflateCase(facts, wish, async ({ tester }) => {
    await takeSteps(tester, steps());
    return await rulingOnEchoes(tester, expected);
  });
}

export async function rulingOnEchoes(
  tester: Tester,
  expected: readonly ExpectedMessage[],
  limitMs = 3 * PATIENCE_MS,
): Promise<Ruling> {
  await awaitMessages(tester, expected.length, limitMs);
  const fault = faultOfEchoes(tester, expected);
  return fault === undefined ? conforms('What was sent came back unchanged.') : breaks(fault);
}

export interface DeflateRefusal extends Omit<Refusal, 'steps'> {
  /** The last of them is the fault. */
  steps: () => readonly Step[];
}

/** A fault in a compressed message, over which the peer has to fail the connection. */
export function refusedDeflateCase(
  facts: RuleFacts,
  refusal: DeflateRefusal,
  wish: DeflateWish = {},
): ConformanceCase {
  return deflateCase(facts, wish, ({ tester }) =>
    commitFault(tester, { ...refusal, steps: refusal.steps() }),
  );
}

export function bytesOf(text: string): Uint8Array {
  return payloadBytes(text);
}
