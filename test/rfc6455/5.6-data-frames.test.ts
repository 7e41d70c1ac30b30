// RFC 6455 §5.6: text is UTF-8 as a whole message, binary is anything.
import { expect } from 'vitest';
import { both, eventsOf, feed, fromPeer } from '../support/engine.js';

both('[RFC6455-5.6-1]', 'receives a character in two frames, cut at each byte -> a whole text', (role) => {
  for (const text of ['é', '€', '😀', `${'x'.repeat(40)}😀${'y'.repeat(40)}`]) {
    const bytes = Buffer.from(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const frames = fromPeer(
        role,
        { opcode: 1, fin: false, payload: bytes.subarray(0, cut) },
        { opcode: 9 },
        { opcode: 0, payload: bytes.subarray(cut) },
      );
      const { events } = feed(role, [frames]);
      expect(events).toEqual([
        ['ping', ''],
        ['text', text],
      ]);
    }
  }
});

both('[RFC6455-5.6-1]', 'receives binary that is not UTF-8 -> takes it as it is', (role) => {
  const bytes = fromPeer(role, { opcode: 2, payload: Buffer.from([0xff, 0xc0, 0xed, 0xa0]) });
  expect(eventsOf(role, bytes)).toEqual([['binary', 'ffc0eda0']]);
});

both(
  '[RFC6455-5.6-1]',
  'receives text with every kind of character, NUL and a byte order mark included -> unchanged',
  (role) => {
    const text = '\ufeff\0\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}';
    expect(eventsOf(role, fromPeer(role, { opcode: 1, payload: text }))).toEqual([['text', text]]);
  },
);
