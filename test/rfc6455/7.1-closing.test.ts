// RFC 6455 §7.1: closing, and failing the connection. What a WebSocket object shows of it is seen through a pair of
// streams in memory.
import { type Duplex, duplexPair } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { both, Endpoint, exchange, expectFailure, feed, fromPeer, ROLES } from '../support/engine.js';
import { closePayload, FrameCollector } from '../support/frames.js';

const close = (code: number, reason?: string) => ({ opcode: 8, payload: closePayload(code, reason) });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A server's WebSocket on a stream of which the other end is ours. */
function serverOnStream() {
  const [ours, theirs] = duplexPair() as [Duplex, Duplex];
  const webSocket = new WebSocket(null);
  webSocket.setSocket(ours, Buffer.alloc(0), {});
  const closed = new Promise<[number, string]>((resolve) => {
    webSocket.on('close', (code: number, reason: Buffer) => resolve([code, String(reason)]));
  });
  const errors: string[] = [];
  webSocket.on('error', (error: Error & { code: string }) => errors.push(error.code));
  const collector = new FrameCollector();
  const opcodes: number[] = [];
  theirs.on('data', (bytes: Buffer) => opcodes.push(...collector.push(bytes).map(({ opcode }) => opcode)));
  return { webSocket, peer: theirs, closed, errors, opcodes };
}

describe('§7.1.1 Close the WebSocket Connection', () => {
  both('[RFC6455-7.1.1-1]', 'gets bytes behind the Close frame -> they are discarded', (role) => {
    const endpoint = feed(role, [
      fromPeer(role, close(1000), { opcode: 1, payload: 'late' }),
      Buffer.alloc(9, 0xff),
    ]);
    expect(endpoint.events).toEqual([['close', 1000, '']]);
    endpoint.takeOutput();
    expect(endpoint.requests).not.toContain('destroy');
  });

  both('[RFC6455-7.1.1-2]', 'is terminated -> drops the socket without a Close frame', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.terminate();
    expect([endpoint.requests, endpoint.takeFrames()]).toEqual([['destroy'], []]);
  });

  it('[RFC6455-7.1.1-3] [RFC6455-7.1.1-5] [RFC6455-7.1.1-6] both roles, after the closing handshake -> the server ends TCP first', () => {
    for (const first of [0, 1]) {
      const [client, server] = ROLES.map((role) => new Endpoint(role)) as [Endpoint, Endpoint];
      [client, server][first]!.connection.close(1000);
      exchange(client, server);
      expect([client.requests, server.requests]).toEqual([[], ['end']]);
    }
  });

  it('[RFC6455-7.1.1-4] client, the server never ends TCP -> ends and then drops it', () => {
    const client = feed('client', [fromPeer('client', close(1000))]);
    client.takeOutput();
    client.connection.handleTimeout();
    client.connection.handleTimeout();
    expect(client.requests).toEqual(['end', 'destroy']);
  });
});

describe('§7.1.2 to §7.1.6', () => {
  both(
    '[RFC6455-7.1.2-1] [RFC6455-7.3-3]',
    'closes with 3000 and x -> a Close frame with 0B B8 78',
    (role) => {
      const endpoint = new Endpoint(role);
      endpoint.connection.close(3000, Buffer.from('x'));
      expect(endpoint.takeFrames()).toMatchObject([{ opcode: 8, payload: Buffer.from('0bb878', 'hex') }]);
    },
  );

  it('[RFC6455-7.1.2-2] server, sent and received Close -> closes the connection', () => {
    const server = new Endpoint('server');
    server.connection.close();
    server.takeOutput();
    server.receive(fromPeer('server', close(1000)));
    expect(server.requests).toEqual(['end']);
  });

  it('[RFC6455-7.1.3-1] server, sends Close -> CLOSING until TCP is closed', async () => {
    const { webSocket, peer, closed } = serverOnStream();
    webSocket.close(1000);
    expect(webSocket.readyState).toBe(WebSocket.CLOSING);
    peer.write(fromPeer('server', close(1000)));
    peer.end();
    await closed;
    expect(webSocket.readyState).toBe(WebSocket.CLOSED);
  });

  it('[RFC6455-7.1.3-1] server, receives Close -> CLOSING until TCP is closed', async () => {
    const { webSocket, peer, closed, opcodes } = serverOnStream();
    peer.write(fromPeer('server', close(1001)));
    while (opcodes.length === 0) await turn();
    expect(webSocket.readyState).toBe(WebSocket.CLOSING);
    peer.end();
    await closed;
    expect(webSocket.readyState).toBe(WebSocket.CLOSED);
  });

  it.each([
    ['a Close with code and reason', close(4000, 'why'), 4000, 'why', true],
    ['a Close without a code', { opcode: 8 }, 1005, '', true],
    ['no Close', undefined, 1006, '', false],
  ])(
    '[RFC6455-7.1.4-1] [RFC6455-7.1.5-1] [RFC6455-7.1.6-1] server, TCP closes after %s',
    async (_, frame, code, reason, wasClean) => {
      const { webSocket, peer, closed } = serverOnStream();
      if (frame !== undefined) peer.write(fromPeer('server', frame));
      peer.end();
      expect(await closed).toEqual([code, reason]);
      expect(webSocket.wasClean).toBe(wasClean);
    },
  );

  it('[RFC6455-7.1.5-1] [RFC6455-7.1.6-1] server, receives two Close frames -> code and reason of the first', async () => {
    const { peer, closed } = serverOnStream();
    peer.end(fromPeer('server', close(4000, 'first'), close(4001, 'second')));
    expect(await closed).toEqual([4000, 'first']);
  });

  it('[RFC6455-5.5.1-6] [RFC6455-6.1-2] server, sends data after close() -> nothing on the wire, the callback gets an error', async () => {
    const { webSocket, peer, closed, opcodes } = serverOnStream();
    webSocket.send('before');
    webSocket.close(1000);
    const error = await new Promise<unknown>((resolve) => webSocket.send('after', resolve));
    expect(error).toBeInstanceOf(Error);
    peer.end(fromPeer('server', close(1000)));
    await closed;
    expect(opcodes).toEqual([1, 8]);
  });
});

