// Whatever one end sends arrives at the other: through any portions, coalesced or not, compressed or not.
import fc from 'fast-check';
import { expect } from 'vitest';
import { createDeflater, createInflater } from '../../src/io/zlib.js';
import { peerOf } from '../../src/protocol/role.js';
import {
  eventsOfTraffic,
  framesOfTraffic,
  type Message,
  portioning,
  portionsOf,
  sendTraffic,
  traffic,
} from '../support/arbitraries.js';
import { AGREED, both, Endpoint, feed, fromPeer } from '../support/engine.js';

const RUNS = { numRuns: 60 };

both('[RFC6455-6.2-1] [RFC6455-5.4-5]', 'gets any traffic in any portions -> exactly its events', (role) => {
  fc.assert(
    fc.property(traffic, portioning, (messages, how) => {
      const one = new Endpoint(peerOf(role));
      sendTraffic(one, messages, false);
      const other = feed(role, portionsOf(one.takeOutput(), how), { maxPendingAutoPongs: 0 });
      expect(other.events).toEqual(eventsOfTraffic(messages));
    }),
    RUNS,
  );
});

both(
  '[RFC6455-6.2-1]',
  'gets any traffic of a peer made by hand, in any portions -> exactly its events',
  (role) => {
    fc.assert(
      fc.property(traffic, portioning, (messages, how) => {
        const bytes = fromPeer(role, ...framesOfTraffic(messages));
        expect(feed(role, portionsOf(bytes, how)).events).toEqual(eventsOfTraffic(messages));
      }),
      RUNS,
    );
  },
);

both('[RFC6455-5.4-1]', 'writes coalesced or frame by frame -> the same bytes', (role) => {
  fc.assert(
    fc.property(traffic, (messages) => {
      const [together, apart] = [new Endpoint(role), new Endpoint(role)];
      sendTraffic(together, messages, false);
      const pieces: Buffer[] = [];
      sendTraffic(apart, messages, false, () => pieces.push(apart.takeOutput()));
      expect(Buffer.compare(together.takeOutput(), Buffer.concat(pieces))).toBe(0);
    }),
    RUNS,
  );
});

both(
  '[RFC6455-5.2-6]',
  'sends any traffic -> its frames are those made by hand with the same keys',
  (role) => {
    fc.assert(
      fc.property(traffic, (messages) => {
        const endpoint = new Endpoint(role);
        sendTraffic(endpoint, messages, false);
        const keys = endpoint.keys.map((key) => {
          const bytes = Buffer.alloc(4);
          bytes.writeInt32LE(key);
          return bytes;
        });
        const frames = framesOfTraffic(messages).map((frame, i) =>
          fromPeer('client', role === 'client' ? { ...frame, maskingKey: keys[i]! } : frame),
        );
        expect(Buffer.compare(endpoint.takeOutput(), Buffer.concat(frames))).toBe(0);
      }),
      RUNS,
    );
  },
);

both('[RFC7692-6.2-1]', 'compression on or off, contexts kept or not -> the same events', async (role) => {
  const takeovers = fc.constantFrom(AGREED, {
    ...{ serverNoContextTakeover: true, clientNoContextTakeover: true },
    ...{ serverMaxWindowBits: 10, clientMaxWindowBits: 10 },
  });
  const arrive = async (messages: Message[], agreed: typeof AGREED, how: 'whole' | 'bytewise' | number[]) => {
    const sender = peerOf(role);
    const one = new Endpoint(sender, { deflater: createDeflater(agreed, sender) });
    const other = new Endpoint(role, { inflater: createInflater(agreed, role), maxPendingAutoPongs: 0 });
    sendTraffic(one, messages, true);
    const expected = eventsOfTraffic(messages);
    while (one.connection.sender.queuedBytes > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const portion of portionsOf(one.takeOutput(), how)) other.receive(portion);
    while (!other.connection.receiver.isIdle) await new Promise((resolve) => setImmediate(resolve));
    expect(other.events).toEqual(expected);
  };
  await fc.assert(fc.asyncProperty(traffic, takeovers, portioning, arrive), { numRuns: 40 });
});
