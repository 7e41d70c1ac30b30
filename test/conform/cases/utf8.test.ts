import { isUtf8 } from 'node:buffer';
import { closePayload } from '../broken-peers/conduct.js';
import { testGroup } from './wrong-peers.js';

testGroup('utf8', [
  {
    does: 'takes any bytes for text',
    change: () => ({ textCheck: () => () => true }),
    complaints: {
      'utf8.above-10ffff-split': 'FAILED',
      'utf8.bad-byte-at-*': 'FAILED',
      'utf8.completed-by-next-message': 'FAILED',
      'utf8.f5': 'FAILED',
      'utf8.ff-alone': 'FAILED',
      'utf8.fails-early-*': 'FAILED',
      'utf8.lone-*': 'FAILED',
      'utf8.one-continuation-byte-too-many': 'FAILED',
      'utf8.overlong-*': 'FAILED',
      'utf8.split-around-bad-ping': 'FAILED',
      'utf8.surrogate-split': 'FAILED',
      'utf8.truncated-*': 'FAILED',
    },
  },
  {
    does: 'checks each fragment by itself',
    change: () => {
      return {
        textCheck: () => {
          let fragment: Uint8Array[] = [];
          return (bytes, isEndOfFragment) => {
            fragment.push(bytes);
            if (!isEndOfFragment) return true;
            const isText = isUtf8(Buffer.concat(fragment));
            fragment = [];
            return isText;
          };
        },
      };
    },
    complaints: {
      'utf8.*-byte-character-split-between-fragments': 'FAILED',
      'utf8.*-byte-characters-in-one-byte-fragments': 'FAILED',
      'utf8.fails-early-inside-*': 'NON-STRICT',
    },
  },
  {
    does: 'checks whole messages only',
    change: () => ({
      textCheck: () => {
        const parts: Uint8Array[] = [];
        return (bytes, _, isEnd) => {
          parts.push(bytes);
          return !isEnd || isUtf8(Buffer.concat(parts));
        };
      },
    }),
    complaints: { 'utf8.fails-early-*': 'NON-STRICT' },
  },
  {
    does: 'lets the end of a message be cut off',
    change: () => ({
      textCheck: () => {
        const decoder = new TextDecoder('utf-8', { fatal: true });
        return (bytes) => {
          try {
            decoder.decode(bytes, { stream: true });
            return true;
          } catch {
            return false;
          }
        };
      },
    }),
    complaints: { 'utf8.completed-by-next-message': 'FAILED', 'utf8.truncated-*': 'FAILED' },
  },
  {
    does: 'drops byte order marks',
    change: () => ({
      onMessage: ({ opcode, payload }, peer) =>
        peer.sendMessage({
          opcode,
          payload: opcode === 1 ? Buffer.from(new TextDecoder().decode(payload)) : payload,
        }),
    }),
    complaints: { 'utf8.byte-order-mark-kept': 'FAILED' },
  },
  {
    does: 'normalizes text',
    change: () => ({
      onMessage: ({ opcode, payload }, peer) =>
        peer.sendMessage({
          opcode,
          payload: opcode === 1 ? Buffer.from(Buffer.from(payload).toString().normalize()) : payload,
        }),
    }),
    complaints: { 'utf8.not-normalized': 'FAILED' },
  },
  {
    does: 'says 1002 about bad text',
    change: () => ({
      onFault: (_, peer) => {
        peer.sendClose(closePayload(1002));
        peer.end();
      },
    }),
    complaints: {},
  },
  {
    does: 'says 1003 about bad text',
    change: () => ({
      onFault: (_, peer) => {
        peer.sendClose(closePayload(1003));
        peer.end();
      },
    }),
    complaints: {
      'utf8.above-10ffff-split': 'WRONG CODE',
      'utf8.bad-byte-at-*': 'WRONG CODE',
      'utf8.close-reason-*': 'WRONG CODE',
      'utf8.completed-by-next-message': 'WRONG CODE',
      'utf8.f5': 'WRONG CODE',
      'utf8.ff-alone': 'WRONG CODE',
      'utf8.fails-early-*': 'WRONG CODE',
      'utf8.lone-*': 'WRONG CODE',
      'utf8.one-continuation-byte-too-many': 'WRONG CODE',
      'utf8.overlong-*': 'WRONG CODE',
      'utf8.split-around-bad-ping': 'WRONG CODE',
      'utf8.surrogate-split': 'WRONG CODE',
      'utf8.truncated-*': 'WRONG CODE',
    },
  },
  {
    does: 'takes any close reason',
    change: () => ({ overlooks: ['close-reason'] }),
    complaints: { 'utf8.close-reason-*': 'FAILED' },
  },
]);
