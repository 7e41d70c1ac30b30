// Faults in messages and closing: UTF-8 (RFC 6455 §8.1), echoes, Close frames and the end of TCP (§5.5.1, §7), and
// permessage-deflate (RFC 7692 §6, §7.2).

import { isUtf8 } from 'node:buffer';
import { BINARY, CLOSE, CONTINUATION, PONG, TEXT } from '../../../src/wire/opcode.js';
import { closePayload, streamingCheck, type TextCheck } from './conduct.js';
import { BOTH, CLIENT, type Consequence, type Fault, SERVER } from './fault.js';
import { shortestForm } from './peer.js';

/** Looks at a text when all of it is there. */
function wholeCheck(isText: (bytes: Uint8Array) => boolean): () => TextCheck {
  return () => {
    const parts: Uint8Array[] = [];
    return (bytes, _isEndOfFragment, isEnd) => {
      parts.push(bytes);
      return !isEnd || isText(Buffer.concat(parts));
    };
  };
}

/** UTF-8 but for sequences of a form that is let pass; for the rest it stays strict to the byte. */
function lenientCheck(form: RegExp, prefix: RegExp): () => TextCheck {
  return () => {
    const check = streamingCheck();
    let held = '';
    return (bytes, isEndOfFragment, isEnd) => {
      const text = (held + Buffer.from(bytes).toString('latin1')).replace(form, '?');
      const kept = isEnd ? -1 : text.search(prefix);
      held = kept === -1 ? '' : text.slice(kept);
      return check(Buffer.from(kept === -1 ? text : text.slice(0, kept), 'latin1'), isEndOfFragment, isEnd);
    };
  };
}

const UTF8_FAULTS: readonly Fault[] = [
  {
    name: 'takes any bytes for text',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ textCheck: () => () => true }),
    caughtBy: [
      'utf8.lone-surrogate-pair',
      'utf8.surrogate-split',
      'utf8.overlong-*',
      'utf8.above-10ffff-split',
      'utf8.f5',
      'utf8.ff-alone',
      'utf8.lone-continuation-byte',
      'utf8.one-continuation-byte-too-many',
      'utf8.truncated-*',
      'utf8.completed-by-next-message',
      'utf8.split-around-bad-ping',
      'utf8.bad-byte-at-*',
      'utf8.fails-early-*',
    ],
    alsoFails: [{ cases: ['deflate.bad-text-*'], because: 'The same text, compressed.' }],
    autobahn: ['6.3.1', '6.3.2'],
  },
  {
    name: 'checks each fragment of a text on its own',
    roles: BOTH,
    breaks: 'RFC6455-5.6-1',
    change: () => ({
      textCheck: () => {
        let check = streamingCheck();
        return (bytes, isEndOfFragment) => {
          const isText = check(bytes, isEndOfFragment, isEndOfFragment);
          if (isEndOfFragment) check = streamingCheck();
          return isText;
        };
      },
    }),
    caughtBy: ['utf8.*-split-between-fragments', 'utf8.*-in-one-byte-fragments'],
    alsoFails: [
      {
        cases: [
          'fragmentation.one-byte-fragments',
          'fragmentation.control-payload-stays-out',
          'closing.answered-inside-character',
        ],
        because: 'A character is split between two fragments.',
      },
    ],
    autobahn: ['6.2.3', '6.2.4'],
  },
  {
    name: 'checks a text when it has ended',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ textCheck: wholeCheck(isUtf8) }),
    caughtBy: ['utf8.fails-early-*: NON-STRICT'],
    autobahn: ['6.4.1: NON-STRICT', '6.4.2: NON-STRICT', '6.4.3: NON-STRICT', '6.4.4: NON-STRICT'],
  },
  {
    name: 'takes surrogates for text',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ textCheck: lenientCheck(/\xed[\xa0-\xbf][\x80-\xbf]/g, /\xed[\xa0-\xbf]?$/) }),
    caughtBy: [
      'utf8.lone-surrogate-pair',
      'utf8.surrogate-split',
      'utf8.fails-early-across-fragments',
      'deflate.bad-text-surrogate',
    ],
  },
  {
    name: 'takes overlong sequences for text',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({
      textCheck: lenientCheck(
        /[\xc0\xc1][\x80-\xbf]|\xe0[\x80-\x9f][\x80-\xbf]|\xf0[\x80-\x8f][\x80-\xbf]{2}/g,
        /[\xc0\xc1]$|\xe0[\x80-\x9f]?$|\xf0(?:[\x80-\x8f][\x80-\xbf]?)?$/,
      ),
    }),
    caughtBy: ['utf8.overlong-*', 'utf8.fails-early-by-second-byte', 'deflate.bad-text-overlong'],
  },
  {
    name: 'does not see that a text ends inside a character',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({
      textCheck: () => {
        const check = streamingCheck();
        return (bytes, isEndOfFragment) => check(bytes, isEndOfFragment, false);
      },
    }),
    caughtBy: ['utf8.truncated-*', 'utf8.completed-by-next-message', 'deflate.bad-text-cut-at-end'],
  },
  {
    name: 'drops a byte order mark',
    roles: BOTH,
    breaks: 'RFC6455-5.6-1',
    change: () => ({
      onMessage: ({ opcode, payload }, peer) => {
        const hasMark = opcode === TEXT && Buffer.from(payload).indexOf('\ufeff') === 0;
        peer.sendMessage({ opcode, payload: hasMark ? payload.subarray(3) : payload });
      },
    }),
    caughtBy: ['utf8.byte-order-mark-kept'],
  },
  {
    name: 'does not look at close reasons',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ overlooks: ['close-reason'] }),
    caughtBy: ['utf8.close-reason-*'],
    autobahn: ['7.5.1'],
  },
];

