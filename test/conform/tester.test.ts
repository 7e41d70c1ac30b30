import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type FrameSpec, serializeFrame } from '../../src/conform/frame.js';
import type { Subject } from '../../src/conform/result.js';
import {
  fragments,
  type MessageCodec,
  Tester,
  type TesterOptions,
  type ViolationKind,
} from '../../src/conform/tester.js';
import { closePayload } from '../support/frames.js';
import { StubConnection } from './stub-connection.js';

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const SUBJECTS: readonly Subject[] = ['server', 'client'];

/** A frame as the peer under test sends it: masked if that is a client. */
function fromPeer(subject: Subject, ...specs: FrameSpec[]): Uint8Array {
  const other = subject === 'server' ? 'client' : 'server';
  return Buffer.concat(specs.map((spec) => serializeFrame(spec, other).bytes));
}

function start(subject: Subject, options: TesterOptions = {}) {
  const connection = new StubConnection();
  const tester = new Tester(connection.asConnection, subject, options);
  const receive = (...specs: FrameSpec[]): void => connection.receive(fromPeer(subject, ...specs));
  return { connection, tester, receive };
}

/** A codec that turns each byte over, so that compressed and plain are told apart. */
function turningCodec(close: () => void = () => {}): MessageCodec {
  const turned = (payload: Uint8Array): Uint8Array => {
    if (payload[0] === 0xee) throw new Error('no such block');
    return payload.map((byte) => byte ^ 0xff);
  };
  return { outgoing: { windowBits: 15, noContextTakeover: false }, deflate: turned, inflate: turned, close };
}

interface Breach {
  kind: ViolationKind;
  frames: FrameSpec[];
  /** The code with which a strict tester fails the connection. */
  code: 1002 | 1007;
  options?: TesterOptions;
  subject?: Subject;
  /** Only fatal faults end the connection of a lenient tester. */
  isFatal?: boolean;
}

const codec = turningCodec();
const BREACHES: readonly Breach[] = [
  {
    kind: 'masked-frame',
    subject: 'server',
    frames: [{ opcode: TEXT, payload: 'x', isMasked: true }],
    code: 1002,
  },
  {
    kind: 'unmasked-frame',
    subject: 'client',
    frames: [{ opcode: TEXT, payload: 'x', isMasked: false }],
    code: 1002,
  },
  ...[1, 2, 4].map((rsv) => ({
    kind: 'reserved-bit' as const,
    frames: [{ opcode: TEXT, rsv }],
    code: 1002 as const,
  })),
  { kind: 'reserved-bit', frames: [{ opcode: TEXT, rsv: 2 }], code: 1002, options: { codec } },
  { kind: 'reserved-bit', frames: [{ opcode: PING, rsv: 4 }], code: 1002, options: { codec } },
  ...[3, 7, 11, 15].map((opcode) => ({
    kind: 'reserved-opcode' as const,
    frames: [{ opcode }],
    code: 1002 as const,
  })),
  { kind: 'length-not-minimal', frames: [{ opcode: BINARY, payload: 'x', lengthForm: 16 }], code: 1002 },
  {
    kind: 'length-not-minimal',
    frames: [{ opcode: BINARY, payload: 'x'.repeat(126), lengthForm: 64 }],
    code: 1002,
  },
  { kind: 'control-too-long', frames: [{ opcode: PING, payload: 'x'.repeat(126) }], code: 1002 },
  { kind: 'control-fragmented', frames: [{ opcode: PING, isFinal: false }], code: 1002 },
  { kind: 'continuation-without-start', frames: [{ opcode: CONTINUATION }], code: 1002 },
  {
    kind: 'data-inside-message',
    frames: [{ opcode: TEXT, isFinal: false }, { opcode: TEXT }],
    code: 1002,
  },
  {
    kind: 'compressed-continuation',
    frames: [
      { opcode: TEXT, rsv: 4, isFinal: false },
      { opcode: CONTINUATION, rsv: 4 },
    ],
    code: 1002,
    options: { codec },
  },
  { kind: 'invalid-utf8', frames: [{ opcode: TEXT, payload: Uint8Array.of(0xc3) }], code: 1007 },
  {
    kind: 'invalid-utf8',
    frames: [
      { opcode: TEXT, payload: Uint8Array.of(0xe2, 0x82), isFinal: false },
      { opcode: CONTINUATION, payload: 'x' },
    ],
    code: 1007,
  },
  {
    kind: 'invalid-deflate',
    frames: [{ opcode: BINARY, rsv: 4, payload: Uint8Array.of(0xee) }],
    code: 1007,
    options: { codec },
    isFatal: true,
  },
  { kind: 'close-payload-of-one-byte', frames: [{ opcode: CLOSE, payload: 'x' }], code: 1002 },
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map((code) => ({
    kind: 'close-code' as const,
    frames: [{ opcode: CLOSE, payload: closePayload(code) }],
    code: 1002 as const,
  })),
  {
    kind: 'close-reason-utf8',
    frames: [{ opcode: CLOSE, payload: closePayload(1000, Uint8Array.of(0xff)) }],
    code: 1007,
  },
  { kind: 'frame-after-close', frames: [{ opcode: CLOSE }, { opcode: TEXT }], code: 1002 },
  { kind: 'too-long', frames: [{ opcode: BINARY, announcedLength: 2n ** 63n }], code: 1002, isFatal: true },
  { kind: 'too-long', frames: [{ opcode: BINARY, announcedLength: 2n ** 40n }], code: 1002, isFatal: true },
];

