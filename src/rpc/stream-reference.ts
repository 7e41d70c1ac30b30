// Streams inside of params and results: where a value is an AsyncIterable, `{"stream": n}` stands for it on the wire. A plain
// value that looks like one is wrapped, so that what comes is always what was sent.

/** What stands for a stream. */
interface Reference {
  stream: number;
}

/** A value as it travels. @param announce begins a stream, and returns its number */
export function encodeValue(value: unknown, announce: (items: AsyncIterable<unknown>) => number): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isAsyncIterable(value)) return { stream: announce(value) };
  return isLookalike(value) ? { stream: null, value } : value;
}

/** Params as they travel: streams may be their direct members, or elements. */
export function encodeParams(params: unknown, announce: (items: AsyncIterable<unknown>) => number): unknown {
  return mapMembers(params, (value) => encodeValue(value, announce));
}

/** A value as it was meant. @param accept makes a stream of its number */
export function decodeValue(value: unknown, accept: (stream: number) => unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'stream')) return value;
  if (isReference(value)) return accept(value.stream);
  return isWrapper(value) ? value.value : value;
}

/** Params as they were meant. */
export function decodeParams(params: unknown, accept: (stream: number) => unknown): unknown {
  return mapMembers(params, (value) => decodeValue(value, accept));
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function'
  );
}

/** Nobody will read it. */
export function discard(items: AsyncIterable<unknown>): void {
  try {
    items[Symbol.asyncIterator]()
      .return?.()
      .then(undefined, () => {});
  } catch {
    // What it throws is nobody's.
  }
}

/** The same object when nothing changes, which is nearly always. */
function mapMembers(params: unknown, map: (value: unknown) => unknown): unknown {
  if (typeof params !== 'object' || params === null) return params;
  let changed: Record<string, unknown> | undefined;
  for (const key of Object.keys(params)) {
    const value = (params as Record<string, unknown>)[key];
    if (typeof value !== 'object' || value === null) continue;
    const mapped = map(value);
    if (mapped === value) continue;
    changed ??= (Array.isArray(params) ? [...params] : { ...params }) as Record<string, unknown>;
    changed[key] = mapped;
  }
  return changed ?? params;
}

function isReference(value: object): value is Reference {
  const { stream } = value as Partial<Reference>;
  return Number.isSafeInteger(stream) && stream! > 0 && Object.keys(value).length === 1;
}

function isWrapper(value: object): value is { stream: null; value: unknown } {
  const isOne = (value as { stream: unknown }).stream === null && Object.hasOwn(value, 'value');
  return isOne && Object.keys(value).length === 2;
}

/** Whether its JSON could be taken for something else at the other end. Members without a value are none in JSON. */
function isLookalike(value: object): boolean {
  if (!Object.hasOwn(value, 'stream')) return false;
  return Object.entries(value).every(
    ([name, member]) =>
      name === 'stream' || name === 'value' || ['undefined', 'function', 'symbol'].includes(typeof member),
  );
}
