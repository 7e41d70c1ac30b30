// What travels around the handshake of a server (RFC 6455 §4.2.2, §7.2.2, §10.7): nothing before the request, nothing but
// frames behind a 101, nothing that is a frame behind a refusal; and what a server may refuse for reasons of its own.

import { CONTINUATION, isControlOpcode, isKnownOpcode, PING, PONG, TEXT } from '../../wire/opcode.js';
import type { ConformanceCase, Encounter, Judgement } from '../case.js';
import { finishClosing } from '../exchange.js';
import { serializeFrame } from '../frame.js';
import { endOf, observe } from '../judgement.js';
import { linesOf, sendHead, withHeader } from '../opening.js';
import { describePayload, equalBytes, payloadBytes } from '../payload.js';
import type { RawConnection } from '../raw-connection.js';
import { stillServes } from '../rule-case.js';
import {
  type Answer,
  type Asked,
  acceptedBy,
  ask,
  describeAnswer,
  faultOfAcceptance,
  isUpgrade,
  judgeRefusal,
  leave,
  readAnswer,
  requestBytes,
  serverCase,
  verdict,
} from '../server-answer.js';
import { dial } from '../server-judge.js';
import { Tester } from '../tester.js';

/** How long the tester listens where nothing may come. */
const QUIET_MS = 250;
/** How long it waits for an echo. */
const ECHO_LIMIT_MS = 2000;
const REFUSAL_LIMIT_MS = 2000;

const EARLY = 'sent before the response';
const LATE = 'sent after the response';

