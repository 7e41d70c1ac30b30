// Bytes without a visible pattern, the same each time: what does not compress, and what compresses only over a distance.

/** Data in which every distance up to the largest is worth a match: motifs of 64 bytes, in an order without a pattern. */
export function scatteredRepeats(length: number): Uint8Array {
  const next = randomNumbers(7692);
  const motifs = Array.from({ length: 512 }, () => Uint8Array.from({ length: 64 }, () => next() & 0xff));
  const parts = Array.from({ length: Math.ceil(length / 64) }, () => motifs[next() % motifs.length]!);
  return Buffer.concat(parts).subarray(0, length);
}

/** Bytes that cannot be compressed, the same each time. */
export function noise(length: number, seed = 1): Uint8Array {
  const next = randomNumbers(seed);
  return Uint8Array.from({ length }, () => next() & 0xff);
}

const WORDS =
  'the of and to in is that for it as was with be by on not he his but at are this have from or'.split(' ');

/** Words in an order without a pattern: text in which some letters are far more frequent than others. */
export function words(length: number, seed = 1): Uint8Array {
  const next = randomNumbers(seed);
  let text = '';
  while (text.length < length) text += `${WORDS[next() % WORDS.length]} `;
  return Buffer.from(text.slice(0, length));
}

/** Numbers of 16 bits without a visible pattern: a linear congruential generator, of which the upper half is used. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 16;
  };
}
