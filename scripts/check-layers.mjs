// Checks that every file of src/ imports only what its floor may (ARCHITECTURE.md), type-only imports like any other, and
// that no imports form a circle, not even one that only types close. What browsers load must do without Node.
// `node scripts/check-layers.mjs [directory]` checks another tree than src/.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ANY = true;

// One entry for each directory of src/. `face` stands for index.* and browser.*, which are what users import. A floor that
// opens to another only in places is named file by file.
const FLOORS = {
  wire: { floors: [], node: [] },
  protocol: { floors: ['wire'], node: [] },
  io: { floors: ['wire', 'protocol'], node: ANY },
  ws: {
    floors: ['wire', 'protocol', 'io'],
    node: ['buffer', 'crypto', 'events', 'http', 'https', 'net', 'stream', 'tls', 'url'],
  },
  face: { floors: ['wire', 'protocol', 'ws'], node: [] },
  agent: { floors: ['ws/websocket.ts', 'ws/websocket-server.ts'], node: ['crypto', 'http', 'stream'] },
  rpc: { floors: ['agent'], node: [] },
  mcp: { floors: ['agent', 'ws/websocket.ts', 'ws/websocket-server.ts'], node: ['http', 'stream'] },
  conform: { floors: ['wire'], node: ['buffer', 'crypto', 'net', 'tls', 'zlib'] },
  cli: { floors: ['wire', 'ws', 'face', 'agent', 'rpc', 'mcp', 'conform'], node: ANY },
};

// The engine is handed time, randomness and bytes; it takes none of them itself, not even from globals.
const WITHOUT_GLOBALS = ['wire', 'protocol'];
const FORBIDDEN_GLOBALS =
  /(?<![.\w])(?:(?:set|clear)(?:Timeout|Interval|Immediate)|performance|process|Buffer|Date|crypto)(?![\w:?])|\bMath\.random\b/g;

// What these files reach is loaded by browsers.
const FOR_BROWSERS = /^(?:.*\/)?browser\.[mc]?ts$|^rpc\/index\.ts$/;
const GLOBALS_OF_NODE = /(?<![.\w])(?:Buffer|process|(?:set|clear)Immediate)(?![\w:?])/g;

