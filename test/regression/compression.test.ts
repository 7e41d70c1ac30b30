// Attacks through permessage-deflate (RFC 7692): what comes out of little, what zlib makes of nonsense, and what the
// negotiation can be made to say.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { portOf, ROLES } from '../support/cast.js';
import { called, next, record, several, turn } from '../support/events.js';
import {
  acceptingResponse,
  connectRaw,
  exchange,
  type RawPeer,
  upgradeRequest,
} from '../support/raw-peer.js';
import { judge, perform, stage } from './stage.js';

const { rawClient, rawPair, rawServer, client, server, pair } = stage();
const MiB = 1024 * 1024;
const EXTENSION = 'Sec-WebSocket-Extensions';

/** An end that has agreed on the extension, and its raw peer. */
async function agreed(
  role: (typeof ROLES)[number],
  options: object = {},
  parameters = '',
): Promise<{ socket: Package; peer: RawPeer }> {
  const value = `permessage-deflate${parameters}`;
  return role === 'server'
    ? rawClient({ perMessageDeflate: { threshold: 0 }, ...options }, { headers: { [EXTENSION]: value } })
    : rawPair(options, (request) => acceptingResponse(request, { [EXTENSION]: value }));
}

/** The payload of a compressed message. */
function deflated(data: string | Buffer, options: object = {}): Buffer {
  const bytes = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, ...options });
  return bytes.subarray(0, bytes.length - 4);
}

const compressed = (data: string | Buffer) => ({ opcode: 1, rsv1: true, payload: deflated(data) });

/** Text in which nothing comes twice, the same each time. */
function noise(length: number): Buffer {
  let state = 1;
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return 32 + ((state >> 16) % 95);
    }),
  );
}

describe('D1: little that becomes much', () => {
  it.each([
    ['one frame', 1],
    ['40 fragments', 40],
  ])(
    '[RFC6455-10.4-1] server, 1 GiB of zeros in %s -> 1009 at the limit, the memory stays small',
    async (_name, fragments) => {
      const result = await perform('inflate', { megabytes: 1024, maxPayload: MiB, fragments });
      expect(result).toMatchObject({
        agreed: true,
        messages: 0,
        error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
        told: 1009,
        code: 1006,
      });
      expect(result.wire).toBeLessThan(2 * MiB);
      expect(result.most).toBeLessThan(64 * MiB);
      expect(result.held).toBeLessThan(4 * MiB);
    },
  );

  for (const role of ROLES) {
    it.each([
      ['at once', 100_000],
      ['in the thread pool', 3 * MiB],
    ])(
      `${role}, inflated %s to one byte more than maxPayload -> 1009; to exactly maxPayload -> delivered`,
      async (_name, maxPayload) => {
        const { socket, peer } = await agreed(role, { maxPayload });
        const message = next(socket, 'message');
        peer.send(compressed(Buffer.alloc(maxPayload, 'z')));
        expect((await message)[0].length).toBe(maxPayload);
        const judgement = await judge(socket, peer, compressed(Buffer.alloc(maxPayload + 1, 'z')));
        expect(judgement).toMatchObject({
          told: 1009,
          messages: [],
          errors: ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
        });
      },
    );
  }
});

describe('D2: memory of connections that compress', () => {
  it('server by default -> declines compression', async () => {
    const { peer } = await rawClient({}, { headers: { [EXTENSION]: 'permessage-deflate' } });
    expect(peer.head.headers[EXTENSION.toLowerCase()]).toBeUndefined();
  });

  it('server, 200 idle connections that agreed on compression -> no compressor for any of them', async () => {
    const { held, count } = await perform('idle', { count: 200 });
    expect(count).toBe(200);
    expect(held / count).toBeLessThan(32 * 1024);
  });

  it('server, threshold where no context is kept -> short messages go uncompressed', async () => {
    const perMessageDeflate = { threshold: 1024, serverNoContextTakeover: true };
    const { socket, peer } = await agreed('server', { perMessageDeflate });
    socket.send('s'.repeat(1023));
    socket.send('l'.repeat(1024));
    expect((await peer.nextFrames(2)).map(({ rsv1 }) => rsv1)).toEqual([false, true]);
  });
});

