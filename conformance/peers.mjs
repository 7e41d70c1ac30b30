// The implementations that are judged: what each is started with, which version it is, and what is missing for it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

/** Another build of hawser, as the judge and as a peer. */
export const DIST = resolve(process.env.HAWSER_DIST ?? join(here, '../dist'));
const PYTHON = '/usr/bin/python3';
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const NODE = join(here, `node_modules/node24-${process.platform}-${process.arch}/bin/node`);

/**
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} title
 * @property {('server' | 'client')[]} roles
 * @property {string} settings what differs from its defaults, for people
 * @property {() => string | undefined} version undefined where it is not installed
 * @property {string} installation how to get it
 * @property {string} [requirement] the word in HAWSER_REQUIRE that makes its absence a failure
 * @property {string} program
 * @property {string} [file] in servers/ and clients/; default: the name with `.mjs`
 * @property {boolean} [isAttacked] whether it runs the group robustness too
 */

/** @type {Peer[]} */
export const PEERS = [
  {
    name: 'hawser',
    title: 'hawser',
    roles: ['server', 'client'],
    settings: 'permessage-deflate on; otherwise the defaults',
    version: () => (existsSync(DIST) ? readVersion(join(here, '../package.json')) : undefined),
    installation: 'npm run build',
    program: process.execPath,
    isAttacked: true,
  },
  {
    name: 'ws',
    title: 'ws',
    roles: ['server', 'client'],
    settings: 'permessage-deflate on; otherwise the defaults, without native addons',
    ...packaged('ws'),
    isAttacked: true,
  },
  {
    name: 'websocket',
    title: 'websocket',
    roles: ['server', 'client'],
    settings: 'limits of size raised to 64 MiB; it has no compression',
    ...packaged('websocket'),
  },
  {
    name: 'faye-websocket',
    title: 'faye-websocket',
    roles: ['server', 'client'],
    settings: 'the defaults; compression would be a package of its own, and is not used',
    ...packaged('faye-websocket'),
  },
  {
    name: 'undici',
    title: 'undici',
    roles: ['client'],
    settings: 'the defaults',
    ...packaged('undici'),
  },
  {
    name: 'node',
    title: "Node.js's own WebSocket",
    roles: ['client'],
    settings: 'the defaults',
    version: () => outputOf(NODE, '-p', 'process.version + " with undici " + process.versions.undici'),
    installation: 'npm ci --prefix conformance (the package of Node.js 24 for this platform)',
    program: NODE,
  },
  {
    name: 'chromium',
    title: 'Chromium',
    roles: ['client'],
    settings: 'headless, driven from a page',
    version: () => outputOf(CHROMIUM, '--version')?.match(/[\d.]+/)?.[0],
    installation: 'apt-get install chromium',
    requirement: 'chromium',
    program: process.execPath,
  },
  {
    name: 'python-websockets',
    title: 'websockets for Python',
    roles: ['server', 'client'],
    settings: 'limit of size raised to 64 MiB; otherwise the defaults',
    version: () => outputOf(PYTHON, '-c', 'import websockets; print(websockets.__version__)'),
    installation: 'apt-get install python3-websockets',
    requirement: 'python',
    program: PYTHON,
    file: 'python-websockets.py',
  },
];

/** What starts the peer in a role. @param {Peer} peer @param {'server' | 'client'} role */
export function commandOf({ program, file, name }, role) {
  return [program, join(here, `${role}s`, file ?? `${name}.mjs`)];
}

/** A package of npm: from node_modules here, or else from that of the project. @param {string} name */
function packaged(name) {
  return {
    version: () => {
      const folder = require.resolve
        .paths(name)
        ?.map((path) => join(path, name, 'package.json'))
        .find(existsSync);
      return folder && readVersion(folder);
    },
    installation: 'npm ci --prefix conformance --ignore-scripts',
    program: process.execPath,
  };
}

/** @param {string} file @returns {string} */
function readVersion(file) {
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** @param {string} program @param {string[]} args */
function outputOf(program, ...args) {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
