// What `hawser connect` prints: messages to standard output and the rest to standard error, or everything as JSON.
// Whatever the peer sent is escaped before it reaches a terminal.
import type { IncomingMessage } from 'node:http';
import { describeCloseCode } from '../wire/close-code.js';
import type { WebSocket } from '../ws/websocket.js';
import { EXIT } from './arguments.js';
import { decodeText } from './frame-anatomy.js';
import { formatHex } from './hex.js';
import { escapeJson, escapeLine, escapeText, type Palette, paletteFor } from './terminal.js';

export interface Reporter {
  open(socket: WebSocket): void;
  message(data: Buffer, isBinary: boolean): void;
  ping(data: Buffer): void;
  pong(data: Buffer): void;
  refused(response: IncomingMessage, body: Buffer): void;
  error(error: NodeJS.ErrnoException): void;
  /** @param exitCode what the end means: FAILED when the handshake never completed */
  close(code: number, reason: Buffer, exitCode: number): void;
  /** What happened to a session. */
  news(news: News): void;
  /** Something that the person should know and that did not come from the peer. */
  problem(text: string): void;
  note(text: string): void;
  /** Remembers when a Ping left, so that its Pong can be shown with the time between. */
  pinged(payload: string): void;
  /** Is called around each output, so that a prompt can step aside. */
  setPrompt(prompt: Prompt | undefined): void;
}

/** The same for a person and for a program. */
export interface News {
  event: string;
  detail: object;
  /** Lines after the first are further facts. */
  text: string;
  /** A `note` is for who sits at the terminal; a `problem` stands out. */
  level: 'note' | 'status' | 'problem';
}

export interface Prompt {
  hide(): void;
  show(): void;
}

export interface ReporterOptions {
  isJson: boolean;
  /** Adds what a person at a terminal wants to know, and a pipe does not. */
  isInteractive: boolean;
}

/** Where the reports go. */
export interface Outputs {
  stdout: Output;
  stderr: Output;
}

type Output = NodeJS.WritableStream & { isTTY?: boolean };

export function createReporter(options: ReporterOptions, outputs: Outputs = process): Reporter {
  return options.isJson ? new JsonReporter(outputs) : new TextReporter(options.isInteractive, outputs);
}

/** Pings that wait for their Pong, oldest first; a Pong also answers those before it (§5.5.3). */
class PingClock {
  readonly #sent: { payload: string; at: number }[] = [];

  start(payload: string): void {
    this.#sent.push({ payload, at: performance.now() });
  }

  /** @returns milliseconds since the Ping with this payload, or `undefined` for a Pong that nobody asked for */
  stop(payload: string): number | undefined {
    const index = this.#sent.findIndex((ping) => ping.payload === payload);
    if (index === -1) return undefined;
    const [ping] = this.#sent.splice(0, index + 1).slice(-1);
    return Math.round((performance.now() - ping!.at) * 100) / 100;
  }
}

class TextReporter implements Reporter {
  readonly #isInteractive: boolean;
  readonly #pings = new PingClock();
  readonly #outputs: Outputs;
  readonly #out: Palette;
  readonly #err: Palette;
  #prompt: Prompt | undefined;
  #hasFailed = false;

  constructor(isInteractive: boolean, outputs: Outputs) {
    this.#isInteractive = isInteractive;
    this.#outputs = outputs;
    this.#out = paletteFor(outputs.stdout);
    this.#err = paletteFor(outputs.stderr);
  }

  open(socket: WebSocket): void {
    const facts = [
      socket.protocol === '' ? '' : `subprotocol ${escapeLine(socket.protocol)}`,
      socket.extensions === '' ? '' : escapeLine(socket.extensions),
    ].filter((fact) => fact !== '');
    const suffix = facts.length === 0 ? '' : ` (${facts.join(', ')})`;
    this.note(
      `connected to ${escapeLine(socket.url ?? '')}${suffix}; /help shows the commands, Ctrl+C closes`,
    );
  }

  message(data: Buffer, isBinary: boolean): void {
    const mark = this.#isInteractive ? this.#out.green('< ') : '';
    const text = isBinary
      ? this.#out.dim(`binary, ${countBytes(data)}: `) + formatHex(data)
      : this.#showText(data);
    this.#print(this.#outputs.stdout, `${mark}${text}`);
  }

  ping(data: Buffer): void {
    this.note(`ping${showPayload(data)}; answered with a pong`);
  }

  pong(data: Buffer): void {
    const milliseconds = this.#pings.stop(decodeText(data));
    this.note(
      `pong${showPayload(data)}${milliseconds === undefined ? ', not asked for' : ` after ${milliseconds} ms`}`,
    );
  }

