// The attacks against hawser, and against peers that do not stand them.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CASES } from '../../../src/conform/cases/index.js';
import { ClientJudge } from '../../../src/conform/client-judge.js';
import { acceptFor } from '../../../src/conform/opening.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import { complaintsOf, idsLike, judgePeer } from '../broken-peers/judge-peer.js';
import { hawserClient, judgeClient, judgeHawserServer } from './raw-peers.js';

const LIMIT_MS = 60_000;

const casesOf = (subject: 'server' | 'client', isHeavy: boolean, pattern = /./) =>
  CASES.filter(
    (one) =>
      one.group === 'robustness' &&
      one.subjects.includes(subject) &&
      (one.isHeavy ?? false) === isHeavy &&
      pattern.test(one.id),
  );

/** The heavy ones that are over in a moment. */
const LIGHTER = /pongs|close-frames|wrong-way|reserved|garbage|byte|bomb/;

describe('robustness: hawser', () => {
  it('as a server stands what comes instead of, in, and around the opening handshake', {
    timeout: LIMIT_MS,
  }, async () => {
    const results = await judgeHawserServer(casesOf('server', false));
    expect(results.length).toBeGreaterThan(30);
    expect(complaintsOf(results)).toEqual({});
  });

  it('as a server stands floods', { timeout: LIMIT_MS }, async () => {
    const results = await judgeHawserServer(casesOf('server', true, LIGHTER));
    expect(complaintsOf(results)).toEqual({});
  });

  it('as a client stands hostile answers and floods', { timeout: LIMIT_MS }, async () => {
    const cases = [...casesOf('client', false), ...casesOf('client', true, LIGHTER)];
    const results = await judgeClient(cases, hawserClient());
    expect(results).toHaveLength(cases.length);
    expect(complaintsOf(results)).toEqual({});
  });
});

/** A server that accepts every request, and takes each further chunk for one short frame, which it sends back. */
class FragileServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  isDown = false;

  /** @param onChunk says what becomes of bytes, before and behind the handshake; true when that was all */
  constructor(onChunk: (bytes: Buffer, socket: Socket, server: FragileServer) => boolean) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes: Buffer) => {
        if (this.isDown || onChunk(bytes, socket, this)) return;
        const key = /Sec-WebSocket-Key: (\S+)/.exec(bytes.toString('latin1'))?.[1];
        if (key === undefined) echoShort(bytes, socket);
        else accept(key, '', socket);
      });
    });
  }

  async judge(ids: readonly string[]): Promise<CaseResult[]> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as { port: number };
    const url = new URL(`ws://127.0.0.1:${port}/`);
    const cases = CASES.filter(({ id }) => ids.includes(id));
    const results = await judgeServer({ url, agent: 'fragile', cases });
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    return results;
  }
}

