// docs/rpc.md runs: its programs together, one after the other, print what their comments say.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compiledSources } from '../support/compiled.js';

const text = readFileSync(join(__dirname, '../../docs/rpc.md'), 'utf8');
const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'hawser-manual-'));
  cpSync('package.json', join(copy, 'package.json'));
  symlinkSync(compiledSources(), join(copy, 'dist'), 'junction');
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'), 'junction');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it('the programs of docs/rpc.md print what their comments say', { timeout: 60_000 }, () => {
  expect(blocks.length).toBeGreaterThan(5);
  const code = blocks.join('\n');
  const program = join(copy, 'manual.mjs');
  writeFileSync(program, onAnyPort(mergeImports(code)));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const promised = code.split('\n').flatMap((line) => {
    const [statement, ...comments] = line.split(' // ');
    return statement!.includes('console.log(') ? comments : [];
  });
  expect(promised.length).toBeGreaterThan(8);
  expect(stdout.trimEnd().split('\n')).toEqual(promised);
});

/** Each block has the imports that it needs, and a module has each name once. */
function mergeImports(code: string): string {
  const names = new Map<string, Set<string>>();
  const rest = code.replace(/^import \{ (.*?) \} from '(.*?)';$/gm, (_, list: string, from: string) => {
    const known = names.get(from) ?? new Set();
    for (const name of list.split(', ')) known.add(name);
    names.set(from, known);
    return '';
  });
  const imports = [...names].map(([from, known]) => `import { ${[...known].join(', ')} } from '${from}';`);
  return `${imports.join('\n')}\n${rest}`;
}

/** The port of the text may be in use. */
function onAnyPort(code: string): string {
  return code
    .replace(
      "listen(8080, '127.0.0.1');",
      "listen(0, '127.0.0.1');\nawait new Promise((done) => http.once('listening', done));",
    )
    .replaceAll("'ws://127.0.0.1:8080'", '"ws://127.0.0.1:" + http.address().port');
}