describe('D3: order, and the end, while zlib is at work', () => {
  it.each(ROLES)('%s, large and small messages in turn -> received in order', async (role) => {
    const { socket, peer } = await agreed(role);
    const sizes = [3 * MiB, 1, 200_000, 2, 2 * MiB, 3, 0, 4];
    const messages = several(socket, 'message', sizes.length);
    const pings = record(socket, 'ping');
    peer.send(...sizes.flatMap((size) => [compressed('x'.repeat(size)), { opcode: 9 }]));
    expect((await messages).map(([data]) => (data as Buffer).length)).toEqual(sizes);
    expect(pings.length).toBeGreaterThanOrEqual(sizes.length - 1);
  });

  it.each(ROLES)(
    '%s, large and small messages and close() at once -> sent in order, Close last',
    async (role) => {
      const ends = await pair({ perMessageDeflate: true });
      const sender = ends[role];
      const receiver = role === 'client' ? ends.server : ends.client;
      const sizes = [3 * MiB, 1, 200_000, 2];
      const messages = several(receiver, 'message', sizes.length);
      const closed = next(receiver, 'close');
      for (const size of sizes) sender.send('y'.repeat(size));
      sender.close(4000);
      expect((await messages).map(([data]) => (data as Buffer).length)).toEqual(sizes);
      expect((await closed)[0]).toBe(4000);
    },
  );

  it.each(ROLES)(
    '%s, terminate() while it deflates -> every callback is called, with an error',
    async (role) => {
      const { socket } = await agreed(role);
      const results = [MiB, 10, MiB].map((size) =>
        called((callback) => socket.send('z'.repeat(size), callback)),
      );
      const closed = next(socket, 'close');
      socket.terminate();
      for (const [error] of await Promise.all(results)) expect(error).toBeInstanceOf(Error);
      await closed;
      expect(socket.readyState).toBe(3);
    },
  );

  it.each(ROLES)(
    '%s, terminate() or a reset while it inflates -> closed, nothing is thrown',
    async (role) => {
      for (const end of ['terminate', 'reset'] as const) {
        const { socket, peer } = await agreed(role);
        const closed = next(socket, 'close');
        const read = socket._socket.bytesRead;
        peer.send(compressed('x'.repeat(8 * MiB)), compressed('behind'));
        while (socket._socket.bytesRead === read) await turn();
        if (end === 'terminate') socket.terminate();
        else peer.socket.destroy();
        expect((await closed)[0]).toBe(1006);
      }
    },
  );
});

describe('D4: blocks that end the stream', () => {
  /** RFC 7692 §7.2.3.4: "Hello" in a block with BFINAL, and an empty block behind it. */
  const FINAL = { opcode: 1, rsv1: true, payload: Buffer.from('f348cdc9c9070000', 'hex') };

  it.each(ROLES)(
    '[RFC7692-7.2.1-4] %s, a block with BFINAL, then other messages -> all are delivered',
    async (role) => {
      const { socket, peer } = await agreed(role);
      const messages = several(socket, 'message', 4);
      peer.send(compressed('before'), FINAL, FINAL, compressed('behind'));
      expect((await messages).map(([data]) => String(data))).toEqual(['before', 'Hello', 'Hello', 'behind']);
    },
  );

  it.each(ROLES)('%s, a message of nothing but final blocks -> fails; the work is bounded', async (role) => {
    const { socket, peer } = await agreed(role);
    const payload = Buffer.alloc(60_000, Buffer.from('0300', 'hex'));
    const judgement = await judge(socket, peer, { opcode: 1, rsv1: true, payload });
    expect(judgement).toMatchObject({ told: 1007, messages: [] });
  });
});

describe('D5: windows that do not match', () => {
  it.each(ROLES)('%s, no window agreed, matches 32 KiB away -> inflated', async (role) => {
    const { socket, peer } = await agreed(role);
    const text = noise(32_000);
    const message = next(socket, 'message');
    peer.send(compressed(Buffer.concat([text, text])));
    expect((await message)[0].equals(Buffer.concat([text, text]))).toBe(true);
  });

  it('[RFC7692-7.2.2-8] server that limits the client to 9 bits, a message that refers farther back -> 1007, not a crash', async () => {
    const perMessageDeflate = { clientMaxWindowBits: 9 };
    const { socket, peer } = await agreed('server', { perMessageDeflate }, '; client_max_window_bits');
    expect(peer.head.headers[EXTENSION.toLowerCase()]).toMatch(/client_max_window_bits=9/);
    const text = noise(4000);
    const payload = deflated(text, { dictionary: text });
    const judgement = await judge(socket, peer, compressed(text), { opcode: 1, rsv1: true, payload });
    expect(judgement).toMatchObject({ told: 1007, messages: [String(text)] });
  });

  it('[RFC7692-7.2.1-14] server asked for 8 bits -> what it sends can be inflated with them', async () => {
    const { socket, peer } = await agreed('server', {}, '; server_max_window_bits=8');
    const text = Array.from({ length: 3000 }, (_, i) => `${i % 300}`).join();
    socket.send(text);
    const { payload } = await peer.nextFrame();
    const whole = Buffer.concat([payload, Buffer.from('0000ffff', 'hex')]);
    expect(String(inflateRawSync(whole, { windowBits: 8, finishFlush: constants.Z_SYNC_FLUSH }))).toBe(text);
  });
});

