import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { platform as platformOfNode } from '../../src/io/platform.js';
import { createInflater } from '../../src/io/zlib.js';
import type { Inflater } from '../../src/protocol/compression.js';
import { MessageReceiver, type MessageSink } from '../../src/protocol/message-receiver.js';
import { protocolError } from '../../src/wire/errors.js';
import { hasSimd, vectorReadBlock } from '../../src/wire/mask-simd.js';
import { framesOfTraffic, hostileFrame, portioning, portionsOf, traffic } from '../support/arbitraries.js';
import { AGREED, both, Endpoint, feed, fromPeer, testPlatform } from '../support/engine.js';

/** Answers when told to. */
class HeldInflater implements Inflater {
  isClosed = false;
  settle!: { resolve: (bytes: Uint8Array) => void; reject: (error: Error) => void };
  inflate(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }
  close(): void {
    this.isClosed = true;
  }
}

const three = [
  { opcode: 1, payload: 'one' },
  { opcode: 9, payload: 'two' },
  { opcode: 2, payload: 'three' },
];
const THREE = [
  ['text', 'one'],
  ['ping', '74776f'],
  ['binary', '7468726565'],
];

describe('pause and resume', () => {
  both('', 'pauses in an event -> the frames behind wait, and come in order', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.onEvent = () => endpoint.connection.receiver.pause();
    endpoint.receive(fromPeer(role, ...three));
    const { receiver } = endpoint.connection;
    for (let count = 1; count <= 3; count++) {
      expect(endpoint.events).toEqual(THREE.slice(0, count));
      expect(receiver.isIdle).toBe(false);
      receiver.resume();
    }
    expect(receiver.isIdle).toBe(true);
    expect(endpoint.requests).toEqual(['idle']);
  });

  both('', 'gets bytes while paused -> they wait behind those that came before', (role) => {
    const bytes = fromPeer(role, ...three);
    for (let cut = 1; cut < bytes.length; cut++) {
      const endpoint = new Endpoint(role);
      endpoint.onEvent = () => endpoint.connection.receiver.pause();
      endpoint.receive(bytes.subarray(0, cut));
      endpoint.receive(bytes.subarray(cut));
      for (let i = 0; i < 4; i++) endpoint.connection.receiver.resume();
      expect(endpoint.events).toEqual(THREE);
    }
  });

  both('', 'resume without a pause -> nothing happens', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.receiver.resume();
    expect(endpoint.requests).toEqual([]);
  });
});

describe('a listener that throws', () => {
  both('', 'throws at each event -> nothing is lost and nothing comes twice', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.onEvent = () => {
      throw new Error('listener');
    };
    const { receiver } = endpoint.connection;
    expect(() => endpoint.receive(fromPeer(role, ...three))).toThrow('listener');
    endpoint.receive(fromPeer(role, { opcode: 10, payload: 'four' }));
    for (let i = 0; i < 3; i++) expect(() => receiver.resume()).toThrow('listener');
    receiver.resume();
    expect(endpoint.events).toEqual([...THREE, ['pong', '666f7572']]);
    expect(receiver.isIdle).toBe(true);
  });

  both('', 'throws at a message in fragments -> the next message is a new one', (role) => {
    const endpoint = new Endpoint(role);
    let isFirst = true;
    endpoint.onEvent = () => {
      if (isFirst) {
        isFirst = false;
        throw new Error('listener');
      }
    };
    const frames = [
      { opcode: 1, fin: false, payload: 'a' },
      { opcode: 0, payload: 'b' },
      { opcode: 1, payload: 'c' },
    ];
    expect(() => endpoint.receive(fromPeer(role, ...frames))).toThrow('listener');
    endpoint.connection.receiver.resume();
    expect(endpoint.events).toEqual([
      ['text', 'ab'],
      ['text', 'c'],
    ]);
  });

  both(
    '',
    'throws at a message that was inflated in the background -> what follows it is not lost',
    async (role) => {
      const inflater = new HeldInflater();
      const { platform } = testPlatform();
      const log: string[] = [];
      const sink: MessageSink = {
        onMessage: (data) => {
          log.push(Buffer.from(data).toString());
          if (log.length === 1) throw new Error('listener');
        },
        onPing: () => {},
        onPong: () => {},
        onClose: () => {},
        onFail: (error) => log.push(error.message),
        onReady: () => log.push('ready'),
        onIdle: () => log.push('idle'),
      };
      const receiver = new MessageReceiver({ role, platform, inflater }, { ...sink, onReady: () => {} });
      const frames = [
        { opcode: 2, rsv1: true, payload: 'deflated' },
        { opcode: 2, payload: 'plain' },
      ];
      receiver.receive(fromPeer(role, ...frames));
      inflater.settle.resolve(Buffer.from('inflated'));
      await Promise.resolve();
      expect(() => receiver.resume()).toThrow('listener');
      expect(receiver.isIdle).toBe(false);
      receiver.resume();
      expect(log).toEqual(['inflated', 'plain', 'idle']);
    },
  );
});