export const SERVER_FLOW_CASES: readonly ConformanceCase[] = [
  serverCase(
    'handshake',
    {
      id: 'is-silent-before-the-request',
      title: 'Connects and sends nothing for a quarter of a second.',
      rule: 'The client speaks first; a server answers its request.',
      section: 'RFC 6455 §4.2.2',
      requirements: ['RFC6455-4.2.2-1'],
      expectation: 'The server sends nothing before it has a request, and accepts the one that follows.',
    },
    async (encounter) => judgeLateEnd(encounter, 0),
  ),
  serverCase(
    'handshake',
    {
      id: 'waits-for-the-end-of-the-request',
      title: 'Sends a request without its last two bytes, and those a quarter of a second later.',
      rule: 'A request is answered when it is complete.',
      section: 'RFC 6455 §4.2.1',
      requirements: ['RFC6455-4.2.2-1', 'RFC6455-4.2.1-1'],
      expectation:
        'The server sends nothing before the empty line that ends the request, and accepts it then.',
    },
    async (encounter) => judgeLateEnd(encounter, -2),
  ),
  serverCase(
    'handshake',
    {
      id: 'sends-only-frames-behind-101',
      title:
        'Looks at what comes behind the response in the first quarter of a second, and then sends a message.',
      rule: 'A response with status 101 has no body: the next byte is the first of a frame, if there is one.',
      section: 'RFC 6455 §4.2.2',
      requirements: ['RFC6455-4.2.2-14', 'RFC6455-4.2.2-20'],
      expectation: 'Nothing comes, or frames.',
    },
    judgeBytesBehindResponse,
  ),
  serverCase(
    'handshake',
    {
      id: 'frame-in-the-segment-of-the-request',
      title: 'Sends a message right behind the request, in the same TCP write.',
      rule: 'A client has to wait for the response, so a server may refuse; one that accepts must not lose what it has read.',
      section: 'RFC 6455 §4.1, §4.2.2',
      requirements: ['RFC6455-4.2.2-1', 'RFC6455-10.7-1'],
      expectation:
        'The message is echoed, or the connection ends. A server that loses it is NON-STRICT: the tester broke a rule first.',
    },
    (encounter) => judgeEarlyFrame(encounter, 'whole'),
  ),
  serverCase(
    'handshake',
    {
      id: 'half-a-frame-in-the-segment-of-the-request',
      title:
        'Sends the first half of a frame in the TCP write of the request, the second one after the response.',
      rule: 'A client has to wait for the response, so a server may refuse; one that accepts must not lose what it has read.',
      section: 'RFC 6455 §4.1, §4.2.2',
      requirements: ['RFC6455-4.2.2-1', 'RFC6455-10.7-1'],
      expectation:
        'The message is echoed, or the connection ends. A server that loses it is NON-STRICT: the tester broke a rule first.',
    },
    (encounter) => judgeEarlyFrame(encounter, 'half'),
  ),
  serverCase(
    'handshake',
    {
      id: 'takes-no-frames-after-a-refusal',
      title: 'Sends a request without a key, and frames after the response that refuses it.',
      rule: 'A handshake that was refused has established nothing: what follows is not WebSocket.',
      section: 'RFC 6455 §4.2.1, §7.2.2',
      requirements: ['RFC6455-4.2.1-1', 'RFC6455-7.2.2-1'],
      expectation: 'No frame comes back.',
    },
    judgeFramesAfterRefusal,
  ),
  serverCase(
    'handshake',
    {
      id: 'takes-no-frames-without-a-handshake',
      title: 'Sends a Ping and a message in place of a request.',
      rule: 'A connection begins with the opening handshake; frames without one are not taken.',
      section: 'RFC 6455 §4.2.1, §10.7',
      requirements: ['RFC6455-4.2.1-1', 'RFC6455-10.7-1', 'RFC6455-10.7-2'],
      expectation: 'No frame comes back.',
    },
    async (encounter) => {
      const connection = await encounter.connect();
      await sendFrames(connection);
      await connection.until(() => connection.isOver, QUIET_MS);
      return judgeNoFrames(connection, connection.isOver ? 'The server ended TCP.' : 'TCP stayed open.');
    },
  ),
  serverCase(
    'handshake',
    {
      id: 'refuses-garbage',
      title: 'Sends bytes that are no HTTP at all, with an empty line at the end.',
      rule: 'Whatever comes is checked; what cannot be understood may be answered with an error, or by ending TCP.',
      section: 'RFC 6455 §10.7',
      requirements: ['RFC6455-10.7-1', 'RFC6455-10.7-2', 'RFC6455-10.7-4'],
      expectation: 'The server answers with the status of an error, or ends TCP.',
    },
    async (encounter) => {
      const connection = await encounter.connect();
      await sendHead(connection, Buffer.from('\x01\x02\x03 \x80\x81\xff GARBAGE\r\n\r\n', 'latin1'));
      const answer = await readAnswer(connection, REFUSAL_LIMIT_MS);
      // To end TCP is fine here, and to wait for more of something unknown is no more than unwise.
      const ways = { 'TCP ended': 'OK', silence: 'NON-STRICT' } as const;
      return answer.kind === 'TCP ended' || answer.kind === 'silence'
        ? verdict(ways[answer.kind], describeAnswer(answer))
        : judgeRefusal(answer);
    },
  ),
  serverCase(
    'handshake',
    {
      id: 'accepts-version-13-after-a-refusal',
      title: 'Asks for version 25, and on a new connection for version 13.',
      rule: 'A client whose version was refused may try again with one that the server has.',
      section: 'RFC 6455 §4.4',
      requirements: ['RFC6455-4.4-1', 'RFC6455-4.2.2-7'],
      expectation: 'The server refuses version 25 and accepts version 13.',
    },
    async (encounter) => {
      const first = await ask(encounter, {
        headers: (plain) => withHeader(plain, 'Sec-WebSocket-Version', '25'),
      });
      await leave(first);
      if (faultOfAcceptance(first) === undefined) return verdict('FAILED', 'The server accepted version 25.');
      const second = await ask(encounter);
      await leave(second);
      acceptedBy(second);
      return verdict('OK', `${describeAnswer(first.answer)} It accepted version 13 afterwards.`);
    },
  ),
  serverCase(
    'handshake',
    {
      id: 'accepts-or-forbids-an-origin',
      title: 'Sends an Origin that no site has, http://stranger.invalid.',
      rule: 'A server may refuse an origin, with an HTTP error, which should be 403.',
      section: 'RFC 6455 §4.2.2, §10.2',
      requirements: ['RFC6455-4.2.2-5', 'RFC6455-4.2.2-6', 'RFC6455-10.2-1', 'RFC6455-10.2-2'],
      expectation: 'The server accepts, or answers 403.',
    },
    async (encounter) => {
      const asked = await ask(encounter, {
        headers: (plain) => [...plain, ['Origin', 'http://stranger.invalid']],
      });
      await leave(asked);
      if (hasAccepted(asked)) return verdict('OK', 'The server accepts any origin.');
      const judgement = judgeRefusal(asked.answer);
      const isForbidden = asked.answer.kind === 'response' && asked.answer.response.statusCode === 403;
      return judgement.behavior === 'OK' && !isForbidden
        ? verdict('NON-STRICT', judgement.finding)
        : judgement;
    },
  ),
  serverCase(
    'handshake',
    {
      id: 'accepts-redirects-or-asks-who-it-is',
      title: 'Sends a request without credentials.',
      rule: 'A server may redirect, with the target in Location, or ask for credentials, saying which in WWW-Authenticate.',
      section: 'RFC 6455 §4.2.2',
      requirements: ['RFC6455-4.2.2-3', 'RFC6455-4.2.2-4'],
      expectation: 'The server accepts, or its refusal is complete.',
    },
    async (encounter) => {
      const asked = await ask(encounter);
      await leave(asked);
      if (hasAccepted(asked)) return verdict('OK', 'The server accepts without more.');
      return judgeCondition(asked.answer);
    },
  ),
  serverCase(
    'handshake',
    {
      id: 'accepts-or-refuses-a-resource',
      title: 'Asks for a resource that is not likely to exist.',
      rule: 'Where there is no such service, the server answers with an HTTP error such as 404.',
      section: 'RFC 6455 §4.2.2',
      requirements: ['RFC6455-4.2.2-8'],
      expectation: 'The server serves any resource, or answers with the status of an error.',
    },
    async (encounter) => {
      const asked = await ask(encounter, { target: () => '/no-such-resource/4f1c9a52d0' });
      await leave(asked);
      return hasAccepted(asked)
        ? verdict('OK', 'The server accepts for any resource.')
        : judgeRefusal(asked.answer);
    },
  ),
  serverCase(
    'handshake',
    {
      id: 'keeps-to-tls',
      title: 'Sends a request without TLS to the port of a wss: URL.',
      rule: 'Where TLS is used, everything goes through it, the handshake as well.',
      section: 'RFC 6455 §4.2.2',
      requirements: ['RFC6455-4.2.2-2', 'RFC6455-10.6-1'],
      expectation: 'No 101 comes. For a ws: URL there is nothing to see.',
    },
    judgeWithoutTls,
  ),
];

