// Reverse connections: the MCP server dials out, to a host that listens. The transports are the same; only what is connected
// to them has changed places.
import { Client as Client2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClientTransport } from '../../src/mcp/client-transport.js';
import { type McpScene, setScene } from '../support/mcp-scene.js';
import { CLIENTS } from './mcp/clients.js';
import { INFO, Journal, server1, server2 } from './mcp/servers.js';

/** How each of them dials out. */
const DIALLERS: Record<string, (journal: Journal, transport: ClientTransport) => unknown> = {
  'SDK 1.32': (journal, transport) => server1(journal).connect(transport),
  'SDK 2.4, connect': (journal, transport) => server2(journal).connect(transport),
  'SDK 2.4, serveStdio': (journal, transport) => serveStdio(() => server2(journal), { transport }),
};

let scene: McpScene;

afterEach(() => scene.close());

describe.each([
  ['SDK 1.32', 'SDK 1.32'],
  ['SDK 2.4, legacy', 'SDK 2.4, connect'],
  ['SDK 2.4, auto', 'SDK 1.32'],
  ['SDK 2.4, auto', 'SDK 2.4, serveStdio'],
  ['SDK 2.4, pinned', 'SDK 2.4, serveStdio'],
])('host with %s, server with %s', (host, server) => {
  it.each([true, false])('resume: %s', async (resume) => {
    const client = CLIENTS[host]!();
    const journal = new Journal();
    const connected = new Promise<void>((resolve, reject) => {
      setScene({
        connect: ({ transport }) => client.connect(transport).then(resolve, reject),
      }).then((made) => {
        scene = made;
        return DIALLERS[server]!(journal, made.dial({ resume }));
      }, reject);
    });
    await connected;
    expect(await client.call('add', { a: 2, b: 3 })).toBe('5');
    expect(await client.call('confirm')).toBe('accept true');
    const told: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => {
      told.push(progress);
      if (resume && progress === 2) scene.proxy.cutAll();
    };
    expect(await client.call('slow', { steps: 4, stepMs: 20 }, { onprogress })).toBe('4 steps');
    expect(told).toEqual([1, 2, 3, 4]);
    expect(journal.runs).toEqual(['add', 'slow']);
    await client.close();
  });
});

it('sessionId: not there before something was sent, or an SDK would take it for a connection of before', async () => {
  const seen: unknown[] = [];
  const hosts = [new Client1(INFO), new Client2(INFO)];
  scene = await setScene({
    connect: async ({ transport }) => {
      const client = hosts.shift()!;
      const before = transport.sessionId;
      await client.connect(transport);
      seen.push([before, typeof transport.sessionId, client.getServerVersion()?.name]);
    },
  });
  for (let i = 0; i < 2; i++) await server1(new Journal()).connect(scene.dial());
  await expect.poll(() => seen).toHaveLength(2);
  expect(seen).toEqual(Array(2).fill([undefined, 'string', 'test']));
});
