import { describe, expect, it } from 'vitest';
import { fromPeer } from '../support/engine.js';
import { next, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { webSocketOnStream } from '../support/web-socket.js';

const texts = (...payloads: string[]) =>
  fromPeer('server', ...payloads.map((payload) => ({ opcode: 1, payload })));
const close = () => fromPeer('server', { opcode: 8, payload: closePayload(1000) });

describe('iterateMessages', () => {
  it('gives messages in order, and ends with the connection', async () => {
    const { webSocket, peer } = webSocketOnStream();
    peer.write(Buffer.concat([texts('a', 'b'), fromPeer('server', { opcode: 2, payload: 'c' })]));
    peer.end(close());
    const seen: [string, boolean][] = [];
    for await (const { data, isBinary } of webSocket) seen.push([String(data), isBinary]);
    expect(seen).toEqual([
      ['a', false],
      ['b', false],
      ['c', true],
    ]);
  });

  it('the consumer lags -> the socket is not read', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const iterator = webSocket[Symbol.asyncIterator]();
    const first = iterator.next();
    peer.write(texts('a'));
    expect(String((await first).value!.data)).toBe('a');
    expect(webSocket.isPaused).toBe(true);
    peer.write(texts('b'));
    for (let i = 0; i < 5; i++) await turn();
    expect(peer.writableLength).toBe(0);
    expect(String((await iterator.next()).value!.data)).toBe('b');
    await iterator.return();
  });

  it('the peer breaks a rule -> what came before is given, then the error is thrown', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const seen: string[] = [];
    peer.end(Buffer.concat([texts('a'), fromPeer('server', { opcode: 3 })]));
    const consume = async () => {
      for await (const { data } of webSocket) seen.push(String(data));
    };
    await expect(consume()).rejects.toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
    expect(seen).toEqual(['a']);
  });

  it('the consumer leaves the loop -> the connection is closed, and no listener stays', async () => {
    const { webSocket, peer, frames } = webSocketOnStream();
    peer.write(texts('a', 'b'));
    for await (const { data } of webSocket) {
      expect(String(data)).toBe('a');
      break;
    }
    expect(webSocket.readyState).toBe(webSocket.CLOSING);
    expect(webSocket.listenerCount('message') + webSocket.listenerCount('error')).toBe(0);
    const closed = next(webSocket, 'close');
    peer.end(close());
    await closed;
    expect(frames.map(({ opcode }) => opcode)).toEqual([8]);
  });

  it('the connection is closed already -> ends at once', async () => {
    const { webSocket, peer } = webSocketOnStream();
    const closed = next(webSocket, 'close');
    peer.end(close());
    await closed;
    expect(await webSocket[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });
});
