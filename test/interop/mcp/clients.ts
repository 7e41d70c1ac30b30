// The clients of the SDKs 1.x and 2.x behind one face, as far as the tests need it. They answer what a server asks.
import { Client as Client2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { McpTransport } from '../../../src/mcp/transport.js';
import { COUNTER, INFO } from './servers.js';

export interface CallOptions {
  signal?: AbortSignal;
  onprogress?: (progress: { progress: number }) => void;
}

/** A client of one of the SDKs. */
export interface TestClient {
  /** Uris of resources that have changed. */
  readonly updates: string[];
  readonly sdk: Client1 | Client2;
  connect(transport: McpTransport): Promise<void>;
  /** The text that a tool answers with. */
  call(name: string, args?: object, options?: CallOptions): Promise<string>;
  read(uri: string): Promise<unknown>;
  /** Watches the counter. */
  subscribe(): Promise<void>;
  close(): Promise<void>;
}

const CAPABILITIES = { capabilities: { sampling: {}, elicitation: {} } };
const ANSWER = {
  model: 'none',
  role: 'assistant' as const,
  content: { type: 'text' as const, text: 'green' },
};
const CONSENT = { action: 'accept' as const, content: { sure: true } };

const textOf = (result: unknown): string => {
  const { content, isError } = result as { content: [{ text: string }]; isError?: boolean };
  if (isError) throw new Error(content[0].text);
  return content[0].text;
};

function client1(): TestClient {
  const sdk = new Client1(INFO, CAPABILITIES);
  const updates: string[] = [];
  sdk.setRequestHandler(CreateMessageRequestSchema, async () => ANSWER);
  sdk.setRequestHandler(ElicitRequestSchema, async () => CONSENT);
  sdk.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
    updates.push(params.uri);
  });
  return {
    sdk,
    updates,
    connect: (transport) => sdk.connect(transport),
    call: async (name, args = {}, options = {}) =>
      textOf(await sdk.callTool({ name, arguments: { ...args } }, undefined, options)),
    read: async (uri) => (await sdk.readResource({ uri })).contents,
    subscribe: async () => {
      await sdk.subscribeResource({ uri: COUNTER });
    },
    close: () => sdk.close(),
  };
}

function client2(mode: 'legacy' | 'auto' | { pin: string }): TestClient {
  const sdk = new Client2(INFO, { ...CAPABILITIES, versionNegotiation: { mode } });
  const updates: string[] = [];
  sdk.setRequestHandler('sampling/createMessage', async () => ANSWER);
  sdk.setRequestHandler('elicitation/create', async () => CONSENT);
  sdk.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    updates.push(params.uri);
  });
  return {
    sdk,
    updates,
    connect: (transport) => sdk.connect(transport),
    call: async (name, args = {}, options = {}) =>
      textOf(await sdk.callTool({ name, arguments: { ...args } }, options)),
    read: async (uri) => (await sdk.readResource({ uri })).contents,
    subscribe: async () => {
      const isModern = sdk.getNegotiatedProtocolVersion() === MODERN;
      if (isModern) await sdk.listen({ resourceSubscriptions: [COUNTER] });
      else await sdk.subscribeResource({ uri: COUNTER });
    },
    close: () => sdk.close(),
  };
}

/** The first version of the protocol's second era. */
export const MODERN = '2026-07-28';

export const CLIENTS: Record<string, () => TestClient> = {
  'SDK 1.32': client1,
  'SDK 2.4, legacy': () => client2('legacy'),
  'SDK 2.4, auto': () => client2('auto'),
  'SDK 2.4, pinned': () => client2({ pin: MODERN }),
};
