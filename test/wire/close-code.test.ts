import { describe, expect, it } from 'vitest';
import { describeCloseCode, isSendableCloseCode } from '../../src/wire/close-code.js';

const SENDABLE = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];

describe('isSendableCloseCode', () => {
  it('[RFC6455-7.4.1-1] [RFC6455-7.4.2-1] both roles, every code below 3000 -> only the registered ones may travel', () => {
    const sendable = Array.from({ length: 3000 }, (_, code) => code).filter(isSendableCloseCode);
    expect(sendable).toEqual(SENDABLE);
  });

  it.each([1004, 1005, 1006, 1015])(
    '[RFC6455-7.4.1-3] [RFC6455-7.4.1-4] [RFC6455-7.4.1-7] both roles, code %i -> may not travel',
    (code) => {
      expect(isSendableCloseCode(code)).toBe(false);
    },
  );

  it('[RFC6455-7.4.2-1] both roles, codes from 3000 on -> up to 4999', () => {
    const sendable = Array.from({ length: 62_536 }, (_, i) => 3000 + i).filter(isSendableCloseCode);
    expect([sendable[0], sendable.at(-1), sendable.length]).toEqual([3000, 4999, 2000]);
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('%d may not travel', (code) => {
    expect(isSendableCloseCode(code)).toBe(false);
  });
});

describe('describeCloseCode', () => {
  it.each([
    [1000, 'Normal Closure', '§7.4.1'],
    [1006, 'Abnormal Closure', '§7.4.1'],
    [1012, 'Service Restart', '§11.7 (IANA)'],
    [1015, 'TLS Handshake', '§7.4.1'],
    [1016, 'Unassigned', '§7.4.2'],
    [2999, 'Unassigned', '§7.4.2'],
    [3000, 'Registered Use', '§7.4.2'],
    [3999, 'Registered Use', '§7.4.2'],
    [4000, 'Private Use', '§7.4.2'],
    [4999, 'Private Use', '§7.4.2'],
    [5000, 'Invalid', '§7.4.2'],
    [999, 'Invalid', '§7.4.2'],
  ])('%i is %s, %s', (code, name, section) => {
    expect(describeCloseCode(code)).toMatchObject({ name, section });
  });

  it('has a meaning for every registered code', () => {
    for (let code = 1000; code <= 1015; code++) expect(describeCloseCode(code).meaning).not.toBe('');
  });
});
