// The hand-written types: every program written for @types/ws compiles against them, in both of its forms and with the
// compilers that its users have. Each of those programs is compiled against @types/ws too, which shows that it is one.
// Those of `hawser/agent` and `hawser/rpc` are the compiler's, read here as its users' compilers read them.

import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';

const root = resolve(__dirname, '../..');
const programs = join(__dirname, 'programs');
vi.setConfig({ testTimeout: 60_000 });
const projects = mkdtempSync(join(tmpdir(), 'hawser-types-'));
afterAll(() => rmSync(projects, { recursive: true, force: true }));

const fromRoot = createRequire(join(root, 'package.json'));
// esModuleInterop cannot be switched off any more in TypeScript 7; the copy that attw brings is the old compiler at hand.
const fromAttwCli = createRequire(fromRoot.resolve('@arethetypeswrong/cli/package.json'));
const fromAttw = createRequire(fromAttwCli.resolve('@arethetypeswrong/core/package.json'));
const compilers = {
  'TypeScript 7': join(dirname(fromRoot.resolve('typescript/package.json')), 'bin/tsc'),
  'TypeScript 5.6': join(dirname(fromAttw.resolve('typescript/package.json')), 'bin/tsc'),
};

const moduleOptions = {
  node: { module: 'node16', moduleResolution: 'node16' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
  // What `strict` alone leaves out, as most do: an optional member may be undefined.
  'strict only': { module: 'node16', moduleResolution: 'node16', exactOptionalPropertyTypes: false },
  // What programs of old have: CommonJS, found the way Node 10 found it.
  interop: { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true },
  'no interop': {
    module: 'commonjs',
    moduleResolution: 'node10',
    esModuleInterop: false,
    allowSyntheticDefaultImports: false,
  },
  // A page: the types of browsers, and none of Node's.
  browser: {
    module: 'esnext',
    moduleResolution: 'bundler',
    customConditions: ['browser'],
    lib: ['es2022', 'dom', 'esnext.disposable'],
    types: [],
  },
};

type Compiler = keyof typeof compilers;
type ModuleSystem = keyof typeof moduleOptions;
type Files = Record<string, string>;

function read(directory: string): Files {
  const names = readdirSync(join(programs, directory));
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(programs, directory, name), 'utf8')]),
  );
}

/** The same programs with other extensions, which choose the form of the types that they see. */
function renamed(files: Files, ...extensions: string[]): Files {
  return Object.fromEntries(
    Object.entries(files).flatMap(([name, text]) =>
      extensions.map((extension) => [basename(name, '.ts') + extension, text]),
    ),
  );
}

/** The same programs with `import WebSocket from` replaced by another way to get the class. */
function importing(files: Files, statement: string): Files {
  const isImport = /^import WebSocket(?:, (\{[^}]*\}))? from 'ws';$/m;
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => {
      expect(text).toMatch(isImport);
      const names = isImport.exec(text)?.[1];
      return [name, text.replace(isImport, names ? `${statement}\nimport ${names} from 'ws';` : statement)];
    }),
  );
}

/** Compiles `files` in a project of their own, and returns what the compiler complains about. */
function compile(
  files: Files,
  types: 'hawser' | '@types/ws',
  compiler: Compiler,
  system: ModuleSystem,
): string {
  const project = mkdtempSync(join(projects, 'project-'));
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  const link = (name: string, target: string) => symlinkSync(target, join(modules, name), 'junction');
  const installed = (name: string) => join(root, 'node_modules', name);
  link('@types/node', installed('@types/node'));
  link('undici-types', installed('undici-types'));
  if (types === 'hawser') {
    link('hawser', root);
    link('ws', root);
    for (const library of ['zod', 'valibot']) link(library, installed(library));
  } else {
    link('ws', installed('ws'));
    link('@types/ws', installed('@types/ws'));
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    noEmit: true,
    skipLibCheck: false,
    ...moduleOptions[system],
  };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: Object.keys(files) }),
  );
  const { stdout, stderr } = spawnSync(process.execPath, [compilers[compiler], '-p', project], {
    encoding: 'utf8',
  });
  return stdout + stderr;
}

