// MCP over stdio, from either end: each line is one JSON-RPC object. Lines are bounded, reading stops while nobody asks for
// the next one, and writing waits for room.
import type { Readable, Writable } from 'node:stream';

/** What the lines of `input` say; empty ones are skipped, and `undefined` stands for one longer than `maxBytes`. */
export async function* readLines(input: Readable, maxBytes: number): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): string | undefined => {
    const line = length > maxBytes ? undefined : Buffer.concat(parts).toString().trim();
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); start < chunk.length; end = chunk.indexOf(0x0a, start)) {
      const part = chunk.subarray(start, end === -1 ? chunk.length : end);
      start += part.length + 1;
      length += part.length;
      // Of a line that is too long only the length is kept.
      if (length <= maxBytes) parts.push(part);
      else parts = [];
      if (end === -1) break;
      const line = take();
      if (line !== '') yield line;
    }
  }
  const rest = take();
  if (rest !== '') yield rest;
}

/** Writes a message as a line. @returns when there is room for the next, or never will be */
export function writeMessage(output: Writable, message: object): Promise<void> {
  return writeText(output, `${JSON.stringify(message)}\n`);
}

export function writeText(output: Writable, text: string): Promise<void> {
  if (!output.writable || output.write(text)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      output.off('drain', done);
      output.off('close', done);
      resolve();
    };
    output.on('drain', done);
    output.on('close', done);
  });
}
