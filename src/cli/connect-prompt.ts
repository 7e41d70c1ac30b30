// The interactive side of `hawser connect`: a line editor with history, which tells commands (they begin with
// a slash) from text. What the commands do is in `connect-commands.ts`.
import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline';
import type { Ending } from './connect-outcome.js';
import type { Prompt, Reporter } from './connect-report.js';

/** May reject, or throw, with a message for the person. */
export type SlashCommand = (argument: string) => unknown;

/** What is at the other end of the prompt. */
export interface Conversation {
  report: Reporter;
  outcome: Ending;
  /** By name, slash included. */
  commands: Record<string, SlashCommand>;
  send(text: string): unknown;
}

export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/**
 * Reads lines from the terminal until the conversation has ended.
 *
 * @param terminal the prompt is no output: by default it goes where it does not mix with the messages in a file
 */
export function runPrompt(
  conversation: Conversation,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): void {
  const { report, outcome, commands } = conversation;
  let hasEnded = false;
  const editor = createInterface({
    input,
    output,
    prompt: '> ',
    historySize: 1000,
    removeHistoryDuplicates: true,
    completer: (line: string) => completeCommand(line, Object.keys(commands)),
  });
  report.setPrompt(promptOf(editor, output));
  editor.on('line', (line) => {
    run(line, conversation)
      .catch((error: Error) => report.problem(error.message))
      .finally(() => {
        if (!hasEnded) editor.prompt();
      });
  });
  editor.on('SIGINT', () => outcome.interrupt());
  // Ctrl+D
  editor.on('close', () => outcome.close());
  outcome.settled.then(() => {
    hasEnded = true;
    report.setPrompt(undefined);
    editor.close();
  });
  editor.prompt();
}

async function run(line: string, { commands, send }: Conversation): Promise<void> {
  if (!line.startsWith('/') || line.startsWith('//')) {
    const text = line.startsWith('//') ? line.slice(1) : line;
    if (text !== '') await send(text);
    return;
  }
  const [, name = '', argument = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    throw new Error(`unknown command ${name}; /help shows them, // sends it as text`);
  await command(argument);
}

function completeCommand(line: string, names: string[]): [string[], string] {
  if (!/^\/[a-z]*$/.test(line)) return [[], line];
  return [names.filter((name) => name.startsWith(line)), line];
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
