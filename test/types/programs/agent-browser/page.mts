// What the program of a page does with its end of a session; there are no types of Node here.
import { connectSession, messageStreams, SessionError } from 'hawser/agent';

export async function connect(): Promise<void> {
  await using session = connectSession(async () => new URL('wss://example.org'), {
    queue: { policy: 'conflate' },
  });
  session.on('drain', ({ inMs }) => inMs.toFixed());
  await session.send('text', { key: 'price' });
  await session.send(await new Blob(['bytes']).arrayBuffer());
  for await (const message of session)
    document.body.append(typeof message === 'string' ? message : new Blob([new Uint8Array(message)]).type);
}

export const other = connectSession('wss://example.org', { WebSocket: globalThis.WebSocket });
other.on('close', ({ error }) => error instanceof SessionError && error.code === 'unauthorized');

export async function streams(): Promise<void> {
  const { readable, writable } = await messageStreams(other).opened;
  await readable.pipeTo(writable);
}

// @ts-expect-error the server's end is for Node
export type { SessionServer } from 'hawser/agent';
