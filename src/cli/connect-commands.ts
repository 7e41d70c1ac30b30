// What can be done at the prompt of `hawser connect`, over a connection and over a session.
import { readFile } from 'node:fs/promises';
import type { ClientSession } from '../agent/index.js';
import { isSendableCloseCode } from '../wire/close-code.js';
import type { WebSocket } from '../ws/websocket.js';
import type { Ending, Outcome } from './connect-outcome.js';
import type { Conversation, SlashCommand } from './connect-prompt.js';
import type { Reporter } from './connect-report.js';
import { parseHex } from './hex.js';

type Sending = Pick<Conversation, 'commands' | 'send'>;

export function socketCommands(socket: WebSocket, report: Reporter, outcome: Outcome): Sending {
  const send = (data: string | Buffer): void => socket.send(data);
  return {
    send,
    commands: {
      '/ping': (text) => {
        socket.ping(text);
        report.pinged(text);
      },
      '/pong': (text) => socket.pong(text),
      '/close': (argument) => {
        const [, code, reason] = /^(\S*)\s*(.*)$/s.exec(argument) ?? [];
        if (code === undefined || code === '') outcome.close();
        else if (!isSendableCloseCode(Number(code)))
          throw new Error(`${code} may not be sent as a status code`);
        else outcome.close(Number(code), reason);
      },
      ...commonCommands(send, report, outcome),
      '/help': () => report.note(`/ping [TEXT]  /pong [TEXT]  /close [CODE [REASON]]  ${COMMON_HELP}`),
    },
  };
}

export function sessionCommands(session: ClientSession, report: Reporter, outcome: Ending): Sending {
  const send = (data: string | Buffer): Promise<unknown> => {
    const sent = session.send(data);
    if (session.state !== 'open') report.note('waits for the connection');
    return sent;
  };
  const refuse: SlashCommand = () => {
    throw new Error('a session has its own heartbeat: pings can be sent without --session only');
  };
  return {
    send,
    commands: {
      '/ping': refuse,
      '/pong': refuse,
      '/close': (argument) => {
        if (argument !== '')
          throw new Error(
            'a session is closed without a code of yours: /close, or connect without --session',
          );
        outcome.close();
      },
      ...commonCommands(send, report, outcome),
      '/help': () => report.note(`/close  ${COMMON_HELP}`),
    },
  };
}

const COMMON_HELP = `/binary FILE  /hex BYTES  /quit
Any other line is sent as text; begin it with // to send a line that begins with /.`;

function commonCommands(
  send: (data: Buffer) => unknown,
  report: Reporter,
  outcome: Ending,
): Record<string, SlashCommand> {
  return {
    '/binary': async (file) => {
      if (file === '') throw new Error('/binary needs the name of a file');
      const content = await readFile(file);
      await send(content);
      report.note(`sent ${content.length} bytes`);
    },
    '/hex': (text) => send(parseHex(text)),
    '/quit': () => outcome.close(),
  };
}