describe('D6: secrets next to what an attacker has written', () => {
  it.each(ROLES)('%s, send() with compress: false -> not compressed', async (role) => {
    const { socket, peer } = await agreed(role);
    socket.send('s'.repeat(2000), { compress: false });
    const frame = await peer.nextFrame();
    expect(frame.rsv1).toBe(false);
    expect(frame.payload.length).toBe(2000);
  });

  it('no context kept -> the same text has the same length each time', async () => {
    const { socket, peer } = await agreed('server', {}, '; server_no_context_takeover');
    const text = 'secret '.repeat(300);
    socket.send(text);
    socket.send(text);
    const [first, second] = await peer.nextFrames(2);
    expect(second!.payload.equals(first!.payload)).toBe(true);
  });
});

describe('D7: what is not deflate at all', () => {
  for (const role of ROLES) {
    it.each([
      ['an invalid block type', Buffer.from([0x07, 0xff])],
      ['random bytes', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * i * 193 + 7) & 255))],
      ['a reference to nothing', deflated(noise(500), { dictionary: noise(500) })],
      ['70,000 bytes of FF', Buffer.alloc(70_000, 0xff)],
    ])(`${role}, %s -> 1007, what came before is delivered`, async (_name, payload) => {
      const { socket, peer } = await agreed(role);
      const frames = [compressed('before'), { opcode: 2, rsv1: true, payload }, compressed('behind')];
      const judgement = await judge(socket, peer, ...frames);
      expect(judgement).toMatchObject({ told: 1007, messages: ['before'] });
      expect(judgement.errors).toHaveLength(1);
    });

    it(`[RFC7692-6.1-5] ${role}, text that is not UTF-8 once it is inflated -> 1007`, async () => {
      const { socket, peer } = await agreed(role);
      const judgement = await judge(socket, peer, compressed(Buffer.from([0x61, 0xff])));
      expect(judgement).toMatchObject({ told: 1007, messages: [], errors: ['WS_ERR_INVALID_UTF8'] });
    });
  }
});

describe('D8: games with parameters', () => {
  const BAD = [
    'permessage-deflate; unknown',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; client_max_window_bits=99',
    'permessage-deflate; client_max_window_bits=1e1',
    'permessage-deflate; client_no_context_takeover; client_no_context_takeover',
    'permessage-deflate; server_max_window_bits=10; server_max_window_bits=12',
  ];

  it.each(BAD)('[RFC7692-7-1] server, "%s" alone -> 400', async (offer) => {
    const wss = await server({ perMessageDeflate: true });
    const response = await exchange(portOf(wss), upgradeRequest({ headers: { [EXTENSION]: offer } }));
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
  });

  it.each(BAD)(
    '[RFC7692-5-3] server, "%s" and a good offer behind it -> that one is taken',
    async (offer) => {
      const wss = await server({ perMessageDeflate: true });
      const good = 'permessage-deflate; server_max_window_bits="11"';
      const peer = await connectRaw(portOf(wss), { headers: { [EXTENSION]: `${offer}, ${good}` } });
      expect(peer.head.headers[EXTENSION.toLowerCase()]).toBe(
        'permessage-deflate; server_max_window_bits=11',
      );
      peer.socket.destroy();
    },
  );

  it('[RFC7692-7-2] client that did not offer it, client_max_window_bits in the answer -> 1006', async () => {
    const raw = await rawServer((request) =>
      acceptingResponse(request, { [EXTENSION]: 'permessage-deflate; client_max_window_bits=10' }),
    );
    const socket = client(raw.url, { perMessageDeflate: { clientMaxWindowBits: false } });
    const error = next(socket, 'error');
    expect((await next(socket, 'close'))[0]).toBe(1006);
    expect((await error)[0].message).toBe('Invalid Sec-WebSocket-Extensions header');
  });

  it('[RFC6455-4.1-39] client without compression, an extension in the answer -> 1006', async () => {
    const raw = await rawServer((request) =>
      acceptingResponse(request, { [EXTENSION]: 'permessage-deflate' }),
    );
    const socket = client(raw.url, { perMessageDeflate: false });
    expect((await next(socket, 'close'))[0]).toBe(1006);
  });
});
