// Copies of a room of src/ with a guard taken out, to show that a test notices.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SOURCES = join(__dirname, '../../src');

/** An exact piece of source text that stands once in its file, and what takes its place. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

/**
 * Makes a changed copy and calls `use` with what it exports.
 *
 * @param room the directory of src/ to copy; `modules` are those of its files to import
 * @throws when a text to change is not there, or not only once
 */
export async function withMutant<Exports, Result>(
  { room, modules }: { room: string; modules: readonly string[] },
  changes: readonly Change[],
  use: (mutant: Exports) => Promise<Result>,
): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'hawser-mutant-'));
  try {
    for (const name of readdirSync(SOURCES)) {
      if (name === room) cpSync(join(SOURCES, name), join(root, name), { recursive: true });
      else symlinkSync(join(SOURCES, name), join(root, name));
    }
    for (const { file, from, to } of changes) {
      const path = join(root, room, file);
      const parts = readFileSync(path, 'utf8').split(from);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${from}`);
      writeFileSync(path, parts.join(to));
    }
    const imported = await Promise.all(modules.map((file) => import(join(root, room, file))));
    return await use(Object.assign({}, ...imported));
  } finally {
    rmSync(root, { recursive: true });
  }
}
