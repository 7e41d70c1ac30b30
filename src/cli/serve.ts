// `hawser serve`: a server to try WebSocket, sessions, calls and MCP against, and a page that shows each frame of a connection
// as the server sees it on the wire. Meant for one's own machine: it has no authentication.
import { type CommandSpec, EXIT, type ParsedArguments } from './arguments.js';
import { DemoServer } from './demo-server.js';
import { explainListenError } from './listen-error.js';
import { paletteFor } from './terminal.js';

export const serveCommand: CommandSpec = {
  name: 'serve',
  summary: 'Start a server to try WebSocket on, with a page that shows every frame on the wire.',
  operands: '',
  minOperands: 0,
  maxOperands: 0,
  options: {
    port: {
      short: 'p',
      value: 'PORT',
      help: 'the port to listen on; 0 takes any that is free (default 8787)',
    },
    host: { value: 'HOST', help: 'the name or address to listen on (default 127.0.0.1)' },
  },
  notes: `
What it serves:
  /            the page: connect, send, ping, close, and watch every frame
  /echo        a WebSocket that sends every message back
  /broadcast   a WebSocket that sends every message to all who are connected to it
  /session     a session (docs/session-protocol.md) that sends every message back, once and in order over any number of
               connections; it waits two minutes for a client that is gone: hawser connect --session
  /agent       a session whose tools can be called with hawser/rpc: calculate, clock, explain, search; the page does so
  /mcp         the same tools for clients of the Model Context Protocol, over hawser.mcp.v1, which resumes, or mcp
  /observe     where the page receives its records

The first two take the parameter ?deflate=off, which does without compression. All but the last take ?watch=NAME, which
shows the connection on every page that watches NAME:
  hawser connect 'ws://127.0.0.1:8787/echo?watch=me'

Pages of other sites may not connect (RFC 6455 §10.2); programs, which send no Origin header, may. There is no
authentication: think before you listen on more than 127.0.0.1. Ctrl+C closes every connection with 1001,
those of sessions with 1012.

Exit code: 0 after Ctrl+C or SIGTERM, 1 when it cannot listen, 2 for bad arguments.`,
};

/** Runs the command until a signal ends it. @returns the exit code */
export async function serve(parsed: ParsedArguments): Promise<number> {
  const host = parsed.value('host') ?? '127.0.0.1';
  const port = parsed.integer('port', 0, 65535, 8787);
  const server = new DemoServer(host);
  try {
    await server.listen(port);
  } catch (error) {
    process.stderr.write(`hawser: ${explainListenError(error as NodeJS.ErrnoException, host, port)}\n`);
    return EXIT.FAILED;
  }
  process.stdout.write(formatBanner(server.url));
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  // A second signal finds no listener and ends the process at once.
  process.stdout.write('\nclosing\n');
  await server.close();
  return EXIT.OK;
}

function formatBanner(url: string): string {
  const { bold, dim } = paletteFor(process.stdout);
  const socketUrl = url.replace('http', 'ws');
  return `${bold(url)}   ${dim('the page that shows every frame')}
${socketUrl}echo
${socketUrl}broadcast
${socketUrl}session   ${dim('for hawser connect --session')}
${socketUrl}agent     ${dim('tools for hawser/rpc; the page calls them')}
${socketUrl}mcp       ${dim('the same tools for MCP clients')}
${dim('Ctrl+C ends it')}
`;
}
