// `hawser mcp-bridge`: MCP between stdio, which desktop hosts and most servers speak, and WebSocket. It reads the options; the
// two directions are in `mcp-host.ts` and `mcp-listener.ts`.
import { readFileSync } from 'node:fs';
import { type CommandSpec, type ParsedArguments, UsageError } from './arguments.js';
import { joinValues, readTarget } from './connect-target.js';
import { bridgeHost } from './mcp-host.js';
import { listenForClients } from './mcp-listener.js';
import { parseByteCount, parseDuration } from './quantity.js';

export const mcpBridgeCommand: CommandSpec = {
  name: 'mcp-bridge',
  summary: 'Connect a stdio MCP host to a WebSocket server, or WebSocket clients to a stdio MCP server.',
  operands: 'URL | --listen PORT -- COMMAND…',
  minOperands: 1,
  maxOperands: Number.POSITIVE_INFINITY,
  options: {
    'token-file': { value: 'FILE', help: 'the bearer token that is sent, or expected with --listen' },
    'token-env': { value: 'NAME', help: 'the same, from an environment variable' },
    'max-message': { value: 'BYTES', help: 'the longest line and message, either way (default 32m)' },
    header: { short: 'H', value: "'Name: value'", isRepeatable: true, help: 'add a header to the handshake' },
    origin: { short: 'o', value: 'ORIGIN', help: 'send an Origin header' },
    insecure: { short: 'k', help: 'accept any TLS certificate' },
    timeout: { value: 'MS', help: 'give up an attempt to connect after this time (default 10000)' },
    'no-resume': { help: 'do not offer hawser.mcp.v1: the first drop is the end' },
    wait: { value: 'MS', help: 'when standard input ends, wait so long for answers (default 30000)' },
    listen: { short: 'l', value: 'PORT', help: 'the other direction: listen; 0 takes any port that is free' },
    host: { value: 'HOST', help: 'the name or address to listen on (default 127.0.0.1)' },
    path: { value: 'PATH', help: 'the path of the WebSocket (default: any)' },
    'allow-origin': { value: 'ORIGIN', isRepeatable: true, help: 'let web pages of this origin connect' },
    'max-processes': { value: 'N', help: 'how many processes may run at a time (default 16)' },
    window: { value: 'DURATION', help: 'how long a process waits for its client to resume (default 2m)' },
  },
  notes: `
With URL (ws://HOST[:PORT][/PATH], or wss:// for TLS) it is what a host starts in place of a stdio server: each line on
standard input is sent as a message, each message is printed as a line. With --listen it starts COMMAND, a stdio server,
for each client that connects, and ends it with the client. Options from --header to --wait are for the first, those
from --listen on for the second. What is no MCP goes to standard error.

Drops  Where both ends speak hawser.mcp.v1 (this bridge and hawser's serveMcp do), the connection may be lost: messages
       wait, and every one arrives once and in order. With --listen the process lives on for --window. With any
       other peer (subprotocol mcp, or none) the connection and the process end together.
Errors A line or message that is no JSON-RPC object is refused with -32700 or -32600, and what follows it goes on. When
       the connection or the process is gone for good, every request that waits is answered with -32000.
End    When standard input ends, requests that wait are given --wait milliseconds. Ctrl+C and SIGTERM close at once. A
       process gets the end of its input, after 2 s SIGTERM, after 3 s more SIGKILL, with all that it has started.
Access With --listen, web pages may connect only from this server's own address and from --allow-origin (a page is
       known by its Origin header); anybody else may, who can reach the port and has the token. COMMAND runs with your
       rights: set a token before you listen on more than 127.0.0.1. The variable of --token-env is not handed to it.

Exit code: 0 when standard input has ended and all was answered, or after Ctrl+C, 1 when the connection could not be
opened, or the port not listened on, 2 for bad arguments, 3 when the connection was lost or a request stayed unanswered,
4 when the server closed with another code than 1000 or 1001.

Examples:
  hawser mcp-bridge wss://example.org/mcp --token-env TOKEN     as the command of a server in a host's configuration
  hawser mcp-bridge --listen 8080 -- npx -y @modelcontextprotocol/server-everything
  hawser mcp-bridge -l 8080 --token-file token -- python3 server.py`,
};

