// What `hawser connect` is to connect to, and how: read from the command line and checked before anything is opened.
import { type ParsedArguments, parseInteger, UsageError } from './arguments.js';

export interface Target {
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

/** @throws UsageError */
export function readTarget(parsed: ParsedArguments): Target {
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

/** Several headers of one name mean the same as one with a list (RFC 9110 §5.3). */
export function joinValues(headers: Target['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, String(values)]));
}
