import { describe, expect, it } from 'vitest';
import { RPC } from '../../src/rpc/errors.js';
import { range, rpcError, useStage } from '../support/rpc-stage.js';

const stage = useStage();

describe('a call with streams that there is no room for', () => {
  it('many of them -> one error is made and told, each stream is cancelled', async () => {
    const { session, errors } = stage.alone({ handlers: { sum: () => 0 }, limits: { streams: 1 } });
    const params = range(5).map((i) => ({ stream: i + 1 }));
    session.receive({ id: 1, method: 'sum', params });
    const cancel = (s: number, reason?: string) => ({
      method: '$/cancel',
      params: { s, ...(reason !== undefined && { reason }) },
    });
    const sent = session.takeSent();
    expect(sent).toHaveLength(6);
    expect(sent).toEqual(
      expect.arrayContaining([
        cancel(1),
        cancel(2, 'too many streams'),
        ...[3, 4, 5].map((s) => cancel(s)),
        expect.objectContaining({ id: 1, error: expect.objectContaining({ code: RPC.OVERLOADED }) }),
      ]),
    );
    expect(errors).toEqual([[rpcError(RPC.OVERLOADED), { id: 1 }]]);
  });
});
