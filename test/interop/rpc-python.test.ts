// A client written by hand in Python (python/rpc_client.py) against a peer: the wire can be written from its description, with
// any library for JSON and any for WebSockets.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RPC, RpcPeer, type RpcSocket } from '../../src/rpc/index.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { type Counts, type Service, serve } from '../rpc/faults/service.js';
import { requirement } from '../support/require.js';
import { run } from './install.js';

describe.runIf(requirement('python'))('a client in Python', () => {
  it('calls, reads streams with credit, leaves one, and sends one', { timeout: 60_000 }, async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const errors: unknown[] = [];
    const ended = new Promise<Counts>((resolve) => {
      server.on('connection', (socket) => {
        const peer = new RpcPeer<Service, Service>(socket as unknown as RpcSocket);
        const counts = serve(peer);
        peer.handle('add' as never, (({ a, b }: { a: number; b: number }) => a + b) as never);
        peer.on('error', (error) => errors.push(error));
        peer.on('close', () => {
          expect(peer.stats()).toEqual({ callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 });
          resolve(counts);
        });
      });
    });
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { code, stdout, stderr } = await run('/usr/bin/python3', [
      join(__dirname, 'python', 'rpc_client.py'),
      url,
    ]);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      add: [3, []],
      work: ['worked', [1, 2, 3]],
      missing: RPC.METHOD_NOT_FOUND,
      count: [Array.from({ length: 500 }, (_, i) => i + 1), null],
      left: [[1, 2, 3], null],
      sum: 45_150,
    });
    // Both producers ended, also the endless one.
    expect(await ended).toEqual({ count: 2, 'count ended': 2, sum: 1, work: 1 });
    expect(errors).toEqual([expect.objectContaining({ code: RPC.METHOD_NOT_FOUND })]);
    server.close();
  });
});
