// Whatever a peer sends: nothing is thrown, nothing is delivered behind a failure, and no more memory is held than the
// limits allow; in any portions.
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { createInflater } from '../../src/io/zlib.js';
import { LIMITS } from '../../src/protocol/limits.js';
import { framesOfTraffic, hostileFrame, portioning, portionsOf, traffic } from '../support/arbitraries.js';
import { AGREED, both, type Endpoint, type EndpointOptions, feed, fromPeer } from '../support/engine.js';

const MAX_PAYLOAD = 20_000;
const RUNS = { numRuns: 150 };

function check(endpoint: Endpoint, byteLength: number): void {
  const { events, usage } = endpoint;
  const last = events.findIndex(([name]) => name === 'fail' || name === 'close');
  if (last !== -1) {
    expect(events).toHaveLength(last + 1);
    expect(endpoint.connection).toMatchObject({ isOpen: false, receiver: { isEnded: true } });
  }
  // A buffer grows by doubling; what the endpoint sends itself goes into blocks.
  expect(usage.largest).toBeLessThanOrEqual(Math.max(2 * MAX_PAYLOAD, LIMITS.outputBlockBytes));
  expect(usage.bytes).toBeLessThanOrEqual(
    8 * byteLength + LIMITS.assemblyBytes * (1 + events.length) + 3 * LIMITS.outputBlockBytes,
  );
  for (const [name, payload] of events) {
    if (name === 'text' || name === 'binary')
      expect(String(payload).length).toBeLessThanOrEqual(2 * MAX_PAYLOAD);
  }
}

const options: EndpointOptions = { maxPayload: MAX_PAYLOAD };

function sameInAnyPortions(
  role: 'client' | 'server',
  bytes: Uint8Array,
  how: 'whole' | 'bytewise' | number[],
): void {
  const whole = feed(role, [bytes], options);
  const cut = feed(role, portionsOf(bytes, how), options);
  check(whole, bytes.length);
  check(cut, bytes.length);
  expect(cut.events).toEqual(whole.events);
  expect(cut.requests).toEqual(whole.requests);
  expect(Buffer.compare(cut.takeOutput(), whole.takeOutput())).toBe(0);
}

describe('[RFC6455-10.7-1] [RFC6455-7.1.7-7]', () => {
  both(
    '',
    'gets random bytes -> never throws, no event behind a failure, memory within the limits',
    (role) => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), portioning, (bytes, how) =>
          sameInAnyPortions(role, bytes, how),
        ),
        RUNS,
      );
    },
  );

  both(
    '',
    'gets frames that keep no rule -> never throws, no event behind a failure, memory within the limits',
    (role) => {
      fc.assert(
        fc.property(fc.array(hostileFrame, { maxLength: 10 }), portioning, (frames, how) => {
          sameInAnyPortions(role, fromPeer(role, ...frames), how);
        }),
        RUNS,
      );
    },
  );

  both(
    '',
    'gets valid traffic with some bytes changed -> never throws, no event behind a failure, memory within the limits',
    (role) => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(traffic, changes, portioning, (messages, flips, how) => {
          const bytes = fromPeer(role, ...framesOfTraffic(messages));
          for (const [place, value] of flips) if (bytes.length > 0) bytes[place % bytes.length] = value;
          sameInAnyPortions(role, bytes, how);
        }),
        RUNS,
      );
    },
  );

  both('', 'gets valid traffic that breaks off -> waits', (role) => {
    fc.assert(
      fc.property(traffic, fc.nat(), portioning, (messages, place, how) => {
        const bytes = fromPeer(role, ...framesOfTraffic(messages));
        sameInAnyPortions(role, bytes.subarray(0, place % (bytes.length + 1)), how);
      }),
      RUNS,
    );
  });

  both(
    '',
    'gets hostile compressed messages -> fails or delivers, never throws, within maxPayload',
    async (role) => {
      const frames = fc.array(
        hostileFrame.map((frame) => ({ ...frame, rsv1: true, rsv2: false, rsv3: false })),
        { minLength: 1, maxLength: 4 },
      );
      await fc.assert(
        fc.asyncProperty(frames, async (hostile) => {
          const endpoint = feed(role, [fromPeer(role, ...hostile)], {
            ...options,
            inflater: createInflater(AGREED, role),
          });
          for (let turns = 0; !endpoint.connection.receiver.isIdle; turns++) {
            expect(turns).toBeLessThan(10_000);
            await new Promise((resolve) => setImmediate(resolve));
          }
          check(endpoint, MAX_PAYLOAD);
        }),
        RUNS,
      );
    },
  );
});
