import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  closeBegunBy,
  type ExpectedClose,
  isCleanEnd,
  judge,
  judgeBehavior,
  judgeClose,
  matches,
  type Observation,
  type Outcome,
} from '../../src/conform/judgement.js';
import type { CloseRecord, Side, Subject } from '../../src/conform/result.js';
import type { TesterEvent } from '../../src/conform/tester.js';
import { BEHAVIORS, CLOSE_BEHAVIORS } from '../../src/conform/verdict.js';

const CODE = (code: number | null): CloseRecord => ({ code, reason: '' });

/** The tester closed, the server answered and ended TCP. */
const CLEAN: Observation = {
  subject: 'server',
  events: [],
  violations: [],
  firstClose: 'tester',
  peerClose: CODE(1000),
  testerClose: CODE(1000),
  droppedBy: 'peer',
  wasReset: false,
};
const EXPECTED: ExpectedClose = { by: 'tester', codes: [1000], isClean: true };

const text = (payload: string): TesterEvent => ({
  type: 'text',
  payload: Buffer.from(payload),
  frames: 1,
  isCompressed: false,
});

describe('the end of a connection', () => {
  it.each<[string, Partial<Observation>, Partial<ExpectedClose>, string]>([
    ['a complete handshake, TCP ended by the server', {}, {}, 'OK'],
    [
      'the same with a client under test: the tester ends TCP',
      { subject: 'client', droppedBy: 'tester' },
      {},
      'OK',
    ],
    ['a client that ends TCP itself, behind both Close frames', { subject: 'client' }, {}, 'OK'],
    ['a server that leaves TCP to the tester', { droppedBy: 'tester' }, {}, 'UNCLEAN'],
    [
      'the same where nothing clean is asked for',
      { droppedBy: 'tester' },
      { isClean: false },
      'FAILED BY CLIENT',
    ],
    ['no Close frame in answer', { peerClose: null }, {}, 'UNCLEAN'],
    ['the same where nothing clean is asked for', { peerClose: null }, { isClean: false }, 'OK'],
    ['a Close frame in answer without a code', { peerClose: CODE(null) }, {}, 'OK'],
    ['another code', { peerClose: CODE(1002) }, {}, 'WRONG CODE'],
    ['one of several codes', { peerClose: CODE(1002) }, { codes: [1000, 1002] }, 'OK'],
    ['unclean comes before a wrong code', { peerClose: CODE(1002), testerClose: null }, {}, 'UNCLEAN'],
    [
      'a wrong code comes before who ended TCP',
      { peerClose: CODE(1002), droppedBy: 'tester' },
      { isClean: false },
      'WRONG CODE',
    ],
    ['the peer began, the tester should have', { firstClose: 'peer' }, {}, 'FAILED'],
    ['the tester began, the peer should have', {}, { by: 'peer' }, 'FAILED'],
    ['the peer began, as it should', { firstClose: 'peer' }, { by: 'peer' }, 'OK'],
    [
      'TCP dropped without a Close frame, by who should begin',
      { firstClose: null, peerClose: null, testerClose: null },
      { by: 'peer', isClean: false },
      'OK',
    ],
    [
      'the same where it has to be clean',
      { firstClose: null, peerClose: null, testerClose: null },
      { by: 'peer' },
      'UNCLEAN',
    ],
    [
      'TCP dropped without a Close frame, by who should not',
      { firstClose: null, peerClose: null, testerClose: null },
      {},
      'FAILED',
    ],
    [
      'nothing at all',
      { firstClose: null, peerClose: null, testerClose: null, droppedBy: null },
      { isClean: false },
      'FAILED',
    ],
    ['a reset behind the handshake changes nothing', { wasReset: true }, {}, 'OK'],
  ])('%s', (_name, seen, expected, verdict) => {
    expect(judgeClose({ ...CLEAN, ...seen }, { ...EXPECTED, ...expected })).toBe(verdict);
  });

  it('was begun by who ended TCP only where no Close frame has gone', () => {
    expect(closeBegunBy({ ...CLEAN, firstClose: 'tester', droppedBy: 'peer' })).toBe('tester');
    expect(closeBegunBy({ ...CLEAN, firstClose: null, droppedBy: 'peer' })).toBe('peer');
    expect(closeBegunBy({ ...CLEAN, firstClose: null, droppedBy: null })).toBeNull();
  });

  it('is clean towards a server only if that ended TCP', () => {
    expect(isCleanEnd(CLEAN)).toBe(true);
    expect(isCleanEnd({ ...CLEAN, droppedBy: 'tester' })).toBe(false);
    expect(isCleanEnd({ ...CLEAN, droppedBy: null })).toBe(true);
    expect(isCleanEnd({ ...CLEAN, droppedBy: 'tester', subject: 'client' })).toBe(true);
    expect(isCleanEnd({ ...CLEAN, testerClose: null })).toBe(false);
  });
});

