// RFC 6455 §10.3: what an application can make a client send must not be under its control.
import { expect, it } from 'vitest';
import { platform } from '../../src/io/platform.js';
import { both, Endpoint, exchange } from '../support/engine.js';

it('[RFC6455-10.3-1] client, sends the same payload a thousand times -> never the same bytes', () => {
  const client = new Endpoint('client', { maskingKey: platform.randomMaskingKey });
  for (let i = 0; i < 1000; i++) client.send('GET / HTTP/1.1');
  const seen = new Set(client.takeFrames().map(({ bytes }) => bytes.toString('hex')));
  expect(seen.size).toBeGreaterThanOrEqual(998); // two equal keys of 2^32 among a thousand: one case in 8,600
});

for (const length of [1, 100, 16_384, 16_385, 100_000]) {
  it(`[RFC6455-10.3-2] client, the application changes ${length} bytes after send() -> the wire has what was sent`, () => {
    const client = new Endpoint('client');
    const payload = Buffer.alloc(length, 'sent');
    client.send(payload);
    payload.fill('X');
    const [frame] = client.takeFrames();
    expect(Buffer.compare(frame!.payload, Buffer.alloc(length, 'sent'))).toBe(0);
  });
}

both('[RFC6455-10.3-2]', 'sends bytes of the application -> they are not changed', (role) => {
  const one = new Endpoint(role);
  for (const length of [0, 1, 125, 126, 16_384, 16_385, 70_000]) {
    const payload = Buffer.alloc(length, 'mine');
    one.send(payload);
    exchange(one, new Endpoint(role === 'client' ? 'server' : 'client'));
    expect(Buffer.compare(payload, Buffer.alloc(length, 'mine'))).toBe(0);
  }
});
