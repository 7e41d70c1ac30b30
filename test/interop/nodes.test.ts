// The built package under each supported line of Node.js: a self-checking program, loaded in both module systems, and
// sessions on whatever WebSocket there is. The binaries come from npm, with a lock file of their own in nodes/.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { installLocked, run } from './install.js';
import { entries, isHawser, ROOT, subjectName } from './subject.js';

const folder = join(__dirname, 'nodes');
const dist = join(ROOT, 'dist');
const platform = `${process.platform}-${process.arch}`;
let isInstalled = false;

const STEPS = ['echo', 'deflate', 'stream', 'close', 'server of the user'];
const ADDITIONS = isHawser
  ? ['async iterator', 'all sockets read into one block', 'sent, broadcast and close of all']
  : [];

/** What the program reports when all went well; Node has a WebSocket of its own from 22 on. */
function expectedOf(line: string, system: string) {
  const done = Object.fromEntries([...STEPS, ...ADDITIONS].map((step) => [step, 'done']));
  const ofGlobal = line === '20' ? 'this Node has none' : 'done';
  return { node: line, system, done: { ...done, 'global WebSocket as client': ofGlobal } };
}

describe('the build under every supported Node.js', () => {
  const lines = ['20', '22', '24', '26'];
  const locked = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const packageOf = (line: string) => `node${line}-${platform}`;
  const binaryOf = (line: string) => join('node_modules', packageOf(line), 'bin', 'node');
  const available = lines.filter((line) => locked.includes(`"node_modules/${packageOf(line)}"`));

  beforeAll(async () => {
    isInstalled = await installLocked(folder, available.map(binaryOf));
  }, 300_000);

  describe.each(lines)('Node %s', (line) => {
    it.for([
      ['commonjs', 'as-commonjs.cjs', entries.require, entries.import],
      ['module', 'as-module.mjs', entries.import, entries.require],
    ] as const)(
      'loaded as %s -> every exchange completes',
      { timeout: 70_000 },
      async ([system, program, ...files], { skip }) => {
        skip(!available.includes(line), `the lock has no Node ${line} for ${platform}`);
        skip(!isInstalled, 'not installed, and offline');
        const binary = join(folder, binaryOf(line));
        const { code, stdout, stderr } = await run(binary, [join(folder, program), ...files, subjectName]);
        expect(code, stderr).toBe(0);
        expect(JSON.parse(stdout)).toEqual(expectedOf(line, system));
      },
    );

    it.runIf(isHawser).for([
      ['hawser', 'hawser'],
      ["Node's own", 'global'],
      ['undici', require.resolve('undici')],
    ] as const)(
      'a session on the WebSocket of %s, cut over and over -> both logs are 1…N',
      { timeout: 70_000 },
      async ([name, socket], { skip }) => {
        skip(!available.includes(line), `the lock has no Node ${line} for ${platform}`);
        skip(!isInstalled, 'not installed, and offline');
        skip(name === "Node's own" && line === '20', 'Node 20 has none');
        const binary = join(folder, binaryOf(line));
        const { code, stdout, stderr } = await run(binary, [join(folder, 'session.mjs'), dist, socket]);
        expect(code, stderr).toBe(0);
        const numbers = Array.from({ length: 300 }, (_, index) => index + 1);
        expect(JSON.parse(stdout)).toEqual({
          ofClient: numbers,
          ofServer: numbers,
          cut: 5,
          ends: [1006],
          hasResumed: true,
        });
      },
    );
  });
});
