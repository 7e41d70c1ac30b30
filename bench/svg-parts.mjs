// What charts are made of: text whose width is guessed, axes, colours, and the frame around it all. Colours are told apart
// by people who see few of them. The picture brings its own ground: it follows the light or dark mode of the system,
// which need not be that of the page around it.

/**
 * @typedef {object} Axis
 * @property {string} [label]
 * @property {boolean} [log] drawn linear nevertheless where a value is not positive
 * @property {(value: number) => string} [format]
 * @property {number[]} [ticks] instead of round numbers; those outside of the values are left out
 */
/** @typedef {{ low: number, high: number, log: boolean, ticks: number[], at: (value: number) => number }} Scale */

export const WIDTH = 800;
export const MARGIN = 24;
/** How much wider bold text is. */
export const BOLD = 1.12;
const FONT =
  "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', Helvetica, Arial, sans-serif";

/** Okabe and Ito's colours, a little darker on white and a little lighter on black; the first is the subject's. */
const LIGHT = ['#0063b1', '#c2410c', '#0a8a64', '#a8478a', '#b27b00', '#3a8fc4', '#5b6470', '#8a5a2b'];
const DARK = ['#58a6ff', '#f0883e', '#3fc99a', '#db8ac0', '#e3b341', '#8fd0f5', '#9aa4b0', '#c79a6b'];

const STYLE = `
text { font-family: ${FONT}; font-size: 12px; fill: #1f2328 }
.title { font-size: 18px; font-weight: 600 }
.soft { fill: #59636e }
.strong { font-weight: 600 }
.ground { fill: #ffffff; stroke: #d1d9e0 }
.grid { stroke: #e4e8ec }
.base { stroke-width: 2 }
.range { stroke: #1f2328; stroke-width: 1.2 }
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.subject { stroke-width: 3.2 }
${LIGHT.map((colour, i) => `.f${i} { fill: ${colour} } .s${i} { stroke: ${colour} }`).join('\n')}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.soft { fill: #9198a1 }
.ground { fill: #0d1117; stroke: #3d444d }
.grid { stroke: #262c34 }
.range { stroke: #e6edf3 }
${DARK.map((colour, i) => `.f${i} { fill: ${colour} } .s${i} { stroke: ${colour} }`).join('\n')}
}`;

/** Dashes tell lines apart without colour. */
export const DASHES = ['', '6 3', '2 3', '9 3 2 3', '', '6 3', '2 3', '9 3 2 3'];

const ENTITIES = /** @type {Record<string, string>} */ ({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
});

/** Text as XML may contain it: escaped, and without the characters that XML 1.0 forbids. @param {string} text */
function escapeXml(text) {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not come through
      .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
      .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
  );
}

export const round = (/** @type {number} */ value) => Number(value.toFixed(1));

