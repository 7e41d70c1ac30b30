// The floors check fails on each kind of violation, and only there: small trees that break one rule each.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const script = resolve(__dirname, '../../scripts/check-layers.mjs');
const trees = mkdtempSync(join(tmpdir(), 'hawser-layers-'));
afterAll(() => rmSync(trees, { recursive: true, force: true }));

/** Runs the check on a tree that has these files. */
function check(files: Record<string, string>) {
  const src = join(mkdtempSync(join(trees, 'tree-')), 'src');
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(src, name)), { recursive: true });
    writeFileSync(join(src, name), text);
  }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, src], { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

const sound = {
  'wire/mask.ts': 'export const mask = 1;\n',
  'protocol/role.ts': "import { mask } from '../wire/mask.js';\nexport const role = mask;\n",
  'io/dial.ts':
    "import net from 'node:net';\nimport type { role } from '../protocol/role.js';\nexport { net, type role };\n",
  'ws/websocket.ts':
    "import { EventEmitter } from 'node:events';\nimport '../io/dial.js';\nexport class A extends EventEmitter {}\n",
  'agent/session.ts': 'export const id = globalThis.process?.pid;\n',
  'agent/browser.ts': "export { id } from './session.js';\n",
  'agent/index.ts':
    "import 'node:crypto';\nimport { A } from '../ws/websocket.js';\nexport * from './session.js';\nexport { A };\n",
  'cli/main.ts':
    "import fs from 'node:fs/promises';\nimport { A } from '../index.js';\nimport '../agent/index.js';\nimport '../wire/mask.js';\nvoid [fs, A];\n",
  'index.ts': "export { A } from './ws/websocket.js';\n",
  'index.mts': "export * from './index.js';\n",
};

it('every file keeps to its floor -> passes and counts the files', () => {
  const { status, output } = check(sound);
  expect(output).toContain('10 files');
  expect(status).toBe(0);
});

const violations: Array<[title: string, files: Record<string, string>, message: string]> = [
  [
    'wire imports a floor above',
    { 'wire/a.ts': "import '../protocol/role.js';" },
    'wire/a.ts:1: wire imports protocol',
  ],
  [
    'wire imports Node',
    { 'wire/a.ts': "import 'node:events';" },
    'wire may import no module of Node, not node:events',
  ],
  [
    'a type-only import goes up',
    { 'protocol/a.ts': "import type { net } from '../io/dial.js';" },
    'protocol imports io',
  ],
  [
    'an inline type import goes up',
    { 'wire/a.ts': "import { type role } from '../protocol/role.js';" },
    'wire imports',
  ],
  [
    'an import type goes up',
    { 'wire/a.ts': "let a: import('../protocol/role.js').R;\n" },
    'wire/a.ts:1: wire imports',
  ],
  ['a re-export goes up', { 'io/a.ts': "export { A } from '../ws/websocket.js';" }, 'io imports ws'],
  [
    'an import over many lines',
    { 'wire/a.ts': "import {\n  role,\n} from '../protocol/role.js';" },
    'wire/a.ts:3: ',
  ],
  ['a dynamic import goes up', { 'io/a.ts': "void import('../ws/websocket.js');" }, 'io imports ws'],
  ['a require goes up', { 'io/a.ts': "import w = require('../ws/websocket.js');" }, 'io imports ws'],
  [
    'ws takes a module of Node that is not its business',
    { 'ws/a.ts': "import 'node:fs';" },
    'ws may import only node:{',
  ],
  ['the roof is imported', { 'ws/a.ts': "import '../cli/main.js';" }, 'nobody imports the roof'],
  [
    'the roof is imported by the public face',
    { 'browser.ts': "import './cli/main.js';" },
    'nobody imports the roof',
  ],
  ['a floor imports the public face', { 'ws/a.ts': "import '../index.js';" }, 'ws imports face'],
  [
    'the judge imports the rules',
    { 'conform/a.ts': "import '../protocol/role.js';" },
    'conform imports protocol',
  ],
  ['the agent layer sees a frame', { 'agent/a.ts': "import '../wire/mask.js';" }, 'agent imports wire'],
  [
    'the agent layer takes of ws what is not one of its two classes',
    { 'ws/payload.ts': '', 'agent/a.ts': "import '../ws/payload.js';" },
    'agent imports ws ("../ws/payload.js"): beside itself agent may import only ws/websocket.ts, ws/websocket-server.ts',
  ],
  [
    'the agent layer imports the public face',
    { 'agent/a.ts': "import '../index.js';" },
    'agent imports face',
  ],
  ['the agent layer opens a socket', { 'agent/a.ts': "import 'node:net';" }, 'agent may import only node:{'],
  ['a floor imports the agent layer', { 'ws/a.ts': "import '../agent/session.js';" }, 'ws imports agent'],
  [
    'the agent layer brings Node to browsers, by a type, over two files',
    {
      'agent/browser.ts': "export * from './outbox.js';",
      'agent/outbox.ts': "import './link.js';",
      'agent/link.ts': "\nimport type { IncomingMessage } from 'node:http';",
    },
    'src/agent/link.ts:2: browsers load this and have no node:http (src/agent/browser.ts -> src/agent/outbox.ts -> src/agent/link.ts)',
  ],
  [
    'the agent layer brings a global of Node to browsers',
    { 'agent/browser.ts': "import './link.js';", 'agent/link.ts': 'let data: string | Buffer;' },
    'src/agent/link.ts:1: browsers load this and have no Buffer',
  ],
  [
    'the face for browsers imports a module of Node through a floor below',
    { 'browser.mts': "import './ws/a.js';", 'ws/a.ts': "import 'node:url';" },
    'src/ws/a.ts:1: browsers load this and have no node:url',
  ],
  ['a package is imported', { 'io/a.ts': "import chalk from 'chalk';" }, '"chalk" is a package'],
  ['a module of Node without its prefix', { 'io/a.ts': "import net from 'net';" }, 'needs the prefix node:'],
  ['an import of a computed name', { 'io/a.ts': 'void import(name);' }, 'computed name (name)'],
  ['an import of nothing', { 'io/a.ts': "import './missing.js';" }, 'no source file for "./missing.js"'],
  ['a directory that is no floor', { 'utils/a.ts': '' }, 'src/utils/a.ts: stands on no floor'],
  ['a file beside the public face', { 'other.ts': '' }, 'src/other.ts: stands on no floor'],
  [
    'the engine starts a timer',
    { 'protocol/a.ts': '\nsetTimeout(f, 1);' },
    'protocol/a.ts:2: protocol uses setTimeout',
  ],
  ['the engine reads the clock', { 'protocol/a.ts': 'const now = Date.now();' }, 'protocol uses Date'],
  ['the engine draws randomness', { 'protocol/a.ts': 'Math.random();' }, 'protocol uses Math.random'],
  ['wire uses Buffer', { 'wire/a.ts': 'Buffer.alloc(1);' }, 'wire uses Buffer'],
  [
    'two files import each other',
    { 'wire/a.ts': "import './b.js';", 'wire/b.ts': "import './a.js';" },
    'circle: src/wire/a.ts -> src/wire/b.ts -> src/wire/a.ts',
  ],
  [
    'three files import each other, one through a value beside a type',
    {
      'wire/a.ts': "import './b.js';",
      'wire/b.ts': "import './c.js';",
      'wire/c.ts': "import { type T, a } from './a.js';",
    },
    'circle: src/wire/a.ts -> src/wire/b.ts -> src/wire/c.ts -> src/wire/a.ts',
  ],
  [
    'types refer to each other across files',
    {
      'ws/a.ts': "import type { B } from './b.js';\nexport type A = B;",
      'ws/b.ts': "import './a.js';\nexport type B = 1;",
    },
    'circle: src/ws/a.ts -> src/ws/b.ts -> src/ws/a.ts',
  ],
];

describe('a tree breaks a rule', () => {
  it.each(violations)('%s -> fails and says where', (_title, files, message) => {
    const { status, output } = check({ ...sound, ...files });
    expect(output).toContain(message);
    expect(output).toContain('1 problem in');
    expect(status).toBe(1);
  });
});

const lookalikes: Array<[title: string, files: Record<string, string>]> = [
  [
    'an import in a comment',
    { 'wire/a.ts': "// import 'node:net';\n/* import '../io/dial.js'; */\nexport {};" },
  ],
  ['a module named in a string', { 'io/a.ts': 'throw new Error(\'no package: from "chalk"\');' }],
  [
    'a global named in a string or a member',
    { 'wire/a.ts': "throw new Error('Date', { cause: frame.process });" },
  ],
];

describe('a tree that only looks as if', () => {
  it.each(lookalikes)('%s -> passes', (_title, files) => {
    expect(check({ ...sound, ...files })).toMatchObject({ status: 0 });
  });
});

it('hawser itself: every file of src/ keeps to its floor', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^layers: \d\d+ files/);
  expect(status).toBe(0);
});
