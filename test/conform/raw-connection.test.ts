import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { RawConnection, turn } from '../../src/conform/raw-connection.js';
import { WireLog } from '../../src/conform/wire-log.js';
import { dialPlain, endPairs, listen, readBytes, readToEnd, tcpPair } from './tcp-pair.js';

const LIMIT_MS = 10_000;

afterEach(endPairs);

/** Sizes of the writes that a socket is asked to make. */
function writesOf(socket: { write: unknown }): number[] {
  const sizes: number[] = [];
  const write = socket.write as (bytes: Uint8Array) => boolean;
  socket.write = (bytes: Uint8Array): boolean => {
    sizes.push(bytes.length);
    return write.call(socket, bytes);
  };
  return sizes;
}

describe('a write in pieces', () => {
  it('is made of as many writes as it says', async () => {
    const { connection, own, peer } = await tcpPair();
    const sizes = writesOf(own);
    const received = readToEnd(peer);
    await connection.writeChopped(Buffer.from('0123456789'), 3);
    connection.end();
    expect(sizes).toEqual([3, 3, 3, 1]);
    expect((await received).toString()).toBe('0123456789');
  });

  it('is not cut in two by a Pong or by another write in pieces, and all keep their order', async () => {
    const { connection, peer } = await tcpPair();
    const received = readToEnd(peer);
    const writes = [
      connection.writeChopped(Buffer.from('a'.repeat(20)), 1),
      connection.write(Buffer.from('PONG')),
      connection.writeChopped(Buffer.from('b'.repeat(20)), 2),
      connection.writeChopped(Buffer.from('c'.repeat(20)), 3),
      connection.write(Buffer.from('LAST')),
    ];
    await Promise.all(writes);
    connection.end();
    expect((await received).toString()).toBe(`${'a'.repeat(20)}PONG${'b'.repeat(20)}${'c'.repeat(20)}LAST`);
  });

  it('goes out whole before TCP is ended, and so does what waits behind it', async () => {
    const { connection, peer } = await tcpPair();
    const received = readToEnd(peer);
    void connection.writeChopped(Buffer.from('a'.repeat(20)), 1);
    void connection.write(Buffer.from('CLOSE'));
    connection.end();
    expect(connection.droppedBy).toBe('tester');
    expect((await received).toString()).toBe(`${'a'.repeat(20)}CLOSE`);
  });

  it('is every write of a connection that is told so', async () => {
    const { connection, own, peer } = await tcpPair({ chopBytes: 2 });
    const sizes = writesOf(own);
    const received = readToEnd(peer);
    await connection.write(Buffer.from('12345'));
    await connection.write(Buffer.from('6'));
    await connection.writeChopped(Buffer.from('7890'), 3);
    connection.end();
    expect(sizes).toEqual([2, 2, 1, 1, 2, 2]);
    expect((await received).toString()).toBe('1234567890');
  });

  it('ends early where the peer has gone', async () => {
    const { connection, own, peer } = await tcpPair();
    const sizes = writesOf(own);
    const chopped = connection.writeChopped(Buffer.alloc(1_000_000), 1);
    peer.resetAndDestroy();
    await chopped;
    expect(sizes.length).toBeLessThan(1_000_000);
    expect(connection.droppedBy).toBe('peer');
  });
});

describe('the end of a connection', () => {
  it('by FIN of the peer is no reset, and the tester can still write', async () => {
    const { connection, peer } = await tcpPair();
    peer.end();
    expect(await connection.until(() => connection.isOver, LIMIT_MS)).toBe(true);
    expect(connection).toMatchObject({
      peerEnded: true,
      wasReset: false,
      isClosed: false,
      droppedBy: 'peer',
    });
    const received = readBytes(peer, 4);
    await connection.write(Buffer.from('more'));
    expect((await received).toString()).toBe('more');
  });

  it('by RST of the peer is a reset', async () => {
    const { connection, peer } = await tcpPair();
    peer.resetAndDestroy();
    expect(await connection.until(() => connection.isClosed, LIMIT_MS)).toBe(true);
    expect(connection).toMatchObject({ wasReset: true, droppedBy: 'peer', isOver: true });
    expect(connection.log.records).toMatchObject([{ text: 'TCP broke off: ECONNRESET' }]);
  });

  it('by the tester with FIN lets the peer read all that was written', async () => {
    const { connection, peer } = await tcpPair();
    const bytes = Buffer.alloc(300_000, 7);
    void connection.write(bytes);
    connection.end();
    expect(Buffer.compare(await readToEnd(peer), bytes)).toBe(0);
    expect(connection).toMatchObject({ droppedBy: 'tester', isOver: false });
    peer.end();
    expect(await connection.until(() => connection.isClosed, LIMIT_MS)).toBe(true);
    expect(connection.droppedBy).toBe('tester');
  });

  it('by the tester with RST is one for the peer', async () => {
    const { connection, peer } = await tcpPair();
    peer.resume();
    const error = once(peer, 'error');
    connection.reset();
    expect(await error).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(connection.droppedBy).toBe('tester');
  });

  it('is told once to who asked for it, be it too late', async () => {
    const { connection } = await tcpPair();
    let told = 0;
    connection.onClosed(() => told++);
    connection.destroy();
    await connection.until(() => connection.isClosed, LIMIT_MS);
    expect(told).toBe(1);
    connection.onClosed(() => told++);
    expect(told).toBe(2);
  });

  it('leaves nothing to be thrown at who writes, ends, resets or destroys behind it', async () => {
    const { connection, peer } = await tcpPair();
    peer.resetAndDestroy();
    await connection.until(() => connection.isClosed, LIMIT_MS);
    await connection.write(Buffer.from('x'));
    await connection.writeChopped(Buffer.from('xyz'), 1);
    connection.end();
    connection.reset();
    connection.destroy();
    connection.pause();
    connection.resume();
    expect(connection).toMatchObject({ canWrite: false, droppedBy: 'peer' });
    expect(connection.log.records).toHaveLength(1);
  });
});

