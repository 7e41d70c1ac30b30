// How a server proves that it has understood the opening handshake (RFC 6455 §1.3, §4.2.2): it hashes the key of the
// client with a fixed GUID, which nobody does by accident. SHA-1 itself is handed in.

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Gives the SHA-1 digest of a text of ASCII characters, in base64. */
export type Sha1Base64 = (text: string) => string;

/** The value of Sec-WebSocket-Accept that answers `key`. */
export function acceptKey(key: string, sha1Base64: Sha1Base64): string {
  // [RFC6455-4.2.2-18] The key is used as the text it is, not decoded.
  return sha1Base64(key + GUID);
}

/**
 * True when `key` is the base64 form of 16 bytes: 22 characters and two of padding.
 *
 * LENIENT: the last character may have bits that no encoder sets; the RFC's own example had such a key (erratum 3150).
 */
export function isValidKey(key: string): boolean {
  // [RFC6455-4.2.1-6] [RFC6455-11.3.1-1] A repeated header, which Node.js joins to 'a, b', does not pass either.
  return /^[+/0-9A-Za-z]{22}==$/.test(key);
}
