// Which pages may connect to a server that says nothing of them, and to one that lists them.
import { expect, it } from 'vitest';
import { isAllowedOrigin } from '../../src/mcp/origins.js';

it.each([
  ['http://localhost:3000', 'localhost:3000'],
  ['http://127.0.0.1:3000', '127.0.0.1:3000'],
  ['https://192.168.1.5', '192.168.1.5'],
  ['http://[::1]:3000', '[::1]:3000'],
])('%s at %s: its own page, at an address', (origin, host) => {
  expect(isAllowedOrigin(origin, host, [])).toBe(true);
});

it.each([
  ['another page', 'https://evil.example', 'localhost:3000'],
  ['another port', 'http://localhost:3001', 'localhost:3000'],
  ['another name of this machine', 'http://127.0.0.1:3000', 'localhost:3000'],
  ['a name that somebody has pointed here (DNS rebinding)', 'http://evil.example:3000', 'evil.example:3000'],
  ['a name that begins like an address', 'http://127.0.0.1.evil.example', '127.0.0.1.evil.example'],
  ['a page without an origin', 'null', 'localhost:3000'],
  ['a request without a host', 'http://localhost:3000', undefined],
])('%s -> refused', (_name, origin, host) => {
  expect(isAllowedOrigin(origin, host, [])).toBe(false);
});

it('those that are listed, and no others', () => {
  const allowed = ['https://app.example'];
  expect(isAllowedOrigin('https://app.example', 'tools.example', allowed)).toBe(true);
  expect(isAllowedOrigin('http://app.example', 'tools.example', allowed)).toBe(false);
  expect(isAllowedOrigin('https://app.example.evil.example', 'tools.example', allowed)).toBe(false);
  expect(isAllowedOrigin('https://any.example', 'tools.example', ['*'])).toBe(true);
});
