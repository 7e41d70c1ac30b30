// The command `connect --session` as a process, against session servers of this process; what is shown, without one.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseControl, serializeControl } from '../../src/agent/control.js';
import { Emitter } from '../../src/agent/emitter.js';
import {
  type ClientSession,
  type SessionEnd,
  SessionError,
  type SessionEvents,
  SessionServer,
} from '../../src/agent/index.js';
import { sessionCommands } from '../../src/cli/connect-commands.js';
import { closeSessionWhenQuiet, sendLinesOverSession } from '../../src/cli/connect-lines.js';
import { SessionOutcome } from '../../src/cli/connect-outcome.js';
import { runPrompt } from '../../src/cli/connect-prompt.js';
import { createReporter } from '../../src/cli/connect-report.js';
import { reportSession } from '../../src/cli/connect-session-report.js';
import { echoSession } from '../../src/cli/endpoints.js';
import { FaultProxy } from '../../src/cli/fault-proxy.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { type Ended, type Program, runHawser, startHawser } from './program.js';

let httpServer: http.Server;
/** Where upgrades go. */
let sessions: SessionServer;
let proxy: FaultProxy;
let url: string;
const running: Program[] = [];

beforeEach(async () => {
  sessions = new SessionServer({ noServer: true });
  httpServer = http.createServer();
  httpServer.on('upgrade', (request, socket, head) => sessions.handleUpgrade(request, socket, head));
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  proxy = new FaultProxy({ port: (httpServer.address() as AddressInfo).port });
  await proxy.listen();
  url = `ws://127.0.0.1:${proxy.address.port}/`;
});

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await sessions.close();
  await proxy.close();
  httpServer.close();
});

/** @param input what is piped in; `null` leaves it open */
function start(argv: string[], input: string | null = null): Program {
  const program = startHawser(['connect', '--session', ...argv, url], input);
  running.push(program);
  return program;
}

/** Resolves when the server has so many messages of the program. */
async function untilReceived(messages: number): Promise<void> {
  const look = (): void => expect(sessions.sessions[0]?.stats().received).toBe(messages);
  await vi.waitFor(look, { timeout: 15_000 });
}

type Event = Record<string, unknown>;

function parseEvents({ stdout }: Ended): Event[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

function named(events: Event[], name: string): Event[] {
  return events.filter(({ event }) => event === name);
}

describe('over connections that fail', () => {
  beforeEach(() => {
    sessions.on('session', echoSession);
  });

  it('piped lines come back, and nothing else is said', async () => {
    const { ended } = start([], 'one\n\n/ping\ntwo');
    expect(await ended).toMatchObject({ code: 0, stdout: 'one\n\n/ping\ntwo\n', stderr: '' });
  });

  it('every line arrives once and in order, wherever the connections are cut', async () => {
    proxy.cutAfter(2500, 'both', 'rst', 'each');
    const lines = Array.from({ length: 300 }, (_, index) => `line ${index}\n`).join('');
    const { code, stdout, stderr } = await start([], lines).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: lines });
    expect(proxy.stats().cut).toBeGreaterThan(1);
    expect(stderr).toMatch(
      /^(hawser: reconnecting in \d+ ms \(closed with 1006 Abnormal Closure\)\nhawser: resumed \(\d+ messages? replayed\)\n)+$/,
    );
  });

  it('what is piped while the connection is down goes out after it', async () => {
    const program = start(['--json']);
    program.child.stdin!.write('before\n');
    await program.printed(/"data":"before"/);
    proxy.refuse(true);
    proxy.cutAll();
    await program.printed(/"event":"reconnecting"/);
    program.child.stdin!.write('meanwhile\n');
    program.child.stdin!.end('and this');
    await program.printed(/"event":"reconnecting".*"attempt":2/);
    proxy.refuse(false);
    const ended = await program.ended;
    const events = parseEvents(ended).filter(({ event }) => event !== 'reconnecting');
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(events).toMatchObject([
      { event: 'open', url, session: expect.stringMatching(/^[\w-]{22}$/) },
      { event: 'message', binary: false, data: 'before' },
      { event: 'resumed', replayed: expect.any(Number) },
      { event: 'message', data: 'meanwhile' },
      { event: 'message', data: 'and this' },
      { event: 'close', code: 1000, unsent: [], unacked: [], exitCode: 0 },
    ]);
    for (const { time } of events) expect(new Date(time as string).toISOString()).toBe(time);
  });

  it('what is piped before there is a connection waits for it', async () => {
    proxy.refuse(true);
    const program = start(['--json'], 'early\n');
    await program.printed(/"event":"reconnecting".*"attempt":1,"delayMs":\d+,"code":1006,"reason":".+"/);
    proxy.refuse(false);
    const ended = await program.ended;
    expect(ended.code).toBe(0);
    expect(named(parseEvents(ended), 'message')).toMatchObject([{ data: 'early' }]);
  });
});