/** About as wide as the text is in the usual fonts, rather more than less. @param {string} text @param {number} size */
export function widthOf(text, size) {
  let ems = 0;
  for (const character of text) {
    if (/[ilj.,:;'|!()[\]tfr ]/.test(character)) ems += 0.34;
    else if (/[mwMW@%]/.test(character)) ems += 0.92;
    else if (character > '\u2e7f') ems += 1.05;
    else ems += /[A-Z]/.test(character) ? 0.7 : 0.58;
  }
  return ems * size;
}

/** The width of the widest, in bold. @param {string[]} texts */
export function widest(texts) {
  return Math.max(0, ...texts.map((one) => BOLD * widthOf(one, 12))) + 1;
}

/** As much of the text as has room; an ellipsis says that there was more.
 * @param {string} text @param {number} width @param {number} size */
export function fit(text, width, size) {
  if (widthOf(text, size) <= width) return text;
  const characters = [...text];
  while (characters.length > 0 && widthOf(`${characters.join('')}…`, size) > width) characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

/** Cuts text into lines that are no wider than that. @param {string} text @param {number} width @param {number} size */
export function wrap(text, width, size) {
  const lines = [''];
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (last === '' || widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((one) => fit(one, width, size));
}

/** @param {number} x @param {number} y @param {string} content @param {string} [classes] @param {string} [anchor] */
export function text(x, y, content, classes = '', anchor = 'start') {
  const attributes = `${classes === '' ? '' : ` class="${classes}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(content)}</text>`;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} classes */
export function line(x1, y1, x2, y2, classes) {
  return `<line class="${classes}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** Numbers as an axis shows them if it is not told otherwise. @param {number} value */
export function plain(value) {
  if (Math.abs(value) >= 1e6) return `${round(value / 1e6)}M`;
  return Number(value.toPrecision(6)).toLocaleString('en-US', { maximumSignificantDigits: 6 });
}

/** 1, 2, 5, 10, 20 ... from the last that is not above `low` to the first that is not below `high`.
 * @param {number} low @param {number} high */
function stepsAround(low, high) {
  const steps = [];
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.ceil(Math.log10(high)) + 1; exponent++) {
    for (const digit of [1, 2, 5]) steps.push(Number(`${digit}e${exponent}`));
  }
  const first = steps.findLastIndex((step) => step <= low);
  const last = steps.findIndex((step) => step >= high);
  return steps.slice(Math.max(0, first), Math.max(first + 2, last + 1));
}

/**
 * From values to places. A linear axis begins at zero unless `fitsValues`; values that are all equal, a single one or
 * none still get an axis that has a length.
 *
 * @param {number[]} values
 * @param {Axis} axis
 * @param {[from: number, to: number]} places
 * @param {boolean} [fitsValues]
 * @returns {Scale}
 */
export function scaleFor(values, axis, [from, to], fitsValues = false) {
  const finite = values.filter(Number.isFinite);
  const least = finite.length === 0 ? 0 : Math.min(...finite);
  const most = finite.length === 0 ? 1 : Math.max(...finite);
  const log = axis.log === true && least > 0;
  let low = fitsValues ? least : Math.min(0, least);
  let high = fitsValues ? most : Math.max(0, most);
  /** @type {number[]} */ let ticks = [];
  if (log) {
    const steps = stepsAround(least, most);
    low = fitsValues && least < most ? least : (steps[0] ?? least);
    high = fitsValues && least < most ? most : (steps.at(-1) ?? most);
    const decades = steps.filter((step) => /^[^1-9]*1[^1-9]*(e|$)/.test(String(step)));
    const every = Math.ceil(decades.length / 8);
    ticks = steps.length <= 12 ? steps : decades.filter((_, i) => i % every === 0);
  } else {
    if (low === high) [low, high] = low === 0 ? [0, 1] : [Math.min(low, 0), Math.max(high, 0)];
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = ([1, 2, 5, 10].find((digit) => digit * power >= rough * 0.999) ?? 10) * power;
    if (!fitsValues) [low, high] = [Math.floor(low / step) * step, Math.ceil(high / step - 1e-9) * step];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(i * step);
  }
  const measure = log ? Math.log : (/** @type {number} */ value) => value;
  const length = measure(high) - measure(low);
  const slack = 1e-9 * (log ? low : high - low);
  return {
    low,
    high,
    log,
    ticks: (axis.ticks ?? ticks).filter((tick) => tick >= low - slack && tick <= high + slack),
    at: (value) => from + ((measure(value) - measure(low)) / length) * (to - from),
  };
}

/** The ticks whose labels have room beside those before them.
 * @param {Scale} scale @param {(value: number) => string} format */
export function ticksWithRoom(scale, format) {
  let end = Number.NEGATIVE_INFINITY;
  return scale.ticks.filter((tick) => {
    const half = widthOf(format(tick), 12) / 2;
    const fits = scale.at(tick) - half >= end + 8;
    if (fits) end = scale.at(tick) + half;
    return fits;
  });
}

/** The head of every chart: title, and the subtitle in as many lines as it needs.
 * @param {string} title @param {string} subtitle */
export function head(title, subtitle) {
  const titles = wrap(title, WIDTH - 2 * MARGIN, BOLD * 18);
  const lines = subtitle.split('\n').flatMap((one) => wrap(one, WIDTH - 2 * MARGIN, 12));
  const shown = lines.filter((one) => one !== '');
  const first = 38 + 22 * (titles.length - 1);
  return {
    parts: [
      ...titles.map((one, i) => text(MARGIN, 38 + 22 * i, one, 'title')),
      ...shown.map((one, i) => text(MARGIN, first + 21 + 16 * i, one, 'soft')),
    ],
    bottom: first + 5 + 16 * shown.length,
  };
}

/** @param {string} title @param {string} description @param {number} height @param {string[]} parts */
export function picture(title, description, height, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${round(height)}" viewBox="0 0 ${WIDTH} ${round(height)}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(description)}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${round(height) - 1}" rx="8"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
