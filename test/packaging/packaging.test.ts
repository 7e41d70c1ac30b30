// The package as a user gets it: what is in it, and that it works through both module systems, compilers and bundlers,
// under its own name and as `ws`.

import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorkshop, type Project, root, type Workshop } from './packed.js';

const STATICS =
  'CONNECTING OPEN CLOSING CLOSED createWebSocketStream extension PerMessageDeflate Receiver Sender Server subprotocol WebSocket WebSocketServer';
const NAMES =
  'PerMessageDeflate Receiver Sender Server WebSocket WebSocketServer createWebSocketStream default extension subprotocol';

const AGENT =
  'MemoryIdempotencyStore, SessionError, SessionServer, WebSocketError, connectSession, debug, messageStreams, once, shutdownOn';

/** A server and a client that exchange one message; `prelude` gets the two classes. */
const exchange = (prelude: string, types = '') => `${prelude}
const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
server.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
server.on('listening', () => {
  const client = new WebSocket('ws://127.0.0.1:' + (server.address()${types}).port);
  client.on('open', () => client.send('hello'));
  client.on('message', (data, isBinary) => {
    console.log(isBinary ? 'binary' : 'text', data.toString());
    client.close(1000);
  });
  client.on('close', (code) => {
    console.log('closed', code);
    server.close();
  });
});
`;
const EXCHANGED = 'text hello\nclosed 1000\n';

const fromRoot = createRequire(join(root, 'package.json'));

let workshop: Workshop;
let hawser: Project;
let ws: Project;
beforeAll(() => {
  workshop = openWorkshop();
  hawser = workshop.install('hawser');
  ws = workshop.install('ws');
  symlinkSync(join(root, 'node_modules/@types'), join(ws.directory, 'node_modules/@types'), 'junction');
});
afterAll(() => workshop?.remove());

function list(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

describe('the tarball', () => {
  it('has what it needs', () => {
    const needed = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'dist/agent/browser.d.ts',
      'dist/agent/browser.js',
      'dist/agent/index.d.ts',
      'dist/agent/index.js',
      'dist/browser.js',
      'dist/browser.mjs',
      'dist/cli/main.js',
      'dist/cli/page/index.html',
      'dist/index.js',
      'dist/index.mjs',
      'package.json',
      'src/index.ts',
      'types/index.d.mts',
      'types/index.d.ts',
    ];
    const shipped = new Set(list(hawser.installed));
    expect(needed.filter((name) => !shipped.has(name))).toEqual([]);
  });

  it('has nothing else', () => {
    const expected =
      /^(?:(?:dist|docs|src|types)\/|(?:ARCHITECTURE|CHANGELOG|README)\.md$|LICENSE$|package\.json$)/;
    expect(list(hawser.installed).filter((name) => !expected.test(name) || name.includes('.built'))).toEqual(
      [],
    );
  });

  it('every built file has a map, and every map leads to a source that is there', () => {
    const built = list(hawser.installed).filter(
      (name) => /^dist\/.*\.m?js$/.test(name) && !name.includes('/page/'),
    );
    expect(built.length).toBeGreaterThan(20);
    for (const name of built) {
      const file = join(hawser.installed, name);
      const map = /^\/\/# sourceMappingURL=(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1];
      expect(map, name).toBeDefined();
      const { sources } = JSON.parse(readFileSync(join(dirname(file), map!), 'utf8')) as {
        sources: string[];
      };
      for (const source of sources)
        expect(statSync(resolve(dirname(file), source)).isFile(), source).toBe(true);
    }
  });

  it('depends on nothing and runs nothing when installed', () => {
    const manifest = JSON.parse(readFileSync(join(hawser.installed, 'package.json'), 'utf8'));
    for (const field of ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies']) {
      expect(Object.keys(manifest[field] ?? {}), field).toEqual([]);
    }
    expect(Object.keys(manifest.scripts)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/install$/)]),
    );
    expect(
      readdirSync(join(hawser.directory, 'node_modules')).filter((name) => !name.startsWith('.')),
    ).toEqual(['hawser']);
  });

  it('brings the command', () => {
    const command = join(hawser.directory, 'node_modules/.bin/hawser');
    expect(statSync(command).mode & 0o111).not.toBe(0);
    const { status, output } = hawser.node(command, '--help');
    expect(output).toContain('hawser serve');
    expect(status).toBe(0);
  });
});

