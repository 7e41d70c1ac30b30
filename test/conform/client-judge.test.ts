import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Encounter } from '../../src/conform/case.js';
import { ClientJudge, type JudgeClientOptions } from '../../src/conform/client-judge.js';
import { open } from '../../src/conform/opening.js';
import { turn } from '../../src/conform/raw-connection.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.js';
import { exchange, upgradeRequest } from '../support/raw-peer.js';
import { fakeCase, never, ok } from './fake-case.js';
import { dialPlain, endPairs, readToEnd } from './tcp-pair.js';

const judges: ClientJudge[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(judges.splice(0).map((judge) => judge.close()));
  await endPairs();
});

const greets = async (encounter: Encounter) => {
  const { tester } = await open(encounter);
  await tester.send({ opcode: 1, payload: 'hello' });
  await tester.close(1000);
  await tester.until(() => tester.peerClose !== null || tester.isOver, 5000);
  return ok('It was greeted.');
};
const CASES = [
  fakeCase('1.1', greets),
  fakeCase('1.2', async () => ok('Nothing was sent.')),
  fakeCase('2.1', greets),
];

async function start(options: Partial<JudgeClientOptions> = {}) {
  const judge = new ClientJudge({ cases: CASES, ...options });
  judges.push(judge);
  const url = await judge.listen();
  const { port } = new URL(url);
  /** Goes there, and tells what was said and how it ended. */
  const visit = (path: string): Promise<{ messages: string[]; code: number; error: string | undefined }> =>
    new Promise((resolve) => {
      const messages: string[] = [];
      let error: string | undefined;
      const socket = new WebSocket(`${url}${path}`, { rejectUnauthorized: false });
      socket.on('message', (data) => messages.push(String(data)));
      socket.on('error', (what: Error) => {
        error = what.message;
      });
      socket.on('close', (code) => resolve({ messages, code, error }));
    });
  return { judge, url, port: Number(port), visit };
}

