// An MCP server over WebSocket, for clients of both eras of the protocol; those on hawser's transport outlive drops.
//
//     PORT=8080 node examples/mcp-server.mjs
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { serveMcp } from 'hawser/mcp';
import { z } from 'zod';

function createMcpServer() {
  const mcp = new McpServer({ name: 'example', version: '1.0.0' });
  mcp.registerTool('count', { inputSchema: z.object({ to: z.number() }) }, async ({ to }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (let progress = 1; progress <= to; progress++) {
      await delay(100, undefined, { signal: mcpReq.signal });
      const params = { progressToken, progress, total: to };
      if (progressToken !== undefined) await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return { content: [{ type: 'text', text: `counted to ${to}` }] };
  });
  return mcp;
}

export const http = createServer().listen(Number(process.env.PORT ?? 0), '127.0.0.1');
const connect = ({ transport }) => serveStdio(createMcpServer, { transport });
export const endpoint = serveMcp({ server: http, connect });
await once(http, 'listening');
console.log(`MCP at ws://127.0.0.1:${http.address().port}`);