describe('hawser/agent', () => {
  it('import and require -> these names, one instance of each', () => {
    hawser.write({
      'agent.mjs': `
        import { createRequire } from 'node:module';
        import * as imported from 'hawser/agent';
        import { ${AGENT} } from 'hawser/agent';
        const required = createRequire(import.meta.url)('hawser/agent');
        console.log(Object.keys(required).sort().join(', '));
        console.log(Object.keys(required).filter((name) => imported[name] !== required[name]).length);`,
    });
    expect(hawser.node('agent.mjs')).toEqual({ status: 0, output: `${AGENT}\n0\n` });
  });

  it('a session -> a message and its answer, and the process ends', () => {
    hawser.write({
      'session.cjs': `
        const http = require('node:http');
        const { connectSession, SessionServer } = require('hawser/agent');
        const httpServer = http.createServer().listen(0, '127.0.0.1', async () => {
          const server = new SessionServer({ server: httpServer });
          server.on('session', (session) => session.on('message', (text) => session.send(text + ' yourself')));
          const session = connectSession('ws://127.0.0.1:' + httpServer.address().port);
          await session.send('hello');
          for await (const message of session) {
            console.log(message);
            break;
          }
          await session.close();
          await server.close();
          httpServer.close();
        });`,
    });
    expect(hawser.node('session.cjs')).toEqual({ status: 0, output: 'hello yourself\n' });
  });
});

describe('hawser/rpc', () => {
  it('import and require -> these names, one instance of each', () => {
    const names = 'CallError, RPC, RpcError, RpcPeer, defineContract';
    hawser.write({
      'rpc.mjs': `
        import { createRequire } from 'node:module';
        import { ${names} } from 'hawser/rpc';
        const required = createRequire(import.meta.url)('hawser/rpc');
        console.log(Object.keys(required).sort().join(', '));
        console.log([${names}].filter((value) => !Object.values(required).includes(value)).length);`,
    });
    expect(hawser.node('rpc.mjs')).toEqual({ status: 0, output: `${names}\n0\n` });
  });

  it('two peers -> a result and a stream, and the process ends', () => {
    hawser.write({
      'peers.cjs': `
        const { WebSocket, WebSocketServer } = require('hawser');
        const { RpcPeer } = require('hawser/rpc');
        const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
        const handlers = { add: ({ a, b }) => a + b, async *count() { yield 1; yield 2; } };
        server.on('connection', (socket) => new RpcPeer(socket, { handlers }));
        server.on('listening', async () => {
          const peer = new RpcPeer(new WebSocket('ws://127.0.0.1:' + server.address().port));
          console.log(await peer.call('add', { a: 1, b: 2 }));
          for await (const number of await peer.call('count')) console.log(number);
          await peer.close();
          server.close();
        });`,
    });
    expect(hawser.node('peers.cjs')).toEqual({ status: 0, output: '3\n1\n2\n' });
  });
});

describe('hawser/conform', () => {
  const JUDGE = `
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    server.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
    server.on('listening', async () => {
      const results = await judgeServer({
        url: new URL('ws://127.0.0.1:' + server.address().port),
        agent: 'me',
        cases: selectCases(CASES, { subject: 'server', cases: ['1.1.1', 'masking.server-masks-nothing'] }),
      });
      console.log(results.map(({ id, behavior }) => id + ' ' + behavior).join(', '));
      server.close();
    });`;

  it.each([
    [
      'judge.cjs',
      "const { CASES, judgeServer, selectCases } = require('hawser/conform'); const { WebSocketServer } = require('hawser');",
    ],
    [
      'judge.mjs',
      "import { CASES, judgeServer, selectCases } from 'hawser/conform'; import { WebSocketServer } from 'hawser';",
    ],
  ])('%s: judges a server', (file, head) => {
    hawser.write({ [file]: head + JUDGE });
    expect(hawser.node(file)).toEqual({ status: 0, output: '1.1.1 OK, masking.server-masks-nothing OK\n' });
  });
});

