// What one end may cost the other when it does not read, is away, or has other limits; and that nothing of a stream is missing
// where its items do not fit.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineContract, RPC, RpcPeer } from '../../../src/rpc/index.js';
import { fateOf, rejection, rpcError, useStage } from '../../support/rpc-stage.js';
import { sessionStage } from '../../support/session-stage.js';
import { collect } from './service.js';

const stage = useStage();
const IDLE = { callsOut: 0, callsIn: 0, streamsOut: 0, streamsIn: 0 };

async function* padded(...lengths: number[]): AsyncGenerator<string> {
  for (const length of lengths) yield '.'.repeat(length);
}

/** The lengths of the items of a stream, and the code of the error that it ends with. */
async function lengthsOf(stream: AsyncIterable<string>): Promise<number[]> {
  const lengths: number[] = [];
  try {
    for await (const item of stream) lengths.push(item.length);
  } catch (error) {
    lengths.push((error as { code: number }).code);
  }
  return lengths;
}

describe('items of a stream', () => {
  it.each([
    ['many in a small window', 500, Array.from({ length: 100 }, () => 30)],
    ['a large one behind a small one', 2 ** 20, [60_000, 2 ** 20 - 200, 1]],
  ])('%s -> each message is as long as it may be, and none is missing', async (_name, maxBytes, lengths) => {
    const limits = { messageBytes: maxBytes };
    const { client, server } = stage.join({ handlers: { padded: () => padded(...lengths) }, limits });
    const read = client.peer.call('padded').then(lengthsOf);
    await stage.pass(1000);
    expect(await fateOf(read)).toEqual(lengths);
    const sent = server.session.sent.map((text) => text.length);
    expect(Math.max(...sent)).toBeLessThanOrEqual(maxBytes);
  });

  it('longer than the consumer takes -> the stream ends there, without a gap, and its producer is told', async () => {
    const { client, server } = stage.join(
      { handlers: { padded: () => padded(10, 5000, 10) }, limits: { messageBytes: 10_000 } },
      { limits: { messageBytes: 1000 } },
    );
    const read = client.peer.call('padded').then(lengthsOf);
    await stage.pass(100);
    const lengths = (await fateOf(read)) as number[];
    expect([[10, RPC.TOO_LARGE], [RPC.TOO_LARGE]]).toContainEqual(lengths);
    expect([client.peer.stats(), server.peer.stats()]).toEqual([IDLE, IDLE]);
  });
});

describe('without room', () => {
  it('calls that are given up before they left are not sent, and leave nothing', async () => {
    let runs = 0;
    const { client } = stage.join({ handlers: { add: () => runs++ } });
    client.session.hasRoom = false;
    const given = new AbortController();
    const calls = Array.from({ length: 50 }, () => client.peer.call('add', {}, { signal: given.signal }));
    given.abort();
    for (const call of calls) expect((await rejection(call)).code).toBe(RPC.CANCELLED);
    client.session.hasRoom = true;
    await stage.pass(100);
    expect([runs, client.session.sent]).toEqual([0, []]);
  });

  it('who announces streams and does not read is told no more than so often that nobody wants them', async () => {
    const { session, peer } = stage.alone();
    session.hasRoom = false;
    for (let stream = 1; stream <= 5000; stream++) {
      session.receive({ id: stream, method: 'missing', params: { items: { stream } } });
    }
    expect(peer.stats()).toEqual(IDLE);
    session.hasRoom = true;
    const sent = session.takeSent();
    const cancellations = sent.filter(({ method }) => method === '$/cancel');
    expect([cancellations.length, sent.length]).toEqual([1024, 2048]);
    // Those have left: there is room for others.
    session.receive({ id: 'x', method: 'missing', params: { items: { stream: 5001 } } });
    expect(session.takeSent()).toHaveLength(2);
  });
});

it('a session whose messages somebody else has to acknowledge is refused: it would stand still', async () => {
  const { open, end, environment } = sessionStage();
  const { client, session } = await open({ acknowledge: 'manual' });
  expect(() => new RpcPeer(client, {}, environment)).toThrow(/acknowledge is 'manual'/);
  await end(client, session);
});

it('a deadline while the result is validated -> the call is settled once', async () => {
  const later = z
    .number()
    .refine(() => new Promise((resolve) => stage.environment.setTimeout(() => resolve(true), 1000)));
  const remote = defineContract({ add: { result: later } });
  const { client } = stage.join({ handlers: { add: () => 3 } }, { remote });
  const ends: unknown[] = [];
  const onMessage = (message: unknown): void => {
    const { direction, code } = message as { direction: string; code: number | undefined };
    if (direction === 'out') ends.push(code);
  };
  subscribe('hawser:rpc', onMessage);
  const call = client.peer.call('add', {}, { timeoutMs: 100 });
  await stage.pass(3000);
  unsubscribe('hawser:rpc', onMessage);
  expect(await rejection(call)).toEqual(rpcError(RPC.DEADLINE));
  expect(ends).toEqual([RPC.DEADLINE]);
});

it('who leaves a streamed result leaves the streams that it was made of', async () => {
  let hasEnded = false;
  async function* endless() {
    try {
      for (let number = 1; ; number++) yield number;
    } finally {
      hasEnded = true;
    }
  }
  const { client, server } = stage.join({ handlers: { echo: ({ items }) => items } });
  const read = client.peer.call('echo', { items: endless() }).then((stream) => collect(stream, 5));
  await stage.pass(100);
  expect(await fateOf(read)).toEqual([1, 2, 3, 4, 5]);
  expect([hasEnded, client.peer.stats(), server.peer.stats()]).toEqual([true, IDLE, IDLE]);
});

it('a session that was lost is forgotten when its last handler has ended', async () => {
  const { client, server } = stage.join(
    {},
    { handlers: { hold: () => new Promise((resolve) => (end = resolve)) } },
  );
  let end: (value: unknown) => void = () => {};
  server.peer.call('hold');
  await stage.settle();
  client.session.lose();
  expect(client.peer.stats()).toEqual({ ...IDLE, callsIn: 1 });
  end('late');
  await stage.settle();
  expect(client.peer.stats()).toEqual(IDLE);
  expect(client.session.takeSent()).toEqual([]);
});
