// Agents that are asked for sockets and never give one: the request stays in the air, and shows its options.
import http from 'node:http';
import https from 'node:https';

export interface SilentAgent extends http.Agent {
  /** Options of every request that asked. */
  asked: http.RequestOptions[];
}

export function silentAgent({ isSecure = false } = {}): SilentAgent {
  const asked: http.RequestOptions[] = [];
  const addRequest = (_request: http.ClientRequest, options: http.RequestOptions) => asked.push(options);
  return Object.assign(isSecure ? new https.Agent() : new http.Agent(), { asked, addRequest });
}
