import { it } from 'vitest';
import { complaintsOf, idsLike, judgePeer } from '../broken-peers/judge-peer.js';
import { MESSAGE_FAULTS } from '../broken-peers/faults-messages.js';
it('dump', async () => {
  for (const role of ['server', 'client'] as const) {
    const ids = idsLike(role, ['deflate.*']);
    console.log(role, 'right', JSON.stringify(complaintsOf(await judgePeer(role, ids))));
    for (const f of MESSAGE_FAULTS.filter((one) => JSON.stringify(one.breaks).includes('7692'))) {
      const t = Date.now();
      console.log(role, f.name, Date.now() - t, JSON.stringify(complaintsOf(await judgePeer(role, ids, f.change))));
    }
  }
}, 200000);
