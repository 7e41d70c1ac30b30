// The tool that explains, word by word, as a language model would send its tokens. The texts are written down here: no
// model is asked.

import { setTimeout as sleep } from 'node:timers/promises';
import { defineTool } from './tool.js';

const TEXTS = {
  frame:
    'A WebSocket message travels in frames. The first byte of a frame holds FIN, which says whether this frame is the ' +
    'last of its message, three bits for extensions, and the opcode: text, binary, continuation, close, ping or pong. ' +
    'The second byte holds MASK and seven bits of length. The values 126 and 127 stand for a longer length in the next ' +
    'two or eight bytes. A client then puts four random bytes, the masking key, and combines them with its payload. ' +
    'So a short text costs two bytes from the server and six from the client, where an HTTP request costs hundreds. ' +
    'Each word of this text came in such a frame; the page of this server lists them.',
  masking:
    'A client combines every byte of its payloads with a random key of four bytes, which stands in the same frame. ' +
    'That hides nothing from anyone. It is there because a program in a web page could otherwise choose the exact ' +
    'bytes that leave the browser, write what looks like an HTTP request, and so put a page of its own into the cache ' +
    'of a careless proxy on the way. With a key that nobody can predict no one can choose those bytes. A server does ' +
    'not mask, and must close the connection when a client does not.',
  session:
    'A connection is lost when a phone changes its network, a proxy restarts, or a laptop sleeps. A session is not. ' +
    'Both ends count the messages they received, without a byte on the wire for it, and keep what they sent until it ' +
    'is acknowledged. When the connection breaks the client opens another one and says how much it has; the server ' +
    'answers the same, and both send the rest again, in order. So this text goes on at the very next word, and the ' +
    'function that produces it never learns of the break. On the page of this server a button drops the connection, ' +
    'and a mark in the text shows where that happened.',
} as const;

const TOPICS = Object.keys(TEXTS) as (keyof typeof TEXTS)[];

export const explain = defineTool({
  name: 'explain',
  title: 'Explanation',
  description:
    'Explains something about WebSocket, as a stream of words. The texts are fixed; no model is asked.',
  parameters: {
    topic: { type: 'string', description: 'what to explain', enum: TOPICS, default: 'session' },
    paceMs: {
      type: 'integer',
      description: 'milliseconds between two words',
      minimum: 0,
      maximum: 1000,
      default: 60,
    },
  },
  async *run({ topic, paceMs }, { signal }) {
    for (const [index, word] of TEXTS[topic].match(/\S+\s*/g)!.entries()) {
      if (index > 0) await sleep(paceMs, undefined, { signal });
      yield word;
    }
  },
});
