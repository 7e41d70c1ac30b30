// Peers over a WebSocket that only notes how it is used. Real ones are in test/rpc/faults.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { debug } from '../../src/agent/debug.js';
import { RPC } from '../../src/rpc/errors.js';
import { RpcPeer } from '../../src/rpc/peer.js';
import type { RpcSocket } from '../../src/rpc/socket-connection.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { fateOf, rejection, rpcError, yielding } from '../support/rpc-stage.js';

/** With the standard's face. */
class FakeSocket {
  binaryType = '';
  bufferedAmount = 0;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: string[] = [];
  readonly closed: [code: number | undefined, reason: string | undefined][] = [];

  send(text: string): void {
    if (this.readyState !== 1) throw new Error('not open');
    this.sent.push(text);
  }

  close(code?: number, reason?: string): void {
    this.closed.push([code, reason]);
    this.readyState = 2;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  receive(message: object | string): void {
    const data = typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message });
    this.onmessage?.({ data });
  }

  end(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

let environment: FakeEnvironment;
const ends: { peer: RpcPeer; socket: FakeSocket }[] = [];

beforeEach(() => {
  environment = new FakeEnvironment();
});

afterEach(async () => {
  for (const { peer, socket } of ends.splice(0)) {
    const closed = peer.close();
    socket.end(1000);
    await closed;
  }
  await environment.settle();
  expect(environment.pendingTimers).toBe(0);
  expect(debug.active()).toEqual([]);
});

function open(options: object = {}, socket = new FakeSocket()) {
  const peer = new RpcPeer(socket as unknown as RpcSocket, options as never, environment) as RpcPeer;
  const closes: unknown[] = [];
  peer.on('close', ({ error }) => closes.push(error));
  ends.push({ peer, socket });
  return { peer, socket, closes };
}

const methodsSent = (socket: FakeSocket) =>
  socket.sent.splice(0).map((text) => {
    const { method, id } = JSON.parse(text);
    return method ?? id;
  });

describe('a socket', () => {
  it('calls and answers', async () => {
    const { peer, socket } = open({ handlers: { add: ([a, b]: number[]) => a! + b! } });
    const call = peer.call('a', { b: 1 });
    socket.receive({ id: 1, result: 5 });
    socket.receive({ id: 1, method: 'add', params: [1, 2] });
    expect(await call).toBe(5);
    expect(socket.sent).toEqual([
      '{"jsonrpc":"2.0","id":1,"method":"a","params":{"b":1}}',
      '{"jsonrpc":"2.0","id":1,"result":3}',
    ]);
  });

  it('still being opened -> calls wait for it', async () => {
    const socket = new FakeSocket();
    socket.readyState = 0;
    const { peer } = open({}, socket);
    const call = peer.call('a');
    expect(socket.sent).toEqual([]);
    socket.open();
    expect(methodsSent(socket)).toEqual(['a']);
    socket.receive({ id: 1, result: 1 });
    expect(await call).toBe(1);
  });

  it('it is never opened -> surely not processed', async () => {
    const socket = new FakeSocket();
    socket.readyState = 0;
    const { peer, closes } = open({}, socket);
    const call = peer.call('a');
    socket.end();
    expect(await rejection(call)).toEqual(rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }));
    expect(closes).toEqual([rpcError(RPC.LOST, 'the connection is closed (1006)')]);
  });

  it('it is closed already -> so is the peer, and it tells so', async () => {
    const socket = new FakeSocket();
    socket.readyState = 3;
    const { peer, closes } = open({}, socket);
    expect(await fateOf(peer.call('a'))).toBe(RPC.LOST);
    expect(peer.isClosed).toBe(true);
    expect(closes).toEqual([rpcError(RPC.LOST)]);
  });

  it.each([
    [1000, '', undefined],
    [1000, 'bye', undefined],
    [1001, '', rpcError(RPC.LOST, 'the connection is closed (1001)')],
    [4000, 'why', rpcError(RPC.LOST, 'the connection is closed (4000, why)')],
  ])('it ends with %d %j -> it is all over', async (code, reason, error) => {
    const { peer, socket, closes } = open();
    const call = peer.call('a');
    socket.end(code, reason);
    expect(await rejection(call)).toEqual(rpcError(RPC.LOST, expect.any(String), { outcome: 'unknown' }));
    expect(closes).toEqual([error]);
    expect(await rejection(peer.call('b'))).toEqual(
      rpcError(RPC.LOST, expect.any(String), { outcome: 'not-sent' }),
    );
  });

  it('close -> 1000; settled when the connection is gone', async () => {
    const { peer, socket, closes } = open();
    const call = peer.call('a');
    const closed = peer.close();
    expect(socket.closed).toEqual([[1000, '']]);
    expect(await fateOf(call)).toBe(RPC.LOST);
    expect(await fateOf(closed)).toBe('pending');
    socket.receive({ id: 1, method: 'unknown' });
    socket.end(1000);
    await closed;
    expect(closes).toEqual([undefined]);
    expect(socket.closed).toHaveLength(1);
    expect(methodsSent(socket)).toEqual(['a']);
  });

  it('close, and the peer does not answer -> given up after 5 s', async () => {
    const { peer, socket } = open();
    const closed = peer.close();
    environment.advance(5050);
    await closed;
    expect(socket.closed).toHaveLength(2);
  });

  it('the peer overruns its credit -> 4500', async () => {
    const { peer, socket, closes } = open();
    const call = peer.call('a');
    socket.receive({ id: 1, result: { stream: 1 } });
    await call;
    socket.receive({ method: '$/next', params: { s: 1, items: Array(64).fill(1) } });
    expect(socket.closed).toEqual([]);
    socket.receive({ method: '$/next', params: { s: 1, items: [1] } });
    expect(socket.closed).toEqual([[4500, 'stream 1 has sent more than its credit']]);
    expect(closes).toEqual([rpcError(RPC.LOST, 'stream 1 has sent more than its credit')]);
  });

  it('bytes -> refused, and the connection goes on', () => {
    const { socket } = open();
    socket.onmessage?.({ data: new ArrayBuffer(2) });
    expect(JSON.parse(socket.sent[0]!)).toMatchObject({ id: null, error: { code: RPC.INVALID_REQUEST } });
    expect(socket.closed).toEqual([]);
  });
});

