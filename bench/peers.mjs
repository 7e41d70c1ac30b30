// Finds the library under test and makes sure that it runs at its best: `ws` is measured with its native
// addons, or not at all.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/**
 * @typedef {object} Peer
 * @property {string} label how the tables call it
 * @property {string} description name, version and native addons
 * @property {any} library its module; null for `raw`
 */

/** The version in the package.json that belongs to a file. @param {string} file */
function versionOf(file) {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version ?? 'unversioned';
  }
  return 'unversioned';
}

/**
 * Loads `hawser`, `ws`, `raw`, or `label=path` (another build with the face of `ws`).
 *
 * @param {string} name
 * @param {{ needsAddons: boolean }} options
 * @returns {Peer}
 */
export function loadPeer(name, { needsAddons }) {
  if (name === 'raw') return { label: 'raw', description: `node:net of ${process.version}`, library: null };
  if (name === 'ws') return loadWs(needsAddons);
  const [label, path] = name === 'hawser' ? ['hawser', join(here, '../dist/index.js')] : name.split('=');
  if (!label || !path) throw new Error(`--lib is hawser, ws, raw or label=path, not ${name}`);
  const file = resolve(path);
  if (!existsSync(file))
    throw new Error(`${file} is not there${name === 'hawser' ? ': run npm run build' : ''}`);
  return { label, description: `${label} ${versionOf(file)}`, library: require(file) };
}

/** @param {boolean} needsAddons */
function loadWs(needsAddons) {
  const folder = join(here, 'node_modules');
  if (!needsAddons) {
    process.env.WS_NO_BUFFER_UTIL = '1';
    const file = require.resolve('ws');
    return {
      label: 'ws',
      description: `ws ${versionOf(file)} without native addons`,
      library: require(file),
    };
  }
  if (!existsSync(join(folder, 'ws')))
    throw new Error('the peers are not installed: run npm ci --prefix bench');
  const file = require.resolve('ws');
  const library = require(file);
  const wsRequire = createRequire(file);
  const versions = ['bufferutil', 'utf-8-validate'].map((addon) => {
    const exported = wsRequire(addon);
    const native = String(exported.mask ?? exported).includes('[native code]');
    if (!native) throw new Error(`${addon} fell back to JavaScript: its native binary did not load`);
    return `${addon} ${versionOf(wsRequire.resolve(addon))}`;
  });
  return { label: 'ws', description: `ws ${versionOf(file)} with ${versions.join(' and ')}`, library };
}
