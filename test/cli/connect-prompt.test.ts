// The interactive side of `connect`, with streams in place of a terminal.
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { socketCommands } from '../../src/cli/connect-commands.js';
import { Outcome } from '../../src/cli/connect-outcome.js';
import { runPrompt } from '../../src/cli/connect-prompt.js';
import { createReporter } from '../../src/cli/connect-report.js';
import type { WebSocket } from '../../src/ws/websocket.js';

/** A WebSocket that notes what it is told. */
class FakeWebSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly CLOSED = 3;
  readyState = 1;
  readonly told: unknown[][] = [];

  send = (data: unknown): void => this.#note('send', data);
  ping = (data: unknown): void => this.#note('ping', data);
  pong = (data: unknown): void => this.#note('pong', data);
  close = (...given: unknown[]): void => {
    this.readyState = 2;
    this.#note('close', ...given);
  };
  terminate = (): void => this.#note('terminate');

  #note(...what: unknown[]): void {
    this.told.push(what);
    this.emit('told');
  }
}

function setUp({ isTTY = true } = {}) {
  const socket = new FakeWebSocket();
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY: false });
  const input = new PassThrough();
  const typed = socket as unknown as WebSocket;
  const report = createReporter({ isJson: false, isInteractive: true }, { stdout, stderr });
  const outcome = new Outcome(typed);
  socket.emit('open');
  runPrompt(
    { report, outcome, ...socketCommands(typed, report, outcome) },
    { input, output: new PassThrough() },
  );
  const printed = (stream: PassThrough): string => String(stream.read() ?? '');
  return { socket, report, outcome, input, out: () => printed(stdout), stderr, err: () => printed(stderr) };
}

/** Types a line, and waits until the WebSocket was told something. */
async function type(line: string): Promise<unknown[][]> {
  const { socket, input } = setUp();
  const told = once(socket, 'told');
  input.write(`${line}\n`);
  await told;
  return socket.told;
}

describe('a line at the prompt', () => {
  it.each<[string, unknown[]]>([
    ['hello', ['send', 'hello']],
    ['  with space ', ['send', '  with space ']],
    ['//ping', ['send', '/ping']],
    ['/ping', ['ping', '']],
    ['/ping are you there?', ['ping', 'are you there?']],
    ['/pong x', ['pong', 'x']],
    ['/hex 00 ff', ['send', Buffer.from([0, 255])]],
    ['/close', ['close', 1000, '']],
    ['/close 3001', ['close', 3001, '']],
    ['/close 3001 done and over', ['close', 3001, 'done and over']],
    ['/quit', ['close', 1000, '']],
  ])('%j -> %j', async (line, expected) => {
    expect(await type(line)).toEqual([expected]);
  });

  it('/binary FILE -> the content of the file, as a binary message', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hawser-'));
    const file = join(directory, 'some bytes');
    writeFileSync(file, Buffer.from([1, 2, 3]));
    expect(await type(`/binary ${file}`)).toEqual([['send', Buffer.from([1, 2, 3])]]);
    rmSync(directory, { recursive: true });
  });

  it.each([
    ['/nope', 'unknown command /nope; /help shows them, // sends it as text'],
    ['/constructor', 'unknown command /constructor; /help shows them, // sends it as text'],
    ['/close 1006', '1006 may not be sent as a status code'],
    ['/close soon', 'soon may not be sent as a status code'],
    ['/hex zz', 'not hexadecimal: "zz"'],
    ['/binary', '/binary needs the name of a file'],
    ['/binary /does/not/exist', "ENOENT: no such file or directory, open '/does/not/exist'"],
  ])('%j -> one line that says what is wrong, and nothing is sent', async (line, message) => {
    const { socket, input, stderr } = setUp();
    input.write(`${line}\n`);
    const [output] = await once(stderr, 'data');
    expect(String(output)).toBe(`hawser: ${message}\n`);
    expect(socket.told).toEqual([]);
  });

  it('/help -> the commands', async () => {
    const { input, stderr } = setUp();
    input.write('/help\n');
    expect(String((await once(stderr, 'data'))[0])).toMatch(/\/ping .*\/close .*\/quit/);
  });

  it('end of input (Ctrl+D) -> closes with 1000, and that is a clean end', async () => {
    const { socket, input, outcome } = setUp();
    const told = once(socket, 'told');
    input.end();
    await told;
    expect(socket.told).toEqual([['close', 1000, '']]);
    expect(outcome.exitCodeFor(1000)).toBe(0);
  });

  it('a code that the person chose is a clean end too', async () => {
    const { socket, input, outcome } = setUp();
    expect(outcome.exitCodeFor(3001)).toBe(4);
    const told = once(socket, 'told');
    input.write('/close 3001\n');
    await told;
    expect(outcome.exitCodeFor(3001)).toBe(0);
    expect(outcome.exitCodeFor(1006)).toBe(3);
  });
});

describe('what a terminal shows', () => {
  it('a message, with everything escaped that could steer the terminal', () => {
    const { report, out } = setUp();
    report.message(Buffer.from('\x1b[2J\u202e\nhawser: closed'), false);
    expect(out().replaceAll(/\x1b\[(32|39)m/g, '')).toBe('< \\x1b[2J\\u{202e}\n    hawser: closed\n');
  });

  it('a pong with the time since its ping, and one that nobody asked for', async () => {
    const { report, input, socket, err } = setUp();
    const told = once(socket, 'told');
    input.write('/ping a\n');
    await told;
    report.pong(Buffer.from('a'));
    report.pong(Buffer.from('a'));
    expect(err()).toMatch(/^pong "a" after [\d.]+ ms\npong "a", not asked for\n$/);
  });

  it('a ping and a reason with control characters, in escaped form', () => {
    const { report, err } = setUp();
    report.ping(Buffer.from('\x07'));
    report.close(1000, Buffer.from('\x9b2J'), 0);
    const text = err();
    expect(text).toContain('ping "\\x07"; answered with a pong\n');
    expect(text).toContain('closed with 1000 Normal Closure: "\\x9b2J"');
  });
});
