// The command line as data: commands, their options, their help, and the reading of arguments against that.
import { parseArgs } from 'node:util';

/** How the process ends. The numbers are part of the interface: scripts match on them. */
export const EXIT = {
  OK: 0,
  FAILED: 1,
  BAD_ARGUMENTS: 2,
  ABNORMAL_CLOSURE: 3,
  CLOSED_WITH_CODE: 4,
} as const;

/** A mistake on the command line; its message fits one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface OptionSpec {
  short?: string;
  /** What the value is called in the help; an option without it is a switch. */
  value?: string;
  isRepeatable?: boolean;
  help: string;
}

export interface CommandSpec {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** The positional arguments, as the usage line shows them. */
  operands: string;
  minOperands: number;
  maxOperands: number;
  options: Record<string, OptionSpec>;
  /** Paragraphs after the options. */
  notes: string;
}

export interface ParsedArguments {
  operands: string[];
  wantsHelp: boolean;
  /** Whether a switch was given. */
  has(option: string): boolean;
  /** The last value of an option. */
  value(option: string): string | undefined;
  /** Every value of a repeatable option. */
  values(option: string): string[];
  /** The value of an option as a whole number within bounds. @throws UsageError */
  integer(option: string, min: number, max: number, fallback: number): number;
}

const HELP: OptionSpec = { short: 'h', help: 'show this help' };

/** Reads `argv` as `command` describes it. @throws UsageError */
export function parseArguments(command: CommandSpec, argv: string[]): ParsedArguments {
  const specs: Record<string, OptionSpec> = { ...command.options, help: HELP };
  const { tokens } = parseArgs({
    args: argv,
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(specs).map(([name, spec]) => [
        name,
        {
          type: spec.value === undefined ? 'boolean' : 'string',
          ...(spec.short !== undefined && { short: spec.short }),
        } as const,
      ]),
    ),
  });
  const operands: string[] = [];
  const given = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind === 'option') {
      const value = readOption(command, specs, token);
      given.set(token.name, [...(given.get(token.name) ?? []), value]);
    }
  }
  const wantsHelp = given.has('help');
  if (!wantsHelp) checkOperands(command, operands);
  return {
    operands,
    wantsHelp,
    has: (option) => given.has(option),
    value: (option) => given.get(option)?.at(-1),
    values: (option) => given.get(option) ?? [],
    integer: (option, min, max, fallback) => {
      const text = given.get(option)?.at(-1);
      return text === undefined ? fallback : parseInteger(`--${option}`, text, min, max);
    },
  };
}

interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

function readOption(command: CommandSpec, specs: Record<string, OptionSpec>, token: OptionToken): string {
  const spec = Object.hasOwn(specs, token.name) ? specs[token.name] : undefined;
  if (spec === undefined) {
    throw new UsageError(`unknown option ${token.rawName} (see hawser ${command.name} --help)`);
  }
  if (spec.value === undefined) {
    if (token.value !== undefined) throw new UsageError(`option ${token.rawName} takes no value`);
    return '';
  }
  // `--port --host x`: the next option is not meant as a value.
  const isMissing = token.value === undefined || (token.inlineValue === false && /^-./.test(token.value));
  if (isMissing) throw new UsageError(`option ${token.rawName} needs a value: ${spec.value}`);
  return token.value!;
}

function checkOperands(command: CommandSpec, operands: string[]): void {
  const see = `(see hawser ${command.name} --help)`;
  if (operands.length < command.minOperands)
    throw new UsageError(`missing argument ${command.operands} ${see}`);
  if (operands.length > command.maxOperands) {
    throw new UsageError(`unexpected argument ${JSON.stringify(operands[command.maxOperands])} ${see}`);
  }
}

/** @throws UsageError unless `text` is a whole number from `min` to `max` */
export function parseInteger(what: string, text: string, min: number, max: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= min && number <= max)) {
    throw new UsageError(`${what} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  }
  return number;
}

/** The help of one command. */
export function formatCommandHelp(command: CommandSpec): string {
  const rows = Object.entries({ ...command.options, help: HELP }).map(([name, spec]): [string, string] => {
    const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
    const value = spec.value === undefined ? '' : ` ${spec.value}`;
    return [`${short}--${name}${value}`, spec.isRepeatable ? `${spec.help}; may be repeated` : spec.help];
  });
  const usage = ['hawser', command.name, '[options]', command.operands]
    .filter((word) => word !== '')
    .join(' ');
  return `${command.summary}\n\nUsage: ${usage}\n\nOptions:\n${formatRows(rows)}\n\n${command.notes.trim()}\n`;
}

/** The help of the program. */
export function formatProgramHelp(commands: CommandSpec[]): string {
  const rows = commands.map((command): [string, string] => [
    [command.name, command.operands].join(' ').trim(),
    command.summary,
  ]);
  return `hawser: WebSocket (RFC 6455) from the command line

Usage: hawser <command> [options]

Commands:
${formatRows([...rows, ['help [command]', 'Show this help, or that of a command.']])}

Options:
${formatRows([
  ['-h, --help', 'show this help'],
  ['-V, --version', 'show the version'],
])}

Examples:
  hawser serve                                          then open http://127.0.0.1:8787/
  hawser connect ws://127.0.0.1:8787/echo               talk to a server
  echo hi | hawser connect ws://127.0.0.1:8787/echo     send lines, print the answers
  hawser inspect 81 85 37fa213d 7f9f4d5158              explain a frame, bit by bit
  hawser proxy --drop-every 5s ws://127.0.0.1:8787/     make its network bad
  hawser conform server ws://127.0.0.1:8787/echo        judge a server, rule by rule
  hawser mcp-bridge ws://127.0.0.1:8080/                what an MCP host starts to use a server over WebSocket
  hawser bench ws://127.0.0.1:8787/echo                 measure it
`;
}

function formatRows(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
