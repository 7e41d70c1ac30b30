// Arbitrary traffic for fast-check: messages in fragments with control frames between them, and portions of bytes.
import fc from 'fast-check';
import { serializeClosePayload } from '../../src/wire/close-payload.js';
import type { Endpoint, EngineEvent } from './engine.js';
import type { FrameFields } from './frames.js';

export interface ControlFrame {
  opcode: 9 | 10;
  payload: Uint8Array;
}

export interface Message {
  isBinary: boolean;
  fragments: Uint8Array[];
  /** Sent behind the fragment of the same index. */
  controls: (ControlFrame | undefined)[];
}

const control: fc.Arbitrary<ControlFrame> = fc.record({
  opcode: fc.constantFrom(9 as const, 10 as const),
  payload: fc.uint8Array({ maxLength: 125 }),
});

/** Sizes around each form of the length, and around the size that is copied. */
const size = fc.oneof(
  { weight: 10, arbitrary: fc.nat({ max: 140 }) },
  { weight: 2, arbitrary: fc.nat({ max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(16_383, 16_384, 16_385, 65535, 65536, 65537) },
);

const binary = fc
  .tuple(size, fc.nat({ max: 255 }))
  .map(([length, seed]) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff));
const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((value) => new TextEncoder().encode(value));

/** Cuts at sorted places; text is cut within characters too. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

export const message: fc.Arbitrary<Message> = fc
  .tuple(
    fc.boolean().chain((isBinary) => fc.tuple(fc.constant(isBinary), isBinary ? binary : text)),
    fc.array(fc.nat(), { maxLength: 3 }),
    fc.array(fc.option(control, { nil: undefined }), { maxLength: 4 }),
  )
  .map(([[isBinary, bytes], places, controls]) => ({ isBinary, fragments: cut(bytes, places), controls }));

export const traffic: fc.Arbitrary<Message[]> = fc.array(message, { maxLength: 6 });

/** What a receiver has to report. */
export function eventsOfTraffic(messages: readonly Message[]): EngineEvent[] {
  const events: EngineEvent[] = [];
  for (const { isBinary, fragments, controls } of messages) {
    const last = fragments.length - 1;
    fragments.forEach((_, i) => {
      if (i === last) {
        const whole = Buffer.concat(fragments);
        events.push(isBinary ? ['binary', whole.toString('hex')] : ['text', whole.toString()]);
      }
      const behind = controls[i];
      if (behind)
        events.push([behind.opcode === 9 ? 'ping' : 'pong', Buffer.from(behind.payload).toString('hex')]);
    });
  }
  return events;
}

/** The frames of it, for a peer made by hand. */
export function framesOfTraffic(messages: readonly Message[]): FrameFields[] {
  return messages.flatMap(({ isBinary, fragments, controls }) =>
    fragments.flatMap((payload, i) => {
      const opcode = i > 0 ? 0 : isBinary ? 2 : 1;
      const behind = controls[i];
      return [{ opcode, payload, fin: i === fragments.length - 1 }, ...(behind ? [behind] : [])];
    }),
  );
}

/** Sends it from an endpoint; `flush` is called after each frame. */
export function sendTraffic(
  endpoint: Endpoint,
  messages: readonly Message[],
  compress: boolean,
  flush = () => {},
): void {
  const { sender } = endpoint.connection;
  for (const { isBinary, fragments, controls } of messages) {
    fragments.forEach((payload, i) => {
      sender.sendMessage(payload, { isBinary, isFinal: i === fragments.length - 1, compress });
      flush();
      const behind = controls[i];
      if (behind) sender.sendControl(behind.opcode, behind.payload);
      flush();
    });
  }
}

/** Ways to cut bytes: whole, byte by byte, or in portions of the given sizes, again and again. */
export const portioning: fc.Arbitrary<'whole' | 'bytewise' | number[]> = fc.oneof(
  fc.constant('whole' as const),
  fc.constant('bytewise' as const),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5000 })), {
    minLength: 1,
    maxLength: 12,
  }),
);

export function portionsOf(bytes: Uint8Array, how: 'whole' | 'bytewise' | number[]): Uint8Array[] {
  if (how === 'whole') return [bytes];
  const sizes = how === 'bytewise' ? [1] : how;
  const portions: Uint8Array[] = [];
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = Math.min(bytes.length, start + sizes[i % sizes.length]!);
    portions.push(bytes.subarray(start, end));
    start = end;
  }
  return portions;
}

/** Frames of a peer that keeps no rule, serialized by hand; `valid` gives the start of one that does. */
export const hostileFrame: fc.Arbitrary<FrameFields> = fc.record(
  {
    opcode: fc.oneof(fc.constantFrom(0, 1, 2, 8, 9, 10), fc.nat({ max: 15 })),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 140 }),
      text,
      fc.constantFrom(1000, 1005, 4999).map((code) => serializeClosePayload(code)),
    ),
    fin: fc.boolean(),
    rsv1: fc.boolean(),
    rsv2: fc.constantFrom(false, false, false, true),
    rsv3: fc.constantFrom(false, false, false, true),
    maskingKey: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    lengthForm: fc.constantFrom(16 as const, 64 as const),
  },
  { requiredKeys: ['opcode', 'payload'] },
);
