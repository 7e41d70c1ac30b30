// Names that are no public interface, and that widespread packages use nevertheless.
import { EventEmitter } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { duplexPair } from '../support/duplex-pair.js';
import { called, next, record } from '../support/events.js';
import { closePayload, serializeFrame } from '../support/frames.js';
import { parseHead, RawPeer } from '../support/raw-peer.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour, type Package } from './implementations.js';

behaviour('private names', ({ ws: WebSocket }) => {
  const { client, pair, rawClient, rawPair, rawServer, server } = cast(WebSocket);

  it('_socket -> null before the handshake, the net.Socket after, and still there when CLOSED', async () => {
    const raw = await rawServer();
    const socket = client(raw.url);
    expect(socket._socket).toBeNull();
    await next(socket, 'open');
    const { _socket } = socket;
    expect(_socket).toBeInstanceOf(net.Socket);
    expect([_socket.remotePort, _socket.remoteAddress]).toEqual([raw.port, '127.0.0.1']);
    expect([typeof _socket.ref, typeof _socket.unref]).toEqual(['function', 'function']);
    socket.terminate();
    await next(socket, 'close');
    expect(socket._socket).toBe(_socket);
  });

  it('_socket.write of a frame -> reaches the peer, in order with send()', async () => {
    const { socket, peer } = await rawClient();
    socket.send('before');
    socket._socket.write(Buffer.from([0x81, 2, 0x68, 0x69]));
    socket.send('after');
    const frames = await peer.nextFrames(3);
    expect(frames.map(({ payload }) => String(payload))).toEqual(['before', 'hi', 'after']);
  });

  it('_sender.sendFrame(list, callback) -> as engine.io uses it', async () => {
    const { socket, peer } = await rawClient();
    const options = { readOnly: false, mask: false, rsv1: false, opcode: 1, fin: true };
    const list = WebSocket.Sender.frame(Buffer.from('prepared'), options);
    socket.send('before');
    const written = called((callback) => socket._sender.sendFrame(list, callback));
    socket.send('after');
    const frames = await peer.nextFrames(3);
    expect(frames.map(({ payload }) => String(payload))).toEqual(['before', 'prepared', 'after']);
    expect(await written).toEqual([null]);
  });

  it('_isServer and setSocket(stream, head, options) -> a client over any Duplex, as @fastify/websocket makes it', async () => {
    const [near, far] = duplexPair();
    const socket = new WebSocket(null, undefined, { isServer: false });
    expect(socket._isServer).toBe(true);
    socket._isServer = false;
    const opened = next(socket, 'open');
    socket.setSocket(near, Buffer.alloc(0), { maxPayload: 0 });
    await opened;
    expect([socket.readyState, socket._socket === near]).toEqual([WebSocket.OPEN, true]);

    const peer = new RawPeer(far, parseHead(''), false, Buffer.alloc(0));
    socket.send('masked');
    const frame = await peer.nextFrame();
    expect([String(frame.payload), frame.maskingKey !== undefined]).toEqual(['masked', true]);
    const message = next(socket, 'message');
    peer.send({ opcode: 1, payload: 'not masked' });
    expect(await message).toEqual([Buffer.from('not masked'), false]);
    const closed = next(socket, 'close');
    peer.send({ opcode: 8, payload: closePayload(1001) });
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1001));
    far.end();
    expect((await closed)[0]).toBe(1001);
  });

  it('setSocket(stream, head, options) of a server object -> head is read, masked frames are expected', async () => {
    const [near, far] = duplexPair();
    const socket = new WebSocket(null, undefined, {});
    const message = next(socket, 'message');
    const head = serializeFrame({ opcode: 1, payload: 'in head', maskingKey: Buffer.from([1, 2, 3, 4]) });
    socket.setSocket(near, head, { maxPayload: 0, skipUTF8Validation: false });
    expect(await message).toEqual([Buffer.from('in head'), false]);
    const peer = new RawPeer(far, parseHead(''), true, Buffer.alloc(0));
    socket.send('out');
    const frame = await peer.nextFrame();
    expect([String(frame.payload), frame.maskingKey]).toEqual(['out', undefined]);
    socket.terminate();
    await next(socket, 'close');
  });

  it('setSocket with maxPayload -> the limit holds', async () => {
    const [near, far] = duplexPair();
    const socket = new WebSocket(null, undefined, {});
    socket.setSocket(near, Buffer.alloc(0), { maxPayload: 3 });
    const failed = next(socket, 'error');
    far.write(serializeFrame({ opcode: 1, payload: 'four', maskingKey: Buffer.alloc(4) }));
    expect((await failed)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    socket.terminate();
    await next(socket, 'close');
  });

  it('setSocket with a number in place of options, as programs of old do -> open', async () => {
    const [near, far] = duplexPair();
    const socket = new WebSocket(null, undefined, {});
    socket.setSocket(near, Buffer.alloc(0), 100 * 1024 * 1024);
    const message = next(socket, 'message');
    far.write(serializeFrame({ opcode: 1, payload: 'hi', maskingKey: Buffer.from([1, 2, 3, 4]) }));
    expect(await message).toEqual([Buffer.from('hi'), false]);
    socket.terminate();
    await next(socket, 'close');
  });

  it('emitClose() of an object without a socket -> CLOSED and "close" 1006', () => {
    const socket = new WebSocket(null, undefined, {});
    const log = record(socket, 'close');
    socket.emitClose();
    expect([socket.readyState, log]).toEqual([WebSocket.CLOSED, [['close', 1006, Buffer.alloc(0)]]]);
  });

  it('_receiver._maxPayload -> a limit for one connection, read and written', async () => {
    const { socket, peer } = await rawClient({ maxPayload: 100 });
    expect(socket._receiver._maxPayload).toBe(100);
    socket._receiver._maxPayload = 3;
    expect(socket._receiver._maxPayload).toBe(3);
    const failed = next(socket, 'error');
    peer.send({ opcode: 1, payload: 'four' });
    expect((await failed)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
  });

  it('_receiver -> an emitter whose "ping" and "conclude" can be listened to', async () => {
    const { socket, peer } = await rawClient();
    expect(socket._receiver).toBeInstanceOf(EventEmitter);
    const pinged = next(socket._receiver, 'ping');
    const concluded = next(socket._receiver, 'conclude');
    peer.send({ opcode: 9, payload: 'x' }, { opcode: 8, payload: closePayload(4000, 'bye') });
    expect(await pinged).toEqual([Buffer.from('x')]);
    expect(await concluded).toEqual([4000, Buffer.from('bye')]);
  });

  it('_receiver.removeAllListeners("ping") -> no automatic pong, as programs did before autoPong', async () => {
    const { socket, peer } = await rawClient();
    socket._receiver.removeAllListeners('ping');
    peer.send({ opcode: 9, payload: 'x' }, { opcode: 1, payload: 'fence' });
    await next(socket, 'message');
    socket.send('fence');
    expect((await peer.nextFrame()).opcode).toBe(1);
  });

  it('_receiver "ping" of an own listener -> can answer itself', async () => {
    const { socket, peer } = await rawClient();
    socket._receiver.removeAllListeners('ping');
    socket._receiver.on('ping', (data: Buffer) => socket.send(`ping ${data}`));
    peer.send({ opcode: 9, payload: 'x' });
    expect(String((await peer.nextFrame()).payload)).toBe('ping x');
  });

  it('wss._server -> the http.Server with its address, null after close()', async () => {
    const wss = await server();
    expect(wss._server).toBeInstanceOf(http.Server);
    expect(wss._server.address().port).toBe(wss.address().port);
    expect(wss._server.listening).toBe(true);
    wss.close();
    expect(wss._server).toBeNull();
    const foreign = http.createServer();
    expect(new WebSocket.WebSocketServer({ server: foreign })._server).toBe(foreign);
  });

  it('_req -> the request while CONNECTING, null after', async () => {
    const raw = await rawServer();
    const socket = client(raw.url);
    expect(socket._req).toBeInstanceOf(http.ClientRequest);
    await next(socket, 'open');
    expect(socket._req).toBeNull();
  });

  it('_readyState -> the state', async () => {
    const socket = client('ws://127.0.0.1', { agent: silentAgent() });
    expect(socket._readyState).toBe(0);
    const { client: open } = await pair();
    expect(open._readyState).toBe(1);
  });

  it('_closeCode and _closeTimer -> the closing handshake', async () => {
    const { socket, peer } = await rawPair();
    expect(socket._closeCode).toBe(1006);
    expect(socket._closeTimer).toBeNull();
    socket.close(4000);
    expect(socket._closeTimer).not.toBeNull();
    await peer.nextFrame();
    expect(socket._closeCode).toBe(1006);
    peer.send({ opcode: 8, payload: closePayload(4001) });
    const closed = next(socket, 'close');
    peer.socket.end();
    await closed;
    expect(socket._closeCode).toBe(4001);
  });

  it("_extensions['permessage-deflate'] -> the negotiated extension with its params", async () => {
    const { client: socket, server: peer } = await pair({
      perMessageDeflate: { serverNoContextTakeover: true },
    });
    for (const { _extensions } of [socket, peer]) {
      const agreed = _extensions['permessage-deflate'];
      expect(agreed).toBeInstanceOf(WebSocket.PerMessageDeflate);
      expect(agreed.params).toEqual({ server_no_context_takeover: true });
    }
    const { client: without } = await pair();
    expect(without._extensions).toEqual({});
  });

  it('_redirects -> how many were followed', async () => {
    const raw: Package = await rawServer(() =>
      raw.requests.length < 3
        ? 'HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n'
        : undefined,
    );
    const socket = client(raw.url, { followRedirects: true });
    expect(socket._redirects).toBe(0);
    await next(socket, 'open');
    expect(socket._redirects).toBe(2);
  });
});
