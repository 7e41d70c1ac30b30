// The command `serve` as a process; what the server does is in demo-server.test.ts.
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { next } from '../support/events.js';
import { connectRaw } from '../support/raw-peer.js';
import { type Program, runHawser, startHawser } from './program.js';

const running: Program[] = [];

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
});

async function startServer(argv: string[] = ['--port', '0']): Promise<{ program: Program; port: number }> {
  const program = startHawser(['serve', ...argv], null);
  running.push(program);
  const [, port] = await program.printed(/^http:\/\/[^:]+:(\d+)\//);
  return { program, port: Number(port) };
}

describe('hawser serve', () => {
  it('says where the page and the WebSockets are', async () => {
    const { program, port } = await startServer();
    await program.printed(/Ctrl\+C ends it/);
    program.child.kill('SIGTERM');
    const { stdout } = await program.ended;
    expect(stdout).toContain(`http://127.0.0.1:${port}/ `);
    expect(stdout).toContain(`ws://127.0.0.1:${port}/echo\n`);
    expect(stdout).toContain(`ws://127.0.0.1:${port}/broadcast\n`);
    for (const path of ['session', 'agent', 'mcp'])
      expect(stdout).toContain(`ws://127.0.0.1:${port}/${path} `);
  });

  it('has the client for browsers that its page calls the agent with', async () => {
    const { port } = await startServer();
    const response = await fetch(`http://127.0.0.1:${port}/hawser.js`);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const module = await response.text();
    expect(module.slice(-100)).toMatch(/export\{\S+ as RpcPeer,\S+ as connectSession\};\s*$/);
    // It stands alone, and people load it over the network.
    expect(/\brequire\(|\bfrom\s*["']|import\(/.exec(module)).toBeNull();
    expect(module.length).toBeLessThan(100_000);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('%s -> clients get 1001, exit code 0', async (signal) => {
    const { program, port } = await startServer();
    const client = new WebSocket(`ws://127.0.0.1:${port}/echo`);
    await next(client, 'open');
    const closed = next(client, 'close');
    program.child.kill(signal);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([1001, 'the server is shutting down']);
    expect(await program.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('a second SIGINT does not wait for clients that are silent', async () => {
    const { program, port } = await startServer();
    const peer = await connectRaw(port, { path: '/echo' });
    program.child.kill('SIGINT');
    await program.printed(/closing/);
    program.child.kill('SIGINT');
    expect((await program.ended).signal).toBe('SIGINT');
    peer.socket.destroy();
  });

  it('port in use -> one clear line, exit code 1', async () => {
    const { port } = await startServer();
    expect(await runHawser(['serve', '--port', String(port)])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `hawser: port ${port} of 127.0.0.1 is in use; choose another with --port\n`,
    });
  });

  it('a host that is not ours -> one clear line, exit code 1', async () => {
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has an address in it.
    expect(await runHawser(['serve', '--host', '192.0.2.1', '-p', '0'])).toMatchObject({
      code: 1,
      stderr: 'hawser: cannot listen on 192.0.2.1: it is not an address of this machine\n',
    });
  });
});