describe('a client under test', () => {
  it('is told how many cases there are', async () => {
    const { visit } = await start();
    expect(await visit('/getCaseCount')).toEqual({ messages: ['3'], code: 1000, error: undefined });
  });

  it.each([
    ['/getCaseInfo?case=2', { id: '1.2', description: 'title of 1.2' }],
    ['/getCaseInfo?casetuple=2.1', { id: '2.1', description: 'title of 2.1' }],
    ['/getCaseInfo?case=4', { id: null, description: 'There is no such case.' }],
    ['/getCaseInfo?casetuple=9.9&case=1', { id: null, description: 'There is no such case.' }],
    ['/getCaseInfo', { id: null, description: 'There is no such case.' }],
  ])('is told what a case is about: %s', async (path, info) => {
    const { visit } = await start();
    expect((await visit(path)).messages.map((one) => JSON.parse(one))).toEqual([info]);
  });

  it('runs cases by number and by id, and is told how it did', async () => {
    const { visit, judge } = await start();
    const statusOf = async (query: string) =>
      JSON.parse((await visit(`/getCaseStatus?${query}`)).messages[0]!);
    expect(await statusOf('case=1&agent=me')).toEqual({
      behavior: 'UNKNOWN',
      behaviorClose: 'UNKNOWN',
      passed: false,
    });
    expect((await visit('/runCase?case=1&agent=me')).messages).toEqual(['hello']);
    expect((await visit('/runCase?casetuple=2.1&agent=me')).messages).toEqual(['hello']);
    expect(await statusOf('case=1&agent=me')).toEqual({ behavior: 'OK', behaviorClose: 'OK', passed: true });
    expect(await statusOf('casetuple=2.1&agent=me')).toMatchObject({ passed: true });
    expect(await statusOf('case=1&agent=other')).toMatchObject({ behavior: 'UNKNOWN' });
    expect(await statusOf('case=77&agent=me')).toMatchObject({ behavior: 'UNKNOWN' });
    expect(judge.results.map(({ id, agent, finding }) => [id, agent, finding])).toEqual([
      ['1.1', 'me', 'It was greeted.'],
      ['2.1', 'me', 'It was greeted.'],
    ]);
    expect(judge.results[0]!.wire[0]).toMatchObject({ kind: 'bytes', from: 'peer' });
  });

  it('whose case never answers is cut off when the case is over', async () => {
    const { visit, judge } = await start();
    expect((await visit('/runCase?case=2&agent=me')).code).toBe(1006);
    expect(judge.results).toMatchObject([{ id: '1.2', behavior: 'OK' }]);
  });

  it('has its last result counted, in the order of the suite', async () => {
    const onResult = vi.fn();
    const { visit, judge } = await start({ onResult });
    for (const n of [3, 1, 3]) await visit(`/runCase?case=${n}&agent=me`);
    expect(onResult.mock.calls.map(([{ id }]) => id)).toEqual(['2.1', '1.1', '2.1']);
    expect(judge.results.map(({ id }) => id)).toEqual(['1.1', '2.1']);
    expect(judge.results[1]).toBe(onResult.mock.calls[2]![0]);
  });

  it('says when reports are to be written, and when all is over', async () => {
    const onUpdateReports = vi.fn();
    let stop = (): void => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const onStop = vi.fn(() => stop());
    const { visit } = await start({ onUpdateReports, onStop });
    expect(await visit('/updateReports?agent=me%20too')).toEqual({
      messages: [],
      code: 1000,
      error: undefined,
    });
    expect(onUpdateReports.mock.calls).toEqual([['me too']]);
    expect(onStop).not.toHaveBeenCalled();
    await visit('/stopServer');
    await stopped;
    expect(onStop).toHaveBeenCalledOnce();
  });

  it('is called what it says, or what the judge was told', async () => {
    const own = await start();
    await own.visit('/runCase?case=1');
    await own.visit('/runCase?case=1&agent=');
    await own.visit(`/runCase?case=1&agent=${'x'.repeat(500)}`);
    expect(own.judge.results.map(({ agent }) => agent)).toEqual(['client', 'x'.repeat(100)]);
    const named = await start({ agent: 'Chromium' });
    await named.visit('/runCase?case=1&agent=me');
    expect(named.judge.results.map(({ agent }) => agent)).toEqual(['Chromium']);
    expect(JSON.parse((await named.visit('/getCaseStatus?case=1&agent=me')).messages[0]!).passed).toBe(true);
  });

  it('may have any name that is no danger to who looks it up', async () => {
    const { visit, judge } = await start();
    for (const name of ['__proto__', 'constructor', '%00', '../../etc'])
      await visit(`/runCase?case=1&agent=${name}`);
    expect(judge.results.map(({ agent }) => agent)).toEqual(['__proto__', 'constructor', '\0', '../../etc']);
  });

  it('is refused when a hundred others are known, and the others are not', async () => {
    const { port, judge } = await start({ cases: [fakeCase('1', async () => ok())] });
    const ask = (agent: string) => exchange(port, upgradeRequest({ path: `/runCase?case=1&agent=${agent}` }));
    await Promise.all(Array.from({ length: 100 }, (_, n) => ask(`agent-${n}`)));
    expect(await ask('one-more')).toMatch(/^HTTP\/1\.1 404 [\s\S]*too many agents/);
    expect(await ask('agent-5')).toBe('');
    expect(judge.results).toHaveLength(100);
  });

  it('that uses a handshake key twice can be told so, by its second case', async () => {
    const seen: string[][] = [];
    const looks = fakeCase('1', async ({ memory }) => {
      seen.push([...memory.handshakeKeys]);
      return ok();
    });
    const { port } = await start({ cases: [looks] });
    const path = '/runCase?case=1&agent=me';
    await exchange(port, upgradeRequest({ path }));
    await exchange(port, upgradeRequest({ path }));
    await exchange(port, upgradeRequest({ path: `${path}2` }));
    expect(seen).toEqual([[], ['dGhlIHNhbXBsZSBub25jZQ=='], []]);
  });
});

