// The proxy between real sockets of this process.
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type CutMode, type Direction, type Faults, QUEUE_BYTES } from '../../src/cli/fault-pipe.js';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { record } from '../support/events.js';
import { turn, until } from '../support/tcp.js';

/** One end of a connection, and what happens at it. */
interface End {
  socket: net.Socket;
  received: Buffer;
  hasEnded: boolean;
  error: string | undefined;
}

let listener: net.Server;
let proxy: FaultProxy;
const sockets: net.Socket[] = [];

beforeEach(async () => {
  listener = net.createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
});

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.close();
  listener.close();
});

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

async function startProxy(faults: Partial<Faults> = {}, seed?: number): Promise<void> {
  proxy = new FaultProxy({ port: portOf(listener) }, faults, seed);
  await proxy.listen();
}

function watch(socket: net.Socket): End {
  sockets.push(socket);
  const end: End = { socket, received: Buffer.alloc(0), hasEnded: false, error: undefined };
  socket.on('data', (bytes) => {
    end.received = Buffer.concat([end.received, bytes]);
  });
  socket.on('end', () => {
    end.hasEnded = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end.error = error.code;
  });
  return end;
}

function dial(): End {
  return watch(
    net.connect({ port: proxy.address.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }),
  );
}

async function openBoth(): Promise<{ client: End; target: End }> {
  const accepted = once(listener, 'connection') as Promise<[net.Socket]>;
  const client = dial();
  const [socket] = await accepted;
  socket.setNoDelay(true);
  return { client, target: watch(socket) };
}

/** Long enough for anything that is on its way to arrive. */
async function turns(count = 20): Promise<void> {
  for (let index = 0; index < count; index++) await turn();
}

/** Bytes by which one sees what is missing, or doubled: the period is longer than a read, and prime. */
function pattern(length: number): Buffer {
  const period = Uint8Array.from({ length: 65_537 }, (_, index) => (index * 31 + (index >> 8) * 7) & 0xff);
  return Buffer.alloc(length, period);
}

/** Collects what arrives from now on, without putting it together each time. */
function collect({ socket }: End): Buffer[] {
  const chunks: Buffer[] = [];
  socket.removeAllListeners('data').on('data', (chunk) => chunks.push(chunk));
  return chunks;
}

/** Where the bytes of a direction come from, and where they go. */
function orient(ends: { client: End; target: End }, direction: Direction): { from: End; to: End } {
  const { client, target } = ends;
  return direction === 'in' ? { from: client, to: target } : { from: target, to: client };
}

const DIRECTIONS: Direction[] = ['in', 'out'];

describe('without faults', () => {
  beforeEach(() => startProxy());

  it('passes bytes both ways, and counts them', async () => {
    const { client, target } = await openBoth();
    const bytes = pattern(300_000);
    client.socket.write(bytes);
    target.socket.write(bytes.subarray(7));
    await until(() => target.received.length === 300_000 && client.received.length === 299_993);
    expect(target.received.equals(bytes)).toBe(true);
    expect(client.received.equals(bytes.subarray(7))).toBe(true);
    expect(proxy.stats()).toEqual({
      connections: 1,
      open: 1,
      cut: 0,
      refused: 0,
      bytesIn: 300_000,
      bytesOut: 299_993,
    });
  });

  it.each(DIRECTIONS)(
    '%s: passes a FIN behind the bytes, and leaves the other direction open',
    async (direction) => {
      const { from, to } = orient(await openBoth(), direction);
      from.socket.end('last');
      await until(() => to.hasEnded);
      expect(String(to.received)).toBe('last');
      to.socket.end('answer');
      await until(() => from.hasEnded);
      expect(String(from.received)).toBe('answer');
      await until(() => proxy.connections.size === 0);
    },
  );

  it.each(DIRECTIONS)('%s: passes a reset behind the bytes', async (direction) => {
    const { from, to } = orient(await openBoth(), direction);
    from.socket.write('last');
    await until(() => proxy.stats().bytesIn + proxy.stats().bytesOut === 4);
    from.socket.resetAndDestroy();
    await until(() => to.error !== undefined);
    expect([String(to.received), to.error, to.hasEnded]).toEqual(['last', 'ECONNRESET', false]);
  });

  it('a client that vanishes after its FIN -> the target is reset', async () => {
    const { client, target } = await openBoth();
    client.socket.end();
    await until(() => target.hasEnded);
    client.socket.resetAndDestroy();
    // After a FIN a reset is noticed by writing: by the proxy, and then by the target.
    while (!target.socket.destroyed) {
      target.socket.write('are you there?');
      await turn();
    }
    expect(target.error).toBe('EPIPE');
  });

  it('a target that does not listen -> the client is reset, and the event says why', async () => {
    const gone = net.createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    proxy.target = { port: portOf(gone) };
    gone.close();
    const closed = once(proxy, 'close');
    const client = dial();
    const [connection] = await closed;
    await until(() => client.socket.destroyed);
    expect([connection.endedBy, client.error]).toEqual(['unreachable', 'ECONNRESET']);
  });

  it('a new target is for new connections', async () => {
    const before = await openBoth();
    const second = net.createServer().listen(0, '127.0.0.1');
    await once(second, 'listening');
    proxy.target = { port: portOf(second) };
    const accepted = once(second, 'connection') as Promise<[net.Socket]>;
    dial();
    watch((await accepted)[0]);
    second.close();
    before.client.socket.write('x');
    await until(() => before.target.received.length === 1);
  });
});

