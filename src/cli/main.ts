#!/usr/bin/env node
// The `hawser` program: finds the command, and turns what it did into an exit code.
import {
  type CommandSpec,
  EXIT,
  formatCommandHelp,
  formatProgramHelp,
  type ParsedArguments,
  parseArguments,
  UsageError,
} from './arguments.js';
import { bench, benchCommand } from './bench.js';
import { conform, conformCommand } from './conform.js';
import { connect, connectCommand } from './connect.js';
import { inspect, inspectCommand } from './inspect.js';
import { mcpBridge, mcpBridgeCommand } from './mcp-bridge.js';
import { proxy, proxyCommand } from './proxy.js';
import { serve, serveCommand } from './serve.js';
import { readVersion } from './version.js';

interface Command {
  spec: CommandSpec;
  run(parsed: ParsedArguments): Promise<number>;
}

const COMMANDS: Command[] = [
  { spec: serveCommand, run: (parsed) => serve(parsed) },
  { spec: connectCommand, run: (parsed) => connect(parsed) },
  { spec: inspectCommand, run: (parsed) => inspect(parsed) },
  { spec: proxyCommand, run: (parsed) => proxy(parsed) },
  { spec: mcpBridgeCommand, run: (parsed) => mcpBridge(parsed) },
  { spec: benchCommand, run: (parsed) => bench(parsed) },
  { spec: conformCommand, run: (parsed) => conform(parsed) },
];

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h') return print(programHelp());
  if (name === '--version' || name === '-V') return print(`${readVersion()}\n`);
  if (name === 'help') {
    if (rest.length > 1)
      throw new UsageError(`unexpected argument ${JSON.stringify(rest[1])} (see hawser --help)`);
    return print(rest[0] === undefined ? programHelp() : formatCommandHelp(findCommand(rest[0]).spec));
  }
  const command = findCommand(name);
  const parsed = parseArguments(command.spec, rest);
  return parsed.wantsHelp ? print(formatCommandHelp(command.spec)) : command.run(parsed);
}

function findCommand(name: string): Command {
  const command = COMMANDS.find(({ spec }) => spec.name === name);
  if (command !== undefined) return command;
  const kind = name.startsWith('-') ? 'option' : 'command';
  throw new UsageError(`unknown ${kind} ${JSON.stringify(name)} (see hawser --help)`);
}

function programHelp(): string {
  return formatProgramHelp(COMMANDS.map(({ spec }) => spec));
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.OK;
}

// `hawser … | head`: the reader went away, so there is nothing left to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? (process.exitCode ?? EXIT.OK) : EXIT.FAILED);
});
// Progress that nobody reads is no reason to end a run.
process.stderr.on('error', () => {});

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isUsage = error instanceof UsageError;
    process.exitCode = isUsage ? EXIT.BAD_ARGUMENTS : EXIT.FAILED;
    process.stderr.write(
      `hawser: ${isUsage || !(error instanceof Error) ? String((error as Error).message ?? error) : error.stack}\n`,
    );
  },
);
