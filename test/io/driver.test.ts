import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Driver, type DriverOwner, isDriven } from '../../src/io/driver.js';
import { outputBlock, platform } from '../../src/io/platform.js';
import type { ConnectionOptions } from '../../src/protocol/connection.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { both, fromPeer } from '../support/engine.js';
import { FrameCollector } from '../support/frames.js';

type Write = { bytes: Buffer; done: (error?: Error | null) => void };

/** A socket whose writes complete when the test says so. */
class HandSocket extends Duplex {
  readonly writes: Write[] = [];
  isHeld = false;
  readonly settings: string[] = [];

  constructor() {
    super({ allowHalfOpen: true, writableHighWaterMark: 1000 });
  }
  override _read(): void {}
  override _write(bytes: Buffer, _: BufferEncoding, done: Write['done']): void {
    this.#take({ bytes, done });
  }
  override _writev(chunks: { chunk: Buffer }[], done: Write['done']): void {
    this.#take({ bytes: Buffer.concat(chunks.map(({ chunk }) => chunk)), done });
  }
  #take(write: Write): void {
    this.writes.push({ ...write, bytes: Buffer.from(write.bytes) });
    if (!this.isHeld) write.done();
  }
  setTimeout(ms: number): void {
    this.settings.push(`timeout ${ms}`);
  }
  setNoDelay(): void {
    this.settings.push('no delay');
  }
  /** The opcodes of each write. */
  opcodes(): number[][] {
    const collector = new FrameCollector();
    return this.writes.map(({ bytes }) => collector.push(bytes).map(({ opcode }) => opcode));
  }
}

function drive(
  role: 'client' | 'server',
  options: Partial<ConnectionOptions> = {},
  head: Uint8Array = Buffer.alloc(0),
) {
  const socket = new HandSocket();
  const log: string[] = [];
  const hooks: { onEvent: (name: string) => void } = { onEvent: () => {} };
  const record = (entry: string) => {
    log.push(entry);
    hooks.onEvent(entry);
  };
  const owner: DriverOwner = {
    onMessage: (data) => record(`message ${Buffer.from(data)}`),
    onPing: () => record('ping'),
    onPong: () => record('pong'),
    onClose: (code) => record(`close ${code}`),
    onFail: (error) => record(`fail ${error.message}`),
    onDisconnected: () => record('disconnected'),
    onDrain: () => record('drain'),
  };
  const driver = new Driver(socket, head, { role, platform, block: outputBlock, ...options }, owner);
  return { socket, driver, log, hooks, sender: driver.connection.sender };
}

const TEXT = { isBinary: false, isFinal: true, compress: false };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const text = (role: 'client' | 'server', ...payloads: string[]) =>
  fromPeer(role, ...payloads.map((payload) => ({ opcode: 1, payload })));

afterEach(() => {
  vi.useRealTimers();
});

describe('taking a socket over', () => {
  both(
    '',
    'takes over a TCP socket -> no idle timeout, no delay, and the socket is known as driven',
    (role) => {
      const { socket } = drive(role);
      expect(socket.settings).toEqual(['timeout 0', 'no delay']);
      expect([isDriven(socket), isDriven(new HandSocket())]).toEqual([true, false]);
    },
  );

  both('', 'has bytes that came with the handshake -> they come first', async (role) => {
    const { socket, log } = drive(role, {}, text(role, 'head'));
    socket.push(text(role, 'later'));
    await turn();
    expect(log).toEqual(['message head', 'message later']);
  });
});

