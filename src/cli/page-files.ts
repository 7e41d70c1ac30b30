// The page of `hawser serve` over HTTP: its few files, and clear answers to every other request.
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

export interface Asset {
  type: string;
  body: Buffer;
}

const PAGE = join(__dirname, 'page');
/** The client for browsers that the page calls the agent with. */
const BUNDLE = 'hawser.js';

/** Reads the files once, when the server starts. */
export function readPage(): Map<string, Asset> {
  const read = (file: string, type: string): Asset => ({
    type: `${type}; charset=utf-8`,
    body: readFileSync(join(PAGE, file)),
  });
  return new Map([
    ['/', read('index.html', 'text/html')],
    ['/style.css', read('style.css', 'text/css')],
    ['/page.js', read('page.js', 'text/javascript')],
    ['/frame-log.js', read('frame-log.js', 'text/javascript')],
    ['/agent.js', read('agent.js', 'text/javascript')],
    ['/call-view.js', read('call-view.js', 'text/javascript')],
    // Made by the build (scripts/build.mjs): among the sources it is not.
    ...(existsSync(join(PAGE, BUNDLE)) ? [[`/${BUNDLE}`, read(BUNDLE, 'text/javascript')] as const] : []),
  ]);
}

const PAGE_HEADERS = {
  // The page runs its own script, talks to its own server, and appears in no frame of another page.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/** @param webSocketPaths where only an upgrade makes sense */
export function servePage(
  page: Map<string, Asset>,
  webSocketPaths: string[],
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const [pathname = '/'] = (request.url ?? '/').split('?', 1);
  const asset = page.get(pathname);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (asset !== undefined && isRead) {
    response.writeHead(200, {
      ...PAGE_HEADERS,
      'Content-Type': asset.type,
      'Content-Length': asset.body.length,
    });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  } else if (asset !== undefined) {
    answer(response, 405, { Allow: 'GET, HEAD' }, 'Only GET and HEAD work here.');
  } else if (webSocketPaths.includes(pathname)) {
    answer(
      response,
      426,
      { Upgrade: 'websocket', Connection: response.shouldKeepAlive ? 'Upgrade' : 'Upgrade, close' },
      'This is a WebSocket: connect with ws://',
    );
  } else {
    answer(response, 404, {}, 'Nothing is here; the page is at /');
  }
}

function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  text: string,
): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
