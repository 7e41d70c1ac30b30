// Answers that are none, and producers that end what they are to produce for.
import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import { fateOf, useStage } from '../support/rpc-stage.js';

const stage = useStage();

describe('an answer that is none', () => {
  it.each([{}, { error: 'no' }, { error: { code: 'E', message: 'no' } }, { error: { code: 1 } }])(
    '%j -> the call fails, and the peer is told',
    async (answer) => {
      const { peer, session, errors } = stage.alone();
      const call = peer.call('add', {}, { timeoutMs: Number.POSITIVE_INFINITY });
      session.takeSent();
      session.receive({ id: 1, ...answer });
      expect(await fateOf(call)).toBe(RPC.INVALID_REQUEST);
      expect(session.takeSent()).toMatchObject([{ id: null, error: { code: RPC.INVALID_REQUEST } }]);
      expect(errors).toHaveLength(1);
    },
  );
});

describe('a producer that ends it all when it is asked for its first item', () => {
  /** Without end, and whether it was left. */
  function endless(begin: () => void) {
    const state = { wasLeft: false };
    const items = (async function* () {
      try {
        begin();
        for (let i = 0; ; i++) {
          await undefined;
          yield i;
        }
      } finally {
        state.wasLeft = true;
      }
    })();
    return { items, state };
  }

  it('of a result, by closing the peer -> it is left', async () => {
    const { items, state } = endless(() => peer.close());
    const { peer, session } = stage.alone({ handlers: { count: () => items } });
    session.receive({ id: 1, method: 'count' });
    await stage.settle();
    expect([state.wasLeft, peer.stats().streamsOut]).toEqual([true, 0]);
  });

  it.each(['first', 'second'])(
    'of params, the %s of two, by giving the call up -> both are left',
    async (which) => {
      const controller = new AbortController();
      const abort = () => controller.abort();
      const first = endless(which === 'first' ? abort : () => {});
      const second = endless(which === 'second' ? abort : () => {});
      const { peer } = stage.alone();
      const { signal } = controller;
      const call = peer.call('sum', { a: first.items, b: second.items }, { signal });
      expect(await fateOf(call)).toBe(RPC.CANCELLED);
      await stage.settle();
      expect([first.state.wasLeft, second.state.wasLeft, peer.stats().streamsOut]).toEqual([true, true, 0]);
    },
  );
});