describe('what a peer did', () => {
  const echo: Outcome = { behavior: 'OK', events: [{ type: 'text', payload: 'hi' }] };
  const silence: Outcome = { behavior: 'NON-STRICT', events: [] };

  it.each<[string, TesterEvent[], Outcome[], string]>([
    ['the one outcome', [text('hi')], [echo], 'OK'],
    ['the second of two', [], [echo, silence], 'NON-STRICT'],
    ['the first of two that fit', [], [silence, { behavior: 'OK', events: [] }], 'NON-STRICT'],
    ['one event too many', [text('hi'), text('hi')], [echo, silence], 'FAILED'],
    ['one too few', [], [echo], 'FAILED'],
    ['another payload', [text('ho')], [echo], 'FAILED'],
    ['a payload that goes on', [text('hii')], [echo], 'FAILED'],
    ['another type', [{ type: 'pong', payload: Buffer.from('hi') }], [echo], 'FAILED'],
    ['a mark in place of a message', [{ type: 'mark', mark: 'hi' }], [echo], 'FAILED'],
    ['no outcome at all', [], [], 'FAILED'],
  ])('%s', (_name, events, outcomes, verdict) => {
    expect(judgeBehavior({ ...CLEAN, events }, outcomes, EXPECTED)).toBe(verdict);
  });

  it('is compared in its order, marks included', () => {
    const outcome: Outcome = {
      behavior: 'OK',
      events: [
        { type: 'mark', mark: 'A' },
        { type: 'text', payload: 'x' },
      ],
    };
    expect(matches(outcome, [{ type: 'mark', mark: 'A' }, text('x')])).toBe(true);
    expect(matches(outcome, [text('x'), { type: 'mark', mark: 'A' }])).toBe(false);
    expect(matches(outcome, [{ type: 'mark', mark: 'B' }, text('x')])).toBe(false);
  });

  it.each<[string, Partial<Observation>, ExpectedClose['endIsBehavior'], string]>([
    ['the wrong side closes, and that counts', { firstClose: 'peer' }, 'wrong side', 'FAILED'],
    ['the wrong side closes, and only the code counts', { firstClose: 'peer' }, 'wrong code', 'OK'],
    ['the wrong side closes, and nothing counts', { firstClose: 'peer' }, undefined, 'OK'],
    ['the code is wrong, and that counts', { peerClose: CODE(1002) }, 'wrong code', 'FAILED'],
    ['the code is wrong, and only the side counts', { peerClose: CODE(1002) }, 'wrong side', 'OK'],
    ['there is no code, and it would count', { peerClose: CODE(null) }, 'wrong code', 'OK'],
  ])('where its end counts too: %s', (_name, seen, endIsBehavior, verdict) => {
    const close = { ...EXPECTED, ...(endIsBehavior !== undefined && { endIsBehavior }) };
    expect(judgeBehavior({ ...CLEAN, ...seen, events: [text('hi')] }, [echo], close)).toBe(verdict);
  });
});

