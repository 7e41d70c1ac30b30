import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readLines, writeMessage } from '../../src/cli/mcp-lines.js';
import { turn } from '../support/events.js';

async function linesOf(chunks: (string | Buffer)[], maxBytes = 10): Promise<(string | undefined)[]> {
  const lines = [];
  for await (const line of readLines(Readable.from(chunks.map(Buffer.from)), maxBytes)) lines.push(line);
  return lines;
}

describe('readLines', () => {
  it.each<[string, string[], (string | undefined)[]]>([
    ['lines in one chunk', ['a\nb\n'], ['a', 'b']],
    ['a line in pieces', ['a', 'b', 'c\nd', '\n'], ['abc', 'd']],
    ['CRLF, empty lines and blanks', ['a\r\n\r\n \n b\n'], ['a', 'b']],
    ['a last line without its end', ['a\nb'], ['a', 'b']],
    ['nothing', [], []],
    ['exactly as long as allowed', ['0123456789\n'], ['0123456789']],
    ['one byte longer, then another', ['0123456789x\nb\n'], [undefined, 'b']],
    ['much longer, in pieces', ['01234567', '89x', '0123456789\nb'], [undefined, 'b']],
    ['too long without its end', ['0123456789x'], [undefined]],
  ])('%s', async (_, chunks, lines) => {
    expect(await linesOf(chunks)).toEqual(lines);
    // However it is cut.
    const bytes = Array.from(Buffer.from(chunks.join('')), (byte) => Buffer.from([byte]));
    expect(await linesOf(bytes)).toEqual(lines);
  });

  it('a character cut in two -> whole', async () => {
    const [first, second] = [Buffer.from('é\n').subarray(0, 1), Buffer.from('é\n').subarray(1)];
    expect(await linesOf([first, second])).toEqual(['é']);
  });

  it('a line that is too long -> told before its end has come', async () => {
    const source = new PassThrough();
    const lines = readLines(source, 10);
    source.write('0123456789x');
    expect(await lines.next()).toEqual({ done: false, value: undefined });
    source.write('more of it\nb\n');
    expect(await lines.next()).toEqual({ done: false, value: 'b' });
  });

  it('nobody asks for the next line -> the source has to wait', async () => {
    let produced = 0;
    const source = Readable.from(
      (function* () {
        for (;;) {
          produced++;
          yield Buffer.from('line\n');
        }
      })(),
    );
    const lines = readLines(source, 10);
    await lines.next();
    await turn();
    const before = produced;
    for (let i = 0; i < 10; i++) await turn();
    expect(produced).toBe(before);
    await lines.return(undefined);
  });
});

describe('writeMessage', () => {
  const message = { jsonrpc: '2.0', id: 1, result: 'two\nlines' };

  it('a message with a line break in it -> one line', async () => {
    const output = new PassThrough();
    await writeMessage(output, message);
    expect(String(output.read())).toBe('{"jsonrpc":"2.0","id":1,"result":"two\\nlines"}\n');
  });

  it('no room -> waits for the reader', async () => {
    const output = new PassThrough({ highWaterMark: 1 });
    let isWritten = false;
    const written = writeMessage(output, message).then(() => {
      isWritten = true;
    });
    await turn();
    expect(isWritten).toBe(false);
    output.resume();
    await written;
    expect([output.listenerCount('drain'), output.listenerCount('close')]).toEqual([0, 0]);
  });

  it('the reader has gone, before or meanwhile -> does not wait for ever', async () => {
    const output = new PassThrough({ highWaterMark: 1 });
    const written = writeMessage(output, message);
    output.destroy();
    await written;
    await writeMessage(output, message);
  });
});