describe('writing', () => {
  both('', 'sends a lone message -> it leaves at once', (role) => {
    const { socket, sender } = drive(role);
    sender.sendMessage('a', TEXT);
    expect(socket.opcodes()).toEqual([[1]]);
  });

  both('', 'sends a burst in one turn -> the first at once, the others together at its end', async (role) => {
    const { socket, sender } = drive(role);
    await turn();
    for (const payload of ['a', 'b', 'c']) sender.sendMessage(payload, TEXT);
    sender.sendControl(9, 'd');
    expect(socket.opcodes()).toEqual([[1]]);
    await turn();
    expect(socket.opcodes()).toEqual([[1], [1, 1, 9]]);
  });

  both('', 'answers messages while a chunk is parsed -> all answers in one write', async (role) => {
    const { socket, log, hooks, sender } = drive(role);
    hooks.onEvent = () => sender.sendMessage('answer', TEXT);
    socket.push(text(role, 'a', 'b', 'c'));
    await turn();
    expect(log).toHaveLength(3);
    expect(socket.opcodes()).toEqual([[1, 1, 1]]);
  });

  both('', 'sends a large payload -> header and payload in one gathering write', (role) => {
    const { socket, sender } = drive(role);
    sender.sendMessage(Buffer.alloc(50_000), { ...TEXT, isBinary: true });
    expect(socket.opcodes()).toEqual([[2]]);
  });

  both('', 'sends with callbacks -> each is called, once, when its write has left', async (role) => {
    const { socket, sender } = drive(role);
    await turn();
    socket.isHeld = true;
    const seen: string[] = [];
    for (const name of ['a', 'b', 'c']) sender.sendMessage(name, TEXT, () => seen.push(name));
    await turn();
    expect(seen).toEqual([]);
    socket.writes[0]!.done();
    await turn();
    expect(seen).toEqual(['a']);
    socket.writes[1]!.done();
    await turn();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  both(
    '',
    'sends to a socket that takes nothing -> bufferedBytes counts every byte until it has left',
    async (role) => {
      const { socket, driver, sender } = drive(role);
      await turn();
      socket.isHeld = true;
      const overhead = role === 'client' ? 6 : 2;
      sender.sendMessage('12345', TEXT);
      expect(driver.bufferedBytes).toBe(5 + overhead);
      sender.sendMessage('123', TEXT);
      expect(driver.bufferedBytes).toBe(8 + 2 * overhead);
      await turn();
      expect(driver.bufferedBytes).toBe(8 + 2 * overhead);
      for (let i = 0; i < 2; i++) {
        socket.writes[i]!.done();
        await turn();
      }
      expect(driver.bufferedBytes).toBe(0);
    },
  );

  both('', 'fills the socket -> onDrain once it is empty again', async (role) => {
    const { socket, log, sender } = drive(role);
    socket.isHeld = true;
    sender.sendMessage('x'.repeat(2000), TEXT);
    await turn();
    expect(log).toEqual([]);
    socket.isHeld = false;
    socket.writes[0]!.done();
    await turn();
    expect(log).toEqual(['drain']);
  });

  both(
    '',
    'what was written is not changed by what is written next, while the socket holds it',
    async (role) => {
      const { socket, sender } = drive(role);
      const kept: Buffer[] = [];
      const original = socket._write;
      socket._write = function (bytes, encoding, done) {
        kept.push(bytes);
        original.call(this, bytes, encoding, done);
      };
      for (let i = 0; i < 20; i++) {
        sender.sendMessage(`message ${i}`, TEXT);
        await turn();
      }
      expect(kept).toHaveLength(20);
      kept.forEach((bytes, i) => {
        expect(Buffer.compare(bytes, socket.writes[i]!.bytes)).toBe(0);
      });
    },
  );
});

describe('reading', () => {
  both('', 'is paused by its owner -> what was read is handed over, then the socket waits', async (role) => {
    const { socket, driver, log, hooks } = drive(role);
    hooks.onEvent = () => driver.pause();
    socket.push(text(role, 'a', 'b'));
    await turn();
    socket.push(text(role, 'c'));
    await turn();
    expect(log).toEqual(['message a', 'message b']);
    driver.resume();
    await turn();
    expect(log).toEqual(['message a', 'message b', 'message c']);
  });

  both('', 'the receiver is paused -> the socket is not read until it goes on', async (role) => {
    const { socket, driver, log, hooks } = drive(role);
    hooks.onEvent = () => driver.connection.receiver.pause();
    socket.push(text(role, 'a', 'b'));
    await turn();
    expect([log, socket.isPaused()]).toEqual([['message a'], true]);
    driver.resumeReceiving();
    driver.resumeReceiving();
    expect([log, socket.isPaused()]).toEqual([['message a', 'message b'], false]);
  });

  both(
    '',
    'a listener throws -> the error leaves, and the messages behind come in a later turn',
    async (role) => {
      const { socket, log, hooks } = drive(role);
      hooks.onEvent = (entry) => {
        if (entry === 'message a') throw new Error('listener');
      };
      expect(() => socket.emit('data', text(role, 'a', 'b'))).toThrow('listener');
      expect(log).toEqual(['message a']);
      await turn();
      await turn();
      expect(log).toEqual(['message a', 'message b']);
      expect(socket.isPaused()).toBe(false);
    },
  );

  both('', 'bytes arrive -> hasReceived is set', async (role) => {
    const { socket, driver } = drive(role);
    expect(driver.hasReceived).toBe(false);
    socket.push(Buffer.of(0x82));
    await turn();
    expect(driver.hasReceived).toBe(true);
  });
});

describe('a socket that had a timeout', () => {
  const owner = { onDisconnected() {} } as DriverOwner;

  it.each([
    ['of its own', 5000, 0],
    ['never', undefined, undefined],
  ])('%s -> it has none as a connection', (_when, before, after) => {
    const socket = new Socket();
    if (before !== undefined) socket.setTimeout(before);
    new Driver(socket, new Uint8Array(0), { role: 'server', platform, block: outputBlock }, owner);
    expect(socket.timeout).toBe(after);
    socket.destroy();
  });
});

describe('the end', () => {
  both('', 'the socket closes -> disconnected, once, and the listeners for data are gone', async (role) => {
    const { socket, log } = drive(role);
    socket.destroy();
    await turn();
    expect(log).toEqual(['disconnected']);
    expect([socket.listenerCount('data'), socket.listenerCount('end')]).toEqual([0, 0]);
  });

  both(
    '',
    'the socket closes while the receiver is paused -> disconnected after the last message',
    async (role) => {
      const { socket, driver, log, hooks } = drive(role);
      hooks.onEvent = () => driver.connection.receiver.pause();
      socket.push(text(role, 'a', 'b'));
      await turn();
      socket.destroy();
      await turn();
      expect(log).toEqual(['message a']);
      driver.resumeReceiving();
      expect(log).toEqual(['message a', 'message b']);
      driver.resumeReceiving();
      expect(log).toEqual(['message a', 'message b', 'disconnected']);
    },
  );

  both('', 'the socket has an error -> it is destroyed, and that is all', async (role) => {
    const { socket, driver, log } = drive(role);
    socket.emit('error', new Error('ECONNRESET'));
    await turn();
    expect([log, socket.destroyed, driver.connection.isOpen]).toEqual([['disconnected'], true, false]);
  });

  both('', 'the peer ends without a Close -> the socket is ended too', async (role) => {
    const { socket } = drive(role);
    socket.push(null);
    await turn();
    expect(socket.writableEnded).toBe(true);
  });

  both(
    '[RFC6455-7.1.7-5]',
    'the peer breaks a rule -> the Close frame leaves before the socket ends',
    async (role) => {
      const { socket } = drive(role);
      socket.push(fromPeer(role, { opcode: 3 }));
      await turn();
      expect(socket.opcodes()).toEqual([[8]]);
      expect(socket.writableEnded).toBe(true);
    },
  );

  both(
    '',
    'the peer does not answer the Close -> destroyed when closeTimeoutMs is over, not before',
    async (role) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const { socket, driver } = drive(role, { closeTimeoutMs: 500 });
      driver.connection.close(1000);
      vi.advanceTimersByTime(499);
      expect(socket.destroyed).toBe(false);
      vi.advanceTimersByTime(1);
      expect(socket.destroyed).toBe(true);
    },
  );

  both('', 'the socket closes before the time is over -> the timer is gone', async (role) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { socket, driver } = drive(role);
    driver.connection.close(1000);
    expect(vi.getTimerCount()).toBe(1);
    socket.destroy();
    await turn();
    expect([vi.getTimerCount(), driver.deadline]).toEqual([0, undefined]);
  });

  both('', 'sends when the socket is gone -> the callback gets an error', async (role) => {
    const { socket, sender } = drive(role);
    socket.destroy();
    await turn();
    const error = await new Promise((resolve) => sender.sendMessage('late', TEXT, resolve));
    expect(error).toBeInstanceOf(Error);
    expect(socket.writes).toEqual([]);
  });
});

