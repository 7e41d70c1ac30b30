// Clients that lie about their counters, overrun the window, or send what is no control message: each is closed with the
// documented code, and a session of somebody else on the same server notices nothing.
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ClientSession, ServerSession } from '../../../src/agent/index.js';
import { until } from '../../support/tcp.js';
import { CAPS, type Members, RawClient } from './raw-client.js';
import { exchange, listen, type Scene, setScene } from './scene.js';

let scene: Scene;
let honest: { client: ClientSession; session: ServerSession };

beforeAll(async () => {
  // Nobody takes what the hostile clients send.
  scene = await setScene({ queue: { maxMessages: 8, maxBytes: 1000 } }, false);
  const client = scene.connect();
  await client.ready;
  const [session] = scene.sessions;
  listen(session!);
  honest = { client, session: session! };
});

afterEach(async () => {
  await exchange(honest.client, honest.session);
  expect(honest.client.stats()).toMatchObject({ state: 'open', resumes: 0 });
});

afterAll(() => scene.close());

/** A connection that was welcomed, with a session that has sent `sent` messages. */
async function begin(sent = 0) {
  const client = await RawClient.open(scene.directUrl);
  const { sid, tok } = await client.hello({});
  const session = scene.sessions.find(({ id }) => id === sid)!;
  for (let number = 1; number <= sent; number++) {
    session.send(`message ${number}`);
    await client.take();
  }
  return { client, session, identity: { sid, tok } };
}

/** The code with which a hello is refused. */
async function refusal(hello: Members): Promise<number> {
  const client = await RawClient.open(scene.directUrl);
  client.control({ t: 'hello', v: 1, gen: 1, recv: 0, caps: CAPS, ...hello });
  return client.closed;
}

const HUGE = Number.MAX_SAFE_INTEGER;

describe('acknowledgements', () => {
  it.each([
    ['r too high', { r: 3, s: 0 }],
    ['r as high as can be', { r: HUGE, s: 0 }],
    ['s too high', { r: 0, s: 1 }],
    ['s as high as can be', { r: 0, s: HUGE }],
  ])('%s -> 4500, and the session is forgotten', async (_name, counters) => {
    const { client, session } = await begin(2);
    client.control({ t: 'a', ...counters });
    expect(await client.closed).toBe(4500);
    expect(session.state).toBe('closed');
    expect(scene.server.sessions).not.toContain(session);
  });

  it('r that goes backwards -> 4500', async () => {
    const { client, session } = await begin(2);
    client.control({ t: 'a', r: 2, s: 0 });
    client.control({ t: 'a', r: 1, s: 0 });
    expect(await client.closed).toBe(4500);
    expect(session.state).toBe('closed');
  });

  it('s that forgets a message -> 4500', async () => {
    const { client, session } = await begin();
    client.send('one');
    client.control({ t: 'a', r: 0, s: 0 });
    expect(await client.closed).toBe(4500);
    expect(session.state).toBe('closed');
  });

  it.each([2 ** 53, 1e308, -1, 0.5, '1', null, [1]])('r = %j -> 4400, and the session waits', async (r) => {
    const { client, session } = await begin(2);
    client.control({ t: 'a', r, s: 0 });
    expect(await client.closed).toBe(4400);
    expect(session.state).toBe('detached');
  });
});

describe('hello', () => {
  it.each([3, HUGE])('recv = %d, of 2 messages -> 4500, and the session is forgotten', async (recv) => {
    const { identity, session } = await begin(2);
    expect(await refusal({ ...identity, gen: 2, recv })).toBe(4500);
    expect(session.state).toBe('closed');
    // Gone like one that never was.
    const again = await RawClient.open(scene.directUrl);
    expect(await again.hello({ ...identity, gen: 3 })).toMatchObject({ resumed: false, reason: 'unknown' });
    again.terminate();
  });

  it('recv lower than what was acknowledged -> 4500', async () => {
    const { client, identity, session } = await begin(2);
    client.control({ t: 'a', r: 2, s: 0 });
    await until(() => session.stats().acknowledged === 2);
    expect(await refusal({ ...identity, gen: 2, recv: 1 })).toBe(4500);
    expect(session.state).toBe('closed');
  });

  it.each([
    { gen: 2 ** 53 },
    { gen: 0 },
    { gen: -1 },
    { gen: 1.5 },
    { gen: '1' },
    { recv: 1 },
    { v: 2 },
    { caps: null },
    { caps: { ...CAPS, messages: 0 } },
    { caps: { ...CAPS, bytes: 2 ** 53 } },
    { caps: { ...CAPS, ping: 1 } },
    { sid: 'without a token' },
    { sid: 'x'.repeat(65), tok: 'x' },
    { sid: '', tok: '' },
  ])('%j -> 4400', async (members) => {
    expect(await refusal(members)).toBe(4400);
  });

  it('the highest generation is accepted, and is the last', async () => {
    const { identity } = await begin();
    const last = await RawClient.open(scene.directUrl);
    expect(await last.hello({ ...identity, gen: HUGE })).toMatchObject({ resumed: true, gen: HUGE });
    expect(await refusal({ ...identity, gen: HUGE })).toBe(4409);
    last.terminate();
  });
});