describe('what is no WebSocket client', () => {
  it('is told to upgrade, where there is something for clients', async () => {
    const { port } = await start();
    const answer = await exchange(port, 'GET /getCaseCount HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
    expect(answer).toMatch(/\r\nUpgrade: websocket\r\n/);
    expect(answer).toMatch(/\r\nConnection: close\r\n[\s\S]*\r\n\r\nThis is a WebSocket server\.\n$/);
  });

  it.each([
    '/',
    '/nothing',
    '/runCase',
    '/runCase?case=0',
    '/runCase?case=4',
    '/runCase?case=1.5',
    '/runCase?case=x',
    '/runCase?casetuple=9.9',
    '/RUNCASE?case=1',
  ])('is told that there is nothing at %s', async (path) => {
    const { port, judge } = await start();
    expect(await exchange(port, upgradeRequest({ path }))).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    expect(judge.results).toEqual([]);
  });

  it('that asks to run a case gets a verdict on that', async () => {
    const { port, judge } = await start();
    await exchange(port, 'GET /runCase?case=1&agent=curl HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(judge.results).toMatchObject([
      { behavior: 'FAILED', finding: 'The request has no Sec-WebSocket-Key.' },
    ]);
  });

  it.each([
    '//',
    '///',
    'http://[',
    '*',
    '/%',
    '/%zz?agent=%ff%fe&case=%',
    '/runCase?case=%&agent=%',
    'http://example.com:99999/',
    'http://example.com/getCaseCount',
    'javascript:alert(1)',
    'ftp:x',
    '?case=1',
    '#',
    '\\\\',
    '/\u00ff\u00fe',
    `/${'a'.repeat(60_000)}`,
  ])('may ask for anything: %.40s', async (target) => {
    const { port, visit } = await start();
    const answer = await exchange(port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 4(04|26) /);
    expect((await visit('/getCaseCount')).messages).toEqual(['3']);
  });

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['empty lines', '\r\n\r\n\r\n\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x00\xa5\x01\x00\n\n'],
    ['a request that only begins well', 'GET /getCaseCount HTTP/9\r\n\r\n'],
    ['a request with bare line feeds', 'GET /getCaseCount HTTP/1.1\nHost: a\n\n'],
    ['a request with a body', 'POST /getCaseCount HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'],
  ])('but says %s is answered or let go', async (_name, bytes) => {
    const { port, visit } = await start();
    expect(await exchange(port, bytes)).toMatch(/^(HTTP\/1\.1 4(04|26) [\s\S]*)?$/);
    expect((await visit('/getCaseCount')).messages).toEqual(['3']);
  });

  it('but sends a head of more than 64 KiB is let go', async () => {
    const { port } = await start();
    const socket = await dialPlain(port);
    const received = readToEnd(socket);
    socket.write(`GET / HTTP/1.1\r\nA: ${'x'.repeat(70_000)}`);
    expect(await received).toHaveLength(0);
  });

  it('but keeps silent is let go after ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { port, judge } = await start();
    const socket = await dialPlain(port);
    let isOver = false;
    const received = readToEnd(socket).finally(() => {
      isOver = true;
    });
    socket.write('GET /getCaseCount HTTP/1.1\r\n');
    while (vi.getTimerCount() === 0) await turn();
    vi.advanceTimersByTime(9_999);
    for (let n = 0; n < 50; n++) await turn();
    expect(isOver).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await received).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(judge.results).toEqual([]);
  });

  it.each(['', 'GET /getCaseCount HTTP/1.1\r\n'])(
    'but ends TCP behind %j is let go at once',
    async (bytes) => {
      const { port } = await start();
      const socket = await dialPlain(port);
      socket.end(bytes);
      expect(await readToEnd(socket)).toHaveLength(0);
    },
  );

  it('but resets TCP, early or late, harms nobody', async () => {
    const { port, visit } = await start();
    for (const bytes of [
      '',
      'GET /',
      upgradeRequest({ path: '/runCase?case=1' }),
      upgradeRequest({ path: '/getCaseCount' }),
    ]) {
      const socket = await dialPlain(port);
      if (bytes !== '') await new Promise((resolve) => socket.write(bytes, resolve));
      socket.resetAndDestroy();
    }
    expect((await visit('/getCaseCount')).messages).toEqual(['3']);
  });
});

