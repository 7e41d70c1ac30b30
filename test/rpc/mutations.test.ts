// Takes guards against peers that keep no rule away, one at a time, in copies of src/rpc/, and shows that what they do is seen
// then. Guards of calls and streams between peers that keep the rules: test/rpc/faults/mutations.test.ts.
import { describe, expect, test } from 'vitest';
import { RpcError, RpcPeer } from '../../src/rpc/index.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { type Change, withMutant } from '../support/mutant.js';
import { FakeSession, untilAborted } from '../support/rpc-stage.js';
import type { Implementation } from './faults/model/model.js';

const SOURCE = { room: 'rpc', modules: ['index.ts'] };

interface Stage {
  peer: RpcPeer;
  session: FakeSession;
  /** Receives a message, and gives what is answered. */
  ask(message: object | string): Promise<unknown[]>;
}

interface Mutation extends Change {
  guard: string;
  /** What is seen, and what has to be. */
  look(stage: Stage): unknown;
  expected: unknown;
}

const next = (items: unknown[]) => ({ method: '$/next', params: { s: 1, items } });
const codesOf = (answers: unknown[]) =>
  answers.map((answer) => (answer as { error?: { code: number } }).error?.code);

/** Calls a method whose result is stream 1. */
async function openStream({ peer, session }: Stage): Promise<AsyncIterator<unknown>> {
  const call = peer.call('read');
  session.takeSent();
  session.receive({ id: 1, result: { stream: 1 } });
  return (await call) as AsyncIterator<unknown>;
}

