// The interface that SDKs see, over a carrier of nothing: what is told in which order, what is refused and how, the end.
import { describe, expect, it, vi } from 'vitest';
import { FakeTransport } from '../support/fake-carrier.js';
import { outcomeOf } from '../support/session-stage.js';
import { turn } from '../support/tcp.js';

const REQUEST = { jsonrpc: '2.0', id: 1, method: 'ping' } as const;
const NOTIFICATION = { jsonrpc: '2.0', method: 'notifications/progress' } as const;

async function started(...args: ConstructorParameters<typeof FakeTransport>) {
  const transport = new FakeTransport(...args);
  await transport.start();
  return { transport, carrier: transport.fake, log: transport.log };
}

it('what SDKs look at before they begin', async () => {
  const transport = new FakeTransport();
  // Without these two properties the client of SDK 2.x takes a transport for HTTP, and does not fall back to the era before
  // when the server does not answer.
  expect([transport.stderr, transport.pid]).toEqual([null, null]);
  expect('stderr' in transport && 'pid' in transport).toBe(true);
  // Set, it would mean that each request has a stream of its own, whose end is its cancellation.
  expect('hasPerRequestStream' in transport).toBe(false);
  expect(transport.sessionId).toBeUndefined();
  await transport.start();
  expect(transport.sessionId).toBeUndefined();
  await transport.send(REQUEST);
  expect(transport.sessionId).toBe('fake');
});

it('what SDKs agree on is there to be read', async () => {
  const { transport } = await started();
  transport.setSupportedProtocolVersions(['a', 'b']);
  transport.setProtocolVersion('b');
  expect([transport.supportedProtocolVersions, transport.protocolVersion]).toEqual([['a', 'b'], 'b']);
});

describe('messages', () => {
  it('both ways, with what is known of the client', async () => {
    const extra = { authInfo: { token: 'x' } };
    const { transport, carrier, log } = await started(undefined, extra);
    carrier.receive(REQUEST);
    await turn();
    await transport.send({ jsonrpc: '2.0', id: 1, result: {} });
    expect(log).toEqual([['message', REQUEST, extra]]);
    expect(carrier.sent).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
  });

  it('what came before start() is there when it resolves', async () => {
    const transport = new FakeTransport();
    transport.fake.waiting.push(JSON.stringify(REQUEST), JSON.stringify(NOTIFICATION));
    await transport.start();
    expect(transport.log.map(([, message]) => message)).toEqual([REQUEST, NOTIFICATION]);
  });

  it('come apart from each other: what a notification leads to a moment later comes before the next message', async () => {
    const { transport, carrier } = await started();
    const order: string[] = [];
    transport.onmessage = ({ id }) => {
      if (id === undefined) Promise.resolve().then(() => order.push('progress'));
      else order.push('response');
    };
    carrier.receive(NOTIFICATION);
    carrier.receive({ jsonrpc: '2.0', id: 1, result: {} });
    await turn();
    expect(order).toEqual(['progress', 'response']);
  });

  it('a relay has the next one wait until the handler is done; others do not', async () => {
    const transport = new FakeTransport();
    let done!: () => void;
    transport.onmessage = () =>
      new Promise<void>((resolve) => {
        done = resolve;
      });
    await transport.start();
    const { handler } = transport.fake;
    expect(handler!.onMessage(JSON.stringify(NOTIFICATION))).toBeUndefined();
    await turn();
    transport.waitsForHandler = true;
    const handled = handler!.onMessage(JSON.stringify(NOTIFICATION))!;
    await turn();
    expect(await Promise.race([handled, 'busy'])).toBe('busy');
    done();
    await handled;
  });

  it('onmessage throws -> onerror, and the next one comes', async () => {
    const { transport, carrier, log } = await started();
    const onmessage = transport.onmessage!;
    transport.onmessage = () => {
      transport.onmessage = onmessage;
      throw new Error('oops');
    };
    carrier.receive(NOTIFICATION);
    carrier.receive(NOTIFICATION);
    await turn();
    expect(log).toEqual([
      ['error', 'oops'],
      ['message', NOTIFICATION, undefined],
    ]);
  });

  it('onerror throws -> the process is told, and the next one comes', async () => {
    const thrown: unknown[] = [];
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => thrown.push(error));
    const { transport, carrier, log } = await started();
    const oops = new Error('oops');
    transport.onerror = () => {
      throw oops;
    };
    carrier.receive([]);
    carrier.receive(REQUEST);
    await turn();
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect(thrown).toEqual([oops]);
    expect(log).toEqual([['message', REQUEST, undefined]]);
  });
});