describe('a judge of clients', () => {
  it('rejects where its port is taken', async () => {
    const { port } = await start();
    const second = new ClientJudge({ cases: CASES, port });
    await expect(second.listen()).rejects.toThrow(/EADDRINUSE/);
    await second.close();
  });

  it('waits for the case that is under way when it is closed', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let began = (): void => {};
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const slow = fakeCase('1', async () => {
      began();
      await finished;
      return ok('It came to its end.');
    });
    const { judge, port } = await start({ cases: [slow] });
    void exchange(port, upgradeRequest({ path: '/runCase?case=1' }));
    await begun;
    const closed = judge.close();
    finish();
    await closed;
    expect(judge.results).toMatchObject([{ finding: 'It came to its end.' }]);
  });

  it('cuts, a second after it is closed, the cases that wait for a client in vain', async () => {
    let began = (): void => {};
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    const waiting = fakeCase('1', async ({ connect }) => {
      const connection = await connect();
      began();
      await connection.until(() => connection.isOver, 60_000);
      return ok('The client has gone.');
    });
    const { judge, port } = await start({ cases: [waiting] });
    const client = await dialPlain(port);
    client.resume();
    client.write(upgradeRequest({ path: '/runCase?case=1' }));
    await begun;
    await judge.close();
    expect(judge.results).toMatchObject([{ finding: 'The client has gone.' }]);
  });

  it('cuts what has asked for nothing yet when it is closed', async () => {
    const { judge, port } = await start();
    const sockets = await Promise.all([dialPlain(port), dialPlain(port)]);
    const ends = sockets.map((socket: Socket) => readToEnd(socket));
    sockets[0]!.write('GET / HTTP/1.1\r\n');
    await judge.close();
    await Promise.all(ends);
    await judge.close();
  });

  it('bounds the time of each case', async () => {
    const { visit, judge } = await start({ cases: [fakeCase('1', never)], limitMs: 5 });
    await visit('/runCase?case=1');
    expect(judge.results[0]!.finding).toBe('The case did not end within 0.005 s.');
  });

  it('hands on what came right behind the request', async () => {
    const reads = fakeCase('1', async ({ connect }) => {
      const connection = await connect();
      await connection.until(() => connection.received.length === 5, 5000);
      return ok(Buffer.from(connection.received).toString());
    });
    const { judge, port } = await start({ cases: [reads] });
    await exchange(port, `${upgradeRequest({ path: '/runCase?case=1' })}early`);
    expect(judge.results[0]!.finding).toBe('early');
  });

  it('listens on other addresses, and says so', async () => {
    const { url } = await start({ host: '::1' }).catch(() => ({ url: 'ws://[::1]:1' }));
    expect(url).toMatch(/^ws:\/\/\[::1\]:\d+$/);
  });

  it('listens with TLS', async () => {
    const { url, visit, judge } = await start({ tls: { cert: CERTIFICATE, key: PRIVATE_KEY }, chopBytes: 1 });
    expect(url).toMatch(/^wss:/);
    expect((await visit('/getCaseCount')).messages).toEqual(['3']);
    expect((await visit('/runCase?case=1')).messages).toEqual(['hello']);
    expect(judge.results).toMatchObject([{ finding: 'It was greeted.' }]);
  });

  it('is not kept from closing by a client that never ends its TLS handshake', async () => {
    const { judge, port } = await start({ tls: { cert: CERTIFICATE, key: PRIVATE_KEY } });
    const silent = await dialPlain(port);
    const ended = readToEnd(silent);
    const spoken = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(spoken, 'secureConnect');
    spoken.on('error', () => {});
    await judge.close();
    await ended;
    spoken.destroy();
  });

  it('outlives garbage in place of a TLS handshake', async () => {
    const { visit, port } = await start({ tls: { cert: CERTIFICATE, key: PRIVATE_KEY } });
    const socket = await dialPlain(port);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await readToEnd(socket);
    expect((await visit('/getCaseCount')).messages).toEqual(['3']);
  });
});
