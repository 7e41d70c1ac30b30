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
    complaints: {},
  },
  {
    does: 'clears the top bit of a length',
    change: () => ({ overlooks: ['top-bit-of-length'] }),
    complaints: {},
  },
  {
    does: 'waits for any length',
    change: () => ({ overlooks: ['maximal-length'] }),
    complaints: {},
  },
  {
    does: 'takes long control frames',
    change: () => ({ overlooks: ['control-length'] }),
    complaints: {},
  },
]);
