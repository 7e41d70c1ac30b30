import { BINARY } from '../../../src/wire/opcode.js';
import { closePayload } from '../broken-peers/conduct.js';
import { testGroup } from './wrong-peers.js';

testGroup('framing', [
  {
    does: 'ignores RSV1',
    change: () => ({ overlooks: ['rsv1'] }),
    complaints: { 'framing.rsv-4-on-*': 'FAILED' },
  },
  {
    does: 'ignores RSV2 and RSV3',
    change: () => ({ overlooks: ['rsv2-and-rsv3'] }),
    complaints: {
      'framing.rsv-1-on-*': 'FAILED',
      'framing.rsv-2-on-*': 'FAILED',
      'framing.rsv-3-on-*': 'FAILED',
    },
  },
  {
    does: 'ignores reserved data opcodes',
    change: () => ({ overlooks: ['reserved-data-opcode'] }),
    complaints: {
      'framing.opcode-3-*': 'FAILED',
      'framing.opcode-4-*': 'FAILED',
      'framing.opcode-5-*': 'FAILED',
      'framing.opcode-6-*': 'FAILED',
      'framing.opcode-7-*': 'FAILED',
    },
  },
  {
    does: 'ignores reserved control opcodes',
    change: () => ({ overlooks: ['reserved-control-opcode'] }),
    complaints: { 'framing.opcode-1*-inside-message': 'FAILED' },
  },
  {
    does: 'reads on behind a fault',
    change: () => ({
      overlooks: ['frames-after-fault'],
      onFault: (code, peer) =>
        void setImmediate(() => {
          peer.sendClose(closePayload(code));
          peer.end();
        }),
    }),
    complaints: {
      'framing.nothing-behind-reserved-opcode': 'FAILED',
      'framing.nothing-behind-reserved-bit': 'FAILED',
      'framing.nothing-behind-long-ping': 'FAILED',
      'framing.nothing-behind-lone-continuation': 'FAILED',
      'framing.nothing-behind-bad-text': 'FAILED',
    },
  },
  {
    does: 'sets RSV2',
    change: () => ({ outgoing: (frame) => [{ ...frame, rsv: 2 }] }),
    complaints: { 'framing.peer-keeps-reserved-values-clear': 'FAILED' },
  },
  {
    does: 'echoes everything as binary',
    change: () => ({ onMessage: ({ payload }, peer) => peer.sendMessage({ opcode: BINARY, payload }) }),
    complaints: { 'framing.types-alternate': 'FAILED' },
  },
]);
