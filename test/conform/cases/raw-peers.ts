// Peers for the tests of cases: hawser as it is, a client that takes any response, and a server that takes any frame.
// What is wrong with the last two is an option of theirs.

import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import type { ConformanceCase } from '../../../src/conform/case.js';
import { ClientJudge } from '../../../src/conform/client-judge.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import { parseFrameHeader, serializeFrameHeader } from '../../../src/wire/frame-header.js';
import { WebSocket } from '../../../src/ws/websocket.js';
import { WebSocketServer } from '../../../src/ws/websocket-server.js';

/** Connects once, and resolves when the connection is over. */
export type Client = (url: string) => Promise<void>;

export async function judgeClient(cases: readonly ConformanceCase[], client: Client): Promise<CaseResult[]> {
  let left = cases.length;
  let onEnd = (): void => {};
  const ended = new Promise<void>((resolve) => {
    onEnd = resolve;
  });
  const judge = new ClientJudge({ cases, onResult: () => --left === 0 && onEnd() });
  const url = await judge.listen();
  for (let n = 1; n <= cases.length; n += 8) {
    const numbers = [...cases.keys()].slice(n - 1, n + 7);
    await Promise.all(numbers.map((at) => client(`${url}/runCase?case=${at + 1}&agent=peer`)));
  }
  await ended;
  const { results } = judge;
  await judge.close();
  for (const socket of halfOpen) socket.destroy();
  halfOpen.clear();
  return results;
}

/** Sockets of raw clients, to be gone when a test is over. */
const halfOpen = new Set<Socket>();

export function hawserClient(protocols: string[] = [], options: object = {}): Client {
  return (url) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, protocols, options);
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      socket.on('close', () => resolve());
    });
}

export interface RawClientOptions {
  /** The head of the request, once its URL and a good key are known. */
  request?: (head: string, key: string) => string;
  /** Bytes that follow the request at once. */
  early?: string;
  key?: string;
  /** 'all': every response opens; 'end' and 'stay': none does, and TCP is ended or left. */
  takes?: 'all' | 'end' | 'stay';
  /** The masking key of the nth frame; undefined leaves it without. */
  maskOf?: (n: number, opcode: number) => Uint8Array | undefined;
  /** Leaves its side of TCP open when the server has ended the other. */
  neverEnds?: boolean;
  /** Answers frames that it should refuse because they are masked. Default: true. */
  takesMasked?: boolean;
  /** Masks with another key than the one in the header. */
  masksWrongly?: boolean;
}

export function rawClient(options: RawClientOptions = {}): Client {
  return (url) =>
    new Promise((resolve) => {
      const { hostname, port, pathname, search, host } = new URL(url);
      const key = options.key ?? randomBytes(16).toString('base64');
      const head = [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${host}`,
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Key: ${key}`,
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Protocol: chat, superchat',
        'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; client_max_window_bits=10',
      ].join('\r\n');
      const socket = connect({
        port: Number(port),
        host: hostname,
        allowHalfOpen: options.neverEnds === true,
      });
      halfOpen.add(socket);
      socket.on('error', () => {});
      socket.on('end', () => resolve());
      socket.on('close', () => resolve());
      socket.write(`${options.request?.(head, key) ?? head}\r\n\r\n${options.early ?? ''}`);
      let response = '';
      const onData = (bytes: Buffer): void => {
        response += bytes.toString('latin1');
        const end = response.indexOf('\r\n\r\n');
        if (end === -1) return;
        if (options.takes === 'stay') return void socket.resume();
        if (options.takes === 'end') return void socket.destroy();
        socket.off('data', onData);
        echo(socket, options, true, Buffer.from(response.slice(end + 4), 'latin1'));
      };
      // A head without a start line ends too.
      socket.on('data', onData);
    });
}

export interface RawServerOptions {
  maskOf?: (n: number, opcode: number) => Uint8Array | undefined;
  /** Takes frames without a mask. Default: true. */
  takesUnmasked?: boolean;
  /** Unmasks with the first byte of the key alone. */
  unmasksWrongly?: boolean;
}

export async function judgeRawServer(
  cases: readonly ConformanceCase[],
  options: RawServerOptions,
): Promise<CaseResult[]> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      const key = /^sec-websocket-key: (.*)\r$/im.exec(bytes.toString('latin1'))![1]!;
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      echo(socket, { ...options, takesMasked: true }, false, Buffer.alloc(0));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const results = await judgeServer({ url: new URL(`ws://127.0.0.1:${port}/`), agent: 'peer', cases });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  return results;
}

export async function judgeHawserServer(cases: readonly ConformanceCase[]): Promise<CaseResult[]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true });
  await new Promise((resolve) => server.on('listening', resolve as () => void));
  server.on('connection', (socket: WebSocket) => {
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const { port } = server.address() as { port: number };
  const results = await judgeServer({ url: new URL(`ws://127.0.0.1:${port}/`), agent: 'peer', cases });
  for (const socket of server.clients ?? []) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
  return results;
}

type EchoOptions = RawClientOptions & RawServerOptions;

/** Sends each data frame back as it came, answers Ping and Close, and looks at nothing but masks. */
function echo(socket: Socket, options: EchoOptions, isClient: boolean, first: Buffer): void {
  const maskOf = options.maskOf ?? (() => (isClient ? randomBytes(4) : undefined));
  let held = Buffer.alloc(0);
  let sent = 0;
  const onData = (bytes: Buffer): void => {
    held = Buffer.concat([held, bytes]);
    for (;;) {
      const header = parseFrameHeader(held);
      if (header === undefined || held.length < header.headerLength + Number(header.payloadLength)) return;
      const end = header.headerLength + Number(header.payloadLength);
      const { maskingKey } = header;
      const payload = Buffer.from(held.subarray(header.headerLength, end)).map((byte, at) =>
        maskingKey === undefined ? byte : byte ^ maskingKey[options.unmasksWrongly === true ? 0 : at & 3]!,
      );
      held = held.subarray(end);
      if (header.isMasked ? options.takesMasked === false : options.takesUnmasked === false)
        return void socket.destroy();
      const opcode = header.opcode === 9 ? 10 : header.opcode;
      if (header.opcode === 10) continue;
      const mask = maskOf(sent++, opcode);
      const masked = payload.map((byte, at) =>
        mask === undefined ? byte : byte ^ mask[(at + (options.masksWrongly === true ? 1 : 0)) & 3]!,
      );
      const answer = serializeFrameHeader({
        isFinal: header.isFinal,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode,
        isMasked: mask !== undefined,
        payloadLength: header.payloadLength,
        lengthForm: header.lengthForm,
        ...(mask !== undefined && { maskingKey: mask }),
      });
      socket.write(Buffer.concat([answer, masked]));
      if (opcode === 8) return void socket.end();
    }
  };
  socket.on('data', onData);
  if (first.length > 0) onData(first);
}

/** Ids of the results that have other verdicts than OK. */
export function notOk(results: readonly CaseResult[]): string[] {
  return results
    .filter(({ behavior, behaviorClose }) => behavior !== 'OK' || behaviorClose !== 'OK')
    .map(({ id }) => id);
}