const SOURCE = /\.[mc]?ts$/;
const STATEMENT = /^\s*(?:import|export)\b(?:[^;'"`]*?\bfrom)?\s*['"](?<specifier>[^'"]+)['"]/gm;
const CALL = /\b(?:import|require)\s*\(\s*(?:['"](?<specifier>[^'"]+)['"]\s*\)|(?<computed>[^'")\s][^)]*))/gm;

const tree = resolve(process.argv[2] ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'src'));
const problems = [];

/** Blanks out comments, so that line numbers stay. A `//` inside a string counts only after white space. */
function withoutComments(text) {
  const blank = (comment) => comment.replace(/[^\n]/g, ' ');
  return text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/(?<=^|\s)\/\/.*$/gm, blank);
}

/** Blanks out what stands in quotes: names in messages are no use of the thing. */
function withoutStrings(text) {
  return text.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$]|\\.|\$(?!\{))*`/g, (quoted) =>
    quoted.replace(/[^\n]/g, ' '),
  );
}

function floorOf(file) {
  const parts = relative(tree, file).split(sep);
  if (parts.length > 1) return Object.hasOwn(FLOORS, parts[0]) && parts[0] !== 'face' ? parts[0] : undefined;
  return /^(?:index|browser)\./.test(parts[0]) ? 'face' : undefined;
}

/** The source file that a relative specifier means, which names the built file. */
function resolveSource(importer, specifier) {
  const target = resolve(dirname(importer), specifier);
  const candidates = [target.replace(/js$/, 'ts'), target];
  return candidates.find((candidate) => SOURCE.test(candidate) && existsSync(candidate));
}

function readImports(file) {
  const code = withoutComments(readFileSync(file, 'utf8'));
  const imports = [...code.matchAll(STATEMENT), ...code.matchAll(CALL)].map(({ groups, index, 0: text }) => ({
    specifier: groups.specifier,
    computed: groups.computed,
    line: code.slice(0, index + text.length).split('\n').length,
  }));
  return { imports, code };
}

function checkImport(file, floor, { specifier, computed, line }) {
  const may = FLOORS[floor];
  const report = (text) => {
    problems.push(`${where(file)}:${line}: ${text}`);
  };
  if (computed !== undefined)
    return report(`import of a computed name (${computed.trim()}): it cannot be checked`);
  if (specifier.startsWith('node:')) {
    const name = specifier.slice('node:'.length);
    const isAllowed = may.node === ANY || may.node.includes(name.split('/')[0]);
    if (isAllowed) return;
    const list = may.node.length === 0 ? 'no module of Node' : `only node:{${may.node.join(',')}}`;
    return report(`${floor} may import ${list}, not ${specifier}`);
  }
  if (!specifier.startsWith('.')) {
    return report(
      `"${specifier}" is a package: hawser has no dependencies (a module of Node needs the prefix node:)`,
    );
  }
  const target = resolveSource(file, specifier);
  if (target === undefined) return report(`there is no source file for "${specifier}"`);
  const targetFloor = floorOf(target);
  if (targetFloor === undefined) return report(`"${specifier}" stands on no floor`);
  const isOpen = may.floors.includes(targetFloor) || may.floors.includes(inTree(target));
  if (targetFloor !== floor && !isOpen) {
    const list = may.floors.length === 0 ? 'nothing' : `only ${may.floors.join(', ')}`;
    const reason =
      targetFloor === 'cli' ? 'nobody imports the roof' : `beside itself ${floor} may import ${list}`;
    return report(`${floor} imports ${targetFloor} ("${specifier}"): ${reason}`);
  }
  return target;
}

function checkGlobals(file, floor, code) {
  if (!WITHOUT_GLOBALS.includes(floor)) return;
  for (const { name, line } of findGlobals(code, FORBIDDEN_GLOBALS)) {
    problems.push(
      `${where(file)}:${line}: ${floor} uses ${name}: time, randomness and Node are handed in from above`,
    );
  }
}

function findGlobals(code, pattern) {
  const found = [...withoutStrings(code).matchAll(pattern)];
  return found.map(({ 0: name, index }) => ({ name, line: code.slice(0, index).split('\n').length }));
}

/** Follows imports from the files for browsers. Types count here too: a page's compiler has none of Node's. */
function checkForBrowsers(sources) {
  const entries = [...sources.keys()].filter((file) => FOR_BROWSERS.test(inTree(file)));
  const paths = new Map(entries.map((file) => [file, where(file)]));
  // The map grows while it is walked.
  for (const [file, path] of paths) {
    const { imports, code } = sources.get(file);
    const ofNode = imports
      .filter(({ specifier }) => specifier?.startsWith('node:'))
      .map(({ specifier, line }) => ({ name: specifier, line }));
    for (const { name, line } of [...ofNode, ...findGlobals(code, GLOBALS_OF_NODE)])
      problems.push(`${where(file)}:${line}: browsers load this and have no ${name} (${path})`);
    for (const target of graph.get(file)) {
      if (!paths.has(target)) paths.set(target, `${path} -> ${where(target)}`);
    }
  }
}

/** Depth-first search; each circle is reported once, from the file where it was entered. */
function checkCycles(graph) {
  const done = new Set();
  const path = [];
  const visit = (file) => {
    if (done.has(file)) return;
    const start = path.indexOf(file);
    if (start !== -1) {
      problems.push(`circle: ${[...path.slice(start), file].map(where).join(' -> ')}`);
      return;
    }
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
}

function where(file) {
  return `${basename(tree)}/${inTree(file)}`;
}

function inTree(file) {
  return relative(tree, file).split(sep).join('/');
}

const files = readdirSync(tree, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
const graph = new Map();
const sources = new Map();
for (const file of files) {
  const floor = floorOf(file);
  if (floor === undefined) {
    problems.push(`${where(file)}: stands on no floor; the floors are ${Object.keys(FLOORS).join(', ')}`);
    continue;
  }
  const { imports, code } = readImports(file);
  const needed = new Set();
  for (const statement of imports) {
    const target = checkImport(file, floor, statement);
    if (target !== undefined) needed.add(target);
  }
  graph.set(file, needed);
  sources.set(file, { imports, code });
  checkGlobals(file, floor, code);
}
checkCycles(graph);
checkForBrowsers(sources);

for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`layers: ${files.length} files import only what their floors may`);
else
  console.error(
    `layers: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${files.length} files`,
  );
process.exitCode = problems.length === 0 ? 0 : 1;
