// Pings and Pongs (RFC 6455 §5.5): answered with the same data, soon, once, and only when asked. Control
// frames that are too long or in pieces are in `control-refused.ts`.

import { PING } from '../../wire/opcode.js';
import type { ConformanceCase } from '../case.js';
import { takeSteps } from '../exchange.js';
import { cycled, describePayload, equalBytes, type Payload, payloadBytes } from '../payload.js';
import {
  awaitMessages,
  breaks,
  conforms,
  faultOfEchoes,
  hasEnded,
  informational,
  nonStrict,
  PATIENCE_MS,
  type Ruling,
  ruleCase,
  textMessage,
} from '../rule-case.js';
import { binary, chopped, close, continuation, ping, pong, text, unfinished } from '../step.js';
import type { Tester } from '../tester.js';
import { CONTROL_REFUSED_CASES } from './control-refused.js';

const PINGS = 'RFC 6455 §5.5.2, §5.5.3';
const ANSWERED = 'A Ping is answered with a Pong that carries the same data.';

const pongsOf = ({ events }: Tester): Uint8Array[] =>
  events.flatMap((event) => (event.type === 'pong' ? [event.payload] : []));

/** Sends Pings one after another, each after the Pong to the one before. */
async function answersEach(tester: Tester, payloads: readonly Payload[]): Promise<Ruling> {
  for (const [index, payload] of payloads.entries()) {
    await tester.send({ opcode: PING, payload });
    await tester.until(() => pongsOf(tester).length > index || tester.isOver, PATIENCE_MS);
    const answer = pongsOf(tester)[index];
    if (answer === undefined)
      return breaks(`No Pong came to Ping ${index + 1} (${describePayload(payload)}).`);
    if (!equalBytes(answer, payloadBytes(payload)))
      return breaks(`The Pong to a Ping (${describePayload(payload)}) carries ${describePayload(answer)}.`);
  }
  return noMorePongs(tester, payloads.length);
}

/** Whether that many Pongs were all. A message that is echoed shows that what came before it has been dealt with. */
async function noMorePongs(tester: Tester, count: number): Promise<Ruling> {
  await takeSteps(tester, [text('end')]);
  await awaitMessages(tester, 1);
  const pongs = pongsOf(tester).length;
  if (pongs > count) return breaks(`${pongs} Pongs came where ${count} were due.`);
  return conforms(count === 0 ? 'No Pong came.' : `${count === 1 ? 'The Pong' : `All ${count} Pongs`} came.`);
}

const upTo = (last: number): number[] => Array.from({ length: last + 1 }, (_, index) => index);

const singlePings: readonly [id: string, title: string, payloads: readonly Payload[]][] = [
  [
    'ping-of-every-length',
    'Sends Pings of 0 to 125 bytes, each after the Pong to the one before.',
    upTo(125).map((length) => cycled('ping payload ', length)),
  ],
  [
    'ping-of-every-byte',
    'Sends Pings that hold each value of a byte, which make no UTF-8.',
    [0, 64, 128, 192].map((from) => Uint8Array.from(upTo(63), (value) => from + value)),
  ],
  ['ping-same-twice', 'Sends three equal Pings, each after the Pong to the one before.', ['a', 'a', 'a']],
  ['ping-empty-after-full', 'Sends a Ping with data, then an empty one.', ['data', '', 'data', '']],
];

const answered = singlePings.map(([id, title, payloads]) =>
  ruleCase(
    {
      id: `control.${id}`,
      title,
      rule: ANSWERED,
      section: PINGS,
      requirements: ['RFC6455-5.5.2-1', 'RFC6455-5.5.2-2', 'RFC6455-5.5.2-4', 'RFC6455-5.5.3-1'],
      expectation: 'Exactly one Pong comes to each, with equal data.',
      // One round trip for each Ping, over whatever network.
      limitMs: 60_000,
    },
    (tester) => answersEach(tester, payloads),
  ),
);

