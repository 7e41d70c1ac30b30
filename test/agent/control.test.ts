// What vectors cannot show; the forms of all messages are in session-protocol-vectors.test.ts.
import { describe, expect, it } from 'vitest';
import {
  type Control,
  escapeText,
  isMarked,
  parseControl,
  serializeAcknowledgement,
  serializeControl,
  unescapeText,
} from '../../src/agent/control.js';

const CAPS = { messages: 16, bytes: 1024, ping: true };
const HELLO = { t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS };
const WELCOME = {
  t: 'welcome',
  sid: 's',
  tok: 'k',
  gen: 1,
  resumed: false,
  recv: 0,
  epoch: 'e',
  ttl: 1000,
  hb: { interval: 25_000, timeout: 20_000 },
  limits: { messages: 16, bytes: 1024 },
};

const parse = (value: unknown) => parseControl(`\u0001${JSON.stringify(value)}`);
const parseText = (json: string) => parseControl(`\u0001${json}`);

describe('escaping', () => {
  it.each(['', 'a', 'a\u0001', '\u0001', '\u0001\u0001', '\u0001{"t":"bye"}', '\u0000', '\u{1f600}'])(
    '%j comes back as it was',
    (text) => {
      const wire = escapeText(text);
      expect(isMarked(wire) ? unescapeText(wire) : wire).toBe(text);
    },
  );

  it('only marked text grows', () => {
    expect(escapeText('a\u0001')).toBe('a\u0001');
    expect(escapeText('\u0001')).toBe('\u0001\u0001');
  });

  it('a control message is no text', () => {
    expect(unescapeText(serializeControl({ t: 'bye' }))).toBeUndefined();
    expect(unescapeText('\u0001')).toBeUndefined();
  });
});

