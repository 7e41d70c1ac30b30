// `hawser conform`: judges a WebSocket server or client, rule by rule, and writes reports.

import { readFileSync } from 'node:fs';
import { GROUPS } from '../conform/case.js';
import { compareResults, formatChanges } from '../conform/report/compare.js';
import { parseVerdicts } from '../conform/report/verdict-table.js';
import { type CommandSpec, EXIT, type ParsedArguments, UsageError } from './arguments.js';
import { judgeClientCommand } from './conform-client.js';
import { renderDirectory } from './conform-files.js';
import { listCases } from './conform-options.js';
import { judgeServerCommand } from './conform-server.js';

export const conformCommand: CommandSpec = {
  name: 'conform',
  summary: 'Judge a WebSocket server or client, rule by rule.',
  operands: 'server URL | client [-- COMMAND…] | report DIR',
  minOperands: 0,
  maxOperands: 1000,
  options: {
    agent: {
      value: 'NAME',
      help: 'what the reports call the peer (default: the host of URL; clients name themselves)',
    },
    cases: {
      short: 'c',
      value: 'IDS',
      isRepeatable: true,
      help: 'run only these: 1.*, 7.7.1, masking.*; commas separate',
    },
    exclude: { short: 'x', value: 'IDS', isRepeatable: true, help: 'leave these out' },
    group: { short: 'g', value: 'NAME', isRepeatable: true, help: 'run only these groups' },
    jobs: { short: 'j', value: 'N', help: 'server: how many cases at a time (default 8)' },
    timeout: { value: 'MS', help: 'an upper bound for the time of each case' },
    idle: {
      value: 'MS',
      help: 'client: end the run when the started client asks for nothing so long (default 60000)',
    },
    chop: { value: 'BYTES', help: 'send everything in TCP writes of that many bytes' },
    out: {
      value: 'DIR',
      help: 'write index.json and a file for each case; what DIR has of this agent is replaced, other agents stay',
    },
    html: { value: 'FILE', help: 'write the report as one HTML page (with all agents of --out)' },
    junit: { value: 'FILE', help: 'write the report as JUnit XML' },
    markdown: { value: 'FILE', help: 'write a summary in Markdown' },
    baseline: {
      value: 'FILE',
      help: 'compare with expected verdicts: any difference fails, a better one too',
    },
    'write-baseline': { value: 'FILE', help: 'write the verdicts as a baseline' },
    compare: { help: 'compare two index.json files or baselines: hawser conform --compare A B' },
    list: { help: 'list the chosen cases and run nothing' },
    host: { value: 'HOST', help: 'client: where to listen (default 127.0.0.1)' },
    port: {
      short: 'p',
      value: 'N',
      help: 'client: where to listen (default 9001, as Autobahn does; 0: any free port)',
    },
    cert: { value: 'FILE', help: 'client: listen with TLS, with this certificate (PEM)' },
    key: { value: 'FILE', help: 'client: the private key of --cert (PEM)' },
    insecure: { short: 'k', help: 'server: accept any TLS certificate' },
    ca: { value: 'FILE', help: 'server: trust these certificates (PEM)' },
    'i-own-this-host': { help: 'allow the attacks of the group robustness on a host that is not loopback' },
  },
  notes: `
The peer has to be an echo endpoint: what comes as text goes back as text, binary as binary.

conform server URL       connects to the server at URL once for each case, or more often.
conform client           is a fuzzing server with the paths of Autobahn's: /getCaseCount, /runCase?case=N&agent=NAME,
                         /getCaseInfo, /getCaseStatus, /updateReports, /stopServer. Existing drivers run unchanged.
conform client -- CMD    starts the client under test too. {url} in its arguments stands for ws://HOST:PORT, which is
                         also in the environment as HAWSER_CONFORM_URL. When it exits the run is over.
conform report DIR       makes the reports anew from the files of --out.

Cases 1.* to 13.* are those of Autobahn|Testsuite, with the same ids and verdicts: OK, NON-STRICT, INFORMATIONAL,
UNIMPLEMENTED, FAILED, and for the end of the connection WRONG CODE, UNCLEAN, FAILED BY CLIENT. The other groups hold
what that suite does not judge: ${GROUPS.filter((group) => group !== 'autobahn').join(', ')}.
The group robustness holds attacks. It runs only when it is asked for, and only against loopback hosts or with
--i-own-this-host.

Exit code: 0 all passed (with --baseline: all as expected), 1 not, 2 bad arguments.

Examples:
  hawser conform server ws://127.0.0.1:8787/echo --html report.html
  hawser conform server ws://127.0.0.1:8787/echo --cases 6.*,utf8.* --out reports --agent my-server
  hawser conform client --out reports -- node my-client.js {url}
  hawser conform --compare before/index.json after/index.json`,
};

/** Runs the command. @returns the exit code */
export async function conform(parsed: ParsedArguments): Promise<number> {
  const [mode, ...operands] = parsed.operands;
  if (parsed.has('compare')) return compareFiles(parsed.operands);
  if (mode === 'server')
    return parsed.has('list') ? listCases(parsed, mode) : judgeServerCommand(parsed, operands);
  if (mode === 'client')
    return parsed.has('list') ? listCases(parsed, mode) : judgeClientCommand(parsed, operands);
  if (mode === 'report') return renderDirectory(parsed, operands);
  const what = mode === undefined ? 'missing argument' : `unexpected argument ${JSON.stringify(mode)}:`;
  throw new UsageError(`${what} server URL, client or report DIR (see hawser conform --help)`);
}

function compareFiles(operands: string[]): number {
  const [before, after] = operands;
  if (before === undefined || after === undefined || operands.length !== 2) {
    throw new UsageError('--compare takes two files');
  }
  const changes = compareResults(readVerdicts(before), readVerdicts(after));
  process.stdout.write(formatChanges(changes));
  return changes.length === 0 ? EXIT.OK : EXIT.FAILED;
}

function readVerdicts(file: string): ReturnType<typeof parseVerdicts> {
  try {
    return parseVerdicts(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}