  refused(response: IncomingMessage, body: Buffer): void {
    this.#hasFailed = true;
    const { location } = response.headers;
    const redirect = location === undefined ? '' : `; it points to ${escapeLine(location)}`;
    const status = `${response.statusCode} ${escapeLine(response.statusMessage ?? '')}`.trimEnd();
    this.problem(`the server refused the handshake: HTTP ${status}${redirect}`);
    const text = body.toString('utf8').trim();
    if (text !== '') this.problem(`it says: ${escapeLine(text)}`);
  }

  error(error: NodeJS.ErrnoException): void {
    // After a refusal the client reports that it was told to stop.
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.problem(escapeLine(describeError(error)));
  }

  close(code: number, reason: Buffer, exitCode: number): void {
    if (exitCode === EXIT.FAILED) return;
    // Nothing more will be typed, so the prompt does not come back.
    this.#prompt?.hide();
    this.#prompt = undefined;
    const { name, meaning, section } = describeCloseCode(code);
    // [RFC6455-5.5.1-4] the reason is not for end users; who sits here is looking at the protocol, so it is shown.
    const text = reason.length === 0 ? '' : `: "${escapeLine(decodeText(reason))}"`;
    const line = `closed with ${code} ${name}${text} (${meaning}, ${section})`;
    if (exitCode === EXIT.OK) this.note(line);
    else this.problem(line);
  }

  news({ text, level }: News): void {
    if (level === 'problem') this.problem(text);
    else if (level === 'note' || this.#isInteractive) this.note(text);
    else this.#print(this.#outputs.stderr, `hawser: ${text}`);
  }

  note(text: string): void {
    if (this.#isInteractive) this.#print(this.#outputs.stderr, this.#err.dim(text));
  }

  problem(text: string): void {
    this.#print(this.#outputs.stderr, this.#err.red(`hawser: ${text}`));
  }

  pinged(payload: string): void {
    this.#pings.start(payload);
  }

  setPrompt(prompt: Prompt | undefined): void {
    if (prompt === undefined) this.#prompt?.hide();
    this.#prompt = prompt;
  }

  /** A terminal gets what is safe for it; a file or pipe gets what was sent. */
  #showText(data: Buffer): string {
    return this.#outputs.stdout.isTTY === true ? escapeText(decodeText(data)) : decodeText(data);
  }

  #print(stream: NodeJS.WritableStream, line: string): void {
    this.#prompt?.hide();
    stream.write(`${line}\n`);
    this.#prompt?.show();
  }
}

class JsonReporter implements Reporter {
  readonly #stdout: Output;
  readonly #pings = new PingClock();
  #hasFailed = false;

  constructor({ stdout }: Outputs) {
    this.#stdout = stdout;
  }

  open({ url, protocol, extensions }: WebSocket): void {
    this.#print('open', { url, protocol, extensions });
  }

  message(data: Buffer, isBinary: boolean): void {
    const content = isBinary
      ? { data: data.toString('base64'), encoding: 'base64' }
      : { data: decodeText(data) };
    this.#print('message', { binary: isBinary, ...content });
  }

  ping(data: Buffer): void {
    this.#print('ping', { data: decodeText(data) });
  }

  pong(data: Buffer): void {
    const milliseconds = this.#pings.stop(decodeText(data));
    this.#print('pong', { data: decodeText(data), ...(milliseconds !== undefined && { milliseconds }) });
  }

  refused(response: IncomingMessage, body: Buffer): void {
    this.#hasFailed = true;
    const { statusCode: status, statusMessage, headers } = response;
    this.#print('error', {
      message: `the server refused the handshake: HTTP ${status} ${statusMessage}`.trimEnd(),
      status,
      headers,
      body: body.toString('utf8'),
    });
  }

  error(error: NodeJS.ErrnoException): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#print('error', {
      message: describeError(error),
      ...(error.code !== undefined && { code: error.code }),
    });
  }

  close(code: number, reason: Buffer, exitCode: number): void {
    this.#print('close', { code, reason: decodeText(reason), ...describeCloseCode(code), exitCode });
  }

  problem(message: string): void {
    this.#print('error', { message });
  }

  news({ event, detail }: News): void {
    this.#print(event, detail);
  }

  note(): void {}

  pinged(payload: string): void {
    this.#pings.start(payload);
  }

  setPrompt(): void {}

  #print(event: string, detail: object): void {
    this.#stdout.write(
      `${escapeJson(JSON.stringify({ event, time: new Date().toISOString(), ...detail }))}\n`,
    );
  }
}

/** Errors of `node:net` that stand for several attempts have no message of their own. */
export function describeError(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((each: Error) => each.message).join('; ');
  }
  return error.message === '' ? (error.code ?? 'unknown error') : error.message;
}

function showPayload(data: Buffer): string {
  return data.length === 0 ? '' : ` "${escapeLine(decodeText(data))}"`;
}

function countBytes(data: Buffer): string {
  return data.length === 1 ? '1 byte' : `${data.length} bytes`;
}
