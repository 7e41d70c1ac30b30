// A server's WebSocket on a stream in memory; the other end of the stream is the test's.
import { type Duplex, duplexPair } from 'node:stream';
import type { SocketOptions } from '../../src/ws/options.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { FrameCollector, type WireFrame } from './frames.js';

export function webSocketOnStream(options: SocketOptions = {}) {
  const [ours, peer] = duplexPair() as [Duplex, Duplex];
  const webSocket = new WebSocket(null);
  webSocket.setSocket(ours, Buffer.alloc(0), options);
  const collector = new FrameCollector();
  const frames: WireFrame[] = [];
  peer.on('data', (bytes: Buffer) => frames.push(...collector.push(bytes)));
  return { webSocket, peer, frames };
}