const MUTATIONS: Mutation[] = [
  {
    guard: 'credit in items',
    file: 'incoming-stream.ts',
    from: 'credit.items < items.length || ',
    to: '',
    async look(stage) {
      await openStream(stage);
      stage.session.receive(next(Array(65).fill(1)));
      return stage.session.failure;
    },
    expected: expect.stringContaining('credit'),
  },
  {
    guard: 'credit in bytes',
    file: 'incoming-stream.ts',
    from: ' || credit.bytes <= 0',
    to: '',
    async look(stage) {
      await openStream(stage);
      stage.session.receive(next(['x'.repeat(262_144)]));
      stage.session.receive(next([1]));
      return stage.session.failure;
    },
    expected: expect.stringContaining('credit'),
  },
  {
    guard: 'one grant at a time for a peer that does not read',
    file: 'incoming-stream.ts',
    from: ' || this.#isGranting',
    to: '',
    async look(stage) {
      const stream = await openStream(stage);
      stage.session.hasRoom = false;
      for (let i = 0; i < 32 * 100; i++) {
        stage.session.receive(next([i]));
        await Promise.race([stream.next().catch(() => {}), undefined]);
      }
      return stage.session.failure;
    },
    expected: expect.stringContaining('credit'),
  },
  {
    guard: 'calls of the peer at once',
    file: 'responder.ts',
    from: 'if (this.size >= host.limits.calls)',
    to: 'if (false)',
    async look({ ask }) {
      for (const id of [1, 2, 3]) await ask({ id, method: 'wait' });
      return codesOf(await ask({ id: 4, method: 'wait' }));
    },
    expected: [-31002],
  },
  {
    guard: 'streams of the peer at once',
    file: 'streams.ts',
    from: 'if (this.#incoming.size >= this.#options.limits.streams) {',
    to: 'if (false) {',
    look: async ({ ask }) =>
      codesOf(await ask({ id: 1, method: 'wait', params: [1, 2, 3, 4].map((stream) => ({ stream })) })).at(
        -1,
      ),
    expected: -31002,
  },
  {
    guard: 'refusals that a peer does not read',
    file: 'responder.ts',
    from: 'if (this.#refusals >= host.limits.calls) return;',
    to: '',
    async look({ session, ask }) {
      session.hasRoom = false;
      for (let id = 0; id < 100; id++) await ask({ id, method: 'unknown' });
      session.hasRoom = true;
      return session.takeSent().length;
    },
    expected: 3,
  },
  {
    guard: 'cancellations that a peer does not read',
    file: 'streams.ts',
    from: 'if (this.#cancellations >= limits.calls) return;',
    to: '',
    async look({ session }) {
      session.hasRoom = false;
      for (let stream = 1; stream <= 100; stream++) session.receive({ id: 1, result: { stream } });
      session.hasRoom = true;
      return session.takeSent().length;
    },
    expected: 3,
  },
  {
    guard: 'an id in use is refused',
    file: 'responder.ts',
    from: 'if (id !== undefined && this.#calls.has(id)) {',
    to: 'if (false) {',
    async look({ ask }) {
      await ask({ id: 1, method: 'wait' });
      return codesOf(await ask({ id: 1, method: 'wait' }));
    },
    expected: [-32600],
  },
  {
    guard: 'no refusal has the id of a call in flight',
    file: 'responder.ts',
    from: 'const free = id !== null && this.#calls.has(id) ? null : id;',
    to: 'const free = id;',
    async look({ ask }) {
      await ask({ id: 1, method: 'wait' });
      return ask({ id: 1, method: 5 });
    },
    expected: [expect.objectContaining({ id: null })],
  },
  {
    guard: 'what a handler threw stays in its process',
    file: 'responder.ts',
    from: "return { code: RPC.INTERNAL_ERROR, message: 'internal error' };",
    to: 'return { code: RPC.INTERNAL_ERROR, message: String(error) };',
    look: ({ ask }) => ask({ id: 1, method: 'fail' }),
    expected: [{ id: 1, error: { code: -32603, message: 'internal error' } }],
  },
  {
    guard: 'a message that is too long is not parsed',
    file: 'conversation.ts',
    from: '} else if (data.length > limits.messageBytes) {',
    to: '} else if (false) {',
    look: async ({ ask }) => codesOf(await ask({ id: 1, method: 'unknown', params: ['x'.repeat(400_000)] })),
    expected: [-31004],
  },
  {
    guard: 'ids are bounded',
    file: 'message.ts',
    from: 'value.length <= idLength : ',
    to: 'true : ',
    look: ({ ask }) => ask({ id: 'x'.repeat(1025), method: 'unknown' }),
    expected: [expect.objectContaining({ id: null })],
  },
  {
    guard: 'an error with id null is not answered',
    file: 'conversation.ts',
    from: 'else this.#host.onError(new CallError(error, { isRemote: true }), {});',
    to: "else this.#onInvalid(null, RPC.INVALID_REQUEST, '');",
    look: ({ ask }) => ask({ id: null, error: { code: 1, message: '' } }),
    expected: [],
  },
  {
    guard: 'a plain value is never taken for a stream',
    file: 'stream-reference.ts',
    from: 'return isLookalike(value) ? { stream: null, value } : value;',
    to: 'return value;',
    look: ({ ask }) => ask({ id: 1, method: 'lookalike' }),
    expected: [{ id: 1, result: { stream: null, value: { stream: 5 } } }],
  },
  {
    guard: 'what cannot be sent as an error does not end the process',
    file: 'message.ts',
    from: 'const text = serialize({ code, message, data });',
    to: 'return serialize({ code, message, data: String(data) });',
    look: ({ ask }) => ask({ id: 1, method: 'refuse' }),
    expected: [{ id: 1, error: { code: 5, message: 'no' } }],
  },
];

/** What is seen of a peer with limits of 3. */
async function see(classes: Implementation, look: Mutation['look']): Promise<unknown> {
  const environment = new FakeEnvironment();
  const session = new FakeSession();
  const handlers = {
    wait: untilAborted,
    fail: () => Promise.reject(new Error('secret')),
    refuse: () => Promise.reject(new classes.RpcError(5, 'no', { data: 5n })),
    lookalike: () => ({ stream: 5 }),
  };
  const limits = { calls: 3, streams: 3, messageBytes: 300_000 };
  const peer = new classes.RpcPeer(session as never, { handlers, limits } as never, environment) as RpcPeer;
  const ask = async (message: object | string) => {
    session.receive(message);
    await environment.settle();
    return session.takeSent();
  };
  try {
    return await look({ peer, session, ask });
  } finally {
    await peer.close();
  }
}

describe('guards', () => {
  test.each(MUTATIONS)('$guard', async ({ file, from, to, look, expected }) => {
    expect(await see({ RpcPeer, RpcError }, look)).toEqual(expected);
    expect(
      await withMutant(SOURCE, [{ file, from, to }], (mutant: Implementation) => see(mutant, look)),
    ).not.toEqual(expected);
  });
});
