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
    caughtBy: [],
  },
  {
    name: 'accepts frames that are not masked',
    roles: SERVER,
    breaks: 'RFC6455-5.1-2',
    change: () => ({ overlooks: ['mask'] }),
    caughtBy: [],
  },
  {
    name: 'accepts masked frames',
    roles: CLIENT,
    breaks: 'RFC6455-5.1-5',
    change: () => ({ overlooks: ['mask'] }),
    caughtBy: [],
  },
  {
    name: 'masks nothing',
    roles: CLIENT,
    breaks: 'RFC6455-5.1-1',
    change: () => ({ outgoing: (frame) => [{ ...frame, isMasked: false }] }),
    caughtBy: [],
  },
  {
    name: 'uses one masking key for everything',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-2',
    change: () => ({ maskingKey: () => CONSTANT_KEY }),
    caughtBy: [],
  },
  {
    name: 'counts its masking keys up',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-4',
    change: () => ({ maskingKey: (previous) => bytes32(number32(previous) + 1) }),
    caughtBy: [],
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
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'draws masking keys of 16 bits',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-3',
    change: () => ({ maskingKey: () => Buffer.from([0, 0, ...crypto.getRandomValues(new Uint8Array(2))]) }),
    caughtBy: [],
  },
  {
    name: 'draws masking keys with Math.random',
    roles: CLIENT,
    breaks: 'RFC6455-5.3-3',
    change: () => ({ maskingKey: () => bytes32(Math.floor(Math.random() * 2 ** 32)) }),
    caughtBy: [],
  },
];

const HEADER_FAULTS: readonly Fault[] = [
  {
    name: 'ignores RSV1',
    roles: BOTH,
    breaks: 'RFC6455-5.2-3',
    change: () => ({ overlooks: ['rsv1'] }),
    caughtBy: [],
  },
  {
    name: 'ignores RSV2 and RSV3',
    roles: BOTH,
    breaks: 'RFC6455-5.2-3',
    change: () => ({ overlooks: ['rsv2-and-rsv3'] }),
    caughtBy: [],
  },
  {
    name: 'sets RSV3 on its Pongs',
    roles: BOTH,
    breaks: 'RFC6455-5.2-2',
    change: () => ({ outgoing: (frame) => [frame.opcode === PONG ? { ...frame, rsv: 1 } : frame] }),
    caughtBy: [],
  },
  {
    name: 'ignores data frames with a reserved opcode',
    roles: BOTH,
    breaks: 'RFC6455-5.2-4',
    change: () => ({ overlooks: ['reserved-data-opcode'] }),
    caughtBy: [],
  },
  {
    name: 'ignores control frames with a reserved opcode',
    roles: BOTH,
    breaks: 'RFC6455-5.2-4',
    change: () => ({ overlooks: ['reserved-control-opcode'] }),
    caughtBy: [],
  },
  {
    name: 'writes short lengths in 16 bits',
    roles: BOTH,
    breaks: 'RFC6455-5.2-6',
    change: () => ({
      outgoing: (frame) => [frame.lengthForm === 7 ? { ...frame, lengthForm: 16 } : frame],
    }),
    caughtBy: [],
  },
  {
    name: 'writes lengths above 125 in 64 bits',
    roles: BOTH,
    breaks: 'RFC6455-5.2-6',
    change: () => ({
      outgoing: (frame) => [frame.lengthForm === 16 ? { ...frame, lengthForm: 64 } : frame],
    }),
    caughtBy: [],
  },
  {
    name: 'accepts lengths that are not minimal',
    roles: BOTH,
    breaks: 'RFC6455-5.2-6',
    change: () => ({ overlooks: ['minimal-length'] }),
    caughtBy: [],
  },
  {
    name: 'does not see the top bit of a length',
    roles: BOTH,
    breaks: 'RFC6455-5.2-5',
    change: () => ({ readLength: (length) => BigInt.asUintN(63, length) }),
    caughtBy: [],
  },
  {
    name: 'reads 32 bits of a length',
    roles: BOTH,
    breaks: 'RFC6455-5.2-7',
    change: () => ({ readLength: (length) => BigInt.asUintN(32, length) }),
    caughtBy: [],
  },
  {
    name: 'has no limit for what a header announces',
    roles: BOTH,
    breaks: 'RFC6455-10.4-2',
    change: () => ({ overlooks: ['maximal-length'] }),
    caughtBy: [],
  },
];