/** How the Pongs to a burst may look: a part of the Pings in their order, the last one in any case (§5.5.3). */
function rulingOnBurst(pongs: readonly Uint8Array[], pings: readonly string[]): Ruling {
  let next = 0;
  for (const answer of pongs) {
    const at = pings.findIndex(
      (payload, index) => index >= next && equalBytes(answer, payloadBytes(payload)),
    );
    if (at === -1)
      return breaks(`A Pong carries ${describePayload(answer)}: not asked for, changed, or out of order.`);
    next = at + 1;
  }
  if (next < pings.length) return breaks(`The last Ping (${describePayload(pings.at(-1)!)}) got no Pong.`);
  return conforms(`${pongs.length} Pongs came to ${pings.length} Pings, in order, the last one among them.`);
}

const bursts = [
  { id: 'burst-in-one-segment', count: 50, title: 'Sends 50 different Pings in one TCP write.', chop: 0 },
  { id: 'burst-chopped', count: 20, title: 'Sends 20 different Pings, three bytes per TCP write.', chop: 3 },
].map(({ id, count, title, chop }) =>
  ruleCase(
    {
      id: `control.${id}`,
      title,
      rule: 'Of several Pings only the latest needs a Pong; those that are answered are so in order.',
      section: 'RFC 6455 §5.5.3',
      requirements: ['RFC6455-5.5.3-1', 'RFC6455-5.5.3-2', 'RFC6455-5.5.2-2'],
      expectation: 'The Pongs are Pings in their order, none twice, none other, and the last is answered.',
    },
    async (tester) => {
      const pings = upTo(count - 1).map((number) => `ping ${number}`);
      const steps = pings.map((payload) => ping(payload));
      await takeSteps(tester, chop === 0 ? steps : steps.map((step) => chopped(chop, step)));
      const last = payloadBytes(pings.at(-1)!);
      await tester.until(
        () => hasEnded(tester) || pongsOf(tester).some((answer) => equalBytes(answer, last)),
        PATIENCE_MS,
      );
      await noMorePongs(tester, count);
      return rulingOnBurst(pongsOf(tester), pings);
    },
  ),
);

