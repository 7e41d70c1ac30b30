// The clients of the SDKs 1.32 and 2.4 with their servers, in both eras of the protocol, over a plain connection and over a
// session that resumes: every pair holds the same conversation.
import { afterEach, describe, expect, it } from 'vitest';
import { type McpScene, setScene } from '../support/mcp-scene.js';
import { until } from '../support/tcp.js';
import { CLIENTS, MODERN, type TestClient } from './mcp/clients.js';
import { BIG, COUNTER, Journal, SERVERS } from './mcp/servers.js';

const PAIRS = Object.keys(SERVERS).flatMap((server) =>
  Object.keys(CLIENTS).flatMap((client) => [true, false].map((resume) => ({ server, client, resume }))),
);
/** Only `serveStdio` speaks the second era. */
const canTalk = ({ server, client }: { server: string; client: string }): boolean =>
  client !== 'SDK 2.4, pinned' || server === 'SDK 2.4, serveStdio';

let scene: McpScene;
let client: TestClient;

afterEach(async () => {
  await client.close();
  await scene.close();
});

async function meet({ server, client: name, resume }: (typeof PAIRS)[number]) {
  const journal = new Journal();
  scene = await setScene(SERVERS[server]!(journal));
  client = CLIENTS[name]!();
  const transport = scene.dial({ resume });
  return { journal, transport };
}

describe.each(PAIRS.filter(canTalk))('$client client, $server server, resume: $resume', (pair) => {
  it('tools, progress, cancellation, questions to the client, resources, 10 MB', async () => {
    const { journal, transport } = await meet(pair);
    await client.connect(transport);
    const { attached, plain } = scene.endpoint.stats();
    expect([attached, plain]).toEqual(pair.resume ? [1, 0] : [0, 1]);
    const isModern = pair.server === 'SDK 2.4, serveStdio' && /auto|pinned/.test(pair.client);
    expect(transport.protocolVersion === MODERN).toBe(isModern);

    expect(await client.call('add', { a: 1, b: 2 })).toBe('3');

    const told: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => told.push(progress);
    expect(await client.call('slow', { steps: 3, stepMs: 1 }, { onprogress })).toBe('3 steps');
    expect(told).toEqual([1, 2, 3]);

    const controller = new AbortController();
    const hanging = client.call('slow', { steps: 1, stepMs: 60_000 }, { signal: controller.signal });
    await until(() => journal.runs.filter((name) => name === 'slow').length === 2);
    controller.abort();
    await expect(hanging).rejects.toThrow();
    await until(() => journal.aborted.length === 1);

    expect(await client.call('ask')).toBe('green');
    expect(await client.call('confirm')).toBe('accept true');

    await client.subscribe();
    expect(await client.call('count')).toBe('1');
    await until(() => client.updates.length === 1);
    expect(client.updates).toEqual([COUNTER]);
    expect(await client.read(COUNTER)).toMatchObject([{ uri: COUNTER, text: '1' }]);

    const big = await client.call('big');
    expect(Buffer.byteLength(big)).toBe(BIG);
    expect(transport.isOver).toBe(false);
  });
});

it.each(PAIRS.filter((pair) => !canTalk(pair)))(
  '$client client, $server server, resume: $resume -> no version in common, and nothing is left',
  async (pair) => {
    const { transport } = await meet(pair);
    await expect(client.connect(transport)).rejects.toThrow(/negotiation/);
    await transport.over;
  },
);

it('a server that does not answer what it does not know: the client takes it for one of the era before', async () => {
  // What the two properties `stderr` and `pid` are for: without them this client gives up.
  const { transport } = await meet({ server: 'SDK 1.32', client: 'SDK 2.4, auto', resume: true });
  const send = transport.send.bind(transport);
  transport.send = async (message) => {
    if (message.method !== 'server/discover') await send(message);
  };
  await (client.sdk as { connect(transport: unknown, options: object): Promise<void> }).connect(transport, {
    timeout: 100,
  });
  expect(await client.call('add', { a: 1, b: 2 })).toBe('3');
});
