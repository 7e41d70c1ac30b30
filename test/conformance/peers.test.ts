// The runner of conformance/ and what it recorded: a part of the cases against a few peers, and docs/peers.md. The whole of
// it is `npm run conform:peers`.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseBaseline } from '../../src/conform/report/baseline.js';
import { isPass, type Verdict } from '../../src/conform/verdict.js';
import { run } from '../interop/install.js';
import { requirement } from '../support/require.js';

const reports = mkdtempSync(join(tmpdir(), 'hawser-peers-'));
const recorded = join(__dirname, '../../conformance/verdicts');
afterAll(() => rmSync(reports, { recursive: true }));

function runner(...args: string[]) {
  return run(process.execPath, ['conformance/run.mjs', '--reports', reports, ...args], { timeoutMs: 90_000 });
}

describe('conformance/run.mjs', () => {
  it.each([
    ['hawser', 'server', '1.*,2.*,7.*'],
    ['hawser', 'client', '1.*,2.*,7.*'],
    ['ws', 'server', '1.*,2.*,7.*'],
    ['ws', 'client', '1.*,2.*,7.*'],
  ])('%s as %s, cases %s -> the recorded verdicts', { timeout: 100_000 }, async (name, role, cases) => {
    const { code, stdout, stderr } = await runner('--only', name, '--role', role, '--cases', cases);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain(`${name}-${role}: as recorded`);
  });

  it.runIf(requirement('python'))(
    'Python, cases 1.* -> the recorded verdicts',
    { timeout: 100_000 },
    async () => {
      const { code, stdout, stderr } = await runner('--only', 'python-websockets', '--cases', '1.*');
      expect(code, stdout + stderr).toBe(0);
    },
  );

  it.runIf(requirement('chromium'))(
    'Chromium, cases 1.1.* -> the recorded verdicts',
    { timeout: 100_000 },
    async () => {
      const { code, stdout, stderr } = await runner('--only', 'chromium', '--cases', '1.1.*');
      expect(code, stdout + stderr).toBe(0);
    },
  );

  it('peer that does not exist -> says so, exit code 2', async () => {
    const { code, stderr } = await runner('--only', 'nobody');
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no peer "nobody"')]);
  });
});

describe('what is recorded', () => {
  const files = readdirSync(recorded);
  const verdictsOf = (file: string) => parseBaseline(JSON.parse(readFileSync(join(recorded, file), 'utf8')));

  it.each(files)('%s: every verdict that is not OK has a reason', (file) => {
    const verdicts = [...verdictsOf(file)];
    expect(verdicts.length).toBeGreaterThan(500);
    const unexplained = verdicts.filter(
      ([, { behavior, behaviorClose, reason }]) =>
        (behavior !== 'OK' || behaviorClose !== 'OK') && (reason === undefined || reason === ''),
    );
    expect(unexplained.map(([id]) => id)).toEqual([]);
  });

  it.each(['hawser-server.json', 'hawser-client.json'])(
    "%s: 514 of Autobahn's 517 cases are OK, the others INFORMATIONAL by definition",
    (file) => {
      const autobahn = [...verdictsOf(file)].filter(([id]) => /^\d/.test(id));
      const others = autobahn.filter(
        ([, { behavior, behaviorClose }]) => behavior !== 'OK' || behaviorClose !== 'OK',
      );
      expect(autobahn.length).toBe(517);
      expect(others.map(([id, { behavior }]) => [id, behavior])).toEqual([
        ['7.1.6', 'INFORMATIONAL'],
        ['7.13.1', 'INFORMATIONAL'],
        ['7.13.2', 'INFORMATIONAL'],
      ]);
    },
  );

  it("README's table says what the verdict files say", () => {
    const rows = [
      ...readFileSync('README.md', 'utf8').matchAll(
        /^\| \[?([\w. -]+)\]?.* \| (server|client) \| (.+) \|$/gm,
      ),
    ];
    expect(rows).toHaveLength(files.length);
    for (const [, label, role, numbers] of rows) {
      const name =
        { 'Node.js 24': 'node', Chromium: 'chromium', 'Python websockets': 'python-websockets' }[label!] ??
        label;
      const verdicts = [...verdictsOf(`${name}-${role}.json`)];
      const isFault = ({ behavior, behaviorClose }: Verdict) => !isPass({ behavior, behaviorClose });
      const count = (isPart: (id: string) => boolean) => {
        const part = verdicts.filter(([id]) => isPart(id)).map(([, verdict]) => verdict);
        const faults = part.filter(isFault).length;
        const lenient = part.filter((one) => !isFault(one) && one.behavior === 'NON-STRICT').length;
        return [faults, lenient, part.length];
      };
      const isAutobahn = (id: string) => /^\d/.test(id);
      const expected = [
        ...count(isAutobahn),
        ...count((id) => !isAutobahn(id) && !id.startsWith('robustness.')),
      ];
      expect(`${label} ${role} ${numbers}`).toBe(`${label} ${role} ${expected.join(' | ')}`);
    }
  });

  it('docs/peers.md says what the verdict files say', async () => {
    const { code, stderr } = await runner('--check-page');
    expect(code, stderr).toBe(0);
  });
});
