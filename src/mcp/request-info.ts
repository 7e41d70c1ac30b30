// What the SDKs tell handlers of the HTTP request by which a client came: 1.x its headers and URL, 2.x a `Request`.

import type { IncomingMessage } from 'node:http';
import type { MessageExtra } from './transport.js';

export function extraOf(request: IncomingMessage | undefined, authInfo: object | undefined): MessageExtra {
  const auth = authInfo === undefined ? {} : { authInfo };
  if (request === undefined) return auth;
  const url = urlOf(request);
  const headers = new Headers();
  const { rawHeaders } = request;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  const requestInfo = { headers: request.headers, url };
  return { ...auth, requestInfo, request: new Request(url, { headers }) };
}

function urlOf({ url = '/', headers: { host = 'localhost' }, socket }: IncomingMessage): URL {
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  // Both are the client's words; a URL with credentials is none that a `Request` takes.
  const text = `${scheme}://${host}${url}`;
  const fallback = new URL(`${scheme}://localhost/`);
  if (!URL.canParse(text)) return fallback;
  const said = new URL(text);
  return said.username === '' && said.password === '' ? said : fallback;
}
