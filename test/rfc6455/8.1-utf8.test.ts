// RFC 6455 §8.1: text that is not UTF-8 fails the connection, as soon as that is certain.
import { describe, expect } from 'vitest';
import { both, Endpoint, expectFailure, feed, fromPeer } from '../support/engine.js';

const INVALID: [string, number[]][] = [
  ['a lone continuation byte', [0x80]],
  ['an overlong form of two bytes', [0xc0, 0xaf]],
  ['an overlong form of three', [0xe0, 0x80, 0xaf]],
  ['an overlong form of four', [0xf0, 0x80, 0x80, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['a pair of surrogates', [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
  ['a value above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['the byte FE', [0xfe]],
  ['the byte FF', [0xff]],
  ['a sequence that breaks off', [0xe2, 0x82, 0x41]],
  ['a sequence unfinished at the end', [0xf0, 0x9f, 0x98]],
];

describe('invalid text', () => {
  for (const [name, sequence] of INVALID) {
    const payload = Buffer.concat([Buffer.from('text κόσμε '), Uint8Array.from(sequence)]);

    both('[RFC6455-8.1-1]', `receives ${name} in one frame -> fails with 1007`, (role) => {
      expectFailure(role, fromPeer(role, { opcode: 1, payload }), 'WS_ERR_INVALID_UTF8', 1007);
    });

    both('[RFC6455-8.1-1] [RFC6455-5.6-1]', `receives ${name} in fragments -> fails with 1007`, (role) => {
      for (let cut = payload.length - sequence.length; cut <= payload.length; cut++) {
        const frames = fromPeer(
          role,
          { opcode: 1, fin: false, payload: payload.subarray(0, cut) },
          { opcode: 0, payload: payload.subarray(cut) },
        );
        expectFailure(role, frames, 'WS_ERR_INVALID_UTF8', 1007);
      }
    });
  }
});

describe('how soon', () => {
  both(
    '[RFC6455-8.1-1]',
    'receives a bad byte in a frame that is not complete -> fails at that byte',
    (role) => {
      const bytes = fromPeer(role, {
        opcode: 1,
        payload: Buffer.concat([Buffer.from('aé'), Buffer.alloc(200, 0xff)]),
      });
      const headerLength = bytes.length - 203;
      const endpoint = feed(role, [bytes.subarray(0, headerLength + 3)]);
      expect(endpoint.events).toEqual([]);
      endpoint.receive(bytes.subarray(headerLength + 3, headerLength + 4));
      expect(endpoint.events).toEqual([['fail', 'WS_ERR_INVALID_UTF8']]);
    },
  );

  both('[RFC6455-8.1-1]', 'receives a bad fragment that is not the last -> fails before the last', (role) => {
    const frame = { opcode: 1, fin: false, payload: Buffer.from([0xed, 0xa0]) };
    expect(feed(role, [fromPeer(role, frame)]).events).toEqual([['fail', 'WS_ERR_INVALID_UTF8']]);
  });

  both(
    '[RFC6455-8.1-1]',
    'a bad text after good ones, split over reads -> the good ones are delivered',
    (role) => {
      const endpoint = new Endpoint(role);
      const bytes = fromPeer(
        role,
        { opcode: 1, payload: '€' },
        { opcode: 1, payload: Buffer.from([0xe2, 0x82]) },
      );
      for (const byte of bytes) endpoint.receive(Uint8Array.of(byte));
      expect(endpoint.events).toEqual([
        ['text', '€'],
        ['fail', 'WS_ERR_INVALID_UTF8'],
      ]);
    },
  );
});