describe('a socket that is congested', () => {
  const LARGE = ['x'.repeat(20_000)];

  it('more than 256 KiB wait in it -> what follows waits here, until it has room', () => {
    const { peer, socket } = open();
    socket.bufferedAmount = 256 * 1024 + 1;
    peer.call('a', LARGE);
    peer.call('b');
    expect(methodsSent(socket)).toEqual(['a']);
    environment.advance(10);
    expect(methodsSent(socket)).toEqual([]);
    socket.bufferedAmount = 256 * 1024;
    environment.advance(10);
    expect(methodsSent(socket)).toEqual(['b']);
    peer.call('c');
    expect(methodsSent(socket)).toEqual(['c']);
    expect(environment.pendingTimers).toBe(1);
  });

  it('items of streams wait, and answers go first', async () => {
    const { socket } = open({ handlers: { count: () => yielding(LARGE), add: () => 1 } });
    socket.bufferedAmount = 2 ** 20;
    socket.receive({ id: 1, method: 'count' });
    await environment.settle();
    expect(socket.sent.splice(0)).toHaveLength(2);
    socket.receive({ id: 2, method: 'count' });
    await environment.settle();
    socket.receive({ id: 3, method: 'add' });
    expect(socket.sent).toEqual([]);
    socket.bufferedAmount = 0;
    environment.advance(10);
    expect(methodsSent(socket)).toEqual([2, 3, '$/end', '$/next', '$/end']);
  });

  it('it ends -> nobody looks any more', () => {
    const { peer, socket } = open();
    socket.bufferedAmount = 2 ** 20;
    peer.call('a', LARGE);
    socket.end();
    expect(environment.pendingTimers).toBe(0);
  });
});
