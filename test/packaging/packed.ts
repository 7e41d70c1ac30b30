// Packs hawser as `npm publish` would, from a copy of the tree that builds its own dist/, and installs the tarball in
// projects of their own. Nothing is fetched: npm is told to stay offline.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');

const SHIPPED = ['package.json', 'tsconfig.json', 'LICENSE', 'README.md', 'ARCHITECTURE.md', 'CHANGELOG.md'];
const DIRECTORIES = ['docs', 'scripts', 'src', 'types'];
const QUIETLY = ['--offline', '--no-audit', '--no-fund', '--loglevel=error'];

/** A directory with the tarball and the projects that install it; `remove()` takes it away. */
export interface Workshop {
  tarball: string;
  /** Makes a project that has the package under `name`, and these files. */
  install(name: string, files?: Record<string, string>): Project;
  remove(): void;
}

export interface Project {
  directory: string;
  /** Where the package was installed. */
  installed: string;
  write(files: Record<string, string>): void;
  /** Runs a program of the project with node. */
  node(...argv: string[]): { status: number | null; output: string };
}

export function openWorkshop(): Workshop {
  const workshop = mkdtempSync(join(tmpdir(), 'hawser-packaging-'));
  const tree = join(workshop, 'tree');
  mkdirSync(tree);
  for (const name of [...SHIPPED, ...DIRECTORIES]) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(tree, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  npm(tree, 'pack', `--pack-destination=${workshop}`);
  const tarball = join(workshop, readdirSync(workshop).find((name) => name.endsWith('.tgz'))!);
  return {
    tarball,
    install: (name, files = {}) => makeProject(mkdtempSync(join(workshop, 'project-')), tarball, name, files),
    remove: () => rmSync(workshop, { recursive: true, force: true }),
  };
}

function makeProject(
  directory: string,
  tarball: string,
  name: string,
  files: Record<string, string>,
): Project {
  const project: Project = {
    directory,
    installed: join(directory, 'node_modules', name),
    write(files) {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, file)), { recursive: true });
        writeFileSync(join(directory, file), text);
      }
    },
    node(...argv) {
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
        cwd: directory,
        encoding: 'utf8',
        timeout: 60_000,
      });
      return { status, output: stdout + stderr };
    },
  };
  project.write({ 'package.json': JSON.stringify({ name: 'project', private: true }), ...files });
  npm(directory, 'install', `${name}@file:${tarball}`);
  return project;
}

function npm(cwd: string, ...argv: string[]): void {
  execFileSync('npm', [...argv, ...QUIETLY], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 120_000,
  });
}
