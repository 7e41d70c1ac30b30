// What a server makes of a request, right or wrong, that the tester has put together (RFC 6455 §4.2): the request from a
// description of how it differs from a plain one, the server's answer sorted, and the verdicts that most cases about the
// opening handshake come to. After a verdict on a handshake nothing else of the connection is judged.

import { parseResponseHead, type ResponseHead } from '../wire/http-head.js';
import type { ConformanceCase, Encounter, Group, Judgement } from './case.js';
import { type CaseFacts, finishClosing } from './exchange.js';
import {
  faultOfResponse,
  type HeaderList,
  headBytes,
  OPENING_LIMIT_MS,
  OpeningFailed,
  randomHandshakeKey,
  requestHeaders,
  requestTarget,
  sendHead,
} from './opening.js';
import type { RawConnection } from './raw-connection.js';
import { Tester } from './tester.js';
import type { Behavior } from './verdict.js';

/** How long a server may think before it refuses: one that neither accepts nor refuses is waited for no longer. */
const REFUSAL_LIMIT_MS = 2000;
const CASE_LIMIT_MS = 15_000;
const MAX_INTERIM_RESPONSES = 10;
const HEAD_LIMITS = { maxHeadBytes: 64 * 1024, maxHeaderFields: 1000 };

/** How a request differs from the plain one. */
export interface RequestShape {
  method?: string;
  target?: (url: URL) => string;
  /** Default: `HTTP/1.1`. */
  version?: string;
  /** Default: random. */
  key?: string;
  headers?: (plain: HeaderList, key: string) => HeaderList;
  /** The last word on the text of the head; one character is one byte. */
  edit?: (head: string) => string;
  /** Bytes behind the head, in the same write. */
  behind?: Uint8Array;
  /** The size of each TCP write. */
  chop?: number;
}

export type Answer =
  | { kind: 'response'; response: ResponseHead }
  /** Bytes that make no response; TCP may have ended behind them. */
  | { kind: 'not HTTP'; why: string; isUpgrade: boolean }
  | { kind: 'TCP ended' }
  | { kind: 'silence'; limitMs: number };

export interface Asked {
  connection: RawConnection;
  key: string;
  answer: Answer;
}

/** Connects, sends a request, and waits for what comes. */
export async function ask(
  encounter: Encounter,
  shape: RequestShape = {},
  limitMs = OPENING_LIMIT_MS,
): Promise<Asked> {
  const connection = await encounter.connect();
  const key = shape.key ?? randomHandshakeKey();
  await sendRequest(connection, requestBytes(encounter.url, key, shape), shape.chop);
  return { connection, key, answer: await readAnswer(connection, limitMs) };
}

export function requestBytes(url: URL, key: string, shape: RequestShape = {}): Uint8Array {
  const { method = 'GET', target = requestTarget, version = 'HTTP/1.1' } = shape;
  const plain = requestHeaders(url, key);
  const head = headBytes(`${method} ${target(url)} ${version}`, shape.headers?.(plain, key) ?? plain);
  const text = Buffer.from(head).toString('latin1');
  const edited = Buffer.from(shape.edit?.(text) ?? text, 'latin1');
  return shape.behind === undefined ? edited : Buffer.concat([edited, shape.behind]);
}

async function sendRequest(connection: RawConnection, bytes: Uint8Array, chop?: number): Promise<void> {
  if (chop === undefined) return sendHead(connection, bytes);
  connection.log.bytes('tester', bytes);
  await connection.writeChopped(bytes, chop);
}

/** Reads the final response: interim ones, such as 100, are passed over. */
export async function readAnswer(connection: RawConnection, limitMs = OPENING_LIMIT_MS): Promise<Answer> {
  for (let interim = 0; interim <= MAX_INTERIM_RESPONSES; interim++) {
    const bytes = await connection.readHead(limitMs);
    if (bytes === undefined) return answerWithoutHead(connection, limitMs);
    connection.log.bytes('peer', bytes);
    const head = parseResponseHead(bytes, HEAD_LIMITS);
    if (head === undefined || !head.ok)
      return { kind: 'not HTTP', why: head?.message ?? '', isUpgrade: looksLikeUpgrade(bytes) };
    if (head.statusCode === 101 || head.statusCode >= 200) return { kind: 'response', response: head };
  }
  return { kind: 'not HTTP', why: 'interim responses only', isUpgrade: false };
}

function answerWithoutHead(connection: RawConnection, limitMs: number): Answer {
  const { received } = connection;
  if (received.length === 0) return connection.isOver ? { kind: 'TCP ended' } : { kind: 'silence', limitMs };
  connection.log.bytes('peer', received);
  return { kind: 'not HTTP', why: 'no complete head', isUpgrade: looksLikeUpgrade(received) };
}

function looksLikeUpgrade(bytes: Uint8Array): boolean {
  return /^HTTP\/\d\.\d 101/.test(Buffer.from(bytes.subarray(0, 16)).toString('latin1'));
}

/** The answer in words, as a sentence. */
export function describeAnswer(answer: Answer): string {
  switch (answer.kind) {
    case 'response':
      return `The server answered ${answer.response.statusCode}${reasonOf(answer.response)}.`;
    case 'not HTTP':
      return `The server's answer is not an HTTP response: ${answer.why}.`;
    case 'TCP ended':
      return 'The server ended TCP without an answer.';
    case 'silence':
      return `The server neither answered nor ended TCP within ${answer.limitMs / 1000} s.`;
  }
}

