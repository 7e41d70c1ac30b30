// The grammar of HTTP that the opening handshake needs: tokens, field values, lists, quoted strings (RFC 9110 §5.5,
// §5.6; RFC 6455 §4.3). Every function passes once over its input with a table of characters, so the time is linear
// in what a peer sends: no regular expression, nothing to backtrack. Heads are parsed in `http-head.ts`.

/** Bits of {@link CHARACTER_CLASS}. */
export const TOKEN_CHARACTER = 1;
export const VALUE_CHARACTER = 2;
export const TARGET_CHARACTER = 4;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;

/** For each byte, or character below U+0100, which constructs it may stand in. */
export const CHARACTER_CLASS: Uint8Array = buildCharacterClasses();

function buildCharacterClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  // RFC 9110 §5.6.2: tchar
  for (const character of `!#$%&'*+-.^_\`|~0123456789${letters}${letters.toUpperCase()}`) {
    classes[character.charCodeAt(0)] = TOKEN_CHARACTER;
  }
  for (let code = 0; code < 256; code++) {
    // RFC 9110 §5.5: visible characters, space, tab, and the bytes above ASCII as opaque data; no control character.
    if (code === TAB || (code >= SPACE && code !== DELETE)) classes[code]! |= VALUE_CHARACTER;
    // RFC 9112 §3.2: a request target has no whitespace; it is ASCII, other characters travel percent-encoded.
    if (code > SPACE && code < DELETE) classes[code]! |= TARGET_CHARACTER;
  }
  return classes;
}

function isWhitespace(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Where the token that starts at `from` ends; `from` itself when no token starts there. */
export function tokenEnd(text: string, from: number): number {
  let at = from;
  // A character above U+00FF is outside the table and belongs to no class.
  while (at < text.length && (CHARACTER_CLASS[text.charCodeAt(at)]! & TOKEN_CHARACTER) !== 0) at++;
  return at;
}

/** Where the optional whitespace (spaces and tabs) that starts at `from` ends. */
export function whitespaceEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && isWhitespace(text.charCodeAt(at))) at++;
  return at;
}

/** True for a name of a method, header field, subprotocol or extension: one or more `tchar`. */
export function isToken(text: string): boolean {
  return text.length > 0 && tokenEnd(text, 0) === text.length;
}

/** True when `text` can be the value of a header field: no CR, LF, NUL or other control, nothing above U+00FF. */
export function isFieldValue(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if ((CHARACTER_CLASS[text.charCodeAt(at)]! & VALUE_CHARACTER) === 0) return false;
  }
  return true;
}

/** Removes the optional whitespace around a field value or list element; other than `trim`, only spaces and tabs. */
export function trimWhitespace(text: string): string {
  const start = whitespaceEnd(text, 0);
  let end = text.length;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The elements of a comma-separated list (RFC 9110 §5.6.1), trimmed, without the empty ones; quoted commas do not split. */
export function splitList(value: string): string[] {
  const elements: string[] = [];
  let start = 0;
  while (start <= value.length) {
    const end = elementEnd(value, start);
    const element = trimWhitespace(value.slice(start, end));
    if (element !== '') elements.push(element);
    start = end + 1;
  }
  return elements;
}

function elementEnd(value: string, from: number): number {
  let isQuoted = false;
  for (let at = from; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (code === BACKSLASH && isQuoted) at++;
    else if (code === COMMA && !isQuoted) return at;
  }
  return value.length;
}

/** True when the list in a field value has `token`, given in lower case, as an element, in whatever case. */
export function listHasToken(value: string, token: string): boolean {
  return splitList(value).some((element) => element.toLowerCase() === token);
}

/**
 * Reads the quoted string that starts at `from` (RFC 9110 §5.6.4) and undoes its escapes.
 *
 * @returns the text and the index behind the closing quote; `undefined` when none starts there, it does not end, or
 *   it has a character that a field value cannot have
 */
export function parseQuotedString(text: string, from: number): { value: string; end: number } | undefined {
  if (text.charCodeAt(from) !== QUOTE) return undefined;
  let value = '';
  let start = from + 1;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { value: value + text.slice(start, at), end: at + 1 };
    if (code === BACKSLASH) {
      value += text.slice(start, at);
      start = ++at;
    }
    if ((CHARACTER_CLASS[text.charCodeAt(at)]! & VALUE_CHARACTER) === 0) return undefined;
  }
  return undefined;
}
