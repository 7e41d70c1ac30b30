// Two ends of a TCP connection on this machine, and waiting for a condition in turns of the event loop.
import { once } from 'node:events';
import net from 'node:net';

export interface TcpPair {
  /** What connected. */
  client: net.Socket;
  /** What was accepted. */
  server: net.Socket;
}

/** @param listening a path, for a Unix socket; a free port of 127.0.0.1 without it */
export async function tcpPair(options: net.ServerOpts = {}, listening?: string): Promise<TcpPair> {
  const listener = net.createServer({ allowHalfOpen: true, ...options });
  if (listening === undefined) listener.listen(0, '127.0.0.1');
  else listener.listen(listening);
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[net.Socket]>;
  const address = listener.address();
  const where =
    typeof address === 'string'
      ? { path: address }
      : { host: '127.0.0.1', port: (address as net.AddressInfo).port };
  const client = net.connect({ ...where, allowHalfOpen: true });
  await once(client, 'connect');
  const [server] = await accepted;
  listener.close();
  return { client, server };
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
