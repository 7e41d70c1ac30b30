// docs/rpc-protocol.md is held to: its conversations take place as they are written, with a peer as B.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CallContext, RPC } from '../../src/rpc/index.js';
import { useStage } from '../support/rpc-stage.js';

const stage = useStage();
const text = readFileSync(join(__dirname, '../../docs/rpc-protocol.md'), 'utf8');
const conversations = section('9. Conversations')
  .split(/^\*\*/m)
  .slice(1)
  .map((part) => ({ title: part.split('**')[0]!, lines: linesOf(part) }));

const handlers = {
  add: ({ a, b }: { a: number; b: number }) => a + b,
  async *count({ to }: { to: number }) {
    for (let i = 1; i <= to; i++) yield i;
  },
  async sum({ numbers }: { numbers: AsyncIterable<number> }) {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  },
  wait(_: unknown, { progress, signal }: CallContext) {
    progress(1, 3, 'waiting');
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  },
  echo: ({ value }: { value: unknown }) => value,
};

describe('the conversations of the description', () => {
  it('are there', () => {
    expect(conversations.length).toBeGreaterThanOrEqual(5);
  });

  it.each(conversations)('$title', async ({ lines }) => {
    const { peer, session } = stage.alone({ handlers });
    const { sent } = session;
    expect(lines.length).toBeGreaterThan(3);
    for (const { from, message } of lines) {
      if (from === 'A') {
        // All that came before was expected.
        expect(sent).toEqual([]);
        session.receive(message);
        await stage.settle();
      } else {
        expect(JSON.parse(sent.shift() ?? 'null')).toEqual(JSON.parse(message));
      }
    }
    expect(sent).toEqual([]);
    expect(peer.stats()).toEqual({ callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 });
  });
});

it('every code of the table is one of ours, and every one of ours is in the table', () => {
  const codes = [...section('6. Codes').matchAll(/^\| (-\d+) \|/gm)].map(([, code]) => Number(code));
  expect(codes.toSorted()).toEqual(Object.values(RPC).toSorted());
});

it('requirements have consecutive numbers', () => {
  const numbers = [...text.matchAll(/^- \*\*R-(\d+)\*\*/gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  expect(numbers.length).toBeGreaterThan(20);
});

function section(title: string): string {
  const begin = text.indexOf(`## ${title}`);
  const end = text.indexOf('\n## ', begin);
  return text.slice(begin, end);
}

function linesOf(part: string): { from: string; message: string }[] {
  return [...part.matchAll(/^ {4}([AB]) {2}(\{.*?)(?: {3}.*)?$/gm)].map(([, from, message]) => ({
    from: from!,
    message: message!,
  }));
}
