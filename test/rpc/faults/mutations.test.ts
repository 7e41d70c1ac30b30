// Takes the guards of calls and streams away, one at a time, in copies of src/rpc/, and shows that the model notices each: what
// the model does not see is not proven by it.
import { describe, expect, test } from 'vitest';
import type { Change } from '../../support/mutant.js';
import { findFailureWithout } from './model/run.js';

/** Several times as many as the rarest failure takes. */
const SEEDS = 1500;

interface Mutation {
  guard: string;
  changes: Change[];
  symptom: RegExp;
}

const MUTATIONS: Mutation[] = [
  {
    guard: 'items: no more than there is credit for',
    changes: [
      { file: 'stream-sender.ts', from: ' && count < credit.items', to: '' },
      {
        file: 'stream-sender.ts',
        from: 'Math.min(items, STREAM_WINDOW.items)',
        to: 'STREAM_WINDOW.items',
      },
    ],
    symptom: /has no credit/,
  },
  {
    guard: 'items share a message only as far as it can be sent',
    changes: [
      {
        file: 'stream-sender.ts',
        from: 'Math.min(BATCH_LENGTH, this.#options.maxBytes - ENVELOPE_LENGTH)',
        to: 'BATCH_LENGTH',
      },
    ],
    symptom: /characters in a message/,
  },
  {
    guard: 'credit: the application has consumed',
    changes: [
      {
        file: 'incoming-stream.ts',
        from: 'this.#owner.grant(this.#number, items, bytes, this);',
        to: '',
      },
    ],
    symptom: /stuck/,
  },
  {
    guard: 'the end of a stream comes behind its items',
    changes: [
      {
        file: 'stream-sender.ts',
        from: 'if (this.#waiting.length > 0) return this.#takeItems();',
        to: 'if (this.#waiting.length > 0 && this.#end === undefined) return this.#takeItems();',
      },
    ],
    symptom: /ends with|wrong result/,
  },
  {
    guard: 'room: what there is none for waits',
    changes: [
      {
        file: 'outbox.ts',
        from: 'return this.#messages.length === 0 && this.#carrier.hasRoomFor(text.length);',
        to: 'return this.#messages.length === 0;',
      },
    ],
    symptom: /sent without room/,
  },
  {
    guard: 'a call that is given up is told of',
    changes: [
      {
        file: 'caller.ts',
        from: "if (!outbox.withdraw(call)) outbox.send(serializeOurs('$/cancel', { id: call.id, reason }));",
        to: '',
      },
    ],
    symptom: /stuck|left at the end|settled/,
  },
  {
    guard: 'the producers of a call that fails are stopped',
    changes: [
      {
        file: 'caller.ts',
        from: 'if (!call.hasStream) for (const number of call.streams) streams.stop(number);',
        to: '',
      },
    ],
    symptom: /a producer is left|stuck|left at the end/,
  },
  {
    guard: 'a stream that comes too late for its call is refused',
    changes: [
      {
        file: 'caller.ts',
        from: 'decodeValue(result, (number) => streams.refuse(number));',
        to: '',
      },
    ],
    symptom: /never announced|a producer is left|stuck/,
  },
  {
    guard: 'who leaves a streamed result leaves the streams that it was made of',
    changes: [
      {
        file: 'incoming-call.ts',
        from: 'for (const stream of this.streams) stream.abandon(reason);',
        to: 'for (const stream of this.streams) stream.end(reason);',
      },
    ],
    symptom: /stuck|a producer is left/,
  },
  {
    guard: 'streams that a handler has not read to their end are cancelled',
    changes: [{ file: 'responder.ts', from: 'call.cancelStreams();', to: '' }],
    symptom: /stuck|a producer is left|left at the end/,
  },
  {
    guard: 'a lost session: what is in flight fails',
    changes: [{ file: 'session-connection.ts', from: 'lost.onEnd(error);', to: '' }],
    symptom: /stuck|settled/,
  },
  {
    guard: 'a lost session: the next conversation is another',
    changes: [
      {
        file: 'session-connection.ts',
        from: `const lost = this.#conversation;
    this.#conversation = this.#owner.begin(this);`,
        to: 'const lost = this.#conversation;',
      },
    ],
    symptom: /must not end|stuck|settled/,
  },
  {
    guard: 'the answer of a lost session does not go to the next',
    changes: [
      { file: 'outbox.ts', from: 'this.#carrier = CLOSED;', to: '' },
      {
        file: 'incoming-call.ts',
        from: 'this.isAwaited = false;',
        to: '',
      },
    ],
    symptom: /./,
  },
  {
    guard: 'a move: what is in flight stays with the former server',
    changes: [
      { file: 'session-connection.ts', from: 'moving.moveTo(new FormerCarrier(former, moving));', to: '' },
    ],
    symptom: /stuck|settled|left at the end|never announced/,
  },
  {
    guard: 'a call is not-sent only while it is',
    changes: [{ file: 'outgoing-call.ts', from: 'this.#isSent = true;', to: '' }],
    symptom: /not to have been sent/,
  },
  {
    guard: 'deadlines: progress begins the wait anew, and nothing else does',
    changes: [
      {
        file: 'outgoing-call.ts',
        from: 'return Math.min(this.#deadline, this.#lastDeadline);',
        to: 'return this.#deadline;',
      },
    ],
    symptom: /settled after/,
  },
  {
    guard: 'an answer that was lost is over',
    changes: [
      {
        file: 'incoming-call.ts',
        from: `onLost(): void {
    this.#owner.onOver(this);`,
        to: 'onLost(): void {',
      },
    ],
    symptom: /left at the end/,
  },
];

describe('the model', () => {
  test(`the classes as they are -> no failure in ${SEEDS} scenarios`, async () => {
    expect(await findFailureWithout([], SEEDS, /./)).toBeUndefined();
  }, 300_000);

  test.each(MUTATIONS.map((mutation) => [mutation.guard, mutation] as const))(
    'without "%s" -> fails',
    async (_guard, { changes, symptom }) => {
      expect(await findFailureWithout(changes, SEEDS, symptom)).toBeDefined();
    },
    300_000,
  );
});
