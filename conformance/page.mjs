// docs/peers.md: the recorded verdicts as tables and sentences. Nothing in it is written by hand.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PEERS } from './peers.mjs';
import { isOk, readRecorded, readVerdicts, unstableOf, verdictText, wordOf } from './verdicts.mjs';

const PAGE = join(dirname(fileURLToPath(import.meta.url)), '../docs/peers.md');
/** The words of the tables, the good ones first. */
const WORDS = [
  'OK',
  'NON-STRICT',
  'INFORMATIONAL',
  'UNIMPLEMENTED',
  'FAILED',
  'WRONG CODE',
  'UNCLEAN',
  'FAILED BY CLIENT',
];
const MAX_IDS = 12;

/** @typedef {import('./verdicts.mjs').Verdicts} Verdicts */
/** @typedef {{ peer: import('./peers.mjs').Peer, role: 'server' | 'client', key: string, verdicts: Verdicts, recorded: any }} Row */

/** The counted parts of the suite. */
const PARTS = [
  { title: "Autobahn's cases", has: (/** @type {string} */ id) => /^\d/.test(id) },
  {
    title: "The suite's own groups",
    has: (/** @type {string} */ id) => !/^\d/.test(id) && !id.startsWith('robustness.'),
  },
  { title: 'Robustness: the attacks', has: (/** @type {string} */ id) => id.startsWith('robustness.') },
];

export function writePage() {
  writeFileSync(PAGE, render());
}

/** Whether the file says what the recorded verdicts say. */
export function isPageFresh() {
  return existsSync(PAGE) && readFileSync(PAGE, 'utf8') === render();
}

function render() {
  const rows = recordedRows();
  return `${[
    '# How implementations fare',
    INTRODUCTION,
    peerTable(rows),
    ...PARTS.flatMap((part) => countTable(part, rows)),
    '## How long some cases of chapter 9 took',
    'In milliseconds, in the run that was recorded; only for an impression, as the machine was not idle.',
    durationTable(rows),
    '## Every verdict that is not OK, and why',
    'Frames stand as bytes in hexadecimal: `->` went to the peer, `<-` came from it. Masking keys of clients are left out.',
    ...rows.flatMap(explanations),
  ].join('\n\n')}\n`;
}

const INTRODUCTION = `Each implementation below was judged by \`hawser conform\`, as server, as client or as both: an echo program of a few lines
is in [conformance/](../conformance). The verdicts are recorded there for each case; \`npm run conform:peers\` judges again
and fails at any difference. This page is written by \`npm run conform:peers -- --record\` from what is recorded.

What the words mean: **NON-STRICT** is allowed by the RFC, but not the best that can be done; **INFORMATIONAL** only
describes; **UNIMPLEMENTED** is an extension that is not there. **FAILED** breaks a rule of the RFC, or does not echo
what the case sends. **WRONG CODE**, **UNCLEAN** and **FAILED BY CLIENT** are about the end of the connection only: the Close frame has
another code than the RFC names, the closing handshake is not complete, the tester had to end TCP.`;

/** @returns {Row[]} */
function recordedRows() {
  const all = readRecorded();
  return PEERS.flatMap((peer) =>
    peer.roles.flatMap((role) => {
      const key = `${peer.name}-${role}`;
      return all[key] === undefined
        ? []
        : [{ peer, role, key, verdicts: readVerdicts(key), recorded: all[key] }];
    }),
  );
}

/** @param {string[]} head @param {string[][]} lines */
function table(head, lines) {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {Row[]} rows */
function peerTable(rows) {
  const lines = PEERS.flatMap((peer) => {
    const own = rows.filter((row) => row.peer === peer);
    if (own.length === 0) return [];
    const versions = [...new Set(own.map(({ recorded }) => recorded.version))].join(', ');
    return [[peer.title, versions, own.map(({ role }) => role).join(', '), peer.settings]];
  });
  return table(['Implementation', 'Version', 'Judged as', 'Settings'], lines);
}

/** @param {typeof PARTS[number]} part @param {Row[]} rows */
function countTable({ title, has }, rows) {
  const counted = rows.flatMap((row) => {
    const words = Object.entries(row.verdicts).flatMap(([id, verdict]) => (has(id) ? [wordOf(verdict)] : []));
    const unstable = Object.keys(unstableOf(row.key)).filter(has).length;
    return words.length === 0 ? [] : [{ row, words, unstable }];
  });
  if (counted.length === 0) return [];
  const used = WORDS.filter((word) => counted.some(({ words }) => words.includes(word)));
  const hasUnstable = counted.some(({ unstable }) => unstable > 0);
  const lines = counted.map(({ row, words, unstable }) => [
    row.peer.title,
    row.role,
    ...used.map((word) => count(words, word)),
    ...(hasUnstable ? [unstable === 0 ? '' : String(unstable)] : []),
    String(words.length + unstable),
  ]);
  const head = ['Implementation', 'As', ...used, ...(hasUnstable ? ['varies'] : []), 'cases'];
  return [`## ${title}`, table(head, lines)];
}

/** @param {string[]} words @param {string} word */
function count(words, word) {
  const number = words.filter((each) => each === word).length;
  return number === 0 ? '' : String(number);
}

/** @param {Row[]} rows */
function durationTable(rows) {
  const ids = [...new Set(rows.flatMap(({ recorded }) => Object.keys(recorded.durationsMs)))];
  const lines = rows.map(({ peer, role, recorded, verdicts }) => [
    peer.title,
    role,
    ...ids.map((id) => (verdicts[id]?.behavior === 'OK' ? String(recorded.durationsMs[id] ?? '') : '')),
  ]);
  const machines = [...new Set(rows.map(({ recorded }) => recorded.machine))].join('; ');
  return `${table(['Implementation', 'As', ...ids], lines)}\n\nMeasured on: ${machines}.`;
}

/** @param {Row} row */
function explanations({ peer, role, key, verdicts }) {
  /** @type {Map<string, { verdict: string, reason: string, ids: string[] }>} */
  const groups = new Map();
  const add = (/** @type {string} */ verdict, /** @type {string} */ reason, /** @type {string} */ id) => {
    const name = `${verdict} ${reason}`;
    groups.set(name, { verdict, reason, ids: [...(groups.get(name)?.ids ?? []), id] });
  };
  for (const [id, verdict] of Object.entries(verdicts)) {
    if (!isOk(verdict)) add(verdictText(verdict), verdict.reason ?? 'Not looked into yet.', id);
  }
  for (const [id, reason] of Object.entries(unstableOf(key))) add('varies', reason, id);
  const items = [...groups.values()].map(
    ({ verdict, reason, ids }) => `- **${verdict}**: ${listed(ids)}.\\\n  ${reason}`,
  );
  const file = `[${key}.json](../conformance/verdicts/${key}.json)`;
  const text = items.length === 0 ? 'Everything is OK.' : items.join('\n');
  return [`### ${peer.title} as ${role}`, `${text}\n\nAll verdicts: ${file}`];
}

/** @param {string[]} ids */
function listed(ids) {
  const shown = ids.length > MAX_IDS ? summarized(ids) : ids.map((id) => `\`${id}\``);
  return shown.join(', ');
}

/** Many ids: how many there are of each section. @param {string[]} ids */
function summarized(ids) {
  const sections = new Map();
  for (const id of ids) {
    const section = /^\d/.test(id) ? id.split('.').slice(0, 2).join('.') : id.split('.')[0];
    sections.set(section, (sections.get(section) ?? 0) + 1);
  }
  return [...sections].map(([section, number]) => `${number} of \`${section}.*\``);
}
