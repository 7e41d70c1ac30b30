// The Agent Client Protocol on hawser: editor and agent are both `@agentclientprotocol/sdk`, over its WebSocket transports,
// which take the class for one end and the server for the other from whoever uses them.
import { client, methods, PROTOCOL_VERSION, type SessionUpdate } from '@agentclientprotocol/sdk';
import {
  createWebSocketStream,
  type WebSocketConstructor,
} from '@agentclientprotocol/sdk/experimental/ws-client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { serveAcpAgent } from '../support/acp-agent.js';
import { cast } from '../support/cast.js';
import { next, several } from '../support/events.js';
import { subject, subjectName } from './subject.js';

/** How the SDK comes by its WebSocket: handed in, or the global one, which has no headers. */
const WAYS = {
  'its WebSocket option': (Class: Package) => ({ WebSocket: Class as WebSocketConstructor }),
  'globalThis.WebSocket': (Class: Package) => {
    vi.stubGlobal('WebSocket', Class);
    return {};
  },
};

describe.each(Object.entries(WAYS))(`ACP over ${subjectName}, through %s`, (_way, optionsFor) => {
  const { atEnd } = cast(subject);

  afterEach(() => vi.unstubAllGlobals());

  /** An editor that is connected, and what it has seen of the agent. */
  async function editor(decision = 'yes') {
    const made: Package[] = [];
    // A class of its own, so that nothing but hawser can have been used.
    const Counted = class extends subject {
      constructor(...args: unknown[]) {
        super(...args);
        made.push(this);
      }
    };
    const wss = atEnd(new subject.WebSocketServer({ noServer: true }), (server) => server.close());
    const agent = atEnd(await serveAcpAgent(wss), ({ close }) => close());
    const upgraded = next(wss, 'headers');
    const updates: SessionUpdate[] = [];
    const permissions: string[] = [];
    const stream = createWebSocketStream(agent.url, {
      ...optionsFor(Counted),
      headers: { Authorization: 'Bearer of-the-editor' },
    });
    const connection = client({ name: 'editor' })
      .onNotification(methods.client.session.update, ({ params }) => {
        updates.push(params.update);
      })
      .onRequest(methods.client.session.requestPermission, ({ params }) => {
        permissions.push(params.toolCall.toolCallId);
        return { outcome: { outcome: 'selected', optionId: decision } };
      })
      .connect(stream);
    atEnd(connection, () => connection.close());
    expect(made).toHaveLength(1);
    const initialized = await connection.agent.request(methods.agent.initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientCapabilities: {},
    });
    expect(initialized.protocolVersion).toBe(PROTOCOL_VERSION);
    const { sessionId } = await connection.agent.request(methods.agent.session.new, {
      cwd: '/project',
      mcpServers: [],
    });
    const prompt = (text: string) =>
      connection.agent.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text }] });
    const [headers, request] = await upgraded;
    return { socket: made[0], connection, sessionId, prompt, updates, permissions, headers, request };
  }

  it('initialize and session/new -> answered, with the headers of both ends', async () => {
    const { socket, sessionId, headers, request } = await editor();
    expect(socket).toBeInstanceOf(subject);
    expect(sessionId).toBe('session of /project');
    expect(request.headers.authorization).toBe('Bearer of-the-editor');
    expect(headers.join('\n')).toContain('Acp-Connection-Id: ');
  });

  it.each([
    ['yes', 'end_turn', 'completed'],
    ['no', 'refusal', 'failed'],
  ])('a prompt, permission %s -> updates as they come, in order', async (decision, stopReason, status) => {
    const { prompt, updates, permissions } = await editor(decision);
    expect(await prompt('tidy up')).toEqual({ stopReason });
    expect(permissions).toEqual(['call-1']);
    expect(updates).toEqual([
      ...['I ', 'look ', 'around. ☃'].map((text) => ({
        sessionUpdate: 'agent_message_chunk',
        content: { type: 'text', text },
      })),
      { sessionUpdate: 'tool_call', toolCallId: 'call-1', title: 'rm', status: 'pending' },
      { sessionUpdate: 'tool_call_update', toolCallId: 'call-1', status },
    ]);
  });

  it('session/cancel while the agent thinks -> the prompt is answered as cancelled', async () => {
    const { prompt, updates, connection, sessionId } = await editor();
    const answer = prompt('think for ever');
    await vi.waitUntil(() => updates.length > 0);
    await connection.agent.notify(methods.agent.session.cancel, { sessionId });
    expect(await answer).toEqual({ stopReason: 'cancelled' });
  });

  it('a batch, and text that is no JSON -> refused, and the connection goes on', async () => {
    const { socket, prompt } = await editor();
    const refusals = several(socket, 'message', 2);
    socket.send('[{"jsonrpc":"2.0","id":1,"method":"session/list"}]');
    socket.send('{"half');
    expect((await refusals).map(([text]) => JSON.parse(String(text)).error.code)).toEqual([-32600, -32700]);
    expect(await prompt('tidy up')).toEqual({ stopReason: 'end_turn' });
  });

  it('the editor leaves in the middle of a prompt -> rejected, and the socket is closed', async () => {
    const { socket, prompt, updates, connection } = await editor();
    const answer = prompt('think for ever');
    await vi.waitUntil(() => updates.length > 0);
    const closed = next(socket, 'close');
    connection.close();
    await expect(answer).rejects.toThrow();
    expect((await closed)[0]).toBe(1005);
  });
});
