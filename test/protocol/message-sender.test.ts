import { describe, expect, it } from 'vitest';
import type { Deflater } from '../../src/protocol/compression.js';
import type { WriteCallback } from '../../src/protocol/message-sender.js';
import { both, Endpoint, feed } from '../support/engine.js';

/** "Compresses" by writing `<...>` around a message, at once or when told to. */
class BracketDeflater implements Deflater {
  isClosed = false;
  readonly #waiting: (() => void)[] = [];
  #reject: ((error: Error) => void) | undefined;
  constructor(readonly isSlow: boolean) {}
  deflate(payload: Uint8Array, isFirst: boolean, isFinal: boolean): Uint8Array | Promise<Uint8Array> {
    const bytes = Buffer.from(`${isFirst ? '<' : ''}${Buffer.from(payload)}${isFinal ? '>' : ''}`);
    if (!this.isSlow) return bytes;
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#waiting.push(() => resolve(bytes));
    });
  }
  close(): void {
    this.isClosed = true;
    this.#reject?.(new Error('The deflater is closed'));
  }
  fail(): void {
    this.#reject?.(new Error('deflate failed'));
  }
  async settle(): Promise<void> {
    this.#waiting.shift()?.();
    await turn();
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Frames as `opcode`, `+` for FIN, `z` for RSV1, and the payload. */
function described(endpoint: Endpoint): string[] {
  return endpoint
    .takeFrames()
    .map(({ opcode, fin, rsv1, payload }) => `${opcode}${fin ? '+' : ''}${rsv1 ? 'z' : ''} ${payload}`);
}

describe('frames of a message', () => {
  both('[RFC6455-6.1-6] [RFC6455-6.1-7]', 'sends text and binary -> opcode 1 and 2, FIN set', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.send('text');
    endpoint.send(Buffer.from('binary'));
    expect(described(endpoint)).toEqual(['1+ text', '2+ binary']);
  });

  both(
    '[RFC6455-5.4-2] [RFC6455-6.1-5]',
    'sends in fragments -> type in the first frame, FIN in the last',
    (role) => {
      const endpoint = new Endpoint(role);
      for (const message of ['one', 'two']) {
        endpoint.send(`${message} a`, { isFinal: false });
        endpoint.send(Buffer.from('b'), { isFinal: false });
        endpoint.send('');
        endpoint.send(message);
      }
      const expected = (message: string) => [`1 ${message} a`, '0 b', '0+ ', `1+ ${message}`];
      expect(described(endpoint)).toEqual([...expected('one'), ...expected('two')]);
    },
  );

  both('[RFC6455-5.4-3]', 'sends a Ping between fragments -> it leaves between them', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.send('a', { isFinal: false });
    endpoint.connection.ping('p');
    endpoint.send('b');
    expect(described(endpoint)).toEqual(['1 a', '9+ p', '0+ b']);
  });

  both(
    '[RFC6455-5.1-1] [RFC6455-5.1-4]',
    'is told how to mask -> does that instead of what its role demands',
    (role) => {
      for (const isMasked of [false, true]) {
        const endpoint = new Endpoint(role);
        endpoint.connection.sender.sendMessage('a', {
          isBinary: false,
          isFinal: true,
          compress: false,
          isMasked,
        });
        endpoint.connection.ping('', undefined, isMasked);
        expect(endpoint.takeFrames().map(({ maskingKey }) => maskingKey !== undefined)).toEqual([
          isMasked,
          isMasked,
        ]);
      }
    },
  );

  it('client, has a masking key function of its own -> uses that one', () => {
    const endpoint = new Endpoint('client', { maskingKey: () => 0x04030201 });
    endpoint.send('a');
    endpoint.connection.ping('p');
    expect(endpoint.takeFrames().map(({ maskingKey }) => maskingKey?.toString('hex'))).toEqual([
      '01020304',
      '01020304',
    ]);
    expect(endpoint.keys).toEqual([]);
  });
});

describe('compressed messages', () => {
  for (const isSlow of [false, true]) {
    const how = isSlow ? 'in the background' : 'at once';

    both(
      '[RFC7692-6.1-1] [RFC7692-6.1-3]',
      `compresses ${how} -> RSV1 on the first frame only`,
      async (role) => {
        const deflater = new BracketDeflater(isSlow);
        const endpoint = new Endpoint(role, { deflater });
        endpoint.send('a', { compress: true, isFinal: false });
        endpoint.send('b', { compress: true, isFinal: false });
        endpoint.connection.ping('p');
        endpoint.send('c', { compress: true });
        for (let i = 0; i < 3; i++) await deflater.settle();
        expect(described(endpoint)).toEqual(['1z <a', '0 b', '9+ p', '0+ c>']);
      },
    );

    both(
      '[RFC6455-6.1-9]',
      `compresses ${how} with other frames behind -> they leave in the order they were sent`,
      async (role) => {
        const deflater = new BracketDeflater(isSlow);
        const endpoint = new Endpoint(role, { deflater });
        endpoint.send('one', { compress: true });
        endpoint.send('two');
        endpoint.connection.pong('three');
        endpoint.send('four', { compress: true });
        endpoint.connection.close(1000);
        if (isSlow) {
          expect(described(endpoint)).toEqual([]);
          expect(endpoint.connection.bufferedBytes).toBe(3 + 3 + 5 + 4 + 2);
          await deflater.settle();
          expect(endpoint.connection.sender.queuedBytes).toBe(4 + 2);
          await deflater.settle();
        }
        expect(described(endpoint)).toEqual([
          '1+z <one>',
          '1+ two',
          '10+ three',
          '1+z <four>',
          '8+ \x03\ufffd',
        ]);
        expect(endpoint.connection.bufferedBytes).toBe(0);
      },
    );
  }

  both('[RFC7692-6.1-2]', 'the first fragment is not compressed -> none of the message is', (role) => {
    const endpoint = new Endpoint(role, { deflater: new BracketDeflater(false) });
    endpoint.send('a', { isFinal: false });
    endpoint.send('b', { compress: true });
    expect(described(endpoint)).toEqual(['1 a', '0+ b']);
  });

  both('[RFC7692-6.1-2]', 'message below the threshold -> not compressed', (role) => {
    const endpoint = new Endpoint(role, { deflater: new BracketDeflater(false), compressFromBytes: 4 });
    for (const text of ['abc', 'abcd', 'éa', 'éé']) endpoint.send(text, { compress: true });
    expect(described(endpoint)).toEqual(['1+ abc', '1+z <abcd>', '1+ éa', '1+z <éé>']);
  });

  both('[RFC7692-6.1-2]', 'nothing was agreed -> not compressed', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.send('a', { compress: true });
    expect(described(endpoint)).toEqual(['1+ a']);
  });
});

