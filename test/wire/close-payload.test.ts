import { describe, expect, it } from 'vitest';
import { type ClosePayload, parseClosePayload, serializeClosePayload } from '../../src/wire/close-payload.js';
import type { ProtocolError } from '../../src/wire/errors.js';

const parse = (...bytes: number[]) => parseClosePayload(Uint8Array.from(bytes)) as ClosePayload;
const refuse = (...bytes: number[]) => parseClosePayload(Uint8Array.from(bytes)) as ProtocolError;

describe('parseClosePayload', () => {
  it('[RFC6455-7.1.5-1] both roles, an empty payload -> 1005 and no reason', () => {
    expect(parse()).toEqual({ code: 1005, reason: new Uint8Array(0) });
  });

  it('[RFC6455-5.5.1-2] both roles, one byte -> refused', () => {
    expect(refuse(3)).toMatchObject({ code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', closeCode: 1002 });
  });

  it('[RFC6455-5.5.1-2] both roles, two bytes -> the code in network byte order', () => {
    expect(parse(0x03, 0xe9)).toEqual({ code: 1001, reason: new Uint8Array(0) });
  });

  it('[RFC6455-5.5.1-3] both roles, more bytes -> a reason in UTF-8, as a view', () => {
    const payload = Uint8Array.from([0x0f, 0xa0, 0xc3, 0xa9]);
    const { code, reason } = parseClosePayload(payload) as ClosePayload;
    expect([code, ...reason]).toEqual([4000, 0xc3, 0xa9]);
    expect(reason.buffer).toBe(payload.buffer);
  });

  it('[RFC6455-8.1-1] both roles, a reason that is not UTF-8 or unfinished -> refused with 1007', () => {
    expect(refuse(0x03, 0xe8, 0xff)).toMatchObject({ code: 'WS_ERR_INVALID_UTF8', closeCode: 1007 });
    expect(refuse(0x03, 0xe8, 0xe2, 0x82)).toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])(
    '[RFC6455-5.5.1-2] both roles, status code %i -> refused with 1002, and the message names it',
    (code) => {
      expect(refuse(code >> 8, code & 0xff)).toMatchObject({
        code: 'WS_ERR_INVALID_CLOSE_CODE',
        closeCode: 1002,
        message: `Invalid WebSocket frame: invalid status code ${code}`,
      });
    },
  );
});

describe('serializeClosePayload', () => {
  it('[RFC6455-7.1.2-1] both roles, 3000 and a reason -> 0B B8 and the reason', () => {
    expect([...serializeClosePayload(3000, Buffer.from('x'))]).toEqual([0x0b, 0xb8, 0x78]);
  });

  it('is the inverse of parseClosePayload', () => {
    for (const code of [1000, 1014, 3000, 4999]) {
      for (const reason of ['', 'gone', 'é'.repeat(61)]) {
        const parsed = parseClosePayload(serializeClosePayload(code, Buffer.from(reason))) as ClosePayload;
        expect([parsed.code, Buffer.from(parsed.reason).toString()]).toEqual([code, reason]);
      }
    }
  });
});
