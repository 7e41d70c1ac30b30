import { isUtf8 } from 'node:buffer';
import { CONTINUATION } from '../../../src/wire/opcode.js';
import { testGroup } from './wrong-peers.js';

testGroup('fragmentation', [
  {
    does: 'takes a continuation for a message',
    change: () => ({ overlooks: ['lone-continuation'] }),
    complaints: {
      'fragmentation.continuation-behind-*': 'FAILED',
      'fragmentation.empty-continuation-alone': 'FAILED',
    },
  },
  {
    does: 'lets messages begin inside others',
    change: () => ({ overlooks: ['data-inside-message'] }),
    complaints: {
      'fragmentation.*-inside-text': 'FAILED',
      'fragmentation.text-inside-*': 'FAILED',
      'fragmentation.text-behind-continuation': 'FAILED',
    },
  },
  {
    does: 'checks each fragment for UTF-8',
    change: () => ({ textCheck: () => (bytes) => isUtf8(bytes) }),
    complaints: {
      'fragmentation.control-payload-stays-out': 'FAILED',
      'fragmentation.one-byte-fragments': 'FAILED',
    },
  },
  {
    does: 'repeats the opcode in each fragment',
    change: () => ({
      outgoing: (frame) =>
        frame.payload.length < 150_000
          ? [frame]
          : [
              { ...frame, isFinal: false, payload: frame.payload.subarray(0, 50_000) },
              { ...frame, payload: frame.payload.subarray(50_000) },
            ],
    }),
    complaints: { 'fragmentation.peer-fragments-properly': 'FAILED' },
  },
  {
    does: 'begins with a continuation',
    change: () => ({
      outgoing: (frame) => [frame.payload.length < 150_000 ? frame : { ...frame, opcode: CONTINUATION }],
    }),
    complaints: { 'fragmentation.peer-fragments-properly': 'FAILED' },
  },
  {
    does: 'takes 500 fragments of text at most',
    change: () => ({
      textCheck: () => {
        let fragments = 0;
        return () => ++fragments <= 500;
      },
    }),
    complaints: { 'fragmentation.thousand-empty-fragments': 'FAILED' },
  },
]);
