// Another revision against the working tree: npm run bench:compare REV [-- options]. The revision is written to a
// temporary folder and built there from its own sources; the repository and the tree stay as they are.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPTIONS_HELP, parseOptions } from './options.mjs';
import { buildRevision, extractRevision, resolveRevision } from './revision.mjs';
import { announce, buildIfNeeded, informationFor, runBench } from './session.mjs';

const USAGE = `Usage: npm run bench:compare REV [-- options]

Measures the working tree (new) and the revision REV (old) in turn; old / new above 1 means that new is faster.
--peer adds further libraries.

${OPTIONS_HELP}`;

const root = join(import.meta.dirname, '..');

/** A folder that goes when the program does, also on Ctrl-C (session.mjs's children make signals an exit). */
function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'hawser-compare-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function main() {
  const options = parseOptions(process.argv.slice(2), { allowPositionals: true });
  const information = informationFor(options, USAGE);
  if (information !== undefined) return console.log(information);
  const [revision, ...others] = options.positionals;
  if (revision === undefined || others.length > 0) {
    throw new Error('name one revision: npm run bench:compare main -- --case echo-1k');
  }
  const commit = resolveRevision(root, revision);
  const folder = temporaryFolder();
  extractRevision(root, commit, folder);
  console.error(`bench: building ${revision} (${commit.slice(0, 10)})`);
  buildRevision(root, folder, revision);
  buildIfNeeded();

  const libs = [
    `new=${join(root, 'dist', 'index.js')}`,
    `old=${join(folder, 'dist', 'index.js')}`,
    ...options.libs,
  ];
  announce(options, libs.length);
  const peers = { new: 'the working tree', old: `${revision}, commit ${commit.slice(0, 10)}` };
  await runBench(options, libs, { prefix: 'compare-', peers });
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