describe('parseControl', () => {
  it('text without the mark -> no control message, whatever stands there instead', () => {
    expect(parseControl('{"t":"bye"}')).toBeUndefined();
    expect(parseControl('x{"t":"bye"}')).toBeUndefined();
    expect(parseControl('x{"t":"a","r":1,"s":1}')).toBeUndefined();
    expect(parseControl('')).toBeUndefined();
  });

  it.each(['', ' ', '{', 'null', '1', '"a"', '[]', '["a"]', '[{"t":"bye"}]', '{}', '{"t":1}', '{"t":"A"}'])(
    '%j -> none',
    (json) => {
      expect(parseText(json)).toBeUndefined();
    },
  );

  it('JSON at any depth, as it is not looked at', () => {
    const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
    expect(parseText(`{"t":"p","x":${deep}}`)).toEqual({ t: 'p' });
    expect(parseText('['.repeat(4000))).toBeUndefined();
  });

  it('at most 4096 UTF-16 units, the mark included', () => {
    const json = (length: number) => `{"t":"p","x":"${'y'.repeat(length - 16)}"}`;
    expect(parseText(json(4095))).toEqual({ t: 'p' });
    expect(parseText(json(4096))).toBeUndefined();
  });

  it('members that are not known are left out, and __proto__ changes no prototype', () => {
    const control = parseText('{"t":"a","r":1,"s":2,"x":3,"__proto__":{"polluted":true}}');
    expect(control).toEqual({ t: 'a', r: 1, s: 2 });
    expect(Object.getPrototypeOf(control)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    // Nor does what is inherited count as a member.
    expect(parseText('{"__proto__":{"t":"bye"}}')).toBeUndefined();
    expect(parseText('{"t":"__proto__"}')).toBeUndefined();
    expect(parseText('{"t":"constructor"}')).toBeUndefined();
  });

  it.each([-1, 0.5, 2 ** 53, 1e300, '1', null, true, [1], { valueOf: 1 }])(
    'the count %j -> none',
    (count) => {
      expect(parse({ t: 'a', r: count, s: 0 })).toBeUndefined();
      expect(parse({ t: 'a', r: 0, s: count })).toBeUndefined();
      expect(parse({ ...HELLO, sid: 's', tok: 'k', recv: count })).toBeUndefined();
      expect(parse({ ...WELCOME, resumed: true, recv: count })).toBeUndefined();
    },
  );

  it.each(['01', '+1', '1e400', '-0.5', 'NaN', 'Infinity', '1.', '9007199254740993'])(
    'r: %s -> none',
    (r) => {
      expect(parseText(`{"t":"a","r":${r},"s":0}`)).toBeUndefined();
    },
  );

  it('the largest count', () => {
    expect(parseText('{"t":"a","r":9007199254740991,"s":999999999999999}')).toEqual({
      t: 'a',
      r: Number.MAX_SAFE_INTEGER,
      s: 999_999_999_999_999,
    });
  });

  it.each([
    ['no version', { v: undefined }],
    ['another version', { v: 2 }],
    ['generation 0', { gen: 0 }],
    ['sid without tok', { sid: 's' }],
    ['tok without sid', { tok: 'k' }],
    ['an empty sid', { sid: '', tok: 'k' }],
    ['a long tok', { sid: 's', tok: 'k'.repeat(65) }],
    ['a sid that is no text', { sid: 1, tok: 'k' }],
    ['messages received of no session', { recv: 1 }],
    ['no caps', { caps: undefined }],
    ['caps in an array', { caps: [CAPS] }],
    ['a window of no messages', { caps: { ...CAPS, messages: 0 } }],
    ['a window of no bytes', { caps: { ...CAPS, bytes: 0 } }],
    ['ping that is no boolean', { caps: { ...CAPS, ping: 1 } }],
  ])('hello with %s -> none', (_name, change) => {
    expect(parse(HELLO)).toEqual(HELLO);
    expect(parse({ ...HELLO, ...change })).toBeUndefined();
  });

  it.each([
    ['no sid', { sid: undefined }],
    ['no tok', { tok: undefined }],
    ['no epoch', { epoch: undefined }],
    ['generation 0', { gen: 0 }],
    ['resumed that is no boolean', { resumed: 1 }],
    ['messages received of a new session', { recv: 1 }],
    ['no time to live', { ttl: 0 }],
    ['a time longer than timers run', { ttl: 2 ** 31 }],
    ['no heartbeat', { hb: null }],
    ['a heartbeat without a pause', { hb: { interval: 0, timeout: 1 } }],
    ['a heartbeat without patience', { hb: { interval: 1, timeout: 0 } }],
    ['no limits', { limits: undefined }],
    ['limits in an array', { limits: [] }],
    ['a reason that is no text', { reason: 1 }],
  ])('welcome with %s -> none', (_name, change) => {
    expect(parse(WELCOME)).toEqual(WELCOME);
    expect(parse({ ...WELCOME, reason: 'unknown' })).toEqual({ ...WELCOME, reason: 'unknown' });
    expect(parse({ ...WELCOME, ...change })).toBeUndefined();
  });

  it.each([
    {},
    { in: -1 },
    { in: 2 ** 31 },
    { in: '1' },
    { in: 1, retryAfter: -1 },
    { in: 1, retryAfter: null },
  ])('drain with %j -> none', (members) => {
    expect(parse({ t: 'drain', in: 0 })).toEqual({ t: 'drain', in: 0 });
    expect(parse({ t: 'drain', ...members })).toBeUndefined();
  });
});

describe('serializeAcknowledgement', () => {
  it.each([
    [0, 0],
    [1, 2],
    [999_999_999_999_999, Number.MAX_SAFE_INTEGER],
  ])('r %d, s %d -> as the general way', (r, s) => {
    const control: Control = { t: 'a', r, s };
    expect(serializeAcknowledgement(r, s)).toBe(serializeControl(control));
    expect(parseControl(serializeAcknowledgement(r, s))).toEqual(control);
  });
});
