// `hawser connect`: a WebSocket client for the terminal and for pipes. It shows what arrives, sends what is typed or
// piped, and tells by its exit code how the connection ended.
import type { IncomingMessage } from 'node:http';
import { WebSocket } from '../ws/websocket.js';
import { type CommandSpec, type ParsedArguments, parseInteger, UsageError } from './arguments.js';
import { sendLines } from './connect-lines.js';
import { Outcome } from './connect-outcome.js';
import { runPrompt } from './connect-prompt.js';
import { createReporter, type Reporter } from './connect-report.js';

export const connectCommand: CommandSpec = {
  name: 'connect',
  summary: 'Connect to a WebSocket server and talk to it.',
  operands: 'URL',
  minOperands: 1,
  maxOperands: 1,
  options: {
    subprotocol: { short: 's', value: 'NAME', isRepeatable: true, help: 'offer a subprotocol' },
    header: { short: 'H', value: "'Name: value'", isRepeatable: true, help: 'add a header to the handshake' },
    origin: { short: 'o', value: 'ORIGIN', help: 'send an Origin header' },
    'no-deflate': { help: 'do not offer permessage-deflate' },
    insecure: { short: 'k', help: 'accept any TLS certificate' },
    timeout: { value: 'MS', help: 'give up when the handshake takes longer (default 10000)' },
    wait: { value: 'MS', help: 'piped input only: see below (default 500)' },
    json: { help: 'print one JSON object per event' },
  },
  notes: `
URL is ws://HOST[:PORT][/PATH], or wss:// for TLS, or ws+unix:/SOCKET:/PATH.

At a terminal, each line is sent as a text message. Arrow keys edit it and recall earlier ones. Commands:
  /ping [TEXT]             send a Ping; the Pong is shown with the time it took
  /pong [TEXT]             send a Pong that nobody asked for
  /binary FILE             send the content of a file as a binary message
  /hex BYTES               send a binary message given in hexadecimal
  /close [CODE [REASON]]   close, with a status code: 1000-1014 or 3000-4999
  /quit                    close with 1000; so do Ctrl+C and Ctrl+D
  /help                    show these commands
  //TEXT                   send /TEXT as text

With piped input, each line is sent as it is (commands are not looked for). After the last line the connection
stays open until nothing has arrived for --wait milliseconds, then it is closed with 1000. --wait 0 closes at once,
--wait forever leaves the closing to the server. Messages go to standard output, everything else to standard error.
Binary messages are shown in hexadecimal. Control characters from the server are escaped on a terminal.

--json prints the events open, message, ping, pong, error and close, each on a line of its own. The data of binary
messages is in base64 ("encoding": "base64").

Exit code: 0 closed cleanly (1000, 1001, no code, or as this side asked), 1 the connection could not be opened,
2 bad arguments, 3 it ended abnormally (1006: without a closing handshake), 4 the server closed it with another code.

Examples:
  hawser connect ws://127.0.0.1:8787/echo
  hawser connect -H 'Authorization: Bearer TOKEN' --subprotocol graphql-ws wss://example.org/graphql
  echo hi | hawser connect ws://127.0.0.1:8787/echo
  hawser connect --json --wait forever wss://example.org/feed < /dev/null`,
};

/** Runs the command until the connection is closed. @returns the exit code */
export async function connect(parsed: ParsedArguments): Promise<number> {
  const target = readTarget(parsed);
  const isInteractive = process.stdin.isTTY === true;
  const report = createReporter({ isJson: parsed.has('json'), isInteractive });
  const socket = openSocket(target);
  const outcome = new Outcome(socket);
  follow(socket, report, outcome);
  socket.on('open', () => {
    // The prompt is no output: it goes where it does not mix with the messages in a file.
    if (isInteractive)
      runPrompt({ socket, report, outcome }, { input: process.stdin, output: process.stderr });
    else sendLines(socket, outcome, target.waitMs).catch((error: Error) => report.problem(error.message));
  });
  process.on('SIGINT', () => outcome.interrupt());
  process.on('SIGTERM', () => outcome.interrupt());
  const code = await outcome.settled;
  // Input that nobody reads any more would keep the process alive.
  process.stdin.destroy();
  return code;
}

