import { it } from 'vitest';
import { complaintOf, idsLike, judgePeer, ownIds } from './judge-peer.js';
for (const role of ['server', 'client'] as const) it(role, async () => {
  const t = Date.now();
  const ids = process.env.IDS ? idsLike(role, process.env.IDS.split(',')) : ownIds(role);
  const rs = await judgePeer(role, ids);
  for (const r of rs) if (complaintOf(r) || r.behavior === 'UNIMPLEMENTED') console.log(r.id, r.behavior, r.behaviorClose, r.finding);
  const slow = [...rs].sort((a, b) => b.durationMs - a.durationMs).slice(0, 8).map((r) => `${r.id} ${r.durationMs}`);
  console.log(role, rs.length, Date.now() - t, slow);
}, 120000);