const side = fc.constantFrom<Side>('tester', 'peer');
const sideOrNone = fc.option(side);
const closeRecord = fc.option(
  fc.record({ code: fc.option(fc.nat({ max: 65_535 })), reason: fc.string({ unit: 'binary' }) }),
);
const bytes = fc.uint8Array({ maxLength: 30 });
const event: fc.Arbitrary<TesterEvent> = fc.oneof(
  fc.record({
    type: fc.constantFrom('text' as const, 'binary' as const),
    payload: bytes,
    frames: fc.nat(),
    isCompressed: fc.boolean(),
  }),
  fc.record({ type: fc.constant('pong' as const), payload: bytes }),
  fc.record({ type: fc.constant('mark' as const), mark: fc.string() }),
);
const observation: fc.Arbitrary<Observation> = fc.record({
  subject: fc.constantFrom<Subject>('server', 'client'),
  events: fc.array(event, { maxLength: 8 }),
  violations: fc.array(fc.record({ kind: fc.constant('flood' as const), detail: fc.string() }), {
    maxLength: 5,
  }),
  firstClose: sideOrNone,
  peerClose: closeRecord,
  testerClose: closeRecord,
  droppedBy: sideOrNone,
  wasReset: fc.boolean(),
});
const expectedClose: fc.Arbitrary<ExpectedClose> = fc.record(
  {
    by: side,
    codes: fc.array(fc.nat({ max: 65_535 })),
    isClean: fc.boolean(),
    endIsBehavior: fc.constantFrom('wrong side' as const, 'wrong code' as const),
  },
  { requiredKeys: ['by', 'codes', 'isClean'] },
);
const outcome: fc.Arbitrary<Outcome> = fc.record({
  behavior: fc.constantFrom(...BEHAVIORS),
  events: fc.array(
    fc.oneof(
      fc.record({
        type: fc.constantFrom('text' as const, 'binary' as const, 'pong' as const),
        payload: bytes,
      }),
      fc.record({ type: fc.constant('mark' as const), mark: fc.string() }),
    ),
    { maxLength: 3 },
  ),
});

describe('any observation', () => {
  it('gets verdicts and a sentence, FAILED where no outcome fits', () => {
    fc.assert(
      fc.property(
        observation,
        fc.array(outcome, { maxLength: 3 }),
        expectedClose,
        (seen, outcomes, close) => {
          const judgement = judge(seen, outcomes, close);
          expect(BEHAVIORS).toContain(judgement.behavior);
          expect(CLOSE_BEHAVIORS).toContain(judgement.behaviorClose);
          expect(judgement.finding).toMatch(/^The peer sent .*\.$/s);
          const fitting = outcomes.filter((one) => matches(one, seen.events));
          if (fitting.length === 0) expect(judgement.behavior).toBe('FAILED');
          else expect(['FAILED', fitting[0]!.behavior]).toContain(judgement.behavior);
          expect(JSON.parse(JSON.stringify(judgement))).toEqual(judgement);
        },
      ),
    );
  });

  it('that fits is judged by its outcome, unless its end counts as behavior', () => {
    fc.assert(
      fc.property(observation, expectedClose, fc.constantFrom(...BEHAVIORS), (seen, close, behavior) => {
        const { endIsBehavior: _, ...end } = close;
        const events = seen.events.map((one) =>
          one.type === 'mark' ? one : { type: one.type, payload: one.payload },
        );
        expect(judge(seen, [{ behavior, events }], end).behavior).toBe(behavior);
      }),
    );
  });

  it('tells what came before a pause was over from what came later', () => {
    const finding = (events: TesterEvent[]): string => judge({ ...CLEAN, events }, [], EXPECTED).finding;
    const mark: TesterEvent = { type: 'mark', mark: 'A' };
    expect(finding([mark])).toMatch(/^The peer sent no message until the end of pause A, then no message\. /);
    expect(finding([text('x'), mark, text('y'), text('z')])).toMatch(
      /^The peer sent text \(.*\) until the end of pause A, then text \(.*\), text \(.*\)\. /,
    );
    expect(finding([mark, text('x'), text('y'), text('z'), text('more')])).toMatch(/, 1 more\. /);
  });

  it('with thousands of events has a finding of a few lines', () => {
    const events = Array.from({ length: 20_000 }, () => text('x'.repeat(1000)));
    expect(judge({ ...CLEAN, events }, [], EXPECTED).finding.length).toBeLessThan(1000);
  });
});
