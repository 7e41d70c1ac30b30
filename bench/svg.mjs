// Charts as SVG text: pure functions from numbers to a picture that a README can show. Each series has its name beside it,
// and the numbers stand in the description too, for those who hear the picture.
import {
  BOLD,
  DASHES,
  fit,
  head,
  line,
  MARGIN,
  picture,
  plain,
  round,
  scaleFor,
  text,
  ticksWithRoom,
  WIDTH,
  widest,
  wrap,
} from './svg-parts.mjs';

/** @typedef {import('./svg-parts.mjs').Axis} Axis */
/** @typedef {{ label: string, points: [x: number, y: number][] }} Series */
/**
 * @typedef {{ label: string, value: number, text?: string, range?: [least: number, most: number] }} Bar
 *   a value that is no number shows its text alone
 */
/** @typedef {{ label: string, note?: string, bars: Bar[] }} Group */

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
  const left = MARGIN + 10 + widest(vertical.ticks.map(formatY));
  const names = cleaned.map(({ label }) => fit(label, 190, BOLD * 12));
  const right = WIDTH - MARGIN - 22 - widest(names);
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
 * Bars that lie, in groups, each with its name before it and its value behind it. The label that comes first is the
 * subject. With a `baseline`, bars grow from there to both sides, and the subject is the line that they start from: on a
 * logarithmic axis half as much and twice as much then look equally far.
 *
 * @param {{ title: string, subtitle?: string, unit?: string, groups: Group[], log?: boolean,
 *           format?: (value: number) => string, baseline?: { value: number, label: string } }} chart
 * @returns {string}
 */
export function barChart({ title, subtitle = '', unit = '', groups, log = false, format = plain, baseline }) {
  const bars = groups.flatMap((group) => group.bars);
  const valueText = (/** @type {Bar} */ bar) =>
    fit(bar.text ?? (Number.isFinite(bar.value) ? format(bar.value) : '-'), 190, BOLD * 12);
  const labels = [...new Set(bars.map(({ label }) => label))];
  const order = baseline === undefined ? labels : [...new Set([baseline.label, ...labels])];

  const groupWidth = Math.min(190, widest(groups.flatMap(({ label, note = '' }) => [label, note])));
  const labelWidth = Math.min(150, widest(labels));
  const left = MARGIN + groupWidth + 16 + labelWidth + 10;
  const room = widest(bars.map(valueText)) + 10;
  const values = bars.flatMap(({ value, range = [] }) => [value, ...range]);
  const start = baseline?.value ?? (log ? Number.NaN : 0);
  const isBelow = values.some((value) => value < start);
  const scale = scaleFor([...values, start], { log }, [left + (isBelow ? room : 0), WIDTH - MARGIN - room]);
  const from = scale.at(baseline?.value ?? (scale.log ? scale.low : 0));

  const { parts, bottom: headBottom } = head(title, subtitle);
  const top = headBottom + (baseline === undefined ? 22 : 40);
  let bottom = top;
  /** @type {string[]} */ const drawn = [];
  for (const group of groups) {
    const name = wrap(group.label, groupWidth, BOLD * 12);
    const lines = [...name, ...wrap(group.note ?? '', groupWidth, 12)].filter((one) => one !== '');
    for (const [i, one] of lines.entries()) {
      drawn.push(text(MARGIN, bottom + 13 + 16 * i, one, i < name.length ? 'strong' : 'soft'));
    }
    for (const [i, bar] of group.bars.entries()) {
      const label = fit(bar.label, labelWidth, BOLD * 12);
      const index = order.indexOf(bar.label);
      drawn.push(text(left - 10, bottom + 19 * i + 13, label, index === 0 ? 'strong' : '', 'end'));
      drawn.push(...drawBar(bar, valueText(bar), index, bottom + 19 * i, from, scale));
    }
    bottom += Math.max(16 * lines.length, 19 * group.bars.length) + 12;
  }
  bottom -= 4;
  for (const tick of ticksWithRoom(scale, format)) {
    const at = scale.at(tick);
    parts.push(line(at, top - 6, at, bottom, 'grid'), text(at, bottom + 16, format(tick), 'soft', 'middle'));
  }
  if (baseline !== undefined) {
    const half = widest([baseline.label]) / 2;
    const middle = Math.min(Math.max(from, MARGIN + half), WIDTH - MARGIN - half);
    parts.push(line(from, top - 12, from, bottom, 'base s0'));
    parts.push(text(middle, top - 18, baseline.label, 'strong', 'middle'));
  }
  parts.push(...drawn);
  const unitLines = wrap(unit, WIDTH - 2 * MARGIN, 12).filter((one) => one !== '');
  parts.push(...unitLines.map((one, i) => text(WIDTH - MARGIN, bottom + 38 + 16 * i, one, 'soft', 'end')));
  const description = groups.map(
    (group) => `${group.label}: ${group.bars.map((bar) => `${bar.label} ${valueText(bar)}`).join(', ')}`,
  );
  const height = bottom + 38 + 16 * unitLines.length;
  return picture(title, [unit, ...description].filter((one) => one !== '').join('; '), height, parts);
}

/**
 * One bar from the place `from` to its value, the thin line of its range, and its value behind both.
 *
 * @param {Bar} bar
 * @param {string} value
 * @param {number} index of its colour
 * @param {number} y
 * @param {number} from
 * @param {import('./svg-parts.mjs').Scale} scale
 */
function drawBar(bar, value, index, y, from, scale) {
  const classes = index === 0 ? 'strong' : '';
  if (!Number.isFinite(bar.value)) return [text(from + 6, y + 13, value, classes)];
  const end = scale.at(bar.value);
  const [least, most] = (bar.range ?? [bar.value, bar.value]).map(scale.at);
  const drawn = [];
  const width = round(Math.abs(end - from));
  if (width > 0) {
    const x = round(Math.min(from, end));
    drawn.push(`<rect class="f${index % 8}" x="${x}" y="${y + 2}" width="${width}" height="14" rx="2"/>`);
  }
  if (bar.range !== undefined) drawn.push(line(least ?? end, y + 9, most ?? end, y + 9, 'range'));
  const isLeft = end < from;
  const beyond = isLeft ? Math.min(end, least ?? end) - 6 : Math.max(end, most ?? end) + 6;
  drawn.push(text(beyond, y + 13, value, classes, isLeft ? 'end' : 'start'));
  return drawn;
}
