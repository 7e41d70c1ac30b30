// The compressors and decompressors that are to behave the same: on zlib's streams, and with public functions alone.

import {
  type CompressionOptions,
  createDeflater,
  createInflater,
  type FragmentInflater,
} from '../../src/io/zlib.js';
import { OneShotDeflater, OneShotInflater } from '../../src/io/zlib-one-shot.js';
import {
  type AgreedDeflate,
  type Deflater,
  receivingAgreement,
  sendingAgreement,
} from '../../src/protocol/compression.js';
import type { Role } from '../../src/protocol/role.js';

export interface CodecKind {
  kind: string;
  role: Role;
  inflater: (agreed: AgreedDeflate, options?: CompressionOptions) => FragmentInflater;
  deflater: (agreed: AgreedDeflate, options?: CompressionOptions) => Deflater;
}

export const CODECS: CodecKind[] = (['client', 'server'] as const).flatMap((role) => [
  {
    kind: 'streams',
    role,
    inflater: (agreed, options) => createInflater(agreed, role, options),
    deflater: (agreed, options) => createDeflater(agreed, role, options),
  },
  {
    kind: 'public functions',
    role,
    inflater: (agreed, options) => {
      const agreement = receivingAgreement(agreed, role);
      return new OneShotInflater(
        { ...options?.zlibInflateOptions, windowBits: agreement.maxWindowBits },
        agreement,
      );
    },
    deflater: (agreed, options) => {
      const agreement = sendingAgreement(agreed, role);
      return new OneShotDeflater(
        { ...options?.zlibDeflateOptions, windowBits: agreement.maxWindowBits },
        agreement,
      );
    },
  },
]);

/** The same agreement for both directions. */
export function agreedWith({ noContext = false, windowBits = 15 } = {}): AgreedDeflate {
  return {
    serverNoContextTakeover: noContext,
    clientNoContextTakeover: noContext,
    serverMaxWindowBits: windowBits,
    clientMaxWindowBits: windowBits,
  };
}

export function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

/** From the RFC's way of writing bytes, and back. */
export function bytes(hex: string): Buffer;
export function bytes(data: Uint8Array): string;
export function bytes(value: string | Uint8Array): Buffer | string {
  if (typeof value === 'string') return Buffer.from(value.replaceAll(' ', ''), 'hex');
  return Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

/** Bytes that compress as text does, the same for the same seed. */
export function prose(length: number, seed = 1): Buffer {
  const words: string[] = [];
  let state = seed;
  for (let total = 0; total < length; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const word = `${(state % 500).toString(36)}${'-'.repeat(state % 3)}${state % 7 === 0 ? state : ''} `;
    words.push(word);
    total += word.length;
  }
  return Buffer.from(words.join('')).subarray(0, length);
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(length: number, seed = 1): Buffer {
  const data = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    data[at] = state >> 16;
  }
  return data;
}
