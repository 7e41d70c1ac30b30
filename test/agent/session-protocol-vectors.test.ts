// docs/session-protocol-vectors.json: what the page promises to implementers in other languages, held against our own code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { Channel, type ChannelOwner } from '../../src/agent/channel.js';
import {
  type Control,
  escapeText,
  isMarked,
  parseControl,
  serializeAcknowledgement,
  serializeControl,
  unescapeText,
} from '../../src/agent/control.js';
import { Inbox } from '../../src/agent/inbox.js';
import type { Link } from '../../src/agent/link.js';
import { wheelOf } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';

/** A text, in which a pair stands for a part and how often it is repeated. */
type Text = string | (string | [part: string, times: number])[];

interface Received {
  name: string;
  text: Text;
  data?: Text;
  control?: Control;
  close?: number;
}

interface Counters {
  name: string;
  /** What a side knows; `arrived` is the number of the last message of the connection. */
  state: { acked: number; seq: number; arrived: number };
  control: { r: number; s: number };
  acked?: number;
  close?: number;
}

interface Vectors {
  receive: Received[];
  counters: Counters[];
  send: { name: string; data: string; text: string }[];
}

const file = join(__dirname, '../../docs/session-protocol-vectors.json');
const { receive, send, counters }: Vectors = JSON.parse(readFileSync(file, 'utf8'));

function expand(text: Text): string {
  if (typeof text === 'string') return text;
  return text.map((part) => (typeof part === 'string' ? part : part[0].repeat(part[1]))).join('');
}

/** What comes of a text, in the words of the vectors. */
function outcomeOf(text: string): { data: string } | { control: Control } | { close: number } {
  const data = isMarked(text) ? unescapeText(text) : text;
  if (data !== undefined) return { data };
  const control = parseControl(text);
  return control === undefined ? { close: 4400 } : { control };
}

describe('text that is received', () => {
  it.each(receive)('$name', ({ text, data, control, close }) => {
    const expected =
      data !== undefined ? { data: expand(data) } : control !== undefined ? { control } : { close };
    expect(outcomeOf(expand(text))).toEqual(expected);
  });
});

describe('control messages that we make', () => {
  it.each(receive.filter(({ control }) => control !== undefined))(
    '$name -> read back the same',
    ({ control }) => {
      expect(parseControl(serializeControl(control!))).toEqual(control);
    },
  );
});

describe('text that is sent', () => {
  it.each(send)('$name', ({ data, text }) => expect(escapeText(data)).toBe(text));
});

/** A channel that has sent `seq` messages, of which `acked` are acknowledged, and has got `arrived`. */
function channelIn({ acked, seq, arrived }: Counters['state']) {
  const owner = {
    onRoom: vi.fn(),
    onDetached: vi.fn(),
    onViolation: vi.fn(),
    onBye: vi.fn(),
    onDrain: vi.fn(),
  } satisfies ChannelOwner;
  const link: Link = {
    handler: undefined,
    subprotocol: '',
    send() {},
    close() {},
    release() {},
    bufferedAmount: 0,
    ping() {},
    activity: 0,
  };
  const channel = new Channel({
    owner,
    inbox: new Inbox(false),
    wheel: wheelOf(new FakeEnvironment()),
    isManual: false,
    highWaterMark: 1000,
  });
  channel.attach(link, 0, 0, { messages: 100, bytes: 1000 }, { intervalMs: 1000, timeoutMs: 1000 });
  for (let number = 1; number <= seq; number++) channel.transmit('x', true);
  for (let number = 1; number <= arrived; number++) channel.onMessage('x');
  channel.onMessage(serializeAcknowledgement(acked, arrived));
  return { channel, onViolation: owner.onViolation };
}

describe('counters that are received', () => {
  it.each(counters)('$name', ({ state, control: { r, s }, acked, close }) => {
    const { channel, onViolation } = channelIn(state);
    expect(onViolation).not.toHaveBeenCalled();
    channel.onMessage(serializeAcknowledgement(r, s));
    expect(onViolation.mock.calls.map(([, code]) => code)).toEqual(close === undefined ? [] : [close]);
    expect(channel.sent.acked).toBe(acked ?? state.acked);
  });
});
