// A queue that runs full while the connection is a black hole: what each policy does to the messages, and what has arrived
// when the network is there again.
import { afterEach, describe, expect, it } from 'vitest';
import type {
  ClientSession,
  DroppedMessage,
  QueueOptions,
  QueuePolicy,
  SendOutcome,
} from '../../../src/agent/index.js';
import { until } from '../../support/tcp.js';
import { type Scene, setScene } from './scene.js';

let scene: Scene;

afterEach(() => scene.close());

/** A client that is welcome to send two messages at a time, in a black hole. */
async function setTrap(queue: QueueOptions, serverQueue: QueueOptions = { maxMessages: 2 }) {
  scene = await setScene({ queue: serverQueue });
  const client = scene.connect({ queue });
  await client.ready;
  const drops: DroppedMessage[] = [];
  client.on('drop', (drop) => drops.push(drop));
  scene.proxy.blackhole(true);
  return { client, session: scene.sessions[0]!, drops };
}

/** Sends so many messages, with one of two keys in turn; their outcomes, and codes of errors, as they become known. */
function send(client: ClientSession, count: number): (SendOutcome | string | undefined)[] {
  const outcomes: (string | undefined)[] = new Array(count).fill(undefined);
  for (let number = 1; number <= count; number++) {
    client.send(String(number), { key: number % 2 }).then(
      (outcome) => {
        outcomes[number - 1] = outcome;
      },
      (error) => {
        outcomes[number - 1] = error.code;
      },
    );
  }
  return outcomes;
}

/** 1 and 2 have numbers and are on their way; 3 and 4 wait; then the queue is full. */
const CASES: {
  policy: QueuePolicy;
  outcomes: (string | undefined)[];
  drops: [data: string, reason: string][];
  waiting: number;
  arrived: string[];
}[] = [
  {
    policy: 'block',
    outcomes: ['accepted', 'accepted', 'accepted', 'accepted', undefined, undefined],
    drops: [],
    waiting: 2,
    arrived: ['1', '2', '3', '4', '5', '6'],
  },
  {
    policy: 'error',
    outcomes: ['accepted', 'accepted', 'accepted', 'accepted', 'queue-full', 'queue-full'],
    drops: [],
    waiting: 0,
    arrived: ['1', '2', '3', '4'],
  },
  {
    policy: 'drop-oldest',
    outcomes: ['accepted', 'accepted', 'accepted', 'accepted', 'displaced', 'displaced'],
    drops: [
      ['3', 'full'],
      ['4', 'full'],
    ],
    waiting: 0,
    arrived: ['1', '2', '5', '6'],
  },
  {
    policy: 'drop-newest',
    outcomes: ['accepted', 'accepted', 'accepted', 'accepted', 'dropped', 'dropped'],
    drops: [
      ['5', 'full'],
      ['6', 'full'],
    ],
    waiting: 0,
    arrived: ['1', '2', '3', '4'],
  },
  {
    policy: 'conflate',
    outcomes: ['accepted', 'accepted', 'accepted', 'accepted', 'displaced', 'displaced'],
    drops: [
      ['3', 'conflated'],
      ['4', 'conflated'],
    ],
    waiting: 0,
    arrived: ['1', '2', '5', '6'],
  },
  {
    policy: 'volatile',
    outcomes: ['accepted', 'accepted', 'dropped', 'dropped', 'dropped', 'dropped'],
    drops: ['3', '4', '5', '6'].map((data) => [data, 'volatile']),
    waiting: 0,
    arrived: ['1', '2'],
  },
];

describe('over a black hole', () => {
  it.each(CASES)('$policy', async ({ policy, outcomes, drops, waiting, arrived }) => {
    const { client, session, drops: dropped } = await setTrap({ policy, maxMessages: 4 });
    const got = send(client, 6);
    // Outcomes are told by promises.
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).toEqual(outcomes);
    expect(dropped.map(({ data, reason }) => [data, reason])).toEqual(drops);
    expect(client.stats()).toMatchObject({ waiting, unacked: 2, dropped: drops.length });
    scene.proxy.blackhole(false);
    await until(() => session.received === arrived.length);
    await client.flush();
    expect(got).not.toContain(undefined);
    expect(scene.logs.get(session)!.map(({ data }) => data)).toEqual(arrived);
    expect(client.stats()).toMatchObject({ resumes: 0, unsent: 0, unacked: 0, waiting: 0 });
  });

  it('no more than its bytes are held, whatever is sent', async () => {
    const { client, session } = await setTrap({}, {});
    const message = new Uint8Array(64 * 1024);
    const count = 100;
    for (let number = 0; number < count; number++) client.send(message);
    expect(client.stats()).toMatchObject({ queuedBytes: 2 ** 20, waiting: count - 16 });
    scene.proxy.blackhole(false);
    await until(() => session.received === count);
    await client.flush();
    expect(client.stats()).toMatchObject({ resumes: 0, acknowledged: count, queuedBytes: 0, waiting: 0 });
  });
});