describe('modules', () => {
  it('require -> the class, with everything else as its enumerable properties in this order', () => {
    hawser.write({ 'keys.cjs': "console.log(Object.keys(require('hawser')).join(' '));" });
    expect(hawser.node('keys.cjs')).toEqual({ status: 0, output: `${STATICS}\n` });
  });

  it('require -> names, arities and identities of npm ws', () => {
    hawser.write({
      'identities.cjs': `
        const W = require('hawser');
        const classes = [W, W.WebSocketServer, W.Receiver, W.Sender, W.PerMessageDeflate];
        console.log(W === W.WebSocket, W.Server === W.WebSocketServer);
        console.log(classes.map((c) => c.name + '/' + c.length).join(' '));`,
    });
    const { output } = hawser.node('identities.cjs');
    expect(output).toBe('true true\nWebSocket/3 WebSocketServer/2 Receiver/0 Sender/3 PerMessageDeflate/1\n');
  });

  it('import -> these names', () => {
    hawser.write({
      'names.mjs': "import * as all from 'hawser';\nconsole.log(Object.keys(all).sort().join(' '));",
    });
    expect(hawser.node('names.mjs')).toEqual({ status: 0, output: `${NAMES}\n` });
  });

  it('import and require -> one instance of everything, whichever comes first', () => {
    hawser.write({
      'same.mjs': `
        import { createRequire } from 'node:module';
        import * as imported from 'hawser';
        const required = createRequire(import.meta.url)('hawser');
        const { default: WebSocket, ...names } = imported;
        console.log(WebSocket === required, WebSocket.WebSocket === required);
        console.log(Object.keys(names).filter((name) => names[name] !== required[name]).length);`,
      'same.cjs': `
        const required = require('hawser');
        import('hawser').then(({ default: WebSocket, Server }) => console.log(WebSocket === required, Server === required.Server));`,
    });
    expect(hawser.node('same.mjs')).toEqual({ status: 0, output: 'true true\n0\n' });
    expect(hawser.node('same.cjs')).toEqual({ status: 0, output: 'true true\n' });
  });

  it.each(['dist/index.js', 'dist/ws/websocket.js', 'lib/websocket', 'types/index.d.ts'])(
    'require of the inner path %s -> refused',
    (path) => {
      hawser.write({
        'inner.cjs': `try { require('hawser/${path}'); } catch (error) { console.log(error.code); }`,
      });
      expect(hawser.node('inner.cjs')).toEqual({ status: 0, output: 'ERR_PACKAGE_PATH_NOT_EXPORTED\n' });
    },
  );

  it('package.json can be required', () => {
    hawser.write({ 'manifest.cjs': "console.log(require('hawser/package.json').name);" });
    expect(hawser.node('manifest.cjs')).toEqual({ status: 0, output: 'hawser\n' });
  });

  it('the CommonJS loader of a test runner, with globals of its own -> a message is exchanged', () => {
    hawser.write({
      'test.cjs': exchange("const WebSocket = require('hawser');\nconst { WebSocketServer } = WebSocket;"),
      'runner.cjs': `
        const { createRequire } = require('node:module');
        const { dirname, resolve } = require('node:path');
        const { readFileSync } = require('node:fs');
        const vm = require('node:vm');
        const { Buffer, console, process, setTimeout, clearTimeout, setImmediate, clearImmediate, URL } = globalThis;
        const context = vm.createContext({
          Buffer, console, process, setTimeout, clearTimeout, setImmediate, clearImmediate, URL,
          AbortController, AbortSignal, Blob, performance, queueMicrotask, TextDecoder, TextEncoder,
        });
        const cache = new Map();
        function load(file) {
          if (cache.has(file)) return cache.get(file).exports;
          const module = { exports: {} };
          cache.set(file, module);
          const outer = createRequire(file);
          const inner = (name) => (/^node:/.test(name) ? require(name) : load(outer.resolve(name)));
          const wrapper = '(function (exports, require, module, __filename, __dirname) {' + readFileSync(file, 'utf8') + '\\n})';
          vm.runInContext(wrapper, context, { filename: file })(module.exports, inner, module, file, dirname(file));
          return module.exports;
        }
        load(resolve('test.cjs'));`,
    });
    expect(hawser.node('runner.cjs')).toEqual({ status: 0, output: EXCHANGED });
  });
});