describe('exit code', () => {
  it('0: the server ends the session', async () => {
    sessions.on('session', (session) => session.close());
    expect(await start(['--wait', 'forever'], '').ended).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('0: Ctrl+C says bye', async () => {
    sessions.on('session', echoSession);
    const program = start(['--json']);
    await program.printed(/"event":"open"/);
    const [session] = sessions.sessions;
    const closed = new Promise((resolve) => session!.on('close', resolve));
    program.child.kill('SIGINT');
    expect(await closed).toMatchObject({ code: 1000, reason: 'the client ended the session' });
    expect((await program.ended).code).toBe(0);
  });

  it('3: a second Ctrl+C does not wait for what the server has not acknowledged', async () => {
    // Nobody reads this session.
    const program = start(['--json']);
    program.child.stdin!.write('hi\n');
    await program.printed(/"event":"open"/);
    await untilReceived(1);
    program.child.kill('SIGINT');
    // A line that is refused tells that the first signal was heard; later ones would be one and the same.
    const refused = program.printed(/"event":"error".*"message":"the session is closed"/);
    const typing = setInterval(() => program.child.stdin!.write('too late\n'), 20);
    await refused;
    clearInterval(typing);
    program.child.kill('SIGINT');
    const ended = await program.ended;
    expect(ended.code).toBe(3);
    expect(parseEvents(ended).at(-1)).toMatchObject({
      event: 'close',
      code: 1006,
      reason: 'terminated',
      unacked: expect.arrayContaining([{ binary: false, data: 'hi' }]),
      exitCode: 3,
    });
  });

  it('1: Ctrl+C before there was a connection', async () => {
    proxy.refuse(true);
    const program = start(['--json'], 'hi\n');
    await program.printed(/"event":"reconnecting"/);
    program.child.kill('SIGINT');
    const ended = await program.ended;
    expect(ended.code).toBe(1);
    expect(parseEvents(ended).at(-1)).toMatchObject({
      event: 'close',
      unsent: [{ data: 'hi' }],
      exitCode: 1,
    });
  });

  it('1: the server refuses who we are', async () => {
    sessions = new SessionServer({ noServer: true, authenticate: () => false });
    expect(await start([], '').ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'hawser: the session could not be opened: the server answered with HTTP status 401\n',
    });
  });

  it('1: the server is one of WebSockets only', async () => {
    const plain = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(plain, 'listening');
    plain.on('connection', (socket) => socket.on('message', () => socket.send('what?')));
    url = `ws://127.0.0.1:${(plain.address() as AddressInfo).port}/`;
    const { code, stderr } = await start([], '').ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'hawser: the session could not be opened: a welcome was expected\n',
    });
    await plain.close({});
  });

  it('4: the server closes for good with a code, and the reason is escaped', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        const hello = parseControl(data.toString());
        if (hello?.t !== 'hello') return;
        const limits = { messages: 10, bytes: 1000 };
        const hb = { interval: 25_000, timeout: 20_000 };
        const names = { sid: 's', tok: 't', epoch: 'e' };
        const welcome = {
          t: 'welcome',
          ...names,
          gen: hello.gen,
          resumed: false,
          recv: 0,
          ttl: 1,
          hb,
          limits,
        };
        socket.send(serializeControl(welcome as Parameters<typeof serializeControl>[0]));
        socket.close(1008, 'no\x1b[2J\u202e');
      });
    });
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { code, stderr } = await start(['--wait', 'forever'], '').ended;
    expect(code).toBe(4);
    expect(stderr).toBe('hawser: the session ended: the peer closed with 1008: "no\\u001b[2J\\u{202e}"\n');
    await server.close({});
  });

  it('3: the session was lost, although the next one ends well', async () => {
    const program = start(['--json']);
    program.child.stdin!.write('hello\nworld\n');
    await untilReceived(2);
    const former = sessions;
    sessions = new SessionServer({ noServer: true });
    sessions.on('session', echoSession);
    await former.close();
    await program.printed(/"event":"sessionlost"/);
    program.child.stdin!.end('again');
    const ended = await program.ended;
    expect(ended.code).toBe(3);
    expect(parseEvents(ended)).toMatchObject([
      { event: 'open' },
      { event: 'reconnecting', code: 1012, reason: 'closed with 1012 Service Restart' },
      {
        event: 'sessionlost',
        reason: 'restart',
        unsent: [],
        unacked: [{ binary: false, data: 'hello' }, { data: 'world' }],
      },
      { event: 'open' },
      { event: 'message', data: 'again' },
      { event: 'close', code: 1000, exitCode: 3 },
    ]);
  });

  it('2: an address that cannot be', async () => {
    expect(await runHawser(['connect', '--session', 'wss://'])).toMatchObject({ code: 2, stdout: '' });
  });
});

