import { describe, expect, it } from 'vitest';
import { fromPeer } from '../support/engine.js';
import { next, record, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { webSocketOnStream } from '../support/web-socket.js';

describe('_receiver', () => {
  it('is made once, and not without a connection', () => {
    const { webSocket } = webSocketOnStream();
    expect(webSocket._receiver).toBe(webSocket._receiver);
    expect(webSocket._receiver).not.toBeNull();
  });

  it('emits ping, and conclude with code and reason', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const log = record(webSocket._receiver!, 'ping', 'conclude');
    const closed = next(webSocket, 'close');
    peer.end(
      fromPeer('server', { opcode: 9, payload: 'p' }, { opcode: 8, payload: closePayload(4000, 'why') }),
    );
    await closed;
    expect(log.map(([name, ...values]) => [name, ...values.map(String)])).toEqual([
      ['ping', 'p'],
      ['conclude', '4000', 'why'],
    ]);
  });

  it('_maxPayload is the limit of the connection, and can be set', async () => {
    const { webSocket, peer } = webSocketOnStream({ maxPayload: 100 });
    expect(webSocket._receiver!._maxPayload).toBe(100);
    webSocket._receiver!._maxPayload = 3;
    const error = next(webSocket, 'error');
    peer.write(fromPeer('server', { opcode: 1, payload: 'four' }));
    expect((await error)[0]).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  });

  it.each([['ping'], [undefined]])(
    'removeAllListeners(%s) -> Pings are not answered any more',
    async (type) => {
      const { webSocket, peer, frames } = webSocketOnStream();
      webSocket._receiver!.removeAllListeners(type);
      const pinged = next(webSocket, 'ping');
      peer.write(fromPeer('server', { opcode: 9 }));
      await pinged;
      await turn();
      expect(frames).toEqual([]);
    },
  );

  it('removeAllListeners of another event -> Pings are answered', async () => {
    const { webSocket, peer, frames } = webSocketOnStream();
    webSocket._receiver!.removeAllListeners('conclude');
    const pinged = next(webSocket, 'ping');
    peer.write(fromPeer('server', { opcode: 9 }));
    await pinged;
    await turn();
    expect(frames.map(({ opcode }) => opcode)).toEqual([10]);
  });
});

describe('_sender', () => {
  it('sendFrame writes pieces as they are, and calls back', async () => {
    const { webSocket, frames } = webSocketOnStream();
    const error = await new Promise((resolve) => {
      webSocket._sender!.sendFrame([Buffer.from([0x81, 1]), Buffer.from('a')], resolve);
    });
    await turn();
    expect(error ?? null).toBeNull();
    expect(frames.map(({ payload }) => String(payload))).toEqual(['a']);
  });

  it('_socket is the stream, _bufferedBytes what waits for a compressor', () => {
    const { webSocket } = webSocketOnStream();
    expect(webSocket._sender!._socket).toBe(webSocket._socket);
    expect(webSocket._sender!._bufferedBytes).toBe(0);
    webSocket.send(new Blob(['abc']));
    expect(webSocket._sender!._bufferedBytes).toBe(3);
  });
});
