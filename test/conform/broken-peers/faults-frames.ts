// Faults in frames: masking, reserved bits and opcodes, lengths, fragments, Pings and Pongs (RFC 6455 §5).

import { BINARY, CONTINUATION, PING, PONG, TEXT } from '../../../src/wire/opcode.js';
import { BOTH, CLIENT, type Fault, SERVER } from './fault.js';
import { type OutgoingFrame, shortestForm } from './peer.js';

const number32 = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32BE();

function bytes32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

const CONSTANT_KEY = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

const MASKING_FAULTS: readonly Fault[] = [
  {
    name: 'masks what it sends',
    roles: SERVER,
    breaks: 'RFC6455-5.1-4',
    change: () => ({ outgoing: (frame) => [{ ...frame, isMasked: true }] }),
    caughtBy: ['masking.server-masks-nothing'],
  },
  {
    name: 'accepts frames that are not masked',
    roles: SERVER,
    breaks: 'RFC6455-5.1-2',
    change: () => ({ overlooks: ['mask'] }),
    caughtBy: ['masking.server-refuses-*'],
  },
  {
    name: 'accepts masked frames',
    roles: CLIENT,
    breaks: 'RFC6455-5.1-5',
    change: () => ({ overlooks: ['mask'] }),
    caughtBy: ['masking.client-refuses-*'],
  },
  {
    name: 'masks nothing',
    roles: CLIENT,
    breaks: 'RFC6455-5.1-1',
    change: () => ({ outgoing: (frame) => [{ ...frame, isMasked: false }] }),
    caughtBy: ['masking.client-masks-*', 'closing.client-masks-close'],
    alsoFails: [
      {
        cases: ['masking.client-fresh-keys*', 'masking.client-keys-*'],
        because: 'There are no keys to look at.',
      },
    ],
  },
  {
    name: 'uses one masking key for everything',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-2',
    change: () => ({ maskingKey: () => CONSTANT_KEY }),
    caughtBy: ['masking.client-fresh-keys*'],
    alsoFails: [
      { cases: ['masking.client-keys-*'], because: 'A key that is always the same is no random one either.' },
    ],
  },
  {
    name: 'counts its masking keys up',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-4',
    change: () => ({ maskingKey: (previous) => bytes32(number32(previous) + 1) }),
    caughtBy: ['masking.client-keys-say-nothing-of-the-next'],
    alsoFails: [
      {
        cases: [
          'masking.client-fresh-keys-of-pongs',
          'masking.client-fresh-keys-on-each-connection',
          'masking.client-keys-are-evenly-spread',
          'masking.client-keys-are-not-math-random',
        ],
        because: 'Keys that are counted are linear, uneven, and the same on each connection.',
      },
    ],
  },
  {
    name: 'uses each masking key for two frames',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-2',
    change: () => {
      let frames = 0;
      const random = (): Uint8Array => Buffer.from(crypto.getRandomValues(new Uint8Array(4)));
      return { maskingKey: (previous) => (frames++ % 2 === 0 ? random() : previous) };
    },
    caughtBy: ['masking.client-fresh-keys', 'masking.client-fresh-keys-of-pongs'],
  },
  {
    name: 'derives each masking key from the one before',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-4',
    change: () => {
      let seed = (Math.random() * 2 ** 32) >>> 0;
      return {
        maskingKey: () => {
          seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
          return bytes32(seed);
        },
      };
    },
    caughtBy: ['masking.client-keys-say-nothing-of-the-next'],
    alsoFails: [
      {
        cases: ['masking.client-fresh-keys-of-pongs', 'masking.client-keys-are-not-math-random'],
        because: 'Both look for a rule among the keys too.',
      },
    ],
  },
  {
    name: 'draws masking keys of 12 bits',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-3',
    change: () => ({
      maskingKey: () => bytes32(number32(crypto.getRandomValues(new Uint8Array(4))) & 0xfff),
    }),
    caughtBy: ['masking.client-keys-are-evenly-spread'],
    alsoFails: [
      {
        cases: [
          'masking.client-fresh-keys',
          'masking.client-fresh-keys-of-pongs',
          'masking.client-keys-say-nothing-of-the-next',
          'masking.client-keys-are-not-math-random',
        ],
        because: 'Most of each key is constant, and of so few keys many come twice.',
      },
    ],
  },
  {
    name: 'draws masking keys with Math.random',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-3',
    change: () => ({ maskingKey: () => bytes32(Math.floor(Math.random() * 2 ** 32)) }),
    caughtBy: ['masking.client-keys-are-not-math-random'],
  },
];

