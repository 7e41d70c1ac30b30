import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runHawser, startHawser } from './program.js';

describe('hawser', () => {
  it.each([[['--help']], [['-h']], [['help']], [[]]])(
    '%j -> the help of the program, exit code 0',
    async (argv) => {
      const { code, stdout, stderr } = await runHawser(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      for (const command of [
        'serve',
        'connect URL',
        'inspect [HEX...]',
        'proxy TARGET',
        'mcp-bridge URL | --listen PORT -- COMMAND…',
        'help [command]',
        '--version',
      ]) {
        expect(stdout).toContain(`\n  ${command === '--version' ? '-V, --version' : command} `);
      }
    },
  );

  it.each(['serve', 'connect', 'inspect'])(
    'help COMMAND and COMMAND --help: %s -> the same help',
    async (command) => {
      const results = await Promise.all([
        runHawser(['help', command]),
        runHawser([command, '--help']),
        runHawser([command, '-h']),
      ]);
      for (const { code, stdout, stderr } of results) {
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        expect(stdout).toBe(results[0].stdout);
        expect(stdout).toContain(`Usage: hawser ${command} [options]`);
      }
    },
  );

  it.each(['--version', '-V'])('%s -> the version of the package', async (option) => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await runHawser([option])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each([
    [['conect'], 'unknown command "conect" (see hawser --help)'],
    [['--verbose'], 'unknown option "--verbose" (see hawser --help)'],
    [['help', 'me'], 'unknown command "me" (see hawser --help)'],
    [['help', 'serve', 'now'], 'unexpected argument "now" (see hawser --help)'],
    [['constructor'], 'unknown command "constructor" (see hawser --help)'],
    [['serve', '--port', 'x'], '--port must be a whole number from 0 to 65535, not "x"'],
    [['serve', '--port', '65536'], '--port must be a whole number from 0 to 65535, not "65536"'],
    [['serve', 'here'], 'unexpected argument "here" (see hawser serve --help)'],
    [['connect'], 'missing argument URL (see hawser connect --help)'],
    [['inspect', 'xyz'], 'not hexadecimal: "xyz"'],
  ])('%j -> one line on standard error, exit code 2', async (argv, message) => {
    expect(await runHawser(argv)).toMatchObject({ code: 2, stdout: '', stderr: `hawser: ${message}\n` });
  });

  it('inspect, hexadecimal text on standard input -> the frames, exit code 0', async () => {
    const { code, stdout } = await runHawser(['inspect'], '89 00\n');
    expect(stdout).toContain('Frame 1 at byte 0: ping, final, not masked, 0 bytes');
    expect(code).toBe(0);
  });

  it('inspect, broken rule -> exit code 1', async () => {
    expect(await runHawser(['inspect', 'f0'])).toMatchObject({ code: 1, stderr: '' });
  });

  it('ends quietly when the reader of its output goes away', async () => {
    const { child, ended } = startHawser(['inspect', '--raw'], Buffer.alloc(40_000, Buffer.from([0x89, 0])));
    child.stdout!.once('data', () => child.stdout!.destroy());
    expect((await ended).stderr).toBe('');
  });
});
