// `hawser inspect`: explains the frames in some bytes, bit by bit, with the section of RFC 6455 for each (§5.2).
import { type CommandSpec, EXIT, type ParsedArguments, UsageError } from './arguments.js';
import type { Field } from './frame-anatomy.js';
import type { Sender } from './frame-judge.js';
import { type CapturedFrame, FrameReader } from './frame-reader.js';
import { type Excerpt, type FrameRecord, FrameRecorder } from './frame-record.js';
import { formatHex, parseHex } from './hex.js';
import { escapeJson, escapeLine, type Palette, paletteFor } from './terminal.js';

export const inspectCommand: CommandSpec = {
  name: 'inspect',
  summary: 'Name every bit of the frames in some bytes, with the section of the RFC for each.',
  operands: '[HEX...]',
  minOperands: 0,
  maxOperands: Number.POSITIVE_INFINITY,
  options: {
    from: { value: 'client|server', help: 'whose frames these are, to check the MASK bit too' },
    deflate: { help: 'permessage-deflate was negotiated: RSV1 is allowed, messages are inflated' },
    raw: { help: 'standard input holds the bytes themselves, not hexadecimal text' },
    json: { help: 'print one JSON object per frame' },
  },
  notes: `
HEX is hexadecimal text in one or several arguments: 8185 or 81:85 or "0x81, 0x85". Without HEX, or with -,
it is read from standard input. Several frames may follow each other, of both sides: frames with a masking key
are taken for the client's.

Exit code: 0 when every frame keeps the rules, 1 when one breaks a rule or the last one is incomplete,
2 for bad arguments, text that is not hexadecimal among them.

Examples:
  hawser inspect 81 85 37fa213d 7f9f4d5158
  hawser inspect --from client 81 02 48 69
  hawser inspect --json --raw < frames.bin`,
};

export interface InspectOutput {
  stdin: NodeJS.ReadableStream;
  stdout: NodeJS.WritableStream & { isTTY?: boolean };
}

/** Runs the command. @returns the exit code */
export async function inspect(
  parsed: ParsedArguments,
  { stdin, stdout }: InspectOutput = process,
): Promise<number> {
  const from = parsed.value('from');
  if (from !== undefined && from !== 'client' && from !== 'server') {
    throw new UsageError(`--from must be client or server, not ${JSON.stringify(from)}`);
  }
  const bytes = await readBytes(parsed, stdin);
  if (bytes.length === 0) throw new UsageError('there are no bytes to inspect (see hawser inspect --help)');

  const isJson = parsed.has('json');
  const palette = paletteFor(stdout);
  let isSound = true;
  const rest = inspectBytes(bytes, { from, hasDeflate: parsed.has('deflate') }, (frame) => {
    isSound &&= frame.record.violations.length === 0 && isWhole(frame.record);
    stdout.write(isJson ? `${formatJson(frame)}\n` : `${formatFrame(frame, palette)}\n`);
  });
  if (rest.length === 0) return isSound ? EXIT.OK : EXIT.FAILED;
  const offset = bytes.length - rest.length;
  const record = { type: 'rest', offset, hex: rest.toString('hex') };
  stdout.write(isJson ? `${JSON.stringify(record)}\n` : formatRest(offset, rest, palette));
  return EXIT.FAILED;
}