function accept(key: string, more: string, socket: Socket): void {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n${more}\r\n`,
  );
}

/** The echo of a masked frame of less than 126 bytes. */
function echoShort(bytes: Buffer, socket: Socket): void {
  const length = bytes[1]! & 127;
  const payload = Buffer.from(bytes.subarray(6, 6 + length)).map((byte, at) => byte ^ bytes[2 + (at & 3)]!);
  socket.write(Buffer.concat([Uint8Array.of(bytes[0]!, length), payload]));
}

describe.concurrent('robustness: a server', () => {
  it('[RFC6455-10.7-1] that serves nobody any more after strange bytes -> FAILED', async () => {
    const ids = ['robustness.http2-preface'];
    const server = new FragileServer((bytes, socket, self) => {
      if (!bytes.toString('latin1').startsWith('PRI')) return false;
      self.isDown = true;
      socket.destroy();
      return true;
    });
    const [result] = await server.judge(ids);
    expect(result).toMatchObject({ behavior: 'FAILED' });
    expect(result!.finding).toContain('did not serve another connection');
  }, 20_000);

  it('[RFC6455-4.2.2-9] that puts a field of the request into its answer -> FAILED', async () => {
    const server = new FragileServer((bytes, socket) => {
      const head = bytes.toString('latin1');
      const protocol = /Sec-WebSocket-Protocol: ([\s\S]*?)\r\n(?! )/.exec(head)?.[1];
      if (protocol === undefined) return false;
      const key = /Sec-WebSocket-Key: (\S+)/.exec(head)![1]!;
      accept(key, `Sec-WebSocket-Protocol: ${decodeURIComponent(protocol)}\r\n`, socket);
      return true;
    });
    const ids = idsLike('server', ['robustness.response-splitting-*']);
    const verdicts = Object.fromEntries((await server.judge(ids)).map(({ id, behavior }) => [id, behavior]));
    expect(verdicts).toMatchObject({
      'robustness.response-splitting-by-cr': 'FAILED',
      'robustness.response-splitting-by-lf': 'FAILED',
      'robustness.response-splitting-by-escaped': 'FAILED',
    });
  });

  it('[RFC6455-9.1-1] that agrees to an extension named constructor -> FAILED', async () => {
    const server = new FragileServer((bytes, socket) => {
      const head = bytes.toString('latin1');
      const extension = /Sec-WebSocket-Extensions: (.*)\r\n/.exec(head)?.[1];
      if (extension === undefined) return false;
      accept(
        /Sec-WebSocket-Key: (\S+)/.exec(head)![1]!,
        `Sec-WebSocket-Extensions: ${extension}\r\n`,
        socket,
      );
      return true;
    });
    const ids = idsLike('server', ['robustness.extension-*', 'robustness.deflate-parameter-*']);
    expect([...new Set((await server.judge(ids)).map(({ behavior }) => behavior))]).toEqual(['FAILED']);
  });

  it('[RFC6455-4.2.2-7] that refuses an upgrade and takes frames all the same -> FAILED', async () => {
    const server = new FragileServer((bytes, socket) => {
      const head = bytes.toString('latin1');
      const end = head.indexOf('\r\n\r\n') + 4;
      if (!/Version: 777|Key: none/.test(head)) return false;
      socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
      if (end < bytes.length) echoShort(bytes.subarray(end), socket);
      return true;
    });
    const results = await server.judge(idsLike('server', ['robustness.smuggling-*']));
    expect(results.map(({ behavior }) => behavior)).toEqual(['FAILED', 'FAILED']);
  });

  it('[RFC6455-10.7-2] that takes anything for a request -> FAILED', async () => {
    const server = new FragileServer((bytes, socket) => {
      if (bytes.toString('latin1').startsWith('GET /')) return false;
      accept('', '', socket);
      return true;
    });
    const results = await server.judge(['robustness.zero-bytes', 'robustness.tls-hello']);
    expect(results.map(({ behavior }) => behavior)).toEqual(['FAILED', 'FAILED']);
  });

  it('[RFC6455-10.4-1] that is stopped by Pongs -> FAILED', async () => {
    const server = new FragileServer((bytes, _socket, self) => {
      self.isDown ||= bytes[0] === 0x8a;
      return self.isDown;
    });
    const [result] = await server.judge(['robustness.pongs']);
    expect(result).toMatchObject({ behavior: 'FAILED' });
  }, 20_000);
});

/** Judges a client that asks for an upgrade, and from then on neither says anything nor ends TCP. */
async function judgeMuteClient(id: string): Promise<CaseResult> {
  let onResult: (result: CaseResult) => void = () => {};
  const judged = new Promise<CaseResult>((resolve) => {
    onResult = resolve;
  });
  const judge = new ClientJudge({ cases: CASES.filter((one) => one.id === id), onResult });
  const { port, hostname } = new URL(await judge.listen());
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  socket.on('error', () => {});
  socket.write(
    'GET /runCase?case=1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  socket.resume();
  const result = await judged;
  socket.destroy();
  await judge.close();
  return result;
}

describe.concurrent('robustness: a client', () => {
  it('[RFC6455-10.7-1] that hangs after a flood -> FAILED', { timeout: LIMIT_MS }, async () => {
    expect(await judgeMuteClient('robustness.pongs')).toMatchObject({ behavior: 'FAILED' });
  });

  it('that keeps its half of TCP open behind a FIN -> NON-STRICT', { timeout: LIMIT_MS }, async () => {
    const result = await judgeMuteClient('robustness.fin-behind-the-handshake');
    expect(result).toMatchObject({ behavior: 'NON-STRICT' });
  });

  it('that ends TCP behind a FIN -> OK', async () => {
    const results = await judgePeer('client', idsLike('client', ['robustness.fin-*']));
    expect(results.map(({ behavior }) => behavior)).toEqual(['OK', 'OK', 'OK']);
  });
});