const programsOfWs = read('ws');
const forWs: Array<[title: string, files: Files, compiler: Compiler, system: ModuleSystem]> = [
  ['ESM form', { ...renamed(programsOfWs, '.mts'), ...read('ws-esm') }, 'TypeScript 7', 'node'],
  ['CommonJS form', { ...renamed(programsOfWs, '.cts'), ...read('ws-commonjs') }, 'TypeScript 7', 'node'],
  [
    'ESM form, older compiler',
    { ...renamed(programsOfWs, '.mts'), ...read('ws-esm') },
    'TypeScript 5.6',
    'node',
  ],
  ['ESM form, bundler', { ...renamed(programsOfWs, '.mts'), ...read('ws-esm') }, 'TypeScript 7', 'bundler'],
  ['CommonJS form, main field', renamed(read('ws'), '.ts'), 'TypeScript 5.6', 'interop'],
  [
    'CommonJS form, namespace import without esModuleInterop',
    {
      ...renamed(importing(programsOfWs, "import * as WebSocket from 'ws';"), '.ts'),
      ...read('ws-no-interop'),
    },
    'TypeScript 5.6',
    'no interop',
  ],
  [
    'CommonJS form, import = without esModuleInterop',
    renamed(importing(programsOfWs, "import WebSocket = require('ws');"), '.ts'),
    'TypeScript 5.6',
    'no interop',
  ],
  [
    'CommonJS form, augmented',
    { 'augment.cts': read('ws-augment')['commonjs.cts']! },
    'TypeScript 7',
    'node',
  ],
  ['ESM form, augmented', { 'augment.mts': read('ws-augment')['esm.mts']! }, 'TypeScript 7', 'node'],
];

describe('programs written for @types/ws', () => {
  describe.each(forWs)('%s', (_title, files, compiler, system) => {
    it('they compile against @types/ws -> they are such programs', () => {
      expect(compile(files, '@types/ws', compiler, system)).toBe('');
    });
    it('hawser stands in for ws -> they compile unchanged', () => {
      expect(compile(files, 'hawser', compiler, system)).toBe('');
    });
  });
});

describe('programs written for hawser', () => {
  const additions = read('hawser');
  const { 'additions.ts': both, ...esmOnly } = additions;

  it.each(['TypeScript 7', 'TypeScript 5.6'] as const)(
    '%s compiles every addition in both forms',
    (compiler) => {
      const files = { ...esmOnly, ...renamed({ 'additions.ts': both! }, '.mts', '.cts') };
      expect(compile(files, 'hawser', compiler, 'node')).toBe('');
    },
  );

  it('a bundler sees every addition too', () => {
    expect(compile(renamed({ 'additions.ts': both! }, '.mts'), 'hawser', 'TypeScript 7', 'bundler')).toBe('');
  });

  it('a program uses what @types/ws lacks -> @types/ws refuses it', () => {
    const files = renamed({ 'additions.ts': both!.replaceAll("'hawser'", "'ws'") }, '.mts');
    expect(compile(files, '@types/ws', 'TypeScript 7', 'node')).toContain('error TS');
  });

  it.each(['TypeScript 7', 'TypeScript 5.6'] as const)(
    '%s compiles programs with sessions, in both forms',
    (compiler) => {
      expect(compile(renamed(read('agent'), '.mts', '.cts'), 'hawser', compiler, 'node')).toBe('');
    },
  );

  it.each(['TypeScript 7', 'TypeScript 5.6'] as const)(
    "%s compiles a page with a session, without Node's types",
    (compiler) => {
      expect(compile(read('agent-browser'), 'hawser', compiler, 'browser')).toBe('');
    },
  );

  it.each([
    ['TypeScript 7', 'node'],
    ['TypeScript 7', 'strict only'],
    ['TypeScript 5.6', 'node'],
  ] as const)('%s (%s) compiles programs with contracts, in both forms', (compiler, system) => {
    expect(compile(renamed(read('rpc'), '.mts', '.cts'), 'hawser', compiler, system)).toBe('');
  });

  it('a program misuses the types -> each misuse is an error where the program says so', () => {
    expect(compile(renamed(read('refused'), '.mts'), 'hawser', 'TypeScript 7', 'node')).toBe('');
  });
});
