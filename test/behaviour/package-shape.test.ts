// How the package loads and what it exports: CommonJS, ESM, browser entry, identities.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { runProgram } from '../support/child.js';
import { thrownBy } from '../support/events.js';
import { behaviour, differs, ROOT } from './implementations.js';

const EXPORTED = [
  'createWebSocketStream',
  'extension',
  'PerMessageDeflate',
  'Receiver',
  'Sender',
  'Server',
  'subprotocol',
  'WebSocket',
  'WebSocketServer',
];
const CONSTANTS = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
/** Statics that hawser has beyond the drop-in surface. */
const BEYOND = ['crashOnUnhandledError'];

behaviour('package shape', (implementation) => {
  const { name, main, ws: WebSocket } = implementation;
  const packageRoot = name === 'ws' ? dirname(main) : ROOT;
  const description = require(join(packageRoot, 'package.json'));

  it('the package has no dependencies, no "type", and few subpaths', () => {
    expect(description.dependencies ?? {}).toEqual({});
    expect(description.type).toBeUndefined();
    expect(Object.keys(description.exports)).toEqual(
      differs(implementation, 'more-subpaths', {
        ws: ['.', './package.json'],
        hawser: ['.', './agent', './conform', './mcp', './rpc', './package.json'],
      }),
    );
    expect(Object.keys(description.exports['.'])).toEqual(['browser', 'import', 'require']);
  });

  it('the package bundles its types or not', () => {
    const hasTypes = description.types !== undefined;
    expect(hasTypes).toBe(differs(implementation, 'bundled-types', { ws: false, hawser: true }));
  });

  it('require: the package is the WebSocket class with everything else as own enumerable properties', () => {
    expect(typeof WebSocket).toBe('function');
    const keys = Object.keys(WebSocket).filter((key) => !BEYOND.includes(key));
    expect(keys.sort()).toEqual([...CONSTANTS, ...EXPORTED].sort());
    expect(Object.getPrototypeOf(WebSocket)).toBe(EventEmitter);
  });

  it('require: aliases are identical', () => {
    expect(WebSocket.WebSocket).toBe(WebSocket);
    expect(WebSocket.Server).toBe(WebSocket.WebSocketServer);
    expect(new WebSocket.WebSocketServer({ noServer: true })).toBeInstanceOf(EventEmitter);
  });

  it.each([
    ['WebSocket', 3],
    ['WebSocketServer', 2],
    ['Receiver', 0],
    ['Sender', 3],
    ['PerMessageDeflate', 1],
    ['createWebSocketStream', 2],
  ])('require: %s has its name and length %i', (exported, length) => {
    expect(WebSocket[exported].name).toBe(exported);
    expect(WebSocket[exported].length).toBe(length);
  });

  it('require: the classes can be subclassed and refuse a call without new', () => {
    for (const exported of ['WebSocket', 'WebSocketServer', 'Receiver', 'Sender', 'PerMessageDeflate']) {
      expect(thrownBy(() => WebSocket[exported]())).toBeInstanceOf(TypeError);
    }
    const Base: new (options: object) => object = WebSocket.WebSocketServer;
    class Mine extends Base {}
    expect(new Mine({ noServer: true })).toBeInstanceOf(WebSocket.Server);
  });

  it('the prototype of WebSocket has the documented members', () => {
    expect(Object.getOwnPropertyNames(WebSocket.prototype)).toEqual(
      expect.arrayContaining([
        ...['constructor', ...CONSTANTS],
        ...['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url'],
        ...['onopen', 'onmessage', 'onclose', 'onerror', 'addEventListener', 'removeEventListener'],
        ...['close', 'pause', 'ping', 'pong', 'resume', 'send', 'terminate'],
        ...['setSocket', 'emitClose'],
      ]),
    );
  });

  it('the prototype of WebSocketServer has the documented members', () => {
    expect(Object.getOwnPropertyNames(WebSocket.WebSocketServer.prototype)).toEqual(
      expect.arrayContaining(['address', 'close', 'shouldHandle', 'handleUpgrade', 'completeUpgrade']),
    );
  });

  it('subpaths other than package.json are not exported', () => {
    const fromRoot = createRequire(join(ROOT, 'package.json'));
    for (const path of [
      'lib/websocket.js',
      'lib/websocket-server',
      'index.js',
      'browser.js',
      'dist/index.js',
      'wrapper.mjs',
    ]) {
      expect(thrownBy(() => fromRoot(`${name}/${path}`)).code, path).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
    }
    expect(fromRoot(`${name}/package.json`).name).toBe(name);
  });

  it('import: the default is the class that require returns, and the exports have names', async () => {
    const program = `
      import * as all from '${name}';
      import { createRequire } from 'node:module';
      const names = Object.keys(all);
      const statics = Object.keys(all.default);
      const required = createRequire(process.cwd() + '/x.js')('${name}');
      console.log(JSON.stringify({
        names, statics,
        isSame: all.default === required && names.every((key) =>
          key === 'default' || key === 'module.exports' || all[key] === required[key]),
      }));`;
    const { stdout, stderr } = await runProgram(program, { module: true });
    expect(stderr).toBe('');
    const { names, statics, isSame } = JSON.parse(stdout);
    expect(isSame).toBe(true);
    const named = differs(implementation, 'esm-server', {
      ws: EXPORTED.filter((exported) => exported !== 'Server'),
      hawser: EXPORTED,
    });
    expect(names.filter((exported: string) => exported !== 'module.exports').sort()).toEqual(
      [...named, 'default'].sort(),
    );
    expect(statics.filter((key: string) => EXPORTED.includes(key)).sort()).toEqual(
      differs(implementation, 'esm-statics', { ws: [], hawser: [...EXPORTED].sort() }),
    );
  });

  it('browser entry: a function that refuses and points to the native WebSocket', () => {
    const entry = require(join(packageRoot, name === 'ws' ? 'browser.js' : 'dist/browser.js'));
    expect(typeof entry).toBe('function');
    expect(thrownBy(() => entry()).message).toMatch(/native\s+WebSocket/);
    expect(thrownBy(() => new entry()).message).toMatch(/native\s+WebSocket/);
    const names = differs(implementation, 'browser-named-exports', { ws: [] as string[], hawser: EXPORTED });
    expect(Object.keys(entry)).toEqual(expect.arrayContaining(names));
    expect('WebSocket' in entry).toBe(names.length > 0);
  });

  it.each(['WS_NO_BUFFER_UTIL', 'WS_NO_UTF_8_VALIDATE'])(
    'the environment variable %s is harmless',
    async (variable) => {
      const program = `
      const { WebSocketServer, WebSocket } = require(${JSON.stringify(main)});
      const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const client = new WebSocket('ws://127.0.0.1:' + wss.address().port);
        client.on('open', () => client.send('ä'.repeat(100)));
      });
      wss.on('connection', (socket) => socket.on('message', (data) => {
        console.log(data.toString().length);
        process.exit();
      }));`;
      const outcome = await runProgram(program, { env: { [variable]: '1' } });
      expect(outcome).toEqual({ code: 0, stdout: '100\n', stderr: '' });
    },
  );
});
