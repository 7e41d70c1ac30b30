// `new WebSocket(address, protocols, options)`: forms of the arguments, addresses, and what happens at once.
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cast } from '../support/cast.js';
import { next, thrownBy } from '../support/events.js';
import { acceptingResponse, handshakeKey } from '../support/raw-peer.js';
import { silentAgent } from '../support/silent-agent.js';
import { behaviour, differs } from './implementations.js';

const INVALID_SUBPROTOCOL = 'An invalid or duplicated subprotocol was specified';
const INVALID_SCHEME = 'The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"';

behaviour('construction', (implementation) => {
  const { ws: WebSocket } = implementation;
  const { client, rawServer } = cast(WebSocket);

  /** The subprotocols that a client made with these arguments asks for. */
  async function requestedProtocols(...args: unknown[]): Promise<string | undefined> {
    const raw = await rawServer((request) => {
      const requested = request.headers['sec-websocket-protocol']?.split(',')[0];
      return acceptingResponse(request, { 'Sec-WebSocket-Protocol': requested });
    });
    const socket = client(raw.url, ...args);
    await next(socket, 'open');
    return raw.requests[0]!.headers['sec-websocket-protocol'];
  }

  it.each<[string, unknown[], string | undefined]>([
    ['(address)', [], undefined],
    ['(address, string)', ['chat'], 'chat'],
    ['(address, array)', [['chat', 'superchat']], 'chat,superchat'],
    ['(address, empty array)', [[]], undefined],
    ['(address, options)', [{ origin: 'x' }], undefined],
    ['(address, undefined, options)', [undefined, { origin: 'x' }], undefined],
    ['(address, undefined, undefined)', [undefined, undefined], undefined],
    ['(address, string, options)', ['chat', { origin: 'x' }], 'chat'],
    ['(address, options with a string)', [{ protocols: 'chat' }], 'chat'],
    ['(address, options with an array)', [{ protocols: ['a', 'b'] }], 'a,b'],
    ['(address, undefined, options with a string)', [undefined, { protocols: 'chat' }], 'chat'],
    ['(address, string, options with others)', ['chat', { protocols: ['other'] }], 'chat'],
    ['(address, empty array, options with others)', [[], { protocols: ['other'] }], undefined],
  ])('client, %s -> requests those subprotocols', async (_form, args, expected) => {
    expect(await requestedProtocols(...args)).toBe(expected);
  });

  it('client, address is a URL object -> connects to it', async () => {
    const raw = await rawServer();
    const socket = client(new URL('/path?query', raw.url));
    await next(socket, 'open');
    expect(raw.requests[0]!.startLine).toBe('GET /path?query HTTP/1.1');
    expect(socket.url).toBe(`${raw.url}/path?query`);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 7],
    ['an empty string', ''],
    ['a space inside', 'a b'],
    ['a separator', 'a,b'],
    ['not ASCII', 'ä'],
    ['duplicates', ['a', 'a']],
    ['a non-string', ['a', 7]],
    ['an empty element', ['a', '']],
  ])('client, protocols is invalid: %s -> SyntaxError', (_case, protocols) => {
    const error = thrownBy(() => new WebSocket('ws://127.0.0.1', protocols));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.message).toBe(INVALID_SUBPROTOCOL);
  });

  it.each<[unknown, string]>([
    ['foo', 'Invalid URL: foo'],
    ['', 'Invalid URL: '],
    ['ws://', 'Invalid URL: ws://'],
    ['ws://127.0.0.1:99999', 'Invalid URL: ws://127.0.0.1:99999'],
    ['bad:foo', INVALID_SCHEME],
    ['ftp://127.0.0.1', INVALID_SCHEME],
    ['ws+unix:', "The URL's pathname is empty"],
    ['ws://127.0.0.1#', 'ok'],
    ['ws://127.0.0.1#fragment', 'The URL contains a fragment identifier'],
    ['http://127.0.0.1/#fragment', 'The URL contains a fragment identifier'],
    [new URL('ftp://127.0.0.1'), INVALID_SCHEME],
  ])('client, address %s -> SyntaxError at once', (address, message) => {
    if (message === 'ok') {
      expect(client(address, { agent: silentAgent() }).url).toBe('ws://127.0.0.1/#');
      return;
    }
    const error = thrownBy(() => new WebSocket(address));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error.message).toBe(message);
  });

  it.each([
    ['ws://example.test', 'ws://example.test/'],
    ['wss://example.test', 'wss://example.test/'],
    ['http://example.test/a?b', 'ws://example.test/a?b'],
    ['https://example.test/a?b', 'wss://example.test/a?b'],
    ['ws://EXAMPLE.test:80', 'ws://example.test/'],
    ['https://example.test:443', 'wss://example.test/'],
    ['ws://user:pass@example.test', 'ws://user:pass@example.test/'],
    ['ws+unix:/tmp/x.sock:/y?z', 'ws+unix:/tmp/x.sock:/y?z'],
  ])('client, address %s -> url is %s', (address, url) => {
    expect(client(address, { agent: silentAgent({ isSecure: /^(wss|https):/.test(address) }) }).url).toBe(
      url,
    );
  });

  it('client, address is a URL object with http: -> the object is not changed', () => {
    const address = new URL('http://example.test');
    expect(client(address, { agent: silentAgent() }).url).toBe('ws://example.test/');
    expect(address.href).toBe('http://example.test/');
  });

  it.each([
    ['', 'GET / HTTP/1.1'],
    [':/path?query', 'GET /path?query HTTP/1.1'],
    [':/path:with:colons', 'GET /path:with:colons HTTP/1.1'],
  ])(
    'client, ws+unix: followed by "%s" -> connects to the socket file and asks for that path',
    async (suffix, line) => {
      const file = join(tmpdir(), `behaviour-${process.pid}-${handshakeKey().replaceAll(/\W/g, '')}.sock`);
      const raw = await rawServer(undefined, file);
      const socket = client(`ws+unix:${file}${suffix}`);
      await next(socket, 'open');
      expect(raw.requests[0]!.startLine).toBe(line);
      expect(raw.requests[0]!.headers.host).toBe('localhost');
    },
  );

  it.each<[string, string, object, string | undefined]>([
    ['userinfo', 'user:pass@', {}, 'user:pass'],
    ['percent-encoded userinfo', 'us%3Aer:p%40ss', {}, 'us:er:p@ss'],
    ['a user without a password', 'user@', {}, 'user:'],
    ['userinfo and the auth option', 'user:pass@', { auth: 'other:one' }, 'user:pass'],
    ['the auth option', '', { auth: 'other:one' }, 'other:one'],
    ['neither', '', {}, undefined],
  ])('client, %s -> Basic credentials in Authorization', async (_case, userinfo, options, credentials) => {
    const raw = await rawServer();
    const socket = client(
      raw.url.replace('//', `//${userinfo}${userinfo.endsWith('@') || !userinfo ? '' : '@'}`),
      options,
    );
    await next(socket, 'open');
    const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(raw.requests[0]!.headers.authorization).toBe(expected);
  });

  it.each([false, true])(
    'client, an Authorization header and the auth option, followRedirects %s -> the header wins',
    async (followRedirects) => {
      const raw = await rawServer();
      const options = { auth: 'other:one', headers: { authorization: 'Bearer x' }, followRedirects };
      await next(client(raw.url, options), 'open');
      expect(raw.requests[0]!.headers.authorization).toBe('Bearer x');
    },
  );

  it('null and options -> an object for the server side: CONNECTING, without socket and url', () => {
    const socket = new WebSocket(null, undefined, { autoPong: true });
    expect(socket.readyState).toBe(WebSocket.CONNECTING);
    expect(socket.url).toBeUndefined();
    expect(socket._socket).toBeNull();
    expect(socket._isServer).toBe(true);
  });

  it('null alone -> the types allow it', () => {
    const construct = differs(implementation, 'null-address', {
      ws: () => expect(thrownBy(() => new WebSocket(null))).toBeInstanceOf(TypeError),
      hawser: () => expect(new WebSocket(null).readyState).toBe(WebSocket.CONNECTING),
    });
    construct();
  });

  it('client, a ws+unix: address without the path of a socket', () => {
    const check = differs(implementation, 'empty-socket-path', {
      ws: () => expect(client('ws+unix::/x', { agent: silentAgent() }).url).toBe('ws+unix::/x'),
      hawser: () => expect(thrownBy(() => new WebSocket('ws+unix::/x'))).toBeInstanceOf(SyntaxError),
    });
    check();
  });

  it('client -> asks the agent within the constructor', () => {
    const agent = silentAgent();
    client('ws://127.0.0.1', { agent });
    expect(agent.asked).toHaveLength(1);
  });

  it('client, a header that HTTP forbids -> the constructor throws the error of node:http', () => {
    expect(thrownBy(() => new WebSocket('ws://127.0.0.1', { headers: { 'x-bad': 'a\nb' } })).code).toBe(
      'ERR_INVALID_CHAR',
    );
  });

  it('client, finishRequest -> is called once with the request and the WebSocket, and has to end the request', async () => {
    const raw = await rawServer();
    const calls: unknown[][] = [];
    const socket = client(raw.url, {
      finishRequest: (...args: unknown[]) => calls.push(args),
    });
    expect(calls).toHaveLength(1);
    const [request, argument] = calls[0] as [http.ClientRequest, unknown];
    expect(argument).toBe(socket);
    expect(request).toBeInstanceOf(http.ClientRequest);
    expect(request.writableEnded).toBe(false);
    request.setHeader('x-late', 'yes');
    request.end();
    await next(socket, 'open');
    expect(raw.requests[0]!.headers['x-late']).toBe('yes');
  });
});