describe('cutAfter', () => {
  const bytes = pattern(48);
  const modes: CutMode[] = ['rst', 'fin', 'blackhole'];
  const cases = modes.flatMap((how) => DIRECTIONS.map((direction) => ({ how, direction })));

  /** Waits for what each end hears of a cut, and says what it was. */
  async function hears(end: End, how: CutMode): Promise<string> {
    if (how === 'blackhole') await turns();
    else await until(() => end.hasEnded || end.error !== undefined);
    return end.error ?? (end.hasEnded ? 'FIN' : 'nothing');
  }
  const NEWS = { rst: 'ECONNRESET', fin: 'FIN', blackhole: 'nothing' };

  it.each(cases)(
    '$direction, $how: exact at every byte, and both ends hear the same',
    async ({ how, direction }) => {
      await startProxy();
      for (let count = 0; count <= bytes.length; count++) {
        const { client, target } = await openBoth();
        const { from, to } = orient({ client, target }, direction);
        const cut = once(proxy, 'cut');
        proxy.cutAfter(count, direction, how);
        // In two pieces, so that the cut falls into the first, into the second, and between them.
        from.socket.write(bytes.subarray(0, 20));
        from.socket.write(bytes.subarray(20));
        const [connection] = await cut;
        expect([connection.endedBy, await hears(client, how)]).toEqual(['cut', NEWS[how]]);
        expect(await hears(target, how)).toBe(NEWS[how]);
        expect(to.received.equals(bytes.subarray(0, count))).toBe(true);
        expect(from.received.length).toBe(0);
      }
    },
  );

  it.each(DIRECTIONS)('%s: exact within a large write', async (direction) => {
    await startProxy();
    const large = pattern(1_000_000);
    proxy.cutAfter(654_321, direction, 'fin');
    const { from, to } = orient(await openBoth(), direction);
    from.socket.write(large);
    await until(() => to.hasEnded);
    expect(to.received.equals(large.subarray(0, 654_321))).toBe(true);
  });

  it('after 0 bytes: a connection is cut as soon as there is one', async () => {
    await startProxy();
    proxy.cutAfter(0, 'in', 'fin');
    const client = dial();
    await until(() => client.hasEnded);
    expect(proxy.stats()).toMatchObject({ cut: 1, bytesIn: 0, bytesOut: 0 });
  });

  it('a connection that is past it already -> is cut at once', async () => {
    await startProxy();
    const { client, target } = await openBoth();
    client.socket.write('12345');
    await until(() => target.received.length === 5);
    proxy.cutAfter(3, 'in', 'fin');
    await until(() => client.hasEnded && target.hasEnded);
  });

  it('both: whichever direction gets there first', async () => {
    await startProxy();
    proxy.cutAfter(4, 'both', 'fin');
    const { client, target } = await openBoth();
    client.socket.write('123');
    await until(() => target.received.length === 3);
    target.socket.write('12345');
    await until(() => client.hasEnded);
    expect(String(client.received)).toBe('1234');
  });

  it.each([
    ['first', 1],
    ['each', 2],
  ] as const)('%s -> %i of two connections is cut', async (which, expected) => {
    await startProxy();
    proxy.cutAfter(2, 'in', 'fin', which);
    const pairs = [await openBoth(), await openBoth()];
    for (const { client, target } of pairs) {
      client.socket.write('123');
      await until(() => target.received.length === 3 || target.hasEnded);
    }
    expect(proxy.stats().cut).toBe(expected);
  });

  it('first, and two connections get there in the same turn -> one is cut, the other goes on', async () => {
    await startProxy();
    const pairs = [await openBoth(), await openBoth()];
    proxy.cutAfter(2, 'in', 'fin');
    for (const { client } of pairs) client.socket.write('123');
    await until(() => pairs.every(({ target }) => target.hasEnded || target.received.length === 3));
    expect(proxy.stats().cut).toBe(1);
  });
});

