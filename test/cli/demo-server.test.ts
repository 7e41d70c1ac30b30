import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ClientSession, connectSession } from '../../src/agent/index.js';
import { DemoServer } from '../../src/cli/demo-server.js';
import { BINARY, CLOSE, PING, PONG, TEXT } from '../../src/wire/opcode.js';
import { WebSocket } from '../../src/ws/websocket.js';
import { next } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { connectRaw, exchange, type RawPeer, upgradeRequest } from '../support/raw-peer.js';

let server: DemoServer;
let port: number;
const peers: RawPeer[] = [];
const sockets: WebSocket[] = [];

beforeEach(async () => {
  server = new DemoServer('127.0.0.1', 50);
  await server.listen(0);
  port = Number(new URL(server.url).port);
});

afterEach(async () => {
  for (const { socket } of peers.splice(0)) socket.destroy();
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.close();
});

async function connectPeer(path: string, headers: Record<string, string> = {}): Promise<RawPeer> {
  const peer = await connectRaw(port, { path, headers });
  peers.push(peer);
  return peer;
}

/** Everything that an observer of `name` gets, and a way to wait for it. */
async function observe(name: string) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/observe?id=${name}`);
  sockets.push(socket);
  const records: Record<string, unknown>[] = [];
  let wake = (): void => {};
  socket.on('message', (data: Buffer) => {
    records.push(JSON.parse(data.toString()));
    wake();
  });
  /** The first record with these properties. */
  const find = async (wanted: Record<string, unknown>): Promise<Record<string, unknown>> => {
    for (;;) {
      const found = records.find((record) =>
        Object.entries(wanted).every(([key, value]) => record[key] === value),
      );
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await find({ type: 'hello' });
  const ask = (request: object): void => socket.send(JSON.stringify(request));
  return { socket, records, find, ask };
}

function get(
  path: string,
  method = 'GET',
): Promise<{ status: number; headers: http.IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

describe('the page', () => {
  it.each([
    ['/', 'text/html', 'index.html'],
    ['/?x=y', 'text/html', 'index.html'],
    ['/style.css', 'text/css', 'style.css'],
    ['/page.js', 'text/javascript', 'page.js'],
    ['/frame-log.js', 'text/javascript', 'frame-log.js'],
    ['/agent.js', 'text/javascript', 'agent.js'],
    ['/call-view.js', 'text/javascript', 'call-view.js'],
  ])('GET %s -> 200 %s', async (path, type, file) => {
    const { status, headers, body } = await get(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe(`${type}; charset=utf-8`);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(body).toBe(readFileSync(join('src/cli/page', file), 'utf8'));
  });

  it('may load and reach nothing but its own server, by its Content-Security-Policy', async () => {
    const policy = (await get('/')).headers['content-security-policy'] as string;
    const directives = new Map(
      policy.split('; ').map((each) => [each.split(' ')[0], each.split(' ').slice(1).join(' ')]),
    );
    expect(directives.get('default-src')).toBe("'none'");
    expect(directives.get('script-src')).toBe("'self'");
    expect(directives.get('connect-src')).toBe("'self'");
    expect(directives.get('frame-ancestors')).toBe("'none'");
  });

  it('names no other server in what it loads', async () => {
    const { body } = await get('/');
    const loaded = [...body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target!);
    expect(loaded.filter((target) => !target.startsWith('data:') && !target.startsWith('#'))).toEqual([
      'style.css',
      'page.js',
    ]);
    const css = await get('/style.css');
    expect(css.body).not.toMatch(/url\(|@import/);
  });

  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/favicon.ico', 404],
    ['GET', '/index.html', 404],
    ['GET', '/../package.json', 404],
    ['GET', '/%2e%2e/package.json', 404],
    ['GET', '/page/page.js', 404],
    ['POST', '/', 405],
    ['DELETE', '/page.js', 405],
    ['GET', '/echo', 426],
    ['GET', '/session', 426],
    ['GET', '/agent', 426],
    ['GET', '/mcp', 426],
    ['GET', '/observe', 426],
  ])('%s %s -> %i with a line of text', async (method, path, expected) => {
    const { status, headers, body } = await get(path, method);
    expect(status).toBe(expected);
    expect(headers['content-type']).toMatch(/^text\/plain/);
    expect(body).toMatch(/^.+\n$/);
  });

  it('HEAD / -> the headers of GET, without the page', async () => {
    const { status, headers, body } = await get('/', 'HEAD');
    expect([status, body]).toEqual([200, '']);
    expect(Number(headers['content-length'])).toBeGreaterThan(1000);
  });
});

describe('the WebSockets', () => {
  it('/echo sends text and bytes back', async () => {
    const peer = await connectPeer('/echo');
    peer.send({ opcode: TEXT, payload: 'é' }, { opcode: BINARY, payload: Buffer.from([0, 255]) });
    const frames = await peer.nextFrames(2);
    expect(frames.map(({ opcode, payload }) => [opcode, [...payload]])).toEqual([
      [TEXT, [0xc3, 0xa9]],
      [BINARY, [0, 255]],
    ]);
  });

  it('/broadcast sends to everyone, the sender among them, with and without compression', async () => {
    const all = [
      await connectPeer('/broadcast'),
      await connectPeer('/broadcast?deflate=off'),
      await connectPeer('/broadcast?watch=me'),
    ];
    const echoing = await connectPeer('/echo');
    all[0]!.send({ opcode: TEXT, payload: 'all' });
    for (const peer of all) expect((await peer.nextFrame()).payload.toString()).toBe('all');
    echoing.send({ opcode: TEXT, payload: 'mine' });
    expect((await echoing.nextFrame()).payload.toString()).toBe('mine');
  });

  it.each([
    ['/echo', 'permessage-deflate'],
    ['/echo?watch=me', 'permessage-deflate'],
    ['/echo?deflate=off', undefined],
    ['/broadcast?deflate=off&watch=me', undefined],
    ['http://127.0.0.1/echo?deflate=on', 'permessage-deflate'],
  ])('%s answers an offer of permessage-deflate with %s', async (path, expected) => {
    const { head } = await connectPeer(path, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    expect(head.headers['sec-websocket-extensions']).toBe(expected);
  });

  it.each([
    ['a path that is none', { path: '/nothing' }, 404],
    ['the page', { path: '/' }, 404],
    ['another site [RFC6455-10.2-2]', { path: '/echo', headers: { Origin: 'https://evil.example' } }, 403],
    [
      'another site that wants to observe',
      { path: '/observe?id=a', headers: { Origin: 'https://evil.example' } },
      403,
    ],
    ['a name with a space', { path: '/echo?watch=a%20b' }, 400],
    ['an empty name', { path: '/echo?watch=' }, 400],
    ['an observer without a name', { path: '/observe' }, 400],
    [
      'a handshake that is not one',
      { path: '/echo?watch=a', headers: { 'Sec-WebSocket-Key': 'short' } },
      400,
    ],
  ])('%s -> refused, and the connection is closed', async (_, request, status) => {
    const response = await exchange(port, upgradeRequest(request));
    expect(response).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(response.toLowerCase()).toContain('\r\nconnection: close\r\n');
  });

  it('accepts the page that it served itself', async () => {
    const host = `127.0.0.1:${port}`;
    const peer = await connectPeer('/echo', { Host: host, Origin: `http://${host}` });
    peer.send({ opcode: TEXT, payload: 'ok' });
    expect((await peer.nextFrame()).payload.toString()).toBe('ok');
  });

  it('refuses more names than it watches at a time, and forgets those that nobody uses', async () => {
    for (let index = 0; index < 32; index++) await connectPeer(`/echo?watch=n${index}`);
    expect(await exchange(port, upgradeRequest({ path: '/echo?watch=one-more' }))).toMatch(/^HTTP\/1.1 503 /);
    const [first] = peers;
    first!.socket.destroy();
    await first!.closed;
    let response = '';
    // The server learns of the end a moment later.
    while (!response.startsWith('HTTP/1.1 101')) {
      const socket = await connectRaw(port, { path: '/echo?watch=one-more' }).catch(() => undefined);
      if (socket === undefined) continue;
      peers.push(socket);
      response = socket.head.startLine;
    }
    expect(response).toBe('HTTP/1.1 101 Switching Protocols');
  });

  it('a failed handshake of an observer leaves no name behind', async () => {
    for (let index = 0; index < 70; index++) {
      const request = upgradeRequest({
        path: `/observe?id=n${index}`,
        headers: { 'Sec-WebSocket-Version': '7' },
      });
      expect(await exchange(port, request)).toMatch(/^HTTP\/1.1 400 /);
    }
    expect((await connectPeer('/echo?watch=me')).head.startLine).toContain('101');
  });
});

