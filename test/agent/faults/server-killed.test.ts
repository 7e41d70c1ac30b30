// The server's process is killed between handing messages to its application and acknowledging them. Nobody can know what
// became of those: the client must tell them apart from those that the server surely never had, and send again only what it
// was told to.
import { afterEach, describe, expect, it } from 'vitest';
import { type ClientSession, connectSession, type SessionEvents } from '../../../src/agent/index.js';
import { until } from '../../support/tcp.js';
import { QUICK_BACKOFF } from './scene.js';
import { ServerProcess } from './server-process.js';

/** What may be unacknowledged: five messages. */
const SERVER = { acknowledge: 'manual', queue: { maxMessages: 5 } };

const servers: ServerProcess[] = [];
let client: ClientSession;

afterEach(async () => {
  client.terminate();
  for (const server of servers.splice(0)) await server.kill();
});

async function startServer(): Promise<ServerProcess> {
  const server = await ServerProcess.start(SERVER);
  servers.push(server);
  return server;
}

describe('SIGKILL between dispatch and acknowledgement', () => {
  it.each([
    { resend: 'none', sentAgain: [] },
    { resend: 'unsent', sentAgain: ['9', '10'] },
    { resend: 'all', sentAgain: ['4', '5', '6', '7', '8', '9', '10'] },
  ] as const)('resend: $resend', { timeout: 60_000 }, async ({ resend, sentAgain }) => {
    let server = await startServer();
    client = connectSession(() => server.url, {
      backoff: QUICK_BACKOFF,
      queue: { maxMessages: 10 },
      resend,
    });
    const lost: SessionEvents['sessionlost'][0][] = [];
    client.on('sessionlost', (info) => lost.push(info));
    await client.ready;
    const { id } = client;
    for (let number = 1; number <= 10; number++) client.send(String(number));
    await until(() => server.received.length === 5);
    server.acknowledge(3);
    await until(() => server.received.length === 8 && client.stats().acknowledged === 3);
    expect(server.received).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    const flushed = expect(client.flush()).rejects.toMatchObject({ code: 'lost' });

    const successor = await startServer();
    const killed = server;
    server = successor;
    await killed.kill();
    await until(() => lost.length > 0);
    await client.ready;
    expect(lost).toEqual([{ unsent: ['9', '10'], unacked: ['4', '5', '6', '7', '8'], reason: 'restart' }]);
    await flushed;
    expect(client.id).not.toBe(id);

    client.send('new');
    const wanted = [...sentAgain, 'new'];
    // As many as the window has room for.
    await until(() => successor.received.length === Math.min(wanted.length, 5));
    successor.acknowledge(5);
    await until(() => successor.received.length === wanted.length);
    successor.acknowledge(wanted.length);
    await client.flush();
    expect(successor.received).toEqual(wanted);
    expect(client.stats()).toMatchObject({ sent: wanted.length, acknowledged: wanted.length, resumes: 0 });
  });
});
