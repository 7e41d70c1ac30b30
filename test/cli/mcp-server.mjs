// A stdio MCP server as most are: SDK 1.x. Its tools show what the tests of `hawser mcp-bridge` want to know of it.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

const server = new McpServer({ name: 'stdio-server', version: '1.0.0' });
const text = (value) => ({ content: [{ type: 'text', text: String(value) }] });
let calls = 0;

server.registerTool('pid', {}, () => text(process.pid));
server.registerTool('environment', { inputSchema: { name: z.string() } }, ({ name }) =>
  text(process.env[name]),
);
server.registerTool('large', { inputSchema: { length: z.number() } }, ({ length }) =>
  text('x'.repeat(length)),
);
server.registerTool('die', { inputSchema: { code: z.number() } }, ({ code }) => process.exit(code));
server.registerTool('say', { inputSchema: { line: z.string() } }, ({ line }) => {
  process.stdout.write(`${line}\n`);
  return text('said');
});
server.registerTool('ask', {}, async () => {
  const { content } = await server.server.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: 'who are you?' } }],
    maxTokens: 10,
  });
  return text(content.text);
});
server.registerTool(
  'count',
  { inputSchema: { to: z.number(), everyMs: z.number() } },
  async ({ to, everyMs }, { _meta, sendNotification }) => {
    const call = ++calls;
    for (let progress = 1; progress <= to; progress++) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      const [method, params] =
        _meta?.progressToken === undefined
          ? ['notifications/count', { progress }]
          : ['notifications/progress', { progressToken: _meta.progressToken, progress, total: to }];
      await sendNotification({ method, params });
    }
    return text(`call ${call}`);
  },
);

console.error('ready');
await server.connect(new StdioServerTransport());
