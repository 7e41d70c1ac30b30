import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildRequestHeaders,
  checkProtocolVersion,
  checkResponse,
  parseWebSocketUrl,
} from '../../src/protocol/client-handshake.js';

describe('parseWebSocketUrl', () => {
  it.each([
    ['[RFC6455-3-1] ws, default port', 'ws://h/', { isSecure: false, host: 'h', port: 80, path: '/' }],
    ['[RFC6455-3-1] wss, default port', 'wss://h/', { isSecure: true, host: 'h', port: 443, path: '/' }],
    ['[RFC6455-3-1] a written default port', 'wss://h:443/', { url: 'wss://h/', port: 443 }],
    ['[RFC6455-3-1] another port', 'ws://h:443/', { url: 'ws://h:443/', port: '443' }],
    ['[RFC6455-3-2] schemes in upper case', 'WSS://H/X', { url: 'wss://h/X', isSecure: true, path: '/X' }],
    ['http stands for ws', 'http://h/x', { url: 'ws://h/x', isSecure: false, port: 80 }],
    ['https stands for wss', 'https://h/x', { url: 'wss://h/x', isSecure: true, port: 443 }],
    ['[RFC6455-3-3] an empty path', 'ws://h', { url: 'ws://h/', path: '/' }],
    ['[RFC6455-3-3] a query without a path', 'ws://h?x=1', { path: '/?x=1' }],
    ['[RFC6455-3-3] an empty query', 'ws://h/a?', { path: '/a' }],
    ['[RFC6455-3-5] an escaped #', 'ws://h/a%23b', { path: '/a%23b' }],
    ['[RFC6455-11.1.1-1] a host beyond ASCII', 'ws://bücher.test/', { host: 'xn--bcher-kva.test' }],
    ['[RFC6455-11.1.1-2] a path beyond ASCII', 'ws://h/é ü?ö', { path: '/%C3%A9%20%C3%BC?%C3%B6' }],
    ['[RFC6455-4.1-16] line breaks', 'ws://h/a\r\nX: y', { path: '/aX:%20y' }],
    ['an IPv6 address', 'ws://[::1]:8080/', { url: 'ws://[::1]:8080/', host: '::1', port: '8080' }],
  ])('client, %s: %j', (_, address, expected) => {
    expect(parseWebSocketUrl(address)).toMatchObject(expected);
    expect(Object.keys(parseWebSocketUrl(address))).toEqual(['url', 'isSecure', 'host', 'port', 'path']);
  });

  it.each([
    ['ws+unix:/a', '/a', '/'],
    ['ws+unix:/a:', '/a', '/'],
    ['ws+unix:/a:/b:c?d=e', '/a', '/b:c?d=e'],
    ['ws+unix:/a:b', '/a', '/b'],
    ['ws+unix:/a:?c', '/a', '/?c'],
    ['ws+unix:///a:/b', '/a', '/b'],
    ['ws+unix:./a:/b', './a', '/b'],
    ['ws+unix:\\\\.\\pipe\\x:/b', '\\\\.\\pipe\\x', '/b'],
  ])('client, unix domain socket %j -> socket %j, path %j', (address, socketPath, path) => {
    expect(parseWebSocketUrl(address)).toEqual({
      ...{ url: address, isSecure: false, host: '', port: 80, path, socketPath },
    });
  });

  it.each([
    ['ws://u:p@h/', 'u:p'],
    ['ws://u@h/', 'u:'],
    ['ws://:p@h/', ':p'],
    ['ws://%C3%BC:p%40%3a@h/', 'ü:p@:'],
    ['ws://é:p@h/', 'é:p'],
    ['ws://%ff:a%zz%@h/', '\ufffd:a%zz%'],
  ])('client, user information of %j -> %j', (address, auth) => {
    expect(parseWebSocketUrl(address).auth).toBe(auth);
  });

  it('client, a URL object -> read, not changed', () => {
    const url = new URL('https://h/x');
    expect(parseWebSocketUrl(url).url).toBe('wss://h/x');
    expect(url.href).toBe('https://h/x');
  });

  it.each(['', 'foo', 'ws:', 'ws://', 'ws://h:99999', 'ws://[::1', 'http://a b/'])(
    '[RFC6455-4.1-3] client, %j -> SyntaxError "Invalid URL"',
    (address) => {
      expect(() => parseWebSocketUrl(address)).toThrow(new SyntaxError(`Invalid URL: ${address}`));
    },
  );

  it.each(['ftp://h', 'mailto:a@b', 'wss+unix:/a', 'file:///x', 'javascript:1'])(
    '[RFC6455-4.1-3] client, scheme of %j -> SyntaxError',
    (address) => {
      expect(() => parseWebSocketUrl(address)).toThrow(
        new SyntaxError('The URL\'s protocol must be one of "ws:", "wss:", "http:", "https:", or "ws+unix:"'),
      );
    },
  );

  it.each(['ws://h/#f', 'wss://h/a?b#c', 'http://h/#f', 'ws+unix:/a#f'])(
    '[RFC6455-3-4] client, fragment of %j -> SyntaxError',
    (address) => {
      expect(() => parseWebSocketUrl(address)).toThrow(
        new SyntaxError('The URL contains a fragment identifier'),
      );
    },
  );

  it.each(['ws+unix:', 'ws+unix:#f', 'ws+unix::/b'])('client, no socket in %j -> SyntaxError', (address) => {
    expect(() => parseWebSocketUrl(address)).toThrow(new SyntaxError("The URL's pathname is empty"));
  });

  it('client, any text -> an address or a SyntaxError', () => {
    const piece = fc.oneof(
      fc.constantFrom('ws', 'wss', 'ws+unix', ':', '//', '/', '#', '%', '@', '['),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        try {
          expect(parseWebSocketUrl(pieces.join('')).path).toMatch(/^\/[!-~]*$/);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
    );
  });
});

describe('checkProtocolVersion', () => {
  it('client, 13 and 8 -> accepted', () => {
    expect(() => checkProtocolVersion(13)).not.toThrow();
    expect(() => checkProtocolVersion(8)).not.toThrow();
  });

  it.each([12, '13', null, undefined, 13.5])('client, %j -> RangeError', (version) => {
    expect(() => checkProtocolVersion(version)).toThrow(
      new RangeError(`Unsupported protocol version: ${version} (supported versions: 8, 13)`),
    );
  });
});

describe('buildRequestHeaders', () => {
  const none = new Set<string>();

  it('[RFC6455-4.1-20] [RFC6455-4.1-21] [RFC6455-4.1-22] [RFC6455-4.1-27] client, no options -> four fields', () => {
    expect(Object.entries(buildRequestHeaders({ key: 'K', version: 13, subprotocols: none }))).toEqual([
      ['Sec-WebSocket-Version', 13],
      ['Sec-WebSocket-Key', 'K'],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ]);
  });

  it('[RFC6455-4.1-26] [RFC6455-4.1-28] [RFC6455-4.1-31] [RFC6455-4.1-32] client, every option -> in the order of ws', () => {
    const offer = { key: 'K', version: 13, origin: 'http://o' } as const;
    const more = { subprotocols: new Set(['b', 'a']), extensions: 'x' };
    const headers = buildRequestHeaders(
      { ...offer, ...more },
      { Cookie: 'c', Upgrade: 'no', 'X-A': ['1', '2'] },
    );
    expect(Object.entries(headers)).toEqual([
      ['Cookie', 'c'],
      ['Upgrade', 'websocket'],
      ['X-A', ['1', '2']],
      ['Sec-WebSocket-Version', 13],
      ['Sec-WebSocket-Key', 'K'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Extensions', 'x'],
      ['Sec-WebSocket-Protocol', 'b,a'],
      ['Origin', 'http://o'],
    ]);
  });

  it('client, version 8 -> the origin has another name', () => {
    const headers = buildRequestHeaders({ key: 'K', version: 8, subprotocols: none, origin: 'http://o' });
    expect(headers).toMatchObject({ 'Sec-WebSocket-Version': 8, 'Sec-WebSocket-Origin': 'http://o' });
    expect(headers).not.toHaveProperty('Origin');
  });
});

describe('checkResponse', () => {
  const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
  const good = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': ACCEPT };
  const offer = { subprotocols: new Set<string>(), extensions: undefined };
  type Fields = Record<string, string | undefined>;
  const check = (
    fields: Fields,
    offered: Partial<Parameters<typeof checkResponse>[2]> = {},
    httpVersion = '1.1',
  ) => checkResponse({ httpVersion, headers: { ...good, ...fields } }, ACCEPT, { ...offer, ...offered });

  it('[RFC6455-4.1-34] client, a good response -> accepted, with nothing agreed', () => {
    expect(check({})).toEqual({ ok: true, subprotocol: '', extensions: undefined });
    expect(checkResponse({ headers: good }, ACCEPT, offer)).toMatchObject({ ok: true });
  });

  it.each<[string, Fields]>([
    ['[RFC6455-4.1-36] Upgrade in another case', { upgrade: 'WebSocket' }],
    ['[RFC6455-4.1-37] Connection as a list', { connection: 'keep-alive, upgrade' }],
    ['[RFC6455-4.1-38] whitespace around Accept', { 'sec-websocket-accept': ` \t${ACCEPT} ` }],
  ])('client, %s -> accepted', (_, fields) => {
    expect(check(fields)).toMatchObject({ ok: true });
  });

  it.each<[string, Fields, string]>([
    ['[RFC6455-4.1-36] no Upgrade', { upgrade: undefined }, 'Invalid Upgrade header'],
    ['[RFC6455-4.1-36] another Upgrade', { upgrade: 'foo' }, 'Invalid Upgrade header'],
    ['[RFC6455-4.1-37] no Connection', { connection: undefined }, 'Invalid Connection header'],
    ['[RFC6455-4.1-37] another Connection', { connection: 'close' }, 'Invalid Connection header'],
    [
      '[RFC6455-4.1-38] no Accept',
      { 'sec-websocket-accept': undefined },
      'Invalid Sec-WebSocket-Accept header',
    ],
    [
      '[RFC6455-4.1-38] another Accept',
      { 'sec-websocket-accept': 'x' },
      'Invalid Sec-WebSocket-Accept header',
    ],
    [
      '[RFC6455-11.3.3-1] two Accepts, joined by Node.js',
      { 'sec-websocket-accept': `${ACCEPT}, ${ACCEPT}` },
      'Invalid Sec-WebSocket-Accept header',
    ],
    [
      '[RFC6455-4.1-40] a subprotocol unasked for',
      { 'sec-websocket-protocol': 'a' },
      'Server sent a subprotocol but none was requested',
    ],
    [
      '[RFC6455-4.1-39] an extension unasked for',
      { 'sec-websocket-extensions': '' },
      'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
    ],
  ])('client, %s -> refused', (_, fields, message) => {
    expect(check(fields)).toEqual({ ok: false, message });
  });

  it('[RFC6455-4.1-41] client, HTTP/1.0 -> refused', () => {
    expect(check({}, {}, '1.0')).toEqual({ ok: false, message: 'Invalid HTTP version' });
  });

  it.each([
    ['c', 'Server sent an invalid subprotocol'],
    ['', 'Server sent an invalid subprotocol'],
    ['a, b', 'Server sent an invalid subprotocol'],
    [undefined, 'Server sent no subprotocol'],
  ])(
    '[RFC6455-4.1-40] [RFC6455-11.3.4-2] client, a and b offered, %j chosen -> refused',
    (choice, message) => {
      const offered = { subprotocols: new Set(['a', 'b']) };
      expect(check({ 'sec-websocket-protocol': choice }, offered)).toEqual({ ok: false, message });
    },
  );

  it('client, a subprotocol and an extension as offered -> handed on', () => {
    const fields = { 'sec-websocket-protocol': 'b', 'sec-websocket-extensions': 'x, y' };
    expect(check(fields, { subprotocols: new Set(['a', 'b']), extensions: 'x' })).toEqual({
      ...{ ok: true, subprotocol: 'b', extensions: 'x, y' },
    });
  });

  it('client, everything wrong -> the first fault in the order of ws', () => {
    const faults: [Fields, string][] = [
      [{ upgrade: undefined }, 'Invalid Upgrade header'],
      [{ 'sec-websocket-accept': undefined }, 'Invalid Sec-WebSocket-Accept header'],
      [{ 'sec-websocket-protocol': 'a' }, 'Server sent a subprotocol but none was requested'],
      [
        { 'sec-websocket-extensions': 'x' },
        'Server sent a Sec-WebSocket-Extensions header but no extension was requested',
      ],
    ];
    for (const [index, fault] of faults.entries()) {
      const fields = Object.assign({}, ...faults.slice(index).map(([each]) => each));
      expect(check(fields)).toEqual({ ok: false, message: fault[1] });
    }
  });

  it('client, no fields at all, cut off by a limit -> refused, no exception', () => {
    expect(checkResponse({ headers: {} }, ACCEPT, offer)).toMatchObject({ ok: false });
  });
});