const HEADER_FAULTS: readonly Fault[] = [
  {
    name: 'ignores RSV1',
    roles: BOTH,
    breaks: 'RFC6455-5.2-3',
    change: () => ({ overlooks: ['rsv1'] }),
    caughtBy: [
      'framing.rsv-4-*',
      'deflate.without-agreement-binary',
      'deflate.without-agreement-text: WRONG CODE',
      'deflate.without-agreement-fragments: WRONG CODE',
    ],
    autobahn: ['3.4'],
  },
  {
    name: 'ignores RSV2 and RSV3',
    roles: BOTH,
    breaks: 'RFC6455-5.2-3',
    change: () => ({ overlooks: ['rsv2-and-rsv3'] }),
    caughtBy: ['framing.rsv-1-*', 'framing.rsv-2-*', 'framing.rsv-3-*'],
    alsoFails: [
      {
        cases: ['deflate.rsv2-with-rsv1', 'deflate.rsv3-with-rsv1'],
        because: 'An agreement on permessage-deflate gives no meaning to these bits.',
      },
    ],
  },
  {
    name: 'sets RSV3 on its Pongs',
    roles: BOTH,
    breaks: 'RFC6455-5.2-2',
    change: () => ({ outgoing: (frame) => [frame.opcode === PONG ? { ...frame, rsv: 1 } : frame] }),
    caughtBy: ['framing.peer-keeps-reserved-values-clear'],
    alsoFails: [
      {
        cases: ['deflate.peer-sets-rsv1-on-first-frames-only'],
        because: 'It looks at the reserved bits of all frames.',
      },
    ],
  },
  {
    name: 'ignores data frames with a reserved opcode',
    roles: BOTH,
    breaks: 'RFC6455-5.2-4',
    change: () => ({ overlooks: ['reserved-data-opcode'] }),
    caughtBy: [
      'framing.opcode-3-*',
      'framing.opcode-4-*',
      'framing.opcode-5-*',
      'framing.opcode-6-*',
      'framing.opcode-7-*',
    ],
  },
  {
    name: 'ignores control frames with a reserved opcode',
    roles: BOTH,
    breaks: 'RFC6455-5.2-4',
    change: () => ({ overlooks: ['reserved-control-opcode'] }),
    caughtBy: [
      'framing.opcode-11-inside-message',
      'framing.opcode-12-inside-message',
      'framing.opcode-13-inside-message',
      'framing.opcode-14-inside-message',
      'framing.opcode-15-inside-message',
    ],
  },
  {
    name: 'writes short lengths in 16 bits',
    roles: BOTH,
    breaks: 'RFC6455-5.2-6',
    change: () => ({
      outgoing: (frame) => [frame.lengthForm === 7 ? { ...frame, lengthForm: 16 } : frame],
    }),
    caughtBy: [
      'length.peer-writes-0-minimally',
      'length.peer-writes-1-minimally',
      'length.peer-writes-125-minimally',
    ],
  },
  {
    name: 'writes lengths above 125 in 64 bits',
    roles: BOTH,
    breaks: 'RFC6455-5.2-6',
    change: () => ({
      outgoing: (frame) => [frame.lengthForm === 16 ? { ...frame, lengthForm: 64 } : frame],
    }),
    caughtBy: [
      'length.peer-writes-126-minimally',
      'length.peer-writes-127-minimally',
      'length.peer-writes-65535-minimally',
    ],
  },
  {
    name: 'accepts lengths that are not minimal',
    roles: BOTH,
    breaks: 'RFC6455-5.2-6',
    change: () => ({ overlooks: ['minimal-length'] }),
    caughtBy: ['length.*-in-*-bits: NON-STRICT'],
  },
  {
    name: 'does not see the top bit of a length',
    roles: BOTH,
    breaks: 'RFC6455-5.2-5',
    change: () => ({ readLength: (length) => BigInt.asUintN(63, length) }),
    caughtBy: ['length.top-bit-alone-*', 'length.top-bit-and-5-*'],
  },
  {
    name: 'reads 32 bits of a length',
    roles: BOTH,
    breaks: 'RFC6455-5.2-7',
    change: () => ({ readLength: (length) => BigInt.asUintN(32, length) }),
    caughtBy: [
      'length.announced-2-32',
      'length.announced-2-32-plus-5',
      'length.announced-2-53',
      'length.announced-2-53-plus-1',
      'length.announced-2-62',
    ],
    alsoFails: [
      {
        cases: ['length.top-bit-alone-*', 'length.top-bit-and-5-*'],
        because: 'The top bit is among those that are not read.',
      },
    ],
  },
  {
    name: 'has no limit for what a header announces',
    roles: BOTH,
    breaks: 'RFC6455-10.4-2',
    change: () => ({ overlooks: ['maximal-length'] }),
    caughtBy: [
      'length.announced-2-53: NON-STRICT',
      'length.announced-2-53-plus-1: NON-STRICT',
      'length.announced-2-62: NON-STRICT',
      'length.announced-2-63-minus-1: NON-STRICT',
    ],
  },
];

