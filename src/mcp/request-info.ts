// What the SDKs tell handlers of the HTTP request by which a client came: 1.x its headers and URL, 2.x a `Request`.

import type { IncomingMessage } from 'node:http';
import type { MessageExtra } from './transport.js';

export function extraOf(request: IncomingMessage | undefined, authInfo: object | undefined): MessageExtra {
  const auth = authInfo === undefined ? {} : { authInfo };
  if (request === undefined) return auth;
  const url = urlOf(request);
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const requestInfo = { headers: request.headers, url };
  return { ...auth, requestInfo, request: new Request(url, { headers }) };
}

function urlOf({ url = '/', headers: { host }, socket }: IncomingMessage): URL {
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  // Both are the client's words.
  const text = `${scheme}://${host}${url}`;
  return new URL(URL.canParse(text) ? text : `${scheme}://localhost/`);
}
