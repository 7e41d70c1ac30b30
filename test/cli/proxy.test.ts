// The command `proxy` as a process, between clients and the server of `hawser serve` in this process.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments, UsageError } from '../../src/cli/arguments.js';
import { DemoServer } from '../../src/cli/demo-server.js';
import { proxy, proxyCommand } from '../../src/cli/proxy.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { next } from '../support/events.js';
import { type Program, runHawser, startHawser } from './program.js';

let echo: DemoServer;
let echoUrl: string;
const running: Program[] = [];

beforeEach(async () => {
  echo = new DemoServer('127.0.0.1', 50);
  await echo.listen(0);
  echoUrl = `${echo.url.replace('http', 'ws')}echo`;
});

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await echo.close();
});

/** @returns the process, and the URL of the echo behind it */
async function startProxy(...argv: string[]): Promise<{ program: Program; url: string }> {
  const program = startHawser(['proxy', '--port', '0', ...argv, echoUrl], null);
  running.push(program);
  const [, url] = await program.printed(/(ws:\/\/127\.0\.0\.1:\d+\/echo)/);
  return { program, url: url! };
}

async function stop({ child, ended }: Program, signal: NodeJS.Signals = 'SIGINT'): Promise<string> {
  child.kill(signal);
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

function parseLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('hawser proxy', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'without faults: hawser connect gets its echo; %s -> totals',
    async (signal) => {
      const { program, url } = await startProxy();
      expect(await runHawser(['connect', url], 'hi\n')).toMatchObject({
        code: 0,
        stdout: 'hi\n',
        stderr: '',
      });
      await program.printed(/#1 closed by/);
      const stdout = await stop(program, signal);
      expect(stdout).toContain(`${url}   in front of ${echoUrl}; Ctrl+C ends it\n`);
      expect(stdout).toMatch(/ s {2}#1 opened by 127\.0\.0\.1:\d+\n/);
      expect(stdout).toMatch(/#1 closed by the (client|target) after \d\.\d{3} s, \d+ bytes in, \d+ out\n/);
      expect(stdout).toMatch(/\nconnections: 1, cuts: 0, refused: 0, bytes: \d+ in, \d+ out\n$/);
    },
  );

  it('--drop-every -> hawser connect ends abnormally', async () => {
    const { program, url } = await startProxy('--drop-every', '1s', '--drop-with', 'fin');
    expect((await runHawser(['connect', '--wait', 'forever', url], 'hi\n')).code).toBe(3);
    expect(await stop(program)).toMatch(/#1 cut \(fin\) after \d+\.\d{3} s, \d+ bytes in, \d+ out\n/);
  });

  it('--drop-after, --refuse and --json -> cut at the byte, then refused, all of it told', async () => {
    const options = ['--drop-after', '500', '--direction', 'in', '--refuse', '1h', '--json'];
    const { program, url } = await startProxy(...options);
    const client = new WebSocket(url, { perMessageDeflate: false });
    client.on('error', () => {});
    await next(client, 'open');
    const closed = next(client, 'close');
    client.send('x'.repeat(1000));
    expect((await closed)[0]).toBe(1006);
    await program.printed(/"event":"cut"/);
    expect((await runHawser(['connect', url])).code).toBe(1);
    await program.printed(/"event":"refused"/);
    const events = parseLines(await stop(program));
    expect(events.map(({ event }) => event)).toEqual([
      'listening',
      'open',
      'cut',
      'close',
      'refused',
      'closing',
    ]);
    expect(events[0]).toMatchObject({ url, target: echoUrl });
    expect(events[1]).toMatchObject({
      connection: 1,
      remoteAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(events[2]).toMatchObject({ connection: 1, how: 'rst', bytesIn: 500 });
    expect(events[3]).toMatchObject({ connection: 1, endedBy: 'cut', bytesIn: 500 });
    expect(events[5]).toMatchObject({ connections: 1, open: 0, cut: 1, refused: 1, bytesIn: 500 });
  });

  it('--latency, --jitter, --rate, --chunk -> what is said arrives whole', async () => {
    const options = ['--latency', '5ms', '--jitter', '20ms', '--rate', '1m', '--chunk', '7', '--seed', '3'];
    const { url } = await startProxy(...options);
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`).join('\n');
    expect((await runHawser(['connect', url], lines)).stdout).toBe(`${lines}\n`);
  });

  it('--blackhole -> begins and ends, and the echo comes after all', async () => {
    const { program, url } = await startProxy('--blackhole', '200ms/400ms', '--json');
    await program.printed(/"event":"blackhole".*"on":true/);
    expect(await runHawser(['connect', '--wait', '1000', url], 'hi\n')).toMatchObject({
      code: 0,
      stdout: 'hi\n',
    });
    await program.printed(/"event":"blackhole".*"on":false,"direction":"both"/);
    await stop(program);
  });

  it('Ctrl+C with a connection open -> ends it', async () => {
    const { program, url } = await startProxy('--json');
    const client = new WebSocket(url);
    client.on('error', () => {});
    await next(client, 'open');
    const closed = next(client, 'close');
    expect(parseLines(await stop(program)).at(-2)).toMatchObject({ event: 'close', endedBy: 'proxy' });
    expect((await closed)[0]).toBe(1006);
  });

  it('a target that cannot be reached -> says so, and goes on', async () => {
    const { program, url } = await startProxy();
    await echo.close();
    expect((await runHawser(['connect', url])).code).toBe(1);
    await program.printed(/#1 the target cannot be reached/);
    await stop(program);
  });

  it('port in use -> one clear line, exit code 1', async () => {
    const { port } = new URL(echoUrl);
    expect(await runHawser(['proxy', '--port', port, '127.0.0.1:1'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `hawser: port ${port} of 127.0.0.1 is in use; choose another with --port\n`,
    });
  });

  it.each(['127.0.0.1:80', '[::1]:443'])(
    'TARGET %s -> the address where it listens has no scheme either',
    async (target) => {
      const program = startHawser(['proxy', '--port', '0', target], null);
      running.push(program);
      await program.printed(/^127\.0\.0\.1:\d+ {3}in front of /);
    },
  );

  it.each([
    [[], 'missing argument TARGET (see hawser proxy --help)'],
    [['localhost'], 'TARGET must be HOST:PORT or ws://HOST[:PORT][/PATH], not "localhost"'],
    [
      ['http://localhost:80'],
      'TARGET must be HOST:PORT or ws://HOST[:PORT][/PATH], not "http://localhost:80"',
    ],
    [['localhost:0'], 'TARGET must be HOST:PORT or ws://HOST[:PORT][/PATH], not "localhost:0"'],
    [['localhost:80/x'], 'TARGET must be HOST:PORT or ws://HOST[:PORT][/PATH], not "localhost:80/x"'],
    [['--refuse', '1s', 'a:1'], '--refuse needs --drop-every or --drop-after'],
    [['--drop-with', 'fin', 'a:1'], '--drop-with needs --drop-every or --drop-after'],
    [
      ['--drop-every', '1s', '--drop-with', 'ack', 'a:1'],
      '--drop-with must be one of rst, fin, blackhole, not "ack"',
    ],
    [['--direction', 'up', 'a:1'], '--direction must be one of in, out, both, not "up"'],
    [['--blackhole', '2s/1s', 'a:1'], '--blackhole FOR/EVERY: EVERY must be longer than FOR, not "2s/1s"'],
    [
      ['--blackhole', '1s/2s/3s', 'a:1'],
      '--blackhole must be a duration such as 40ms, 5s or 1m, of at most 24 days, not "1s/2s/3s"',
    ],
    [
      ['--latency', '40', 'a:1'],
      '--latency must be a duration such as 40ms, 5s or 1m, of at most 24 days, not "40"',
    ],
    [['--chunk', '0', 'a:1'], '--chunk must be a number of bytes such as 64, 1k or 1m, at least 1, not "0"'],
  ])('refuses %j in one line', async (argv, message) => {
    const run = async (): Promise<number> => proxy(parseArguments(proxyCommand, argv));
    await expect(run()).rejects.toThrow(new UsageError(message));
  });
});