/** In pieces of that many bytes. */
function inPieces(
  frame: OutgoingFrame,
  size: number,
  opcodes: { later: number; laterRsv: number },
): OutgoingFrame[] {
  const frames: OutgoingFrame[] = [];
  for (let at = 0; at === 0 || at < frame.payload.length; at += size) {
    const payload = frame.payload.subarray(at, at + size);
    frames.push({
      ...frame,
      payload,
      lengthForm: shortestForm(payload.length),
      isFinal: at + size >= frame.payload.length,
      ...(at > 0 && { opcode: opcodes.later, rsv: opcodes.laterRsv }),
    });
  }
  return frames;
}

const FRAGMENTATION_FAULTS: readonly Fault[] = [
  {
    name: 'accepts a continuation that continues nothing',
    roles: BOTH,
    breaks: 'RFC6455-5.4-2',
    change: () => ({ overlooks: ['lone-continuation'] }),
    caughtBy: ['fragmentation.empty-continuation-alone', 'fragmentation.continuation-behind-*'],
    alsoFails: [
      {
        cases: ['deflate.out-of-order-continuation'],
        because: 'The same fault, in a compressed message.',
      },
    ],
    autobahn: ['5.9', '5.10'],
  },
  {
    name: 'begins a new message inside another',
    roles: BOTH,
    breaks: 'RFC6455-5.4-6',
    change: () => ({ overlooks: ['data-inside-message'] }),
    caughtBy: [
      'fragmentation.text-inside-*',
      'fragmentation.binary-inside-text',
      'fragmentation.unfinished-text-inside-text',
      'fragmentation.text-behind-continuation',
    ],
    alsoFails: [
      {
        cases: ['deflate.out-of-order-new-message'],
        because: 'The same fault, in a compressed message.',
      },
    ],
    autobahn: ['5.18'],
  },
  {
    name: 'mixes fragments of two messages',
    roles: BOTH,
    breaks: 'RFC6455-5.4-6',
    change: () => ({ overlooks: ['message-inside-message'] }),
    caughtBy: [
      'fragmentation.text-inside-*',
      'fragmentation.binary-inside-text',
      'fragmentation.unfinished-text-inside-text',
      'fragmentation.text-behind-continuation',
    ],
    alsoFails: [
      {
        cases: ['deflate.out-of-order-new-message'],
        because: 'The same fault, in a compressed message.',
      },
    ],
  },
  {
    name: 'forgets the type of a fragmented message',
    roles: BOTH,
    breaks: 'RFC6455-5.4-14',
    change: () => ({
      onMessage: ({ opcode, payload, frames }, peer) =>
        peer.sendMessage({ opcode: frames > 1 ? TEXT : opcode, payload }),
    }),
    caughtBy: [
      'fragmentation.binary-stays-binary',
      'fragmentation.type-from-an-empty-fragment',
      'fragmentation.all-empty-binary',
      'fragmentation.sizes-mixed',
      'fragmentation.pongs-between-all-fragments',
      'fragmentation.messages-back-to-back',
      'fragmentation.five-thousand-fragments',
    ],
    alsoFails: [
      {
        cases: [
          'framing.every-byte-a-segment',
          'utf8.binary-is-not-checked',
          'deflate.one-byte-each',
          'deflate.a-megabyte-in-frames',
        ],
        because: 'A binary message in fragments does not come back as one.',
      },
    ],
  },
  {
    name: 'sends binary messages as text',
    roles: BOTH,
    breaks: 'RFC6455-6.1-6',
    change: () => ({ onMessage: ({ payload }, peer) => peer.sendMessage({ opcode: TEXT, payload }) }),
    groups: ['masking', 'framing', 'fragmentation', 'control', 'utf8'],
    caughtBy: ['framing.types-alternate'],
    alsoFails: [
      {
        says: /(?:is|was|sent) text|text that is not UTF-8|text \(/,
        because: 'A binary message does not come back as one.',
      },
    ],
  },
  {
    name: 'drops empty messages',
    roles: BOTH,
    breaks: 'RFC6455-5.4-8',
    change: () => ({
      onMessage: (message, peer) => {
        if (message.payload.length > 0) peer.sendMessage(message);
      },
    }),
    groups: ['masking', 'framing', 'fragmentation', 'control', 'utf8'],
    caughtBy: ['fragmentation.all-empty-*'],
    alsoFails: [
      { says: /came back|no message|No echo|binary|text/, because: 'An empty message does not come back.' },
    ],
  },
  {
    name: 'repeats the opcode on its later fragments',
    roles: BOTH,
    breaks: 'RFC6455-5.4-2',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode > BINARY ? [frame] : inPieces(frame, 70_000, { later: frame.opcode, laterRsv: 0 }),
    }),
    caughtBy: ['fragmentation.peer-fragments-properly'],
    alsoFails: [
      {
        says: /inside a fragmented message|is no message|came back/,
        because: 'What a large message comes back in is no message.',
      },
    ],
  },
  {
    name: 'splits Pongs',
    roles: BOTH,
    breaks: 'RFC6455-5.4-4',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode === PONG ? inPieces(frame, 100, { later: CONTINUATION, laterRsv: 0 }) : [frame],
    }),
    caughtBy: ['control.peer-sends-proper-pongs'],
    alsoFails: [{ cases: ['control.ping-of-every-length'], because: 'Half a Pong carries half the data.' }],
  },
];

