import { it } from 'vitest';
import { complaintOf, idsLike, judgePeer } from './judge-peer.js';
it('x', async () => {
  for (let i = 0; i < 6; i++) {
  const t = Date.now();
  const rs = await judgePeer('client', idsLike('client', ['masking.*']), undefined, 16);
  for (const r of rs) if (complaintOf(r)) console.log(r.id, r.behavior, r.behaviorClose, r.durationMs, r.finding);
  console.log(Date.now() - t);
  }
}, 120000);
