// In a page: an SDK's client on hawser's transport, on the browser's own WebSocket. `window.call` is for the test.
import { Client } from '@modelcontextprotocol/client';
import { WebSocketClientTransport } from 'hawser/mcp';

/** Calls the slow tool; `tell` is called with each step. */
window.callSlow = async (url, resume, args) => {
  const client = new Client({ name: 'page', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  const session = { backoff: { baseMs: 1, capMs: 5 } };
  await client.connect(new WebSocketClientTransport(url, { resume, session }));
  const version = client.getNegotiatedProtocolVersion();
  const steps = [];
  const onprogress = async ({ progress }) => {
    steps.push(progress);
    await window.tell(progress);
  };
  const { content } = await client.callTool({ name: 'slow', arguments: args }, { onprogress });
  await client.close();
  return { version, steps, text: content[0].text };
};

/** What becomes of an attempt to connect. */
window.dial = async (url) => {
  const transport = new WebSocketClientTransport(url);
  try {
    await transport.start();
    await transport.close();
    return 'open';
  } catch (error) {
    return error.message;
  }
};