const exchanges = [
  ruleCase(
    {
      id: 'control.ping-between-fragments-at-once',
      title: 'Sends a first fragment and a Ping, and waits for the Pong before it sends the last fragment.',
      rule: 'A Ping between fragments is handled when it comes; its Pong does not wait for the end of the message.',
      section: 'RFC 6455 §5.4, §5.5.2',
      requirements: ['RFC6455-5.4-7', 'RFC6455-5.5.2-2', 'RFC6455-5.5.2-3', 'RFC6455-6.2-2'],
      expectation:
        'The Pong comes while the message is under way. One that comes only after it is NON-STRICT.',
    },
    async (tester) => {
      await takeSteps(tester, [unfinished(text('first, ')), ping('between')]);
      const isSoon = await tester.until(() => pongsOf(tester).length > 0, PATIENCE_MS / 2);
      await takeSteps(tester, [continuation('last')]);
      await tester.until(() => hasEnded(tester) || pongsOf(tester).length > 0, PATIENCE_MS / 2);
      const [answer] = pongsOf(tester);
      if (answer === undefined) return breaks('No Pong came.');
      if (!equalBytes(answer, payloadBytes('between')))
        return breaks(`The Pong carries ${describePayload(answer)}.`);
      return isSoon
        ? conforms('The Pong came at once.')
        : nonStrict('The Pong waited for the end of the message.');
    },
  ),
  ruleCase(
    {
      id: 'control.ping-behind-messages',
      title: 'Sends a text, a Ping, 100,000 bytes of binary, a Ping and a text in one go.',
      rule: ANSWERED,
      section: PINGS,
      requirements: ['RFC6455-5.5.2-2', 'RFC6455-5.5.3-1', 'RFC6455-5.5.3-2'],
      expectation:
        'The Pings are answered in order, the last in any case; where among the echoes is up to the peer.',
    },
    async (tester) => {
      const big = binary(cycled('big', 100_000));
      await takeSteps(tester, [text('a'), ping('one'), big, ping('two'), text('b')]);
      await tester.until(
        () => hasEnded(tester) || (tester.messages.length >= 3 && pongsOf(tester).length > 0),
        PATIENCE_MS,
      );
      return rulingOnBurst(pongsOf(tester), ['one', 'two']);
    },
  ),
  ruleCase(
    {
      id: 'control.pongs-unasked',
      title: 'Sends 20 Pongs that nobody asked for, among them empty ones, and a text.',
      rule: 'A Pong that was not asked for is fine, and gets no answer.',
      section: 'RFC 6455 §5.5.3',
      requirements: ['RFC6455-5.5.3-3'],
      expectation: 'The text is echoed, and no Pong comes.',
    },
    async (tester) => {
      await takeSteps(tester, [...upTo(19).map((n) => pong(n % 2 === 0 ? '' : `pong ${n}`)), text('end')]);
      await awaitMessages(tester, 1);
      if (hasEnded(tester)) return breaks('The peer ended the connection.');
      const pongs = pongsOf(tester).length;
      if (pongs > 0) return breaks(`${pongs} Pongs came in answer.`);
      const fault = faultOfEchoes(tester, [textMessage('end')]);
      return fault === undefined ? conforms('The Pongs were taken, and not answered.') : breaks(fault);
    },
  ),
  ruleCase(
    {
      id: 'control.pong-then-ping',
      title: 'Sends a Pong and a Ping that carry different data.',
      rule: 'The Pong repeats the data of the Ping that it answers, not of a Pong that came.',
      section: 'RFC 6455 §5.5.3',
      requirements: ['RFC6455-5.5.3-1', 'RFC6455-5.5.3-3'],
      expectation: 'One Pong comes, with the data of the Ping.',
    },
    async (tester) => {
      await takeSteps(tester, [pong('pong'), ping('ping'), pong('pong')]);
      await tester.until(() => hasEnded(tester) || pongsOf(tester).length > 0, PATIENCE_MS);
      const ruling = await noMorePongs(tester, 1);
      return ruling.behavior === 'OK' ? rulingOnBurst(pongsOf(tester), ['ping']) : ruling;
    },
  ),
  ruleCase(
    {
      id: 'control.peer-sends-proper-pongs',
      title: 'Has Pings of 0, 1, 124 and 125 bytes answered, and looks at the headers of the Pongs.',
      rule: 'A control frame is in one piece, and carries at most 125 bytes.',
      section: 'RFC 6455 §5.4, §5.5',
      requirements: ['RFC6455-5.4-4', 'RFC6455-5.5-1'],
      expectation: 'Every Pong has FIN, and no more than 125 bytes.',
    },
    async (tester) => {
      await takeSteps(
        tester,
        [0, 1, 124, 125].map((length) => ping(cycled('p', length))),
      );
      await tester.until(() => hasEnded(tester) || pongsOf(tester).length >= 4, PATIENCE_MS / 2);
      const violation = tester.hasViolated('control-fragmented', 'control-too-long');
      if (violation !== undefined) return breaks(`The peer sent ${violation.detail}.`);
      if (pongsOf(tester).length === 0) return informational('No Pong came: its form cannot be told.');
      return conforms('The Pongs have the form that they must have.');
    },
  ),
  ruleCase(
    {
      id: 'control.ping-behind-close',
      title: 'Sends a Close frame and a Ping in one TCP write.',
      rule: 'Once a Close frame has come no Pong is owed, and behind its own Close frame the peer has nothing to say.',
      section: 'RFC 6455 §5.5.1, §5.5.2',
      requirements: ['RFC6455-5.5.2-2', 'RFC6455-5.5.1-6'],
      expectation:
        'No data comes behind the Close frame. A Pong behind it is NON-STRICT, one before it is fine.',
    },
    async (tester) => {
      await takeSteps(tester, [close(1000), ping('behind')]);
      await tester.until(() => tester.isOver, PATIENCE_MS / 2);
      const behind = tester.hasViolated('frame-after-close');
      if (tester.peerClose === null) return informational('The peer sent no Close frame.');
      if (behind === undefined) return conforms('Nothing came behind the Close frame.');
      return behind.detail.startsWith('a pong')
        ? nonStrict(`It sent ${behind.detail}.`)
        : breaks(`It sent ${behind.detail}.`);
    },
  ),
];

export const CONTROL_CASES: readonly ConformanceCase[] = [
  ...answered,
  ...bursts,
  ...exchanges,
  ...CONTROL_REFUSED_CASES,
];
