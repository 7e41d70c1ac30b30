// The driver on sockets of the operating system: reading through the shared block, which has to be the same as reading
// from a stream, and writing past the stream, which has to keep order, counts and events.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Driver, type DriverOwner } from '../../src/io/driver.js';
import { outputBlock, platform } from '../../src/io/platform.js';
import type { Role } from '../../src/protocol/role.js';
import { hasSimd, vectorReadBlock } from '../../src/wire/mask-simd.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { runProgram } from '../support/child.js';
import { compiledSources } from '../support/compiled.js';
import { both, fromPeer, ROLES } from '../support/engine.js';
import { FrameCollector, type FrameFields, type WireFrame } from '../support/frames.js';
import { tcpPair, turn, until } from '../support/tcp.js';

/** How the driven socket is read. */
type Way = 'shared block' | 'stream';
type Handle = {
  useUserBuffer?: ((block: Uint8Array) => void) | undefined;
  reading: boolean;
  writeQueueSize: number;
};
const handleOf = (socket: net.Socket) => (socket as unknown as { _handle: Handle })._handle;

const open: net.Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

interface Options {
  role?: Role;
  way?: Way;
  head?: Buffer;
  path?: string;
  /** Of the driven socket, in both directions; only where it is accepted. */
  highWaterMark?: number;
}

/** A driven socket, and the one at the other end, which a test reads and writes as it likes. */
async function drive({ role = 'server', way = 'shared block', head, path, highWaterMark }: Options = {}) {
  const { client, server } = await tcpPair(highWaterMark === undefined ? {} : { highWaterMark }, path);
  const [socket, peer] = role === 'server' ? [server, client] : [client, server];
  return driveSocket(socket, peer, role, way, head);
}

function driveSocket(
  socket: net.Socket,
  peer: net.Socket,
  role: Role,
  way: Way = 'shared block',
  head: Buffer = Buffer.alloc(0),
) {
  open.push(socket, peer);
  peer.on('error', () => {});
  const handle = handleOf(socket);
  const blocks: Uint8Array[] = [];
  const original = handle.useUserBuffer;
  handle.useUserBuffer =
    way === 'stream'
      ? undefined
      : function (this: Handle, block) {
          blocks.push(block);
          original!.call(this, block);
        };
  const log: string[] = [];
  const messages: Buffer[] = [];
  /** Each payload as it was when it came, to compare once more at the end. */
  const copies: Buffer[] = [];
  const hooks: { onEvent: (entry: string) => void } = { onEvent: () => {} };
  const record = (entry: string) => {
    log.push(entry);
    hooks.onEvent(entry);
  };
  const owner: DriverOwner = {
    onMessage: (data) => {
      messages.push(data as Buffer);
      copies.push(Buffer.from(data));
      record(data.length < 50 ? `message ${Buffer.from(data)}` : `message of ${data.length}`);
    },
    onPing: () => record('ping'),
    onPong: () => record('pong'),
    onClose: (code) => record(`close ${code}`),
    onFail: (error) => record(`fail ${error.message}`),
    onDisconnected: () => record('disconnected'),
    onDrain: () => record('drain'),
  };
  const driver = new Driver(socket, head, { role, platform, block: outputBlock, maxPayload: 0 }, owner);
  const expectKept = () =>
    messages.forEach((message, i) => {
      expect(Buffer.compare(message, copies[i]!)).toBe(0);
      expect(message.buffer).not.toBe(vectorReadBlock().buffer);
    });
  return {
    role,
    socket,
    peer,
    driver,
    sender: driver.connection.sender,
    log,
    hooks,
    messages,
    blocks,
    expectKept,
  };
}
type Driven = Awaited<ReturnType<typeof drive>>;

const TEXT = { isBinary: false, isFinal: true, compress: false };
const BINARY = { ...TEXT, isBinary: true };
const text = (role: Role, ...payloads: string[]) =>
  fromPeer(role, ...payloads.map((payload): FrameFields => ({ opcode: 1, payload })));
const binary = (role: Role, ...payloads: Buffer[]) =>
  fromPeer(role, ...payloads.map((payload): FrameFields => ({ opcode: 2, payload })));

/** Has the socket read for the first time, after which it reads in the way that it will. */
async function warmUp({ role, peer, log, socket }: Driven): Promise<void> {
  peer.write(text(role, 'first'));
  await until(() => log.length === 1 && socket.isPaused() === false);
  expect(log.splice(0)).toEqual(['message first']);
}

hasSimd();