describe('promised payloads', () => {
  both('[RFC6455-6.1-9]', 'the payload is promised -> what comes behind waits', async (role) => {
    const endpoint = new Endpoint(role);
    const message = { isBinary: true, isFinal: true, compress: false };
    endpoint.connection.sender.sendMessage(() => Promise.resolve(Buffer.from('blob')), message, undefined, 4);
    endpoint.connection.sender.sendControl(
      9,
      () => Promise.resolve(Buffer.from('ping')),
      undefined,
      undefined,
      4,
    );
    endpoint.send('text');
    expect(endpoint.connection.bufferedBytes).toBe(12);
    expect(described(endpoint)).toEqual([]);
    await turn();
    expect(described(endpoint)).toEqual(['2+ blob', '9+ ping', '1+ text']);
    expect(endpoint.connection.bufferedBytes).toBe(0);
  });

  both('', 'the promise is rejected -> callbacks get the error, the connection fails', async (role) => {
    const endpoint = new Endpoint(role);
    const seen: (string | undefined)[] = [];
    const done: WriteCallback = (error) => seen.push(error?.message);
    const message = { isBinary: true, isFinal: true, compress: false };
    endpoint.connection.sender.sendMessage(() => Promise.reject(new Error('unreadable')), message, done, 4);
    endpoint.connection.sender.sendMessage('behind', message, done);
    await turn();
    expect(seen).toEqual(['unreadable', 'unreadable']);
    expect(endpoint.events).toEqual([['fail', 'unreadable']]);
    expect(endpoint.requests).toEqual(['end']);
    expect(endpoint.connection.bufferedBytes).toBe(0);
  });
});

describe('abort', () => {
  both(
    '[RFC6455-6.1-3]',
    'the transport closes while a message is compressed -> dropped, callbacks get an error',
    async (role) => {
      const deflater = new BracketDeflater(true);
      const endpoint = new Endpoint(role, { deflater });
      const seen: unknown[] = [];
      const message = { isBinary: false, isFinal: true, compress: true };
      endpoint.connection.sender.sendMessage('a', message, (error) => seen.push(error instanceof Error));
      endpoint.connection.sender.sendMessage('b', message, (error) => seen.push(error instanceof Error));
      endpoint.connection.transportClosed();
      await turn();
      expect(seen).toEqual([true, true]);
      expect(deflater.isClosed).toBe(true);
      expect(described(endpoint)).toEqual([]);
      expect(endpoint.events).toEqual([]);
    },
  );

  both(
    '[RFC6455-6.1-3]',
    'the transport closes while a payload is promised -> dropped, the callback gets an error',
    async (role) => {
      const endpoint = new Endpoint(role);
      const seen: unknown[] = [];
      const message = { isBinary: true, isFinal: true, compress: false };
      const done: WriteCallback = (error) => seen.push(error instanceof Error);
      endpoint.connection.sender.sendMessage(() => Promise.resolve(Buffer.from('blob')), message, done, 4);
      endpoint.connection.transportClosed();
      await turn();
      expect([seen, described(endpoint), endpoint.events]).toEqual([[true], [], []]);
    },
  );

  both(
    '',
    'compressing fails on a connection that stands -> fails, since the peer lost the context',
    async (role) => {
      const deflater = new BracketDeflater(true);
      const endpoint = new Endpoint(role, { deflater });
      endpoint.send('a', { compress: true });
      deflater.fail();
      await turn();
      expect(endpoint.events).toEqual([['fail', 'deflate failed']]);
      expect(endpoint.requests).toEqual(['end']);
      expect(endpoint.connection.isOpen).toBe(false);
    },
  );
});

describe('sendRaw', () => {
  both('', 'bytes that are frames already -> leave as they are', (role) => {
    const endpoint = feed(role, []);
    endpoint.connection.sender.sendRaw([Buffer.from([0x81, 1]), Buffer.from('a')]);
    expect(endpoint.takeOutput().toString('hex')).toBe('810161');
  });
});
