// What the opening handshake needs of cryptography (RFC 6455 §4.1 item 7, §4.2.2 item 5.4), from node:crypto.

import { hash, randomBytes } from 'node:crypto';

/** The SHA-1 digest of a text, in base64; the handshake uses it as a fingerprint, not for secrecy (§10.8). */
export function sha1Base64(text: string): string {
  return hash('sha1', text, 'base64');
}

/** [RFC6455-4.1-23] [RFC6455-4.1-24] A new key for a request: 16 unpredictable bytes, in base64. */
export function randomKey(): string {
  return randomBytes(16).toString('base64');
}