/** In pieces of that many bytes. */
function inPieces(frame: OutgoingFrame, size: number, opcodes: { later: number; laterRsv: number }): OutgoingFrame[] {
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
    caughtBy: [],
  },
  {
    name: 'begins a new message inside another',
    roles: BOTH,
    breaks: 'RFC6455-5.4-6',
    change: () => ({ overlooks: ['data-inside-message'] }),
    caughtBy: [],
  },
  {
    name: 'mixes fragments of two messages',
    roles: BOTH,
    breaks: 'RFC6455-5.4-6',
    change: () => ({ overlooks: ['message-inside-message'] }),
    caughtBy: [],
  },
  {
    name: 'forgets the type of a fragmented message',
    roles: BOTH,
    breaks: 'RFC6455-5.4-14',
    change: () => ({
      onMessage: ({ opcode, payload, frames }, peer) =>
        peer.sendMessage({ opcode: frames > 1 ? TEXT : opcode, payload }),
    }),
    caughtBy: [],
  },
  {
    name: 'sends binary messages as text',
    roles: BOTH,
    breaks: 'RFC6455-6.1-6',
    change: () => ({ onMessage: ({ payload }, peer) => peer.sendMessage({ opcode: TEXT, payload }) }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'repeats the opcode on its later fragments',
    roles: BOTH,
    breaks: 'RFC6455-5.4-2',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode > BINARY ? [frame] : inPieces(frame, 70_000, { later: frame.opcode, laterRsv: 0 }),
    }),
    caughtBy: [],
  },
  {
    name: 'splits Pongs',
    roles: BOTH,
    breaks: 'RFC6455-5.4-4',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode === PONG ? inPieces(frame, 100, { later: CONTINUATION, laterRsv: 0 }) : [frame],
    }),
    caughtBy: [],
  },
];

const CONTROL_FAULTS: readonly Fault[] = [
  {
    name: 'answers no Ping',
    roles: BOTH,
    breaks: 'RFC6455-5.5.2-2',
    change: () => ({ onPing: () => {} }),
    caughtBy: [],
  },
  {
    name: 'sends Pongs without data',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-1',
    change: () => ({ onPing: (_, peer) => peer.send({ opcode: PONG, payload: new Uint8Array(0) }) }),
    caughtBy: [],
  },
  {
    name: 'sends Pongs with the data reversed',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-1',
    change: () => ({
      onPing: (payload, peer) => peer.send({ opcode: PONG, payload: Buffer.from(payload).reverse() }),
    }),
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'answers Pongs with Pongs',
    roles: BOTH,
    breaks: 'RFC6455-5.5.3-3',
    change: () => ({ onPong: (payload, peer) => peer.send({ opcode: PONG, payload }) }),
    caughtBy: [],
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
    caughtBy: [],
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
    caughtBy: [],
  },
  {
    name: 'answers a Ping with a Ping',
    roles: BOTH,
    breaks: 'RFC6455-5.5.2-2',
    change: () => ({ onPing: (payload, peer) => peer.send({ opcode: PING, payload }) }),
    caughtBy: [],
  },
  {
    name: 'accepts control frames of any length',
    roles: BOTH,
    breaks: 'RFC6455-5.5-1',
    change: () => ({ overlooks: ['control-length'] }),
    caughtBy: [],
  },
  {
    name: 'accepts control frames without FIN',
    roles: BOTH,
    breaks: 'RFC6455-5.4-4',
    change: () => ({ overlooks: ['control-fin'] }),
    caughtBy: [],
  },
];

export const FRAME_FAULTS: readonly Fault[] = [
  ...MASKING_FAULTS,
  ...HEADER_FAULTS,
  ...FRAGMENTATION_FAULTS,
  ...CONTROL_FAULTS,
];
