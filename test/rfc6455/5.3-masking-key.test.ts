// RFC 6455 §5.3: the masking key, and what is done with it.
import { expect, it } from 'vitest';
import { platform } from '../../src/io/platform.js';
import { Endpoint, eventsOf, feed, fromPeer, KEY } from '../support/engine.js';
import { serializeFrame } from '../support/frames.js';

it('[RFC6455-5.3-2] client, sends 1000 frames of all kinds -> a key for each, in the order it was drawn', () => {
  const client = new Endpoint('client');
  for (let i = 0; i < 250; i++) {
    client.send('a', { isFinal: false });
    client.connection.ping('b');
    client.send('');
    client.send(Buffer.alloc(10_000));
  }
  const frames = client.takeFrames();
  expect(frames).toHaveLength(1000);
  expect(frames.map(({ maskingKey }) => maskingKey!.readInt32LE())).toEqual(client.keys);
  expect(new Set(client.keys).size).toBe(1000);
});

it('[RFC6455-5.3-3] [RFC6455-5.3-4] client, 100,000 keys of the platform -> as many different ones as chance gives, every bit in half of them', () => {
  const keys = Array.from({ length: 100_000 }, platform.randomMaskingKey);
  // Of 100,000 draws out of 2^32 about one repeats.
  expect(new Set(keys).size).toBeGreaterThan(99_950);
  const differences = new Set(keys.slice(1).map((key, i) => (key - keys[i]!) | 0));
  expect(differences.size).toBeGreaterThan(99_900);
  for (let bit = 0; bit < 32; bit++) {
    const count = keys.filter((key) => (key >>> bit) & 1).length;
    expect(Math.abs(count - 50_000)).toBeLessThan(1500); // 9 standard deviations
  }
});

it('[RFC6455-5.3-5] server, receives payloads of 0-1100 bytes -> unmasked octet by octet', () => {
  for (let length = 0; length <= 1100; length++) {
    const payload = Buffer.from(Array.from({ length }, (_, i) => (i * 11) & 0xff));
    const { events } = feed('server', [fromPeer('server', { opcode: 2, payload })]);
    expect(events).toEqual([['binary', payload.toString('hex')]]);
  }
});

it('[RFC6455-5.3-5] server, receives masked frames cut anywhere -> the same payload', () => {
  const bytes = fromPeer('server', { opcode: 1, payload: 'Hello, octets' }, { opcode: 9, payload: 'ping' });
  expect(eventsOf('server', bytes)).toEqual([
    ['text', 'Hello, octets'],
    ['ping', '70696e67'],
  ]);
});

it('[RFC6455-5.3-5] client, sends Hello with the key of §5.7 -> the bytes of §5.7', () => {
  const client = new Endpoint('client', { maskingKey: () => KEY.readInt32LE() });
  client.send('Hello');
  expect(client.takeOutput().toString('hex')).toBe('818537fa213d7f9f4d5158');
});

it('[RFC6455-5.3-6] client, sends 5 bytes -> the length says 5, the key is not counted', () => {
  const client = new Endpoint('client');
  client.send('Hello');
  const bytes = client.takeOutput();
  expect([bytes[1], bytes.length]).toEqual([0x85, 2 + 4 + 5]);
  expect(serializeFrame({ opcode: 1, payload: 'Hello', maskingKey: KEY })).toHaveLength(bytes.length);
});
