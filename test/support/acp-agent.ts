// A coding agent that speaks ACP as its documentation says, on the agent side of `@agentclientprotocol/sdk`: it thinks
// aloud in three pieces, wants to run one tool, asks for permission first, and can be cancelled while it thinks on.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AgentApp,
  agent,
  methods,
  PROTOCOL_VERSION,
  type SessionUpdate,
} from '@agentclientprotocol/sdk';
import { createNodeWebSocketUpgradeHandler } from '@agentclientprotocol/sdk/experimental/node';
import { AcpServer } from '@agentclientprotocol/sdk/experimental/server';
import { next } from './events.js';

type AcceptingServer = Parameters<typeof createNodeWebSocketUpgradeHandler>[1];

/** Serves the agent on the WebSocket server `wss`, which listens to nothing itself (`noServer`). */
export async function serveAcpAgent(wss: AcceptingServer) {
  const acp = new AcpServer({ createAgent: codingAgent });
  const http = createServer();
  http.on('upgrade', createNodeWebSocketUpgradeHandler(acp, wss));
  http.listen(0, '127.0.0.1');
  await next(http, 'listening');
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}/acp`,
    async close() {
      await acp.close();
      http.close();
    },
  };
}

function codingAgent(): AgentApp {
  let cancel = (): void => {};
  return agent({ name: 'coding-agent' })
    .onRequest(methods.agent.initialize, () => ({
      protocolVersion: PROTOCOL_VERSION,
      agentCapabilities: { loadSession: false },
    }))
    .onRequest(methods.agent.session.new, ({ params }) => ({ sessionId: `session of ${params.cwd}` }))
    .onNotification(methods.agent.session.cancel, () => cancel())
    .onRequest(methods.agent.session.prompt, async ({ params: { sessionId, prompt }, client }) => {
      const update = (update: SessionUpdate) =>
        client.notify(methods.client.session.update, { sessionId, update });
      const [task] = prompt;
      if (task?.type === 'text' && task.text === 'think for ever') {
        const cancelled = new Promise<void>((resolve) => {
          cancel = resolve;
        });
        await update(say('hmm'));
        await cancelled;
        return { stopReason: 'cancelled' };
      }
      for (const text of ['I ', 'look ', 'around. ☃']) await update(say(text));
      await update({ sessionUpdate: 'tool_call', toolCallId: 'call-1', title: 'rm', status: 'pending' });
      const { outcome } = await client.request(methods.client.session.requestPermission, {
        sessionId,
        toolCall: { toolCallId: 'call-1' },
        options: [
          { optionId: 'yes', name: 'Allow', kind: 'allow_once' },
          { optionId: 'no', name: 'Reject', kind: 'reject_once' },
        ],
      });
      const isAllowed = outcome.outcome === 'selected' && outcome.optionId === 'yes';
      await update({
        sessionUpdate: 'tool_call_update',
        toolCallId: 'call-1',
        status: isAllowed ? 'completed' : 'failed',
      });
      return { stopReason: isAllowed ? 'end_turn' : 'refusal' };
    });
}

function say(text: string): SessionUpdate {
  return { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } };
}
