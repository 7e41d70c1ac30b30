// The command line of run.mjs and compare.mjs: words to a plan, or an error that says what was wrong with them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BOUNDS, CASES, caseNamed } from './cases.mjs';

/** What runs if no case is named: one case for each thing that a server or a client does. */
const TABLE = [
  'echo-64',
  'echo-1k',
  'echo-1k-text',
  'echo-64-single',
  'echo-64k',
  'echo-1m',
  'deflate-json-1k',
  'broadcast-128',
  'handshake',
  'client-receive-64',
  'client-send-64',
].filter((name) => name in CASES);
/** Shorter than a run that one asks for by name, so that the table is there in minutes. */
const TABLE_TIMES = { rounds: 3, seconds: 1, warmup: 0.5 };
const TIMES = { rounds: 5, seconds: 3, warmup: 1 };

/** The peers of the table, and the package each comes from. */
const TABLE_PEERS = { ws: 'ws', bun: 'bun' };
const MODULES = join(import.meta.dirname, 'node_modules');

export const OPTIONS_HELP = `  --case NAME         a case, a kind (echo, latency, broadcast, handshake, idle), a beginning such as deflate-*, or all;
                      several with commas (default: the table, ${TABLE.length} cases in ${TABLE_TIMES.rounds} short rounds)
  --peer NAME, --lib  hawser, ws, raw, another that README.md names, or label=path/to/index.js; several with commas
                      (default: hawser, ws, bun and raw; without installed peers, hawser and raw);
                      the first is the one that the others are divided by
  --rounds N          how often each library gets its turn (default: ${TIMES.rounds})
  --seconds S         length of the measured window (default: ${TIMES.seconds})
  --warmup S          time under load before it (default: ${TIMES.warmup})
  --connections N     instead of the case's own number
  --depth N           frames in flight per connection, instead of the case's own number
  --size N            bytes of payload, instead of the case's own number
  --rate N            messages a second in latency cases
  --no-addons         run ws without its native addons
  --out FILE          where the JSON goes (default: bench/results/DATE.json); charts go beside it
  --no-charts         no charts
  --list              name the cases and stop
  --help              this text`;

const words = (/** @type {string[]} */ lists) =>
  lists.flatMap((list) => list.split(',')).filter((word) => word !== '');

/** @param {string} name @param {string} text @param {number} least @param {number} most */
function numberIn(name, text, least, most) {
  const value = Number(text);
  if (text === '' || !(value >= least && value <= most))
    throw new Error(`--${name} must be between ${least} and ${most}, not ${text}`);
  return value;
}

/** The cases that a list of names, kinds and beginnings stands for. @param {string[]} wanted */
export function selectCases(wanted) {
  const names = new Set();
  for (const word of wanted) {
    const found = Object.keys(CASES).filter(
      (name) =>
        word === 'all' ||
        word === name ||
        (!(word in CASES) && CASES[name]?.kind === word) ||
        (word.endsWith('*') && name.startsWith(word.slice(0, -1))),
    );
    if (found.length === 0) throw new Error(`no case is called ${word}; try --list`);
    for (const name of found) names.add(name);
  }
  return /** @type {string[]} */ ([...names]);
}

/** The libraries of the table, as far as they are installed. @param {(name: string) => boolean} isInstalled */
export function tablePeers(isInstalled = (name) => existsSync(join(MODULES, name))) {
  const installed = Object.entries(TABLE_PEERS).filter(([, module]) => isInstalled(module));
  return ['hawser', ...installed.map(([name]) => name), 'raw'];
}

/**
 * @param {string[]} args
 * @param {{ allowPositionals?: boolean }} [settings]
 */
export function parseOptions(args, { allowPositionals = false } = {}) {
  const string = /** @type {const} */ ({ type: 'string' });
  const list = /** @type {const} */ ({ type: 'string', multiple: true });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  const { values, positionals } = parseArgs({
    args,
    allowPositionals,
    options: {
      case: list,
      lib: list,
      peer: list,
      rounds: string,
      seconds: string,
      warmup: string,
      connections: string,
      depth: string,
      size: string,
      rate: string,
      out: string,
      'no-addons': flag,
      'no-charts': flag,
      list: flag,
      help: flag,
    },
  });
  const wanted = words(values.case ?? []);
  const isTable = wanted.length === 0;
  const times = isTable ? TABLE_TIMES : TIMES;
  const whole = (/** @type {string | undefined} */ text) => (text === undefined ? undefined : Number(text));
  const overrides = {
    connections: whole(values.connections),
    depth: whole(values.depth),
    payloadBytes: whole(values.size),
    ratePerSecond: whole(values.rate),
  };
  const names = isTable ? TABLE : selectCases(wanted);
  for (const name of names) caseNamed(name, overrides);
  return {
    names,
    isTable,
    /** Empty if none is named. */
    libs: words([...(values.peer ?? []), ...(values.lib ?? [])]),
    plan: {
      rounds: Math.trunc(numberIn('rounds', values.rounds ?? `${times.rounds}`, 1, BOUNDS.rounds)),
      seconds: numberIn('seconds', values.seconds ?? `${times.seconds}`, 0.05, BOUNDS.seconds),
      warmup: numberIn('warmup', values.warmup ?? `${times.warmup}`, 0, BOUNDS.seconds),
      overrides,
      needsAddons: !values['no-addons'],
    },
    out: values.out,
    drawsCharts: !values['no-charts'],
    wantsList: values.list,
    wantsHelp: values.help,
    positionals,
  };
}
