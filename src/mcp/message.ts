// What MCP says over a WebSocket: one JSON-RPC 2.0 object per text message, no batches. Whether a method is known and its
// parameters are right is the SDK's to judge.

export type RequestId = string | number;

/** A request, a notification or a response, as loosely as a transport has to know it. */
export interface JsonRpcMessage {
  jsonrpc: '2.0';
  id?: RequestId | undefined;
  method?: string | undefined;
  params?: unknown;
  result?: unknown;
  error?: unknown;
}

/** An error that nobody can be given by the id of a request. */
export interface JsonRpcRefusal {
  jsonrpc: '2.0';
  id: RequestId | null;
  error: { code: number; message: string };
}

/** A message, or what is wrong with it; `answer` is for the peer, where it may be answered. */
export type Reading = { message: JsonRpcMessage } | { fault: string; answer: JsonRpcRefusal | undefined };

/** JSON-RPC 2.0 §5.1; the last one is of those that it leaves to servers. */
export const CODE = { UNPARSABLE: -32700, INVALID: -32600, INTERNAL: -32603, OVERLOADED: -32000 } as const;

export function refusal(id: RequestId | null, code: number, message: string): JsonRpcRefusal {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

export function readMessage(text: string): Reading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(CODE.UNPARSABLE, 'the message is not JSON');
  }
  if (Array.isArray(value)) return refuse(CODE.INVALID, 'batches are not supported');
  if (typeof value !== 'object' || value === null) {
    return refuse(CODE.INVALID, 'a JSON-RPC object was expected');
  }
  const { jsonrpc, id, method, result, error } = value as Record<string, unknown>;
  // Two ends that answered each other's errors would never come to an end.
  if (id === null && error !== undefined) {
    return { fault: `the peer could not read a message: ${JSON.stringify(error)}`, answer: undefined };
  }
  // 1e999 is JSON and a number, and Infinity here, which no response can name.
  const isNamed = typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
  const isCall = typeof method === 'string' && (id === undefined || isNamed);
  const isResponse = method === undefined && isNamed && (result !== undefined || error !== undefined);
  if (jsonrpc === '2.0' && (isCall || isResponse)) return { message: value as JsonRpcMessage };
  const fault = 'neither a request nor a notification nor a response';
  if (error !== undefined) return { fault, answer: undefined };
  return refuse(CODE.INVALID, fault, isNamed ? id : null);
}

function refuse(code: number, fault: string, id: RequestId | null = null): Reading {
  return { fault, answer: refusal(id, code, fault) };
}
