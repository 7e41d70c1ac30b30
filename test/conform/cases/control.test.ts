import { PONG } from '../../../src/wire/opcode.js';
import { testGroup } from './wrong-peers.js';

const EMPTY = new Uint8Array(0);

testGroup('control', [
  {
    does: 'never answers a Ping',
    change: () => ({ onPing: () => {} }),
    complaints: {
      'control.burst-*': 'FAILED',
      'control.ping-behind-messages': 'FAILED',
      'control.ping-between-fragments-at-once': 'FAILED',
      'control.ping-empty-after-full': 'FAILED',
      'control.ping-of-every-*': 'FAILED',
      'control.ping-same-twice': 'FAILED',
      'control.pong-then-ping': 'FAILED',
    },
  },
  {
    does: 'answers with empty Pongs',
    change: () => ({ onPing: (_, peer) => peer.send({ opcode: PONG, payload: EMPTY }) }),
    complaints: {
      'control.burst-*': 'FAILED',
      'control.ping-behind-messages': 'FAILED',
      'control.ping-between-fragments-at-once': 'FAILED',
      'control.ping-empty-after-full': 'FAILED',
      'control.ping-of-every-*': 'FAILED',
      'control.ping-same-twice': 'FAILED',
      'control.pong-then-ping': 'FAILED',
    },
  },
  {
    does: 'answers each Ping twice',
    change: () => ({
      onPing: (payload, peer) => {
        peer.send({ opcode: PONG, payload });
        peer.send({ opcode: PONG, payload });
      },
    }),
    complaints: {
      'control.burst-*': 'FAILED',
      'control.ping-behind-messages': 'FAILED',
      'control.ping-empty-after-full': 'FAILED',
      'control.ping-of-every-*': 'FAILED',
      'control.ping-same-twice': 'FAILED',
      'control.pong-then-ping': 'FAILED',
    },
  },
  {
    does: 'answers Pongs',
    change: () => ({ onPong: (payload, peer) => peer.send({ opcode: PONG, payload }) }),
    complaints: { 'control.pong-then-ping': 'FAILED', 'control.pongs-unasked': 'FAILED' },
  },
  {
    does: 'answers each second Ping only',
    change: () => {
      let count = 0;
      return { onPing: (payload, peer) => void (count++ % 2 === 1 && peer.send({ opcode: PONG, payload })) };
    },
    complaints: {
      'control.ping-between-fragments-at-once': 'FAILED',
      'control.ping-empty-after-full': 'FAILED',
      'control.ping-of-every-*': 'FAILED',
      'control.ping-same-twice': 'FAILED',
      'control.pong-then-ping': 'FAILED',
    },
  },
  {
    does: 'answers Pings in pairs, the latter first',
    change: () => {
      let held: Uint8Array | undefined;
      return {
        onPing: (payload, peer) => {
          if (held === undefined) {
            held = payload;
            return;
          }
          peer.send({ opcode: PONG, payload });
          peer.send({ opcode: PONG, payload: held });
          held = undefined;
        },
      };
    },
    complaints: {
      'control.burst-*': 'FAILED',
      'control.ping-behind-messages': 'FAILED',
      'control.ping-between-fragments-at-once': 'FAILED',
      'control.ping-empty-after-full': 'FAILED',
      'control.ping-of-every-*': 'FAILED',
      'control.ping-same-twice': 'FAILED',
      'control.pong-then-ping': 'FAILED',
    },
  },
  {
    does: 'lets Pongs wait for the end of a message',
    change: () => {
      const held: Uint8Array[] = [];
      return {
        onPing: (payload, peer) =>
          void (peer.isInsideMessage ? held.push(payload) : peer.send({ opcode: PONG, payload })),
        onMessage: (message, peer) => {
          peer.sendMessage(message);
          for (const payload of held.splice(0)) peer.send({ opcode: PONG, payload });
        },
      };
    },
    complaints: { 'control.ping-between-fragments-at-once': 'NON-STRICT' },
  },
  {
    does: 'sends Pongs without FIN',
    change: () => ({ outgoing: (frame) => [{ ...frame, isFinal: frame.opcode !== PONG }] }),
    complaints: { 'control.peer-sends-proper-pongs': 'FAILED' },
  },
  {
    does: 'takes long control frames',
    change: () => ({ overlooks: ['control-length'] }),
    complaints: { 'control.p*ng-of-65536': 'FAILED', 'control.pong-of-126': 'FAILED' },
  },
  {
    does: 'takes control frames without FIN',
    change: () => ({ overlooks: ['control-fin'] }),
    complaints: { 'control.*-without-fin': 'FAILED', 'control.*-without-fin-inside-message': 'FAILED' },
  },
]);
