import { appendFileSync } from 'node:fs';
import { it } from 'vitest';
import { expectedOf } from './fault.js';
import { FAULTS } from './faults.js';
import { complaintOf, judgePeer, ownIds } from './judge-peer.js';

const only = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
const role = process.env.ROLE as 'server' | 'client';
it('dump', async () => {
  for (const f of FAULTS)
    if (f.roles.includes(role) && only.test(f.name)) {
      const ids = ownIds(role, f.groups);
      const rs = await judgePeer(role, ids, f.change, 16);
      const e = expectedOf(role, [...(f.alsoFails ?? []).flatMap(({ cases = [] }) => cases), ...f.caughtBy]);
      const says = (f.alsoFails ?? []).flatMap((x) => x.says ?? []);
      let out = `## ${f.name}\n`;
      for (const r of rs) {
        const c = complaintOf(r);
        if (c === e[r.id] || (!(r.id in e) && says.some((x) => x.test(r.finding)))) continue;
        out += `  ${r.id} ${c} not ${e[r.id]}: ${r.finding.slice(0, 160)}\n`;
      }
      appendFileSync(`/tmp/bp-diff-${role}`, out);
    }
}, 590000);
