// `hawser conform` as a user runs it: the built program, a server or client of its own, files, exit codes.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Progress } from '../../src/cli/conform-progress.js';
import type { CaseResult } from '../../src/conform/result.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { type Program, runHawser, startHawser } from './program.js';

const directory = mkdtempSync(join(tmpdir(), 'hawser-conform-'));
const at = (name: string): string => join(directory, name);
const readJson = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'));

let server: Program;
let url: string;
beforeAll(async () => {
  server = startHawser(['serve', '--port', '0'], null);
  const [, base] = await server.printed(/http:\/\/([\d.]+:\d+)/);
  url = `ws://${base}/echo`;
});
afterAll(async () => {
  server.child.kill();
  await server.ended;
  rmSync(directory, { recursive: true });
});

const FEW = '1.1.1,1.1.2,7.1.1';

describe('hawser conform server', () => {
  it('judges a server, prints a line for each case and a summary, and exits with 0', async () => {
    const { code, stdout, stderr } = await runHawser([
      'conform',
      'server',
      url,
      '--cases',
      FEW,
      '--agent',
      'me',
    ]);
    expect(stdout).toBe('me: 3 of 3 passed (3 OK)\n');
    expect(
      stderr
        .match(/^OK +\S+/gm)
        ?.map((line) => line.split(/ +/)[1])
        .sort(),
    ).toEqual(['1.1.1', '1.1.2', '7.1.1']);
    expect(code).toBe(0);
  });

  it('writes every report that is asked for', async () => {
    const reports = [
      '--html',
      at('r/page.html'),
      '--junit',
      at('r/junit.xml'),
      '--markdown',
      at('r/summary.md'),
    ];
    const run = await runHawser([
      'conform',
      'server',
      url,
      '--cases',
      FEW,
      '--agent',
      'me',
      '--out',
      at('out'),
      ...reports,
    ]);
    expect(run.code).toBe(0);
    expect(readJson('out/index.json').me['1.1.1']).toMatchObject({
      behavior: 'OK',
      behaviorClose: 'OK',
      remoteCloseCode: 1000,
      reportfile: 'me_case_1.1.1.json'.replaceAll('.', '_').replace('_json', '.json'),
    });
    expect(readFileSync(at('r/page.html'), 'utf8')).toContain('1.1.1');
    expect(readFileSync(at('r/junit.xml'), 'utf8')).toContain('<testsuites');
    expect(readFileSync(at('r/summary.md'), 'utf8')).toContain('me');
  });

  it('keeps the agents that are in the directory, and makes reports of it anew', async () => {
    await runHawser(['conform', 'server', url, '--cases', '1.1.1', '--agent', 'one', '--out', at('two')]);
    await runHawser(['conform', 'server', url, '--cases', '1.1.2', '--agent', 'other', '--out', at('two')]);
    expect(Object.keys(readJson('two/index.json'))).toEqual(['one', 'other']);
    const { code } = await runHawser(['conform', 'report', at('two'), '--html', at('two.html')]);
    expect(code).toBe(0);
    const page = readFileSync(at('two.html'), 'utf8');
    expect(page).toContain('"one"');
    expect(page).toContain('"other"');
  });

  it('exits with 1 and says what happened where a server is none', async () => {
    const http = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const run = await runHawser(['conform', 'server', `ws://127.0.0.1:${port}/`, '--cases', '1.1.1']);
    http.close();
    expect(run.code).toBe(1);
    expect(run.stdout).toContain(`127.0.0.1:${port}: 0 of 1 passed (1 FAILED)`);
    expect(run.stdout).toContain('status 200, not 101');
    expect(run.stderr).toContain('is the URL right?');
  });

  it('judges nothing where nobody listens', async () => {
    const run = await runHawser(['conform', 'server', 'ws://127.0.0.1:1/', '--cases', '1.1.1']);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/No connection to 127\.0\.0\.1:1: ECONNREFUSED\. Nothing was judged\./);
  });

  it.each([
    [['server'], 'takes one URL'],
    [['server', 'http://127.0.0.1/'], 'not a ws:// or wss:// URL'],
    [['server', 'ws://127.0.0.1/', '--cases', '1.99'], 'no case for a server has an id like "1.99"'],
    [['server', 'ws://127.0.0.1/', '--group', 'nothing'], 'there is no group "nothing"'],
    [['server', 'ws://192.0.2.1/', '--group', 'robustness'], '192.0.2.1 is not loopback'],
    [['server', 'ws://192.0.2.1/', '--cases', 'robustness.*'], '192.0.2.1 is not loopback'],
    [['server', 'ws://127.0.0.1/', '--baseline', '/nowhere'], '/nowhere: '],
    [['server', 'ws://127.0.0.1/', '--jobs', '0'], '--jobs must be'],
    [['both'], 'unexpected argument "both"'],
    [[], 'missing argument'],
    [['client', '--cert', 'x'], '--cert and --key belong together'],
    [['client', '--cert', __filename, '--key', __filename], 'no start line'],
    [['report', '/nowhere', '--html', 'x'], '/nowhere'],
    [['server', 'ws://127.0.0.1/', '--html', directory], 'this is a directory'],
    [['server', 'ws://127.0.0.1/', '--out', join(process.execPath, 'x')], 'ENOTDIR'],
    [['--compare', '/nowhere'], '--compare takes two files'],
  ])('conform %j -> 2, %s', async (argv, message) => {
    const run = await runHawser(['conform', ...argv]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain(message);
  });

  it('lists what would run', async () => {
    const run = await runHawser(['conform', 'server', '--list', '--cases', '1.*', '--exclude', '1.1.*']);
    expect(
      run.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `1.2.${n}`));
  });
});

