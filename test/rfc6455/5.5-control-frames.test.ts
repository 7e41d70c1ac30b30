// RFC 6455 §5.5: control frames carry at most 125 bytes.
import { expect } from 'vitest';
import { both, eventsOf, expectFailure, fromPeer } from '../support/engine.js';
import { closePayload } from '../support/frames.js';

const NAMES = { 8: 'Close', 9: 'Ping', 10: 'Pong' } as const;

for (const opcode of [8, 9, 10] as const) {
  const payloadOf = (length: number) =>
    opcode === 8 ? closePayload(1000, 'r'.repeat(length - 2)) : Buffer.alloc(length, 'p');

  both('[RFC6455-5.5-1]', `receives a ${NAMES[opcode]} of 125 bytes -> takes it`, (role) => {
    const [event] = eventsOf(role, fromPeer(role, { opcode, payload: payloadOf(125) }));
    expect(event).toEqual(
      opcode === 8 ? ['close', 1000, 'r'.repeat(123)] : [NAMES[opcode].toLowerCase(), '70'.repeat(125)],
    );
  });

  for (const length of [126, 127, 65535, 65536]) {
    both('[RFC6455-5.5-1]', `receives a ${NAMES[opcode]} of ${length} bytes -> fails with 1002`, (role) => {
      const bytes = fromPeer(role, { opcode, payload: payloadOf(length) }).subarray(0, 40);
      expectFailure(role, bytes, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002);
    });
  }

  for (const lengthForm of [16, 64] as const) {
    both(
      '[RFC6455-5.5-1]',
      `receives a ${NAMES[opcode]} of 5 bytes in the ${lengthForm}-bit form -> fails with 1002`,
      (role) => {
        const bytes = fromPeer(role, { opcode, payload: payloadOf(5), lengthForm });
        expectFailure(role, bytes, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002);
      },
    );
  }

  both(
    '[RFC6455-5.5-1] [RFC6455-5.4-4]',
    `receives a ${NAMES[opcode]} of 126 bytes, header only -> fails before the payload`,
    (role) => {
      const bytes = fromPeer(role, { opcode, payload: payloadOf(126) }).subarray(
        0,
        4 + (role === 'server' ? 4 : 0),
      );
      expectFailure(role, bytes, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002);
    },
  );
}
