// Finds what is under test, says which cases it can do, and makes sure that it runs at its best: `ws` is
// measured with its native addons, or not at all.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, 'node_modules');
const require = createRequire(import.meta.url);

/**
 * @typedef {object} Peer
 * @property {string} label how the tables call it
 * @property {string} description name, version and native addons
 * @property {'ws' | 'websocket' | 'faye-websocket' | 'undici' | 'bun' | 'uws' | 'raw'} face how it is spoken to
 * @property {any} library its module; null for `raw` and inside Bun
 */

/** Everything that `--lib` knows by name; each is what a user gets who follows its documentation. */
export const PEERS = /** @type {const} */ ([
  'hawser',
  'ws',
  'bun',
  'raw',
  'websocket',
  'faye-websocket',
  'undici',
  'uws',
]);

/** The version in the package.json that belongs to a file. @param {string} file */
function versionOf(file) {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version ?? 'unversioned';
  }
  return 'unversioned';
}

/**
 * Why a peer has no number for a case, or null when it has one. That is a fact about the peer and no failure.
 *
 * @param {string} lib
 * @param {import('./cases.mjs').Case} spec
 * @returns {string | null}
 */
export function whyNot(lib, spec) {
  if (lib === 'undici' && spec.kind !== 'client') return 'undici is a client';
  if (lib === 'uws' && spec.kind === 'client') return 'uWebSockets.js has no client';
  if (lib === 'uws' && spec.tls) return 'uWebSockets.js takes certificates from files only';
  if ((lib === 'bun' || lib === 'uws') && spec.listener === 'http' && !spec.tls)
    return `${lib} cannot be attached to an http.Server`;
  if (lib !== 'websocket' && lib !== 'faye-websocket') return null;
  if (spec.deflate !== false) return `${lib} has no permessage-deflate of its own`;
  if (spec.kind === 'handshake' && spec.listener === 'own') return `${lib} does not listen itself`;
  return null;
}

/**
 * Loads a peer by its name, or `label=path` (another build with the face of `ws`).
 *
 * @param {string} name
 * @param {{ needsAddons: boolean }} options
 * @returns {Peer}
 */
export function loadPeer(name, { needsAddons }) {
  if (name === 'raw')
    return { label: 'raw', description: `node:net of ${process.version}`, face: 'raw', library: null };
  if (name === 'bun') return loadBun();
  if (name === 'uws') return loadUws();
  if (name === 'ws') return loadWs(needsAddons);
  if (name === 'websocket' || name === 'faye-websocket' || name === 'undici') return loadInstalled(name);
  const [label, path] = name === 'hawser' ? ['hawser', join(here, '../dist/index.js')] : name.split('=');
  if (!label || !path) throw new Error(`--lib is ${PEERS.join(', ')} or label=path, not ${name}`);
  const file = resolve(path);
  if (!existsSync(file))
    throw new Error(`${file} is not there${name === 'hawser' ? ': run npm run build' : ''}`);
  return { label, description: `${label} ${versionOf(file)}`, face: 'ws', library: require(file) };
}

/** @param {string} name */
function requireInstalled(name) {
  if (!existsSync(join(modules, name)))
    throw new Error(`${name} is not installed: run npm ci --prefix bench`);
}

/** @param {'websocket' | 'faye-websocket' | 'undici'} name @returns {Peer} */
function loadInstalled(name) {
  requireInstalled(name);
  const file = require.resolve(name);
  return { label: name, description: `${name} ${versionOf(file)}`, face: name, library: require(file) };
}

/** The program of Bun, which npm unpacks in a package for each platform; no install script has to run. */
export function bunProgram() {
  requireInstalled('bun');
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const processor = process.arch === 'arm64' ? 'aarch64' : process.arch;
  const extension = system === 'windows' ? '.exe' : '';
  const places = [
    join(modules, `@oven/bun-${system}-${processor}/bin/bun${extension}`),
    join(modules, `@oven/bun-${system}-${processor}-musl/bin/bun`),
    // Where the install script of `bun` moves it, if it was allowed to run. Before that, a stub lies there.
    join(modules, 'bun/bin/bun.exe'),
  ];
  const found = places.find((place) => existsSync(place) && statSync(place).size > 1_000_000);
  if (found === undefined) throw new Error(`npm has no program of Bun for ${system} on ${processor}`);
  return found;
}

/** Bun is what runs this process, and brings its server and its client along. @returns {Peer} */
function loadBun() {
  const version = process.versions.bun;
  if (version === undefined) throw new Error('bun has to be run by Bun: bench/measure.mjs does that');
  return { label: 'bun', description: `bun ${version}`, face: 'bun', library: null };
}

/** Not on npm: whoever wants it in the table installs it from its repository, as its README says. @returns {Peer} */
function loadUws() {
  if (!existsSync(join(modules, 'uWebSockets.js')))
    throw new Error('uWebSockets.js is not installed in bench/node_modules; its README says how');
  const file = require.resolve('uWebSockets.js');
  return {
    label: 'uws',
    description: `uWebSockets.js ${versionOf(file)}`,
    face: 'uws',
    library: require(file),
  };
}

/** @param {boolean} needsAddons @returns {Peer} */
function loadWs(needsAddons) {
  const face = 'ws';
  if (!needsAddons) {
    process.env.WS_NO_BUFFER_UTIL = '1';
    const file = require.resolve('ws');
    const description = `ws ${versionOf(file)} without native addons`;
    return { label: 'ws', description, face, library: require(file) };
  }
  requireInstalled('ws');
  const file = require.resolve('ws');
  const library = require(file);
  const wsRequire = createRequire(file);
  const versions = ['bufferutil', 'utf-8-validate'].map((addon) => {
    const exported = wsRequire(addon);
    const native = String(exported.mask ?? exported).includes('[native code]');
    if (!native) throw new Error(`${addon} fell back to JavaScript: its native binary did not load`);
    return `${addon} ${versionOf(wsRequire.resolve(addon))}`;
  });
  return { label: 'ws', description: `ws ${versionOf(file)} with ${versions.join(' and ')}`, face, library };
}