it('a Duplex that is no socket is driven all the same', async () => {
  const { socket, log } = drive('server');
  Object.assign(socket, { setTimeout: undefined });
  socket.push(text('server', 'a'));
  await turn();
  expect(log).toEqual(['message a']);
});

it('sends large and small messages to a net.Socket whose peer does not read yet -> all arrive in order, then it drains', async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const peer = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(listener, 'connection')) as [Socket];
  const gather = vi.spyOn(socket, 'cork');
  let drained = () => {};
  const drain = new Promise<void>((resolve) => {
    drained = resolve;
  });
  const ignore = () => {};
  const owner: DriverOwner = {
    onMessage: ignore,
    onPing: ignore,
    onPong: ignore,
    onClose: ignore,
    onFail: ignore,
    onDisconnected: ignore,
    onDrain: () => drained(),
  };
  const driver = new Driver(socket, Buffer.alloc(0), { role: 'server', platform, block: outputBlock }, owner);
  const { sender } = driver.connection;
  const binary = { ...TEXT, isBinary: true };
  const sent: Buffer[] = [];
  const send = (length: number) => {
    const payload = Buffer.alloc(length, sent.length);
    sent.push(payload);
    sender.sendMessage(payload, binary);
  };
  send(100_000);
  // A lone large message goes to the system past the stream: header and payload, two pieces.
  expect(gather).not.toHaveBeenCalled();
  for (let i = 0; i < 40; i++) {
    send(500_000);
    send(10);
  }
  expect(driver.bufferedBytes).toBeGreaterThan(1_000_000);
  const received: Buffer[] = [];
  const collector = new FrameCollector();
  peer.on('data', (bytes) =>
    received.push(...collector.push(bytes).map(({ payload }) => Buffer.from(payload))),
  );
  await drain;
  expect(driver.bufferedBytes).toBe(0);
  driver.end();
  await once(peer, 'end');
  expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  expect(received.map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
  peer.destroy();
  listener.close();
});

