// Autobahn 12 and 13: a thousand compressed messages each, with different contents (12) and with different parameters of
// the extension (13), from 16 bytes to 128 KiB (RFC 7692). UNIMPLEMENTED where the peers do not agree on the extension.

import type { ConformanceCase } from '../case.js';
import { type CorpusName, slidingWindow } from '../corpus.js';
import { DEFLATE_DEMANDS, type DeflateDemand } from '../deflate-negotiation.js';
import { deflateProfile } from '../deflate-session.js';
import { compressedEchoes } from '../echo.js';
import { autobahnFacts, type Topic } from './autobahn-case.js';

const ECHOES: Topic = {
  rule: 'A compressed message has RSV1 on its first frame and is raw DEFLATE without its last four bytes.',
  section: 'RFC 7692 §7.2',
  requirements: ['RFC7692-6.1-1', 'RFC7692-6.2-1', 'RFC7692-7.2.1-1', 'RFC7692-7.2.2-1'],
  expectation: 'Each message comes back unchanged before the next one is sent, compressed or not.',
};

const NO_CONTEXT: Topic = {
  ...ECHOES,
  rule: 'An end that agreed to keep no context compresses each message on its own.',
  section: 'RFC 7692 §7.1.1',
  requirements: [...ECHOES.requirements, 'RFC7692-7.1.1.1-2', 'RFC7692-7.1.1.2-3'],
};

const WINDOW: Topic = {
  ...ECHOES,
  rule: 'An end that agreed to a window refers back no farther than that.',
  section: 'RFC 7692 §7.1.2',
  requirements: [...ECHOES.requirements, 'RFC7692-7.1.2.1-3', 'RFC7692-7.1.2.2-4'],
};

const NO_CONTEXT_AND_WINDOW: Topic = {
  ...WINDOW,
  rule: 'An end may agree to keep no context and to a window, both at once.',
  section: 'RFC 7692 §7.1',
  requirements: [...new Set([...NO_CONTEXT.requirements, ...WINDOW.requirements])],
};

const FALLBACKS: Topic = {
  ...ECHOES,
  rule: 'The extension may be offered several times, the most wanted parameters first.',
  section: 'RFC 7692 §5',
  requirements: [...ECHOES.requirements, 'RFC7692-5-2', 'RFC7692-5-3'],
};

const MESSAGES = 1000;
/** Code points or bytes of a message, and the bytes of a fragment; 0 leaves the message in one frame. */
const SIZES: readonly (readonly [size: number, fragmentBytes: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map((size) => [size, 0] as const),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((size) => [size, 256] as const),
  ...[1024, 4096, 32_768].map((fragmentBytes) => [131_072, fragmentBytes] as const),
];

function limitSeconds(size: number): number {
  if (size <= 64) return 60;
  return size === 256 ? 120 : size === 1024 ? 240 : 480;
}

function* messages(data: CorpusName, size: number): Generator<Uint8Array> {
  const window = slidingWindow(data, size);
  for (let n = 0; n < MESSAGES; n++) yield window.next();
}

/** What the messages of 12 are cut of, by section. */
const CONTENTS: readonly (readonly [section: string, data: CorpusName, type: 'text' | 'binary'])[] = [
  ['12.1', 'data1.json', 'text'],
  ['12.2', 'lena512.bmp', 'binary'],
  ['12.3', 'pg2229.txt', 'binary'],
  ['12.4', 'data1.html', 'text'],
  ['12.5', '10.1.1.105.5439.pdf', 'binary'],
];

/** What the tester demands in 13, by section. */
const PARAMETERS = [
  ['13.1', 'no demands', ECHOES],
  ['13.2', 'the peer keeps no context', NO_CONTEXT],
  ['13.3', 'the peer has a window of 9 bits', WINDOW],
  ['13.4', 'the peer has a window of 15 bits', WINDOW],
  ['13.5', 'the peer keeps no context and has a window of 9 bits', NO_CONTEXT_AND_WINDOW],
  ['13.6', 'the peer keeps no context and has a window of 15 bits', NO_CONTEXT_AND_WINDOW],
  ['13.7', 'as 13.5, or else as 13.2, or else no demands', FALLBACKS],
] as const;

/** The eighteen cases of a section. */
function compressed(
  section: string,
  [what, topic]: readonly [string, Topic],
  demands: readonly DeflateDemand[],
  data: CorpusName,
  type: 'text' | 'binary',
): ConformanceCase[] {
  const profile = deflateProfile(demands);
  const unit = type === 'text' ? 'code points' : 'bytes';
  return SIZES.map(([size, fragmentBytes], index) => {
    const cut = fragmentBytes === 0 ? '' : `, in fragments of ${fragmentBytes}`;
    const title = `sends ${MESSAGES} compressed messages of ${size} ${unit}${cut}; ${what}`;
    return compressedEchoes(
      { ...autobahnFacts(`${section}.${index + 1}`, title, topic), limitMs: limitSeconds(size) * 1000 },
      { profile, name: `${data} ${size}`, type, contents: () => messages(data, size), fragmentBytes },
    );
  });
}

export const AUTOBAHN_COMPRESSION: readonly ConformanceCase[] = [
  ...CONTENTS.flatMap(([section, data, type]) =>
    compressed(section, [`contents of ${data}`, ECHOES], DEFLATE_DEMANDS['12'], data, type),
  ),
  ...PARAMETERS.flatMap(([section, what, topic]) =>
    compressed(section, [what, topic], DEFLATE_DEMANDS[section], 'data1.json', 'text'),
  ),
];
