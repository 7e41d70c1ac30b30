// A server whose answer to a handshake a test writes itself, byte for byte. Behind a 101 it echoes each text frame that
// came whole, as it is but unmasked, unless the test takes the bytes. It keeps no rule by itself.
import { createHash } from 'node:crypto';
import net, { type AddressInfo } from 'node:net';
import type { ConformanceCase } from '../../../src/conform/case.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { judgeServer } from '../../../src/conform/server-judge.js';

export interface ScriptedRequest {
  /** The whole head. */
  text: string;
  /** Values of a field, one for each line. */
  lines(name: string): string[];
}

export interface Script {
  /** What answers a request; undefined leaves it without an answer, null ends TCP. */
  respond(request: ScriptedRequest): string | undefined | null;
  /** Sent as soon as TCP stands. */
  greeting?: string;
  /** Answers when this has come, and not only at the end of the head. */
  answersAfter?: string;
  /** What answers bytes behind the head; by default a text frame is echoed. */
  onFrames?(bytes: Buffer): Buffer | undefined;
}

/** A 101 for whatever the request says, with these lines in place of the right ones (undefined: without). */
export function switching(
  request: ScriptedRequest,
  fields: Record<string, string | readonly string[] | undefined> = {},
): string {
  const accept = createHash('sha1')
    .update(`${request.lines('sec-websocket-key')[0] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  const all = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept, ...fields };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    (value === undefined ? [] : [value].flat()).map((one) => `${name}: ${one}\r\n`),
  );
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`;
}

export function refusing(status = 400, fields = ''): string {
  return `HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n${fields}\r\n`;
}

/** Runs cases against a server with that script; the results are in the order of the cases. */
export async function judgeScript(cases: readonly ConformanceCase[], script: Script): Promise<CaseResult[]> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    serve(socket, script);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await judgeServer({ url: new URL(`ws://127.0.0.1:${port}/`), agent: 'script', cases, jobs: 16 });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

function serve(socket: net.Socket, script: Script): void {
  let received = Buffer.alloc(0);
  let hasAnswered = false;
  const { answersAfter = '\r\n\r\n', onFrames = echo } = script;
  socket.on('error', () => socket.destroy()).on('end', () => socket.end());
  if (script.greeting !== undefined) socket.write(script.greeting);
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    if (!hasAnswered) {
      const end = received.indexOf(answersAfter);
      if (end === -1) return;
      hasAnswered = true;
      const answer = script.respond(requestOf(received.toString('latin1', 0, end + answersAfter.length)));
      received = received.subarray(end + answersAfter.length);
      if (answer === null) return void socket.destroy();
      if (answer !== undefined) socket.write(answer, 'latin1');
    }
    const reply = onFrames(received);
    if (reply === undefined) return;
    received = Buffer.alloc(0);
    socket.write(reply);
    if (reply[0] === 0x88) socket.end();
  });
}

function requestOf(text: string): ScriptedRequest {
  const fields = text.split('\r\n').slice(1);
  return {
    text,
    lines: (name) =>
      fields
        .filter((line) => line.slice(0, line.indexOf(':')).trim().toLowerCase() === name)
        .map((line) => line.slice(line.indexOf(':') + 1).trim()),
  };
}

/** The frames in `bytes`, unmasked, with Pongs for Pings; undefined while the first one is not whole. */
export function echo(bytes: Buffer): Buffer | undefined {
  const replies: Buffer[] = [];
  for (let at = 0; at + 6 <= bytes.length; ) {
    const isLong = (bytes[at + 1]! & 0x7f) === 126;
    const length = isLong ? bytes.readUInt16BE(at + 2) : bytes[at + 1]! & 0x7f;
    const start = at + (isLong ? 8 : 6);
    if (start + length > bytes.length) break;
    const key = bytes.subarray(start - 4, start);
    const payload = bytes.subarray(start, start + length).map((byte, index) => byte ^ key[index % 4]!);
    const opcode = bytes[at] === 0x89 ? 0x8a : bytes[at]!;
    const head = isLong ? [opcode, 126, length >> 8, length & 0xff] : [opcode, length];
    replies.push(Buffer.from(head), Buffer.from(payload));
    at = start + length;
  }
  return replies.length === 0 ? undefined : Buffer.concat(replies);
}
