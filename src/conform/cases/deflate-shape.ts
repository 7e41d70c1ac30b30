// Cases in which compressed messages are in order and come back: how they are written, and what several of them send.

import { constants, deflateRawSync } from 'node:zlib';
import type { ConformanceCase } from '../case.js';
import { type DeflateWish, inflatedCase } from '../deflate-case.js';
import { DeflateWriter } from '../deflate-writer.js';
import { noise, words } from '../noise.js';
import { fromHex } from '../payload.js';
import { type ExpectedMessage, type RuleFacts, textMessage } from '../rule-case.js';
import type { Step } from '../step.js';

export const EXPECTATION = 'What the messages stand for comes back unchanged, compressed or not.';

/** "Hello" as RFC 7692 §7.2.3 compresses it. */
export const HELLO = fromHex('f248cdc9c90700');
export const HELLO_AGAIN = fromHex('f200110000');
export const HELLO_STORED = fromHex('000500faff48656c6c6f00');
export const HELLO_FINAL = fromHex('f348cdc9c9070000');
export const HELLO_IN_TWO_BLOCKS = fromHex('f24805000000ffffcac9c90700');
export const EMPTY = fromHex('00');
/** An empty stored block with nothing left out. */
export const FLUSH = fromHex('000000ffff');

export const NOTHING = new Uint8Array(0);
export const hello = textMessage('Hello');
export const writer = (): DeflateWriter => new DeflateWriter();

export interface Shape {
  id: string;
  title: string;
  rule: string;
  requirements: readonly string[];
  section?: string;
  steps: () => readonly Step[];
  expected: readonly ExpectedMessage[];
  wish?: DeflateWish;
}

export function shapeCase({
  id,
  title,
  rule,
  requirements,
  section,
  steps,
  expected,
  wish,
}: Shape): ConformanceCase {
  const facts: RuleFacts = {
    id: `deflate.${id}`,
    title,
    rule,
    section: section ?? 'RFC 7692 §7.2.2',
    requirements: ['RFC7692-7.2.2-1', ...requirements],
    expectation: EXPECTATION,
  };
  return inflatedCase(facts, steps, expected, wish);
}

export const BLOCKS = 'A message may be made of any number of DEFLATE blocks, of any type.';
export const BLOCK_IDS = ['RFC7692-7.2.1-2', 'RFC7692-7.2.1-3'];
export const FRAMES =
  'The payloads of the frames are joined before they are inflated; where they were cut means nothing.';
export const FRAME_IDS = ['RFC7692-6.2-1', 'RFC7692-6.1-1', 'RFC6455-5.4-8'];
export const WINDOW =
  'Unless it was agreed otherwise, the window reaches back into earlier compressed messages.';
export const WINDOW_IDS = ['RFC7692-7.2.2-3', 'RFC7692-7.2.2-5', 'RFC7692-7.2.1-9', 'RFC7692-7.2.1-11'];
/** Text whose letters are so uneven that a compressor makes a code of its own for them. */
export const PROSE = words(3000);
export const dynamicBlock = (): Uint8Array =>
  deflateRawSync(PROSE, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
/** With the four bytes that end a message, so that more can follow. */
export const unended = (message: Uint8Array): Uint8Array => Buffer.concat([message, FLUSH.subarray(1)]);

/** As many random bytes as the largest window holds. */
export const NOISE_32K = Buffer.from(noise(32_768));