const CLOSING_FAULTS: readonly Fault[] = [
  {
    name: 'takes a Close frame of one byte, and echoes it',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-2',
    change: () => ({ overlooks: ['close-of-one-byte'] }),
    caughtBy: ['close-code.one-byte-*'],
  },
  {
    name: 'answers an empty Close frame with 1005',
    roles: BOTH,
    breaks: 'RFC6455-7.4.1-3',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.length === 0 ? closePayload(1005) : payload.subarray(0, 2));
        if (peer.role === 'server') peer.end();
      },
    }),
    caughtBy: ['close-code.no-local-code-after-empty-close'],
  },
  {
    name: 'gives 1006 for what is wrong',
    roles: BOTH,
    breaks: 'RFC6455-7.4.1-4',
    change: () => ({
      onFault: (_, peer) => {
        peer.sendClose(closePayload(1006));
        peer.end();
      },
    }),
    caughtBy: [
      'close-code.no-local-code-after-*',
      '!close-code.no-local-code-after-empty-close',
      '!close-code.no-local-code-after-end-*',
    ],
    alsoFails: [{ says: /gave code 1006|code 1006/, because: 'The code is the wrong one for any fault.' }],
  },
  {
    name: 'takes any close code',
    roles: BOTH,
    breaks: 'RFC6455-7.4.2-1',
    change: () => ({ overlooks: ['close-code'] }),
    caughtBy: [
      'close-code.*-refused',
      '!close-code.5001-refused',
      '!close-code.10000-refused',
      '!close-code.32768-refused',
      '!close-code.59395-refused',
    ],
    alsoFails: [{ cases: ['close-code.no-local-code-after-close-with-*'], because: 'The code comes back.' }],
    autobahn: ['7.9.*'],
  },
  {
    name: 'refuses the close codes of applications',
    roles: BOTH,
    breaks: 'RFC6455-7.4.2-1',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload[0]! >= 3000 >> 8 ? closePayload(1002) : payload.subarray(0, 2));
        if (peer.role === 'server') peer.end();
      },
    }),
    caughtBy: ['close-code.3*-with-reason', 'close-code.4*-with-reason'],
    alsoFails: [
      {
        cases: ['closing.answered-private-code-and-reason', 'closing.answered-longest-reason'],
        because: 'The Close frame has such a code.',
      },
    ],
    autobahn: ['7.7.12', '7.7.13'],
  },
  {
    name: 'does not answer a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-7',
    change: () => ({ onClose: () => {} }),
    caughtBy: ['closing.answered-*'],
    alsoFails: [
      {
        cases: ['handshake.client-accepts-close-behind-the-head'],
        because: 'The answer to a Close frame is all that shows that the response was taken.',
      },
    ],
  },
  {
    name: 'ends TCP in answer to a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-7',
    change: () => ({ onClose: (_, peer) => peer.end() }),
    caughtBy: ['closing.answered-*'],
    alsoFails: [
      {
        cases: ['handshake.client-accepts-close-behind-the-head'],
        because: 'The answer to a Close frame is all that shows that the response was taken.',
      },
    ],
  },
  {
    name: 'sends two Close frames',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-7',
    change: () => ({
      outgoing: (frame) => (frame.opcode === CLOSE ? [frame, frame] : [frame]),
    }),
    caughtBy: ['closing.nothing-after-*', 'closing.fragment-behind-close-is-dropped'],
    alsoFails: [
      { cases: ['control.ping-behind-close'], because: 'It looks for frames behind the Close frame.' },
    ],
  },
  {
    name: 'sends data after its Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-6',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode === CLOSE
          ? [frame, { ...frame, opcode: TEXT, payload: Buffer.from('late'), lengthForm: 7 }]
          : [frame],
    }),
    caughtBy: ['closing.nothing-after-*', 'closing.fragment-behind-close-is-dropped'],
    alsoFails: [
      { cases: ['control.ping-behind-close'], because: 'It looks for frames behind the Close frame.' },
    ],
  },
  {
    name: 'echoes what comes after a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-6',
    change: () => ({
      overlooks: ['frames-after-close'],
      onClose: (payload, peer) => {
        peer.sendClose(payload.subarray(0, 2));
        if (peer.role === 'server') setTimeout(() => peer.end(), 100);
      },
      onMessage: (message, peer) => peer.sendMessage(message, true),
    }),
    caughtBy: ['closing.nothing-after-close-and-messages', 'closing.fragment-behind-close-is-dropped'],
  },
  {
    name: 'goes on after a fault',
    roles: BOTH,
    breaks: 'RFC6455-7.1.7-7',
    change: () => ({
      overlooks: ['frames-after-fault'],
      onFault: (code, peer) => peer.sendClose(closePayload(code)),
      onMessage: (message, peer) => peer.sendMessage(message, true),
    }),
    caughtBy: ['framing.nothing-behind-*'],
  },
  {
    name: 'leaves TCP open after the closing handshake',
    roles: SERVER,
    breaks: 'RFC6455-5.5.1-12',
    change: () => ({ onClose: (payload, peer) => peer.sendClose(payload.subarray(0, 2)) }),
    caughtBy: ['closing.server-ends-tcp'],
  },
  {
    name: 'ends TCP right after the closing handshake',
    roles: CLIENT,
    breaks: 'RFC6455-5.5.1-13',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.subarray(0, 2));
        peer.end();
      },
    }),
    caughtBy: ['closing.client-leaves-tcp-to-server: NON-STRICT'],
  },
  {
    name: 'fails connections without a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-7.1.7-5',
    change: () => ({ onFault: (_, peer) => peer.end() }),
    caughtBy: ['closing.failure-is-told-first*: NON-STRICT'],
  },
  {
    name: 'resets TCP where it should end it',
    roles: SERVER,
    breaks: 'RFC6455-7.1.1-1',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.subarray(0, 2));
        peer.reset();
      },
    }),
    caughtBy: ['closing.tcp-ends-orderly: NON-STRICT'],
  },
];

