import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import tls from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type OnRead, readIntoSharedBlock } from '../../src/io/shared-read.js';
import { vectorReadBlock } from '../../src/wire/mask-simd.js';
import { runProgram } from '../support/child.js';
import { compiledSources } from '../support/compiled.js';
import { type TcpPair, tcpPair, turn, until } from '../support/tcp.js';

const pairs: TcpPair[] = [];
async function pair(...where: Parameters<typeof tcpPair>): Promise<TcpPair> {
  const made = await tcpPair(...where);
  pairs.push(made);
  for (const end of [made.client, made.server]) end.on('error', () => {});
  return made;
}

afterEach(() => {
  for (const { client, server } of pairs.splice(0)) {
    client.destroy();
    server.destroy();
  }
  vi.doUnmock('node:net');
  vi.resetModules();
});

type Handle = { useUserBuffer: unknown };
const handleOf = (socket: net.Socket) => (socket as unknown as { _handle: Handle })._handle;
/** Everything that Node or this library may have left at a socket. */
const propertiesOf = (socket: object) =>
  Reflect.ownKeys(socket).map((key) => [key, (socket as Record<PropertyKey, unknown>)[key]]);

/** Collects what is read, and the blocks that it was read into. */
function collect(socket: net.Socket) {
  const seen = { bytes: Buffer.alloc(0), blocks: new Set<Uint8Array>(), reads: 0 };
  const onRead: OnRead = (length, block) => {
    seen.bytes = Buffer.concat([seen.bytes, block.subarray(0, length)]);
    seen.blocks.add(block);
    seen.reads++;
    return true;
  };
  socket.resume();
  return { seen, isShared: readIntoSharedBlock(socket, onRead) };
}

describe('reading into the shared block', () => {
  it('sockets that connected and that were accepted -> all read into one block, where vectors reach', async () => {
    const { client, server } = await pair();
    const ends = [collect(client), collect(server)];
    client.write('to the server');
    server.write('to the client');
    await until(() => ends.every(({ seen }) => seen.bytes.length === 13));
    expect(ends.map(({ isShared, seen }) => [isShared, seen.bytes.toString()])).toEqual([
      [true, 'to the client'],
      [true, 'to the server'],
    ]);
    const blocks = new Set(ends.flatMap(({ seen }) => [...seen.blocks]));
    expect(blocks.size).toBe(1);
    const [block] = blocks;
    expect([block!.buffer === vectorReadBlock().buffer, block!.length]).toEqual([true, 256 * 1024]);
    expect(block).toBeInstanceOf(Buffer);
  });

  it('a Unix socket -> too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hawser-'));
    const { client, server } = await pair({}, join(directory, 'socket'));
    const { seen, isShared } = collect(server);
    client.write('bytes');
    await until(() => seen.bytes.length === 5);
    rmSync(directory, { recursive: true });
    expect([isShared, seen.bytes.toString()]).toEqual([true, 'bytes']);
  });

  it('no data event comes any more, and the end comes as ever', async () => {
    const { client, server } = await pair();
    const events: string[] = [];
    server.on('data', () => events.push('data')).on('end', () => events.push('end'));
    const { seen } = collect(server);
    client.end('last');
    await once(server, 'end');
    expect([seen.bytes.toString(), events]).toEqual(['last', ['end']]);
  });

  it('returns false from a read -> reading stops until the socket is resumed', async () => {
    const { client, server } = await pair();
    let count = 0;
    server.resume();
    readIntoSharedBlock(server, (length) => {
      count += length;
      return false;
    });
    client.write(Buffer.alloc(400_000));
    await until(() => count > 0);
    const before = count;
    for (let i = 0; i < 20; i++) await turn();
    expect(count).toBe(before);
    expect(before).toBeLessThanOrEqual(256 * 1024);
    while (count < 400_000) {
      server.resume();
      await turn();
    }
    expect(count).toBe(400_000);
  });

  it('the peer resets -> error and close, as of any socket', async () => {
    const { client, server } = await pair();
    collect(server);
    const error = once(server, 'error');
    const close = new Promise((resolve) => server.once('close', resolve));
    client.resetAndDestroy();
    expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' });
    await close;
  });
});

describe('what is left alone', () => {
  const refused = (socket: net.Socket) => {
    const before = propertiesOf(socket);
    expect(readIntoSharedBlock(socket, () => true)).toBe(false);
    expect(propertiesOf(socket)).toEqual(before);
  };

  it('a class derived from Socket, TLS over a stream, any other Duplex, a socket without a connection', async () => {
    class Derived extends net.Socket {}
    const { client, server } = await pair();
    refused(new Derived());
    expect(readIntoSharedBlock(new tls.TLSSocket(new PassThrough()), () => true)).toBe(false);
    expect(client.remoteAddress).toBeDefined();
    expect(readIntoSharedBlock(new tls.TLSSocket(client), () => true)).toBe(true);
    refused(new PassThrough() as unknown as net.Socket);
    refused(new net.Socket());
    server.destroy();
    refused(server);
  });

  it('a handle that cannot read into memory of ours -> data events bring the bytes', async () => {
    const { client, server } = await pair();
    handleOf(server).useUserBuffer = undefined;
    refused(server);
    client.write('bytes');
    expect(String((await once(server, 'data'))[0])).toBe('bytes');
  });

  const BLOCK = Symbol('block');
  const sockets = {
    'keeps the parts elsewhere': () => Object.assign(new PassThrough(), { onread: {} }),
    'keeps only one of them': ({ onread }: { onread?: { buffer: unknown } } = {}) => {
      return { [BLOCK]: onread?.buffer ?? null };
    },
  };
  it.each(Object.entries(sockets))(
    'a Node whose Socket %s -> data events bring the bytes',
    async (_, make) => {
      const { client, server } = await pair();
      const Other = new Proxy(net.Socket, { construct: (_target, [options]) => make(options) as object });
      Object.defineProperty(server, 'constructor', { value: Other });
      vi.resetModules();
      vi.doMock('node:net', () => ({ ...net, Socket: Other, default: { ...net, Socket: Other } }));
      const other = await import('../../src/io/shared-read.js');
      const before = propertiesOf(server);
      expect(other.readIntoSharedBlock(server, () => true)).toBe(false);
      expect(other.readIntoSharedBlock(server, () => true)).toBe(false);
      expect(propertiesOf(server)).toEqual(before);
      client.write('bytes');
      expect(String((await once(server, 'data'))[0])).toBe('bytes');
    },
  );
});

it('no WebAssembly -> a block of plain memory, read just the same', async () => {
  const program = `
    const net = require('node:net');
    const { hasSimd } = require(${JSON.stringify(join(compiledSources(), 'wire', 'mask-simd.js'))});
    const { readIntoSharedBlock } = require(${JSON.stringify(join(compiledSources(), 'io', 'shared-read.js'))});
    const server = net.createServer((socket) => {
      socket.resume();
      const isShared = readIntoSharedBlock(socket, (length, block) => {
        console.log(hasSimd(), isShared, block.length, block.toString('utf8', 0, length));
        return true;
      });
      socket.on('end', () => server.close());
    });
    server.listen(0, '127.0.0.1', () => net.connect(server.address().port, '127.0.0.1').end('bytes'));`;
  const { stdout } = await runProgram(program, { env: { NODE_OPTIONS: '--jitless' } });
  expect(stdout.trim()).toBe('false true 262144 bytes');
});