describe('watching', () => {
  it('an observer sees the handshake, every frame of both sides, and the end', async () => {
    const observer = await observe('me');
    const peer = await connectPeer('/echo?watch=me', { 'X-Mark': 'yes' });
    peer.send({ opcode: TEXT, payload: 'hi' });
    await peer.nextFrame();
    peer.send({ opcode: CLOSE, payload: closePayload(3001, 'done') });
    peer.socket.end();
    await observer.find({ event: 'the TCP connection is closed' });
    expect(observer.records.slice(1)).toMatchObject([
      { connection: 1, type: 'handshake', from: 'client', head: expect.stringContaining('\r\nX-Mark: yes') },
      {
        type: 'handshake',
        from: 'server',
        head: expect.stringMatching(/^HTTP\/1.1 101 .*Sec-WebSocket-Accept/s),
      },
      {
        from: 'client',
        name: 'text',
        fin: true,
        masked: true,
        maskingKey: '11223344',
        payload: { text: 'hi' },
      },
      { from: 'server', name: 'text', fin: true, masked: false, payload: { text: 'hi' } },
      {
        from: 'client',
        name: 'close',
        close: { code: 3001, reason: 'done', name: 'Registered Use', section: '§7.4.2' },
      },
      { from: 'server', name: 'close', close: { code: 3001 } },
      ...observer.records.slice(7).map(() => ({ type: 'tcp' })),
    ]);
  });

  it('frames that came together with the request are seen too', async () => {
    const observer = await observe('me');
    const peer = await connectRaw(port, { path: '/echo?watch=me' }, [{ opcode: TEXT, payload: 'early' }]);
    peers.push(peer);
    expect((await peer.nextFrame()).payload.toString()).toBe('early');
    expect(await observer.find({ from: 'client', name: 'text' })).toMatchObject({
      payload: { text: 'early' },
    });
  });

  it('a compressed message is shown inflated, in either direction', async () => {
    const observer = await observe('me');
    const client = new WebSocket(`ws://127.0.0.1:${port}/echo?watch=me`);
    sockets.push(client);
    await next(client, 'open');
    for (const text of ['Hello Hello Hello '.repeat(100), 'Hello again '.repeat(100)]) {
      client.send(text);
      await next(client, 'message');
    }
    const messages = observer.records
      .filter(({ name }) => name === 'text')
      .map(({ from, rsv1, message }) => [from, rsv1, message]);
    expect(messages).toMatchObject([
      ['client', true, { text: 'Hello Hello Hello '.repeat(100), length: 1800 }],
      ['server', true, { text: 'Hello Hello Hello '.repeat(100) }],
      ['client', true, { text: 'Hello again '.repeat(100) }],
      ['server', true, { text: 'Hello again '.repeat(100) }],
    ]);
  });

  it('an observer who comes late sees what happened before', async () => {
    const peer = await connectPeer('/echo?watch=me');
    peer.send({ opcode: TEXT, payload: 'before' });
    await peer.nextFrame();
    const observer = await observe('me');
    expect(await observer.find({ from: 'client', name: 'text' })).toMatchObject({
      payload: { text: 'before' },
    });
    expect(await observer.find({ type: 'handshake', from: 'client' })).toBeDefined();
  });

  it('an observer sees nothing of other names', async () => {
    const observer = await observe('me');
    const other = await connectPeer('/echo?watch=you');
    other.send({ opcode: TEXT, payload: 'secret' });
    await other.nextFrame();
    const mine = await connectPeer('/echo?watch=me');
    mine.send({ opcode: TEXT, payload: 'mine' });
    await observer.find({ from: 'server', name: 'text' });
    expect(JSON.stringify(observer.records)).not.toContain(Buffer.from('secret').toString('hex'));
  });

  it('an observer cannot be watched, which would never end', async () => {
    const observer = await observe('me');
    const second = new WebSocket(`ws://127.0.0.1:${port}/observe?id=me&watch=me`);
    sockets.push(second);
    await next(second, 'message');
    const peer = await connectPeer('/echo?watch=me');
    await observer.find({ type: 'handshake', from: 'server' });
    expect(observer.records.filter(({ type }) => type === 'handshake')).toHaveLength(2);
    expect(peer.head.startLine).toContain('101');
  });

  it('[RFC6455-5.5.2-2] a ping that the observer asks for goes out, and its pong is seen', async () => {
    const observer = await observe('me');
    const peer = await connectPeer('/echo?watch=me');
    await observer.find({ type: 'handshake', from: 'server' });
    observer.ask({ request: 'ping', payload: 'there?' });
    const ping = await peer.nextFrame();
    expect([ping.opcode, String(ping.payload)]).toEqual([PING, 'there?']);
    peer.send({ opcode: PONG, payload: ping.payload });
    expect(await observer.find({ name: 'pong' })).toMatchObject({
      from: 'client',
      payload: { text: 'there?' },
    });
  });

  it('the observer can have the server close with any code that may be sent', async () => {
    const observer = await observe('me');
    const peer = await connectPeer('/echo?watch=me');
    await observer.find({ type: 'handshake', from: 'server' });
    observer.ask({ request: 'close', code: 1006 });
    expect(await observer.find({ type: 'notice' })).toMatchObject({ text: expect.any(String) });
    observer.ask({ request: 'close', code: 1011, reason: 'asked for' });
    expect((await peer.nextFrame()).payload).toEqual(closePayload(1011, 'asked for'));
  });

  it('the observer can cut the TCP connection', async () => {
    const observer = await observe('me');
    const peer = await connectPeer('/echo?watch=me');
    await observer.find({ type: 'handshake', from: 'server' });
    observer.ask({ request: 'terminate' });
    await peer.ended;
    expect(peer.frames).toEqual([]);
  });

  it('the observer can mean the connections of one path only', async () => {
    const observer = await observe('me');
    const echoing = await connectPeer('/echo?watch=me');
    const broadcast = await connectPeer('/broadcast?watch=me');
    await observer.find({ connection: 2, type: 'handshake', from: 'server' });
    observer.ask({ request: 'ping', path: '/session' });
    expect(await observer.find({ type: 'notice' })).toMatchObject({
      text: 'no connection is open under this name',
    });
    observer.ask({ request: 'terminate', path: '/broadcast' });
    await broadcast.ended;
    echoing.send({ opcode: TEXT, payload: 'still here' });
    expect((await echoing.nextFrame()).payload.toString()).toBe('still here');
  });

  it.each(['/session', '/agent', '/mcp'])(
    'the observer can cut a connection of %s, and no more',
    async (path) => {
      const observer = await observe('me');
      const subprotocol = path === '/mcp' ? 'mcp' : 'hawser.v1';
      const peer = await connectPeer(`${path}?watch=me`, { 'Sec-WebSocket-Protocol': subprotocol });
      await observer.find({ type: 'handshake', from: 'server' });
      for (const request of ['ping', 'close']) observer.ask({ request });
      expect(await observer.find({ type: 'notice' })).toMatchObject({
        text: 'the connection of a session can only be terminated',
      });
      observer.ask({ request: 'terminate' });
      await peer.ended;
      expect(peer.frames).toEqual([]);
    },
  );

  it('[RFC6455-5.1-2] a client that breaks a rule is shown with the rule, and with the Close that it earns', async () => {
    const observer = await observe('me');
    const peer = await connectPeer('/echo?watch=me');
    peer.socket.write(Buffer.from('810161', 'hex'));
    expect(await observer.find({ from: 'client', name: 'text' })).toMatchObject({
      masked: false,
      violations: [{ message: 'a client must mask every frame', section: '§5.1', closeCode: 1002 }],
    });
    expect(await observer.find({ from: 'server', name: 'close' })).toMatchObject({ close: { code: 1002 } });
  });

  it('a watched connection that is reset does not disturb the server', async () => {
    const observer = await observe('me');
    const peer = await connectPeer('/echo?watch=me');
    await observer.find({ type: 'handshake', from: 'server' });
    (peer.socket as import('node:net').Socket).resetAndDestroy();
    expect(await observer.find({ type: 'tcp', from: 'unknown' })).toMatchObject({
      event: expect.stringMatching(/^the TCP connection is closed/),
    });
    expect((await connectPeer('/echo')).head.startLine).toContain('101');
  });

  it('a large message through the tap arrives whole, and is shown in part', async () => {
    const observer = await observe('me');
    const client = new WebSocket(`ws://127.0.0.1:${port}/echo?watch=me&deflate=off`);
    sockets.push(client);
    await next(client, 'open');
    const message = Buffer.alloc(5_000_000, 'wire');
    client.send(message);
    const [echoed] = await next(client, 'message');
    expect(message.equals(echoed)).toBe(true);
    expect(await observer.find({ from: 'client', name: 'binary' })).toMatchObject({
      payloadLength: 5_000_000,
      lengthForm: 64,
      payload: { isWhole: false },
    });
  });
});