/** What belongs to a status with which a server makes a condition. */
function judgeCondition(answer: Answer): Judgement {
  const judgement = judgeRefusal(answer);
  if (judgement.behavior === 'FAILED' || answer.kind !== 'response') return judgement;
  const { statusCode } = answer.response;
  const isRedirect = [301, 302, 303, 307, 308].includes(statusCode);
  const field = isRedirect ? 'Location' : statusCode === 401 ? 'WWW-Authenticate' : undefined;
  if (field === undefined || linesOf(answer.response, field.toLowerCase()).length > 0) return judgement;
  return verdict('NON-STRICT', `${judgement.finding} ${field} is missing.`);
}

/**
 * Whether the server took the request, which it need not.
 *
 * @throws OpeningFailed when it did, and its response is wrong in itself
 */
function hasAccepted(asked: Asked): boolean {
  const { answer } = asked;
  if (answer.kind !== 'response' || answer.response.statusCode !== 101) return false;
  acceptedBy(asked);
  return true;
}

/** Sends all of a request but its last bytes (0: nothing at first), listens, and sends the rest. */
async function judgeLateEnd(encounter: Encounter, cut: number): Promise<Judgement> {
  const connection = await encounter.connect();
  const key = 'AAECAwQFBgcICQoLDA0ODw==';
  const request = requestBytes(encounter.url, key);
  const at = cut === 0 ? 0 : request.length + cut;
  if (at > 0) await sendHead(connection, request.subarray(0, at));
  await connection.until(() => connection.received.length > 0 || connection.isOver, QUIET_MS);
  if (connection.received.length > 0) {
    connection.log.bytes('peer', connection.received);
    return verdict('FAILED', `The server sent ${connection.received.length} bytes before it had a request.`);
  }
  if (connection.isOver) return verdict('FAILED', 'The server ended TCP before it had a request.');
  await sendHead(connection, request.subarray(at));
  const asked = { connection, key, answer: await readAnswer(connection) };
  await leave(asked);
  acceptedBy(asked);
  return verdict('OK', 'The server sent nothing before it had the request, and accepted it.');
}

async function judgeBytesBehindResponse(encounter: Encounter): Promise<Judgement> {
  const asked = await ask(encounter);
  acceptedBy(asked);
  const { connection } = asked;
  await connection.until(() => connection.received.length > 0 || connection.isOver, QUIET_MS);
  const { received } = connection;
  const first = received[0];
  if (first !== undefined && !canBeginMessage(first)) {
    connection.log.bytes('peer', received);
    const what = describePayload(received);
    return verdict('FAILED', `What came behind the response is no frame: ${what}.`);
  }
  await leave(asked);
  return verdict('OK', `${first === undefined ? 'Nothing' : 'A frame'} came behind the response.`);
}

/** Whether a byte can be the first of the first frame: a data frame, or a control frame with FIN; no extension is in use. */
function canBeginMessage(byte: number): boolean {
  const opcode = byte & 0x0f;
  const isFinal = (byte & 0x80) !== 0;
  if ((byte & 0x70) !== 0 || !isKnownOpcode(opcode) || opcode === CONTINUATION) return false;
  return isFinal || !isControlOpcode(opcode);
}

