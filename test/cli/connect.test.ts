// The command `connect` as a process, against servers of this process.
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DemoServer } from '../../src/cli/demo-server.js';
import { BINARY, CLOSE, PING, PONG, TEXT } from '../../src/wire/opcode.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { closePayload } from '../support/frames.js';
import { acceptingResponse, type RawPeer, RawServer, type Respond } from '../support/raw-peer.js';
import { runHawser, startHawser } from './program.js';

let echo: DemoServer;
let url: string;

beforeEach(async () => {
  echo = new DemoServer('127.0.0.1', 50);
  await echo.listen(0);
  url = `${echo.url.replace('http', 'ws')}echo`;
});

afterEach(() => echo.close());

/** A server made by hand, put away when `use` is done. */
async function withRawServer<T>(use: (raw: RawServer) => Promise<T>, respond?: Respond): Promise<T> {
  const raw = await RawServer.listen(respond);
  try {
    return await use(raw);
  } finally {
    await raw.close();
  }
}

function events(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('piped input', () => {
  it('echo hi | hawser connect -> prints hi, and nothing else', async () => {
    expect(await runHawser(['connect', url], 'hi\n')).toMatchObject({ code: 0, stdout: 'hi\n', stderr: '' });
  });

  it('sends each line as it is, the last one also without its line feed', async () => {
    const lines = ['one', '', '/ping is no command here', 'é 日本', 'last'];
    expect((await runHawser(['connect', url], lines.join('\r\n'))).stdout).toBe(`${lines.join('\n')}\n`);
  });

  it('sends many lines, and waits for all the answers', async () => {
    const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} ${'x'.repeat(index % 200)}`).join(
      '\n',
    );
    expect((await runHawser(['connect', url], lines)).stdout).toBe(`${lines}\n`);
  });

  it('--wait 0 -> closes at once, and still shows what the server answered before it closed', async () => {
    expect(await runHawser(['connect', '--wait', '0', url], 'hi\n')).toMatchObject({
      code: 0,
      stdout: 'hi\n',
    });
  });

  it('--wait MS counts from the last message', async () => {
    await withRawServer(async (raw) => {
      const program = startHawser(['connect', '--wait', '300', raw.url], '');
      const peer = await raw.nextPeer();
      for (const payload of ['a', 'b', 'c']) {
        peer.send({ opcode: TEXT, payload });
        await program.printed(new RegExp(payload));
      }
      expect((await peer.nextFrame()).payload).toEqual(closePayload(1000));
      peer.send({ opcode: CLOSE, payload: closePayload(1000) });
      peer.socket.end();
      expect(await program.ended).toMatchObject({ code: 0, stdout: 'a\nb\nc\n' });
    });
  });

  it('--wait forever -> the server closes', async () => {
    await withRawServer(async (raw) => {
      const program = startHawser(['connect', '--wait', 'forever', raw.url], '');
      const peer = await raw.nextPeer();
      peer.send({ opcode: TEXT, payload: 'news' });
      await program.printed(/news/);
      expect(peer.frames).toEqual([]);
      peer.send({ opcode: CLOSE, payload: closePayload(1001) });
      peer.socket.end();
      expect(await program.ended).toMatchObject({ code: 0, stdout: 'news\n', stderr: '' });
    });
  });

  it('shows bytes in hexadecimal, and text that is not for a terminal as it is', async () => {
    await withRawServer(async (raw) => {
      const program = startHawser(['connect', raw.url], '');
      const peer = await raw.nextPeer();
      peer.send({ opcode: BINARY, payload: Buffer.from([0, 255]) }, { opcode: TEXT, payload: '\x1b[1m' });
      await peer.nextFrame();
      peer.send({ opcode: CLOSE, payload: closePayload(1000) });
      peer.socket.end();
      expect((await program.ended).stdout).toBe('binary, 2 bytes: 00 ff\n\x1b[1m\n');
    });
  });
});

describe('exit code', () => {
  /** Connects to a server that does `end` to the connection. */
  function runAgainst(end: (peer: RawPeer) => unknown) {
    return withRawServer(async (raw) => {
      const program = startHawser(['connect', '--wait', 'forever', raw.url], '');
      await end(await raw.nextPeer());
      return program.ended;
    });
  }
  const closeWith = (payload: Buffer) => (peer: RawPeer) => {
    peer.send({ opcode: CLOSE, payload });
    peer.socket.end();
  };

  it.each([
    ['1000', closePayload(1000), 0],
    ['1001', closePayload(1001), 0],
    ['no code', Buffer.alloc(0), 0],
    ['1002', closePayload(1002), 4],
    ['1011', closePayload(1011), 4],
    ['4000', closePayload(4000, 'mine'), 4],
  ])('the server closes with %s', async (_, payload, code) => {
    expect((await runAgainst(closeWith(payload))).code).toBe(code);
  });

  it('[RFC6455-5.5.1-4] 4: says what the code means, and the reason in escaped form', async () => {
    const { stderr } = await runAgainst(closeWith(closePayload(4000, 'mine\x1b[2J')));
    expect(stderr).toBe(
      'hawser: closed with 4000 Private Use: "mine\\x1b[2J" (agreed between the applications, §7.4.2)\n',
    );
  });

  it('3: the connection ends without a closing handshake', async () => {
    const { code, stderr } = await runAgainst((peer) => peer.socket.destroy());
    expect(code).toBe(3);
    expect(stderr).toContain('closed with 1006 Abnormal Closure');
  });

  it('3: the server breaks a rule of the protocol', async () => {
    const { code, stderr } = await runAgainst(async (peer) => {
      peer.send({ opcode: 3 });
      await peer.nextFrame();
      peer.socket.end();
    });
    expect(code).toBe(3);
    expect(stderr).toContain('hawser: Invalid WebSocket frame: invalid opcode 3\n');
  });

  it('1: nobody listens', async () => {
    const port = Number(new URL(echo.url).port);
    await echo.close();
    expect(await runHawser(['connect', url])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `hawser: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    });
    echo = new DemoServer('127.0.0.1');
    await echo.listen(0);
  });

  it('1: the server refuses the handshake, and says why', async () => {
    const { code, stdout, stderr } = await runHawser(['connect', url.replace('/echo', '/nothing')]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'hawser: the server refused the handshake: HTTP 404 Not Found\nhawser: it says: There is no WebSocket at this path.\n',
    );
  });

  it('1: a redirect is shown, not followed', async () => {
    const response = 'HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\nContent-Length: 0\r\n\r\n';
    await withRawServer(
      async (raw) => {
        const { code, stderr } = await runHawser(['connect', raw.url]);
        expect(code).toBe(1);
        expect(stderr).toBe(
          'hawser: the server refused the handshake: HTTP 302 Found; it points to ws://elsewhere/\n',
        );
      },
      () => response,
    );
  });

  it('1: a refusal whose body never ends', async () => {
    await withRawServer(
      async (raw) => {
        const { code, stderr } = await runHawser(['connect', raw.url]);
        expect(code).toBe(1);
        expect(stderr).toContain('HTTP 500');
        expect(stderr.length).toBeLessThan(1000);
      },
      () => `HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n${'x'.repeat(4096)}\r\n`,
    );
  });

  it('1: the handshake takes longer than --timeout', async () => {
    await withRawServer(
      async (raw) => {
        const { code, stderr } = await runHawser(['connect', '--timeout', '100', raw.url]);
        expect(code).toBe(1);
        expect(stderr).toBe('hawser: Opening handshake has timed out\n');
      },
      () => null,
    );
  });

  it('1: the answer to the handshake is wrong', async () => {
    await withRawServer(
      async (raw) => {
        const { code, stderr } = await runHawser(['connect', raw.url]);
        expect(code).toBe(1);
        expect(stderr).toBe('hawser: Invalid Sec-WebSocket-Accept header\n');
      },
      (request) => acceptingResponse(request, { 'Sec-WebSocket-Accept': 'wrong' }),
    );
  });

  it('0: Ctrl+C closes with 1000', async () => {
    await withRawServer(async (raw) => {
      const program = startHawser(['connect', '--json', raw.url], null);
      const peer = await raw.nextPeer();
      await program.printed(/"open"/);
      program.child.kill('SIGINT');
      expect((await peer.nextFrame()).payload).toEqual(closePayload(1000));
      peer.send({ opcode: CLOSE, payload: closePayload(1000) });
      peer.socket.end();
      expect((await program.ended).code).toBe(0);
    });
  });

  it('3: a second Ctrl+C does not wait for a server that is silent', async () => {
    await withRawServer(async (raw) => {
      const program = startHawser(['connect', '--json', raw.url], null);
      const peer = await raw.nextPeer();
      await program.printed(/"open"/);
      program.child.kill('SIGINT');
      await peer.nextFrame();
      program.child.kill('SIGINT');
      expect((await program.ended).code).toBe(3);
    });
  });

  it.each([
    [
      ['localhost:8787/echo'],
      'not a WebSocket URL: "localhost:8787/echo"; did you mean ws://localhost:8787/echo?',
    ],
    [['ftp://localhost/'], 'not a WebSocket URL: "ftp://localhost/"'],
    [['ws://'], 'not a WebSocket URL: "ws://"'],
    [['ws://localhost/#part'], 'a WebSocket URL has no fragment (#…)'],
    [['ws://localhost/#'], 'a WebSocket URL has no fragment (#…)'],
    [['-H', 'nonsense', 'ws://localhost/'], `not a header: "nonsense"; write -H 'Name: value'`],
    [['-H', 'A b: c', 'ws://localhost/'], `not a header: "A b: c"; write -H 'Name: value'`],
    [['-H', 'A: b\r\nC: d', 'ws://localhost/'], `not a header: "A: b\\r\\nC: d"; write -H 'Name: value'`],
    [['-s', 'a b', 'ws://localhost/'], 'not the name of a subprotocol: "a b"'],
    [['-s', 'a', '-s', 'a', 'ws://localhost/'], '--subprotocol a is given twice'],
    [['--wait', 'long', 'ws://localhost/'], '--wait must be a whole number from 0 to 2147483647, not "long"'],
    [['--timeout', '0', 'ws://localhost/'], '--timeout must be a whole number from 1 to 2147483647, not "0"'],
    [['ws+unix:', 'x'], 'unexpected argument "x" (see hawser connect --help)'],
  ])('2: %j -> one line', async (argv, message) => {
    expect(await runHawser(['connect', ...argv])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `hawser: ${message}\n`,
    });
  });
});

