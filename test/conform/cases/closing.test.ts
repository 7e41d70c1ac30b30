import { expect, it } from 'vitest';
import { CLOSE, TEXT } from '../../../src/wire/opcode.js';
import { closePayload } from '../broken-peers/conduct.js';
import { judgeRawServer, testGroup } from './wrong-peers.js';

testGroup('closing', [
  {
    does: 'never answers a Close frame',
    change: () => ({ onClose: () => {} }),
    complaints: { 'closing.answered-*': 'FAILED' },
  },
  {
    does: 'ends TCP in answer to a Close frame',
    change: () => ({ onClose: (_, peer) => peer.end() }),
    complaints: { 'closing.answered-*': 'FAILED' },
  },
  {
    does: 'answers a Close frame twice',
    change: () => ({
      outgoing: (frame) => (frame.opcode === CLOSE ? [frame, frame] : [frame]),
    }),
    complaints: { 'closing.nothing-*': 'FAILED', 'closing.fragment-behind-close-is-dropped': 'FAILED' },
  },
  {
    does: 'sends data behind its Close frame',
    change: () => ({
      outgoing: (frame) =>
        frame.opcode === CLOSE ? [frame, { ...frame, opcode: TEXT, payload: Buffer.from('late') }] : [frame],
    }),
    complaints: { 'closing.nothing-*': 'FAILED', 'closing.fragment-behind-close-is-dropped': 'FAILED' },
  },
  {
    does: 'leaves TCP open',
    roles: ['server'],
    change: () => ({ onClose: (payload, peer) => peer.sendClose(payload.subarray(0, 2)) }),
    complaints: { 'closing.server-ends-tcp': 'FAILED' },
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
    complaints: { 'closing.client-leaves-tcp-to-server': 'NON-STRICT' },
  },
  {
    does: 'fails without a Close frame',
    change: () => ({ onFault: (_, peer) => peer.end() }),
    complaints: { 'closing.failure-is-told-first*': 'NON-STRICT' },
  },
  {
    does: 'refuses every Close frame',
    change: () => ({
      onClose: (_, peer) => {
        peer.sendClose(closePayload(1002));
        if (peer.role === 'server') peer.end();
      },
    }),
    complaints: { 'closing.answered-*': 'FAILED' },
  },
  {
    does: 'reads on behind a Close frame',
    change: () => ({
      overlooks: ['frames-after-close'],
      onClose: (payload, peer) =>
        void setImmediate(() => {
          peer.sendClose(payload.subarray(0, 2));
          if (peer.role === 'server') peer.end();
        }),
    }),
    complaints: { 'closing.fragment-behind-close-is-dropped': 'FAILED' },
  },
  {
    does: 'does not mask its Close frame',
    roles: ['client'],
    change: () => ({ outgoing: (frame) => [{ ...frame, isMasked: frame.opcode !== CLOSE }] }),
    complaints: { 'closing.client-masks-close': 'FAILED' },
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
          if (peer.role === 'server') peer.end();
        },
      };
    },
    complaints: { 'closing.messages-before-close-are-echoed': 'FAILED' },
  },
]);

it('closing: a server that never ends its side of TCP is found out', async () => {
  const ids = ['closing.tcp-ended-idle', 'closing.tcp-ended-inside-frame'];
  expect(await judgeRawServer(ids, () => {})).toEqual({
    'closing.tcp-ended-idle': 'NON-STRICT',
    'closing.tcp-ended-inside-frame': 'NON-STRICT',
  });
});

it('closing: a server that resets TCP is found out', async () => {
  const closeFrame = Uint8Array.of(0x88, 2, 3, 232);
  const complaints = await judgeRawServer(['closing.tcp-ends-orderly'], (socket) => {
    socket.write(closeFrame, () => setTimeout(() => socket.resetAndDestroy(), 20));
  });
  expect(complaints).toEqual({ 'closing.tcp-ends-orderly': 'NON-STRICT' });
});
