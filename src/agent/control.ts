// The control messages of `hawser.v1`: text that begins with U+0001, then one JSON object (docs/session-protocol.md). What a
// peer sends is checked member by member here, so that nobody else has to.

import { LONGEST_TIMEOUT_MS } from './environment.js';

/** The subprotocol by which two ends agree to talk like this. */
export const SUBPROTOCOL = 'hawser.v1';
export const VERSION = 1;

const MARK = '\u0001';
const MARK_CODE = 1;
/** In UTF-16 units. The longest that we send has about 300. */
const MAX_LENGTH = 4096;
const MAX_ID_LENGTH = 64;

/** How much may be unacknowledged in either direction: `bytes` of payload, of text one for each UTF-16 code unit. */
export interface Window {
  messages: number;
  bytes: number;
}

/** What two ends can both hold. */
export function narrower(a: Window, b: Window): Window {
  return { messages: Math.min(a.messages, b.messages), bytes: Math.min(a.bytes, b.bytes) };
}

export interface Hello {
  t: 'hello';
  v: number;
  /** Of the session to resume, together with `tok`. */
  sid?: string;
  tok?: string;
  /** Higher than in any earlier hello of the session. */
  gen: number;
  /** Messages up to this number need not be sent again. */
  recv: number;
  /** What the client can hold, and whether it can send protocol Pings. */
  caps: Window & { ping: boolean };
}

export interface Welcome {
  t: 'welcome';
  sid: string;
  tok: string;
  gen: number;
  resumed: boolean;
  recv: number;
  /** Changes when the server's process does. */
  epoch: string;
  /** How long the server keeps a session without a connection, in milliseconds. */
  ttl: number;
  /** In milliseconds. */
  hb: { interval: number; timeout: number };
  limits: Window;
  /** Why the session was not resumed. */
  reason?: string;
}

export interface Acknowledgement {
  t: 'a';
  /** Messages up to this number were handed to the application. */
  r: number;
  /** The number of the last message that the sender of this has sent. */
  s: number;
}

export interface Drain {
  t: 'drain';
  /** Milliseconds until the server cuts the connection. */
  in: number;
  /** Milliseconds after which it makes sense to come back. */
  retryAfter?: number;
}

export type Control = Hello | Welcome | Acknowledgement | Drain | { t: 'p' } | { t: 'q' } | { t: 'bye' };

/** Whether text is a control message or escaped: anything that does not reach the application as it is. */
export function isMarked(text: string): boolean {
  return text.charCodeAt(0) === MARK_CODE;
}

/** User text that begins like a control message gets one more mark in front. */
export function escapeText(text: string): string {
  return isMarked(text) ? MARK + text : text;
}

/** @returns the user's text, `undefined` when marked text is a control message */
export function unescapeText(text: string): string | undefined {
  return text.charCodeAt(1) === MARK_CODE ? text.slice(1) : undefined;
}

export function serializeControl(control: Control): string {
  return MARK + JSON.stringify(control);
}

/** What {@link serializeControl} would make of an acknowledgement, several times faster. */
export function serializeAcknowledgement(r: number, s: number): string {
  return `${MARK}{"t":"a","r":${r},"s":${s}}`;
}

const ACKNOWLEDGEMENT = /^.\{"t":"a","r":(0|[1-9]\d{0,14}),"s":(0|[1-9]\d{0,14})\}$/;

/** @returns `undefined` when it is not one of the messages above, in all its members */
export function parseControl(text: string): Control | undefined {
  if (!isMarked(text)) return undefined;
  const numbers = ACKNOWLEDGEMENT.exec(text);
  if (numbers !== null) return { t: 'a', r: Number(numbers[1]), s: Number(numbers[2]) };
  if (text.length > MAX_LENGTH) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text.slice(1));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  switch (value.t) {
    case 'hello':
      return readHello(value);
    case 'welcome':
      return readWelcome(value);
    case 'a':
      return isCount(value.r) && isCount(value.s) ? { t: 'a', r: value.r, s: value.s } : undefined;
    case 'drain':
      return readDrain(value);
    case 'p':
    case 'q':
    case 'bye':
      return { t: value.t };
    default:
      return undefined;
  }
}

type Members = Record<string, unknown>;

function readHello(value: Members): Hello | undefined {
  const { v, sid, tok, gen, recv, caps } = value;
  if (v !== VERSION || !isPositive(gen) || !isCount(recv) || !isObject(caps)) return undefined;
  const window = readWindow(caps);
  const ping = caps.ping;
  if (window === undefined || typeof ping !== 'boolean') return undefined;
  const hello = { t: 'hello', v, gen, recv, caps: { ...window, ping } } as const;
  if (sid === undefined && tok === undefined) return recv === 0 ? hello : undefined;
  return isId(sid) && isId(tok) ? { ...hello, sid, tok } : undefined;
}

function readWelcome(value: Members): Welcome | undefined {
  const { sid, tok, gen, resumed, recv, epoch, ttl, hb, reason } = value;
  const limits = isObject(value.limits) ? readWindow(value.limits) : undefined;
  if (!isId(sid) || !isId(tok) || !isId(epoch) || !isPositive(gen) || !isCount(recv)) return undefined;
  if (typeof resumed !== 'boolean' || !isDuration(ttl) || limits === undefined) return undefined;
  if (!isObject(hb) || !isDuration(hb.interval) || !isDuration(hb.timeout)) return undefined;
  if (reason !== undefined && typeof reason !== 'string') return undefined;
  if (!resumed && recv !== 0) return undefined;
  const heartbeat = { interval: hb.interval, timeout: hb.timeout };
  const welcome = { t: 'welcome', sid, tok, gen, resumed, recv, epoch, ttl, hb: heartbeat, limits } as const;
  return reason === undefined ? welcome : { ...welcome, reason };
}

function readDrain({ in: inMs, retryAfter }: Members): Drain | undefined {
  if (!isDelay(inMs)) return undefined;
  if (retryAfter === undefined) return { t: 'drain', in: inMs };
  return isDelay(retryAfter) ? { t: 'drain', in: inMs, retryAfter } : undefined;
}

function readWindow({ messages, bytes }: Members): Window | undefined {
  return isPositive(messages) && isPositive(bytes) ? { messages, bytes } : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPositive(value: unknown): value is number {
  return isCount(value) && value > 0;
}

function isDelay(value: unknown): value is number {
  return isCount(value) && value <= LONGEST_TIMEOUT_MS;
}

function isDuration(value: unknown): value is number {
  return isDelay(value) && value > 0;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_LENGTH;
}