async function readBytes(parsed: ParsedArguments, stdin: NodeJS.ReadableStream): Promise<Buffer> {
  const { operands } = parsed;
  const usesStdin = operands.length === 0 || (operands.length === 1 && operands[0] === '-');
  if (!usesStdin && parsed.has('raw')) throw new UsageError('--raw reads standard input, it takes no HEX');
  if (operands.length === 0 && (stdin as { isTTY?: boolean }).isTTY === true) {
    throw new UsageError('missing argument HEX (see hawser inspect --help)');
  }
  const input = usesStdin ? await readAll(stdin) : Buffer.from(operands.join(' '));
  if (parsed.has('raw')) return input;
  try {
    return parseHex(input.toString('latin1'));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** How much a compressed message may inflate to. */
const INFLATED_LIMIT = 64 * 1024 * 1024;

export interface InspectedFrame {
  number: number;
  /** Where the frame begins and ends in the input. */
  offset: number;
  end: number;
  captured: CapturedFrame;
  record: FrameRecord;
}

export interface InspectOptions {
  /** Whose frames these are. Without it, masked frames are the client's and judged apart from the others. */
  from?: Sender | undefined;
  hasDeflate: boolean;
}

/**
 * Takes bytes apart, and reports frame after frame.
 *
 * @returns what follows the last frame and is not a whole header
 */
export function inspectBytes(
  bytes: Buffer,
  options: InspectOptions,
  report: (frame: InspectedFrame) => void,
): Buffer {
  const common = {
    hasDeflate: options.hasDeflate,
    shownBytes: Number.POSITIVE_INFINITY,
    messageLimit: INFLATED_LIMIT,
  };
  const recorder = (): FrameRecorder =>
    new FrameRecorder({ ...common, ...(options.from !== undefined && { sender: options.from }) });
  const masked = recorder();
  const unmasked = options.from === undefined ? recorder() : masked;
  let number = 0;
  let offset = 0;
  const reader = new FrameReader(bytes.length, (captured) => {
    const record = (captured.header.isMasked ? masked : unmasked).record(captured);
    const end = offset + captured.headerBytes.length + captured.payload.length;
    number += 1;
    report({ number, offset, end, captured, record });
    offset = end;
  });
  reader.push(bytes);
  return Buffer.from(reader.end());
}

function isWhole(record: FrameRecord): boolean {
  return record.payload.isWhole;
}

function formatJson({ number, offset, record }: InspectedFrame): string {
  return escapeJson(JSON.stringify({ number, offset, ...record }));
}

function formatFrame(frame: InspectedFrame, palette: Palette): string {
  const { record, captured } = frame;
  const facts = [
    record.name,
    record.fin ? 'final' : 'not final',
    record.masked ? 'masked' : 'not masked',
    `${record.payloadLength} ${record.payloadLength === 1 ? 'byte' : 'bytes'}`,
  ];
  const lines = [
    `${palette.bold(`Frame ${frame.number}`)} at byte ${frame.offset}: ${facts.join(', ')}`,
    ...formatFields(record.fields, palette),
    ...formatPayload(record, captured, palette),
    ...formatMessage(record, palette),
  ];
  if (!isWhole(record)) {
    lines.push(
      palette.red(
        `  ! incomplete: ${captured.payload.length} of ${record.payloadLength} payload bytes are here`,
      ),
    );
  }
  for (const { message, section, closeCode } of record.violations) {
    lines.push(palette.red(`  ! ${message} (${section}, fails with ${closeCode})`));
  }
  return `${lines.join('\n')}\n`;
}

/** A table without lines; a long value moves only its own row. */
function formatFields(fields: Field[], palette: Palette): string[] {
  const rows = fields.map(({ name, wire, value, section, meaning }) => ({
    wire: shorten(wire, 47),
    label: `${name} ${shorten(escapeLine(value), 60)}`,
    section,
    meaning,
  }));
  const widthOf = (column: 'wire' | 'label' | 'section', limit: number): number =>
    Math.min(limit, Math.max(...rows.map((row) => row[column].length)));
  const wireWidth = widthOf('wire', 12);
  const labelWidth = widthOf('label', 26);
  const sectionWidth = widthOf('section', 12);
  return rows.map(({ wire, label, section, meaning }) => {
    const left = `  ${wire.padEnd(wireWidth)}  ${palette.bold(label.padEnd(labelWidth))}`;
    return `${left}  ${palette.dim(section.padEnd(sectionWidth))}  ${meaning}`;
  });
}

const ROW = 16;

function formatPayload(record: FrameRecord, captured: CapturedFrame, palette: Palette): string[] {
  if (captured.payload.length === 0) return [];
  const rows = [palette.dim(record.masked ? '  payload, unmasked' : '  payload')];
  if (record.masked) rows.unshift(palette.dim('  payload on the wire'), ...formatRows(captured.wirePayload));
  rows.push(...formatRows(captured.payload));
  if (record.payload.text !== undefined) rows.push(`  ${palette.cyan(quote(record.payload.text))}`);
  return rows;
}

function formatMessage({ message }: FrameRecord, palette: Palette): string[] {
  if (message === undefined) return [];
  if ('unknown' in message) return [palette.dim(`  message: ${message.unknown}`)];
  return [
    palette.dim(`  message, inflated to ${message.length} bytes`),
    `  ${palette.cyan(contentOf(message))}`,
  ];
}

function contentOf(message: Excerpt): string {
  return message.text === undefined ? formatHex(Buffer.from(message.hex, 'hex')) : quote(message.text);
}

/** Lines of 16 bytes: offset, hexadecimal, ASCII. */
function formatRows(bytes: Uint8Array): string[] {
  const rows: string[] = [];
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    const ascii = Array.from(row, (byte) =>
      byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.',
    ).join('');
    rows.push(`    ${at.toString(16).padStart(4, '0')}  ${formatHex(row).padEnd(ROW * 3 - 1)}  ${ascii}`);
  }
  return rows;
}

function formatRest(offset: number, rest: Buffer, palette: Palette): string {
  const message = `incomplete header at byte ${offset}: ${formatHex(rest)}`;
  return `${palette.red(`! ${message}`)} ${palette.dim('§5.2')}\n`;
}

function quote(text: string): string {
  return `"${escapeLine(text)}"`;
}

function shorten(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit - 1)}…` : text;
}
