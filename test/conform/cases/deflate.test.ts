// The cases about permessage-deflate against hawser, and against peers that are wrong in one point.

import { describe, expect, it } from 'vitest';
import { CASES } from '../../../src/conform/cases/index.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { CONTINUATION, PONG } from '../../../src/wire/opcode.js';
import { complaintsOf, idsLike, judgePeer } from '../broken-peers/judge-peer.js';
import type { Role } from '../broken-peers/peer.js';
import type { Change } from '../broken-peers/peer-opening.js';
import { hawserClient, judgeClient, judgeHawserServer, rawClient } from './raw-peers.js';
import { judgeScript, refusing } from './scripted-server.js';

const ROLES: readonly Role[] = ['server', 'client'];
const ALL = ['deflate.*'];

interface WrongPeer {
  does: string;
  change: Change;
  /** Every complaint in the group: patterns of ids, and what they come to. */
  complaints: Readonly<Record<string, string>>;
}

/** Cases that no wrong peer but one that is wrong in their very point may fail. */
const BYSTANDERS = [
  'deflate.one-fixed-block',
  'deflate.final-block',
  'deflate.*empty*',
  'deflate.rsv*',
  'deflate.bad-text-*',
  'deflate.without-agreement-*',
  'deflate.out-of-order-*',
  'deflate.peer-use-of-context',
  'deflate.peer-sets-*',
  'deflate.peer-window-of-15-bits',
];

/** What an inflater that is never asked whether it is done lets pass. */
const ENDS_EARLY = {
  'deflate.no-bytes': 'NON-STRICT',
  'deflate.cut-in-a-*-block': 'NON-STRICT',
  'deflate.tail-in-place': 'NON-STRICT',
  'deflate.no-empty-block': 'NON-STRICT',
};

const WRONG: readonly WrongPeer[] = [
  {
    does: '[RFC7692-7.2.1-12] [RFC7692-7.2.1-14] deflates with a larger window than agreed on',
    change: () => ({ deflate: (agreement) => ({ ...agreement, ownBits: 15 }) }),
    complaints: {
      'deflate.peer-window-of-8-bits': 'FAILED',
      'deflate.peer-window-of-9-bits': 'FAILED',
      'deflate.peer-window-of-10-bits': 'FAILED',
      'deflate.peer-window-of-11-bits': 'FAILED',
      'deflate.peer-window-of-12-bits': 'FAILED',
      'deflate.peer-window-of-13-bits': 'FAILED',
      'deflate.peer-window-of-14-bits': 'FAILED',
      'deflate.peer-keeps-no-context-and-a-small-window': 'FAILED',
    },
  },
  {
    does: '[RFC7692-7.2.1-8] [RFC7692-7.2.1-10] keeps its context though it agreed not to',
    change: () => ({ deflate: (agreement) => ({ ...agreement, ownKeepsContext: true }) }),
    complaints: { 'deflate.peer-keeps-no-context*': 'FAILED' },
  },
  {
    does: '[RFC7692-7.2.2-3] [RFC7692-7.2.2-5] forgets what it inflated',
    change: () => ({ deflate: (agreement) => ({ ...agreement, peerKeepsContext: false }) }),
    complaints: {
      'deflate.window-of-the-message-before': 'FAILED',
      'deflate.farthest-match-into-the-message-before': 'FAILED',
      'deflate.window-over-many-messages': 'FAILED',
      'deflate.window-passes-over-*': 'FAILED',
      'deflate.a-hundred-messages-both-ways': 'FAILED',
    },
  },
  {
    does: '[RFC7692-7.2.2-7] [RFC7692-7.2.2-9] remembers 512 bytes of what it inflated',
    change: () => ({ deflate: (agreement) => ({ ...agreement, remembersBits: 9 }) }),
    complaints: {
      'deflate.farthest-match-into-the-message-before': 'FAILED',
      'deflate.window-over-many-messages': 'FAILED',
      'deflate.a-hundred-messages-both-ways': 'FAILED',
    },
  },
  {
    does: '[RFC7692-7.2.1-4] takes a final block for the end of a message',
    change: () => ({ deflate: (agreement) => ({ ...agreement, stopsAtFinalBlock: true }) }),
    complaints: { 'deflate.final-block-in-the-middle': 'FAILED' },
  },
  {
    does: '[RFC7692-6.1-3] sets RSV1 on continuations',
    change: () => ({
      outgoing: (frame) => {
        if (frame.rsv === 0 || frame.payload.length < 200) return [frame];
        const [first, last] = [frame.payload.subarray(0, 100), frame.payload.subarray(100)];
        return [
          { ...frame, payload: first, isFinal: false, lengthForm: 7 },
          { ...frame, payload: last, opcode: CONTINUATION },
        ];
      },
    }),
    complaints: { 'deflate.peer-sets-rsv1-on-first-frames-only': 'FAILED' },
  },
  {
    does: '[RFC7692-6.1-3] sets RSV1 on Pongs',
    change: () => ({
      outgoing: (frame, peer) => [peer.hasDeflate && frame.opcode === PONG ? { ...frame, rsv: 4 } : frame],
    }),
    complaints: { 'deflate.peer-sets-rsv1-on-first-frames-only': 'FAILED' },
  },
  {
    does: '[RFC7692-6.1-4] ignores RSV1 on continuations',
    change: () => ({ overlooks: ['rsv1-on-continuation'] }),
    complaints: { 'deflate.rsv1-on-*continuation*': 'FAILED', 'deflate.rsv1-on-last-frame': 'FAILED' },
  },
  {
    does: '[RFC7692-6.1-4] ignores RSV1 on control frames',
    change: () => ({ overlooks: ['rsv1-on-control'] }),
    complaints: { 'deflate.rsv1-on-p*': 'FAILED', 'deflate.rsv1-on-close': 'FAILED' },
  },
  {
    does: '[RFC7692-6.1-5] takes compressed text for UTF-8 unseen',
    change: () => ({ overlooks: ['inflated-text'] }),
    complaints: { 'deflate.bad-text-*': 'FAILED' },
  },
  {
    does: '[RFC6455-5.2-2] takes RSV1 without agreement',
    change: () => ({ overlooks: ['rsv1'] }),
    // What is compressed is no UTF-8: as text it is refused all the same, for another reason.
    complaints: {
      'deflate.without-agreement-binary': 'FAILED',
      'deflate.without-agreement-text': 'WRONG CODE',
      'deflate.without-agreement-fragments': 'WRONG CODE',
    },
  },
  {
    does: '[RFC6455-5.4-2] [RFC6455-5.4-6] loses count of its frames',
    change: () => ({ overlooks: ['lone-continuation', 'data-inside-message', 'message-inside-message'] }),
    complaints: { 'deflate.out-of-order-*': 'FAILED' },
  },
  {
    does: '[RFC7692-7.2.2-1] takes a message that cannot be inflated as it is',
    change: () => ({ overlooks: ['deflate', 'inflated-text'] }),
    complaints: {
      ...ENDS_EARLY,
      'deflate.bad-text-*': 'FAILED',
      'deflate.reserved-block-type': 'FAILED',
      'deflate.stored-lengths-that-differ': 'FAILED',
      'deflate.match-be*': 'FAILED',
      'deflate.unused-*-code': 'FAILED',
      'deflate.impossible-codes': 'FAILED',
      'deflate.plain-text-with-rsv1': 'FAILED',
      'deflate.zlib-header': 'FAILED',
      'deflate.fault-*': 'FAILED',
    },
  },
];

