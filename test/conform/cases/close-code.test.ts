import { closePayload } from '../broken-peers/conduct.js';
import type { Change } from '../broken-peers/peer-opening.js';
import { testGroup } from './wrong-peers.js';

/** Fails the connection over every fault with that code. */
const saying =
  (code: number): Change =>
  () => ({
    onFault: (_, peer) => {
      peer.sendClose(closePayload(code));
      peer.end();
    },
  });

testGroup('close-code', [
  {
    does: 'takes any code of the protocol',
    change: () => ({ overlooks: ['close-code'] }),
    complaints: {
      'close-code.1-refused': 'FAILED',
      'close-code.255-refused': 'FAILED',
      'close-code.256-refused': 'FAILED',
      'close-code.998-refused': 'FAILED',
      'close-code.1015-refused': 'FAILED',
      'close-code.1017-refused': 'FAILED',
      'close-code.1500-refused': 'FAILED',
      'close-code.2001-refused': 'FAILED',
      'close-code.no-local-code-after-close-with-*': 'FAILED',
    },
  },
  {
    does: 'takes a payload of one byte',
    change: () => ({ overlooks: ['close-of-one-byte'] }),
    complaints: { 'close-code.one-byte-*': 'FAILED' },
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
    complaints: {
      'close-code.3001-with-reason': 'FAILED',
      'close-code.3500-with-reason': 'FAILED',
      'close-code.4001-with-reason': 'FAILED',
      'close-code.4500-with-reason': 'FAILED',
    },
  },
  {
    does: 'says 1005 in answer to an empty Close frame',
    change: () => ({
      onClose: (payload, peer) => {
        peer.sendClose(payload.length === 0 ? closePayload(1005) : payload);
        peer.end();
      },
    }),
    complaints: { 'close-code.no-local-code-after-empty-close': 'FAILED' },
  },
  {
    does: 'says 1006 about every fault',
    change: saying(1006),
    complaints: {
      'close-code.fault-*': 'WRONG CODE',
      'close-code.no-local-code-after-bad-text': 'FAILED',
      'close-code.no-local-code-after-fault': 'FAILED',
      'close-code.no-local-code-after-close-with-*': 'FAILED',
    },
  },
  ...[1002, 1003, 1008, 1011, 4000].map((said) => ({
    does: `says ${said} about every fault`,
    change: saying(said),
    complaints: {
      [said === 1002 ? 'close-code.fault-bad-text*' : 'close-code.fault-*']: 'NON-STRICT',
      'close-code.fault-size': 'NON-STRICT',
    },
  })),
  {
    does: 'says 1000 about every fault',
    change: saying(1000),
    complaints: {
      'close-code.fault-*': 'WRONG CODE',
      // The same code answers a Close frame that is in order.
      'close-code.1-refused': 'FAILED',
      'close-code.255-refused': 'FAILED',
      'close-code.256-refused': 'FAILED',
      'close-code.998-refused': 'FAILED',
      'close-code.1015-refused': 'FAILED',
      'close-code.1017-refused': 'FAILED',
      'close-code.1500-refused': 'FAILED',
      'close-code.2001-refused': 'FAILED',
      'close-code.one-byte-*': 'FAILED',
    },
  },
]);
