// The same MCP server twice, with the SDKs 1.x and 2.x: tools that add, take their time, ask back and answer at length, and a
// resource that changes.
import { setTimeout as delay } from 'node:timers/promises';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { acceptedContent, inputRequired, McpServer as McpServer2 } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import type { McpEndpointOptions } from '../../../src/mcp/endpoint-options.js';

export const INFO = { name: 'test', version: '1.0.0' };
export const COUNTER = 'test://counter';
export const BIG = 10 * 2 ** 20;
const CAPABILITIES = { capabilities: { resources: { subscribe: true }, logging: {} } };

/** What the tools of a server did, over all its clients. */
export class Journal {
  readonly runs: string[] = [];
  readonly aborted: string[] = [];
  counter = 0;
  /** What handlers were told of the client. */
  extra: unknown;
}

const text = (value: unknown) => ({ content: [{ type: 'text' as const, text: String(value) }] });
const SLOW = { steps: z.number(), stepMs: z.number() };
const QUESTION = {
  mode: 'form' as const,
  message: 'Sure?',
  requestedSchema: z.object({ sure: z.boolean() }),
};
const FORM = { type: 'object' as const, properties: { sure: { type: 'boolean' as const } } };
const PROMPT = {
  messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Name a colour' } }],
  maxTokens: 10,
};

/** Works in steps, and tells each; ends early when its signal is aborted. */
async function work(
  journal: Journal,
  { steps, stepMs }: { steps: number; stepMs: number },
  signal: AbortSignal,
  tell: (progress: number) => Promise<void>,
) {
  journal.runs.push('slow');
  for (let step = 1; step <= steps; step++) {
    try {
      await delay(stepMs, undefined, { signal });
    } catch (error) {
      journal.aborted.push('slow');
      throw error;
    }
    await tell(step);
  }
  return text(`${steps} steps`);
}

export function server1(journal: Journal): McpServer1 {
  const mcp = new McpServer1(INFO, CAPABILITIES);
  mcp.server.setRequestHandler(SubscribeRequestSchema, async () => ({}));
  mcp.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }, extra) => {
    journal.runs.push('add');
    journal.extra = extra;
    return text(a + b);
  });
  mcp.registerTool('slow', { inputSchema: SLOW }, (params, { signal, _meta, sendNotification }) =>
    work(journal, params, signal, async (progress) => {
      if (_meta?.progressToken === undefined) return;
      const { progressToken } = _meta;
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress } });
    }),
  );
  mcp.registerTool('ask', {}, async () => {
    const { content } = await mcp.server.createMessage(PROMPT);
    return text((content as { text: string }).text);
  });
  mcp.registerTool('confirm', {}, async () => {
    const { action, content } = await mcp.server.elicitInput({ message: 'Sure?', requestedSchema: FORM });
    return text(`${action} ${content?.sure}`);
  });
  mcp.registerTool('big', {}, async () => text('é'.repeat(BIG / 2)));
  mcp.registerResource('counter', COUNTER, {}, async () => ({
    contents: [{ uri: COUNTER, text: String(journal.counter) }],
  }));
  mcp.registerTool('count', {}, async () => {
    journal.counter++;
    await mcp.server.sendResourceUpdated({ uri: COUNTER });
    return text(journal.counter);
  });
  return mcp;
}

export function server2(journal: Journal): McpServer2 {
  const mcp = new McpServer2(INFO, CAPABILITIES);
  mcp.server.setRequestHandler('resources/subscribe', async () => ({}));
  mcp.registerTool(
    'add',
    { inputSchema: z.object({ a: z.number(), b: z.number() }) },
    async ({ a, b }, context) => {
      journal.runs.push('add');
      journal.extra = context;
      return text(a + b);
    },
  );
  mcp.registerTool('slow', { inputSchema: z.object(SLOW) }, (params, { mcpReq }) =>
    work(journal, params, mcpReq.signal, async (progress) => {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken === undefined) return;
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
    }),
  );
  mcp.registerTool('ask', {}, async ({ mcpReq }) => {
    const colour = mcpReq.inputResponses?.colour as { content?: { text: string } } | undefined;
    if (colour === undefined) {
      return inputRequired({ inputRequests: { colour: inputRequired.createMessage(PROMPT) } });
    }
    return text(colour.content?.text);
  });
  mcp.registerTool('confirm', {}, async ({ mcpReq }) => {
    if (mcpReq.inputResponses?.answer === undefined) {
      return inputRequired({ inputRequests: { answer: inputRequired.elicit(QUESTION) } });
    }
    const accepted = acceptedContent(mcpReq.inputResponses, 'answer', QUESTION.requestedSchema);
    return text(`accept ${accepted?.sure}`);
  });
  mcp.registerTool('big', {}, async () => text('é'.repeat(BIG / 2)));
  mcp.registerResource('counter', COUNTER, {}, async () => ({
    contents: [{ uri: COUNTER, text: String(journal.counter) }],
  }));
  mcp.registerTool('count', {}, async () => {
    journal.counter++;
    await mcp.server.sendResourceUpdated({ uri: COUNTER });
    return text(journal.counter);
  });
  return mcp;
}

/** How `serveMcp` is told to serve each of them. */
export const SERVERS: Record<string, (journal: Journal) => Pick<McpEndpointOptions, 'factory' | 'connect'>> =
  {
    'SDK 1.32': (journal) => ({ factory: () => server1(journal) }),
    'SDK 2.4, connect': (journal) => ({ factory: () => server2(journal) }),
    'SDK 2.4, serveStdio': (journal) => ({
      connect: ({ transport }) => serveStdio(() => server2(journal), { transport }),
    }),
  };
