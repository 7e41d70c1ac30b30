// What the events of a WebSocket carry, in which order and tick they come, and what happens without listeners.
import { expect, it } from 'vitest';
import { cast, endTcp, ROLES } from '../support/cast.js';
import { runProgram } from '../support/child.js';
import { next, record, several, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { behaviour, differs } from './implementations.js';

behaviour('events', (implementation) => {
  const { ws: WebSocket, main } = implementation;
  const { against, pair, rawClient, server, client } = cast(WebSocket);

  it('the whole life of a connection -> events with their arguments, in order', async () => {
    const wss = await server();
    wss.on('connection', (peer: typeof WebSocket) => {
      peer.send('text');
      peer.send(Buffer.from('binary'));
      peer.ping('ping');
      peer.pong('pong');
      peer.close(4000, 'bye');
    });
    const socket = client(`ws://127.0.0.1:${wss.address().port}`);
    const log = record(socket, 'upgrade', 'open', 'message', 'ping', 'pong', 'error', 'close');
    await next(socket, 'close');
    expect(log.map(([name]) => name)).toEqual([
      'upgrade',
      'open',
      'message',
      'message',
      'ping',
      'pong',
      'close',
    ]);
    expect(log.slice(1)).toEqual([
      ['open'],
      ['message', Buffer.from('text'), false],
      ['message', Buffer.from('binary'), true],
      ['ping', Buffer.from('ping')],
      ['pong', Buffer.from('pong')],
      ['close', 4000, Buffer.from('bye')],
    ]);
  });

  it('server end -> "open" is emitted before "connection", where only the constructor of a subclass can listen', async () => {
    const order: string[] = [];
    const Base: new (...args: unknown[]) => typeof WebSocket = WebSocket;
    class Listening extends Base {
      constructor(...args: unknown[]) {
        super(...args);
        this.on('open', () => order.push(`open ${this.readyState}`));
      }
    }
    const wss = await server({ WebSocket: Listening });
    wss.on('headers', () => order.push('headers'));
    wss.on('connection', (peer: typeof WebSocket) => order.push(`connection ${peer instanceof Listening}`));
    await next(client(`ws://127.0.0.1:${wss.address().port}`), 'open');
    expect(order).toEqual(['headers', 'open 1', 'connection true']);
  });

  it.each(ROLES)('%s, several frames in one chunk -> all events in one tick', async (role) => {
    const { socket, peer } = await against(role);
    const log: string[] = [];
    for (const event of ['message', 'ping', 'pong']) {
      socket.on(event, (data: Buffer) => {
        log.push(String(data));
        if (data.length === 1) Promise.resolve().then(() => log.push('microtask'));
      });
    }
    const last = several(socket, 'message', 2);
    peer.send(
      { opcode: 1, payload: 'a' },
      { opcode: 9, payload: 'pi' },
      { opcode: 10, payload: 'po' },
      { opcode: 1, payload: 'zz' },
    );
    await last;
    await turn();
    expect(log).toEqual(['a', 'pi', 'po', 'zz', 'microtask']);
  });

  it.each(ROLES)('%s, allowSynchronousEvents false -> one event per turn of the event loop', async (role) => {
    const { socket, peer } = await against(role, { allowSynchronousEvents: false });
    let turns = 0;
    let isCounting = true;
    const count = () => {
      turns++;
      if (isCounting) setImmediate(count);
    };
    setImmediate(count);
    const log: [string, number][] = [];
    for (const event of ['message', 'ping', 'pong']) {
      socket.on(event, (data: Buffer) => log.push([String(data), turns]));
    }
    const last = several(socket, 'message', 2);
    peer.send(
      { opcode: 1, payload: 'a' },
      { opcode: 9, payload: 'b' },
      { opcode: 10, payload: 'c' },
      { opcode: 2, payload: 'd' },
    );
    await last;
    isCounting = false;
    expect(log.map(([data]) => data)).toEqual(['a', 'b', 'c', 'd']);
    expect(new Set(log.map(([, turn]) => turn)).size).toBe(4);
  });

  it.each(ROLES)(
    '%s, allowSynchronousEvents false -> messages, then close and error in order',
    async (role) => {
      const { socket, peer } = await against(role, { allowSynchronousEvents: false });
      const log = record(socket, 'message', 'close');
      const closed = next(socket, 'close');
      peer.send(
        { opcode: 1, payload: 'a' },
        { opcode: 1, payload: 'b' },
        { opcode: 8, payload: closePayload(1000) },
      );
      await endTcp(role, peer);
      await closed;
      expect(log).toEqual([
        ['message', Buffer.from('a'), false],
        ['message', Buffer.from('b'), false],
        ['close', 1000, Buffer.alloc(0)],
      ]);
    },
  );

  it.each(ROLES)(
    '%s, terminate() in a listener of a message -> the rest of the chunk, then "close"',
    async (role) => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'message', 'close', 'error');
      socket.once('message', () => socket.terminate());
      peer.send({ opcode: 1, payload: 'a' }, { opcode: 1, payload: 'b' });
      await next(socket, 'close');
      expect(log).toEqual([
        ['message', Buffer.from('a'), false],
        ['message', Buffer.from('b'), false],
        ['close', 1006, Buffer.alloc(0)],
      ]);
    },
  );

  it.each(ROLES)('%s, a frame in pieces -> one message', async (role) => {
    const { socket, peer } = await against(role);
    const message = next(socket, 'message');
    peer.send({ opcode: 1, payload: 'a', fin: false });
    socket.ping();
    await peer.nextFrame();
    peer.send({ opcode: 0, payload: 'b' });
    expect(await message).toEqual([Buffer.from('ab'), false]);
  });

  it.each(ROLES)(
    '%s, the peer breaks the protocol -> CLOSING, Close frame, "error" once, then close 1006',
    async (role) => {
      const { socket, peer } = await against(role);
      const log = record(socket, 'error', 'close', 'message');
      const states: number[] = [];
      socket.on('error', () => states.push(socket.readyState));
      const closed = next(socket, 'close');
      peer.send({ opcode: 5 }, { opcode: 6 }, { opcode: 1, payload: 'x' });
      const frame = await peer.nextFrame();
      expect([frame.opcode, frame.payload]).toEqual([8, closePayload(1002)]);
      await peer.ended;
      peer.socket.end();
      await closed;
      expect(states).toEqual([WebSocket.CLOSING]);
      expect(log).toEqual([
        ['error', expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' })],
        ['close', 1006, Buffer.alloc(0)],
      ]);
    },
  );

  it('the peer of an end that broke the protocol -> sees the mapped code', async () => {
    const { client: socket, server: peer } = await pair({ maxPayload: 5 });
    peer.on('error', () => {});
    const closed = next(socket, 'close');
    socket.send('123456');
    expect(await closed).toEqual([1009, Buffer.alloc(0)]);
  });

  it('several connections -> the events of each end reach its own listeners', async () => {
    const { wss, socket } = await rawClient();
    const second = client(`ws://127.0.0.1:${wss.address().port}`);
    const [other] = await next(wss, 'connection');
    const log = record(socket, 'message');
    const message = next(other, 'message');
    if (second.readyState !== WebSocket.OPEN) await next(second, 'open');
    second.send('x');
    await message;
    expect([log, wss.clients.size]).toEqual([[], 2]);
  });

  it.each(ROLES)(
    '%s, messages that a listener keeps -> never changed by what comes after them',
    async (role) => {
      const { socket, peer } = await against(role);
      const kept: Buffer[] = [];
      const reasons: Buffer[] = [];
      socket.on('message', (data: Buffer) => kept.push(data));
      socket.on('ping', (data: Buffer) => reasons.push(data));
      const sizes = [1, 20, 100, 1000, 5000, 70_000];
      for (let round = 0; round < 10; round++) {
        const all = several(socket, 'message', sizes.length);
        for (const size of sizes) {
          const payload = Buffer.alloc(size, round * sizes.length + sizes.indexOf(size));
          if (size > 100)
            peer.send(
              { opcode: 2, payload: payload.subarray(0, 10), fin: false },
              { opcode: 0, payload: payload.subarray(10) },
            );
          else peer.send({ opcode: 2, payload });
        }
        peer.send({ opcode: 9, payload: Buffer.alloc(50, round) });
        await all;
        await peer.nextFrame();
      }
      const isIntact = kept.map(
        (data, index) => data.length === sizes[index % sizes.length] && data.every((byte) => byte === index),
      );
      expect(isIntact).toEqual(Array(60).fill(true));
      expect(reasons.map((data, index) => data.every((byte) => byte === index))).toEqual(
        Array(10).fill(true),
      );
    },
  );

  it.each(['message', 'ping', 'close', 'open'])(
    'a listener of "%s" throws -> an uncaught exception with that error',
    async (event) => {
      const program = `
      const { WebSocket, WebSocketServer } = require(${JSON.stringify(main)});
      process.on('uncaughtException', (error) => {
        console.log(error.message);
        process.exit();
      });
      const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        new WebSocket('ws://127.0.0.1:' + wss.address().port).on('${event}', () => {
          throw new Error('from the listener');
        });
      });
      wss.on('connection', (socket) => {
        socket.send('x');
        socket.ping();
        socket.close();
      });`;
      expect(await runProgram(program)).toEqual({ code: 0, stdout: 'from the listener\n', stderr: '' });
    },
  );

  const CRASHING = `
    const { WebSocket, WebSocketServer } = require(process.argv[1]);
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', ...OPTIONS }, () => {
      const client = new WebSocket('ws://127.0.0.1:' + wss.address().port);
      client.on('error', () => {});
      client.on('open', () => client._socket.write(Buffer.from([0x85, 0x80, 0, 0, 0, 0])));
    });
    wss.on('connection', (socket) => socket.on('close', (code) => {
      console.log('closed ' + code);
      wss.close();
    }));`;

  it('a protocol error and no "error" listener -> the process', async () => {
    const program = CRASHING.replace('...OPTIONS', '').replace('process.argv[1]', JSON.stringify(main));
    const { code, stdout, stderr } = await runProgram(program);
    const check = differs(implementation, 'unhandled-error', {
      ws: () => {
        expect(code).not.toBe(0);
        expect(stderr).toContain('Invalid WebSocket frame: invalid opcode 5');
      },
      hawser: () =>
        expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'closed 1006\n', stderr: '' }),
    });
    check();
  });

  it.each([
    ['the option', '', 'crashOnUnhandledError: true'],
    ['the static property', 'require(MAIN).crashOnUnhandledError = true;', ''],
  ])(
    'a protocol error, no "error" listener, and crashOnUnhandledError as %s -> the process ends',
    async (_case, first, options) => {
      const program = (first + CRASHING)
        .replace('...OPTIONS', options)
        .replace('process.argv[1]', JSON.stringify(main))
        .replace('MAIN', JSON.stringify(main));
      const { code, stderr } = await runProgram(program);
      expect(code).not.toBe(0);
      expect(stderr).toContain('Invalid WebSocket frame: invalid opcode 5');
    },
  );

  it('a client without an "error" listener, nobody listens at the address -> the process', async () => {
    const program = `
      const { createServer } = require('node:net');
      const WebSocket = require(${JSON.stringify(main)});
      const unused = createServer().listen(0, '127.0.0.1', () => {
        const { port } = unused.address();
        unused.close(() => new WebSocket('ws://127.0.0.1:' + port).on('close', (code) => console.log(code)));
      });`;
    const { code, stdout, stderr } = await runProgram(program);
    const check = differs(implementation, 'unhandled-error', {
      ws: () => {
        expect(code).not.toBe(0);
        expect(stderr).toContain('ECONNREFUSED');
      },
      hawser: () => expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '1006\n', stderr: '' }),
    });
    check();
  });
});
