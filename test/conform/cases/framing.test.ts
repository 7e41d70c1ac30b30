import { BINARY } from '../../../src/wire/opcode.js';
import { closePayload } from '../broken-peers/conduct.js';
import { testGroup } from './wrong-peers.js';

testGroup('framing', [
  { does: 'ignores RSV1', change: () => ({ overlooks: ['rsv1'] }), complaints: {} },
  { does: 'ignores RSV2 and RSV3', change: () => ({ overlooks: ['rsv2-and-rsv3'] }), complaints: {} },
  {
    does: 'ignores reserved data opcodes',
    change: () => ({ overlooks: ['reserved-data-opcode'] }),
    complaints: {},
  },
  {
    does: 'ignores reserved control opcodes',
    change: () => ({ overlooks: ['reserved-control-opcode'] }),
    complaints: {},
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
    complaints: {},
  },
  { does: 'sets RSV2', change: () => ({ outgoing: (frame) => [{ ...frame, rsv: 2 }] }), complaints: {} },
  {
    does: 'echoes everything as binary',
    change: () => ({ onMessage: ({ payload }, peer) => peer.sendMessage({ opcode: BINARY, payload }) }),
    complaints: {},
  },
]);
