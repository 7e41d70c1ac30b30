import { isUtf8 } from 'node:buffer';
import { closePayload } from '../broken-peers/conduct.js';
import { testGroup } from './wrong-peers.js';

testGroup('utf8', [
  { does: 'takes any bytes for text', change: () => ({ textCheck: () => () => true }), complaints: {} },
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
    complaints: {},
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
    complaints: {},
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
    complaints: {},
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
    complaints: {},
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
    complaints: {},
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
  { does: 'takes any close reason', change: () => ({ overlooks: ['close-reason'] }), complaints: {} },
]);
