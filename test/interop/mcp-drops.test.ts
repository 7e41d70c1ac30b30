// A tool that takes five seconds, and a connection that is cut three times meanwhile: the call returns once, correctly, and
// the tool has run once.
import { afterEach, describe, expect, it } from 'vitest';
import { type McpScene, setScene } from '../support/mcp-scene.js';
import { CLIENTS, type TestClient } from './mcp/clients.js';
import { Journal, SERVERS } from './mcp/servers.js';

let scene: McpScene;
let client: TestClient;

afterEach(async () => {
  await client.close();
  await scene.close();
});

describe.each([
  { client: 'SDK 1.32', server: 'SDK 1.32' },
  { client: 'SDK 2.4, pinned', server: 'SDK 2.4, serveStdio' },
])('$client', ({ client: name, server }) => {
  it('three drops in the middle of a call -> one run, one result, all progress', async () => {
    const journal = new Journal();
    scene = await setScene(SERVERS[server]!(journal));
    client = CLIENTS[name]!();
    const transport = scene.dial();
    const problems: unknown[] = [];
    transport.onclose = () => problems.push('closed');
    transport.onerror = (error) => problems.push(error);
    await client.connect(transport);
    const told: number[] = [];
    const result = await client.call(
      'slow',
      { steps: 10, stepMs: 500 },
      {
        onprogress: ({ progress }) => {
          told.push(progress);
          if (progress === 2 || progress === 4 || progress === 6) scene.proxy.cutAll();
        },
      },
    );
    expect(result).toBe('10 steps');
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(journal.runs).toEqual(['slow']);
    expect(scene.endpoint.sessions.map((session) => session.stats().resumes)).toEqual([3]);
    expect(scene.proxy.stats()).toMatchObject({ connections: 4, cut: 3 });
    expect(problems).toEqual([]);
  });
});

it('over a plain connection the first drop ends it: the call fails, and the tool is told to stop', async () => {
  const journal = new Journal();
  scene = await setScene(SERVERS['SDK 1.32']!(journal));
  client = CLIENTS['SDK 1.32']!();
  const transport = scene.dial({ resume: false });
  await client.connect(transport);
  const called = client.call('slow', { steps: 2, stepMs: 100 }, { onprogress: () => scene.proxy.cutAll() });
  await expect(called).rejects.toThrow('Connection closed');
  expect(transport.isOver).toBe(true);
  await expect.poll(() => journal.aborted).toEqual(['slow']);
});
