// Faults in messages and closing: UTF-8 (RFC 6455 §8.1), echoes, Close frames and the end of TCP (§5.5.1, §7), and
// permessage-deflate (RFC 7692 §6, §7.2).

import { isUtf8 } from 'node:buffer';
import { BINARY, CLOSE, CONTINUATION, PONG, TEXT } from '../../../src/wire/opcode.js';
import { closePayload, streamingCheck, type TextCheck } from './conduct.js';
import { BOTH, CLIENT, type Fault, SERVER } from './fault.js';
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
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'checks a text when it has ended',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ textCheck: wholeCheck(isUtf8) }),
    caughtBy: [],
  },
  {
    name: 'takes surrogates for text',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ textCheck: lenientCheck(/\xed[\xa0-\xbf][\x80-\xbf]/g, /\xed[\xa0-\xbf]?$/) }),
    caughtBy: [],
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
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'drops a byte order mark',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({
      onMessage: ({ opcode, payload }, peer) => {
        const hasMark = opcode === TEXT && Buffer.from(payload).indexOf('\ufeff') === 0;
        peer.sendMessage({ opcode, payload: hasMark ? payload.subarray(3) : payload });
      },
    }),
    caughtBy: [],
  },
  {
    name: 'does not look at close reasons',
    roles: BOTH,
    breaks: 'RFC6455-8.1-1',
    change: () => ({ overlooks: ['close-reason'] }),
    caughtBy: [],
  },
];

const CLOSING_FAULTS: readonly Fault[] = [
  {
    name: 'takes a Close frame of one byte, and echoes it',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-2',
    change: () => ({ overlooks: ['close-of-one-byte'] }),
    caughtBy: [],
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
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'takes any close code',
    roles: BOTH,
    breaks: 'RFC6455-7.4.2-1',
    change: () => ({ overlooks: ['close-code'] }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'does not answer a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-7',
    change: () => ({ onClose: () => {} }),
    caughtBy: [],
  },
  {
    name: 'ends TCP in answer to a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-7',
    change: () => ({ onClose: (_, peer) => peer.end() }),
    caughtBy: [],
  },
  {
    name: 'sends two Close frames',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-7',
    change: () => ({
      outgoing: (frame) => (frame.opcode === CLOSE ? [frame, frame] : [frame]),
    }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'echoes what comes after a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-5.5.1-6',
    change: () => ({
      overlooks: ['frames-after-close'],
      onMessage: (message, peer) => peer.sendMessage(message, true),
    }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'leaves TCP open after the closing handshake',
    roles: SERVER,
    breaks: 'RFC6455-5.5.1-12',
    change: () => ({ onClose: (payload, peer) => peer.sendClose(payload.subarray(0, 2)) }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'fails connections without a Close frame',
    roles: BOTH,
    breaks: 'RFC6455-7.1.7-5',
    change: () => ({ onFault: (_, peer) => peer.end() }),
    caughtBy: [],
  },
  {
    name: 'resets TCP where it should end it',
    roles: BOTH,
    breaks: 'RFC6455-7.1.1-1',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.subarray(0, 2));
        setTimeout(() => peer.reset(), 20);
      },
    }),
    caughtBy: [],
  },
];

const DEFLATE_FAULTS: readonly Fault[] = [
  {
    name: 'deflates with a larger window than agreed on',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.1-14', client: 'RFC7692-7.2.1-12' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, ownBits: 15 }) }),
    caughtBy: [],
  },
  {
    name: 'keeps its context though it agreed not to',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.1-10', client: 'RFC7692-7.2.1-8' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, ownKeepsContext: true }) }),
    caughtBy: [],
  },
  {
    name: 'forgets what it inflated',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.2-5', client: 'RFC7692-7.2.2-3' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, peerKeepsContext: false }) }),
    caughtBy: [],
  },
  {
    name: 'inflates with a window of 512 bytes',
    roles: BOTH,
    breaks: { server: 'RFC7692-7.2.2-9', client: 'RFC7692-7.2.2-7' },
    change: () => ({ deflate: (agreement) => ({ ...agreement, remembersBits: 9 }) }),
    caughtBy: [],
  },
  {
    name: 'takes a final block for the end of a message',
    roles: BOTH,
    breaks: 'RFC7692-7.2.1-4',
    change: () => ({ deflate: (agreement) => ({ ...agreement, stopsAtFinalBlock: true }) }),
    caughtBy: [],
  },
  {
    name: 'leaves the tail on compressed messages',
    roles: BOTH,
    breaks: 'RFC7692-7.2.1-1',
    change: () => ({ compressed: (bytes) => Buffer.concat([bytes, Uint8Array.of(0, 0, 0xff, 0xff)]) }),
    caughtBy: [],
  },
  {
    name: 'compresses an empty message to nothing',
    roles: BOTH,
    breaks: 'RFC7692-7.2.1-1',
    change: () => ({ compressed: (bytes, message) => (message.length === 0 ? message : bytes) }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'sets RSV1 on Pongs where messages are compressed',
    roles: BOTH,
    breaks: 'RFC7692-6.1-3',
    change: () => ({
      outgoing: (frame, peer) => [peer.hasDeflate && frame.opcode === PONG ? { ...frame, rsv: 4 } : frame],
    }),
    caughtBy: [],
  },
  {
    name: 'leaves RSV1 clear on compressed messages',
    roles: BOTH,
    breaks: 'RFC7692-6.1-1',
    change: () => ({ outgoing: (frame) => [{ ...frame, rsv: 0 }] }),
    caughtBy: [],
  },
  {
    name: 'ignores RSV1 on continuations where messages are compressed',
    roles: BOTH,
    breaks: 'RFC7692-6.1-4',
    change: () => ({ overlooks: ['rsv1-on-continuation'] }),
    caughtBy: [],
  },
  {
    name: 'ignores RSV1 on control frames where messages are compressed',
    roles: BOTH,
    breaks: 'RFC7692-6.1-4',
    change: () => ({ overlooks: ['rsv1-on-control'] }),
    caughtBy: [],
  },
  {
    name: 'takes compressed text for UTF-8 unseen',
    roles: BOTH,
    breaks: 'RFC7692-6.1-5',
    change: () => ({ overlooks: ['inflated-text'] }),
    caughtBy: [],
  },
  {
    name: 'takes a message that cannot be inflated as it is',
    roles: BOTH,
    breaks: 'RFC7692-7.2.2-1',
    change: () => ({ overlooks: ['deflate', 'inflated-text'] }),
    caughtBy: [],
  },
];

export const MESSAGE_FAULTS: readonly Fault[] = [...UTF8_FAULTS, ...CLOSING_FAULTS, ...DEFLATE_FAULTS];