describe.each(
  SUBJECTS.flatMap((subject) =>
    BREACHES.filter((one) => (one.subject ?? subject) === subject).map((one) => ({ ...one, subject })),
  ),
)('$kind of a $subject', ({ kind, subject, frames, code, options = {}, isFatal = false }) => {
  it('is noticed by a strict tester, which fails the connection for it', () => {
    const { connection, tester, receive } = start(subject, {
      ...options,
      isStrict: true,
      answersClose: false,
    });
    receive(...frames, { opcode: BINARY, payload: 'behind' });
    expect(tester.violations.map((one) => one.kind)).toEqual([kind]);
    expect(tester.violations[0]!.detail).not.toBe('');
    expect(connection.sent.map(({ opcode, payload }) => [opcode, payload.readUInt16BE()])).toEqual([
      [CLOSE, code],
    ]);
    expect(connection.droppedBy).toBe('tester');
    // Nothing behind it counts, nor is it written down.
    const { length } = connection.log.records;
    receive({ opcode: BINARY, payload: 'late' });
    expect(connection.log.records).toHaveLength(length);
    expect(tester.messages.map(({ payload }) => Buffer.from(payload).toString())).not.toContain('behind');
  });

  it(`is noticed by a lenient one, which ${isFatal ? 'cannot go on either' : 'goes on'}`, () => {
    const { connection, tester, receive } = start(subject, options);
    receive(...frames);
    expect(tester.hasViolated(kind)).toBeDefined();
    expect(connection.log.records.some((one) => one.kind === 'note' && one.text.includes(kind))).toBe(true);
    expect(connection.droppedBy).toBe(isFatal ? 'tester' : null);
    const before = tester.messages.length;
    receive({ opcode: BINARY, payload: 'behind' });
    const goesOn = !isFatal && tester.peerClose === null;
    if (goesOn && kind !== 'control-fragmented') expect(tester.messages.length).toBe(before + 1);
    if (isFatal) expect(tester.messages.length).toBe(before);
  });
});