both('', 'reads for the second time -> into the shared block, and was told of it once', async (role) => {
  const driven = await drive({ role });
  await warmUp(driven);
  const { peer, log, blocks } = driven;
  for (const payload of ['second', 'third']) {
    peer.write(text(role, payload));
    await until(() => log.includes(`message ${payload}`));
  }
  expect(blocks).toHaveLength(1);
  expect(blocks[0]!.buffer).toBe(vectorReadBlock().buffer);
  expect(driven.socket.bytesRead).toBe(text(role, 'first', 'second', 'third').length);
  driven.expectKept();
});

for (const way of ['shared block', 'stream'] as const) {
  describe(`reading through the ${way}`, () => {
    both('', 'bytes came with the handshake -> they come first', async (role) => {
      const driven = await drive({ role, way, head: text(role, 'in the head', 'again').subarray(0, -2) });
      const { peer, log } = driven;
      peer.write(Buffer.concat([text(role, 'again').subarray(-2), text(role, 'behind')]));
      await until(() => log.length === 3);
      peer.write(text(role, 'last'));
      await until(() => log.length === 4);
      expect(log).toEqual(['in the head', 'again', 'behind', 'last'].map((payload) => `message ${payload}`));
    });

    both(
      '',
      'thirty connections get messages of all sizes, interleaved -> each its own bytes, and they stay',
      async (role) => {
        const all = await Promise.all(Array.from({ length: 30 }, () => drive({ role, way })));
        const sizes = [1, 70, 125, 126, 1000, 5000, 65_535, 65_536, 200_000, 300_000, 3];
        for (const driven of all) await warmUp(driven);
        for (let round = 0; round < sizes.length; round++) {
          all.forEach(({ peer }, i) => {
            const size = sizes[(round + i) % sizes.length]!;
            const bytes = binary(
              role,
              Buffer.alloc(size, i + 1),
              Buffer.alloc(i, i + 1),
              Buffer.alloc(1 + (size >> 4), i + 1),
            );
            // Cut somewhere, so that most messages come in parts.
            peer.write(bytes.subarray(0, bytes.length >> 1));
            peer.write(bytes.subarray(bytes.length >> 1));
          });
          await turn();
        }
        await until(() => all.every(({ log }) => log.length === 3 * sizes.length));
        all.forEach(({ messages, expectKept }, i) => {
          expectKept();
          messages.slice(1).forEach((message, at) => {
            const size = sizes[(Math.floor(at / 3) + i) % sizes.length]!;
            const expected = Buffer.alloc([size, i, 1 + (size >> 4)][at % 3]!, i + 1);
            expect(Buffer.compare(message, expected), `connection ${i}, message ${at}`).toBe(0);
          });
        });
      },
    );

    both('', 'is paused under load -> the peer is held up; resumed -> every byte comes', async (role) => {
      const driven = await drive({ role, way });
      await warmUp(driven);
      const { socket, peer, driver, log, messages } = driven;
      driver.pause();
      const payload = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) & 0xff));
      const count = 200;
      for (let i = 0; i < count; i++) peer.write(binary(role, payload));
      await until(() => socket.readableLength >= socket.readableHighWaterMark && !handleOf(socket).reading);
      for (let i = 0; i < 10; i++) await turn();
      expect(log).toEqual([]);
      expect(socket.readableLength).toBeLessThanOrEqual(socket.readableHighWaterMark + 256 * 1024);
      expect(peer.writableLength).toBeGreaterThan(0);
      driver.resume();
      await until(() => log.length >= 20);
      driver.pause();
      driver.resume();
      await until(() => log.length === count);
      expect(messages.slice(1).every((message) => message.equals(payload))).toBe(true);
    });

    both(
      '',
      'a listener pauses the socket or the receiver, again and again -> all messages in order',
      async (role) => {
        const driven = await drive({ role, way });
        const { peer, driver, log, hooks } = driven;
        let count = 0;
        hooks.onEvent = () => {
          const turnOf = count++ % 5;
          if (turnOf === 0) driver.pause();
          if (turnOf === 1) driver.connection.receiver.pause();
          if (turnOf > 1) return;
          setImmediate(() => (turnOf === 0 ? driver.resume() : driver.resumeReceiving()));
        };
        const payloads = Array.from({ length: 2000 }, (_, i) => `${i}`);
        const bytes = text(role, ...payloads);
        for (let at = 0; at < bytes.length; at += 1021) {
          peer.write(bytes.subarray(at, at + 1021));
          if (at % 3 === 0) await turn();
        }
        await until(() => log.length === payloads.length);
        expect(log).toEqual(payloads.map((payload) => `message ${payload}`));
        driven.expectKept();
        // What pauses had go the way of the stream meanwhile changes nothing about that.
        expect(driven.blocks).toHaveLength(way === 'stream' ? 0 : 1);
      },
    );

    both('', 'the peer resets while the owner pauses -> disconnected, without a resume', async (role) => {
      const driven = await drive({ role, way });
      await warmUp(driven);
      driven.driver.pause();
      driven.peer.write(text(role, 'unread'));
      await until(() => driven.socket.readableLength > 0);
      driven.peer.resetAndDestroy();
      await until(() => driven.log.includes('disconnected'));
      // What the pause kept has arrived all the same.
      expect(driven.log).toEqual(['message unread', 'disconnected']);
    });

    both('', 'the peer resets while the receiver pauses -> disconnected once that goes on', async (role) => {
      const driven = await drive({ role, way });
      await warmUp(driven);
      const { driver, hooks, log, peer, socket } = driven;
      hooks.onEvent = () => driver.connection.receiver.pause();
      peer.write(text(role, 'a', 'b'));
      await until(() => log.length === 1);
      peer.resetAndDestroy();
      await until(() => socket.destroyed);
      hooks.onEvent = () => {};
      driver.resumeReceiving();
      await until(() => log.includes('disconnected'));
      expect(log).toEqual(['message a', 'message b', 'disconnected']);
    });

    both(
      '',
      'the peer ends while paused -> nothing happens until it is resumed, then messages and end',
      async (role) => {
        const driven = await drive({ role, way });
        await warmUp(driven);
        const { driver, peer, socket, log } = driven;
        driver.pause();
        peer.end(text(role, 'a', 'b'));
        await until(() => socket.readableLength > 0);
        for (let i = 0; i < 10; i++) await turn();
        expect([log, socket.writableEnded]).toEqual([[], false]);
        driver.resume();
        await until(() => log.includes('disconnected'));
        expect(log).toEqual(['message a', 'message b', 'disconnected']);
      },
    );

    both('', 'the peer ends its direction without a Close -> ours ends too', async (role) => {
      const driven = await drive({ role, way });
      await warmUp(driven);
      driven.peer.resume();
      driven.peer.end();
      await once(driven.peer, 'end');
      await until(() => driven.log.includes('disconnected'));
      expect(driven.log).toEqual(['disconnected']);
    });

    both(
      '',
      'the user listens to the socket later -> gets every byte from then on, as a copy, and so do we',
      async (role) => {
        const driven = await drive({ role, way });
        await warmUp(driven);
        const { socket, peer, log } = driven;
        const chunks: Buffer[] = [];
        const listener = (chunk: Buffer) => chunks.push(chunk);
        socket.on('data', listener);
        const frames = Array.from({ length: 40 }, (_, i) => text(role, `message ${i}`));
        for (const frame of frames) {
          const count = log.length;
          peer.write(frame);
          await until(() => log.length > count);
        }
        // The listener sees what came before the mask was removed or after it; of a client's peer it is the same.
        expect(Buffer.concat(chunks)).toHaveLength(Buffer.concat(frames).length);
        if (role === 'client') expect(Buffer.concat(chunks)).toEqual(Buffer.concat(frames));
        for (const { buffer } of chunks) expect(buffer).not.toBe(vectorReadBlock().buffer);
        socket.off('data', listener);
        peer.write(text(role, 'last'));
        await until(() => log.length === 41);
        expect(log).toEqual([...frames.map((_, i) => `message message ${i}`), 'message last']);
        expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(Buffer.concat(frames).length);
      },
    );

    both(
      '',
      'bytes are put back into the socket by a listener -> they come behind the chunk at hand',
      async (role) => {
        const driven = await drive({ role, way });
        await warmUp(driven);
        const { socket, peer, log, hooks } = driven;
        hooks.onEvent = (entry) => {
          if (entry === 'message a') socket.unshift(text(role, 'put back'));
        };
        peer.write(text(role, 'a', 'b'));
        await until(() => log.length === 3);
        peer.write(text(role, 'c'));
        await until(() => log.length === 4);
        expect(log).toEqual(['a', 'b', 'put back', 'c'].map((payload) => `message ${payload}`));
      },
    );

    both(
      '',
      'a listener destroys the socket -> the messages at hand still come, then disconnected',
      async (role) => {
        const driven = await drive({ role, way });
        await warmUp(driven);
        const { socket, peer, log, hooks } = driven;
        hooks.onEvent = () => socket.destroy();
        peer.write(text(role, 'a', 'b', 'c'));
        await until(() => log.includes('disconnected'));
        expect(log).toEqual(['message a', 'message b', 'message c', 'disconnected']);
      },
    );

    both('', 'a listener terminates -> nothing more of the chunk, then disconnected', async (role) => {
      const driven = await drive({ role, way });
      await warmUp(driven);
      const { driver, peer, log, hooks } = driven;
      hooks.onEvent = () => driver.connection.terminate();
      peer.write(text(role, 'a', 'b', 'c'));
      await until(() => log.includes('disconnected'));
      const asStream = await drive({ role, way: 'stream' });
      await warmUp(asStream);
      asStream.hooks.onEvent = () => asStream.driver.connection.terminate();
      asStream.peer.write(text(role, 'a', 'b', 'c'));
      await until(() => asStream.log.includes('disconnected'));
      expect(log).toEqual(asStream.log);
    });

    it('a listener throws -> the process hears of it, and all messages come in order, more than one read of them', async () => {
      const sources = JSON.stringify(compiledSources());
      const program = `
        const net = require('node:net');
        const { join } = require('node:path');
        const { Driver } = require(join(${sources}, 'io', 'driver.js'));
        const { outputBlock, platform } = require(join(${sources}, 'io', 'platform.js'));
        const seen = [];
        let thrown = 0;
        process.on('uncaughtException', (error) => {
          if (error.message !== 'listener') throw error;
          thrown++;
        });
        const nothing = () => {};
        const frame = (i) => Buffer.concat([Buffer.of(0x82, 4), Buffer.of(i >> 24, i >> 16, i >> 8, i)]);
        const listener = net.createServer((peer) => {
          peer.write(frame(0));
          setImmediate(() => {
            for (let i = 1; i < 500; i++) peer.write(frame(i));
          });
          peer.on('error', nothing);
        });
        listener.listen(0, '127.0.0.1', () => {
          const socket = net.connect(listener.address().port, '127.0.0.1', () => {
            ${way === 'stream' ? 'socket._handle.useUserBuffer = undefined;' : ''}
            new Driver(socket, Buffer.alloc(0), { role: 'client', platform, block: outputBlock }, {
              onPing: nothing, onPong: nothing, onClose: nothing, onFail: nothing, onDisconnected: nothing, onDrain: nothing,
              onMessage(data) {
                seen.push(Buffer.from(data).readInt32BE());
                if (seen.length === 500) {
                  console.log(seen.every((value, i) => value === i), thrown);
                  setImmediate(() => process.exit());
                }
                if (seen.length % 7 === 0) throw new Error('listener');
              },
            });
          });
        });`;
      const { stdout, stderr } = await runProgram(program);
      expect([stdout.trim(), stderr]).toEqual(['true 71', '']);
    });
  });
}

