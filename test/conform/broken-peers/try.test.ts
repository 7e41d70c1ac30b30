import { appendFileSync } from 'node:fs';
import { it } from 'vitest';
import { complaintsOf, judgePeer, ownIds } from './judge-peer.js';
import { FAULTS } from './faults.js';
import { expectedOf } from './fault.js';
const only = process.env.ONLY ? new RegExp(process.env.ONLY) : /./;
const role = process.env.ROLE as 'server' | 'client';
it('dump', async () => {
  for (const f of FAULTS) if (f.roles.includes(role) && only.test(f.name)) {
    const t = Date.now();
    const rs = await judgePeer(role, ownIds(role, f.groups), f.change, 16);
    const c = complaintsOf(rs); const e = expectedOf(role, [...(f.alsoFails??[]).flatMap(({ cases = [] }) => cases), ...f.caughtBy], ownIds(role, f.groups));
    const by: Record<string, string[]> = {};
    for (const id in c) if (c[id] !== e[id]) (by[c[id]!] ??= []).push(id);
    const missing = Object.keys(e).filter((id) => !(id in c));
    const broke = rs.filter((r) => r.finding.includes('case itself broke')).map((r) => r.id + r.finding);
    appendFileSync(`/tmp/bp-out-${role}`, `## ${f.name} (${Date.now() - t} ms)\n` + Object.entries(by).map(([k, v]) => `  ${k}: ${v.join(' ')}\n`).join('') + (missing.length ? `  MISSING ${missing.join(' ')}\n` : '') + (broke.length ? `  BROKE ${broke}\n` : ''));
  }
}, 590000);
