// The interactive side of `hawser connect`: a line editor with history, and the commands that begin with a slash.
import { readFile } from 'node:fs/promises';
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import { isSendableCloseCode } from '../wire/close-code.js';
import type { WebSocket } from '../ws/websocket.js';
import type { Outcome } from './connect-outcome.js';
import type { Prompt, Reporter } from './connect-report.js';
import { parseHex } from './hex.js';

export interface Session {
  socket: WebSocket;
  report: Reporter;
  outcome: Outcome;
}

export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

type SlashCommand = (argument: string, session: Session) => void | Promise<void>;

const COMMANDS: Record<string, SlashCommand> = {
  '/ping': (text, { socket, report }) => {
    socket.ping(text);
    report.pinged(text);
  },
  '/pong': (text, { socket }) => socket.pong(text),
  '/binary': async (file, { socket, report }) => {
    if (file === '') throw new Error('/binary needs the name of a file');
    const content = await readFile(file);
    socket.send(content);
    report.note(`sent ${content.length} bytes`);
  },
  '/hex': (text, { socket }) => socket.send(parseHex(text)),
  '/close': (argument, { outcome }) => {
    const [, code, reason] = /^(\S*)\s*(.*)$/s.exec(argument) ?? [];
    if (code === undefined || code === '') outcome.close();
    else if (!isSendableCloseCode(Number(code))) throw new Error(`${code} may not be sent as a status code`);
    else outcome.close(Number(code), reason);
  },
  '/quit': (_, { outcome }) => outcome.close(),
  '/help': (_, { report }) => report.note(HELP),
};

const HELP = `/ping [TEXT]  /pong [TEXT]  /binary FILE  /hex BYTES  /close [CODE [REASON]]  /quit
Any other line is sent as text; begin it with // to send a line that begins with /.`;

/** Reads lines from the terminal until the connection is closed. */
export function runPrompt(session: Session, { input, output }: Terminal): void {
  const { socket, report, outcome } = session;
  const editor = createInterface({
    input,
    output,
    prompt: '> ',
    historySize: 1000,
    removeHistoryDuplicates: true,
    completer: completeCommand,
  });
  report.setPrompt(promptOf(editor, output));
  editor.on('line', (line) => {
    run(line, session)
      .catch((error: Error) => report.problem(error.message))
      .finally(() => {
        if (socket.readyState !== socket.CLOSED) editor.prompt();
      });
  });
  editor.on('SIGINT', () => outcome.interrupt());
  // Ctrl+D
  editor.on('close', () => {
    if (socket.readyState === socket.OPEN) outcome.close();
  });
  socket.on('close', () => {
    report.setPrompt(undefined);
    editor.close();
  });
  editor.prompt();
}

async function run(line: string, session: Session): Promise<void> {
  if (!line.startsWith('/') || line.startsWith('//')) {
    const text = line.startsWith('//') ? line.slice(1) : line;
    if (text !== '') session.socket.send(text);
    return;
  }
  const [, name = '', argument = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined)
    throw new Error(`unknown command ${name}; /help shows them, // sends it as text`);
  await command(argument, session);
}

function completeCommand(line: string): [string[], string] {
  if (!/^\/[a-z]*$/.test(line)) return [[], line];
  return [Object.keys(COMMANDS).filter((name) => name.startsWith(line)), line];
}

/** Lets other output take the lines on which the person types, and gives them back with the text on them. */
function promptOf(editor: Interface, output: NodeJS.WritableStream): Prompt {
  return {
    hide: () => {
      if (!editor.terminal) return;
      moveCursor(output, 0, -editor.getCursorPos().rows);
      cursorTo(output, 0);
      clearScreenDown(output);
    },
    show: () => {
      if (!editor.terminal) return;
      // The editor would move up to where its text was, if that took several rows.
      Object.assign(editor, { prevRows: 0 });
      editor.prompt(true);
    },
  };
}
