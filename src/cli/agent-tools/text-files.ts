// The text files below a directory, and nothing beyond it: links are not followed, so that no path leads out.

import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const SUFFIX = /\.(?:[cm]?[jt]s|json|md|html|css|py)$/;
const MAX_FILES = 5000;
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * @param directories of `root`, that count; those whose name begins with a dot never do, nor node_modules
 * @returns paths from `root` with `/`, in order; the first `maxFiles`
 */
export async function listTextFiles(
  root: string,
  directories: string[],
  maxFiles = MAX_FILES,
): Promise<string[]> {
  const files: string[] = [];
  const visit = async (path: string, names?: string[]): Promise<void> => {
    const entries = await readdir(join(root, path), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const inside = path === '' ? entry.name : `${path}/${entry.name}`;
      // What kind an entry is, is said of the entry itself: a link is neither directory nor file.
      if (entry.isFile() && names === undefined && SUFFIX.test(entry.name)) files.push(inside);
      if (entry.isDirectory() && (names?.includes(entry.name) ?? isSearched(entry.name))) await visit(inside);
      if (files.length >= maxFiles) return;
    }
  };
  await visit('', directories);
  return files;
}

function isSearched(directory: string): boolean {
  return !directory.startsWith('.') && directory !== 'node_modules';
}

/** @returns the text; `undefined` when it is larger than 1 MiB, or no file any more */
export async function readTextFile(root: string, path: string): Promise<string | undefined> {
  // Who replaces a file by a link between listing and reading gets an error.
  const file = await open(join(root, path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    return stats.isFile() && stats.size <= MAX_FILE_BYTES ? await file.readFile('utf8') : undefined;
  } finally {
    await file.close();
  }
}
