import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { echo } from '../../src/cli/endpoints.js';
import type { WebSocket } from '../../src/ws/websocket.js';

const MIB = 1024 * 1024;

/** The part of a WebSocket that `echo` uses; the test decides what has been read by the peer. */
class FakeWebSocket extends EventEmitter {
  bufferedAmount = 0;
  isPaused = false;
  readonly sent: { data: Buffer; binary: boolean; done: (() => void) | undefined }[] = [];

  send(data: Buffer, { binary }: { binary: boolean }, done?: () => void): void {
    this.bufferedAmount += data.length;
    this.sent.push({ data, binary, done });
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }
}

function setUp(): FakeWebSocket {
  const socket = new FakeWebSocket();
  echo(socket as unknown as WebSocket);
  return socket;
}

describe('echo', () => {
  it('sends text back as text and bytes as bytes', () => {
    const socket = setUp();
    socket.emit('message', Buffer.from('a'), false);
    socket.emit('message', Buffer.from('b'), true);
    expect(socket.sent.map(({ data, binary }) => [String(data), binary])).toEqual([
      ['a', false],
      ['b', true],
    ]);
    expect(socket.isPaused).toBe(false);
  });

  it('stops reading while its peer does not read, and goes on when it does', () => {
    const socket = setUp();
    for (let index = 0; index < 3; index++) socket.emit('message', Buffer.alloc(0.6 * MIB), true);
    expect(socket.isPaused).toBe(true);

    socket.bufferedAmount = 1.2 * MIB;
    socket.sent[1]!.done?.();
    expect(socket.isPaused).toBe(true);

    socket.bufferedAmount = 0;
    socket.sent[2]!.done?.();
    expect(socket.isPaused).toBe(false);
  });

  it('goes on after one message that is larger than the bound', () => {
    const socket = setUp();
    socket.emit('message', Buffer.alloc(2 * MIB), true);
    expect(socket.isPaused).toBe(true);
    socket.bufferedAmount = 0;
    socket.sent[0]!.done?.();
    expect(socket.isPaused).toBe(false);
  });
});