describe('installed as ws', () => {
  it('require -> a message is exchanged', () => {
    ws.write({
      'a.cjs': exchange("const WebSocket = require('ws');\nconst { WebSocketServer } = WebSocket;"),
    });
    expect(ws.node('a.cjs')).toEqual({ status: 0, output: EXCHANGED });
  });

  it('import -> a message is exchanged', () => {
    ws.write({ 'a.mjs': exchange("import WebSocket, { WebSocketServer } from 'ws';") });
    expect(ws.node('a.mjs')).toEqual({ status: 0, output: EXCHANGED });
  });

  it.each(['cts', 'mts'])(
    'TypeScript, .%s -> compiles with the types of the package, and runs',
    (extension) => {
      const types = " as import('ws').AddressInfo";
      const program = exchange("import WebSocket, { WebSocketServer } from 'ws';", types);
      const options = {
        module: 'node20',
        target: 'es2023',
        strict: true,
        types: ['node'],
        rootDir: 'source',
        outDir: 'out',
      };
      ws.write({
        [`source/program.${extension}`]: program,
        'tsconfig.json': JSON.stringify({ compilerOptions: options, files: [`source/program.${extension}`] }),
      });
      const tsc = join(dirname(fromRoot.resolve('typescript/package.json')), 'bin/tsc');
      expect(ws.node(tsc, '-p', 'tsconfig.json')).toEqual({ status: 0, output: '' });
      expect(ws.node(`out/program.${extension.replace('ts', 'js')}`)).toEqual({
        status: 0,
        output: EXCHANGED,
      });
    },
  );
});

describe('bundled', () => {
  // The bundler that vitest brings.
  const fromVitest = createRequire(fromRoot.resolve('vitest/package.json'));
  const rolldownPath = createRequire(fromVitest.resolve('vite/package.json')).resolve('rolldown');

  interface Bundler {
    rolldown(options: {
      cwd: string;
      input: string;
      platform: 'node' | 'browser';
      onLog(level: string, log: { message: string }): void;
    }): Promise<{
      write(options: { file: string; format: 'esm' }): Promise<unknown>;
      close(): Promise<void>;
    }>;
  }

  /** Bundles `input` into bundle.mjs, and returns what the bundler warns of. */
  const bundle = async (project: Project, input: string, platform: 'node' | 'browser') => {
    const { rolldown } = (await import(rolldownPath)) as Bundler;
    const warnings: string[] = [];
    const bundled = await rolldown({
      cwd: project.directory,
      input,
      platform,
      onLog: (_level, log) => warnings.push(log.message),
    });
    await bundled.write({ file: join(project.directory, 'bundle.mjs'), format: 'esm' });
    await bundled.close();
    return warnings;
  };

  it('for Node, an ESM program -> a message is exchanged by the bundle alone', async () => {
    hawser.write({ 'app.mjs': exchange("import WebSocket, { WebSocketServer } from 'hawser';") });
    expect(await bundle(hawser, 'app.mjs', 'node')).toEqual([]);
    expect(hawser.node('bundle.mjs')).toEqual({ status: 0, output: EXCHANGED });
  });

  it('for browsers, every name is found; using one says what to use instead', async () => {
    hawser.write({
      'page.mjs': `
        import WebSocket, { createWebSocketStream, extension, PerMessageDeflate, Receiver, Sender, Server, subprotocol, WebSocketServer } from 'hawser';
        class Mine extends WebSocket {}
        const uses = [
          () => WebSocket('ws://x'), () => new WebSocket('ws://x'), () => new Mine('ws://x'), () => new WebSocketServer(),
          () => new Server(), () => new Receiver(), () => new Sender(), () => new PerMessageDeflate(), () => createWebSocketStream(),
          () => extension.parse(''), () => subprotocol.parse(''), () => new WebSocket.Server(),
        ];
        for (const use of uses) {
          try { use(); console.log('works?'); } catch (error) { console.log(error.message); }
        }
        console.log(WebSocket.OPEN);`,
    });
    expect(await bundle(hawser, 'page.mjs', 'browser')).toEqual([]);
    const lines = hawser.node('bundle.mjs').output.trimEnd().split('\n');
    expect(lines.pop()).toBe('1');
    expect(lines).toEqual(Array(12).fill('hawser runs in Node.js: in a browser, use the native WebSocket'));
  });

  it('for browsers through require -> the same', async () => {
    hawser.write({
      'page.cjs':
        "const W = require('hawser');\ntry { new W.WebSocket(); } catch (error) { console.log(error.message); }",
    });
    await bundle(hawser, 'page.cjs', 'browser');
    expect(hawser.node('bundle.mjs').output).toContain('use the native WebSocket');
  });
});