function reasonOf({ statusMessage }: ResponseHead): string {
  return statusMessage === '' ? '' : ` ${statusMessage}`;
}

export function verdict(behavior: Behavior, finding: string): Judgement {
  return { behavior, behaviorClose: behavior === 'FAILED' ? 'FAILED' : 'OK', finding };
}

/** Whether the answer is a 101, right or wrong. */
export function isUpgrade(answer: Answer): boolean {
  return answer.kind === 'response'
    ? answer.response.statusCode === 101
    : answer.kind === 'not HTTP' && answer.isUpgrade;
}

/** What is wrong with an answer where the server had to accept; undefined if nothing is. */
export function faultOfAcceptance({ answer, key }: Asked): string | undefined {
  if (answer.kind !== 'response' || answer.response.statusCode !== 101) return describeAnswer(answer);
  return faultOfResponse(answer.response, key);
}

/** The response with which a server has accepted. @throws OpeningFailed where it has not */
export function acceptedBy(asked: Asked): ResponseHead {
  const fault = faultOfAcceptance(asked);
  if (fault !== undefined || asked.answer.kind !== 'response') throw new OpeningFailed(fault!);
  return asked.answer.response;
}

/** Whether a request was refused as it should be. */
export function judgeRefusal(answer: Answer, isOrdinaryHttp = false): Judgement {
  const finding = describeAnswer(answer);
  if (answer.kind === 'silence') return verdict('FAILED', finding);
  // §4.2.1 asks for an HTTP response; a server that just goes away has refused as well.
  if (answer.kind === 'TCP ended') return verdict('NON-STRICT', finding);
  if (answer.kind === 'not HTTP') return verdict(answer.isUpgrade ? 'FAILED' : 'NON-STRICT', finding);
  const { statusCode } = answer.response;
  if (statusCode === 101) return verdict('FAILED', 'The server accepted the handshake with 101.');
  // What is no handshake at all may be served as any other request.
  if (statusCode < 300 && !isOrdinaryHttp)
    return verdict('NON-STRICT', `${finding} That is no status of an error.`);
  return verdict('OK', finding);
}

/**
 * What comes of it where a server had no need to refuse: to choose nothing would have done, as `instead` says. But no rule
 * forbids it to refuse for reasons of its own.
 */
export function judgeNeedlessRefusal(answer: Answer, instead: string): Judgement {
  const finding = describeAnswer(answer);
  const isRefusal = answer.kind === 'response' && answer.response.statusCode !== 101;
  return isRefusal ? verdict('NON-STRICT', `${finding} ${instead}`) : verdict('FAILED', finding);
}

/** Ends a connection in good order if it came about, and at once if not. */
export async function leave({ connection, answer }: Asked): Promise<void> {
  if (!isUpgrade(answer)) return connection.destroy();
  const tester = new Tester(connection, 'server');
  await tester.close(1000);
  await finishClosing(tester);
}

export type ServerFacts = Omit<CaseFacts, 'group' | 'subjects' | 'expectation'> & { expectation?: string };

/** A case that judges servers; the id is put behind that of its group. */
export function serverCase(
  group: Group,
  facts: ServerFacts & { expectation: string },
  run: ConformanceCase['run'],
): ConformanceCase {
  return {
    limitMs: CASE_LIMIT_MS,
    ...facts,
    id: `${group}.server-${facts.id}`,
    group,
    subjects: ['server'],
    run,
  };
}

/** A case in which one request has to be accepted. */
export function acceptedCase(
  facts: ServerFacts,
  shape: RequestShape,
  /** The verdict on a server that answers with the status of an error. */
  ifRefused: Behavior = 'FAILED',
): ConformanceCase {
  const expectation = 'The server answers 101, with the Accept that belongs to the key.';
  return serverCase('handshake', { expectation, ...facts }, async (encounter) => {
    const asked = await ask(encounter, shape);
    const fault = faultOfAcceptance(asked);
    await leave(asked);
    if (fault === undefined) return verdict('OK', 'The server accepted the handshake.');
    const isRefusal = asked.answer.kind === 'response' && asked.answer.response.statusCode >= 400;
    return verdict(isRefusal ? ifRefused : 'FAILED', fault);
  });
}

/** A case in which one request has to be refused. */
export function refusedCase(
  facts: ServerFacts,
  shape: RequestShape,
  { isOrdinaryHttp = false, alsoCheck }: RefusalOptions = {},
): ConformanceCase {
  const expectation = isOrdinaryHttp
    ? 'The server answers anything but 101.'
    : 'The server answers with the status of an error, such as 400, and never with 101.';
  return serverCase('handshake', { expectation, ...facts }, async (encounter) => {
    const asked = await ask(encounter, shape, REFUSAL_LIMIT_MS);
    await leave(asked);
    const judgement = judgeRefusal(asked.answer, isOrdinaryHttp);
    if (judgement.behavior === 'FAILED' || asked.answer.kind !== 'response') return judgement;
    return alsoCheck?.(asked.answer.response) ?? judgement;
  });
}

export interface RefusalOptions {
  /** The request is one that a web server may serve, such as a POST. */
  isOrdinaryHttp?: boolean;
  /** A judgement on the response that refuses, where it is not just right. */
  alsoCheck?: (response: ResponseHead) => Judgement | undefined;
}
