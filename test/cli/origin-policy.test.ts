import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isAllowedOrigin } from '../../src/cli/origin-policy.js';

describe('isAllowedOrigin', () => {
  it.each([
    ['http://127.0.0.1:8787', '127.0.0.1:8787', '127.0.0.1'],
    ['http://localhost:8787', 'localhost:8787', '127.0.0.1'],
    ['http://localhost:8787', 'LOCALHOST:8787', '127.0.0.1'],
    ['http://[::1]:8787', '[::1]:8787', '::1'],
    ['http://192.168.1.5:8787', '192.168.1.5:8787', '0.0.0.0'],
    ['http://localhost', 'localhost:80', '127.0.0.1'],
    ['https://localhost', 'localhost', '127.0.0.1'],
    ['http://demo.example:8787', 'demo.example:8787', 'demo.example'],
    [`http://${hostname().toLowerCase()}:8787`, `${hostname()}:8787`, '0.0.0.0'],
  ])('[RFC6455-10.2-1] server, origin %s for host %s -> accepted', (origin, host, listenHost) => {
    expect(isAllowedOrigin(origin, host, listenHost)).toBe(true);
  });

  it.each([
    ['another site', 'https://evil.example', '127.0.0.1:8787'],
    ['another port', 'http://127.0.0.1:3000', '127.0.0.1:8787'],
    ['another address', 'http://127.0.0.2:8787', '127.0.0.1:8787'],
    ['a name that only begins like ours', 'http://127.0.0.1.evil.example:8787', '127.0.0.1:8787'],
    ['a name that only ends like ours', 'http://evil-localhost:8787', 'localhost:8787'],
    [
      'a name that was made to resolve to us (DNS rebinding)',
      'http://evil.example:8787',
      'evil.example:8787',
    ],
    ['a subdomain of localhost', 'http://evil.localhost:8787', 'evil.localhost:8787'],
    ['a sandboxed page', 'null', '127.0.0.1:8787'],
    ['nothing', '', '127.0.0.1:8787'],
    ['no URL', '127.0.0.1:8787', '127.0.0.1:8787'],
    ['another scheme', 'file://127.0.0.1:8787', '127.0.0.1:8787'],
    ['an extension of a browser', 'chrome-extension://abcdef', '127.0.0.1:8787'],
    ['a request without Host', 'http://127.0.0.1:8787', undefined],
    ['a Host that is not one', 'http://127.0.0.1:8787', '127.0.0.1:8787/'.repeat(2)],
    ['a Host with a user name', 'http://127.0.0.1:8787', 'user@127.0.0.1:8787'],
    ['an Origin with a path', 'http://127.0.0.1:8787/page', '127.0.0.1:8787'],
    ['an Origin with a user name', 'http://user@127.0.0.1:8787', '127.0.0.1:8787'],
    ['two origins', 'http://127.0.0.1:8787, http://evil.example', '127.0.0.1:8787'],
  ])('[RFC6455-10.2-1] server, %s -> refused', (_, origin, host) => {
    expect(isAllowedOrigin(origin, host, '127.0.0.1')).toBe(false);
  });

  it('accepts programs, which send no Origin', () => {
    expect(isAllowedOrigin(undefined, '127.0.0.1:8787', '127.0.0.1')).toBe(true);
  });
});