describe('what cannot be written', () => {
  it('an index that cannot be read -> 2, and nothing is judged', async () => {
    mkdirSync(at('broken'));
    writeFileSync(at('broken/index.json'), '{');
    const run = await runHawser(['conform', 'server', url, '--cases', '1.1.1', '--out', at('broken')]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('index.json: ');
    expect(run.stdout).toBe('');
  });

  it('is said, and the other files are written all the same -> 1', async () => {
    mkdirSync(at('taken'));
    const index = {
      me: { '1.1.1': { behavior: 'OK', behaviorClose: 'OK', reportfile: 'x.json', subject: 'client' } },
    };
    writeFileSync(at('taken/index.json'), JSON.stringify(index));
    const options = ['--cases', '1.1.1', '--agent', 'me', '--out', at('taken'), '--junit', at('taken.xml')];
    const run = await runHawser(['conform', 'server', url, ...options]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/cannot write .*taken: "me" stands in the index as a client/);
    expect(existsSync(at('taken.xml'))).toBe(true);
  });
});

describe('baselines', () => {
  const judge = (...options: string[]) => runHawser(['conform', 'server', url, '--cases', FEW, ...options]);

  it('a run equals the baseline that it wrote; any difference fails, a better verdict too', async () => {
    expect((await judge('--write-baseline', at('base.json'))).code).toBe(0);
    expect((await judge('--baseline', at('base.json'))).code).toBe(0);

    const baseline = readJson('base.json');
    baseline['1.1.1'].behavior = 'FAILED';
    writeFileSync(at('worse.json'), JSON.stringify(baseline));
    const run = await judge('--baseline', at('worse.json'));
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/1\.1\.1/);

    delete baseline['1.1.1'];
    writeFileSync(at('missing.json'), JSON.stringify(baseline));
    expect((await judge('--baseline', at('missing.json'))).code).toBe(1);
  });

  it('an entry of a case that was not chosen is let be, one of a case that does not exist is stale', async () => {
    await judge('--write-baseline', at('all.json'));
    const baseline = readJson('all.json');
    const verdict = baseline['1.1.1'];
    writeFileSync(at('more.json'), JSON.stringify({ ...baseline, '1.2.1': verdict }));
    expect((await judge('--baseline', at('more.json'))).code).toBe(0);
    writeFileSync(at('stale.json'), JSON.stringify({ ...baseline, '1.9.9': verdict }));
    expect((await judge('--baseline', at('stale.json'))).code).toBe(1);
  });

  it('--compare tells what changed', async () => {
    await judge('--write-baseline', at('a.json'));
    const changed = readJson('a.json');
    changed['1.1.2'].behaviorClose = 'UNCLEAN';
    writeFileSync(at('b.json'), JSON.stringify(changed));
    const run = await runHawser(['conform', '--compare', at('a.json'), at('b.json')]);
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/1\.1\.2.*UNCLEAN/);
    const same = await runHawser(['conform', '--compare', at('a.json'), at('a.json')]);
    expect(same).toMatchObject({ code: 0, stdout: 'No verdict changed.\n' });
  });
});

/** What an Autobahn driver does, by paths; `echo` answers messages. */
function visit(target: string, echo: boolean): Promise<string | undefined> {
  return new Promise((settle) => {
    let received: string | undefined;
    const socket = new WebSocket(target);
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      received = String(data);
      if (echo) socket.send(data, { binary: isBinary });
    });
    socket.on('close', () => settle(received));
  });
}

const CLIENT = `
const { WebSocket } = require(${JSON.stringify(resolve(process.env.HAWSER_DIST ?? 'dist', 'index.js'))});
const visit = (target, echo) => new Promise((resolve) => {
  let received;
  const socket = new WebSocket(target);
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    received = String(data);
    if (echo) socket.send(data, { binary: isBinary });
  });
  socket.on('close', () => resolve(received));
});
(async () => {
  const url = process.argv[2];
  const count = Number(await visit(url + '/getCaseCount', false));
  for (let n = 1; n <= count; n++) await visit(url + '/runCase?case=' + n + '&agent=child', true);
  await visit(url + '/updateReports?agent=child', false);
})();
`;