describe.each(ROLES)('deflate: a %s', (role) => {
  const expected = (complaints: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(complaints).flatMap(([pattern, complaint]) =>
        idsLike(role, [pattern]).map((id) => [id, complaint]),
      ),
    );

  it('that is right satisfies every case', async () => {
    const results = await judgePeer(role, idsLike(role, ALL));
    expect(results.length).toBeGreaterThan(100);
    expect(complaintsOf(results)).toEqual({});
  });

  it('that is hawser is only blamed for DEFLATE data that ends early', async () => {
    expect(complaintsOf(await judgeHawser(role))).toEqual(expected(ENDS_EARLY));
  });

  it.each(WRONG)('that $does is found out, and blamed for nothing else', async ({ change, complaints }) => {
    const ids = idsLike(role, [...BYSTANDERS, ...Object.keys(complaints)]);
    expect(complaintsOf(await judgePeer(role, ids, change))).toEqual(expected(complaints));
  });

  it.each([
    {
      does: '[RFC7692-7.2.1-1] leaves the last four bytes on its messages',
      compressed: (bytes: Uint8Array) => Buffer.concat([bytes, Uint8Array.of(0, 0, 0xff, 0xff)]),
    },
    {
      does: '[RFC7692-7.2.1-1] cuts its messages short',
      compressed: (bytes: Uint8Array) => bytes.subarray(0, -3),
    },
  ])('that $does is found out', async ({ compressed }) => {
    const ids = idsLike(role, ['deflate.peer-ends-with-*']);
    const results = await judgePeer(role, ids, () => ({ compressed }));
    expect(results.map(({ behavior }) => behavior)).toEqual(ids.map(() => 'FAILED'));
  });

  it.skipIf(role === 'client')('that refuses the handshake over a wish is UNIMPLEMENTED there', async () => {
    const cases = CASES.filter(({ id }) => /^deflate\.(?:peer-window-of|one-fixed-block)/.test(id));
    const results = await judgeScript(cases, { respond: () => refusing(500) });
    const behaviors = Object.fromEntries(results.map(({ id, behavior }) => [id, behavior]));
    expect(behaviors).toMatchObject({
      'deflate.peer-window-of-8-bits': 'UNIMPLEMENTED',
      'deflate.peer-window-of-15-bits': 'UNIMPLEMENTED',
      'deflate.one-fixed-block': 'FAILED',
    });
  });

  it.skipIf(role === 'server')(
    'that ends TCP at a window of 8 bits is UNIMPLEMENTED there alone',
    async () => {
      const cases = CASES.filter(({ id }) => /^deflate\.peer-window-of-(?:8|9)-bits/.test(id));
      const request = (head: string): string =>
        head.replace('server_max_window_bits=10; client_max_window_bits=10', 'client_max_window_bits');
      const results = await judgeClient(cases, rawClient({ takes: 'end', request }));
      expect(results.map(({ behavior }) => behavior)).toEqual(['UNIMPLEMENTED', 'FAILED']);
    },
  );

  it('that does not know the extension is UNIMPLEMENTED where it is needed', async () => {
    const ids = idsLike(role, ALL).filter((id) => !/without-agreement|only-by-agreement/.test(id));
    const results = await judgePeer(role, ids, () => ({ offer: undefined, heardExtensions: () => '' }));
    expect([...new Set(results.map(({ behavior }) => behavior))]).toEqual(['UNIMPLEMENTED']);
  });
});

function judgeHawser(role: Role): Promise<CaseResult[]> {
  const cases = CASES.filter(({ group, subjects }) => group === 'deflate' && subjects.includes(role));
  return role === 'server' ? judgeHawserServer(cases) : judgeClient(cases, hawserClient());
}
