import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConformanceCase } from '../../src/conform/case.js';
import { CASES } from '../../src/conform/cases/index.js';
import { open } from '../../src/conform/opening.js';
import { dial, isAttackOnStranger, judgeServer, type TlsOptions } from '../../src/conform/server-judge.js';
import { WireLog } from '../../src/conform/wire-log.js';
import type { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { fakeCase, ok } from './fake-case.js';
import { endPairs, listen, readToEnd } from './tcp-pair.js';

afterEach(endPairs);

const STRANGER = new URL('ws://192.0.2.1/');
const url = new URL('ws://127.0.0.1:1/');
const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a run', () => {
  /** The first takes longest, the last is over first. */
  const cases = [9, 7, 5, 3, 1].map((count) =>
    fakeCase(`${count}`, async () => {
      await turns(count * 10);
      return ok();
    }),
  );

  it.each([1, 2, 8])('of %i at a time has its results in the order of the cases', async (jobs) => {
    const asTheyCame: string[] = [];
    const results = await judgeServer({
      url,
      agent: 'a',
      cases,
      jobs,
      onResult: ({ id }) => asTheyCame.push(id),
    });
    expect(results.map(({ id }) => id)).toEqual(['9', '7', '5', '3', '1']);
    expect(results.every(({ agent, subject }) => agent === 'a' && subject === 'server')).toBe(true);
    expect(asTheyCame).toHaveLength(5);
    if (jobs === 1) expect(asTheyCame).toEqual(['9', '7', '5', '3', '1']);
    if (jobs === 8) expect(asTheyCame).toEqual(['1', '3', '5', '7', '9']);
  });

  it('has as many cases under way as it may, and of heavy ones three, behind all others', async () => {
    let running = 0;
    const most = { light: 0, heavy: 0 };
    const order: string[] = [];
    const counting = (kind: 'light' | 'heavy', n: number): ConformanceCase =>
      fakeCase(
        `${kind}-${n}`,
        async () => {
          most[kind] = Math.max(most[kind], ++running);
          order.push(kind);
          await turns(5);
          running--;
          return ok();
        },
        { isHeavy: kind === 'heavy' },
      );
    const both = Array.from({ length: 10 }, (_, n) => [counting('heavy', n), counting('light', n)]).flat();
    const results = await judgeServer({ url, agent: 'a', cases: both, jobs: 4 });
    expect(most).toEqual({ light: 4, heavy: 3 });
    expect(order).toEqual([...Array(10).fill('light'), ...Array(10).fill('heavy')]);
    expect(results.map(({ id }) => id)).toEqual(both.map(({ id }) => id));
  });

  it('runs attacks one by one, behind all others', async () => {
    let running = 0;
    const company: number[] = [];
    const order: string[] = [];
    const watched = (id: string, group: 'robustness' | 'framing'): ConformanceCase =>
      fakeCase(
        id,
        async () => {
          running++;
          order.push(group);
          if (group === 'robustness') company.push(running);
          await turns(5);
          running--;
          return ok();
        },
        { group },
      );
    const both = [1, 2, 3].flatMap((n) => [
      watched(`robustness.${n}`, 'robustness'),
      watched(`framing.${n}`, 'framing'),
    ]);
    await judgeServer({ url, agent: 'a', cases: both, jobs: 8 });
    expect(company).toEqual([1, 1, 1]);
    expect(order.slice(0, 3)).toEqual(['framing', 'framing', 'framing']);
  });

  it('that is ended early has the results of what had begun', async () => {
    const controller = new AbortController();
    const all = [1, 2, 3, 4].map((n) =>
      fakeCase(`${n}`, async () => {
        if (n === 2) controller.abort();
        await turns(3);
        return ok();
      }),
    );
    const results = await judgeServer({ url, agent: 'a', cases: all, jobs: 1, signal: controller.signal });
    expect(results.map(({ id }) => id)).toEqual(['1', '2']);
    expect(await judgeServer({ url, agent: 'a', cases: all, signal: AbortSignal.abort() })).toEqual([]);
  });

  it('hands the memory of keys from case to case, and begins each run with none', async () => {
    const sizes: number[] = [];
    const one = (id: string) =>
      fakeCase(id, async ({ memory }) => {
        sizes.push(memory.handshakeKeys.size);
        memory.handshakeKeys.add(id);
        return ok();
      });
    const run = () => judgeServer({ url, agent: 'a', cases: [one('a'), one('b')], jobs: 1 });
    await run();
    await run();
    expect(sizes).toEqual([0, 1, 0, 1]);
  });

  it('comes to the same verdicts whatever runs at the same time', { timeout: 30_000 }, async () => {
    const chosen = CASES.filter(({ id, subjects }) => /^[1345]\.\d/.test(id) && subjects.includes('server'));
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket: WebSocket) => {
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const verdictsWith = async (jobs: number) => {
      const results = await judgeServer({
        url: new URL(`ws://127.0.0.1:${port}/`),
        agent: 'a',
        cases: chosen,
        jobs,
      });
      return results.map(({ id, behavior, behaviorClose }) => `${id} ${behavior} ${behaviorClose}`);
    };
    const oneByOne = await verdictsWith(1);
    expect(oneByOne).toHaveLength(chosen.length);
    expect(await verdictsWith(32)).toEqual(oneByOne);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('attacks', () => {
  const attack = fakeCase('robustness.x', async () => ok(), { group: 'robustness' });
  const harmless = fakeCase('framing.x', async () => ok());

  it.each([
    ['ws://192.0.2.1/', true],
    ['ws://example.com/', true],
    ['wss://localhost.example/', true],
    ['ws://127.0.0.1.example/', true],
    ['ws://[2001:db8::1]/', true],
    ['ws://[::ffff:192.0.2.1]/', true],
    ['ws://0.0.0.0/', true],
    ['ws://127.0.0.1/', false],
    ['ws://127.9.9.9:8/', false],
    ['ws://[::1]:8/', false],
    ['wss://LOCALHOST/', false],
    ['ws://2130706433/', false],
  ])('on %s: on a stranger? %s', (text, isStranger) => {
    expect(isAttackOnStranger(new URL(text), [harmless, attack])).toBe(isStranger);
    expect(isAttackOnStranger(new URL(text), [harmless])).toBe(false);
  });

  it('on a stranger are refused before any case begins', async () => {
    const run = vi.fn(async () => ok());
    const cases = [fakeCase('a', run), attack];
    await expect(judgeServer({ url: STRANGER, agent: 'a', cases })).rejects.toThrow(TypeError);
    await expect(judgeServer({ url: STRANGER, agent: 'a', cases, ownsHost: false })).rejects.toThrow(
      /192\.0\.2\.1/,
    );
    expect(run).not.toHaveBeenCalled();
  });

  it('on a host that is declared to be one’s own are run', async () => {
    const results = await judgeServer({ url: STRANGER, agent: 'a', cases: [attack], ownsHost: true });
    expect(results.map(({ behavior }) => behavior)).toEqual(['OK']);
  });
});

describe('a server that cannot be reached', () => {
  const opening = fakeCase('opens', async (encounter) => {
    await open(encounter);
    return ok();
  });

  it('has FAILED, and the finding says why', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const [result] = await judgeServer({
      url: new URL(`ws://127.0.0.1:${port}/`),
      agent: 'a',
      cases: [opening],
    });
    expect(result).toMatchObject({
      behavior: 'FAILED',
      behaviorClose: 'FAILED',
      finding: `No connection to 127.0.0.1:${port}: ECONNREFUSED.`,
    });
  });

  it('over TLS, because it speaks none, has FAILED', async () => {
    const { port } = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const [result] = await judgeServer({
      url: new URL(`wss://127.0.0.1:${port}/`),
      agent: 'a',
      cases: [opening],
    });
    expect(result!.finding).toMatch(/^No connection to 127\.0\.0\.1:\d+: \S+\.$/);
  });

  it('over TLS, because it ends TCP, has FAILED', async () => {
    const { port } = await listen((socket) => socket.end());
    const [result] = await judgeServer({
      url: new URL(`wss://127.0.0.1:${port}/`),
      agent: 'a',
      cases: [opening],
    });
    expect(result!.finding).toMatch(/^No connection/);
  });
});

describe('a server over TLS', () => {
  /** Its certificate is for localhost and 127.0.0.1, and signed by itself. */
  async function judge(tls?: TlsOptions) {
    const names: (string | false | null)[] = [];
    const server = createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }, (socket) => {
      names.push((socket as { servername?: string }).servername ?? null);
      socket.on('error', () => {});
      socket.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const one = fakeCase('connects', async ({ connect }) => {
      const connection = await connect();
      await connection.until(() => connection.isOver, 5000);
      return ok(`secure: ${connection.isSecure}`);
    });
    const [result] = await judgeServer({
      url: new URL(`wss://localhost:${port}/`),
      agent: 'a',
      cases: [one],
      ...(tls !== undefined && { tls }),
    });
    await new Promise((resolve) => server.close(resolve));
    return { finding: result!.finding, names };
  }

  it('is taken where its certificate is trusted', async () => {
    expect(await judge({ ca: CERTIFICATE })).toEqual({ finding: 'secure: true', names: ['localhost'] });
  });

  it('is refused where it is not', async () => {
    expect((await judge()).finding).toMatch(
      /^No connection to localhost:\d+: DEPTH_ZERO_SELF_SIGNED_CERT\.$/,
    );
  });

  it('is taken where any certificate will do', async () => {
    expect((await judge({ rejectUnauthorized: false })).finding).toBe('secure: true');
  });
});

describe('dialling', () => {
  it('takes the address out of its brackets', async () => {
    const server = createServer((socket) => socket.end());
    server.listen(0, '::1');
    const listening = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    if (!listening) return;
    const { port } = server.address() as AddressInfo;
    const connection = await dial(new URL(`ws://[::1]:${port}/`), {}, new WireLog());
    expect(connection.canWrite).toBe(true);
    connection.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('gives up after five seconds with a peer that says nothing to the TLS handshake', async () => {
    let accept = (_socket: Socket): void => {};
    const accepted = new Promise<Socket>((resolve) => {
      accept = resolve;
    });
    const { port } = await listen((socket) => accept(socket));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const dialled = dial(new URL(`wss://127.0.0.1:${port}/`), {}, new WireLog());
    const failed = expect(dialled).rejects.toThrow(/nothing within 5 s/);
    const silent = await accepted;
    vi.advanceTimersByTime(5000);
    vi.useRealTimers();
    await failed;
    await readToEnd(silent);
  });
});
