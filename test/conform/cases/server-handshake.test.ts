import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVER_HANDSHAKE_CASES } from '../../../src/conform/cases/server-handshake.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import { WebSocketServer } from '../../../src/ws/websocket-server.js';
import { echo, judgeScript, refusing, type Script, switching } from './scripted-server.js';

const byId = new Map(SERVER_HANDSHAKE_CASES.map((one) => [one.id.replace('handshake.server-', ''), one]));
const withIds = (pattern: RegExp) => [...byId].filter(([id]) => pattern.test(id)).map(([id]) => id);

/** `behavior` by the end of the id. */
async function judge(ids: readonly string[], script: Script): Promise<Record<string, string>> {
  const results = await judgeScript(
    ids.map((id) => byId.get(id)!),
    script,
  );
  return Object.fromEntries(
    results.map(({ id, behavior }) => [id.replace('handshake.server-', ''), behavior]),
  );
}

const all = (ids: readonly string[], behavior: string) => Object.fromEntries(ids.map((id) => [id, behavior]));

const ACCEPTED = withIds(/^accepts-(?!or-|redirects)/).filter(
  (id) => id !== 'accepts-version-13-after-a-refusal',
);
const REFUSED = withIds(/^refuses-/);

describe('a right server', () => {
  let server: WebSocketServer;
  beforeAll(async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer, isBinary: boolean) => socket.send(data, { binary: isBinary }));
    });
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  it('hawser, every case about the handshake -> OK', async () => {
    const { port } = server.address() as AddressInfo;
    const results = await judgeServer({
      url: new URL(`ws://127.0.0.1:${port}/`),
      agent: 'hawser',
      cases: SERVER_HANDSHAKE_CASES,
    });
    const others = results.filter(
      ({ behavior, behaviorClose }) => `${behavior} ${behaviorClose}` !== 'OK OK',
    );
    expect(others.map(({ id, behavior }) => [id, behavior])).toEqual([
      // A ws: URL has no TLS to keep to.
      ['handshake.server-keeps-to-tls', 'INFORMATIONAL'],
    ]);
    expect(results).toHaveLength(SERVER_HANDSHAKE_CASES.length);
  });
});