interface Target {
  url: string;
  subprotocols: string[];
  headers: Record<string, string | string[]>;
  origin: string | undefined;
  offersDeflate: boolean;
  rejectsUnauthorized: boolean;
  timeoutMs: number;
  waitMs: number;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

function readTarget(parsed: ParsedArguments): Target {
  const wait = parsed.value('wait') ?? '500';
  return {
    url: readUrl(parsed.operands[0]!),
    subprotocols: parsed.values('subprotocol').map(readSubprotocol),
    headers: readHeaders(parsed.values('header')),
    origin: parsed.value('origin'),
    offersDeflate: !parsed.has('no-deflate'),
    rejectsUnauthorized: !parsed.has('insecure'),
    timeoutMs: parsed.integer('timeout', 1, LONGEST_TIMER_MS, 10_000),
    waitMs: wait === 'forever' ? Number.POSITIVE_INFINITY : parseInteger('--wait', wait, 0, LONGEST_TIMER_MS),
  };
}

/** §3: a ws or wss URL has no fragment. */
function readUrl(text: string): string {
  const schemes = ['ws:', 'wss:', 'http:', 'https:', 'ws+unix:'];
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !schemes.includes(url.protocol)) {
    const hint = /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? `; did you mean ws://${text}?` : '';
    throw new UsageError(`not a WebSocket URL: ${JSON.stringify(text)}${hint}`);
  }
  if (url.hash !== '' || text.endsWith('#')) throw new UsageError('a WebSocket URL has no fragment (#…)');
  return text;
}

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

function readSubprotocol(name: string, index: number, names: string[]): string {
  if (!TOKEN.test(name)) throw new UsageError(`not the name of a subprotocol: ${JSON.stringify(name)}`);
  if (names.indexOf(name) !== index) throw new UsageError(`--subprotocol ${name} is given twice`);
  return name;
}

function readHeaders(lines: string[]): Record<string, string | string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name, value] = /^([^:]*):[ \t]*(.*?)[ \t]*$/s.exec(line) ?? [];
    const isValid = name !== undefined && TOKEN.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value ?? '');
    if (!isValid) throw new UsageError(`not a header: ${JSON.stringify(line)}; write -H 'Name: value'`);
    headers.set(name, [...(headers.get(name) ?? []), value ?? '']);
  }
  return Object.fromEntries(
    [...headers].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]),
  );
}

/** How long the server may take to answer a Close: nobody likes to look at a terminal that hangs. */
const CLOSE_TIMEOUT_MS = 5000;

function openSocket(target: Target): WebSocket {
  try {
    return new WebSocket(target.url, target.subprotocols, {
      headers: target.headers,
      ...(target.origin !== undefined && { origin: target.origin }),
      perMessageDeflate: target.offersDeflate,
      rejectUnauthorized: target.rejectsUnauthorized,
      handshakeTimeout: target.timeoutMs,
      closeTimeout: CLOSE_TIMEOUT_MS,
    });
  } catch (error) {
    // What the checks above let through and the client does not, such as `wss://`.
    throw new UsageError((error as Error).message);
  }
}

/** Reports everything that happens on the connection. */
function follow(socket: WebSocket, report: Reporter, outcome: Outcome): void {
  socket.on('unexpected-response', (request, response: IncomingMessage) => {
    readRefusal(response, (body) => {
      report.refused(response, body);
      request.destroy();
      socket.terminate();
    });
  });
  socket.on('open', () => report.open(socket));
  socket.on('message', (data: Buffer, isBinary: boolean) => report.message(data, isBinary));
  socket.on('ping', (data: Buffer) => report.ping(data));
  socket.on('pong', (data: Buffer) => report.pong(data));
  socket.on('error', (error: NodeJS.ErrnoException) => report.error(error));
  socket.on('close', (code: number, reason: Buffer) => report.close(code, reason, outcome.exitCodeFor(code)));
}

const SHOWN_BODY_BYTES = 400;

/** Collects the beginning of the body of a refusal: it often says why. */
function readRefusal(response: IncomingMessage, done: (body: Buffer) => void): void {
  let body = Buffer.alloc(0);
  let isDone = false;
  const finish = (): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(deadline);
    done(body.subarray(0, SHOWN_BODY_BYTES));
  };
  const deadline = setTimeout(finish, 1000);
  response.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk]);
    if (body.length >= SHOWN_BODY_BYTES) finish();
  });
  response.on('end', finish);
  response.on('error', finish);
  response.on('close', finish);
}
