// What may safely be written to a terminal: text from a peer with its control characters made visible, and colours
// only where someone looks at them.

// Control characters (C0, C1, DEL) steer a terminal; bidirectional controls and line separators make text look like
// other text.
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\ufeff]/gu;

/** Text that a peer sent, on one or more lines: later lines are indented, so that none can pass for our own. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === '\t') return character;
    return character === '\n' ? '\n    ' : escapeCharacter(character);
  });
}

/** Text that a peer sent, on one line. */
export function escapeLine(text: string): string {
  return text.replace(UNSAFE, escapeCharacter);
}

/** JSON that means the same, with every character escaped that could steer a terminal. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (character) => `\\u${hexCode(character).padStart(4, '0')}`);
}

const SHORT_ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeCharacter(character: string): string {
  const code = hexCode(character);
  return SHORT_ESCAPES[character] ?? (code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`);
}

function hexCode(character: string): string {
  return character.charCodeAt(0).toString(16);
}

export interface Palette {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** Colours for `stream`: none unless it is a terminal, and none when NO_COLOR is set (no-color.org). */
export function paletteFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Palette {
  const hasColour = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (open: number, close: number) => (text: string) =>
    hasColour && text !== '' ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    cyan: paint(36, 39),
  };
}
