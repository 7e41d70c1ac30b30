// What `hawser connect --session` tells of a session: each event as a line for a person and an object for a program.
import type { ClientSession, SessionEnd } from '../agent/index.js';
import { describeCloseCode } from '../wire/close-code.js';
import { EXIT } from './arguments.js';
import type { SessionOutcome } from './connect-outcome.js';
import { describeError, type Reporter } from './connect-report.js';
import { formatHex } from './hex.js';
import { escapeLine } from './terminal.js';

type Data = string | Uint8Array;

/** Reports everything that happens to the session. */
export function reportSession(
  session: ClientSession,
  url: string,
  report: Reporter,
  outcome: SessionOutcome,
): void {
  session.on('message', (data) => report.message(toBuffer(data), typeof data !== 'string'));
  session.on('open', () => {
    const { id } = session;
    const text = `session ${escapeLine(id ?? '')} with ${escapeLine(url)}; /help shows the commands, Ctrl+C closes`;
    report.news({ event: 'open', level: 'note', text, detail: { url, session: id } });
  });
  session.on('resumed', ({ replayed }) => {
    const text = `resumed (${count(replayed)} replayed)`;
    report.news({ event: 'resumed', level: 'status', text, detail: { replayed } });
  });
  session.on('reconnecting', ({ attempt, delayMs, code, error }) => {
    const why = error === undefined ? describeCode(code) : describeError(error);
    const text = `reconnecting in ${delayMs} ms (${escapeLine(why)})`;
    report.news({
      event: 'reconnecting',
      level: 'status',
      text,
      detail: { attempt, delayMs, code, reason: why },
    });
  });
  session.on('sessionlost', ({ reason, unsent, unacked }) => {
    const text = `the server no longer has the session (${escapeLine(reason)})${showLeft(unsent, unacked)}`;
    report.news({
      event: 'sessionlost',
      level: 'problem',
      text,
      detail: { reason, ...detailLeft(unsent, unacked) },
    });
  });
  session.on('drain', ({ inMs, retryAfterMs }) => {
    const text = `the server goes away in ${inMs} ms; moving to the next`;
    report.news({ event: 'drain', level: 'status', text, detail: { inMs, retryAfterMs } });
  });
  session.on('drop', ({ reason, data }) => {
    const text = `dropped (${reason}): ${head(data)}`;
    report.news({ event: 'drop', level: 'problem', text, detail: { reason, ...detailOf(data) } });
  });
  session.on('close', (end) => reportClose(end, outcome.exitCodeFor(end), report));
}

function reportClose(
  { code, reason, error, unsent, unacked }: SessionEnd,
  exitCode: number,
  report: Reporter,
) {
  // Nothing more will be typed.
  report.setPrompt(undefined);
  const said = reason === '' ? '' : `: ${escapeLine(reason)}`;
  const how =
    error === undefined
      ? `the session ended with ${code} ${describeCloseCode(code).name}${said}`
      : `the session ${exitCode === EXIT.FAILED ? 'could not be opened' : 'ended'}: ${escapeLine(error.message)}`;
  report.news({
    event: 'close',
    level: exitCode === EXIT.OK ? 'note' : 'problem',
    text: `${how}${showLeft(unsent, unacked)}`,
    detail: {
      code,
      reason,
      ...(error !== undefined && { error: { code: error.code, message: error.message } }),
      ...detailLeft(unsent, unacked),
      exitCode,
    },
  });
}

const SHOWN_MESSAGES = 5;
const SHOWN_CHARACTERS = 60;

/** How many messages are left, and how the first of them begin. */
function showLeft(unsent: Data[], unacked: Data[]): string {
  return showList('may have arrived', unacked) + showList('not sent', unsent);
}

function showList(what: string, messages: Data[]): string {
  if (messages.length === 0) return '';
  const heads = messages.slice(0, SHOWN_MESSAGES).map((data) => `\n    ${head(data)}`);
  const rest = messages.length > SHOWN_MESSAGES ? '\n    …' : '';
  return `\n  ${count(messages.length)} ${what}:${heads.join('')}${rest}`;
}

function head(data: Data): string {
  const isText = typeof data === 'string';
  const start = isText ? `"${escapeLine(data.slice(0, SHOWN_CHARACTERS))}"` : formatHex(data.subarray(0, 20));
  const isCut = data.length > (isText ? SHOWN_CHARACTERS : 20);
  return isCut ? `${start}…` : start;
}

/** Whole, so that a program can send them again. */
function detailLeft(unsent: Data[], unacked: Data[]): object {
  return { unsent: unsent.map(detailOf), unacked: unacked.map(detailOf) };
}

function detailOf(data: Data): object {
  return typeof data === 'string'
    ? { binary: false, data }
    : { binary: true, data: toBuffer(data).toString('base64'), encoding: 'base64' };
}

function describeCode(code: number): string {
  return code < 1000 ? `HTTP status ${code}` : `closed with ${code} ${describeCloseCode(code).name}`;
}

function count(messages: number): string {
  return messages === 1 ? '1 message' : `${messages} messages`;
}

function toBuffer(data: Data): Buffer {
  return typeof data === 'string'
    ? Buffer.from(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
