import { testGroup } from './wrong-peers.js';

testGroup('length', [
  {
    does: 'takes lengths that are not minimal',
    change: () => ({ overlooks: ['minimal-length'] }),
    complaints: { 'length.*-in-*-bits': 'NON-STRICT' },
  },
  {
    does: 'writes every length in 64 bits',
    change: () => ({ outgoing: (frame) => [{ ...frame, lengthForm: 64 }] }),
    complaints: {
      'length.peer-writes-0-minimally': 'FAILED',
      'length.peer-writes-1-minimally': 'FAILED',
      'length.peer-writes-125-minimally': 'FAILED',
      'length.peer-writes-126-minimally': 'FAILED',
      'length.peer-writes-127-minimally': 'FAILED',
      'length.peer-writes-65535-minimally': 'FAILED',
    },
  },
  {
    does: 'clears the top bit of a length',
    change: () => ({ readLength: (length) => BigInt.asUintN(63, length) }),
    complaints: { 'length.top-bit-alone-*': 'FAILED', 'length.top-bit-and-5-*': 'FAILED' },
  },
  {
    does: 'cuts lengths to 32 bits',
    change: () => ({ readLength: (length) => BigInt.asUintN(32, length) }),
    complaints: {
      'length.announced-2-32': 'FAILED',
      'length.announced-2-32-plus-5': 'FAILED',
      'length.announced-2-53*': 'FAILED',
      'length.announced-2-62': 'FAILED',
      'length.top-bit-alone-*': 'FAILED',
      'length.top-bit-and-5-*': 'FAILED',
    },
  },
  {
    does: 'waits for any length',
    change: () => ({ overlooks: ['maximal-length'] }),
    complaints: {
      'length.announced-2-53*': 'NON-STRICT',
      'length.announced-2-62': 'NON-STRICT',
      'length.announced-2-63-minus-1': 'NON-STRICT',
    },
  },
  {
    does: 'takes long control frames',
    change: () => ({ overlooks: ['control-length'] }),
    complaints: { 'length.p*ng-announces-*': 'FAILED' },
  },
]);