describe('the handshake', () => {
  /** The headers that the server got. */
  function headersOf(argv: string[], responseHeaders: Record<string, string> = {}): Promise<string[]> {
    return withRawServer(
      async (raw) => {
        const program = startHawser(['connect', ...argv, raw.url], '');
        const peer = await raw.nextPeer();
        peer.send({ opcode: CLOSE, payload: closePayload(1000) });
        peer.socket.end();
        await program.ended;
        return raw.requests[0]!.lines;
      },
      (request) => acceptingResponse(request, responseHeaders),
    );
  }

  it('carries the headers of -H, several of one name among them', async () => {
    const lines = await headersOf([
      '-H',
      'Authorization: Bearer a:b',
      '--header=X-Twice: 1',
      '-H',
      'X-Twice:2',
    ]);
    expect(lines).toEqual(expect.arrayContaining(['Authorization: Bearer a:b', 'X-Twice: 1', 'X-Twice: 2']));
  });

  it('carries the subprotocols of --subprotocol, in order', async () => {
    const lines = await headersOf(['-s', 'chat.v2', '--subprotocol', 'chat'], {
      'Sec-WebSocket-Protocol': 'chat',
    });
    expect(lines).toContain('Sec-WebSocket-Protocol: chat.v2,chat');
  });

  it('carries the Origin of --origin, and none without it', async () => {
    expect(await headersOf(['--origin', 'https://example.org'])).toContain('Origin: https://example.org');
    expect((await headersOf([])).some((line) => /^origin:/i.test(line))).toBe(false);
  });

  it('offers permessage-deflate, but not with --no-deflate', async () => {
    const offers = (lines: string[]): boolean =>
      lines.some((line) => line.startsWith('Sec-WebSocket-Extensions:'));
    expect(offers(await headersOf([]))).toBe(true);
    expect(offers(await headersOf(['--no-deflate']))).toBe(false);
  });

  it('checks the certificate of the server, but not with --insecure', async () => {
    const server = https.createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.close(1000));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const secureUrl = `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const [refused, accepted] = await Promise.all([
      runHawser(['connect', secureUrl]),
      runHawser(['connect', '--insecure', secureUrl]),
    ]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/^hawser: .*certificate.*\n$/i);
    expect(accepted.code).toBe(0);
    await sockets.close({});
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('--json', () => {
  it('prints each event as one object on one line', async () => {
    await withRawServer(async (raw) => {
      const program = startHawser(['connect', '--json', '--wait', 'forever', raw.url], '');
      const peer = await raw.nextPeer();
      peer.send(
        { opcode: TEXT, payload: 'a\n\x1b\u202e' },
        { opcode: BINARY, payload: Buffer.from([0, 255]) },
        { opcode: PING, payload: 'x' },
        { opcode: PONG, payload: 'y' },
        { opcode: CLOSE, payload: closePayload(4001, 'why') },
      );
      peer.socket.end();
      const { code, stdout, stderr } = await program.ended;
      expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
      expect(stdout).not.toMatch(/[\x1b\u202e]/);
      expect(events(stdout)).toMatchObject([
        { event: 'open', url: expect.stringContaining(String(raw.port)), protocol: '', extensions: '' },
        { event: 'message', binary: false, data: 'a\n\x1b\u202e' },
        { event: 'message', binary: true, data: 'AP8=', encoding: 'base64' },
        { event: 'ping', data: 'x' },
        { event: 'pong', data: 'y' },
        { event: 'close', code: 4001, reason: 'why', name: 'Private Use', section: '§7.4.2', exitCode: 4 },
      ]);
      for (const { time } of events(stdout)) expect(new Date(time as string).toISOString()).toBe(time);
    });
  });

  it('prints why the connection could not be opened', async () => {
    const { code, stdout } = await runHawser(['connect', '--json', url.replace('/echo', '/nothing')]);
    expect(code).toBe(1);
    expect(events(stdout)).toMatchObject([
      { event: 'error', status: 404, body: 'There is no WebSocket at this path.\n' },
      { event: 'close', code: 1006, exitCode: 1 },
    ]);
  });
});
