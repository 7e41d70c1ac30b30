// Charts as SVG text: pure functions from numbers to a picture that a README can show. Colours are told apart by people
// who see few of them, each series has a name beside it, and the picture brings its own ground: it follows the light or
// dark mode of the system, which need not be that of the page around it.

/**
 * @typedef {object} Axis
 * @property {string} [label]
 * @property {boolean} [log] drawn linear nevertheless where a value is not positive
 * @property {(value: number) => string} [format]
 * @property {number[]} [ticks] instead of round numbers; those outside of the values are left out
 */
/** @typedef {{ label: string, points: [x: number, y: number][] }} Series */
/** @typedef {{ label: string, value: number, text?: string }} Bar a value that is no number shows its text alone */
/** @typedef {{ label: string, note?: string, bars: Bar[] }} Group */
/** @typedef {{ low: number, high: number, log: boolean, ticks: number[], at: (value: number) => number }} Scale */

const WIDTH = 800;
const MARGIN = 24;
/** How much wider bold text is. */
const BOLD = 1.12;
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
.line { fill: none; stroke-width: 1.8; stroke-linejoin: round }
.subject { stroke-width: 3.2 }
${LIGHT.map((colour, i) => `.f${i} { fill: ${colour} } .s${i} { stroke: ${colour} }`).join('\n')}
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.soft { fill: #9198a1 }
.ground { fill: #0d1117; stroke: #3d444d }
.grid { stroke: #262c34 }
${DARK.map((colour, i) => `.f${i} { fill: ${colour} } .s${i} { stroke: ${colour} }`).join('\n')}
}`;

/** Dashes tell lines apart without colour. */
const DASHES = ['', '6 3', '2 3', '9 3 2 3', '', '6 3', '2 3', '9 3 2 3'];

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

const round = (/** @type {number} */ value) => Number(value.toFixed(1));

/** About as wide as the text is in the usual fonts, rather more than less. @param {string} text @param {number} size */
function widthOf(text, size) {
  let ems = 0;
  for (const character of text) {
    if (/[ilj.,:;'|!()[\]tfr ]/.test(character)) ems += 0.34;
    else if (/[mwMW@%]/.test(character)) ems += 0.92;
    else if (character > '\u2e7f') ems += 1.05;
    else ems += /[A-Z]/.test(character) ? 0.7 : 0.58;
  }
  return ems * size;
}

/** Cuts text into lines that are no wider than that; a word that is too long alone is cut and ends in an ellipsis.
 * @param {string} text @param {number} width @param {number} size */
function wrap(text, width, size) {
  const lines = [''];
  for (let word of text.split(/\s+/).filter((one) => one !== '')) {
    if (widthOf(word, size) > width) {
      while (word !== '' && widthOf(`${word}…`, size) > width) word = [...word].slice(0, -1).join('');
      word += '…';
    }
    const last = lines.at(-1) ?? '';
    const longer = last === '' ? word : `${last} ${word}`;
    if (widthOf(longer, size) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @param {number} x @param {number} y @param {string} content @param {string} [classes] @param {string} [anchor] */
function text(x, y, content, classes = '', anchor = 'start') {
  const attributes = `${classes === '' ? '' : ` class="${classes}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}`;
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escapeXml(content)}</text>`;
}

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 @param {string} classes */
function line(x1, y1, x2, y2, classes) {
  return `<line class="${classes}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

/** Numbers as an axis shows them if it is not told otherwise. @param {number} value */
function plain(value) {
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
    ticks = steps.length <= 9 ? steps : decades.filter((_, i) => i % every === 0);
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
  return {
    low,
    high,
    log,
    ticks: (axis.ticks ?? ticks).filter((tick) => tick >= low * 0.999999 && tick <= high * 1.000001),
    at: (value) => from + ((measure(value) - measure(low)) / length) * (to - from),
  };
}

/** The ticks whose labels have room beside those before them.
 * @param {Scale} scale @param {(value: number) => string} format */
function ticksWithRoom(scale, format) {
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
function head(title, subtitle) {
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
function picture(title, description, height, parts) {
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

/** A point of a series; its shape tells series apart without colour.
 * @param {number} x @param {number} y @param {number} index */
function mark(x, y, index) {
  const size = index === 0 ? 4.5 : 3.8;
  const turn = index % 4 === 2 ? ` transform="rotate(45 ${round(x)} ${round(y)})"` : '';
  if (index % 4 === 0) return `<circle class="f${index % 8}" cx="${round(x)}" cy="${round(y)}" r="${size}"/>`;
  if (index % 4 === 3) {
    const points = [
      [x, y - size - 1],
      [x - size - 0.5, y + size - 0.5],
      [x + size + 0.5, y + size - 0.5],
    ];
    return `<polygon class="f${index % 8}" points="${points.map((point) => point.map(round).join()).join(' ')}"/>`;
  }
  const side = 2 * size - 1;
  return `<rect class="f${index % 8}" x="${round(x - side / 2)}" y="${round(y - side / 2)}" width="${side}" height="${side}"${turn}/>`;
}

/** Moves places apart until each is `gap` below the one before, and all are above `bottom` again.
 * @param {number[]} wanted @param {number} gap @param {number} bottom */
function spread(wanted, gap, bottom) {
  const order = wanted.map((_, i) => i).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0));
  const places = [...wanted];
  let least = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    const place = Math.max(places[i] ?? 0, least);
    places[i] = place;
    least = place + gap;
  }
  let most = bottom;
  for (const i of order.reverse()) {
    const place = Math.min(places[i] ?? 0, most);
    places[i] = place;
    most = place - gap;
  }
  return places;
}

/**
 * Lines over two axes, each with its name at its end. The first series is the subject.
 *
 * @param {{ title: string, subtitle?: string, x?: Axis, y?: Axis, series: Series[] }} chart
 * @returns {string}
 */
export function lineChart({ title, subtitle = '', x = {}, y = {}, series }) {
  const formatX = x.format ?? plain;
  const formatY = y.format ?? plain;
  const cleaned = series.map(({ label, points }) => ({
    label,
    points: points.filter((point) => point.every(Number.isFinite)).sort((a, b) => a[0] - b[0]),
  }));
  const all = cleaned.flatMap(({ points }) => points);
  const { parts, bottom: headBottom } = head(title, subtitle);
  const top = headBottom + (y.label ? 44 : 18);
  const bottom = top + 300;

  const vertical = scaleFor(
    all.map((point) => point[1]),
    y,
    [bottom, top],
  );
  const left = MARGIN + 10 + Math.max(...vertical.ticks.map((tick) => widthOf(formatY(tick), 12)), 10);
  const names = cleaned.map(({ label }) => wrap(label, 190, BOLD * 12)[0] ?? '');
  const right = WIDTH - MARGIN - 22 - Math.max(0, ...names.map((name) => BOLD * widthOf(name, 12)));
  const horizontal = scaleFor(
    all.map((point) => point[0]),
    x,
    [left + 8, right],
    true,
  );

  if (y.label) parts.push(text(MARGIN, top - 16, y.label, 'soft'));
  for (const tick of vertical.ticks) {
    const at = vertical.at(tick);
    parts.push(line(left, at, right, at, 'grid'), text(left - 8, at + 4, formatY(tick), 'soft', 'end'));
  }
  for (const tick of ticksWithRoom(horizontal, formatX)) {
    const at = horizontal.at(tick);
    parts.push(
      line(at, bottom, at, bottom + 5, 'grid'),
      text(at, bottom + 20, formatX(tick), 'soft', 'middle'),
    );
  }
  if (x.label) parts.push(text((left + right) / 2, bottom + 42, x.label, 'soft', 'middle'));

  const ends = cleaned.map(({ points }) => vertical.at(points.at(-1)?.[1] ?? vertical.low));
  const places = spread(ends, 17, bottom);
  // The subject is drawn last, on top of the others.
  for (const index of [...cleaned.keys()].reverse()) {
    const points = cleaned[index]?.points ?? [];
    if (points.length === 0) continue;
    const path = points.map(([px, py]) => `${round(horizontal.at(px))},${round(vertical.at(py))}`).join(' ');
    const dash = DASHES[index % 8] === '' ? '' : ` stroke-dasharray="${DASHES[index % 8]}"`;
    const classes = `line s${index % 8}${index === 0 ? ' subject' : ''}`;
    if (points.length > 1) parts.push(`<polyline class="${classes}"${dash} points="${path}"/>`);
    parts.push(...points.map(([px, py]) => mark(horizontal.at(px), vertical.at(py), index)));
    const at = places[index] ?? 0;
    parts.push(
      mark(right + 16, at, index),
      text(right + 26, at + 4, names[index] ?? '', index === 0 ? 'strong' : ''),
    );
  }
  const description = cleaned.map(
    ({ label, points }) =>
      `${label}: ${points.map(([px, py]) => `${formatX(px)} ${formatY(py)}`).join(', ')}`,
  );
  const axes = `${y.label ?? 'y'} over ${x.label ?? 'x'}`;
  return picture(title, [axes, ...description].join('; '), bottom + (x.label ? 58 : 36), parts);
}

/**
 * Bars that lie, in groups, each with its name before it and its value behind it. The label that comes first is the
 * subject. With a `baseline`, bars grow from there to both sides, and the subject is the line that they start from: on a
 * logarithmic axis half as much and twice as much then look equally far.
 *
 * @param {{ title: string, subtitle?: string, unit?: string, groups: Group[], log?: boolean,
 *           format?: (value: number) => string, baseline?: { value: number, label: string } }} chart
 * @returns {string}
 */
export function barChart({ title, subtitle = '', unit = '', groups, log = false, format = plain, baseline }) {
  const labels = [...new Set(groups.flatMap(({ bars }) => bars.map(({ label }) => label)))];
  const indexOf = (/** @type {string} */ label) => labels.indexOf(label) + (baseline === undefined ? 0 : 1);
  const bars = groups.flatMap((group) => group.bars);
  const valueText = (/** @type {Bar} */ bar) =>
    bar.text ?? (Number.isFinite(bar.value) ? format(bar.value) : '-');

  const groupWidth = Math.min(190, Math.max(0, ...groups.map(({ label }) => BOLD * widthOf(label, 12)), 110));
  const labelWidth = Math.min(150, Math.max(0, ...labels.map((label) => BOLD * widthOf(label, 12))));
  const left = MARGIN + groupWidth + 16 + labelWidth + 10;
  const room = Math.max(0, ...bars.map((bar) => widthOf(valueText(bar), 12))) + 10;
  const start = baseline?.value ?? (log ? Number.NaN : 0);
  const isBelow = bars.some(({ value }) => value < start);
  const places = /** @type {[number, number]} */ ([left + (isBelow ? room : 0), WIDTH - MARGIN - room]);
  const scale = scaleFor([...bars.map(({ value }) => value), start], { log }, places);
  const from = scale.at(baseline?.value ?? (scale.log ? scale.low : Math.max(0, scale.low)));

  const { parts, bottom: headBottom } = head(title, subtitle);
  const top = headBottom + (baseline === undefined ? 22 : 40);
  let y = top;
  /** @type {string[]} */ const drawn = [];
  for (const group of groups) {
    const name = wrap(group.label, groupWidth, BOLD * 12);
    const note = group.note === undefined ? [] : wrap(group.note, groupWidth, 12);
    const height = Math.max(16 * (name.length + note.length), 19 * group.bars.length);
    [...name, ...note].forEach((one, i) => {
      drawn.push(text(MARGIN, y + 13 + 16 * i, one, i < name.length ? 'strong' : 'soft'));
    });
    group.bars.forEach((bar, i) => {
      const index = indexOf(bar.label);
      const at = y + 19 * i;
      const end = Number.isFinite(bar.value) ? scale.at(bar.value) : from;
      const label = wrap(bar.label, labelWidth, BOLD * 12)[0] ?? '';
      drawn.push(text(left - 10, at + 13, label, index === 0 ? 'strong' : '', 'end'));
      const [x1, width] = [Math.min(from, end), Math.max(1, Math.abs(end - from))];
      if (Number.isFinite(bar.value)) {
        drawn.push(
          `<rect class="f${index % 8}" x="${round(x1)}" y="${at + 2}" width="${round(width)}" height="14" rx="2"/>`,
        );
      }
      const isLeft = end < from;
      drawn.push(
        text(
          end + (isLeft ? -6 : 6),
          at + 13,
          valueText(bar),
          index === 0 ? 'strong' : '',
          isLeft ? 'end' : 'start',
        ),
      );
    });
    y += height + 12;
  }
  const bottom = y - 4;
  for (const tick of ticksWithRoom(scale, format)) {
    const at = scale.at(tick);
    parts.push(line(at, top - 6, at, bottom, 'grid'), text(at, bottom + 16, format(tick), 'soft', 'middle'));
  }
  parts.push(...drawn);
  if (baseline !== undefined) {
    parts.push(line(from, top - 12, from, bottom, 'base s0'));
    const half = (BOLD * widthOf(baseline.label, 12)) / 2;
    parts.push(
      text(
        Math.min(Math.max(from, MARGIN + half), WIDTH - MARGIN - half),
        top - 18,
        baseline.label,
        'strong',
        'middle',
      ),
    );
  }
  if (unit !== '') parts.push(text((left + WIDTH - MARGIN) / 2, bottom + 37, unit, 'soft', 'middle'));
  const description = groups.map(
    (group) => `${group.label}: ${group.bars.map((bar) => `${bar.label} ${valueText(bar)}`).join(', ')}`,
  );
  return picture(
    title,
    [unit, ...description].filter(Boolean).join('; '),
    bottom + (unit === '' ? 32 : 54),
    parts,
  );
}
