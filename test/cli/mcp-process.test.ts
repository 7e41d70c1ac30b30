import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { McpProcess } from '../../src/cli/mcp-process.js';

const started: McpProcess[] = [];

afterEach(async () => {
  for (const process of started.splice(0)) {
    process.kill();
    await process.ended;
  }
});

/** A process of node that runs `source`. */
function start(source: string, options: object = {}) {
  const log = new PassThrough();
  const process_ = new McpProcess({
    command: process.execPath,
    args: ['-e', source],
    env: process.env,
    maxLineBytes: 1000,
    log,
    stopTimes: { inputMs: 50, termMs: 50 },
    ...options,
  });
  started.push(process_);
  return { process: process_, log };
}

async function firstLine(process: McpProcess): Promise<string | undefined> {
  return (await process.lines().next()).value;
}

describe('McpProcess', () => {
  it('messages in -> lines out', async () => {
    const { process } = start('process.stdin.pipe(process.stdout)');
    await process.send({ jsonrpc: '2.0', method: 'm' });
    expect(await firstLine(process)).toBe('{"jsonrpc":"2.0","method":"m"}');
  });

  it('what it logs -> with a prefix, escaped, and cut', async () => {
    const { process: child, log } = start(`console.error('one\\x1b[2J\\n' + 'x'.repeat(70000) + '\\ntwo')`);
    const prefix = `[${process.execPath} ${child.pid}]`;
    let logged = '';
    log.on('data', (chunk) => {
      logged += chunk;
    });
    await vi.waitFor(() =>
      expect(logged).toBe(`${prefix} one\\x1b[2J\n${prefix} (a line that is too long)\n${prefix} two\n`),
    );
  });

  it('one that closes its input and lives on -> nobody waits, and nothing breaks', async () => {
    const { process: child } = start(
      `require('fs').closeSync(0); setInterval(() => {}, 1000); console.log('closed')`,
    );
    await firstLine(child);
    for (let i = 0; i < 3; i++) await child.send({ jsonrpc: '2.0', method: 'x'.repeat(2 ** 20) });
  });

  it('the reason for which it ended', async () => {
    expect(await start('process.exit(3)').process.ended).toBe(`${process.execPath} ended with exit code 3`);
    expect(await start('process.kill(process.pid, "SIGTERM")').process.ended).toBe(
      `${process.execPath} ended with SIGTERM`,
    );
  });

  it.each([
    ['/no/such/command', 'there is no such command'],
    [__dirname, 'it may not be executed'],
  ])('%s -> could not be started, and stopping it is no error', async (command, why) => {
    const { process } = start('', { command });
    expect(await process.ended).toBe(`${command} could not be started: ${why}`);
    await process.send({ jsonrpc: '2.0', method: 'm' });
    await process.stop();
  });
});

describe('stop', () => {
  it('one that ends with its input -> no signal', async () => {
    const { process: child } = start(
      `process.on('SIGTERM', () => process.exit(9)); process.stdin.resume(); console.log('ready')`,
      { stopTimes: { inputMs: 10_000, termMs: 10_000 } },
    );
    await firstLine(child);
    await child.stop();
    expect(await child.ended).toContain('exit code 0');
  });

  it('one that does not look at its input -> SIGTERM', async () => {
    const { process: child } = start(
      `process.on('SIGTERM', () => process.exit(9)); setInterval(() => {}, 1000); console.log('ready')`,
      { stopTimes: { inputMs: 50, termMs: 10_000 } },
    );
    await firstLine(child);
    await child.stop();
    expect(await child.ended).toContain('exit code 9');
  });

  it('one that does not listen to SIGTERM -> SIGKILL', async () => {
    const { process: child } = start(
      `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')`,
    );
    await firstLine(child);
    await child.stop();
    expect(await child.ended).toContain('SIGKILL');
  });

  it('what a wrapper has started -> ends too', async () => {
    const inner = 'setInterval(() => {}, 1000); console.log(1)';
    const { process: child } = start('', {
      command: '/bin/sh',
      args: ['-c', `'${process.execPath}' -e '${inner}'; true`],
    });
    const lines = child.lines();
    await lines.next();
    await child.stop();
    // Its output ends when nobody is left who could write there.
    expect(await lines.next()).toMatchObject({ done: true });
  });

  it('twice, and after the end -> once', async () => {
    const { process: child } = start('');
    await Promise.all([child.stop(), child.stop()]);
    await child.stop();
    child.kill();
  });
});