/** Of the cases about compressed messages many fail then, each over the messages that it happens to use. */
const NOT_INFLATED: Consequence = {
  says: /no echo|came back|Echo \d+ is|took what was wrong|cannot be inflated|not complete DEFLATE|failed|[Nn]o message/,
  within: ['deflate'],
  because: 'A message is not what its compressed form should say, or cannot be inflated.',
};

const DEFLATE_FAULTS: readonly Fault[] = [
  {
    name: 'deflates with a larger window than agreed on',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.1-14', client: 'RFC7692-7.2.1-12' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, ownBits: 15 }) }),
    caughtBy: [
      'deflate.peer-window-of-*',
      '!deflate.peer-window-of-15-bits',
      'deflate.peer-keeps-no-context-and-a-small-window',
    ],
  },
  {
    name: 'keeps its context though it agreed not to',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.1-10', client: 'RFC7692-7.2.1-8' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, ownKeepsContext: true }) }),
    caughtBy: [
      'deflate.peer-keeps-no-context-same-message',
      'deflate.peer-keeps-no-context-nearly-the-same',
      'deflate.peer-keeps-no-context-with-empty',
      'deflate.peer-keeps-no-context-and-a-small-window',
    ],
  },
  {
    name: 'forgets what it inflated',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.2-5', client: 'RFC7692-7.2.2-3' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, peerKeepsContext: false }) }),
    caughtBy: [
      'deflate.window-of-the-message-before',
      'deflate.farthest-match-into-the-message-before',
      'deflate.window-over-many-messages',
    ],
    alsoFails: [NOT_INFLATED],
  },
  {
    name: 'inflates with a window of 512 bytes',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.2-9', client: 'RFC7692-7.2.2-7' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, remembersBits: 9 }) }),
    caughtBy: ['deflate.farthest-match-into-the-message-before', 'deflate.window-over-many-messages'],
    alsoFails: [NOT_INFLATED],
  },
  {
    name: 'takes a final block for the end of a message',
    roles: BOTH,
    breaks: 'RFC7692-7.2.1-4',
    change: () => ({ deflate: (agreement) => ({ ...agreement, stopsAtFinalBlock: true }) }),
    caughtBy: ['deflate.final-block-in-the-middle'],
  },
  {
    name: 'leaves the tail on compressed messages',
    roles: BOTH,
    breaks: 'RFC7692-7.2.1-1',
    change: () => ({ compressed: (bytes) => Buffer.concat([bytes, Uint8Array.of(0, 0, 0xff, 0xff)]) }),
    caughtBy: ['deflate.peer-ends-with-an-empty-block-*'],
    alsoFails: [NOT_INFLATED],
  },
  {
    name: 'compresses an empty message to nothing',
    roles: BOTH,
    breaks: 'RFC7692-7.2.1-1',
    change: () => ({ compressed: (bytes, message) => (message.length === 0 ? message : bytes) }),
    caughtBy: ['deflate.peer-ends-with-an-empty-block-empty'],
    alsoFails: [NOT_INFLATED],
  },
  {
    name: 'sets RSV1 on all fragments',
    roles: BOTH,
    breaks: 'RFC7692-6.1-3',
    change: () => ({
      outgoing: (frame) => {
        if (frame.rsv === 0 || frame.opcode > BINARY) return [frame];
        const half = frame.payload.length >> 1;
        const first = frame.payload.subarray(0, half);
        const last = frame.payload.subarray(half);
        return [
          { ...frame, payload: first, isFinal: false, lengthForm: shortestForm(first.length) },
          { ...frame, payload: last, opcode: CONTINUATION, lengthForm: shortestForm(last.length) },
        ];
      },
    }),
    caughtBy: ['deflate.peer-sets-rsv1-on-first-frames-only'],
    alsoFails: [NOT_INFLATED],
  },
  {
    name: 'sets RSV1 on Pongs where messages are compressed',
    roles: BOTH,
    breaks: 'RFC7692-6.1-3',
    change: () => ({
      outgoing: (frame, peer) => [peer.hasDeflate && frame.opcode === PONG ? { ...frame, rsv: 4 } : frame],
    }),
    caughtBy: ['deflate.peer-sets-rsv1-on-first-frames-only'],
  },
  {
    name: 'leaves RSV1 clear on compressed messages',
    roles: BOTH,
    breaks: 'RFC7692-6.1-1',
    change: () => ({ outgoing: (frame) => [{ ...frame, rsv: 0 }] }),
    caughtBy: ['deflate.peer-mixes-compressed-and-not'],
    alsoFails: [NOT_INFLATED],
  },
  {
    name: 'ignores RSV1 on continuations where messages are compressed',
    roles: BOTH,
    breaks: 'RFC7692-6.1-4',
    change: () => ({ overlooks: ['rsv1-on-continuation'] }),
    caughtBy: [
      'deflate.rsv1-on-continuation*',
      'deflate.rsv1-on-last-frame',
      'deflate.rsv1-on-empty-continuation',
    ],
  },
  {
    name: 'ignores RSV1 on control frames where messages are compressed',
    roles: BOTH,
    breaks: 'RFC7692-6.1-4',
    change: () => ({ overlooks: ['rsv1-on-control'] }),
    caughtBy: ['deflate.rsv1-on-ping*', 'deflate.rsv1-on-pong', 'deflate.rsv1-on-close'],
  },
  {
    name: 'takes compressed text for UTF-8 unseen',
    roles: BOTH,
    breaks: 'RFC7692-6.1-5',
    change: () => ({ overlooks: ['inflated-text'] }),
    caughtBy: ['deflate.bad-text-*'],
  },
  {
    name: 'takes a message that cannot be inflated as it is',
    roles: BOTH,
    breaks: 'RFC7692-7.2.2-1',
    change: () => ({ overlooks: ['deflate'] }),
    caughtBy: [
      'deflate.reserved-block-type',
      'deflate.stored-lengths-that-differ',
      'deflate.match-before-the-first-byte',
      'deflate.match-behind-the-window',
      'deflate.unused-*',
      'deflate.impossible-codes',
      'deflate.plain-text-with-rsv1',
      'deflate.fault-behind-good-messages',
    ],
    alsoFails: [NOT_INFLATED],
  },
];

export const MESSAGE_FAULTS: readonly Fault[] = [...UTF8_FAULTS, ...CLOSING_FAULTS, ...DEFLATE_FAULTS];
