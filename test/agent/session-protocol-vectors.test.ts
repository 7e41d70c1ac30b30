// docs/session-protocol-vectors.json: what the page promises to implementers in other languages, held against our own code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Control,
  escapeText,
  isMarked,
  parseControl,
  serializeControl,
  unescapeText,
} from '../../src/agent/control.js';

/** A text, in which a pair stands for a part and how often it is repeated. */
type Text = string | (string | [part: string, times: number])[];

interface Received {
  name: string;
  text: Text;
  data?: Text;
  control?: Control;
  close?: number;
}

interface Vectors {
  receive: Received[];
  send: { name: string; data: string; text: string }[];
}

const file = join(__dirname, '../../docs/session-protocol-vectors.json');
const { receive, send }: Vectors = JSON.parse(readFileSync(file, 'utf8'));

function expand(text: Text): string {
  if (typeof text === 'string') return text;
  return text.map((part) => (typeof part === 'string' ? part : part[0].repeat(part[1]))).join('');
}

/** What comes of a text, in the words of the vectors. */
function outcomeOf(text: string): { data: string } | { control: Control } | { close: number } {
  const data = isMarked(text) ? unescapeText(text) : text;
  if (data !== undefined) return { data };
  const control = parseControl(text);
  return control === undefined ? { close: 4400 } : { control };
}

describe('text that is received', () => {
  it.each(receive)('$name', ({ text, data, control, close }) => {
    const expected =
      data !== undefined ? { data: expand(data) } : control !== undefined ? { control } : { close };
    expect(outcomeOf(expand(text))).toEqual(expected);
  });
});

describe('control messages that we make', () => {
  it.each(receive.filter(({ control }) => control !== undefined))(
    '$name -> read back the same',
    ({ control }) => {
      expect(parseControl(serializeControl(control!))).toEqual(control);
    },
  );
});

describe('text that is sent', () => {
  it.each(send)('$name', ({ data, text }) => expect(escapeText(data)).toBe(text));
});
