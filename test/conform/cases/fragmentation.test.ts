import { isUtf8 } from 'node:buffer';
import { CONTINUATION } from '../../../src/wire/opcode.js';
import { testGroup } from './wrong-peers.js';

testGroup('fragmentation', [
  {
    does: 'takes a continuation for a message',
    change: () => ({ overlooks: ['lone-continuation'] }),
    complaints: {},
  },
  {
    does: 'lets messages begin inside others',
    change: () => ({ overlooks: ['data-inside-message'] }),
    complaints: {},
  },
  {
    does: 'checks each fragment for UTF-8',
    change: () => ({ textCheck: () => (bytes) => isUtf8(bytes) }),
    complaints: {},
  },
  {
    does: 'repeats the opcode in each fragment',
    change: () => ({
      outgoing: (frame) =>
        frame.payload.length < 100_000
          ? [frame]
          : [
              { ...frame, isFinal: false, payload: frame.payload.subarray(0, 50_000) },
              { ...frame, payload: frame.payload.subarray(50_000) },
            ],
    }),
    complaints: {},
  },
  {
    does: 'begins with a continuation',
    change: () => ({
      outgoing: (frame) => [frame.payload.length < 100_000 ? frame : { ...frame, opcode: CONTINUATION }],
    }),
    complaints: {},
  },
  {
    does: 'has a limit of 500 frames',
    change: () => ({
      textCheck: () => () => true,
      onMessage: (message, peer) =>
        peer.sendMessage({ ...message, payload: message.payload.subarray(0, 10) }),
    }),
    complaints: {},
  },
]);