describe('requests that have to be accepted', () => {
  it('server refuses every one -> FAILED', async () => {
    expect(await judge(ACCEPTED, { respond: () => refusing() })).toEqual({
      ...all(ACCEPTED, 'FAILED'),
      'accepts-tabs-around-values': 'NON-STRICT',
    });
  });

  it('server ends TCP -> FAILED', async () => {
    expect(await judge(ACCEPTED, { respond: () => null })).toEqual(all(ACCEPTED, 'FAILED'));
  });

  it('server answers 200 -> FAILED', async () => {
    expect(await judge(ACCEPTED, { respond: () => refusing(200) })).toEqual(all(ACCEPTED, 'FAILED'));
  });

  it('server accepts after interim responses -> OK', async () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\n\r\n';
    const script: Script = { respond: (request) => interim + switching(request) };
    expect(await judge(['accepts-a-plain-request'], script)).toEqual({ 'accepts-a-plain-request': 'OK' });
  });

  it.each([
    ['accepts-lower-case-names', (text: string) => /^Host:/m.test(text)],
    ['accepts-upper-case-names', (text: string) => /^Host:/m.test(text)],
    ['accepts-mixed-case-names', (text: string) => /^Host:/m.test(text)],
    ['accepts-upgrade-with-capitals', (text: string) => /^Upgrade: websocket\r$/m.test(text)],
    ['accepts-upgrade-in-upper-case', (text: string) => /^Upgrade: websocket\r$/m.test(text)],
    ['accepts-connection-in-lower-case', (text: string) => /^Connection: .*Upgrade/m.test(text)],
    ['accepts-connection-in-upper-case', (text: string) => /^Connection: .*Upgrade/m.test(text)],
    ['accepts-connection-with-keep-alive', (text: string) => /^Connection: Upgrade\r$/m.test(text)],
    ['accepts-connection-without-spaces', (text: string) => /^Connection: Upgrade\r$/m.test(text)],
    ['accepts-connection-in-two-lines', (text: string) => !/^Connection: keep-alive\r$/m.test(text)],
    ['accepts-unknown-headers', (text: string) => !text.includes('X-Unknown')],
    ['accepts-headers-in-reverse-order', (text: string) => /HTTP\/1.1\r\nHost/.test(text)],
    ['accepts-an-absolute-target', (text: string) => text.startsWith('GET / ')],
    ['accepts-no-space-behind-colons', (text: string) => /^Upgrade: /m.test(text)],
    ['accepts-spaces-around-values', (text: string) => /^Upgrade: \S+\r$/m.test(text)],
  ])('%s: server that takes only what it knows -> FAILED, and a plain request is OK', async (id, knows) => {
    const script: Script = { respond: (request) => (knows(request.text) ? switching(request) : refusing()) };
    expect(await judge([id, 'accepts-a-plain-request'], script)).toEqual({
      [id]: 'FAILED',
      'accepts-a-plain-request': 'OK',
    });
  });

  it('accepts-tabs-around-values: server that refuses them -> NON-STRICT', async () => {
    const id = 'accepts-tabs-around-values';
    const respond: Script['respond'] = (request) =>
      request.text.includes('\t') ? refusing() : switching(request);
    expect(await judge([id], { respond })).toEqual({ [id]: 'NON-STRICT' });
  });

  it('accepts-bytes-one-by-one: server takes the first segment for the request -> FAILED', async () => {
    const ids = ['accepts-bytes-one-by-one', 'accepts-pieces-of-seven-bytes'];
    expect(await judge(ids, { respond: () => refusing(), answersAfter: 'GET' })).toEqual(all(ids, 'FAILED'));
  });
});

describe('requests that have to be refused', () => {
  it('server accepts every one -> FAILED', async () => {
    const garbage = 'refuses-garbage';
    expect(await judge(REFUSED, { respond: (request) => switching(request) })).toEqual(
      all(REFUSED, 'FAILED'),
    );
    expect(REFUSED).toContain(garbage);
  });

  it('server says nothing -> FAILED, and NON-STRICT where nothing could be understood', async () => {
    const ids = ['refuses-no-key', 'refuses-version-25', 'accepts-or-forbids-an-origin', 'refuses-garbage'];
    expect(await judge(ids, { respond: () => undefined })).toEqual({
      ...all(ids, 'FAILED'),
      'refuses-garbage': 'NON-STRICT',
    });
  });

  it('server ends TCP without a response -> NON-STRICT, and OK where nothing could be understood', async () => {
    expect(await judge(REFUSED, { respond: () => null })).toEqual({
      ...all(REFUSED, 'NON-STRICT'),
      'refuses-garbage': 'OK',
    });
  });

  it('server answers 400 with its versions -> OK', async () => {
    const respond = () => refusing(400, 'Sec-WebSocket-Version: 8\r\nSec-WebSocket-Version: 7, 13\r\n');
    expect(await judge(REFUSED, { respond })).toEqual(all(REFUSED, 'OK'));
  });

  it('server answers 200 -> OK where a web server may serve the request, else NON-STRICT', async () => {
    const respond = () => refusing(200, 'Sec-WebSocket-Version: 13\r\n');
    expect(await judge(['refuses-post', 'refuses-no-upgrade', 'refuses-no-key'], { respond })).toEqual({
      'refuses-post': 'OK',
      'refuses-no-upgrade': 'OK',
      'refuses-no-key': 'NON-STRICT',
    });
  });

  it.each([
    ['without Sec-WebSocket-Version', ''],
    ['with versions but 13', 'Sec-WebSocket-Version: 8, 7\r\n'],
    ['with what is no version', 'Sec-WebSocket-Version: 13, 08\r\n'],
  ])('[RFC6455-4.4-1] server refuses version 25 %s -> FAILED', async (_, fields) => {
    const respond = () => refusing(426, fields);
    expect(await judge(['refuses-version-25'], { respond })).toEqual({ 'refuses-version-25': 'FAILED' });
  });

  it('server answers 426 with and without Upgrade -> OK, NON-STRICT', async () => {
    const id = 'refuses-a-plain-get';
    expect(await judge([id], { respond: () => refusing(426, 'Upgrade: websocket\r\n') })).toEqual({
      [id]: 'OK',
    });
    expect(await judge([id], { respond: () => refusing(426) })).toEqual({ [id]: 'NON-STRICT' });
  });
});

