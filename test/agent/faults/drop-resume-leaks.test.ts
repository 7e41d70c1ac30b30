// A session that loses its connection again and again, with messages under way both ways: what it costs must not grow.
import type { IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ClientSession } from '../../../src/agent/client-session.js';
import { debug, type ServerSession, SessionServer } from '../../../src/agent/index.js';
import { wheelOf } from '../../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../../support/fake-environment.js';
import { FakeNetwork } from '../../support/fake-link.js';
import { turn, until } from '../../support/tcp.js';
import { setScene } from './scene.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Of the heap that is in use, once finalizers and what hangs on promises are through. */
async function heapBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collectGarbage();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}

/** What keeps the process alive and did not at the baseline. */
function addedResources(baseline: string[]): string[] {
  const known = [...baseline];
  return process.getActiveResourcesInfo().filter((type) => {
    const index = known.indexOf(type);
    if (index >= 0) known.splice(index, 1);
    return index < 0;
  });
}

const MIB = 2 ** 20;

describe('drop and resume', () => {
  it('100,000 times over links of nothing', { timeout: 120_000 }, async () => {
    const environment = new FakeEnvironment();
    const server = new SessionServer({ noServer: true }, environment);
    let session: ServerSession | undefined;
    server.on('session', (begun) => {
      session = begun;
    });
    const network = new FakeNetwork(environment, (link) => server.onLink(link, '', {} as IncomingMessage));
    const client = new ClientSession(
      'ws://127.0.0.1/',
      { backoff: { baseMs: 1, capMs: 1 } },
      network.connect,
      environment,
    );
    let received = 0;
    client.on('message', () => received++);
    const settle = async (): Promise<void> => {
      await environment.settle();
      environment.advance(5);
    };
    await settle();
    await settle();
    session!.on('message', () => received++);
    let sent = 0;
    const cycle = async (): Promise<void> => {
      client.send(`message ${++sent}`);
      session!.send(Uint8Array.of(sent, sent >> 8));
      network.cut();
      while (client.state !== 'open' || received < 2 * sent) await settle();
      network.connections.splice(0, network.connections.length - 1);
    };
    const repeat = async (times: number): Promise<void> => {
      for (let count = 0; count < times; count++) await cycle();
    };

    await repeat(5000);
    const before = {
      heap: await heapBytes(),
      timers: wheelOf(environment).size,
      active: debug.active().length,
    };
    await repeat(100_000);
    const growth = (await heapBytes()) - before.heap;
    expect(growth).toBeLessThan(MIB);
    expect(client.stats()).toMatchObject({ resumes: sent, sent });
    expect({ timers: wheelOf(environment).size, active: debug.active().length }).toEqual({
      timers: before.timers,
      active: before.active,
    });
    client.terminate();
    const closed = server.close();
    await settle();
    await settle();
    await closed;
    expect(wheelOf(environment).size).toBe(0);
    expect(environment.pendingTimers).toBe(0);
  });

  it('2,000 times over real sockets', { timeout: 120_000 }, async () => {
    const baseline = process.getActiveResourcesInfo();
    const scene = await setScene();
    const client = scene.connect();
    await client.ready;
    const [session] = scene.sessions;
    let sent = 0;
    const repeat = async (times: number): Promise<void> => {
      for (let count = 0; count < times; count++) {
        client.send(`message ${++sent}`);
        session!.send(Uint8Array.of(sent, sent >> 8));
        scene.proxy.cutAll();
        await until(() => client.received === sent && session!.received === sent);
        for (const log of scene.logs.values()) log.length = 0;
      }
    };
    // The other end of a connection that was cut closes a moment later.
    const isIdle = (): boolean => scene.proxy.stats().open === 1;

    // As long as it takes until compiled code and caches grow no more; then the heap stays where it is.
    await repeat(1500);
    await until(isIdle);
    const before = { heap: await heapBytes(), resources: process.getActiveResourcesInfo() };
    await repeat(2000);
    await until(isIdle);
    await until(() => addedResources(before.resources).length === 0);
    expect((await heapBytes()) - before.heap).toBeLessThan(MIB);
    // A cut may come before the connection is open again, as messages that were under way may arrive without it.
    expect(client.stats().resumes).toBeGreaterThan(1000);
    await scene.close();
    await until(() => addedResources(baseline).length === 0);
  });
});
