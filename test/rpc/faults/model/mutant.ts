// Copies of src/rpc/ with a guard taken out, to show that the model notices.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Implementation } from './model.js';

const SOURCES = join(__dirname, '../../../../src');

/** An exact piece of source text that stands once in its file, and what takes its place. */
export interface Change {
  file: string;
  from: string;
  to: string;
}

/** Makes a changed copy and calls `use` with it. @throws when a text to change is not there, or not only once */
export async function withMutant<Result>(
  changes: readonly Change[],
  use: (mutant: Implementation) => Promise<Result>,
): Promise<Result> {
  const root = mkdtempSync(join(tmpdir(), 'hawser-mutant-'));
  try {
    for (const name of readdirSync(SOURCES)) {
      if (name === 'rpc') cpSync(join(SOURCES, name), join(root, name), { recursive: true });
      else symlinkSync(join(SOURCES, name), join(root, name));
    }
    for (const { file, from, to } of changes) {
      const path = join(root, 'rpc', file);
      const parts = readFileSync(path, 'utf8').split(from);
      if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${from}`);
      writeFileSync(path, parts.join(to));
    }
    const { RpcPeer, RpcError } = await import(join(root, 'rpc/index.ts'));
    return await use({ RpcPeer, RpcError });
  } finally {
    rmSync(root, { recursive: true });
  }
}