describe.each(SUBJECTS)('what a %s may send', (subject) => {
  it('breaks no rule, even in the eyes of a strict tester', () => {
    const { tester, receive, connection } = start(subject, { isStrict: true, codec });
    receive(
      { opcode: TEXT, payload: 'κόσμε' },
      { opcode: BINARY, payload: Uint8Array.of(0xff) },
      { opcode: BINARY, payload: new Uint8Array(65_536) },
      { opcode: TEXT, payload: Uint8Array.of(0xe2), isFinal: false },
      { opcode: PING, payload: 'x'.repeat(125) },
      { opcode: CONTINUATION, payload: Uint8Array.of(0x82, 0xac) },
      { opcode: TEXT, rsv: 4, payload: Uint8Array.from(Buffer.from('hi'), (byte) => byte ^ 0xff) },
      { opcode: PONG, payload: 'unasked' },
      { opcode: CLOSE, payload: closePayload(4999, 'κόσμε') },
    );
    expect(tester.violations).toEqual([]);
    const seen = tester.messages.map(({ type, payload, frames, isCompressed }) => [
      type,
      payload.length > 100 ? payload.length : Buffer.from(payload).toString(),
      frames,
      isCompressed,
    ]);
    expect(seen).toEqual([
      ['text', 'κόσμε', 1, false],
      ['binary', '\ufffd', 1, false],
      ['binary', 65_536, 1, false],
      ['text', '€', 2, false],
      ['text', 'hi', 1, true],
    ]);
    expect(tester.peerClose).toMatchObject({ code: 4999, reason: 'κόσμε' });
    expect(connection.sent.map(({ opcode }) => opcode)).toEqual([PONG, CLOSE]);
  });

  it('gives the same events however it is cut into pieces', () => {
    const spec: fc.Arbitrary<FrameSpec> = fc.record({
      opcode: fc.constantFrom(TEXT, BINARY, CONTINUATION, PING, PONG, 3),
      payload: fc.uint8Array({ maxLength: 140 }),
      isFinal: fc.boolean(),
      rsv: fc.constantFrom(0, 0, 0, 4),
    });
    const eventsOf = (pieces: Uint8Array[], isStrict: boolean) => {
      const { connection, tester } = start(subject, { isStrict });
      connection.receive(...pieces);
      const { events, violations, pingsReceived } = tester;
      return JSON.stringify([events, violations, pingsReceived, connection.sent], (key, value) =>
        key === 'payload'
          ? Object.values(value.data ?? value)
          : key === 'bytes' || key === 'maskingKey'
            ? ''
            : value,
      );
    };
    fc.assert(
      fc.property(
        fc.array(spec, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        fc.boolean(),
        (specs, places, isStrict) => {
          const bytes = fromPeer(subject, ...specs);
          const ends = [
            ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b),
            bytes.length,
          ];
          const pieces = ends.map((end, at) => Uint8Array.from(bytes.subarray(ends[at - 1] ?? 0, end)));
          const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
          const whole = eventsOf([bytes], isStrict);
          expect(eventsOf(pieces, isStrict)).toBe(whole);
          expect(eventsOf(single, isStrict)).toBe(whole);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.each(SUBJECTS)('towards a %s the tester', (subject) => {
  it('answers a Ping with its payload, until it has sent a Close frame', async () => {
    const { tester, receive, connection } = start(subject);
    receive({ opcode: PING, payload: 'one' }, { opcode: PING });
    await tester.close(1000);
    receive({ opcode: PING, payload: 'late' });
    expect(connection.sent.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
      [PONG, 'one'],
      [PONG, ''],
      [CLOSE, '\x03\xe8'],
    ]);
    expect(tester.pingsReceived).toBe(3);
  });

  it('masks what it sends to a server, and nothing else', async () => {
    const { tester, connection } = start(subject);
    await tester.send({ opcode: TEXT, payload: 'x' });
    await tester.sendMessage('text', Buffer.from('y'));
    await tester.close();
    expect(connection.sent.map(({ maskingKey }) => maskingKey !== undefined)).toEqual(
      Array(3).fill(subject === 'server'),
    );
  });

  it('answers no Ping that is too long, none where it is told so, and none to a peer that does not read', () => {
    const { receive, connection } = start(subject);
    receive({ opcode: PING, payload: 'x'.repeat(126) });
    connection.isCongested = true;
    receive({ opcode: PING });
    const silent = start(subject, { answersPings: false });
    silent.receive({ opcode: PING });
    expect([...connection.sent, ...silent.connection.sent]).toEqual([]);
  });

  it('answers a Close frame with 1000, once', () => {
    const { tester, receive, connection } = start(subject);
    receive({ opcode: CLOSE, payload: closePayload(1001) }, { opcode: CLOSE });
    expect(connection.sent.map(({ payload }) => payload.readUInt16BE())).toEqual([1000]);
    expect(tester).toMatchObject({ firstClose: 'peer', hasClosed: true, isOpen: false, framesAfterClose: 1 });
    expect(tester.peerClose).toMatchObject({ code: 1001, reason: '' });
    expect(tester.testerClose).toEqual({ code: 1000, reason: '' });
  });

  it('answers no Close frame where it is told so', () => {
    const { tester, receive, connection } = start(subject, { answersClose: false });
    receive({ opcode: CLOSE });
    expect(connection.sent).toEqual([]);
    expect(tester).toMatchObject({
      peerClose: { code: null, reason: '' },
      testerClose: null,
      hasClosed: false,
    });
  });

  it('knows who closed first, and hears what comes behind its own Close frame', async () => {
    const { tester, receive } = start(subject);
    await tester.close(1000, 'bye');
    receive({ opcode: TEXT, payload: 'late' }, { opcode: CLOSE, payload: closePayload(1000) });
    expect(tester).toMatchObject({ firstClose: 'tester', testerClose: { code: 1000, reason: 'bye' } });
    expect(tester.messages).toHaveLength(1);
    expect(tester.violations).toEqual([]);
  });

  it('begins no closing handshake with a Close frame that has reserved bits', async () => {
    const { tester } = start(subject);
    await tester.send({ opcode: CLOSE, rsv: 1 });
    expect(tester).toMatchObject({ firstClose: null, testerClose: null, isOpen: true });
  });

  it('takes events in their order, and none where the peer has gone or keeps silent', async () => {
    const { tester, receive, connection } = start(subject);
    receive({ opcode: PONG, payload: 'p' }, { opcode: BINARY, payload: 'b' });
    expect(await tester.take(1000)).toMatchObject({ type: 'pong' });
    expect(await tester.take(1000)).toMatchObject({ type: 'binary' });
    expect(await tester.take(1)).toBeUndefined();
    const waiting = tester.take(60_000);
    connection.peerEnds();
    expect(await waiting).toBeUndefined();
    expect(tester.isOver).toBe(true);
  });

  it('sends a message in frames that end with an empty one where the size divides it', async () => {
    const { tester, connection } = start(subject, { codec });
    await tester.sendMessage('binary', new Uint8Array(4), 2);
    expect(
      connection.sent.map(({ opcode, fin, rsv1, payload }) => [opcode, fin, rsv1, payload.length]),
    ).toEqual([
      [BINARY, false, true, 2],
      [CONTINUATION, false, false, 2],
      [CONTINUATION, true, false, 0],
    ]);
    connection.canWrite = false;
    await tester.sendMessage('binary', new Uint8Array(4));
    expect(connection.sent).toHaveLength(3);
  });

  it('gives back the codec when the connection is gone', () => {
    const close = vi.fn();
    const { connection } = start(subject, { codec: turningCodec(close) });
    expect(close).not.toHaveBeenCalled();
    connection.peerEnds();
    expect(close).toHaveBeenCalledOnce();
  });

  it('keeps an inflated payload, unless it is told that it may lend it', () => {
    const shared = new Uint8Array(2);
    const lend = (payload: Uint8Array): Uint8Array => {
      shared.set(payload);
      return shared;
    };
    const lending: MessageCodec = { ...turningCodec(), inflate: lend };
    const payloads = [true, false].map((lendsPayloads) => {
      const { tester, receive } = start(subject, { codec: lending, lendsPayloads });
      receive({ opcode: BINARY, rsv: 4, payload: 'ab' }, { opcode: BINARY, rsv: 4, payload: 'cd' });
      return tester.messages.map(({ payload }) => Buffer.from(payload).toString());
    });
    expect(payloads).toEqual([
      ['cd', 'cd'],
      ['ab', 'cd'],
    ]);
  });
});

describe('a flood', () => {
  const MAX_BLOCKS = 100;

  /** Feeds `frame` until the tester has had enough. */
  function flood(options: TesterOptions, frame: FrameSpec, first: FrameSpec[] = []) {
    const { tester, connection, receive } = start('server', options);
    receive(...first);
    const bytes = fromPeer('server', frame);
    const block = Buffer.concat(Array<Uint8Array>(bytes.length > 1000 ? 1 : 1000).fill(bytes));
    let blocks = 0;
    while (connection.droppedBy === null && blocks < MAX_BLOCKS) {
      connection.receive(block);
      blocks++;
    }
    return { tester, connection, blocks };
  }

  it.each<[string, FrameSpec, FrameSpec[]]>([
    ['of messages', { opcode: TEXT, payload: 'x' }, []],
    ['of Pongs', { opcode: PONG }, []],
    ['of Pings', { opcode: PING }, []],
    ['of bytes in messages', { opcode: BINARY, payload: new Uint8Array(1 << 20) }, []],
    [
      'of bytes in one message',
      { opcode: CONTINUATION, payload: new Uint8Array(1 << 20), isFinal: false },
      [{ opcode: BINARY, isFinal: false }],
    ],
  ])('%s is stopped, as a violation', (_name, frame, first) => {
    const { tester, connection } = flood({}, frame, first);
    expect(tester.hasViolated('flood')).toBeDefined();
    expect(connection.droppedBy).toBe('tester');
    const { length } = tester.events;
    connection.receive(fromPeer('server', frame));
    expect(tester.events.length).toBe(length);
  });

  it('of messages may be as long as one likes if each is taken', async () => {
    const { tester, connection, receive } = start('server');
    for (let n = 0; n < 25_000; n++) {
      receive({ opcode: BINARY, payload: 'xxxx' });
      await tester.take(1000);
    }
    for (let n = 0; n < 70; n++) {
      receive({ opcode: BINARY, payload: new Uint8Array(1 << 20) });
      await tester.take(1000);
    }
    expect([tester.violations, connection.droppedBy]).toEqual([[], null]);
    expect(tester.frames.length).toBeLessThan(2);
  });

  it('of broken rules is counted to a hundred, and costs no more than that', () => {
    const { tester } = flood({}, { opcode: 3 });
    expect(tester.violations).toHaveLength(100);
    expect(tester.frames.length).toBeLessThanOrEqual(20_000);
    expect(tester.connection.log.records.length).toBeLessThan(100);
  });

  it('behind a Close frame is counted, nothing of it is kept, and in the end it is not read', () => {
    const { tester } = flood({}, { opcode: BINARY, payload: 'x' }, [{ opcode: CLOSE }]);
    expect(tester.framesAfterClose).toBe(20_001);
    expect(tester.isOver).toBe(true);
    expect(tester.events).toEqual([]);
  });
});

describe('fragments', () => {
  it('hold all bytes in order, only the last being shorter than the others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 60 }), (bytes, size) => {
        const parts = [...fragments(bytes, size)];
        expect(Buffer.concat(parts.map((part) => part.bytes))).toEqual(Buffer.from(bytes));
        expect(parts.map(({ at }) => at)).toEqual(parts.map((_, index) => index * size));
        expect(parts.map(({ isLast }) => isLast)).toEqual(
          parts.map((_, index) => index === parts.length - 1),
        );
        expect(parts.slice(0, -1).every((part) => part.bytes.length === size)).toBe(true);
        expect(parts.at(-1)!.bytes.length).toBe(bytes.length % size);
      }),
    );
  });
});
