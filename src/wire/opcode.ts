// Opcodes of WebSocket frames (RFC 6455 §5.2, §11.8).

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const NAMES: Record<number, string> = {
  [CONTINUATION]: 'continuation',
  [TEXT]: 'text',
  [BINARY]: 'binary',
  [CLOSE]: 'close',
  [PING]: 'ping',
  [PONG]: 'pong',
};

/** The RFC's name of an opcode; `reserved` for the ten that have no meaning yet. */
export function opcodeName(opcode: number): string {
  return NAMES[opcode] ?? 'reserved';
}

/** Control frames have the most significant bit of the opcode set (§5.5). */
export function isControlOpcode(opcode: number): boolean {
  return (opcode & 0x8) !== 0;
}

/** True for the six opcodes that RFC 6455 defines. */
export function isKnownOpcode(opcode: number): boolean {
  return NAMES[opcode] !== undefined;
}