describe('hawser conform client', () => {
  it('starts the client under test, and judges it', async () => {
    writeFileSync(at('client.cjs'), CLIENT);
    const command = ['--', process.execPath, at('client.cjs'), '{url}'];
    const run = await runHawser([
      'conform',
      'client',
      '--port',
      '0',
      '--cases',
      FEW,
      '--out',
      at('clients'),
      ...command,
    ]);
    expect(run.stderr).toMatch(/listening on ws:\/\/127\.0\.0\.1:\d+ with 3 cases/);
    expect(run.stdout).toBe('child: 3 of 3 passed (3 OK)\n');
    expect(run.code).toBe(0);
    expect(Object.keys(readJson('clients/index.json').child)).toEqual(['1.1.1', '1.1.2', '7.1.1']);
  });

  it('a client that cannot be started, or does nothing -> 1', async () => {
    const none = await runHawser(['conform', 'client', '--port', '0', '--', at('no-such-program')]);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/cannot start .*ENOENT[\s\S]*Nothing was judged/);
    const idle = await runHawser(['conform', 'client', '--port', '0', '--', process.execPath, '-e', '0']);
    expect(idle.code).toBe(1);
    expect(idle.stderr).toContain('Nothing was judged');
  });

  it('a client that hangs is not waited for -> 1', async () => {
    const idle = ['--', process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    const run = await runHawser(['conform', 'client', '--port', '0', '--idle', '200', ...idle]);
    expect(run.stderr).toContain('the client has asked for nothing for 0.2 s');
    expect(run.code).toBe(1);
  });

  it('cases that the client did not come for are no pass', async () => {
    const once = `${CLIENT.replace('n <= count', 'n <= 1')}`;
    writeFileSync(at('once.cjs'), once);
    const command = ['--', process.execPath, at('once.cjs'), '{url}'];
    const run = await runHawser(['conform', 'client', '--port', '0', '--cases', FEW, ...command]);
    expect(run.stdout).toBe('child: 1 of 3 passed (1 OK, 2 did not run)\n');
    expect(run.code).toBe(1);
  });

  it('speaks the paths of a fuzzing server to whoever comes', async () => {
    const program = startHawser(
      ['conform', 'client', '--port', '0', '--cases', FEW, '--out', at('paths')],
      null,
    );
    const base = await new Promise<string>((resolve) => {
      program.child.stderr!.on('data', (chunk) => {
        const match = /listening on (ws:\/\/\S+)/.exec(String(chunk));
        if (match !== null) resolve(match[1]!);
      });
    });
    expect(await visit(`${base}/getCaseCount`, false)).toBe('3');
    expect(JSON.parse((await visit(`${base}/getCaseInfo?case=2`, false))!)).toMatchObject({ id: '1.1.2' });
    await visit(`${base}/runCase?case=2&agent=guest`, true);
    await visit(`${base}/runCase?casetuple=7.1.1&agent=guest`, true);
    expect(JSON.parse((await visit(`${base}/getCaseStatus?case=2&agent=guest`, false))!)).toMatchObject({
      behavior: 'OK',
    });
    expect(await visit(`${base}/runCase?case=4&agent=guest`, true)).toBeUndefined();
    await visit(`${base}/updateReports?agent=guest`, false);
    expect(Object.keys(readJson('paths/index.json').guest)).toEqual(['1.1.2', '7.1.1']);
    await visit(`${base}/stopServer`, false);
    const { code, stdout } = await program.ended;
    expect(stdout).toMatch(/guest: 2 of 3 passed \(2 OK, 1 did not run\)\n$/);
    expect(code).toBe(1);
    expect(existsSync(at('paths/index.json'))).toBe(true);
  });
});

describe('progress', () => {
  const result = (id: string, behavior: CaseResult['behavior']): CaseResult => ({
    id,
    agent: 'a',
    subject: 'server',
    behavior,
    behaviorClose: 'OK',
    finding: '',
    startedAt: '',
    durationMs: 1234,
    peerClose: null,
    testerClose: null,
    droppedBy: null,
    wire: [],
  });

  it('on a terminal: a bar, and lines only for what is not OK', () => {
    let written = '';
    const stream = { isTTY: true, columns: 60, write: (text: string) => (written += text) };
    const progress = new Progress(4, stream);
    progress.result(result('1.1', 'OK'));
    progress.result(result('1.2', 'FAILED'));
    progress.end();
    expect(written).toContain('[######------------------] 1/4  1.1');
    expect(written).toContain('2/4, 1 not passed');
    expect(written.split('\n')).toHaveLength(2);
    expect(written.endsWith('\r\x1b[K')).toBe(true);
  });

  it('elsewhere: a plain line for each case', () => {
    let written = '';
    const progress = new Progress(2, { write: (text: string) => (written += text) });
    progress.result(result('1.1', 'OK'));
    progress.result(result('masking.fresh', 'FAILED'));
    progress.end();
    expect(written).toBe('OK            1.1  1.23 s\nFAILED        masking.fresh  1.23 s\n');
  });
});