describe('the window', () => {
  it('one message more than it has room for -> 4500', async () => {
    const { client, session } = await begin();
    for (let number = 1; number <= 8; number++) client.send('x');
    await until(() => session.stats().received === 8);
    expect(session.state).toBe('open');
    client.send('x');
    expect(await client.closed).toBe(4500);
    expect(session.state).toBe('closed');
  });

  it('bytes beyond it, however one counts them -> 4500', async () => {
    const { client, session } = await begin();
    client.send('x'.repeat(900));
    client.send('x'.repeat(5000));
    expect(await client.closed).toBe(4500);
    expect(session.state).toBe('closed');
  });

  it('a single message that is larger goes alone', async () => {
    const { client, session } = await begin();
    client.send('x'.repeat(5000));
    await until(() => session.stats().received === 1);
    client.send('x');
    expect(await client.closed).toBe(4500);
  });
});

describe('what is no control message', () => {
  const known = new Set(['hello', 'a', 'p', 'q', 'bye']);
  const json = fc.oneof(
    fc.json(),
    fc.constantFrom(
      '{"__proto__":{"t":"bye"}}',
      '{"constructor":{"t":"bye"}}',
      '{"T":"bye"}',
      '[{"t":"bye"}]',
    ),
    fc.constantFrom(
      '{"t":"drain","in":1}',
      '{"t":"toString"}',
      '{"t":["bye"]}',
      '{"t":"a","r":1e999,"s":-1}',
    ),
    // Nested as deep as a control message has room for, and much deeper.
    fc.constantFrom(2000, 100_000).map((depth) => '['.repeat(depth)),
    fc.constantFrom(600, 20_000).map((depth) => `${'{"t":'.repeat(depth)}1${'}'.repeat(depth)}`),
    fc.constant(`{"t":"p","padding":"${'x'.repeat(4096)}"}`),
    fc.double().map((number) => `{"t":"a","r":${number},"s":-1}`),
    // U+D800 without its other half.
    fc.constantFrom('{"t":"\\ud800"}', '{"t":"bye\\udc00"}', '\ud800'),
  );
  /** Text after the mark; a second mark would make it a message. */
  const junk = fc
    .oneof(json, fc.string({ unit: 'binary' }))
    .filter((text) => !text.startsWith('\u0001') && !isKnown(text));

  function isKnown(text: string): boolean {
    try {
      return text.length < 4096 && known.has(JSON.parse(text)?.t) && !text.includes('"s":-1');
    } catch {
      return false;
    }
  }

  it.each(['before the hello', 'after the welcome'])('%s -> 4400', { timeout: 60_000 }, async (moment) => {
    const isBefore = moment === 'before the hello';
    await fc.assert(
      fc.asyncProperty(junk, async (text) => {
        const { client } = isBefore ? { client: await RawClient.open(scene.directUrl) } : await begin();
        client.send(`\u0001${text}`);
        expect(await client.closed).toBe(4400);
      }),
      { numRuns: 200 },
    );
    await until(() => scene.server.stats().pending === 0);
    expect(scene.server.stats().attached).toBe(1);
  });

  it.each([
    ['a message', 'data'],
    ['an empty one', ''],
    ['bytes', Uint8Array.of(1, 2, 3)],
    ['a hello in bytes', Buffer.from('\u0001{"t":"hello","v":1,"gen":1,"recv":0,"caps":{"messages":1}}')],
    ['a ping', '\u0001{"t":"p"}'],
    ['bye', '\u0001{"t":"bye"}'],
  ])('%s in place of the hello -> 4400', async (_name, data) => {
    const client = await RawClient.open(scene.directUrl);
    client.send(data);
    expect(await client.closed).toBe(4400);
  });

  it('a second hello, and a welcome -> 4400', async () => {
    for (const t of ['hello', 'welcome']) {
      const { client, session, identity } = await begin();
      client.control({ t, v: 1, ...identity, gen: 2, recv: 0, caps: CAPS });
      expect(await client.closed).toBe(4400);
      expect(session.state).toBe('detached');
    }
  });

  it('text that is no UTF-8 -> 1007, and the session waits', async () => {
    const { client, session } = await begin();
    client.send(Uint8Array.of(1, 0xed, 0xa0, 0x80), false);
    expect(await client.closed).toBe(1007);
    await until(() => session.state === 'detached');
  });
});
