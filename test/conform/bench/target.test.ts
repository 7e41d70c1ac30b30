import { describe, expect, it } from 'vitest';
import { isLoopbackHost, parseTarget } from '../../../src/conform/bench/target.js';

describe('isLoopbackHost', () => {
  it.each(['localhost', 'LOCALHOST', 'a.localhost', '127.0.0.1', '127.8.9.10', '::1'])(
    '%s -> yes',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  it.each([
    'example.org',
    '127.0.0.1.example.org',
    '127.example.org',
    'localhost.example.org',
    'notlocalhost',
    '10.0.0.1',
    '0.0.0.0',
    '::',
    '::2',
    '',
  ])('%s -> no', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});

describe('parseTarget', () => {
  it.each([
    ['ws://127.0.0.1:8787/echo?x=1', '127.0.0.1', 8787, '/echo?x=1', '127.0.0.1:8787', false],
    ['ws://localhost', 'localhost', 80, '/', 'localhost', false],
    ['wss://[::1]/a', '::1', 443, '/a', '[::1]', true],
    ['ws://127.1:81/', '127.0.0.1', 81, '/', '127.0.0.1:81', false],
  ])('%s -> host, port, resource, authority', (url, host, port, resource, authority, isSecure) => {
    expect(parseTarget(url)).toMatchObject({ host, port, resource, authority, isSecure });
  });

  it.each(['', 'echo', 'http://127.0.0.1/', 'ws://127.0.0.1/#part', 'ws://127.0.0.1/#'])(
    '%s -> refused',
    (url) => {
      expect(() => parseTarget(url)).toThrow(TypeError);
    },
  );
});
