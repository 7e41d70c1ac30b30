import { closePayload } from '../broken-peers/conduct.js';
import { testGroup } from './wrong-peers.js';

testGroup('close-code', [
  { does: 'takes any code of the protocol', change: () => ({ overlooks: ['close-code'] }), complaints: {} },
  {
    does: 'takes a payload of one byte',
    change: () => ({ overlooks: ['close-of-one-byte'] }),
    complaints: {},
  },
  {
    does: 'knows no codes from 3000 on',
    change: () => ({
      onClose: (payload, peer) => {
        const code = payload.length < 2 ? 1000 : (payload[0]! << 8) | payload[1]!;
        peer.sendClose(closePayload(code >= 3000 ? 1002 : code));
        peer.end();
      },
    }),
    complaints: {},
  },
  {
    does: 'says 1005 in answer to an empty Close frame',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.length === 0 ? closePayload(1005) : payload);
        peer.end();
      },
    }),
    complaints: {},
  },
  {
    does: 'says 1006 about every fault',
    change: () => ({
      onFault: (_, peer) => {
        peer.sendClose(closePayload(1006));
        peer.end();
      },
    }),
    complaints: {},
  },
  {
    does: 'says 1011 about every fault',
    change: () => ({
      onFault: (_, peer) => {
        peer.sendClose(closePayload(1011));
        peer.end();
      },
    }),
    complaints: {},
  },
]);