both(
  '',
  'the user takes the socket over, without our listener -> its listener gets every byte, we none',
  async (role) => {
    for (const way of ['shared block', 'stream'] as const) {
      const driven = await drive({ role, way });
      await warmUp(driven);
      const { socket, peer, log } = driven;
      socket.removeAllListeners('data');
      let taken = '';
      socket.on('data', (chunk: Buffer) => {
        taken += chunk.toString('latin1');
      });
      for (const payload of ['a', 'b']) {
        const before = taken.length;
        peer.write(text(role, payload));
        await until(() => taken.length > before || log.length > 0);
      }
      expect([log, taken]).toEqual([[], text(role, 'a', 'b').toString('latin1')]);
    }
  },
);

it('reads that fill the block, one after the other -> after eight of them the others have a turn, then it reads on', async () => {
  const driven = await drive();
  await warmUp(driven);
  const { socket, peer, log, blocks } = driven;
  const block = blocks[0]!;
  const read = Object.getOwnPropertySymbols(socket)
    .map((key) => (socket as unknown as Record<symbol, unknown>)[key])
    .find((value) => typeof value === 'function' && value.name === 'onRead') as (
    length: number,
    block: Uint8Array,
  ) => boolean;
  const handle = handleOf(socket) as Handle & { readStop(): void };
  const message = binary('server', Buffer.alloc(1000));
  const frames = Buffer.concat(
    Array.from({ length: Math.floor(block.length / message.length) }, () => message),
  );
  const rest = binary('server', Buffer.alloc(block.length - frames.length - 6));
  const readFullBlock = () => {
    block.set(frames);
    block.set(rest, frames.length);
    return read.call(socket, block.length, block);
  };
  for (let reads = 1; reads < 20; reads++) {
    const goesOn = readFullBlock();
    expect([reads, goesOn]).toEqual([reads, reads % 8 !== 0]);
    if (goesOn) continue;
    // What Node.js does then.
    handle.reading = false;
    handle.readStop();
    await turn();
    await turn();
    expect(handle.reading).toBe(true);
  }
  expect(read.call(socket, message.length, block)).toBe(true);
  peer.write(text('server', 'last'));
  await until(() => log.includes('message last'));
});