const CONTROL_FAULTS: readonly Fault[] = [
  {
    name: 'answers no Ping',
    roles: BOTH,
    breaks: 'RFC6455-5.5.2-2',
    change: () => ({ onPing: () => {} }),
    caughtBy: [
      'control.ping-of-*',
      'control.ping-same-twice',
      'control.ping-empty-after-full',
      'control.burst-*',
      'control.ping-between-fragments-at-once',
      'control.ping-behind-messages',
      'control.pong-then-ping',
      '!control.ping-of-65536',
    ],
    autobahn: ['2.1', '2.2', '2.10'],
  },
  {
    name: 'sends Pongs without data',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-1',
    change: () => ({ onPing: (_, peer) => peer.send({ opcode: PONG, payload: new Uint8Array(0) }) }),
    caughtBy: [
      'control.ping-of-*',
      'control.ping-same-twice',
      'control.ping-empty-after-full',
      'control.burst-*',
      'control.ping-between-fragments-at-once',
      'control.ping-behind-messages',
      'control.pong-then-ping',
      '!control.ping-of-65536',
    ],
    autobahn: ['2.2', '2.10'],
  },
  {
    name: 'sends Pongs with the data reversed',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-1',
    change: () => ({
      onPing: (payload, peer) => peer.send({ opcode: PONG, payload: Buffer.from(payload).reverse() }),
    }),
    caughtBy: [
      'control.ping-of-*',
      'control.ping-empty-after-full',
      'control.burst-*',
      'control.ping-between-fragments-at-once',
      'control.ping-behind-messages',
      'control.pong-then-ping',
      '!control.ping-of-65536',
    ],
  },
  {
    name: 'answers the Pings of one segment in reverse order',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-2',
    change: () => {
      const waiting: Uint8Array[] = [];
      return {
        onPing: (payload, peer) => {
          waiting.unshift(payload);
          if (waiting.length > 1) return;
          setImmediate(() => {
            for (const one of waiting.splice(0)) peer.send({ opcode: PONG, payload: one });
          });
        },
      };
    },
    caughtBy: ['control.burst-in-one-segment', 'control.ping-behind-messages'],
    autobahn: ['2.10'],
  },
  {
    name: 'answers Pongs with Pongs',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-3',
    change: () => ({ onPong: (payload, peer) => peer.send({ opcode: PONG, payload }) }),
    caughtBy: ['control.pongs-unasked', 'control.pong-then-ping'],
    autobahn: ['2.7', '2.8'],
  },
  {
    name: 'answers each Ping twice',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-1',
    change: () => ({
      onPing: (payload, peer) => {
        peer.send({ opcode: PONG, payload });
        peer.send({ opcode: PONG, payload });
      },
    }),
    caughtBy: [
      'control.ping-of-*',
      'control.ping-same-twice',
      'control.ping-empty-after-full',
      'control.burst-*',
      'control.ping-behind-messages',
      'control.pong-then-ping',
      '!control.ping-of-65536',
    ],
  },
  {
    name: 'answers Pings between fragments when the message ends',
    roles: BOTH,
    breaks: 'RFC6455-5.5.2-3',
    change: () => {
      const waiting: Uint8Array[] = [];
      return {
        onPing: (payload, peer) => {
          if (peer.isInsideMessage) waiting.push(payload);
          else peer.send({ opcode: PONG, payload });
        },
        onMessage: (message, peer) => {
          for (const payload of waiting.splice(0)) peer.send({ opcode: PONG, payload });
          peer.sendMessage(message);
        },
      };
    },
    caughtBy: ['control.ping-between-fragments-at-once: NON-STRICT'],
  },
  {
    name: 'answers a Ping with a Ping',
    roles: BOTH,
    breaks: 'RFC6455-5.5.2-2',
    change: () => ({ onPing: (payload, peer) => peer.send({ opcode: PING, payload }) }),
    caughtBy: [
      'control.ping-of-*',
      'control.ping-same-twice',
      'control.ping-empty-after-full',
      'control.burst-*',
      'control.ping-between-fragments-at-once',
      'control.ping-behind-messages',
      'control.pong-then-ping',
      '!control.ping-of-65536',
    ],
  },
  {
    name: 'accepts control frames of any length',
    roles: BOTH,
    breaks: 'RFC6455-5.5-1',
    change: () => ({ overlooks: ['control-length'] }),
    caughtBy: [
      'control.*-of-65536',
      'control.pong-of-126',
      '!control.close-of-65536',
      'length.p*-announces-*',
    ],
    autobahn: ['2.5'],
  },
  {
    name: 'accepts control frames without FIN',
    roles: BOTH,
    breaks: 'RFC6455-5.4-4',
    change: () => ({ overlooks: ['control-fin'] }),
    caughtBy: ['control.*-without-fin*'],
  },
];

export const FRAME_FAULTS: readonly Fault[] = [
  ...MASKING_FAULTS,
  ...HEADER_FAULTS,
  ...FRAGMENTATION_FAULTS,
  ...CONTROL_FAULTS,
];
