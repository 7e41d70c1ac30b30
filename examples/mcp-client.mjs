// An MCP client over WebSocket: it calls a tool and follows its progress. Without an address it starts mcp-server.mjs itself.
//
//     node examples/mcp-client.mjs ws://127.0.0.1:8080
import { Client } from '@modelcontextprotocol/client';
import { WebSocketClientTransport } from 'hawser/mcp';

const server = process.argv[2] === undefined ? await import('./mcp-server.mjs') : undefined;
const url = process.argv[2] ?? `ws://127.0.0.1:${server.http.address().port}`;

const client = new Client({ name: 'example', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(new WebSocketClientTransport(url));
const seen = [];
const onprogress = ({ progress, total }) => console.log(`${seen.push(progress)} of ${total}`);
const { content } = await client.callTool({ name: 'count', arguments: { to: 10 } }, { onprogress });
await client.close();
await server?.endpoint.close();
server?.http.close();

console.log(`${content[0].text}, told in ${seen.length} steps`);
process.exitCode = seen.join() === '1,2,3,4,5,6,7,8,9,10' ? 0 : 1;