const DEFAULT_MESSAGE_BYTES = 32 * 2 ** 20;
const DEFAULT_PROCESSES = 16;
const DEFAULT_WINDOW_MS = 120_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const CONNECT_OPTIONS = ['header', 'origin', 'insecure', 'timeout', 'no-resume', 'wait'];
const LISTEN_OPTIONS = ['host', 'path', 'allow-origin', 'max-processes', 'window'];

/** Runs the command until the host, the server or a signal ends it. @returns the exit code */
export function mcpBridge(parsed: ParsedArguments): Promise<number> {
  const isListening = parsed.has('listen');
  for (const option of isListening ? CONNECT_OPTIONS : LISTEN_OPTIONS) {
    if (parsed.has(option))
      throw new UsageError(`--${option} ${isListening ? 'does not go with' : 'needs'} --listen`);
  }
  const maxBytes = parseByteCount(
    '--max-message',
    parsed.value('max-message') ?? String(DEFAULT_MESSAGE_BYTES),
    1,
  );
  const token = readToken(parsed);
  return isListening ? listen(parsed, maxBytes, token) : connect(parsed, maxBytes, token);
}

function connect(parsed: ParsedArguments, maxBytes: number, token: string | undefined): Promise<number> {
  if (parsed.operands.length > 1) {
    throw new UsageError(
      `unexpected argument ${JSON.stringify(parsed.operands[1])} (see hawser mcp-bridge --help)`,
    );
  }
  const { url, headers, origin, rejectsUnauthorized, timeoutMs } = readTarget(parsed);
  return bridgeHost({
    url,
    headers: { ...joinValues(headers), ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
    origin,
    rejectsUnauthorized,
    timeoutMs,
    maxBytes,
    isResuming: !parsed.has('no-resume'),
    waitMs: parsed.integer('wait', 0, LONGEST_TIMER_MS, 30_000),
  });
}

function listen(parsed: ParsedArguments, maxBytes: number, token: string | undefined): Promise<number> {
  const [command, ...args] = parsed.operands;
  const path = parsed.value('path');
  if (path !== undefined && !path.startsWith('/'))
    throw new UsageError(`--path must begin with /, not ${JSON.stringify(path)}`);
  const window = parsed.value('window');
  const environment = { ...process.env };
  // Not the process's business, which may show its environment to its client.
  delete environment[parsed.value('token-env') ?? ''];
  return listenForClients({
    port: parsed.integer('listen', 0, 65535, 0),
    host: parsed.value('host') ?? '127.0.0.1',
    path,
    origins: parsed.values('allow-origin'),
    token,
    maxBytes,
    maxProcesses: parsed.integer('max-processes', 1, 10_000, DEFAULT_PROCESSES),
    windowMs: window === undefined ? DEFAULT_WINDOW_MS : Math.ceil(parseDuration('--window', window)),
    command: command!,
    args,
    environment,
  });
}

/** Never from the command line itself, which every user of the machine can read. @throws UsageError */
function readToken(parsed: ParsedArguments): string | undefined {
  const [file, variable] = [parsed.value('token-file'), parsed.value('token-env')];
  if (file !== undefined && variable !== undefined)
    throw new UsageError('--token-file and --token-env: only one of them');
  if (file === undefined && variable === undefined) return undefined;
  const token = (file !== undefined ? readTokenFile(file) : (process.env[variable!] ?? '')).trim();
  // RFC 6750 §2.1
  if (/^[\w.~+/-]+=*$/.test(token)) return token;
  throw new UsageError(
    `no bearer token in ${file !== undefined ? JSON.stringify(file) : `the environment variable ${variable}`}`,
  );
}

function readTokenFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file: ${(error as Error).message}`);
  }
}
