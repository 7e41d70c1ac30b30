// What send(), ping() and pong() make of values that are neither strings nor Buffers.
import { expect, it } from 'vitest';
import { cast, ROLES } from '../support/cast.js';
import { thrownBy } from '../support/events.js';
import { behaviour, differs } from './implementations.js';

const TEXT = 1;
const BINARY = 2;
const bytes = [0x68, 0x69];
const date = new Date(0);

/** name, value, opcode of send(), payload */
const ACCEPTED: [string, unknown, number, string | number[]][] = [
  ['undefined', undefined, BINARY, ''],
  ['null', null, BINARY, ''],
  ['false', false, BINARY, ''],
  ['an empty string', '', TEXT, ''],
  ['an empty Buffer', Buffer.alloc(0), BINARY, ''],
  ['42', 42, TEXT, '42'],
  ['0', 0, TEXT, '0'],
  ['-0', -0, TEXT, '0'],
  ['NaN', Number.NaN, TEXT, 'NaN'],
  ['-1.5', -1.5, TEXT, '-1.5'],
  ['a string that is not ASCII', 'hällo €', TEXT, 'hällo €'],
  ['a lone surrogate', 'a\ud800b', TEXT, [0x61, 0xef, 0xbf, 0xbd, 0x62]],
  ['a Uint8Array', new Uint8Array(bytes), BINARY, 'hi'],
  ['a Uint8Array with an offset', new Uint8Array([0, ...bytes, 0]).subarray(1, 3), BINARY, 'hi'],
  ['a Uint16Array', new Uint16Array([0x6968]), BINARY, 'hi'],
  ['a Float32Array', new Float32Array([1]), BINARY, [0, 0, 0x80, 0x3f]],
  ['a DataView', new DataView(new Uint8Array([0, ...bytes, 0]).buffer, 1, 2), BINARY, 'hi'],
  ['an ArrayBuffer', new Uint8Array(bytes).buffer, BINARY, 'hi'],
  ['a SharedArrayBuffer', shared(bytes), BINARY, 'hi'],
  ['an array', [1, 2, 300, -1], BINARY, [1, 2, 44, 255]],
  ['an empty array', [], BINARY, ''],
  ['an array-like object', { length: 2, 0: 0x68, 1: 0x69 }, BINARY, 'hi'],
  ['an object with a string as valueOf()', { valueOf: () => 'hi' }, BINARY, 'hi'],
  ['an object with Symbol.toPrimitive', { [Symbol.toPrimitive]: () => 'hi' }, BINARY, 'hi'],
  ['a String object', new String('hi'), BINARY, 'hi'],
  ['a Date', date, BINARY, date.toString()],
  ['a Blob', new Blob(['hi']), BINARY, 'hi'],
];

const REFUSED: [string, unknown][] = [
  ['true', true],
  ['an object', {}],
  ['a bigint', 10n],
  ['a symbol', Symbol('x')],
  ['a Map', new Map()],
];

behaviour('coercions of data', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { against } = cast(WebSocket);

  it('client, send of a SharedArrayBuffer -> the memory of the caller', async () => {
    const { socket, peer } = await against('client');
    const memory = shared(bytes);
    socket.send(memory);
    const { maskingKey } = await peer.nextFrame();
    const masked = bytes.map((byte, index) => byte ^ maskingKey![index]!);
    expect([...new Uint8Array(memory)]).toEqual(
      differs(implementation, 'shared-memory', { ws: masked, hawser: bytes }),
    );
  });

  for (const role of ROLES) {
    it.each(ACCEPTED)(`${role}, send of %s -> opcode and payload`, async (_name, value, opcode, payload) => {
      const { socket, peer } = await against(role);
      socket.send(unused(value));
      const frame = await peer.nextFrame();
      expect([frame.opcode, [...frame.payload]]).toEqual([opcode, [...Buffer.from(payload as string)]]);
    });

    it(`${role}, send of anything else -> TypeError, and the connection goes on`, async () => {
      const { socket, peer } = await against(role);
      for (const [name, value] of [...REFUSED, ['a function', () => {}] as const]) {
        const error = thrownBy(() => socket.send(value));
        expect(error, name).toBeInstanceOf(TypeError);
        expect(error.code, name).toBe('ERR_INVALID_ARG_TYPE');
      }
      socket.send('after');
      const frame = await peer.nextFrame();
      expect(String(frame.payload)).toBe('after');
    });

    for (const [method, opcode] of [
      ['ping', 9],
      ['pong', 10],
    ] as const) {
      it.each(ACCEPTED)(
        `${role}, ${method} of %s -> the same payload`,
        async (_name, value, _opcode, payload) => {
          const { socket, peer } = await against(role);
          socket[method](unused(value));
          const frame = await peer.nextFrame();
          expect([frame.opcode, [...frame.payload]]).toEqual([opcode, [...Buffer.from(payload as string)]]);
        },
      );

      it(`${role}, ${method} of anything else -> TypeError, and the connection goes on`, async () => {
        const { socket, peer } = await against(role);
        for (const [name, value] of REFUSED) {
          const error = thrownBy(() => socket[method](value));
          expect(error, name).toBeInstanceOf(TypeError);
          expect(error.code, name).toBe('ERR_INVALID_ARG_TYPE');
        }
        socket[method]('after');
        const frame = await peer.nextFrame();
        expect(String(frame.payload)).toBe('after');
      });
    }
  }
});

/** A value that no other test has had masked. */
function unused(value: unknown): unknown {
  return value instanceof SharedArrayBuffer ? shared(bytes) : value;
}

function shared(content: number[]): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(content.length);
  new Uint8Array(buffer).set(content);
  return buffer;
}
