// `hawser connect`: a WebSocket client for the terminal and for pipes. It shows what arrives, sends what is typed or
// piped, and tells by its exit code how the connection ended.
import type { IncomingMessage } from 'node:http';
import { WebSocket } from '../ws/websocket.js';
import { type CommandSpec, type ParsedArguments, UsageError } from './arguments.js';
import { socketCommands } from './connect-commands.js';
import { sendLines } from './connect-lines.js';
import { interruptOnSignal, Outcome } from './connect-outcome.js';
import { runPrompt } from './connect-prompt.js';
import { createReporter, type Reporter } from './connect-report.js';
import { connectSessionInTerminal } from './connect-session.js';
import { readTarget, type Target } from './connect-target.js';

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
    session: { help: 'begin a session (hawser.v1), which outlives its connections: see below' },
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

--session talks to a hawser SessionServer (docs/session-protocol.md). A connection that is lost, or that cannot be
made, is tried again until the server refuses for good; what is typed or piped meanwhile waits, and every message
arrives once and in order. hawser.v1 is offered before the subprotocols of -s, and --timeout counts for each attempt.
Pings and close codes are the session's own: there is no /ping, no /pong, and no code after /close. After the last
piped line it waits until the server has acknowledged all of them, then as --wait says. Ctrl+C waits for that at most
5 seconds, a second one not at all. There are the events resumed, reconnecting, sessionlost, drain and drop, too;
sessionlost and close carry the messages that the server does not have (unsent), or may not have (unacked).

Exit code: 0 closed cleanly (1000, 1001, no code, or as this side asked), 1 the connection could not be opened,
2 bad arguments, 3 it ended abnormally (1006: without a closing handshake) or messages of a session may be lost,
4 the server closed it with another code.

Examples:
  hawser connect ws://127.0.0.1:8787/echo
  hawser connect -H 'Authorization: Bearer TOKEN' --subprotocol graphql-ws wss://example.org/graphql
  echo hi | hawser connect ws://127.0.0.1:8787/echo
  hawser connect --json --wait forever wss://example.org/feed < /dev/null
  hawser connect --session ws://127.0.0.1:8787/session

A session on a bad network, in three terminals:
  hawser serve
  hawser proxy --drop-every 2s ws://127.0.0.1:8787/session
  hawser connect --session ws://127.0.0.1:9000/session`,
};

/** Runs the command until the connection is closed. @returns the exit code */
export async function connect(parsed: ParsedArguments): Promise<number> {
  const target = readTarget(parsed);
  const isInteractive = process.stdin.isTTY === true;
  const report = createReporter({ isJson: parsed.has('json'), isInteractive });
  const code = await (parsed.has('session')
    ? connectSessionInTerminal(target, report, isInteractive)
    : connectSocket(target, report, isInteractive));
  // Input that nobody reads any more would keep the process alive.
  process.stdin.destroy();
  return code;
}

function connectSocket(target: Target, report: Reporter, isInteractive: boolean): Promise<number> {
  const socket = openSocket(target);
  const outcome = new Outcome(socket);
  follow(socket, report, outcome);
  socket.on('open', () => {
    if (isInteractive) runPrompt({ report, outcome, ...socketCommands(socket, report, outcome) });
    else sendLines(socket, outcome, target.waitMs).catch((error: Error) => report.problem(error.message));
  });
  interruptOnSignal(outcome);
  return outcome.settled;
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
