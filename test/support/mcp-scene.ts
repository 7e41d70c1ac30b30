// An MCP endpoint on a port of its own, a proxy that can cut in front of it, and transports of clients.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import type { ClientTransportOptions } from '../../src/mcp/client-transport.js';
import type { McpEndpoint } from '../../src/mcp/endpoint.js';
import type { McpEndpointOptions } from '../../src/mcp/endpoint-options.js';
import { serveMcp, WebSocketClientTransport } from '../../src/mcp/index.js';

/** Comes back at once, so that no test waits for a delay. */
export const QUICK = { backoff: { baseMs: 1, capMs: 5 } };

export interface McpScene {
  endpoint: McpEndpoint;
  proxy: FaultProxy;
  url: string;
  dial(options?: ClientTransportOptions): WebSocketClientTransport;
  /** Ends everything; nothing may be left of it. */
  close(): Promise<void>;
}

export async function setScene(options: McpEndpointOptions): Promise<McpScene> {
  const alive = debug.active().length;
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = serveMcp({ server, ...options });
  const proxy = new FaultProxy({ port: (server.address() as AddressInfo).port });
  await proxy.listen();
  const dialled: WebSocketClientTransport[] = [];
  const url = `ws://127.0.0.1:${proxy.address.port}/`;
  return {
    endpoint,
    proxy,
    url,
    dial(options) {
      const transport = new WebSocketClientTransport(url, { session: QUICK, ...options });
      dialled.push(transport);
      return transport;
    },
    async close() {
      await Promise.all(dialled.map((transport) => transport.close()));
      await endpoint.close();
      await proxy.close();
      server.closeAllConnections();
      server.close();
      expect(debug.active()).toHaveLength(alive);
    },
  };
}