it('a socket whose pause is replaced is paused by that', async () => {
  const { driver, socket } = await drive();
  const calls: string[] = [];
  const original = socket.pause;
  socket.pause = () => {
    calls.push('pause');
    return original.call(socket);
  };
  driver.pause();
  expect(calls).toEqual(['pause']);
});

describe('other sockets and the shared block', () => {
  it('a socket of a derived class does not, a TLS socket does -> their messages come as ever', async () => {
    class Derived extends net.Socket {}
    const { client, server } = await tcpPair();
    const derived = new Derived({ handle: (client as unknown as { _handle: never })._handle } as never);
    const ofDerived = driveSocket(derived, server, 'client');
    await warmUp(ofDerived);
    expect(ofDerived.blocks).toEqual([]);

    const listener = tls.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as net.AddressInfo;
    const secure = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const [[accepted]] = await Promise.all([
      once(listener, 'secureConnection'),
      once(secure, 'secureConnect'),
    ]);
    const ofTls = driveSocket(accepted, secure, 'server');
    await warmUp(ofTls);
    secure.write(binary('server', Buffer.alloc(300_000, 5)));
    await until(() => ofTls.log.length === 1);
    ofTls.sender.sendMessage('answer', TEXT);
    const [answer] = await once(secure, 'data');
    listener.close();
    expect(ofTls.blocks).toHaveLength(1);
    expect(ofTls.messages[1]!.equals(Buffer.alloc(300_000, 5))).toBe(true);
    expect(new FrameCollector().push(answer)[0]!.payload.toString()).toBe('answer');
  });
});

