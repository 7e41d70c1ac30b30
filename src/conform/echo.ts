// Cases that are about size and endurance: one large message, or many messages one after another, each to be echoed.

import type { ConformanceCase, Encounter, Judgement } from './case.js';
import { compressedStream } from './compressed-stream.js';
import type { DeflateProfile } from './deflate-session.js';
import { type CaseFacts, finishClosing, takeSteps } from './exchange.js';
import { describeEnd, type ExpectedClose, endOf, judgeClose, observe } from './judgement.js';
import { OPENING_LIMIT_MS, type OpenOptions, open } from './opening.js';
import { describePayload, equalBytes } from './payload.js';
import type { Step } from './step.js';
import type { MessageEvent, Tester } from './tester.js';

/** The tester ends the connection, the peer agrees. */
const TESTER_CLOSES: ExpectedClose = { by: 'tester', codes: [1000], isClean: true };

/** For the closing handshake: a peer that has just moved megabytes may be a while behind. */
const CLOSE_LIMIT_MS = 5000;

/** Time that a case gets beyond what its messages may take, for both handshakes. */
const HANDSHAKES_MS = OPENING_LIMIT_MS + 3 * CLOSE_LIMIT_MS;

type EchoFacts = Omit<CaseFacts, 'isHeavy'> & { limitMs: number };

interface Expected {
  type: 'text' | 'binary';
  /** Bytes of the echo. */
  length: number;
}

/** One message goes out, one message of that type and length has to come back. Contents are not compared. */
export function largeEcho(facts: EchoFacts, step: Step, expected: Expected): ConformanceCase {
  return echoCase(facts, { isStrict: true }, async (tester, limitMs) => {
    const endsAt = performance.now() + limitMs;
    await takeSteps(tester, [step]);
    return faultOf(await tester.take(endsAt - performance.now()), expected);
  });
}

/** The same message goes out `count` times, each time after the echo of the one before. Contents are not compared. */
export function roundTrips(facts: EchoFacts, count: number, step: Step, expected: Expected): ConformanceCase {
  return echoCase(facts, { isStrict: true }, async (tester, limitMs) => {
    const endsAt = performance.now() + limitMs;
    for (let n = 1; n <= count; n++) {
      await takeSteps(tester, [step]);
      const fault = faultOf(await tester.take(endsAt - performance.now()), expected);
      if (fault !== undefined) return `Round trip ${n} of ${count}: ${fault}`;
    }
    return undefined;
  });
}

export interface CompressedEcho {
  profile: DeflateProfile;
  /** The same name stands for the same messages. */
  name: string;
  type: 'text' | 'binary';
  /** The messages, in order; made while the case runs. */
  contents: () => Iterable<Uint8Array>;
  /** The compressed bytes are cut into frames of that many; 0 leaves them in one. */
  fragmentBytes: number;
}

/** Compressed messages, one after another, and each echo has to be equal; UNIMPLEMENTED where nothing was agreed on. */
export function compressedEchoes(facts: EchoFacts, echoes: CompressedEcho): ConformanceCase {
  return echoCase(
    { ...facts, batch: echoes.name },
    { isStrict: true, lendsPayloads: true, deflate: echoes.profile },
    (tester, limitMs) => echoAll(tester, limitMs, echoes),
  );
}

async function echoAll(
  tester: Tester,
  limitMs: number,
  { name, type, contents, fragmentBytes }: CompressedEcho,
): Promise<string | undefined> {
  const endsAt = performance.now() + limitMs;
  const stream = compressedStream(name, tester.codec!.outgoing);
  try {
    let n = 0;
    for (const content of contents()) {
      await tester.sendCompressed(type, stream.message(n++, content), fragmentBytes);
      const event = await tester.take(endsAt - performance.now());
      const fault = faultOf(event, { type, length: content.length });
      if (fault !== undefined) return `Message ${n}: ${fault}`;
      if (!equalBytes((event as MessageEvent).payload, content)) return `Message ${n} came back changed.`;
    }
    return undefined;
  } finally {
    stream.release();
  }
}

/** @param run resolves with what went wrong, as a sentence, if anything did */
function echoCase(
  facts: EchoFacts,
  options: OpenOptions,
  run: (tester: Tester, limitMs: number) => Promise<string | undefined>,
): ConformanceCase {
  return {
    ...facts,
    isHeavy: true,
    limitMs: facts.limitMs + HANDSHAKES_MS,
    run: async (encounter: Encounter): Promise<Judgement> => {
      const { tester } = await open(encounter, options);
      if (options.deflate !== undefined && tester.codec === undefined) return unimplemented(tester);
      const fault = await run(tester, facts.limitMs);
      if (fault === undefined) await tester.close(1000);
      else if (tester.isOpen) await tester.close();
      await finishClosing(tester, CLOSE_LIMIT_MS);
      const seen = observe(tester);
      return {
        behavior: fault === undefined ? 'OK' : 'FAILED',
        behaviorClose: judgeClose(seen, TESTER_CLOSES),
        finding: [
          fault ?? 'Everything came back.',
          ...seen.violations.slice(0, 3).map(({ detail }) => `The peer broke a rule: ${detail}.`),
          describeEnd(seen),
        ].join(' '),
        ...endOf(seen),
      };
    },
  };
}

async function unimplemented(tester: Tester): Promise<Judgement> {
  await tester.close(1000);
  await finishClosing(tester, CLOSE_LIMIT_MS);
  const seen = observe(tester);
  return {
    behavior: 'UNIMPLEMENTED',
    behaviorClose: judgeClose(seen, TESTER_CLOSES),
    finding: 'The peers did not agree on permessage-deflate.',
    ...endOf(seen),
  };
}

function faultOf(event: Awaited<ReturnType<Tester['take']>>, expected: Expected): string | undefined {
  if (event === undefined) return 'no echo came.';
  if (event.type === expected.type && event.payload.length === expected.length) return undefined;
  return `the peer sent ${event.type} (${describePayload(event.payload)}), not ${expected.type} of ${expected.length} bytes.`;
}
