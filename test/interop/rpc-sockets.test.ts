// Peers over WebSockets that are not hawser's, at either end: npm `ws`, undici's, and Node's own in every line that has one.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocket as Undici } from 'undici';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket as Ws, WebSocketServer as WsServer } from 'ws';
import { RpcPeer, type RpcSocket } from '../../src/rpc/index.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { expectedCounts, expectedTalk, type Service, serve, talk } from '../rpc/faults/service.js';
import { turn, until } from '../support/tcp.js';
import { installLocked, run } from './install.js';
import { isHawser, ROOT } from './subject.js';

type SocketClass = new (url: string) => RpcSocket;

const SERVERS = { hawser: WebSocketServer, ws: WsServer } as unknown as Record<
  string,
  typeof WebSocketServer
>;
const CLIENTS = { hawser: WebSocket, ws: Ws, undici: Undici } as unknown as Record<string, SocketClass>;
const PAIRS = Object.keys(SERVERS).flatMap((server) =>
  Object.keys(CLIENTS).map((client) => [client, server]),
);
/** More items than one window. */
const SIZE = { calls: 50, items: 300 };
const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };

describe.each(PAIRS)('a client of %s, a server of %s', (clientName, serverName) => {
  async function connect() {
    const server = new SERVERS[serverName!]!({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    // Calls may be made before it is open.
    const client = new RpcPeer<Service, Service>(new CLIENTS[clientName!]!(url));
    const early = client.call('double', { n: 0 });
    const [socket] = await accepted;
    const peer = new RpcPeer<Service, Service>(socket);
    const counts = serve(peer);
    expect(await early).toBe(0);
    delete counts['double 0'];
    return { server, client, peer, counts };
  }

  it('everything both ways, and the end', async () => {
    const { server, client, peer, counts } = await connect();
    const ofClient = serve(client);
    const results = await Promise.all([talk(client, SIZE), talk(peer, SIZE)]);
    await until(() => Object.values({ ...client.stats(), ...peer.stats() }).every((count) => count === 0));
    expect(results).toEqual([expectedTalk(SIZE), expectedTalk(SIZE)]);
    expect([ofClient, counts]).toEqual([expectedCounts(SIZE), expectedCounts(SIZE)]);
    const ended = new Promise((resolve) => peer.on('close', resolve));
    await client.close();
    expect(await ended).toEqual({ error: undefined });
    server.close();
  });

  it('a consumer that does not read holds its producer back', async () => {
    const { server, client, peer } = await connect();
    let given = 0;
    client.handle('count', async function* () {
      for (;;) yield ++given;
    });
    const stream = await peer.call('count', { to: 0 });
    await until(() => given >= 64);
    for (let i = 0; i < 50; i++) await turn();
    // 64 are granted; one more waits to be sent.
    expect(given).toBeLessThanOrEqual(65);
    await stream.cancel();
    await until(() => client.stats().streamsOut === 0);
    expect([client.stats(), peer.stats()]).toEqual([IDLE, IDLE]);
    await peer.close();
    server.close();
  });
});

const folder = join(__dirname, 'nodes');
const platform = `${process.platform}-${process.arch}`;

describe.runIf(isHawser)('the build under every supported Node.js', () => {
  const locked = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const lines = ['20', '22', '24', '26'].filter((line) => locked.includes(`node${line}-${platform}"`));
  const binaryOf = (line: string) => join('node_modules', `node${line}-${platform}`, 'bin', 'node');
  let isInstalled = false;

  beforeAll(async () => {
    isInstalled = await installLocked(folder, lines.map(binaryOf));
  }, 300_000);

  describe.each(lines)('Node %s', (line) => {
    it.for([
      ['hawser', 'hawser'],
      ["Node's own", 'global'],
      ['undici', require.resolve('undici')],
    ] as const)(
      'calls and streams over the WebSocket of %s',
      { timeout: 70_000 },
      async ([name, socket], { skip }) => {
        skip(!isInstalled, 'not installed, and offline');
        skip(name === "Node's own" && line === '20', 'Node 20 has none');
        const program = [join(folder, 'rpc.mjs'), join(ROOT, 'dist'), socket];
        const { code, stdout, stderr } = await run(join(folder, binaryOf(line)), program);
        expect(code, stderr).toBe(0);
        const result = {
          echoed: 500,
          isInOrder: true,
          left: [1, 2, 3],
          added: 3,
          sum: 125_250,
          missing: -32601,
        };
        expect(JSON.parse(stdout)).toEqual({ results: [result, result], stats: [IDLE, IDLE], error: null });
      },
    );
  });
});