both('', 'a Unix socket -> read and written as one of TCP', async (role) => {
  const directory = mkdtempSync(join(tmpdir(), 'hawser-'));
  const driven = await drive({ role, path: join(directory, 'socket') });
  await warmUp(driven);
  const { peer, log, sender, messages, blocks } = driven;
  peer.write(binary(role, Buffer.alloc(500_000, 9)));
  await until(() => log.length === 1);
  sender.sendMessage('answer', TEXT);
  const [answer] = await once(peer, 'data');
  rmSync(directory, { recursive: true });
  expect(blocks).toHaveLength(1);
  expect(messages[1]!.equals(Buffer.alloc(500_000, 9))).toBe(true);
  expect(new FrameCollector().push(answer)[0]!.payload.toString()).toBe('answer');
});

it('idle connections -> hold no memory for reading', async () => {
  const sources = JSON.stringify(compiledSources());
  const program = `
    const net = require('node:net');
    const { join } = require('node:path');
    const { Driver } = require(join(${sources}, 'io', 'driver.js'));
    const { outputBlock, platform } = require(join(${sources}, 'io', 'platform.js'));
    const COUNT = 300;
    const nothing = () => {};
    let received = 0;
    const frame = Buffer.concat([Buffer.of(0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0), Buffer.alloc(65536)]);
    // Many in one read, and one in several.
    const small = Buffer.concat(Array(1000).fill(Buffer.concat([Buffer.of(0x82, 60), Buffer.alloc(60)])));
    const listener = net.createServer((peer) => {
      peer.write(frame);
      setImmediate(() => peer.write(small));
    });
    const owner = {
      onPing: nothing, onPong: nothing, onClose: nothing, onFail: nothing, onDisconnected: nothing, onDrain: nothing,
      onMessage() {
        if (++received < 1001 * COUNT) return;
        setImmediate(() => {
          for (let i = 0; i < 3; i++) global.gc();
          console.log(Math.round((process.memoryUsage().arrayBuffers - before) / COUNT));
          process.exit();
        });
      },
    };
    let before = 0;
    listener.listen(0, '127.0.0.1', () => {
      global.gc();
      before = process.memoryUsage().arrayBuffers;
      for (let i = 0; i < COUNT; i++) {
        const socket = net.connect(listener.address().port, '127.0.0.1', () =>
          new Driver(socket, Buffer.alloc(0), { role: 'client', platform, block: outputBlock }, owner));
      }
    });`;
  const { stdout } = await runProgram(`require('node:v8').setFlagsFromString('--expose-gc');
    global.gc = require('node:vm').runInNewContext('gc');${program}`);
  expect(stdout.trim()).toMatch(/^-?\d+$/);
  // The one block is 320 KiB, which makes a kilobyte for each; a read as a stream would be 64.
  expect(Number(stdout)).toBeLessThan(4000);
});

