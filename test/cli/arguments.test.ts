import { describe, expect, it } from 'vitest';
import {
  type CommandSpec,
  formatCommandHelp,
  formatProgramHelp,
  parseArguments,
  parseInteger,
  UsageError,
} from '../../src/cli/arguments.js';
import { connectCommand } from '../../src/cli/connect.js';
import { inspectCommand } from '../../src/cli/inspect.js';
import { serveCommand } from '../../src/cli/serve.js';

const COMMAND: CommandSpec = {
  name: 'tow',
  summary: 'Tow a ship.',
  operands: 'SHIP',
  minOperands: 1,
  maxOperands: 1,
  options: {
    length: { short: 'l', value: 'METRES', help: 'how long the line is' },
    mark: { short: 'm', value: 'NAME', isRepeatable: true, help: 'mark the line' },
    'no-lights': { short: 'n', help: 'tow in the dark' },
  },
  notes: 'Notes.',
};

describe('parseArguments', () => {
  it('reads operands, switches and values in any order', () => {
    const parsed = parseArguments(COMMAND, ['--length', '20', 'argo', '-n']);
    expect(parsed.operands).toEqual(['argo']);
    expect(parsed.value('length')).toBe('20');
    expect(parsed.has('no-lights')).toBe(true);
    expect(parsed.has('mark')).toBe(false);
  });

  it.each([[['--length=20']], [['-l', '20']], [['-l20']], [['-nl', '20']]])(
    'reads the value in %j',
    (argv) => {
      expect(parseArguments(COMMAND, [...argv, 'argo']).value('length')).toBe('20');
    },
  );

  it('keeps every value of a repeatable option, in order', () => {
    expect(parseArguments(COMMAND, ['-m', 'a', 'argo', '--mark=b']).values('mark')).toEqual(['a', 'b']);
  });

  it('takes the last value of an option that is given twice', () => {
    expect(parseArguments(COMMAND, ['-l', '1', '-l', '2', 'argo']).value('length')).toBe('2');
  });

  it('takes everything after -- as operands', () => {
    expect(parseArguments(COMMAND, ['--', '--length']).operands).toEqual(['--length']);
  });

  it.each([
    [['argo', '--depth'], 'unknown option --depth (see hawser tow --help)'],
    [['argo', '-x'], 'unknown option -x (see hawser tow --help)'],
    [['argo', '--constructor'], 'unknown option --constructor (see hawser tow --help)'],
    [['argo', '--__proto__=1'], 'unknown option --__proto__ (see hawser tow --help)'],
    [['argo', '--length'], 'option --length needs a value: METRES'],
    [['--length', '--mark', 'a', 'argo'], 'option --length needs a value: METRES'],
    [['argo', '--no-lights=1'], 'option --no-lights takes no value'],
    [[], 'missing argument SHIP (see hawser tow --help)'],
    [['argo', 'b'], 'unexpected argument "b" (see hawser tow --help)'],
  ])('refuses %j in one line', (argv, message) => {
    expect(() => parseArguments(COMMAND, argv)).toThrow(new UsageError(message));
  });

  it('asks for nothing else when help is wanted', () => {
    expect(parseArguments(COMMAND, ['--help']).wantsHelp).toBe(true);
    expect(parseArguments(COMMAND, ['argo', 'b', '-h']).wantsHelp).toBe(true);
  });
});

describe('integer', () => {
  const parse = (text: string): number =>
    parseArguments(COMMAND, ['argo', `--length=${text}`]).integer('length', 0, 99, 7);

  it('reads whole numbers within the bounds', () => {
    expect([parse('0'), parse('99'), parse('007')]).toEqual([0, 99, 7]);
  });

  it('answers the default when the option is not given', () => {
    expect(parseArguments(COMMAND, ['argo']).integer('length', 0, 99, 7)).toBe(7);
  });

  it.each(['100', '-1', '1.5', '1e1', '0x10', ' 5', 'x', '9'.repeat(30), ''])('refuses %j', (text) => {
    expect(() => parseInteger('--length', text, 0, 99)).toThrow(
      new UsageError(`--length must be a whole number from 0 to 99, not ${JSON.stringify(text)}`),
    );
  });
});

describe('help', () => {
  it('lists each option with its forms, value and meaning', () => {
    const help = formatCommandHelp(COMMAND);
    expect(help).toContain('Usage: hawser tow [options] SHIP');
    expect(help).toContain('  -l, --length METRES  how long the line is\n');
    expect(help).toContain('  -m, --mark NAME      mark the line; may be repeated\n');
    expect(help).toContain('  -n, --no-lights      tow in the dark\n');
    expect(help).toContain('  -h, --help           show this help\n');
  });

  it.each([serveCommand, connectCommand, inspectCommand])(
    '$name: says every option, and what the exit codes mean',
    (command) => {
      const help = formatCommandHelp(command);
      for (const option of Object.keys(command.options)) expect(help).toContain(`--${option}`);
      expect(help).toMatch(/Exit code: 0 /);
      expect(help).toMatch(/2 for bad arguments|2 bad arguments/);
    },
  );

  it.each([serveCommand, connectCommand, inspectCommand])(
    '$name: fits a terminal of 120 columns',
    (command) => {
      const longest = Math.max(
        ...formatCommandHelp(command)
          .split('\n')
          .map((line) => line.length),
      );
      expect(longest).toBeLessThanOrEqual(120);
    },
  );

  it('lists the commands', () => {
    const help = formatProgramHelp([serveCommand, connectCommand, inspectCommand]);
    expect(help).toMatch(/^ {2}serve /m);
    expect(help).toMatch(/^ {2}connect URL /m);
    expect(help).toMatch(/^ {2}inspect \[HEX\.\.\.\] /m);
  });
});