describe('the response', () => {
  it.each<[string, string, Record<string, string | readonly string[] | undefined>]>([
    ['response-upgrade', 'FAILED', { Upgrade: 'h2c' }],
    ['response-upgrade', 'FAILED', { Upgrade: undefined }],
    ['response-upgrade', 'FAILED', { Upgrade: ['websocket', 'websocket'] }],
    ['response-upgrade', 'NON-STRICT', { Upgrade: 'WebSocket' }],
    ['response-connection', 'FAILED', { Connection: 'keep-alive' }],
    ['response-connection', 'FAILED', { Connection: undefined }],
    ['response-connection', 'NON-STRICT', { Connection: 'keep-alive, Upgrade' }],
    ['response-has-one-accept', 'FAILED', { 'Sec-WebSocket-Accept': ['a', 'a'] }],
    ['response-has-one-accept', 'FAILED', { 'Sec-WebSocket-Accept': undefined }],
    ['response-announces-no-body', 'NON-STRICT', { 'Content-Length': '0' }],
    ['response-announces-no-body', 'NON-STRICT', { 'Transfer-Encoding': 'chunked' }],
    ['accept-1', 'FAILED', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }],
    ['accept-for-a-key-with-odd-bits', 'FAILED', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }],
    ['accept-of-each-connection', 'FAILED', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }],
    ['accepts-the-key-of-the-rfc', 'OK', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }],
  ])('%s -> %s for %j', async (id, behavior, fields) => {
    const respond: Script['respond'] = (request) => switching(request, fields);
    expect(await judge([id], { respond })).toEqual({ [id]: behavior });
  });

  it('[RFC6455-4.2.2-15] status line of HTTP/1.0 -> FAILED', async () => {
    const respond: Script['respond'] = (request) => switching(request).replace('HTTP/1.1', 'HTTP/1.0');
    expect(await judge(['response-is-http-1.1'], { respond })).toEqual({ 'response-is-http-1.1': 'FAILED' });
  });

  it('one wrong field -> only the case about that field says so', async () => {
    const ids = withIds(/^response-/);
    const respond: Script['respond'] = (request) => switching(request, { Upgrade: 'WebSockets' });
    expect(await judge(ids, { respond })).toEqual({ ...all(ids, 'OK'), 'response-upgrade': 'FAILED' });
  });

  it('key with odd bits refused, accepted by its text -> OK', async () => {
    const id = 'accept-for-a-key-with-odd-bits';
    expect(await judge([id], { respond: () => refusing() })).toEqual({ [id]: 'OK' });
    expect(await judge([id], { respond: (request) => switching(request) })).toEqual({ [id]: 'OK' });
  });
});

