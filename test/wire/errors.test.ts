import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode, protocolError } from '../../src/wire/errors.js';

const CODES = Object.keys(FAILURES) as FailureCode[];

describe('protocolError', () => {
  it.each(CODES)('%s carries its code, close code and message', (code) => {
    const { closeCode, message } = FAILURES[code];
    expect(protocolError(code)).toMatchObject({ code, closeCode, message });
  });

  it('is a RangeError, but for invalid text an Error', () => {
    for (const code of CODES) {
      const isText = code === 'WS_ERR_INVALID_UTF8';
      expect(protocolError(code) instanceof RangeError).toBe(!isText);
      expect(protocolError(code)).toBeInstanceOf(Error);
    }
  });

  it('takes a message that says what was received', () => {
    expect(protocolError('WS_ERR_INVALID_OPCODE', 'opcode 5').message).toBe('opcode 5');
    expect(protocolError('WS_ERR_INVALID_UTF8', 'bad').message).toBe('bad');
  });
});

it('the table names a section for each failure, and the close code of §7.4.1 that fits', () => {
  for (const code of CODES) expect(FAILURES[code].section).toMatch(/^RFC \d{4} §/);
  const withCloseCode = (closeCode: number) => CODES.filter((code) => FAILURES[code].closeCode === closeCode);
  expect(withCloseCode(1007)).toEqual(['WS_ERR_INVALID_UTF8']);
  expect(withCloseCode(1008)).toEqual(['WS_ERR_TOO_MANY_BUFFERED_PARTS']);
  expect(withCloseCode(1009)).toEqual([
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  ]);
  expect(withCloseCode(1002)).toHaveLength(CODES.length - 4);
});
