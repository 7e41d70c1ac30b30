// RFC 6455 §7.4: which status codes are sent, and which are taken.
import { expect, it } from 'vitest';
import { FAILURES } from '../../src/wire/errors.js';
import { checkCloseCode } from '../../src/ws/payload.js';
import { both, Endpoint, expectFailure, feed, fromPeer } from '../support/engine.js';
import { closePayload } from '../support/frames.js';

both('[RFC6455-7.4-1]', 'closes without a code -> an empty Close frame', (role) => {
  const endpoint = new Endpoint(role);
  endpoint.connection.close();
  expect(endpoint.takeFrames()).toMatchObject([{ opcode: 8, payload: Buffer.alloc(0) }]);
});

both(
  '[RFC6455-7.4.1-1] [RFC6455-7.4.1-2] [RFC6455-7.4.2-1]',
  'receives each code that may travel -> takes it',
  (role) => {
    for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
      const { events } = feed(role, [fromPeer(role, { opcode: 8, payload: closePayload(code) })]);
      expect(events).toEqual([['close', code, '']]);
    }
  },
);

for (const [id, code] of [
  ['[RFC6455-7.4.1-3]', 1005],
  ['[RFC6455-7.4.1-4]', 1006],
  ['[RFC6455-7.4.1-7]', 1015],
  ['[RFC6455-7.4.2-1]', 0],
  ['[RFC6455-7.4.2-1]', 999],
  ['[RFC6455-7.4.2-1]', 2999],
  ['[RFC6455-7.4.2-1]', 5000],
] as const) {
  both(id, `receives ${code} -> fails with 1002`, (role) => {
    const bytes = fromPeer(role, { opcode: 8, payload: closePayload(code) });
    expectFailure(role, bytes, 'WS_ERR_INVALID_CLOSE_CODE', 1002);
  });

  it(`${id} both roles, the application closes with ${code} -> TypeError`, () => {
    expect(() => checkCloseCode(code)).toThrow(TypeError);
  });
}

it('[RFC6455-7.4.1-6] server, whatever rule the peer breaks -> 1010 is not among the codes', () => {
  const codes = new Set(Object.values(FAILURES).map(({ closeCode }) => closeCode));
  expect([...codes].sort()).toEqual([1002, 1007, 1008, 1009]);
});
