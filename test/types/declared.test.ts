// The hand-written types claim nothing that is not there: each member of each declared class exists at run time.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { PerMessageDeflate } from '../../src/ws/permessage-deflate.js';
import { Receiver } from '../../src/ws/receiver.js';
import { Sender } from '../../src/ws/sender.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';

const lines = readFileSync(join(__dirname, '../../types/index.d.ts'), 'utf8').split('\n');

/** Names in the body of a declaration, which begins with `header` and ends where its indentation comes back. */
function membersOf(header: string): Array<{ name: string; isStatic: boolean }> {
  const start = lines.findIndex((line) => line.trimStart().startsWith(header));
  expect(start, header).not.toBe(-1);
  const indentation = lines[start]!.search(/\S/);
  const end = lines.findIndex(
    (line, index) => index > start && line.startsWith(`${' '.repeat(indentation)}}`),
  );
  const member = new RegExp(
    `^ {${indentation + 2}}(static )?(?:readonly )?(?:[gs]et )?(?!constructor)(\\[?\\w[\\w.]*\\]?)[(<:?]`,
  );
  return lines.slice(start, end).flatMap((line) => {
    const match = member.exec(line);
    return match === null ? [] : [{ name: match[2]!, isStatic: match[1] !== undefined }];
  });
}

function keyOf(name: string): string | symbol {
  const symbols: Record<string, symbol> = {
    '[Symbol.asyncIterator]': Symbol.asyncIterator,
    // Node 20 has these where the types of its time do not say so.
    '[Symbol.asyncDispose]': Symbol.asyncDispose,
  };
  return symbols[name] ?? name;
}

const classes: Array<[header: string, count: number, instance: object, theClass: object]> = [
  ['declare class WebSocket extends', 34, new WebSocket(null, undefined, {}), WebSocket],
  ['interface Asynchronous {', 2, new WebSocket(null, undefined, {}), WebSocket],
  ['interface WebSocket extends Asynchronous {', 1, new WebSocket(null, undefined, {}), WebSocket],
  ['class Server<', 14, new WebSocketServer({ noServer: true }), WebSocketServer],
  ['class PerMessageDeflate {', 7, new PerMessageDeflate(), PerMessageDeflate],
  ['class Sender {', 6, new Sender(new PassThrough()), Sender],
  ['class Receiver extends', 0, new Receiver(), Receiver],
];

// Declared because programs written for @types/ws set or call them, though ws has none of them either.
const ABSENT = new Set(['path']);

describe('types/index.d.ts', () => {
  it.each(classes)('%s -> every member is there', (header, count, instance, theClass) => {
    const members = membersOf(header);
    const missing = members.filter(
      ({ name, isStatic }) => !(keyOf(name) in (isStatic ? theClass : instance)),
    );
    expect(missing.map(({ name }) => name).filter((name) => !ABSENT.has(name))).toEqual([]);
    expect(new Set(members.map(({ name }) => name)).size).toBeGreaterThanOrEqual(count);
  });
});