describe('shutting down', () => {
  it('[RFC6455-7.4.1-1] every client gets 1001, watched or not', async () => {
    const all = [
      await connectPeer('/echo'),
      await connectPeer('/broadcast?watch=me'),
      await connectPeer('/observe?id=me'),
    ];
    const closing = server.close();
    for (const peer of all) {
      let frame = await peer.nextFrame();
      while (frame.opcode !== CLOSE) frame = await peer.nextFrame();
      expect(frame.payload).toEqual(closePayload(1001, 'the server is shutting down'));
      peer.send({ opcode: CLOSE, payload: closePayload(1001) });
      peer.socket.end();
    }
    await closing;
    expect(await exchange(port, 'x').catch((error) => error.code)).toBe('ECONNREFUSED');
    server = new DemoServer('127.0.0.1');
    await server.listen(0);
  });

  it('a client that does not answer is cut off', async () => {
    const peer = await connectPeer('/echo?watch=me');
    await server.close();
    await peer.ended;
    expect(peer.frames).toMatchObject([{ opcode: CLOSE }]);
    server = new DemoServer('127.0.0.1');
    await server.listen(0);
  });
});

describe('the address', () => {
  it.each([
    ['::1', /^http:\/\/\[::1\]:\d+\/$/],
    ['0.0.0.0', /^http:\/\/localhost:\d+\/$/],
    ['localhost', /^http:\/\/localhost:\d+\/$/],
  ])('listening on %s is shown as a URL that works', async (host, pattern) => {
    const other = new DemoServer(host);
    await other.listen(0);
    expect(other.url).toMatch(pattern);
    await other.close();
  });

  it('a port in use is an error of listen()', async () => {
    await expect(new DemoServer('127.0.0.1').listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

describe('/session', () => {
  const begun: ClientSession[] = [];

  function begin(query = '', headers: Record<string, string> = {}): ClientSession {
    const queue = { maxBytes: 4 * 2 ** 20 };
    const session = connectSession(`ws://127.0.0.1:${port}/session${query}`, { headers, queue });
    begun.push(session);
    return session;
  }

  afterEach(() => {
    for (const session of begun.splice(0)) session.terminate();
  });

  it('sends every message back in order, text, bytes and as much as the window holds', async () => {
    const session = begin();
    const large = 'x'.repeat(4 * 2 ** 20);
    await session.ready;
    for (const data of [large, 'text', '\u0001 is no control message', Buffer.from([0, 255])]) {
      await session.flush();
      session.send(data);
    }
    const messages: unknown[] = [];
    for await (const message of session) if (messages.push(message) === 4) break;
    expect(messages[0] === large).toBe(true);
    expect(messages.slice(1)).toEqual(['text', '\u0001 is no control message', Buffer.from([0, 255])]);
  });

  it('?watch=NAME -> the messages of the session protocol are seen', async () => {
    const { find } = await observe('me');
    await begin('?watch=me').ready;
    expect(await find({ type: 'frame', from: 'client' })).toMatchObject({
      payload: { text: expect.stringContaining('"t":"hello"') },
    });
    expect(await find({ type: 'frame', from: 'server' })).toMatchObject({
      payload: { text: expect.stringContaining('"t":"welcome"') },
    });
  });

  it('[RFC6455-10.2-2] pages of other sites may not connect', async () => {
    await expect(begin('', { Origin: 'https://evil.example' }).ready).rejects.toMatchObject({ status: 403 });
  });

  it('the server goes away -> 1012: come back', async () => {
    const session = begin();
    await session.ready;
    const lost = new Promise((resolve) => session.on('reconnecting', resolve));
    await server.close();
    expect(await lost).toMatchObject({ code: 1012 });
    await server.listen(0);
  });
});