it('moves to another server when its own drains', async () => {
  sessions.on('session', echoSession);
  const program = start(['--json']);
  program.child.stdin!.write('here\n');
  await program.printed(/"data":"here"/);
  const former = sessions;
  sessions = new SessionServer({ noServer: true });
  sessions.on('session', echoSession);
  await former.drain({ deadlineMs: 20_000, spreadMs: 0 });
  program.child.stdin!.end('there');
  const ended = await program.ended;
  expect(ended.code).toBe(0);
  expect(parseEvents(ended)).toMatchObject([
    { event: 'open' },
    { event: 'message', data: 'here' },
    { event: 'drain', inMs: expect.any(Number) },
    { event: 'open' },
    { event: 'message', data: 'there' },
    { event: 'close', exitCode: 0 },
  ]);
});

describe('the handshake', () => {
  async function headersOf(...argv: string[]): Promise<http.IncomingHttpHeaders> {
    const begun = new Promise<http.IncomingMessage>((resolve) => {
      sessions.on('session', (session, request) => {
        resolve(request);
        session.close();
      });
    });
    await start([...argv, '--wait', 'forever'], '').ended;
    return (await begun).headers;
  }

  it('offers hawser.v1 first, and once', async () => {
    const headers = await headersOf('-s', 'token.abc', '-s', 'hawser.v1');
    expect(headers['sec-websocket-protocol']).toBe('hawser.v1,token.abc');
    expect(headers['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
  });

  it('carries -H, several of one name as one, --origin, and obeys --no-deflate', async () => {
    const headers = await headersOf(
      ...['-H', 'X-Twice: 1', '-H', 'X-Twice: 2', '--origin', 'https://example.org', '--no-deflate'],
    );
    expect(headers).toMatchObject({ 'x-twice': '1,2', origin: 'https://example.org' });
    expect(headers).not.toHaveProperty('sec-websocket-extensions');
  });
});

/** A session to which whatever a test likes happens. */
class FakeSession extends Emitter<SessionEvents> {
  state = 'open';
  readonly id = 'name';
  readonly told: unknown[] = [];
  override emit = super.emit;

  send = async (data: unknown): Promise<void> => {
    this.told.push(data);
  };
  flush = async (): Promise<void> => {};
  close = (): void => {
    this.told.push('CLOSE');
  };
}

function setUp() {
  const fake = new FakeSession();
  const session = fake as unknown as ClientSession;
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const report = createReporter({ isJson: false, isInteractive: true }, { stdout, stderr });
  const outcome = new SessionOutcome(session);
  reportSession(session, 'ws://host/', report, outcome);
  return { fake, session, report, outcome, err: () => String(stderr.read() ?? '') };
}

describe('what the end means for the exit code', () => {
  it.each<[string, number, Partial<SessionEnd>]>([
    ['over, and all is acknowledged', 0, { code: 1000 }],
    ['over, and something was not sent', 3, { code: 1000, unsent: ['x'] }],
    ['over, and something was not acknowledged', 3, { code: 1000, unacked: ['x'] }],
    ['ended here', 3, { code: 1006 }],
    [
      'refused with a code',
      4,
      { code: 4409, error: new SessionError('superseded', '', { closeCode: 4409 }) },
    ],
    ['refused with a status', 3, { code: 1006, error: new SessionError('refused', '', { status: 404 }) }],
  ])('%s -> %i', (_, exitCode, end) => {
    const { fake, outcome } = setUp();
    const whole = { code: 1006, reason: '', unsent: [], unacked: [], ...end };
    expect(outcome.exitCodeFor(whole)).toBe(1);
    fake.emit('open');
    expect(outcome.exitCodeFor(whole)).toBe(exitCode);
  });
});

describe('piped lines', () => {
  async function* lines(...all: string[]): AsyncGenerator<string> {
    yield* all;
  }

  it('are sent, then waited for, then the session is closed', async () => {
    const { fake, session, report, outcome } = setUp();
    let acknowledge = (): void => {};
    fake.flush = () =>
      new Promise((resolve) => {
        acknowledge = resolve;
      });
    const done = sendLinesOverSession(session, report, outcome, 0, lines('a', '', 'b'));
    await vi.waitFor(() => expect(fake.told).toEqual(['a', '', 'b']));
    acknowledge();
    await done;
    expect(fake.told).toEqual(['a', '', 'b', 'CLOSE']);
  });

  it('one that cannot be sent is told, and the others go', async () => {
    const { fake, session, report, outcome, err } = setUp();
    const { send } = fake;
    fake.send = (line) => (line === 'large' ? Promise.reject(new Error('too large')) : send(line));
    await sendLinesOverSession(session, report, outcome, 0, lines('large', 'small'));
    expect(err()).toBe('hawser: too large\n');
    expect(fake.told).toEqual(['small', 'CLOSE']);
    fake.emit('open');
    expect(outcome.exitCodeFor({ code: 1000, reason: '', unsent: [], unacked: [] })).toBe(3);
  });

  it('are read no more when the session is over', async () => {
    const { fake, session, report, outcome, err } = setUp();
    fake.state = 'closed';
    fake.send = () => Promise.reject(new Error('the session is closed'));
    await sendLinesOverSession(session, report, outcome, 0, lines('a', 'b'));
    expect({ told: fake.told, err: err() }).toEqual({ told: [], err: '' });
  });
});

describe('the prompt', () => {
  function prompt() {
    const { fake, session, report, outcome, err } = setUp();
    const input = new PassThrough();
    runPrompt(
      { report, outcome, ...sessionCommands(session, report, outcome) },
      { input, output: new PassThrough() },
    );
    return { fake, err, type: (line: string) => input.write(`${line}\n`) };
  }

  it.each([
    ['hello', 'hello'],
    ['//ping', '/ping'],
    ['/hex 00 ff', Buffer.from([0, 255])],
    ['/close', 'CLOSE'],
    ['/quit', 'CLOSE'],
  ])('%j -> %j', async (line, expected) => {
    const { fake, type } = prompt();
    type(line);
    await vi.waitFor(() => expect(fake.told).toEqual([expected]));
  });

  it.each([
    ['/ping', 'a session has its own heartbeat: pings can be sent without --session only'],
    ['/pong x', 'a session has its own heartbeat: pings can be sent without --session only'],
    ['/close 3001', 'a session is closed without a code of yours: /close, or connect without --session'],
  ])('%j -> says why not, and nothing is sent', async (line, message) => {
    const { fake, type, err } = prompt();
    type(line);
    await vi.waitFor(() => expect(err()).toBe(`hawser: ${message}\n`));
    expect(fake.told).toEqual([]);
  });

  it('a line without a connection -> says that it waits', async () => {
    const { fake, type, err } = prompt();
    fake.state = 'reconnecting';
    type('hello');
    await vi.waitFor(() => expect(err()).toBe('waits for the connection\n'));
    expect(fake.told).toEqual(['hello']);
  });
});

describe('what a person sees', () => {
  it('lost messages: how many, and how the first of them begin, escaped', () => {
    const { fake, err } = setUp();
    const unsent = ['\x1b[2J', ...Array.from({ length: 6 }, (_, index) => String(index))];
    fake.emit('sessionlost', { reason: 'restart', unacked: [new Uint8Array(21), 'x'.repeat(61)], unsent });
    expect(err()).toBe(`hawser: the server no longer has the session (restart)
  2 messages may have arrived:
    ${Array(20).fill('00').join(' ')}…
    "${'x'.repeat(60)}"…
  7 messages not sent:
    "\\x1b[2J"
    "0"
    "1"
    "2"
    "3"
    …
`);
  });

  it('a dropped message, and a server that goes away', () => {
    const { fake, err } = setUp();
    fake.emit('drop', { reason: 'expired', data: 'late', key: undefined });
    fake.emit('drain', { inMs: 30_000, retryAfterMs: undefined });
    expect(err()).toBe(
      'hawser: dropped (expired): "late"\nthe server goes away in 30000 ms; moving to the next\n',
    );
  });

  it('the HTTP status for which the session waits', () => {
    const { fake, err } = setUp();
    fake.emit('reconnecting', { attempt: 1, delayMs: 250, code: 503, error: undefined });
    expect(err()).toBe('reconnecting in 250 ms (HTTP status 503)\n');
  });
});

describe('--wait', () => {
  afterEach(() => vi.useRealTimers());

  it('counts from the last message, and only over a connection', () => {
    vi.useFakeTimers();
    const { fake, session, outcome } = setUp();
    closeSessionWhenQuiet(session, outcome, 500);
    vi.advanceTimersByTime(400);
    fake.emit('message', 'an answer', 1);
    vi.advanceTimersByTime(400);
    fake.state = 'reconnecting';
    vi.advanceTimersByTime(10_000);
    fake.state = 'open';
    fake.emit('resumed', { replayed: 0 });
    vi.advanceTimersByTime(499);
    expect(fake.told).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fake.told).toEqual(['CLOSE']);
  });

  it('does not begin when the session ended while its messages were waited for', async () => {
    vi.useFakeTimers();
    const { fake, session, report, outcome } = setUp();
    fake.flush = async () => {
      fake.state = 'closed';
    };
    async function* noLines(): AsyncGenerator<string> {}
    await sendLinesOverSession(session, report, outcome, 500, noLines());
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is over when the session is', () => {
    vi.useFakeTimers();
    const { fake, session, outcome } = setUp();
    closeSessionWhenQuiet(session, outcome, 500);
    fake.emit('close', { code: 1000, reason: '', unsent: [], unacked: [] });
    expect(vi.getTimerCount()).toBe(0);
  });
});
