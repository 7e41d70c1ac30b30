import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConnectionRecorder, type WireRecord } from '../../src/cli/connection-recorder.js';
import { BINARY, TEXT } from '../../src/wire/opcode.js';
import { serializeFrame } from '../support/frames.js';

const KEY = Buffer.from([1, 2, 3, 4]);
const REQUEST = {
  method: 'GET',
  url: '/echo?watch=me',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'localhost', 'X-Twice', 'a', 'X-Twice', 'b'],
} as IncomingMessage;

function setUp() {
  const records: WireRecord[] = [];
  return { records, recorder: new ConnectionRecorder(REQUEST, (record) => records.push(record)) };
}

function response(...headers: string[]): Buffer {
  return Buffer.from(
    ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', ...headers, '', ''].join('\r\n'),
  );
}

describe('ConnectionRecorder', () => {
  it('records the head of the request, with every header in its order', () => {
    expect(setUp().records).toEqual([
      {
        type: 'handshake',
        from: 'client',
        head: 'GET /echo?watch=me HTTP/1.1\r\nHost: localhost\r\nX-Twice: a\r\nX-Twice: b',
        section: '§4.1',
      },
    ]);
  });

  it('records the response and the frames behind it the same for any chunking', () => {
    const bytes = Buffer.concat([
      response(),
      serializeFrame({ opcode: TEXT, payload: 'hi' }),
      serializeFrame({ opcode: BINARY }),
    ]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
        const { records, recorder } = setUp();
        let start = 0;
        for (const end of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
          recorder.bytes('server', bytes.subarray(start, end));
          start = end;
        }
        expect(records.slice(1)).toMatchObject([
          {
            type: 'handshake',
            from: 'server',
            head: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket',
          },
          { type: 'frame', from: 'server', name: 'text', payload: { text: 'hi' } },
          { type: 'frame', from: 'server', name: 'binary', payloadLength: 0 },
        ]);
      }),
    );
  });

  it('keeps the two directions apart', () => {
    const { records, recorder } = setUp();
    const masked = serializeFrame({ opcode: TEXT, payload: 'question', maskingKey: KEY });
    recorder.bytes('server', response());
    recorder.bytes('client', masked.subarray(0, 5));
    recorder.bytes('server', serializeFrame({ opcode: TEXT, payload: 'answer' }));
    recorder.bytes('client', masked.subarray(5));
    expect(records.slice(2)).toMatchObject([
      { from: 'server', payload: { text: 'answer' }, violations: [] },
      { from: 'client', payload: { text: 'question' }, masked: true, violations: [] },
    ]);
  });

  it('[RFC6455-5.1-2] points out a client that does not mask', () => {
    const { records, recorder } = setUp();
    recorder.bytes('server', response());
    recorder.bytes('client', serializeFrame({ opcode: TEXT }));
    expect(records.at(-1)).toMatchObject({ violations: [{ section: '§5.1', closeCode: 1002 }] });
  });

  it.each([
    ['not negotiated', [], 1, undefined],
    ['negotiated', ['Sec-WebSocket-Extensions: permessage-deflate'], 0, 'Hello'],
  ])('reads RSV1 as compression only where that was %s', (_, headers, violations, text) => {
    const { records, recorder } = setUp();
    recorder.bytes('server', response(...headers));
    recorder.bytes(
      'server',
      serializeFrame({ opcode: TEXT, rsv1: true, payload: Buffer.from('f248cdc9c90700', 'hex') }),
    );
    const frame = records.at(-1) as { violations: unknown[]; message?: { text: string } };
    expect(frame.violations).toHaveLength(violations);
    expect(frame.message?.text).toBe(text);
  });

  it('reads no frames when the handshake was refused', () => {
    const { records, recorder } = setUp();
    recorder.bytes('server', Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nBad Request'));
    recorder.bytes('client', Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(records.slice(1)).toEqual([
      {
        type: 'handshake',
        from: 'server',
        head: 'HTTP/1.1 400 Bad Request\r\nConnection: close',
        section: '§4.2.2',
      },
    ]);
  });

  it('records a response head that never ends up to its limit, and nothing behind it', () => {
    const { records, recorder } = setUp();
    for (let index = 0; index < 40; index++) recorder.bytes('server', Buffer.alloc(1024, 'x'));
    expect(records).toHaveLength(2);
    expect((records[1] as { head: string }).head).toHaveLength(16 * 1024);
  });

  it('shows 4 KiB of a large payload', () => {
    const { records, recorder } = setUp();
    recorder.bytes('server', response());
    recorder.bytes('server', serializeFrame({ opcode: BINARY, payload: Buffer.alloc(100_000, 1) }));
    expect(records.at(-1)).toMatchObject({
      payloadLength: 100_000,
      payload: { isWhole: false, hex: '01'.repeat(4096) },
    });
  });

  it('records how TCP ended, and a frame that was cut off by it', () => {
    const { records, recorder } = setUp();
    recorder.bytes('server', response());
    recorder.bytes(
      'client',
      serializeFrame({ opcode: TEXT, payload: 'half', maskingKey: KEY }).subarray(0, 8),
    );
    recorder.end('client');
    recorder.close(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    expect(records.slice(2)).toMatchObject([
      { type: 'frame', payload: { text: 'ha', isWhole: false } },
      { type: 'tcp', from: 'client', event: 'closed its side of the TCP connection (FIN)' },
      { type: 'tcp', from: 'unknown', event: 'the TCP connection is closed: ECONNRESET' },
    ]);
  });
});
