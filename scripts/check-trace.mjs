// Follows each requirement of RFC 6455 and RFC 7692 (docs/requirements.json) to the code that enforces it, to the tests,
// and to the conformance cases. Code and tests cite its id, as in `[RFC6455-5.5-1]`; a case lists it. Fails where a testable
// requirement lacks one of the three and gives no reason for it, where a reason is not true any more, and on unknown ids.
// Writes docs/traceability.md; with --check it fails instead when that file is stale. A directory as argument is the root.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const directory = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
const root = resolve(directory ?? dirname(dirname(fileURLToPath(import.meta.url))));
const table = join(root, 'docs', 'traceability.md');
const isCheck = process.argv.includes('--check');
const require = createRequire(import.meta.url);

const SOURCE = /\.[mc]?[jt]s$/;
const CITATION = /\bRFC\d+-\d+(?:[.-]\w+)*(?:[.-]?\$\{)?/g;
/** The programs and the conformance suite judge and explain; they enforce nothing, and their tests show nothing of that. */
const BESIDE = /^(?:src|test)\/(?:cli|conform)\//;
const CASES = 'dist/conform/cases';
const CASE_INDEX = join(root, CASES, 'index.js');
const MAX_CASES_SHOWN = 6;

const { requirements } = JSON.parse(readFileSync(join(root, 'docs', 'requirements.json'), 'utf8'));
const known = new Set(requirements.map(({ id }) => id));
const problems = [];

// For each column: where a requirement is found, by id, as a map from what is shown to the file that it leads to.
const columns = { code: collect('src'), test: collect('test'), case: collectCases() };

for (const requirement of requirements) judge(requirement);
const counts = count();
const text = render(counts);
if (!isCheck) writeFileSync(table, text);
else if (!existsSync(table) || readFileSync(table, 'utf8') !== text) {
  problems.push('docs/traceability.md is stale: run `npm run docs:trace`');
}
for (const line of counts) console.log(line);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

/** Which files below `top` cite each id. */
function collect(top) {
  const found = new Map();
  for (const file of filesUnder(join(root, top))) {
    const name = nameOf(file);
    for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
      for (const id of line.match(CITATION) ?? []) {
        // An id that is put together while the program runs cannot be looked up.
        if (id.endsWith('${')) continue;
        if (!known.has(id)) problems.push(`${name}:${index + 1}: ${unknown(id)}`);
        if (!BESIDE.test(name)) add(found, id, name.slice(top.length + 1), name);
      }
    }
  }
  return found;
}

/** Which conformance cases list each id. */
function collectCases() {
  const found = new Map();
  if (!existsSync(CASE_INDEX)) {
    problems.push(
      `${CASES}/index.js is not there, so no conformance case counts: build first (npm run build)`,
    );
    return found;
  }
  const origins = findOrigins();
  for (const conformanceCase of require(CASE_INDEX).CASES) {
    for (const id of conformanceCase.requirements) {
      if (!known.has(id)) problems.push(`case ${conformanceCase.id}: ${unknown(id)}`);
      add(found, id, conformanceCase.id, origins.get(conformanceCase));
    }
  }
  return found;
}

/** The source file of each case: of the module that exports the shortest list with it. Longer ones gather others. */
function findOrigins() {
  const lists = [];
  for (const file of filesUnder(join(root, CASES))) {
    if (file === CASE_INDEX || !file.endsWith('.js')) continue;
    const source = nameOf(file).replace(/^dist/, 'src').replace(/js$/, 'ts');
    for (const list of Object.values(require(file)).filter(Array.isArray)) lists.push({ source, list });
  }
  lists.sort((a, b) => b.list.length - a.list.length);
  return new Map(lists.flatMap(({ source, list }) => list.map((entry) => [entry, source])));
}

function add(found, id, label, file) {
  if (!found.has(id)) found.set(id, new Map());
  found.get(id).set(label, file);
}

function* filesUnder(top) {
  if (!existsSync(top)) return;
  const entries = readdirSync(top, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name === 'node_modules') continue;
    const path = join(top, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (SOURCE.test(entry.name)) yield path;
  }
}

function nameOf(file) {
  return relative(root, file).split(sep).join('/');
}

function unknown(id) {
  return `there is no requirement ${id} in docs/requirements.json`;
}

/** Whatever a testable requirement lacks it gives a reason for, and for nothing else. */
function judge({ id, testable, reasons = {} }) {
  for (const [column, found] of Object.entries(columns)) {
    const [first] = found.get(id)?.keys() ?? [];
    const hasReason = column in reasons;
    if (first !== undefined && hasReason) {
      problems.push(`${id}: the reason for having no ${column} is stale: there is ${first}`);
    } else if (first === undefined && testable && !hasReason) {
      problems.push(`${id}: it has no ${column}, and docs/requirements.json does not say why`);
    }
  }
  for (const [column, reason] of Object.entries(reasons)) {
    if (!(column in columns)) problems.push(`${id}: "${column}" is neither code, test nor case`);
    else if (typeof reason !== 'string' || reason.trim() === '') {
      problems.push(`${id}: the reason for having no ${column} is empty`);
    }
  }
}

/** What the testable requirements of each RFC have, and lack. */
function count() {
  const documents = [...new Set(requirements.map(({ id }) => id.split('-', 1)[0]))];
  return documents.map((document) => {
    const testable = requirements.filter(({ id, testable }) => testable && id.startsWith(`${document}-`));
    const isComplete = ({ id }) => Object.values(columns).every((found) => found.has(id));
    const parts = Object.entries(columns).map(([column, found]) => {
      const rest = testable.filter(({ id }) => !found.has(id));
      const reasoned = rest.filter(({ reasons }) => reasons?.[column]).length;
      return `${column} ${testable.length - rest.length}, a reason ${reasoned}, neither ${rest.length - reasoned}`;
    });
    const complete = `${testable.filter(isComplete).length} with code, test and case`;
    return `${document}: ${testable.length} testable requirements, ${complete} (${parts.join('; ')})`;
  });
}

function render(counts) {
  const rows = requirements.map(({ id, level, role, testable, summary, reasons }) => {
    const cells = Object.entries(columns).map(([column, found]) =>
      found.has(id)
        ? links(found.get(id), column)
        : reasons?.[column]
          ? `*${escapeBars(reasons[column])}*`
          : '',
    );
    const remark = testable ? '' : ' *(not testable)*';
    return `| ${[id, level, role, escapeBars(summary) + remark, ...cells].join(' | ')} |`;
  });
  return [
    '# Traceability',
    '',
    'From each requirement of RFC 6455 and RFC 7692 to the code that enforces it, to the tests, and to the cases of the',
    'conformance suite. Where one of them is missing the reason stands there *in italics*. Generated by',
    '`npm run docs:trace` from `requirements.json`, the ids that code and tests cite, and those that cases list; not to be',
    'edited by hand. `src/cli` and `src/conform` judge and explain: they do not count as code, nor their tests as tests.',
    '',
    ...counts.map((line) => `- ${line}`),
    '',
    '| id | level | role | requirement, in short | code | tests | cases |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function links(labels, column) {
  const all = [...labels].map(([label, file]) => (file === undefined ? label : `[${label}](../${file})`));
  if (column !== 'case') return all.join('<br>');
  const shown = all.slice(0, MAX_CASES_SHOWN).join(', ');
  return all.length > MAX_CASES_SHOWN ? `${shown} and ${all.length - MAX_CASES_SHOWN} more` : shown;
}

function escapeBars(text) {
  return text.replaceAll('|', '\\|');
}