async function judgeEarlyFrame(encounter: Encounter, part: 'whole' | 'half'): Promise<Judgement> {
  const { bytes } = serializeFrame({ opcode: TEXT, payload: EARLY }, 'server');
  const cut = part === 'whole' ? bytes.length : bytes.length >> 1;
  const asked = await ask(encounter, { behind: bytes.subarray(0, cut) });
  if (asked.answer.kind === 'silence') return judgeOutOfStep(encounter, describeAnswer(asked.answer));
  if (!isUpgrade(asked.answer))
    return verdict('OK', `${describeAnswer(asked.answer)} It need not take what comes before its response.`);
  acceptedBy(asked);
  const tester = new Tester(asked.connection, 'server');
  if (cut < bytes.length) await sendHead(asked.connection, bytes.subarray(cut));
  await tester.until(() => isEchoed(tester, EARLY) || !tester.isOpen, ECHO_LIMIT_MS);
  if (isEchoed(tester, EARLY)) {
    await closeWith(tester);
    return judged(tester, 'OK', 'The message was echoed.');
  }
  if (!tester.isOpen) {
    await closeWith(tester);
    return judged(tester, 'OK', 'The server ended the connection.');
  }
  await tester.send({ opcode: TEXT, payload: LATE });
  await tester.until(() => isEchoed(tester, LATE) || !tester.isOpen, ECHO_LIMIT_MS);
  const isAlive = isEchoed(tester, LATE);
  await closeWith(tester);
  if (isAlive) return judged(tester, 'NON-STRICT', 'The message was lost; a later one was echoed.');
  const finding = 'The message was lost, and a later one was not echoed either.';
  return { ...(await judgeOutOfStep(encounter, finding)), ...endOf(observe(tester)) };
}

/** §4.1 has clients wait for the response: a server that early bytes put out of step harms nobody but their sender. */
async function judgeOutOfStep(encounter: Encounter, finding: string): Promise<Judgement> {
  return (await stillServes(encounter))
    ? verdict('NON-STRICT', `${finding} Other connections are served.`)
    : verdict('FAILED', `${finding} Another connection is not served either.`);
}

function isEchoed(tester: Tester, payload: string): boolean {
  return tester.messages.some((message) => equalBytes(message.payload, payloadBytes(payload)));
}

async function closeWith(tester: Tester): Promise<void> {
  await tester.close(1000);
  await finishClosing(tester);
}

function judged(tester: Tester, behavior: Judgement['behavior'], finding: string): Judgement {
  return { ...verdict(behavior, finding), ...endOf(observe(tester)) };
}

async function judgeFramesAfterRefusal(encounter: Encounter): Promise<Judgement> {
  const { connection, answer } = await ask(
    encounter,
    { headers: (plain) => withHeader(plain, 'Sec-WebSocket-Key', undefined) },
    REFUSAL_LIMIT_MS,
  );
  if (answer.kind === 'silence' || isUpgrade(answer)) return verdict('FAILED', describeAnswer(answer));
  await sendFrames(connection);
  await connection.until(() => connection.isOver, QUIET_MS);
  return judgeNoFrames(connection, describeAnswer(answer));
}

const PROBE = 'a3f09c51 no handshake';

async function sendFrames(connection: RawConnection): Promise<void> {
  for (const opcode of [PING, TEXT]) {
    const { bytes } = serializeFrame({ opcode, payload: PROBE }, 'server');
    connection.log.bytes('tester', bytes);
    await connection.write(bytes);
  }
}

/** Looks for an answer to the frames in all that came, be it an echo or a Pong. */
function judgeNoFrames(connection: RawConnection, finding: string): Judgement {
  const received = Buffer.from(connection.received);
  if (received.length > 0) connection.log.bytes('peer', received);
  for (const [opcode, what] of [
    [TEXT, 'the echo'],
    [PONG, 'a Pong'],
  ] as const) {
    const { bytes } = serializeFrame({ opcode, payload: PROBE }, 'client');
    if (received.includes(Buffer.from(bytes))) return verdict('FAILED', `${finding} Then ${what} came back.`);
  }
  // A Close frame, as the first thing.
  if (received[0] === 0x88) return verdict('FAILED', `${finding} Then a Close frame came.`);
  return verdict('OK', `${finding} No frame came back.`);
}

async function judgeWithoutTls(encounter: Encounter): Promise<Judgement> {
  const { url, log } = encounter;
  if (url.protocol !== 'wss:')
    return verdict('INFORMATIONAL', 'The URL is one without TLS, so there is nothing to see.');
  const plain = new URL(url);
  plain.protocol = 'ws:';
  plain.port = url.port || '443';
  const connection = await dial(plain, {}, log);
  const key = 'AAECAwQFBgcICQoLDA0ODw==';
  await sendHead(connection, requestBytes(plain, key));
  const answer = await readAnswer(connection, REFUSAL_LIMIT_MS);
  connection.destroy();
  return verdict(isUpgrade(answer) ? 'FAILED' : 'OK', describeAnswer(answer));
}
