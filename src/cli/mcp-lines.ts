// MCP over stdio, from either end: each line is one JSON-RPC object. Lines are bounded, reading stops while nobody asks for
// the next one, and writing waits for room.
import type { Readable, Writable } from 'node:stream';

/** The lines of `input` but for empty ones; `undefined` stands for one longer than `maxBytes`, of which nothing is kept. */
export async function* readLines(input: Readable, maxBytes: number): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    for (let start = 0; start < chunk.length; ) {
      const newline = chunk.indexOf(0x0a, start);
      const end = newline === -1 ? chunk.length : newline;
      const wasTooLong = length > maxBytes;
      length += end - start;
      if (length <= maxBytes) {
        parts.push(chunk.subarray(start, end));
      } else if (!wasTooLong) {
        parts = [];
        // At once: its end may never come.
        yield undefined;
      }
      start = end + 1;
      if (newline === -1) break;
      const line = Buffer.concat(parts).toString().trim();
      parts = [];
      length = 0;
      if (line !== '') yield line;
    }
  }
  const rest = Buffer.concat(parts).toString().trim();
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
