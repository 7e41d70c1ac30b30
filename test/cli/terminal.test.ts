import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeJson, escapeLine, escapeText, paletteFor } from '../../src/cli/terminal.js';

/** What must not reach a terminal: controls (but for line feed and tab) and characters that reorder text. */
const STEERING = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

describe('escapeText', () => {
  it.each([
    ['an escape sequence', '\x1b[2J', '\\x1b[2J'],
    ['the 8-bit form of it', '\x9b2J', '\\x9b2J'],
    ['a carriage return, which would overwrite the line', 'a\rb', 'a\\rb'],
    ['a bell, a null and a delete', '\x07\0\x7f', '\\x07\\x00\\x7f'],
    ['text that runs the other way', '\u202eexe', '\\u{202e}exe'],
    ['a line separator', '\u2028', '\\u{2028}'],
  ])('shows %s', (_, text, shown) => {
    expect(escapeText(text)).toBe(shown);
  });

  it('indents further lines, so that they cannot pass for lines of ours', () => {
    expect(escapeText('a\nhawser: b')).toBe('a\n    hawser: b');
  });

  it('leaves letters of every script and tabs alone', () => {
    expect(escapeText('é 日本 👩‍🚀\t→')).toBe('é 日本 👩‍🚀\t→');
  });

  it('lets nothing through that steers a terminal, whatever the peer sends', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeText(text)).not.toMatch(STEERING);
        expect(escapeLine(text)).not.toMatch(STEERING);
        expect(escapeLine(text)).not.toMatch(/[\n\t]/);
      }),
    );
  });
});

describe('escapeJson', () => {
  it('writes the same value, without a character that steers a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = escapeJson(JSON.stringify({ text }));
        expect(JSON.parse(json)).toEqual({ text });
        expect(json).not.toMatch(STEERING);
      }),
    );
  });
});

describe('paletteFor', () => {
  it('colours on a terminal', () => {
    expect(paletteFor({ isTTY: true }, {}).red('x')).toBe('\x1b[31mx\x1b[39m');
  });

  it.each([
    ['a pipe', false, {}],
    ['a terminal when NO_COLOR is set', true, { NO_COLOR: '1' }],
    ['a terminal that knows no colours', true, { TERM: 'dumb' }],
  ])('does not colour on %s', (_, isTTY, env) => {
    expect(paletteFor({ isTTY }, env).red('x')).toBe('x');
  });

  it('colours when NO_COLOR is empty, as its definition says', () => {
    expect(paletteFor({ isTTY: true }, { NO_COLOR: '' }).bold('x')).toBe('\x1b[1mx\x1b[22m');
  });
});
