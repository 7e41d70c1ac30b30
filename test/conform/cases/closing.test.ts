import { CLOSE, TEXT } from '../../../src/wire/opcode.js';
import { closePayload } from '../broken-peers/conduct.js';
import { testGroup } from './wrong-peers.js';

testGroup('closing', [
  { does: 'never answers a Close frame', change: () => ({ onClose: () => {} }), complaints: {} },
  {
    does: 'ends TCP in answer to a Close frame',
    change: () => ({ onClose: (_, peer) => peer.end() }),
    complaints: {},
  },
  {
    does: 'answers a Close frame twice',
    change: () => ({
      outgoing: (frame) => (frame.opcode === CLOSE ? [frame, frame] : [frame]),
    }),
    complaints: {},
  },
  {
    does: 'sends data behind its Close frame',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode === CLOSE ? [frame, { ...frame, opcode: TEXT, payload: Buffer.from('late') }] : [frame],
    }),
    complaints: {},
  },
  {
    does: 'leaves TCP open',
    roles: ['server'],
    change: () => ({ onClose: (payload, peer) => peer.sendClose(payload.subarray(0, 2)) }),
    complaints: {},
  },
  {
    does: 'ends TCP before the server',
    roles: ['client'],
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.subarray(0, 2));
        peer.end();
      },
    }),
    complaints: {},
  },
  {
    does: 'fails without a Close frame',
    change: () => ({ onFault: (_, peer) => peer.end() }),
    complaints: {},
  },
  {
    does: 'refuses every Close frame',
    change: () => ({
      onClose: (_, peer) => {
        peer.sendClose(closePayload(1002));
        peer.end();
      },
    }),
    complaints: {},
  },
  {
    does: 'reads on behind a Close frame',
    change: () => ({ overlooks: ['frames-after-close'] }),
    complaints: {},
  },
  {
    does: 'echoes in the wrong order',
    change: () => {
      const held: { opcode: number; payload: Uint8Array }[] = [];
      return {
        onMessage: (message) => void held.push(message),
        onClose: (payload, peer) => {
          for (const message of held.reverse()) peer.sendMessage(message);
          peer.sendClose(payload.subarray(0, 2));
          peer.end();
        },
      };
    },
    complaints: {},
  },
]);