describe('inflating in the background', () => {
  const frames = [
    { opcode: 1, rsv1: true, payload: 'x' },
    { opcode: 9, payload: '' },
  ];

  both('[RFC7692-6.2-1]', 'inflates slowly -> what comes behind waits for it', async (role) => {
    const inflater = new HeldInflater();
    const endpoint = new Endpoint(role, { inflater });
    endpoint.receive(fromPeer(role, ...frames));
    endpoint.receive(fromPeer(role, { opcode: 1, payload: 'last' }));
    expect(endpoint.events).toEqual([]);
    expect(endpoint.connection.receiver.isIdle).toBe(false);
    inflater.settle.resolve(Buffer.from('inflated'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(endpoint.events).toEqual([
      ['text', 'inflated'],
      ['ping', ''],
      ['text', 'last'],
    ]);
    expect(endpoint.requests).toEqual(['ready', 'idle']);
  });

  both(
    '[RFC6455-7.1.7-7]',
    'inflating fails -> fails, and nothing of what waited is delivered',
    async (role) => {
      const inflater = new HeldInflater();
      const endpoint = new Endpoint(role, { inflater });
      endpoint.receive(fromPeer(role, ...frames));
      inflater.settle.reject(protocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(endpoint.events).toEqual([['fail', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']]);
      expect(inflater.isClosed).toBe(true);
    },
  );

  both('', 'stopped meanwhile -> the message is dropped in silence', async (role) => {
    for (const outcome of ['resolve', 'reject'] as const) {
      const inflater = new HeldInflater();
      const endpoint = new Endpoint(role, { inflater });
      endpoint.receive(fromPeer(role, ...frames));
      endpoint.connection.receiver.stop();
      if (outcome === 'resolve') inflater.settle.resolve(Buffer.from('late'));
      else inflater.settle.reject(new Error('closed'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(endpoint.events).toEqual([]);
      expect(inflater.isClosed).toBe(true);
    }
  });

  both(
    '',
    'the transport closes meanwhile -> the message still comes, then the inflater is closed',
    async (role) => {
      const inflater = new HeldInflater();
      const endpoint = new Endpoint(role, { inflater });
      endpoint.receive(fromPeer(role, ...frames));
      endpoint.connection.transportClosed();
      expect(inflater.isClosed).toBe(false);
      inflater.settle.resolve(Buffer.from('inflated'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(endpoint.events[0]).toEqual(['text', 'inflated']);
      expect(inflater.isClosed).toBe(true);
    },
  );

  both('', 'the transport closes while nothing is inflated -> the inflater is closed', (role) => {
    const inflater = new HeldInflater();
    new Endpoint(role, { inflater }).connection.transportClosed();
    expect(inflater.isClosed).toBe(true);
  });
});

describe('stop', () => {
  both('', 'is stopped in an event -> no further event, not now and not later', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.onEvent = () => endpoint.connection.receiver.stop();
    endpoint.receive(fromPeer(role, ...three));
    endpoint.receive(fromPeer(role, ...three));
    expect(endpoint.events).toEqual(THREE.slice(0, 1));
    expect(endpoint.connection.receiver).toMatchObject({ isEnded: true, isIdle: true });
  });
});

describe('options that change under way', () => {
  both('[RFC6455-10.4-2]', 'maxPayload is lowered between frames -> holds from the next frame on', (role) => {
    const endpoint = new Endpoint(role);
    const frame = fromPeer(role, { opcode: 2, payload: 'four' });
    endpoint.receive(frame);
    endpoint.connection.receiver.maxPayload = 3;
    endpoint.receive(frame);
    expect(endpoint.events).toEqual([
      ['binary', '666f7572'],
      ['fail', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
    ]);
  });
});

describe('boundaries of fragments', () => {
  const fragments = ['ab', '', 'cde'].map((payload, i) => ({ opcode: i ? 0 : 2, fin: i === 2, payload }));

  function endsOf(role: 'client' | 'server', portions: Buffer[], keeps: boolean): (number[] | undefined)[] {
    const ends: (number[] | undefined)[] = [];
    const endpoint = new Endpoint(role);
    endpoint.connection.receiver.keepsFragments = keeps;
    endpoint.onEvent = () => ends.push(endpoint.connection.receiver.fragmentEnds);
    for (const portion of portions) endpoint.receive(portion);
    return ends;
  }

  both('', 'keeps them -> where each fragment that has bytes ends, for each message anew', (role) => {
    const bytes = fromPeer(role, ...fragments, { opcode: 2, payload: 'whole' }, ...fragments);
    expect(endsOf(role, [bytes], true)).toEqual([[2, 5], undefined, [2, 5]]);
    expect(endsOf(role, [bytes], false)).toEqual([undefined, undefined, undefined]);
  });

  both('', 'keeps them, compressed -> no boundaries, since they are none of the message', (role) => {
    const inflater: Inflater = { inflate: () => Buffer.from('inflated text'), close: () => {} };
    const endpoint = feed(role, [], { inflater }, true);
    const ends: unknown[] = [];
    endpoint.onEvent = () => ends.push(endpoint.connection.receiver.fragmentEnds);
    const [first, ...others] = fragments;
    endpoint.receive(fromPeer(role, { ...first!, rsv1: true }, ...others));
    expect([endpoint.events, ends]).toEqual([
      [['binary', Buffer.from('inflated text').toString('hex')]],
      [undefined],
    ]);
  });
});

describe('whose memory a message is', () => {
  it('a frame within one read is a view of it; anything else is memory of its own', () => {
    const { platform } = testPlatform();
    const messages: Uint8Array[] = [];
    const nothing = () => {};
    const sink = {
      onPing: nothing,
      onPong: nothing,
      onClose: nothing,
      onFail: nothing,
      onReady: nothing,
      onIdle: nothing,
    };
    const receiver = new MessageReceiver(
      { role: 'client', platform },
      { ...sink, onMessage: (data) => messages.push(data) },
    );
    const whole = new Uint8Array(fromPeer('client', { opcode: 2, payload: 'whole' }));
    receiver.receive(whole);
    expect(messages[0]!.buffer).toBe(whole.buffer);
    const parts = [whole.slice(0, 4), whole.slice(4)];
    for (const part of parts) receiver.receive(part);
    expect(parts.map(({ buffer }) => buffer)).not.toContain(messages[1]!.buffer);
  });
});

describe('skipUtf8Validation', () => {
  both('', 'is set -> text that is not UTF-8 is delivered, whole and in fragments', (role) => {
    const bad = Buffer.from([0x61, 0xff]);
    const bytes = fromPeer(
      role,
      { opcode: 1, payload: bad },
      { opcode: 1, fin: false, payload: bad },
      { opcode: 0 },
    );
    const { events } = feed(role, [bytes], { skipUtf8Validation: true });
    expect(events).toEqual([
      ['text', 'a\ufffd'],
      ['text', 'a\ufffd'],
    ]);
  });
});

describe('bytes that are lent', () => {
  hasSimd();
  const block = vectorReadBlock();
  const elsewhere = new Uint8Array(block.length);

  /** What a listener does at an event. */
  type Action = 'nothing' | 'pause' | 'pause and resume' | 'throw' | 'stop';
  interface Portion {
    bytes: Uint8Array;
    /** Handed in although the receiver may be paused still. */
    isEarly: boolean;
  }

  /**
   * Everything that a sink is told of `portions`. Where there is a `memory`, all of them are read into it, and it holds
   * something else as soon as `receive` returns.
   */
  async function callsOf(
    role: 'client' | 'server',
    portions: readonly Portion[],
    actions: readonly Action[],
    memory?: Uint8Array,
  ): Promise<string[]> {
    const calls: string[] = [];
    const kept: { bytes: Uint8Array; hex: string }[] = [];
    let isDue = false;
    let isResumable = true;
    const call = (name: string, bytes: Uint8Array, rest = '') => {
      const hex = Buffer.from(bytes).toString('hex');
      kept.push({ bytes, hex });
      calls.push(`${name} ${hex} ${rest}`);
      const action = actions[(calls.length - 1) % actions.length];
      if (action === 'stop') receiver.stop();
      if (action === 'pause' || action === 'pause and resume') receiver.pause();
      // As its owners do, only where no other bytes wait.
      if (action === 'pause and resume' && isResumable) receiver.resume();
      else if (action === 'pause' || action === 'pause and resume') isDue = true;
      if (action === 'throw') throw new Error('listener');
    };
    const receiver: MessageReceiver = new MessageReceiver(
      { role, platform: platformOfNode, inflater: createInflater(AGREED, role), maxPayload: 150_000 },
      {
        onMessage: (data, isBinary) => call(isBinary ? 'binary' : 'text', data),
        onPing: (payload) => call('ping', payload),
        onPong: (payload) => call('pong', payload),
        onClose: (code, reason) => call('close', reason, `${code}`),
        onFail: (error) => calls.push(`fail ${error.code}`),
        onReady: () => {
          isDue = true;
        },
        onIdle: () => {},
      },
    );
    const caught = (action: () => void) => {
      try {
        action();
      } catch (error) {
        expect(error).toMatchObject({ message: 'listener' });
        isDue = true;
      }
    };
    for (const { bytes, isEarly } of portions) {
      isResumable = receiver.isIdle;
      caught(() => {
        if (memory === undefined) {
          receiver.receive(Buffer.from(bytes));
          return;
        }
        const lent = memory.subarray(0, bytes.length);
        lent.set(bytes);
        try {
          receiver.receive(platformOfNode.view(lent, 0, lent.length), true);
        } finally {
          lent.fill(0xee);
        }
      });
      isResumable = false;
      while (!isEarly && !receiver.isIdle) {
        if (!isDue) await new Promise((resolve) => setImmediate(resolve));
        if (!isDue) continue;
        isDue = false;
        caught(() => receiver.resume());
      }
    }
    receiver.stop();
    for (const { bytes, hex } of kept) expect(Buffer.from(bytes).toString('hex'), 'kept').toBe(hex);
    return calls;
  }

  const actions: fc.Arbitrary<Action[]> = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constant('nothing' as const) },
      {
        weight: 4,
        arbitrary: fc.constantFrom('pause' as const, 'pause and resume' as const, 'throw' as const),
      },
      { weight: 1, arbitrary: fc.constantFrom('stop' as const, 'nothing' as const, 'nothing' as const) },
    ),
    { minLength: 1, maxLength: 8 },
  );
  const compressed = fc.tuple(fc.constantFrom(1, 2), fc.string({ maxLength: 300 })).map(([opcode, text]) => [
    {
      opcode,
      rsv1: true,
      payload: deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
    },
  ]);
  const streams = fc
    .array(
      fc.oneof(
        { weight: 6, arbitrary: traffic.map(framesOfTraffic) },
        { weight: 2, arbitrary: compressed },
        { weight: 1, arbitrary: hostileFrame.map((frame) => [frame]) },
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.flat());
  const keys = fc.array(fc.uint8Array({ minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 4 });
  const early = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });

  both(
    '[RFC6455-6.2-1] [RFC6455-6.2-7]',
    'gets any frames in any portions, whatever its listeners do -> lent is the same as owned, and what is kept stays',
    async (role) => {
      await fc.assert(
        fc.asyncProperty(
          streams,
          keys,
          portioning,
          early,
          actions,
          async (frames, maskingKeys, how, isEarly, what) => {
            const bytes = Buffer.concat(
              frames.map((frame, i) => {
                const maskingKey = maskingKeys[i % maskingKeys.length]!;
                return fromPeer(role, { ...(role === 'server' ? { maskingKey } : {}), ...frame });
              }),
            );
            const whole = how === 'bytewise' && bytes.length > 2000 ? [1, 2, 700] : how;
            const portions = portionsOf(bytes, whole)
              .flatMap((portion) => portionsOf(portion, [block.length]))
              .map((portion, i, all) => ({
                bytes: portion,
                isEarly: i < all.length - 1 && isEarly[i % isEarly.length]!,
              }));
            const owned = await callsOf(role, portions, what);
            expect(await callsOf(role, portions, what, block)).toEqual(owned);
            expect(await callsOf(role, portions, what, elsewhere)).toEqual(owned);
          },
        ),
        { numRuns: 250 },
      );
    },
  );

  both('', 'gets lent bytes, whole or in parts -> no message lies in them', (role) => {
    const nothing = () => {};
    const messages: Uint8Array[] = [];
    const receiver = new MessageReceiver(
      { role, platform: platformOfNode },
      {
        ...{ onPong: nothing, onClose: nothing, onFail: nothing, onReady: nothing, onIdle: nothing },
        onMessage: (data) => messages.push(data),
        onPing: (data) => messages.push(data),
      },
    );
    for (const lengths of [[1], [0], [70_000], [5000, 10], [1, 2, 3]]) {
      const frames = lengths.map((length) => ({ opcode: 2, payload: Buffer.alloc(length, 7) }));
      const bytes = fromPeer(role, ...frames, { opcode: 9, payload: 'ping' });
      block.set(bytes);
      receiver.receive(platformOfNode.view(block, 0, bytes.length), true);
    }
    expect(messages).toHaveLength(13);
    for (const { buffer } of messages) expect(buffer).not.toBe(block.buffer);
  });
});