describe('over TLS, where reads go into the shared block', () => {
  async function serve(onMessage: (socket: WebSocket, data: Buffer) => void) {
    const listener = createTlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const server = new WebSocketServer({ server: listener });
    const raw: TLSSocket[] = [];
    server.on('connection', (socket, request) => {
      raw.push(request.socket as TLSSocket);
      socket.on('message', (data: Buffer) => onMessage(socket, data));
    });
    const open = async () => {
      const { port } = listener.address() as AddressInfo;
      const client = new WebSocket(`wss://127.0.0.1:${port}`, { rejectUnauthorized: false });
      await once(client, 'open');
      return client;
    };
    const close = () => {
      server.close();
      listener.close();
    };
    return { open, raw, close };
  }

  it('messages of two connections that are kept -> none is overwritten by later reads', async () => {
    const kept: Buffer[] = [];
    const { open, raw, close } = await serve((socket, data) => {
      kept.push(data);
      socket.send(data);
    });
    const clients = [await open(), await open()];
    const sent: Buffer[] = [];
    for (const length of [1, 1, 125, 5000, 20_000, 70_000, 1_000_000, 10]) {
      for (const client of clients) {
        const payload = Buffer.alloc(length, sent.length + 1);
        sent.push(payload);
        const echo = once(client, 'message');
        client.send(payload);
        expect(Buffer.compare((await echo)[0], payload)).toBe(0);
      }
    }
    expect(kept.every((data, i) => Buffer.compare(data, sent[i]!) === 0)).toBe(true);
    // Nobody is told of what the stream does not see.
    const chunks: Buffer[] = [];
    const push = vi.spyOn(raw[0]!, 'push').mockImplementation((chunk) => chunks.push(chunk) > 0);
    const echo = once(clients[0]!, 'message');
    clients[0]!.send('past the stream');
    await echo;
    expect(chunks).toEqual([]);
    push.mockRestore();
    for (const client of clients) client.terminate();
    close();
  });

  it('the connection is cut in the handler of the first of many records -> no message follows', async () => {
    let count = 0;
    const { open, close } = await serve((socket) => {
      count++;
      // The first bytes come by way of the stream.
      if (count === 2) socket.terminate();
    });
    const client = await open();
    client.on('error', () => {});
    client.send('first');
    await turn();
    const closed = once(client, 'close');
    for (let i = 0; i < 100; i++) client.send(Buffer.alloc(10_000));
    await closed;
    expect(count).toBe(2);
    close();
  });
});

both(
  '',
  'a stream in memory gets what is written -> in memory of its own, not in the shared block',
  async (role) => {
    const { sender, writes } = keepingWrites(role);
    sender.sendMessage('short', TEXT);
    sender.sendMessage(Buffer.alloc(100_000, 1), { ...TEXT, isBinary: true });
    await turn();
    expect(writes.length).toBeGreaterThan(2);
    for (const bytes of writes) {
      expect(bytes.buffer).not.toBe(outputBlock.bytes.buffer);
      expect(bytes.buffer.byteLength).toBe(bytes.length);
    }
  },
);

/** A driver on a stream that keeps what it is given, as it is given. */
function keepingWrites(role: 'client' | 'server') {
  const writes: Uint8Array[] = [];
  const socket = new Duplex({
    read() {},
    write(bytes, _, done) {
      writes.push(bytes);
      done();
    },
  });
  const ignore = () => {};
  const owner: DriverOwner = {
    ...{ onMessage: ignore, onPing: ignore, onPong: ignore, onClose: ignore, onFail: ignore },
    ...{ onDisconnected: ignore, onDrain: ignore },
  };
  const driver = new Driver(socket, Buffer.alloc(0), { role, platform, block: outputBlock }, owner);
  return { sender: driver.connection.sender, writes };
}