describe('§7.1.7 Fail the WebSocket Connection', () => {
  for (const [name, frame, code, closeCode] of [
    ['a reserved opcode', { opcode: 3 }, 'WS_ERR_INVALID_OPCODE', 1002],
    ['invalid text', { opcode: 1, payload: Buffer.from([0xff]) }, 'WS_ERR_INVALID_UTF8', 1007],
    [
      'too large a message',
      { opcode: 2, payload: 'x'.repeat(11) },
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      1009,
    ],
  ] as const) {
    both(
      '[RFC6455-7.1.7-5] [RFC6455-10.7-3]',
      `receives ${name} -> tells the peer ${closeCode} and closes`,
      (role) => {
        const tight = { maxPayload: 10 };
        expectFailure(role, fromPeer(role, frame), code, closeCode, tight);
        const endpoint = feed(role, [fromPeer(role, frame)], tight);
        expect(endpoint.requests).toEqual([]);
        endpoint.takeOutput();
        expect(endpoint.requests).toEqual(['end']);
        expect(endpoint.connection.wasClean).toBe(false);
      },
    );
  }

  both(
    '[RFC6455-7.1.7-1] [RFC6455-7.1.7-3] [RFC6455-7.2.1-1]',
    'fails, and the peer does nothing -> drops the socket when the time is over',
    (role) => {
      const endpoint = feed(role, [fromPeer(role, { opcode: 3 })], { closeTimeoutMs: 700 });
      endpoint.takeOutput();
      expect(endpoint.deadlineMs).toBe(700);
      endpoint.connection.handleTimeout();
      expect(endpoint.requests).toEqual(['end', 'destroy']);
    },
  );

  both(
    '[RFC6455-7.1.7-7]',
    'fails -> nothing behind is processed: no message, no Pong, no answer to a Close',
    (role) => {
      const behind = [{ opcode: 1, payload: 'a' }, { opcode: 9 }, close(1000)];
      const together = feed(role, [fromPeer(role, { opcode: 3 }, ...behind)]);
      const later = feed(role, [fromPeer(role, { opcode: 3 }), fromPeer(role, ...behind)]);
      for (const endpoint of [together, later]) {
        expect(endpoint.events).toEqual([['fail', 'WS_ERR_INVALID_OPCODE']]);
        expect(endpoint.takeFrames()).toMatchObject([{ opcode: 8, payload: closePayload(1002) }]);
        expect(endpoint.connection.receiver.isEnded).toBe(true);
      }
    },
  );

  both('[RFC6455-7.1.7-6]', 'fails after it has sent Close -> sends no second one, and closes', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.close(1000);
    endpoint.takeOutput();
    endpoint.receive(fromPeer(role, { opcode: 3 }));
    expect([endpoint.takeFrames(), endpoint.requests]).toEqual([[], ['end']]);
  });

  it('[RFC6455-7.1.7-2] [RFC6455-7.1.7-4] server, the peer breaks a rule -> an error event with the code, then close with 1006', async () => {
    const { peer, closed, errors } = serverOnStream();
    peer.write(fromPeer('server', { opcode: 3 }));
    peer.end();
    expect(await closed).toEqual([1006, '']);
    expect(errors).toEqual(['WS_ERR_INVALID_OPCODE']);
  });

  both('[RFC6455-7.2.1-2]', 'the transport is lost -> not clean, and no Close frame is made up', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.transportClosed();
    expect([endpoint.connection.wasClean, endpoint.events, endpoint.takeFrames()]).toEqual([false, [], []]);
  });
});

it('[RFC6455-7.3-1] server, closes whenever it wants, also within a message -> a Close frame', () => {
  const server = new Endpoint('server');
  server.receive(fromPeer('server', { opcode: 1, fin: false, payload: 'a' }));
  server.connection.close(1001);
  expect(server.takeFrames()).toMatchObject([{ opcode: 8, payload: closePayload(1001) }]);
});
