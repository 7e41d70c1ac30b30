// Programs that some tests need and not every machine has. Without one its tests are skipped, and a line says so; where the
// environment variable HAWSER_REQUIRE names it, as in `HAWSER_REQUIRE=chromium,python,redis`, its absence is a failure.

import { spawnSync } from 'node:child_process';

/** How to see that a program is there: a command that succeeds quickly, and what to install otherwise. */
const PROGRAMS = {
  chromium: {
    command: [process.env.CHROMIUM ?? '/usr/bin/chromium', '--version'],
    installation: 'apt-get install chromium',
  },
  python: {
    command: ['/usr/bin/python3', '-c', 'import websockets'],
    installation: 'apt-get install python3-websockets',
  },
  redis: { command: ['redis-server', '--version'], installation: 'apt-get install redis-server' },
} as const;

const found = new Map<keyof typeof PROGRAMS, boolean>();

/**
 * Whether a program is there, for `describe.runIf()`.
 *
 * @throws Error when it is not, and HAWSER_REQUIRE names it
 */
export function requirement(name: keyof typeof PROGRAMS): boolean {
  const known = found.get(name);
  if (known !== undefined) return known;
  const { command, installation } = PROGRAMS[name];
  const [program, ...options] = command;
  const isThere = spawnSync(program, options, { stdio: 'ignore' }).status === 0;
  if (!isThere) {
    const message = `${name} is missing (${installation})`;
    if (process.env.HAWSER_REQUIRE?.split(',').includes(name)) throw new Error(`HAWSER_REQUIRE: ${message}`);
    console.warn(`\n!!! SKIPPED: ${message}; the tests that need it do not run\n`);
  }
  found.set(name, isThere);
  return isThere;
}
