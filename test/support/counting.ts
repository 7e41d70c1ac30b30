// Counts how often a parser reads its input: a deterministic way to see that its time is linear.

/** Something that reads like `text` and counts the reads of characters, in the text and in its slices. */
export function countingText(text: string): { counted: string; reads: () => number } {
  let count = 0;
  const read = (value: string, at: number) => {
    count++;
    return value.charCodeAt(at);
  };
  const wrap = (value: string): string => {
    const methods: Record<string, unknown> = {
      length: value.length,
      charCodeAt: (at: number) => read(value, at),
      slice: (start?: number, end?: number) => wrap(value.slice(start, end)),
      toString: () => value,
    };
    return new Proxy(methods, {
      get: (target, property) =>
        typeof property === 'string' && /^\d+$/.test(property)
          ? String.fromCharCode(read(value, Number(property)))
          : Reflect.get(target, property),
    }) as unknown as string;
  };
  return { counted: wrap(text), reads: () => count };
}

/** The same for bytes. */
export function countingBytes(bytes: Uint8Array): { counted: Uint8Array; reads: () => number } {
  let count = 0;
  const counted = new Proxy(bytes, {
    get(target, property) {
      if (typeof property === 'string' && property !== 'length') count++;
      return Reflect.get(target, property, target);
    },
  });
  return { counted, reads: () => count };
}
