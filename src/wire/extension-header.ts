// The value of Sec-WebSocket-Extensions (RFC 6455 §9.1): a list of extensions, each with parameters. One pass with the
// table of token characters, so the time is linear in what a peer sends, and objects without a prototype, so that no
// name that a peer chooses has a meaning to us. What the parameters say is left to the extension.

import { tokenEnd, whitespaceEnd } from './http-grammar.js';

/** Parameters by name, each with its values in order; `true` stands for a parameter that came without a value. */
export type ExtensionParams = Record<string, (string | true)[]>;

/** Extensions by name, each with the parameters of every time that it was listed, in order. */
export type Extensions = Record<string, ExtensionParams[]>;

/** What {@link formatExtensions} takes: single values may stand without their list. */
export type ExtensionsToFormat = Record<string, ParamsToFormat | readonly ParamsToFormat[]>;
export type ParamsToFormat = Record<string, ParamValue | readonly ParamValue[]>;
type ParamValue = string | number | true;

const BACKSLASH = '\\';

/**
 * Reads the header. Several headers are one list, once they are joined with commas [RFC6455-9.1-3].
 *
 * @throws SyntaxError that names the index of the first wrong character [RFC6455-9.1-1]
 */
export function parseExtensions(header: string): Extensions {
  const extensions: Extensions = Object.create(null);
  for (let at = 0; ; at = whitespaceEnd(header, at + 1)) {
    const nameEnd = expectToken(header, at);
    const params: ExtensionParams = Object.create(null);
    let end = skipToSeparator(header, nameEnd);
    while (header[end] === ';') end = parseParam(header, whitespaceEnd(header, end + 1), params);
    // [RFC6455-9.1-8] Order is kept: it is the order of preference.
    append(extensions, header.slice(at, nameEnd), params);
    if (end === header.length) return extensions;
    at = end;
  }
}

/** Reads the parameter that starts at `at` into `params`; returns the index of the separator behind it. */
function parseParam(header: string, at: number, params: ExtensionParams): number {
  const nameEnd = expectToken(header, at);
  const name = header.slice(at, nameEnd);
  if (header[nameEnd] !== '=') {
    append(params, name, true);
    return skipToSeparator(header, nameEnd);
  }
  const start = nameEnd + 1;
  if (header[start] !== '"') {
    const end = expectToken(header, start);
    append(params, name, header.slice(start, end));
    return skipToSeparator(header, end);
  }
  const end = quotedTokenEnd(header, start + 1);
  append(params, name, header.slice(start + 1, end).replaceAll(BACKSLASH, ''));
  return skipToSeparator(header, end + 1);
}

/**
 * Index of the quote that closes the one before `at`. [RFC6455-9.1-2] [RFC6455-4.3-1] What is quoted is a token once it
 * is unescaped.
 */
function quotedTokenEnd(header: string, at: number): number {
  let end = at;
  do {
    end = expectToken(header, header[end] === BACKSLASH ? end + 1 : end);
  } while (header[end] === BACKSLASH);
  if (header[end] !== '"') throw unexpected(header, end);
  return end;
}

function expectToken(header: string, at: number): number {
  const end = tokenEnd(header, at);
  if (end === at) throw unexpected(header, at);
  return end;
}

/** Index of the separator behind an element that ended at `at`, or the length of the header, if that was the last one. */
function skipToSeparator(header: string, at: number): number {
  const end = whitespaceEnd(header, at);
  // Whitespace stands around separators only: behind the last element something has to follow it.
  const isLast = end === header.length && end === at;
  if (!isLast && header[end] !== ',' && header[end] !== ';') throw unexpected(header, end);
  return end;
}

function unexpected(header: string, at: number): SyntaxError {
  return new SyntaxError(
    at < header.length ? `Unexpected character at index ${at}` : 'Unexpected end of input',
  );
}

function append<T>(lists: Record<string, T[]>, name: string, value: NoInfer<T>): void {
  const list = lists[name];
  if (list === undefined) lists[name] = [value];
  else list.push(value);
}

/** Writes the header: the reverse of {@link parseExtensions}. */
export function formatExtensions(extensions: ExtensionsToFormat): string {
  const elements: string[] = [];
  for (const [name, listed] of Object.entries(extensions)) {
    for (const params of listOf(listed)) elements.push(formatExtension(name, params));
  }
  return elements.join(', ');
}

function formatExtension(name: string, params: ParamsToFormat): string {
  let text = name;
  for (const [param, values] of Object.entries(params)) {
    for (const value of listOf(values)) text += value === true ? `; ${param}` : `; ${param}=${value}`;
  }
  return text;
}

function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