describe('bytes that come', () => {
  it('are kept until they are asked for, and then handed on as they come', async () => {
    const { connection, peer } = await tcpPair();
    peer.write('early');
    await connection.until(() => connection.received.length === 5, LIMIT_MS);
    let received = '';
    connection.onBytes((bytes) => {
      received += Buffer.from(bytes).toString();
    });
    expect(received).toBe('early');
    peer.write(' late');
    expect(await connection.until(() => received === 'early late', LIMIT_MS)).toBe(true);
    expect(connection.received).toHaveLength(0);
  });

  it('are not kept without bound where nobody asks', async () => {
    const { connection, peer } = await tcpPair();
    const bytes = Buffer.alloc(1 << 20);
    for (let n = 0; n < 16; n++) peer.write(bytes);
    peer.end();
    expect(await connection.until(() => connection.peerEnded, LIMIT_MS)).toBe(true);
    expect(connection.received.length).toBeGreaterThan(4 << 20);
    expect(connection.received.length).toBeLessThan(5 << 20);
    expect(connection.log.records.filter(({ kind }) => kind === 'note')).toHaveLength(2);
  });

  it('wait in the network while the tester reads nothing', async () => {
    const { connection, peer } = await tcpPair();
    connection.pause();
    const flushed = new Promise((resolve) => peer.write('x', resolve));
    await flushed;
    expect(connection.received).toHaveLength(0);
    connection.resume();
    expect(await connection.until(() => connection.received.length === 1, LIMIT_MS)).toBe(true);
  });
});

describe('the head of an HTTP message', () => {
  it('is found in trickled bytes, and what follows it is kept', async () => {
    const { connection, peer } = await tcpPair();
    const head = connection.readHead(LIMIT_MS);
    peer.setNoDelay(true);
    for (const byte of 'HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest') peer.write(byte);
    expect(Buffer.from((await head)!).toString()).toBe('HTTP/1.1 200 OK\r\nA: b\r\n\r\n');
    expect(
      await connection.until(() => Buffer.from(connection.received).toString() === 'rest', LIMIT_MS),
    ).toBe(true);
  });

  it.each([
    ['when nothing comes in time', '', false, 1],
    ['when the peer ends TCP before it is complete', 'HTTP/1.1 200 OK\r\n', true, LIMIT_MS],
    ['when it is longer than 64 KiB', 'x'.repeat(65_537), false, LIMIT_MS],
  ])('is missing %s', async (_name, text, ends, limitMs) => {
    const { connection, peer } = await tcpPair();
    peer.write(text);
    if (ends) peer.end();
    expect(await connection.readHead(limitMs)).toBeUndefined();
  });
});

describe('a peer that does not read', () => {
  it('makes writes wait, and they go on when it reads', async () => {
    const { connection, peer } = await tcpPair();
    const block = Buffer.alloc(1 << 20, 5);
    const total = 24;
    let written = 0;
    const writing = (async () => {
      for (; written < total; written++) await connection.write(block);
    })();
    // The event loop turns until the buffers of the system are full.
    while (!connection.isCongested) await turn();
    expect(written).toBeLessThan(total);
    let read = 0;
    peer.on('data', (bytes: Buffer) => {
      read += bytes.length;
    });
    await writing;
    connection.end();
    await once(peer, 'end');
    expect(read).toBe(total << 20);
  });

  it('makes them wait no longer than it is there', async () => {
    const { connection, peer } = await tcpPair();
    const writing = connection.write(Buffer.alloc(64 << 20));
    expect(connection.isCongested).toBe(true);
    peer.resetAndDestroy();
    await writing;
    expect(connection.canWrite).toBe(false);
  });
});

it('a connection knows the request of a client, and that it is not secure', async () => {
  const { port } = await listen(() => {});
  const socket = await dialPlain(port);
  const head = Buffer.from('GET / HTTP/1.1\r\n\r\n');
  const connection = new RawConnection(socket, new WireLog(), { request: { head } });
  expect(connection.request).toEqual({ head });
  expect(connection.isSecure).toBe(false);
  expect(connection.serverName).toBeUndefined();
});
