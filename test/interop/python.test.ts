// The Python library `websockets` and hawser over real sockets, in both roles. The Python half is in python/*.py.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { cast, portOf } from '../support/cast.js';
import { next, several } from '../support/events.js';
import { requirement } from '../support/require.js';
import { run } from './install.js';
import { LENGTHS, pattern, subject, subjectName, textOf } from './subject.js';

const PYTHON = '/usr/bin/python3';
const folder = join(__dirname, 'python');

const COMPRESSIONS: Record<string, false | object> = {
  'no extension': false,
  'context takeover': { threshold: 0 },
  'no context takeover': { threshold: 0 },
  'windows of 9 bits': { threshold: 0 },
};

const hasPython = requirement('python');

describe.runIf(hasPython)(`${subjectName} as server, Python websockets as client`, () => {
  const { server } = cast(subject);

  function behave(socket: Package, { url }: { url: string }): void {
    socket.on('error', () => {});
    if (url === '/close') socket.close(4001, 'as asked');
    if (url === '/limited') socket._receiver._maxPayload = 1000;
    socket.on('message', (data: Buffer, isBinary: boolean) => socket.send(data, { binary: isBinary }));
  }

  it.each(Object.entries(COMPRESSIONS))(
    '%s -> every exchange of the client completes',
    async (name, perMessageDeflate) => {
      const wss = await server({ perMessageDeflate, handleProtocols: () => 'second' });
      wss.shouldHandle = ({ url }: { url: string }) => url !== '/nowhere';
      wss.on('connection', behave);
      const connection = next(wss, 'connection');
      const url = `ws://127.0.0.1:${portOf(wss)}`;
      const args = [join(folder, 'client.py'), url, name, JSON.stringify(LENGTHS)];
      const { code, stdout, stderr } = await run(PYTHON, args);
      expect(code, stderr).toBe(0);
      expect((await connection)[0].extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '');
      expect(JSON.parse(stdout)).toEqual([
        'echo',
        'burst',
        'fragments',
        'ping',
        'subprotocol',
        'close_of_the_client',
        'close_of_the_server',
        'message_above_the_limit',
        'refused',
      ]);
    },
    70_000,
  );
});

describe.runIf(hasPython)(`Python websockets as server, ${subjectName} as client`, () => {
  const { client, atEnd } = cast(subject);

  /** A running server.py, and the lines that it prints. */
  async function pythonServer(compression: string, limit = 1 << 20) {
    const child = spawn(PYTHON, [join(folder, 'server.py'), compression, `${limit}`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    atEnd(child, async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const nextLine = async () => JSON.parse((await lines.next()).value);
    return { url: `ws://127.0.0.1:${await nextLine()}`, nextLine };
  }

  describe.each(Object.entries(COMPRESSIONS))('%s', (name, perMessageDeflate) => {
    it('every length form, echoed -> the same bytes and type', async () => {
      const { url } = await pythonServer(name);
      const socket = client(`${url}/echo`, ['first', 'second'], { perMessageDeflate });
      await next(socket, 'open');
      expect([socket.extensions, socket.protocol]).toEqual([
        perMessageDeflate ? 'permessage-deflate' : '',
        'second',
      ]);
      for (const length of LENGTHS) {
        const echoed = several(socket, 'message', 2);
        socket.send(pattern(length));
        socket.send(textOf(length));
        const [binary, text] = await echoed;
        expect((binary![0] as Buffer).equals(pattern(length)) && binary![1] === true, `${length} bytes`).toBe(
          true,
        );
        expect(text![0]!.toString() === textOf(length) && text![1] === false, `${length} of text`).toBe(true);
      }
    });

    it('echoed in fragments, sent in fragments -> one message', async () => {
      const { url } = await pythonServer(name);
      const socket = client(`${url}/fragments`, { perMessageDeflate });
      await next(socket, 'open');
      const text = textOf(100_000);
      socket.send(text.slice(0, 10), { fin: false });
      socket.ping();
      socket.send(text.slice(10), { fin: true });
      expect((await next(socket, 'message'))[0].toString() === text).toBe(true);
      socket.send(pattern(100_000));
      expect((await next(socket, 'message'))[0].equals(pattern(100_000))).toBe(true);
    });
  });

  it('pings both ways -> pongs with the same payload', async () => {
    const { url } = await pythonServer('no extension');
    const socket = client(`${url}/ping`);
    const pings = several(socket, 'ping', 3);
    expect(String((await next(socket, 'message'))[0])).toBe('ponged');
    expect((await pings).map(([payload]) => (payload as Buffer).length)).toEqual([0, 1, 125]);
    socket.ping(pattern(125));
    expect((await next(socket, 'pong'))[0]).toEqual(pattern(125));
  });

  it('close of the server -> code and reason, and the server sees the handshake complete', async () => {
    const { url, nextLine } = await pythonServer('no extension');
    const socket = client(`${url}/close?code=4001&reason=as%20asked`);
    const [code, reason] = await next(socket, 'close');
    expect([code, String(reason)]).toEqual([4001, 'as asked']);
    expect(await nextLine()).toMatchObject({ path: '/close', code: 4001 });
  });

  it('close of the client -> the server sees code and reason', async () => {
    const { url, nextLine } = await pythonServer('no extension');
    const socket = client(`${url}/echo`);
    await next(socket, 'open');
    socket.close(3000, 'bye ☃');
    expect((await next(socket, 'close'))[0]).toBe(3000);
    expect(await nextLine()).toEqual({ path: '/echo', code: 3000, reason: 'bye ☃' });
  });

  it('terminate -> the server sees 1006', async () => {
    const { url, nextLine } = await pythonServer('no extension');
    const socket = client(`${url}/echo`);
    await next(socket, 'open');
    socket.terminate();
    expect(await nextLine()).toMatchObject({ path: '/echo', code: 1006 });
  });

  it('message above the limit of the server -> 1009', async () => {
    const { url } = await pythonServer('no extension', 1000);
    const socket = client(`${url}/echo`);
    await next(socket, 'open');
    socket.send(Buffer.alloc(1001));
    expect((await next(socket, 'close'))[0]).toBe(1009);
  });
});
