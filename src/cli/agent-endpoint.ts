// What `hawser serve` does with a session at /agent: its tools are the methods that the peer may call.

import type { ServerSession } from '../agent/index.js';
import { type CallContext, RPC, RpcError, RpcPeer } from '../rpc/index.js';
import { type Tool, ToolError } from './agent-tools/tool.js';
import { tools } from './agent-tools/tools.js';

/** Of one session at a time. */
const MAX_CALLS = 32;

/** Serves the tools to one peer, until its session is over. */
export function serveAgent(session: ServerSession): void {
  const peer = new RpcPeer(session, { limits: { calls: MAX_CALLS, streams: MAX_CALLS } });
  for (const tool of tools) {
    peer.handle(tool.name, (params: unknown, context: CallContext) => call(tool, params, context));
  }
}

async function call(tool: Tool, params: unknown, context: CallContext): Promise<unknown> {
  try {
    return await tool.call(params, context);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new RpcError(RPC.INVALID_PARAMS, error.message, { data: { issues: error.issues } });
  }
}
