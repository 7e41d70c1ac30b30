// What handlers are told of a request, in the terms of both SDKs.
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { extraOf } from '../../src/mcp/request-info.js';

function requestWith(distinct: Record<string, string[]>, url: string, encrypted = false): IncomingMessage {
  const headers = Object.fromEntries(Object.entries(distinct).map(([name, [value]]) => [name, value]));
  const rawHeaders = Object.entries(distinct).flatMap(([name, values]) =>
    values.flatMap((value) => [name, value]),
  );
  return {
    url,
    headers,
    rawHeaders,
    socket: encrypted ? { encrypted } : {},
  } as unknown as IncomingMessage;
}

it('headers and URL, for SDK 1.x and 2.x', () => {
  const authInfo = { token: 'x' };
  const extra = extraOf(
    requestWith({ host: ['a.example:81'], 'x-two': ['1', '2'] }, '/mcp?q=1', true),
    authInfo,
  );
  expect(extra.authInfo).toBe(authInfo);
  const { url, headers } = extra.requestInfo as { url: URL; headers: object };
  expect([url.href, headers]).toEqual([
    'https://a.example:81/mcp?q=1',
    { host: 'a.example:81', 'x-two': '1' },
  ]);
  const request = extra.request as Request;
  expect(request).toBeInstanceOf(Request);
  expect([request.url, request.headers.get('x-two')]).toEqual([url.href, '1, 2']);
});

it.each([
  { host: ['a b'] },
  { host: ['user:password@a.example'] },
  { host: [':password@a.example'] },
  {},
] as Record<string, string[]>[])('a host that is none: %o', (headers) => {
  const { requestInfo } = extraOf(requestWith(headers, '/mcp'), undefined);
  expect(String((requestInfo as { url: URL }).url)).toBe(
    headers.host === undefined ? 'http://localhost/mcp' : 'http://localhost/',
  );
});

it('nothing is known', () => {
  expect(extraOf(undefined, undefined)).toEqual({});
});