describe('refused', () => {
  it.each([
    ['a batch', [REQUEST], -32600],
    ['no object', 7, -32600],
  ])('%s -> answered, then onerror; the connection goes on', async (_name, message, code) => {
    const { transport, carrier, log } = await started();
    transport.onerror = () => log.push(['error', carrier.sent.length]);
    carrier.receive(message);
    carrier.receive(REQUEST);
    await turn();
    expect(carrier.sent).toMatchObject([{ jsonrpc: '2.0', id: null, error: { code } }]);
    expect(log).toEqual([
      ['error', 1],
      ['message', REQUEST, undefined],
    ]);
  });

  it('text that is no JSON -> answered with -32700 and the id null, then onerror; the connection goes on', async () => {
    const { carrier, log } = await started();
    carrier.handler!.onMessage('{"jsonrpc"');
    carrier.receive(REQUEST);
    await turn();
    expect(carrier.sent).toMatchObject([{ id: null, error: { code: -32700 } }]);
    expect(log.map(([what]) => what)).toEqual(['error', 'message']);
  });

  it('40,000 at once, which comes in a few reads: each costs the same, however many wait behind it', async () => {
    const { carrier, log } = await started();
    for (let count = 0; count < 40_000; count++) carrier.handler!.onMessage('{');
    await turn();
    expect(log).toHaveLength(40_000);
    expect(carrier.sent).toHaveLength(40_000);
  });

  it("the peer's error with the id null -> onerror, and no answer", async () => {
    const { carrier, log } = await started();
    carrier.receive({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'what?' } });
    await turn();
    expect(carrier.sent).toEqual([]);
    expect(log).toEqual([['error', expect.stringContaining('what?')]]);
  });

  it('a binary message -> closed with 1003; nothing more is taken', async () => {
    const { carrier, log } = await started();
    carrier.receive(Uint8Array.of(1));
    carrier.receive(REQUEST);
    await turn();
    expect(carrier.closedWith?.[0]).toBe(1003);
    expect(log.map(([what]) => what)).toEqual(['error', 'close']);
  });

  it('a request with the id of one in flight -> answered with the id null, and the first one gets its response', async () => {
    const { transport, carrier, log } = await started();
    carrier.receive(REQUEST);
    carrier.receive(REQUEST);
    carrier.receive({ ...REQUEST, id: String(REQUEST.id) });
    await turn();
    expect(carrier.sent).toMatchObject([{ id: null, error: { code: -32600 } }]);
    expect(log.map(([what]) => what)).toEqual(['message', 'error', 'message']);
    await transport.send({ jsonrpc: '2.0', id: 1, result: {} });
    carrier.receive(REQUEST);
    await turn();
    expect(log.at(-1)![0]).toBe('message');
  });

  it('more than 4,096 requests without a response -> answered with -32000; after a response there is room again', async () => {
    const { transport, carrier, log } = await started();
    for (let id = 0; id <= 4096; id++) carrier.receive({ ...REQUEST, id });
    await vi.waitFor(() => expect(log).toHaveLength(4097));
    expect(carrier.sent).toMatchObject([{ id: 4096, error: { code: -32000 } }]);
    await transport.send({ jsonrpc: '2.0', id: 0, result: {} });
    carrier.receive({ ...REQUEST, id: 4097 });
    await turn();
    expect(log.at(-1)).toMatchObject(['message', { id: 4097 }, undefined]);
  });
});

describe('who asks and does not read', () => {
  it('a response for which there is no room counts as not given', async () => {
    const { transport, carrier } = await started();
    let giveRoom!: () => void;
    carrier.room = new Promise((resolve) => {
      giveRoom = resolve;
    });
    transport.onmessage = ({ id }) => {
      if (id !== undefined) transport.send({ jsonrpc: '2.0', id, result: {} });
    };
    for (let id = 0; id <= 4096; id++) carrier.receive({ ...REQUEST, id });
    await turn();
    expect(carrier.sent.at(-1)).toMatchObject({ id: 4096, error: { code: -32000 } });
    giveRoom();
    await turn();
    carrier.receive({ ...REQUEST, id: 4097 });
    await turn();
    expect(carrier.sent.at(-1)).toMatchObject({ id: 4097, result: {} });
  });

  it('more than 4,096 refusals without room -> closed with 1013', async () => {
    const { carrier, log } = await started();
    carrier.room = new Promise(() => {});
    for (let count = 0; count < 4096; count++) carrier.receive([]);
    await turn();
    expect(carrier.closedWith).toBeUndefined();
    carrier.receive([]);
    carrier.receive([]);
    await turn();
    expect(carrier.closedWith?.[0]).toBe(1013);
    expect(carrier.sent).toHaveLength(4097);
    expect(log.at(-1)).toEqual(['close']);
  });
});

