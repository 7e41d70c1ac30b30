// Runs the cases of one group against hawser, which has to satisfy each, and against peers that are wrong in one point.

import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CASES } from '../../../src/conform/cases/index.js';
import { ClientJudge } from '../../../src/conform/client-judge.js';
import { headBytes, responseHeaders } from '../../../src/conform/opening.js';
import type { CaseResult } from '../../../src/conform/result.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import { WebSocket } from '../../../src/ws/websocket.js';
import { WebSocketServer } from '../../../src/ws/websocket-server.js';
import { complaintsOf, idsLike, judgePeer } from '../broken-peers/judge-peer.js';
import type { Role } from '../broken-peers/peer.js';
import type { Change } from '../broken-peers/peer-opening.js';

const ROLES: readonly Role[] = ['server', 'client'];

export interface WrongPeer {
  /** What it does, after "a server that" or "a client that". */
  does: string;
  change: Change;
  roles?: readonly Role[];
  /** Every complaint about it in this group: ids, or patterns of ids, and what they come to. */
  complaints: Readonly<Record<string, string>>;
}

/** All tests of a group. */
export function testGroup(group: string, wrongPeers: readonly WrongPeer[]): void {
  describe.each(ROLES)(`${group}: a %s`, (role) => {
    it('that is hawser satisfies every case', async () => {
      expect(complaintsOf(await judgeHawser(role, idsLike(role, [`${group}.*`])))).toEqual({});
    });

    it.each(wrongPeers.filter(({ roles = ROLES }) => roles.includes(role)))(
      'that $does is found out, and blamed for nothing else',
      async ({ change, complaints }) => {
        const expected = Object.entries(complaints).flatMap(([pattern, complaint]) =>
          idsLike(role, [pattern]).map((id) => [id, complaint]),
        );
        const results = await judgePeer(role, idsLike(role, [`${group}.*`]), change);
        expect(complaintsOf(results)).toEqual(Object.fromEntries(expected));
      },
    );
  });
}

/** Judges a server that completes the handshake; what it does with what follows is for `onFrames`. */
export async function judgeRawServer(
  ids: readonly string[],
  onFrames: (socket: Socket, bytes: Uint8Array) => void,
): Promise<Record<string, string>> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (head) => {
      const key = /Sec-WebSocket-Key: (\S+)/.exec(String(head))?.[1] ?? '';
      socket.write(headBytes('HTTP/1.1 101 Switching Protocols', responseHeaders(key)));
      socket.on('data', (bytes: Uint8Array) => onFrames(socket, bytes));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const url = new URL(`ws://127.0.0.1:${port}/`);
  const cases = CASES.filter(({ id }) => ids.includes(id));
  const results = await judgeServer({ url, agent: 'raw', cases, jobs: 32 });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  return complaintsOf(results);
}

function judgeHawser(role: Role, ids: readonly string[]): Promise<CaseResult[]> {
  const cases = CASES.filter(({ id }) => ids.includes(id));
  return role === 'server' ? judgeServerOfHawser(cases) : judgeClientOfHawser(cases);
}

type Cases = typeof CASES;

async function judgeServerOfHawser(cases: Cases): Promise<CaseResult[]> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', echo);
  const { port } = server.address() as { port: number };
  const results = await judgeServer({ url: new URL(`ws://127.0.0.1:${port}/`), agent: 'hawser', cases });
  for (const webSocket of server.clients ?? []) webSocket.terminate();
  await new Promise((resolve) => server.close(resolve));
  return results;
}

async function judgeClientOfHawser(cases: Cases): Promise<CaseResult[]> {
  const judge = new ClientJudge({ cases });
  const base = await judge.listen();
  await Promise.all(
    cases.map(async (_, at) => {
      const webSocket = new WebSocket(`${base}/runCase?case=${at + 1}&agent=hawser`);
      echo(webSocket);
      await new Promise((resolve) => webSocket.once('close', resolve));
    }),
  );
  while (judge.results.length < cases.length) await new Promise((resolve) => setImmediate(resolve));
  await judge.close();
  return judge.results;
}

function echo(webSocket: WebSocket): void {
  webSocket.on('error', () => {});
  webSocket.on('message', (data, isBinary) => webSocket.send(data, { binary: isBinary }));
}