describe('cutAll', () => {
  beforeEach(() => startProxy());

  it.each([
    ['rst', 'ECONNRESET'],
    ['fin', undefined],
  ] as const)('%s -> every connection ends so, at both ends, and is forgotten', async (how, error) => {
    const pairs = [await openBoth(), await openBoth()];
    const log = record(proxy, 'cut');
    proxy.cutAll(how);
    const ends = pairs.flatMap(({ client, target }) => [client, target]);
    await until(() => ends.every((end) => end.error !== undefined || end.hasEnded));
    expect(ends.map((end) => end.error)).toEqual([error, error, error, error]);
    expect(log.map(([, connection, mode]) => [(connection as { number: number }).number, mode])).toEqual([
      [1, how],
      [2, how],
    ]);
    for (const end of ends) end.socket.end();
    await until(() => proxy.connections.size === 0);
  });

  it('fin while bytes are under way -> a FIN all the same, not the reset for bytes nobody read', async () => {
    const { client, target } = await openBoth();
    proxy.blackhole(true, 'in');
    client.socket.write(pattern(4 * QUEUE_BYTES));
    await until(() => [...proxy.connections][0]!.queuedBytes >= QUEUE_BYTES);
    proxy.cutAll('fin');
    await until(() => client.hasEnded && target.hasEnded);
    client.socket.end();
    target.socket.end();
    await until(() => proxy.connections.size === 0);
    expect([client.error, target.error]).toEqual([undefined, undefined]);
  });

  it('blackhole -> who gives up is let go, and the other end does not hear of it', async () => {
    const { client, target } = await openBoth();
    proxy.cutAll('blackhole');
    client.socket.end('goodbye');
    await until(() => client.hasEnded);
    await turns();
    expect([target.received.length, target.hasEnded, target.error]).toEqual([0, false, undefined]);
    target.socket.end();
    await until(() => proxy.connections.size === 0);
  });

  it('blackhole -> can still be reset', async () => {
    const { client } = await openBoth();
    proxy.cutAll('blackhole');
    proxy.cutAll('rst');
    await until(() => client.error === 'ECONNRESET');
  });
});

describe('blackhole', () => {
  beforeEach(() => startProxy());

  it.each(DIRECTIONS)(
    '%s: nothing passes, no FIN either; afterwards all of it does, in order',
    async (direction) => {
      const ends = await openBoth();
      const { from, to } = orient(ends, direction);
      proxy.blackhole(true, direction);
      from.socket.write('one ');
      from.socket.end('two');
      to.socket.write('the other direction');
      await until(() => from.received.length === 19 && from.socket.writableFinished);
      await turns();
      expect([to.received.length, to.hasEnded]).toEqual([0, false]);
      proxy.blackhole(false);
      await until(() => to.hasEnded);
      expect(String(to.received)).toBe('one two');
    },
  );

  it('a sender that goes on is held back, within bounds', async () => {
    const { client, target } = await openBoth();
    proxy.blackhole(true);
    const bytes = pattern(16 * QUEUE_BYTES);
    client.socket.write(bytes);
    await until(() => [...proxy.connections][0]!.queuedBytes >= QUEUE_BYTES);
    await turns(50);
    // One read may be on its way when the socket is paused.
    expect([...proxy.connections][0]!.queuedBytes).toBeLessThan(QUEUE_BYTES + 128 * 1024);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    proxy.blackhole(false);
    const chunks = collect(target);
    client.socket.end();
    await until(() => target.hasEnded);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });
});

describe('a receiver that does not read', () => {
  it.each(DIRECTIONS)(
    '%s: holds back its sender, within bounds, and gets all of it later',
    async (direction) => {
      await startProxy();
      const { from, to } = orient(await openBoth(), direction);
      to.socket.pause();
      const bytes = pattern(32 * QUEUE_BYTES);
      from.socket.write(bytes);
      await until(() => [...proxy.connections][0]!.queuedBytes >= QUEUE_BYTES);
      await turns(50);
      expect([...proxy.connections][0]!.queuedBytes).toBeLessThan(QUEUE_BYTES + 128 * 1024);
      expect(from.socket.writableLength).toBeGreaterThan(0);
      const chunks = collect(to);
      from.socket.end();
      to.socket.resume();
      await until(() => to.hasEnded);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    },
  );
});