describe('too large', () => {
  it('a request -> rejected, and nothing is sent', async () => {
    const { transport, carrier } = await started(100);
    // 3 bytes each, and 1 unit.
    const params = { text: '€'.repeat(30) };
    await expect(transport.send({ ...REQUEST, params })).rejects.toThrow(RangeError);
    expect(carrier.sent).toEqual([]);
    await transport.send({ ...REQUEST, params: { text: 'e'.repeat(30) } });
    expect(carrier.sent).toHaveLength(1);
  });

  it('a response -> an error in its place, so that nobody waits for it', async () => {
    const { transport, carrier } = await started(100);
    await expect(transport.send({ jsonrpc: '2.0', id: 7, result: 'x'.repeat(100) })).rejects.toThrow(
      RangeError,
    );
    expect(carrier.sent).toMatchObject([{ id: 7, error: { code: -32603 } }]);
  });
});

describe('the end', () => {
  it('close() -> onclose once, and sending is over', async () => {
    const { transport, carrier, log } = await started();
    await Promise.all([transport.close(), transport.close()]);
    await transport.close();
    expect(carrier.closedWith).toEqual([1000, '']);
    expect(log).toEqual([['close']]);
    expect(await outcomeOf(transport.send(REQUEST))).toBe('closed');
    await transport.over;
  });

  it('of the carrier, with an error -> what came before, onerror, onclose', async () => {
    const { transport, carrier, log } = await started();
    carrier.receive(REQUEST);
    carrier.handler!.onEnd(new Error('lost'));
    await transport.over;
    expect(log.map(([what]) => what)).toEqual(['message', 'error', 'close']);
  });

  it('closed before start() -> start() rejects, and whoever has set onclose since is told', async () => {
    const transport = new FakeTransport();
    await transport.close();
    transport.log.length = 0;
    expect(await outcomeOf(transport.start())).toBe('closed');
    expect(transport.log).toEqual([['close']]);
  });

  it('closed while it opens -> start() rejects, and the carrier is closed', async () => {
    const transport = new FakeTransport();
    const starting = transport.start();
    await transport.close();
    expect(await outcomeOf(starting)).toBe('closed');
    expect(transport.fake.closedWith).toEqual([1000, '']);
    expect(transport.log).toEqual([['close']]);
  });

  it('it cannot be opened -> start() rejects with the reason, after onclose', async () => {
    class Failing extends FakeTransport {
      protected override open(): Promise<never> {
        return Promise.reject(new Error('no way'));
      }
    }
    const transport = new Failing();
    await expect(transport.start()).rejects.toThrow('no way');
    expect(transport.log).toEqual([['close']]);
  });

  it('started twice -> Error', async () => {
    const { transport } = await started();
    await expect(transport.start()).rejects.toThrow('started already');
  });
});

describe('drain', () => {
  it('nothing in flight -> closed', async () => {
    const { transport, carrier } = await started();
    carrier.handler!.onDrain();
    await transport.over;
    expect(carrier.closedWith).toEqual([1000, '']);
  });

  it.each(['received', 'sent'])('a request %s -> closed after its response', async (direction) => {
    const { transport, carrier } = await started();
    const response = { jsonrpc: '2.0', id: 1, result: {} } as const;
    if (direction === 'received') carrier.receive(REQUEST);
    else await transport.send(REQUEST);
    await turn();
    transport.drain();
    carrier.receive(NOTIFICATION);
    await transport.send(NOTIFICATION);
    await turn();
    expect(carrier.closedWith).toBeUndefined();
    if (direction === 'received') await transport.send(response);
    else carrier.receive(response);
    await transport.over;
    expect(carrier.closedWith).toEqual([1000, '']);
  });
});