describe('writing past the stream', () => {
  /** Reads everything that comes and cuts it into frames. */
  function collectFrames(peer: net.Socket): WireFrame[] {
    const collector = new FrameCollector();
    const frames: WireFrame[] = [];
    peer.on('data', (chunk: Buffer) => frames.push(...collector.push(Buffer.from(chunk))));
    return frames;
  }

  const payloadOf = (i: number, length = 8000) => Buffer.alloc(length, i % 251);
  const frameLength = (role: Role, length: number) =>
    length + (length < 126 ? 2 : 4) + (role === 'client' ? 4 : 0);

  /** Sends until the operating system takes no more; returns how many messages that were. */
  async function fill({ role, driver, sender, socket }: Driven, length = 8000): Promise<number> {
    let count = 0;
    while (handleOf(socket).writeQueueSize === 0) {
      sender.sendMessage(payloadOf(count++, length), BINARY);
      await turn();
    }
    expect(driver.bufferedBytes).toBe(frameLength(role, length));
    return count;
  }

  both('', 'sends a lone message -> it is with the operating system, past the stream', async (role) => {
    const { socket, peer, sender, driver } = await drive({ role });
    let writes = 0;
    // Of the state that the stream keeps for its own writes nothing changes.
    const state = (socket as unknown as { _writableState: object })._writableState;
    Object.defineProperty(state, 'length', { get: () => 0, set: () => writes++ });
    const frames = collectFrames(peer);
    sender.sendMessage('a', TEXT);
    expect([driver.bufferedBytes, socket.bytesWritten, writes]).toEqual([0, frameLength(role, 1), 0]);
    await until(() => frames.length === 1);
    expect(frames[0]!.payload.toString()).toBe('a');
  });

  for (const readsLate of [true, false]) {
    both(
      '',
      `the peer ${readsLate ? 'reads late' : 'reads at once'}, with and without callbacks, with what the user writes -> all in order and unchanged`,
      async (role) => {
        const driven = await drive({ role });
        const { socket, peer, sender, driver } = driven;
        const frames = readsLate ? [] : collectFrames(peer);
        const expected: Buffer[] = [];
        const called: number[] = [];
        const callbacks: number[] = [];
        const send = (payload: Buffer, hasCallback = false) => {
          const i = expected.push(payload) - 1;
          if (!hasCallback) sender.sendMessage(payload, BINARY);
          else {
            callbacks.push(i);
            sender.sendMessage(payload, BINARY, (error) => called.push(error ? -1 : i));
          }
        };
        if (readsLate)
          for (let count = await fill(driven), i = 0; i < count; i++) expected.push(payloadOf(i));
        let before = driver.bufferedBytes;
        for (let i = 0; i < 400; i++) {
          const size = [1, 100, 8000, 8192, 8193, 30_000][i % 6]!;
          const payload = payloadOf(i, size);
          if (i % 31 === 0) {
            // One of the user's own frames, written to the socket between ours.
            expected.push(payload);
            socket.write(binary(role === 'client' ? 'server' : 'client', payload));
          } else send(payload, i % 4 === 0);
          if (readsLate) {
            expect(driver.bufferedBytes).toBe(before + frameLength(role, size));
            before = driver.bufferedBytes;
          }
          if (i % 3 !== 1) await turn();
          if (readsLate) expect(driver.bufferedBytes).toBe(before);
        }
        const late = readsLate ? collectFrames(peer) : frames;
        while (late.length < expected.length) {
          await turn();
          if (!readsLate) continue;
          expect(driver.bufferedBytes).toBeLessThanOrEqual(before);
          before = driver.bufferedBytes;
        }
        await until(() => called.length === callbacks.length);
        expect(late.map(({ payload }) => payload.length)).toEqual(expected.map(({ length }) => length));
        for (const [i, { payload }] of late.entries())
          expect(Buffer.compare(payload, expected[i]!), `frame ${i}`).toBe(0);
        expect(called).toEqual(callbacks);
        await until(() => driver.bufferedBytes === 0);
      },
    );
  }

  both(
    '',
    'other connections write while a write is pending -> its bytes stay what they were',
    async (role) => {
      const slow = await drive({ role });
      const count = await fill(slow);
      const others = await Promise.all(Array.from({ length: 5 }, () => drive({ role })));
      for (const other of others) other.peer.resume();
      for (let i = 0; i < 200; i++) {
        for (const { sender } of others) sender.sendMessage(Buffer.alloc(4000, 0xee), BINARY);
        await turn();
      }
      const frames = collectFrames(slow.peer);
      await until(() => frames.length === count);
      for (const [i, { payload }] of frames.entries())
        expect(Buffer.compare(payload, payloadOf(i)), `frame ${i}`).toBe(0);
    },
  );

  it('server, a write reaches the high-water mark -> onDrain once, when it has left', async () => {
    const driven = await drive({ highWaterMark: 1000 });
    await fill(driven);
    for (let i = 0; i < 10; i++) await turn();
    expect(driven.log).toEqual([]);
    driven.peer.resume();
    await until(() => driven.driver.bufferedBytes === 0);
    for (let i = 0; i < 10; i++) await turn();
    expect(driven.log).toEqual(['drain']);
  });

  it('server, the high-water mark is 0 and a write leaves at once -> onDrain when something else has left', async () => {
    const driven = await drive({ highWaterMark: 0 });
    driven.sender.sendMessage('a', TEXT);
    expect(driven.driver.bufferedBytes).toBe(0);
    driven.driver.onQueueEmpty();
    await turn();
    expect(driven.log).toEqual(['drain']);
  });

  it('server, something else has left while a write is pending that reached the mark -> no onDrain before that', async () => {
    const driven = await drive({ highWaterMark: 1000 });
    await fill(driven);
    driven.driver.onQueueEmpty();
    for (let i = 0; i < 10; i++) await turn();
    expect(driven.log).toEqual([]);
    driven.peer.resume();
    await until(() => driven.log.length > 0);
    expect(driven.log).toEqual(['drain']);
  });

  it('server, little is sent behind a write that is pending -> it does not keep a whole block', async () => {
    const driven = await drive();
    await fill(driven);
    for (let i = 0; i < 3; i++) {
      driven.sender.sendMessage(`small ${i}`, TEXT);
      await turn();
    }
    const state = (driven.socket as unknown as { _writableState: { getBuffer(): { chunk: Uint8Array }[] } })
      ._writableState;
    const waiting = state.getBuffer().map(({ chunk }) => chunk.buffer.byteLength);
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting).toEqual(waiting.map(() => 9));
  });

  it('server, the user has ended the socket -> nothing is sent past that', async () => {
    const driven = await drive();
    const frames = collectFrames(driven.peer);
    const error = new Promise((resolve) => driven.socket.once('error', resolve));
    const isOver = new Promise((resolve) => driven.peer.once('end', resolve).once('close', resolve));
    driven.socket.end();
    driven.sender.sendMessage('late', TEXT);
    expect(await error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
    await isOver;
    expect(frames).toEqual([]);
  });

  it('server, only the write learns that the peer has reset -> disconnected, nothing is thrown', async () => {
    const driven = await drive();
    await warmUp(driven);
    // Stops reading altogether, unlike a pause of ours.
    driven.socket.pause();
    const reset = new Promise((resolve) => driven.peer.once('close', resolve));
    driven.peer.resetAndDestroy();
    await reset;
    for (let i = 0; i < 1000 && driven.log.length === 0; i++) {
      driven.sender.sendMessage('late', TEXT);
      await turn();
    }
    expect(driven.log).toEqual(['disconnected']);
  });

  it('server, a write stays below the high-water mark -> no onDrain', async () => {
    const driven = await drive({ highWaterMark: 100_000 });
    await fill(driven);
    driven.peer.resume();
    await until(() => driven.driver.bufferedBytes === 0);
    for (let i = 0; i < 10; i++) await turn();
    expect(driven.log).toEqual([]);
  });

  it.each([100, 8000])(
    'server, %d bytes more are sent behind a write that is pending -> onDrain, again and again',
    async (size) => {
      const driven = await drive({ highWaterMark: 1000 });
      for (let round = 1; round <= 3; round++) {
        driven.peer.pause();
        await fill(driven);
        driven.sender.sendMessage(payloadOf(1, size), BINARY);
        await turn();
        driven.sender.sendMessage(payloadOf(2, size), BINARY, () => {});
        await turn();
        const before = driven.log.length;
        driven.peer.resume();
        await until(() => driven.driver.bufferedBytes === 0);
        for (let i = 0; i < 10; i++) await turn();
        expect(driven.log.length, `round ${round}`).toBeGreaterThan(before);
        expect(new Set(driven.log)).toEqual(new Set(['drain']));
      }
    },
  );

  both(
    '',
    'closes while a write is pending -> the peer gets all, then the Close frame, then the end',
    async (role) => {
      const driven = await drive({ role });
      const count = await fill(driven);
      driven.driver.connection.close(1000);
      await turn();
      expect(driven.driver.bufferedBytes).toBe(frameLength(role, 8000) + frameLength(role, 2));
      const frames = collectFrames(driven.peer);
      await until(() => frames.length === count + 1);
      driven.peer.end(fromPeer(role, { opcode: 8, payload: Buffer.of(3, 232) }));
      await until(() => driven.log.includes('disconnected'));
      expect(frames.map(({ opcode }) => opcode)).toEqual([...Array(count).fill(2), 8]);
      for (const [i, { payload }] of frames.slice(0, -1).entries())
        expect(Buffer.compare(payload, payloadOf(i))).toBe(0);
      expect(driven.log).toEqual(['close 1000', 'disconnected']);
    },
  );

  it('server, the socket is ended while a write is pending -> the peer gets all of it before the end', async () => {
    const driven = await drive();
    const count = await fill(driven);
    driven.driver.end();
    const frames = collectFrames(driven.peer);
    await once(driven.peer, 'end');
    expect(frames).toHaveLength(count);
  });

  it.each([1000, 100_000])(
    'server, terminates while a write is pending, high-water mark %d -> disconnected, and no onDrain',
    async (highWaterMark) => {
      const driven = await drive({ highWaterMark });
      await fill(driven);
      driven.driver.connection.terminate();
      await until(() => driven.log.includes('disconnected'));
      for (let i = 0; i < 10; i++) await turn();
      expect([driven.log, driven.driver.bufferedBytes]).toEqual([['disconnected'], 0]);
    },
  );

  it('server, the peer resets while a write is pending -> disconnected, callbacks get an error, nothing is thrown', async () => {
    const driven = await drive({ highWaterMark: 1000 });
    await fill(driven);
    const outcomes: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      driven.sender.sendMessage('behind', TEXT, (error) => outcomes.push(error));
      await turn();
    }
    driven.peer.resetAndDestroy();
    await until(() => driven.log.includes('disconnected'));
    await until(() => outcomes.length === 3);
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(Error);
    for (let i = 0; i < 10; i++) await turn();
    expect([driven.log, driven.driver.bufferedBytes]).toEqual([['disconnected'], 0]);
  });

  it('server, sends after the peer has reset, before that is known -> disconnected, nothing is thrown', async () => {
    for (const hasCallback of [false, true]) {
      const driven = await drive();
      await warmUp(driven);
      driven.driver.pause();
      driven.peer.resetAndDestroy();
      const outcomes: unknown[] = [];
      while (!driven.log.includes('disconnected')) {
        if (hasCallback) driven.sender.sendMessage('late', TEXT, (error) => outcomes.push(error));
        else driven.sender.sendMessage('late', TEXT);
        await turn();
      }
      expect(driven.log).toEqual(['disconnected']);
    }
  });

  both('', 'write or _write of the socket is replaced -> everything goes through it', async (role) => {
    for (const name of ['write', '_write'] as const) {
      const driven = await drive({ role });
      const { socket } = driven;
      const seen: Uint8Array[] = [];
      const copies: Buffer[] = [];
      const original = socket[name] as (...args: unknown[]) => boolean;
      (socket as unknown as Record<string, unknown>)[name] = function (
        this: net.Socket,
        ...args: [Uint8Array]
      ) {
        seen.push(args[0]);
        copies.push(Buffer.from(args[0]));
        return original.apply(this, args);
      };
      const frames = collectFrames(driven.peer);
      for (let i = 0; i < 3; i++) {
        driven.sender.sendMessage(`${i}`, TEXT);
        await turn();
      }
      await until(() => frames.length === 3);
      // It may keep what it was given.
      expect(seen.map((bytes) => Buffer.from(bytes))).toEqual(copies);
      expect(copies.map(({ length }) => length)).toEqual(Array(3).fill(frameLength(role, 1)));
    }
  });

  both('', 'the socket is corked -> nothing leaves until it is not', async (role) => {
    const driven = await drive({ role });
    const { socket, sender, driver, peer } = driven;
    const frames = collectFrames(peer);
    socket.cork();
    sender.sendMessage('a', TEXT);
    await turn();
    expect([socket.bytesWritten - socket.writableLength, driver.bufferedBytes]).toEqual([
      0,
      frameLength(role, 1),
    ]);
    socket.uncork();
    await until(() => frames.length === 1);
    expect(driver.bufferedBytes).toBe(0);
  });

  it.each(ROLES)(
    '%s, the user waits in the stream with bytes of its own -> ours come behind',
    async (role) => {
      const driven = await drive({ role });
      const { socket, sender, peer } = driven;
      const mine = (letter: string, length: number) =>
        binary(role === 'client' ? 'server' : 'client', Buffer.alloc(length, letter));
      let count = 0;
      while (socket.writableLength === 0) {
        socket.write(mine('u', 50_000));
        count++;
      }
      sender.sendMessage('ours', TEXT);
      socket.write(mine('v', 10));
      await turn();
      sender.sendMessage('ours again', TEXT);
      const frames = collectFrames(peer);
      await until(() => frames.length === count + 3);
      expect(frames.slice(-3).map(({ payload }) => payload.toString())).toEqual([
        'ours',
        'vvvvvvvvvv',
        'ours again',
      ]);
    },
  );
});