describe('refuse', () => {
  it('new connections are reset, those that are open stay', async () => {
    await startProxy();
    const { client, target } = await openBoth();
    proxy.refuse(true);
    const refused = dial();
    await until(() => refused.error !== undefined);
    expect([refused.error, proxy.stats().refused, proxy.stats().connections]).toEqual(['ECONNRESET', 1, 1]);
    client.socket.write('x');
    await until(() => target.received.length === 1);
    proxy.refuse(false);
    await openBoth();
  });
});

describe('latency', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });

  async function advance(ms: number): Promise<void> {
    vi.advanceTimersByTime(ms);
    await turns();
  }

  it.each(DIRECTIONS)('%s: each byte takes its time, a FIN too', async (direction) => {
    await startProxy({ latencyMs: 40 });
    const { from, to } = orient(await openBoth(), direction);
    from.socket.write('a');
    await turns();
    await advance(30);
    from.socket.end('b');
    await turns();
    await advance(9);
    expect(String(to.received)).toBe('');
    await advance(1);
    expect(String(to.received)).toBe('a');
    await advance(29);
    expect([String(to.received), to.hasEnded]).toEqual(['a', false]);
    await advance(1);
    expect([String(to.received), to.hasEnded]).toEqual(['ab', true]);
  });

  it('jitter delays by its own measure, and keeps the order', async () => {
    await startProxy({ latencyMs: 10, jitterMs: 200 }, 7);
    const { client, target } = await openBoth();
    const arrivals: number[] = [];
    target.socket.on('data', () => arrivals.push(performance.now()));
    const start = performance.now();
    for (let index = 0; index < 50; index++) {
      client.socket.write(Buffer.of(index));
      await turns(5);
      await advance(1);
    }
    while (target.received.length < 50) await advance(1);
    expect([...target.received]).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(arrivals[0]! - start).toBeGreaterThan(10);
    expect(arrivals.at(-1)! - start).toBeLessThanOrEqual(50 + 210);
  });

  it('in one direction only, and changed while it runs', async () => {
    await startProxy({ latencyMs: 40, direction: 'out' });
    const { client, target } = await openBoth();
    client.socket.write('in');
    await until(() => target.received.length === 2);
    target.socket.write('a');
    await turns();
    expect(client.received.length).toBe(0);
    await advance(40);
    expect(client.received.length).toBe(1);
    proxy.faults.latencyMs = 0;
    target.socket.write('b');
    await until(() => client.received.length === 2);
  });

  it('a limited rate: so many bytes in a second, spread over it', async () => {
    await startProxy({ bytesPerSecond: 1000 });
    const { client, target } = await openBoth();
    client.socket.write(pattern(1000));
    await turns();
    const seen: number[] = [];
    for (let index = 0; index < 100; index++) {
      await advance(10);
      if (index % 25 === 24) seen.push(target.received.length);
    }
    // A slice of 20 ms may be ahead.
    for (const [index, count] of seen.entries()) {
      const due = 250 * (index + 1);
      expect(count).toBeGreaterThanOrEqual(due - 20);
      expect(count).toBeLessThanOrEqual(due + 40);
    }
    expect(target.received.equals(pattern(1000).subarray(0, target.received.length))).toBe(true);
  });
});

describe('close', () => {
  const tcpHandles = (): string[] =>
    process
      .getActiveResourcesInfo()
      .filter((name) => name.startsWith('TCP'))
      .sort();

  it('leaves nothing behind, whatever the connections were at', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    await turns();
    const baseline = tcpHandles();
    await startProxy();
    const sent = pattern(4 * QUEUE_BYTES);
    await openBoth();
    const waiting = await openBoth();
    waiting.target.socket.pause();
    waiting.client.socket.write(sent);
    proxy.faults.latencyMs = 1_000_000;
    const late = await openBoth();
    late.client.socket.write('late');
    proxy.blackhole(true);
    const held = await openBoth();
    held.target.socket.write(sent);
    const lost = await openBoth();
    [...proxy.connections].at(-1)!.cut('blackhole');
    lost.client.socket.write('lost');
    const half = await openBoth();
    half.client.socket.end();
    await until(() => proxy.stats().open === 6 && [...proxy.connections].at(3)!.queuedBytes >= QUEUE_BYTES);
    // Of the latency.
    await until(() => vi.getTimerCount() > 0);
    await proxy.close();
    expect(proxy.stats()).toMatchObject({ connections: 6, open: 0 });
    for (const socket of sockets.splice(0)) {
      socket.destroy();
      if (!socket.closed) await once(socket, 'close');
    }
    await turns();
    expect([tcpHandles(), vi.getTimerCount()]).toEqual([baseline, 0]);
  });

  it('listen -> rejects when the port is taken', async () => {
    await startProxy();
    const second = new FaultProxy({ port: 1 });
    await expect(second.listen(proxy.address.port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second.close();
  });
});
