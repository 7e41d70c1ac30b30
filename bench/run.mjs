// The command line of `npm run bench`. See README.md for what the numbers mean.
import { OPTIONS_HELP, parseOptions, tablePeers } from './options.mjs';
import { announce, buildIfNeeded, informationFor, runBench } from './session.mjs';

const USAGE = `Usage: npm run bench -- [options]

${OPTIONS_HELP}`;

async function main() {
  const options = parseOptions(process.argv.slice(2));
  const information = informationFor(options, USAGE);
  if (information !== undefined) return console.log(information);
  const libs = options.libs.length > 0 ? options.libs : tablePeers();
  if (options.libs.length === 0 && !libs.includes('ws')) {
    console.error('bench: only hawser and raw are measured; for the peers run: npm ci --prefix bench');
  }
  if (options.isTable) {
    announce(options, libs.length);
    console.error('bench: a short selection; --case all --rounds 9 measures everything, --help says more');
  }
  if (libs.includes('hawser')) buildIfNeeded();
  await runBench(options, libs);
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