describe('what travels around the handshake', () => {
  const respond: Script['respond'] = (request) => switching(request);

  it('server greets before the request -> FAILED', async () => {
    const ids = ['is-silent-before-the-request', 'waits-for-the-end-of-the-request'];
    expect(await judge(ids, { respond, greeting: 'HTTP/1.1 100 Continue\r\n\r\n' })).toEqual(
      all(ids, 'FAILED'),
    );
  });

  it('server answers before the request is complete -> FAILED', async () => {
    const id = 'waits-for-the-end-of-the-request';
    expect(await judge([id], { respond, answersAfter: 'Sec-WebSocket-Version' })).toEqual({ [id]: 'FAILED' });
  });

  it('server sends a body behind 101 -> FAILED; a frame -> OK', async () => {
    const id = 'sends-only-frames-behind-101';
    const withBody: Script['respond'] = (request) => `${switching(request)}<html></html>`;
    const withFrame: Script['respond'] = (request) => `${switching(request)}\x81\x02hi`;
    expect(await judge([id], { respond: withBody })).toEqual({ [id]: 'FAILED' });
    expect(await judge([id], { respond: withFrame })).toEqual({ [id]: 'OK' });
  });

  const EARLY = ['frame-in-the-segment-of-the-request', 'half-a-frame-in-the-segment-of-the-request'];

  it('server keeps what came with the request -> OK', async () => {
    expect(await judge(EARLY, { respond })).toEqual(all(EARLY, 'OK'));
  });

  it('server refuses a request with bytes behind it -> OK', async () => {
    expect(await judge(EARLY, { respond: () => refusing() })).toEqual(all(EARLY, 'OK'));
  });

  it('server loses a message that came with the request -> NON-STRICT', async () => {
    const id = 'frame-in-the-segment-of-the-request';
    const onFrames: Script['onFrames'] = (bytes) => {
      const reply = echo(bytes);
      return reply?.includes('sent before') ? Buffer.alloc(0) : reply;
    };
    expect(await judge([id], { respond, onFrames })).toEqual({ [id]: 'NON-STRICT' });
  });

  it('server is deaf after bytes behind the request, and to others too -> FAILED', async () => {
    expect(await judge(EARLY, { respond, onFrames: () => undefined })).toEqual(all(EARLY, 'FAILED'));
  });

  it('server is deaf after bytes behind the request, and echoes to others -> NON-STRICT', async () => {
    const onFrames: Script['onFrames'] = (bytes) => {
      const reply = echo(bytes);
      return reply?.includes('still there') ? reply : undefined;
    };
    expect(await judge(EARLY, { respond, onFrames })).toEqual(all(EARLY, 'NON-STRICT'));
  });

  it('server echoes frames after a refusal, or without a handshake -> FAILED', async () => {
    const after = 'takes-no-frames-after-a-refusal';
    expect(await judge([after], { respond: () => refusing() })).toEqual({ [after]: 'FAILED' });
    const onFrames = () => undefined;
    expect(await judge([after], { respond: () => refusing(), onFrames })).toEqual({ [after]: 'OK' });
    const without = 'takes-no-frames-without-a-handshake';
    const script: Script = { respond: () => '', answersAfter: '' };
    expect(await judge([without], script)).toEqual({ [without]: 'FAILED' });
    expect(await judge([without], { respond })).toEqual({ [without]: 'OK' });
  });

  it('server accepts version 25, or not 13 -> FAILED', async () => {
    const id = 'accepts-version-13-after-a-refusal';
    expect(await judge([id], { respond })).toEqual({ [id]: 'FAILED' });
    expect(await judge([id], { respond: () => refusing() })).toEqual({ [id]: 'FAILED' });
  });

  it.each([
    ['accepts-or-forbids-an-origin', refusing(403), 'OK'],
    ['accepts-or-forbids-an-origin', refusing(400), 'NON-STRICT'],
    ['accepts-or-refuses-a-resource', refusing(404), 'OK'],
    ['accepts-or-refuses-a-resource', refusing(200), 'NON-STRICT'],
    ['accepts-redirects-or-asks-who-it-is', refusing(401, 'WWW-Authenticate: Basic\r\n'), 'OK'],
    ['accepts-redirects-or-asks-who-it-is', refusing(401), 'NON-STRICT'],
    ['accepts-redirects-or-asks-who-it-is', refusing(302, 'Location: /\r\n'), 'OK'],
    ['accepts-redirects-or-asks-who-it-is', refusing(302), 'NON-STRICT'],
  ])('%s: answered with %j -> %s', async (id, answer, behavior) => {
    expect(await judge([id], { respond: () => answer })).toEqual({ [id]: behavior });
  });
});
