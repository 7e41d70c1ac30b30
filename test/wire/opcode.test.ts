import { expect, it } from 'vitest';
import { isControlOpcode, isKnownOpcode, opcodeName } from '../../src/wire/opcode.js';

const NAMES = [
  ...['continuation', 'text', 'binary', 'reserved', 'reserved', 'reserved', 'reserved', 'reserved'],
  ...['close', 'ping', 'pong', 'reserved', 'reserved', 'reserved', 'reserved', 'reserved'],
];

it('opcodeName knows the six of §11.8 and calls the others reserved', () => {
  expect(NAMES.map((_, opcode) => opcodeName(opcode))).toEqual(NAMES);
});

it('isKnownOpcode is true for those that have a name', () => {
  expect(NAMES.map((_, opcode) => isKnownOpcode(opcode))).toEqual(NAMES.map((name) => name !== 'reserved'));
});

it('isControlOpcode is the most significant of four bits (§5.5)', () => {
  expect(NAMES.map((_, opcode) => isControlOpcode(opcode))).toEqual(NAMES.map((_, opcode) => opcode >= 8));
});
