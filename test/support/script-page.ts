// An empty page with one script, served on a port of its own.

import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptPage {
  origin: string;
  close(): void;
}

/**
 * @param name of the script's file, which the page can import as `/${name}`
 * @param head of the page; by default a title, and nothing runs
 */
export async function serveScriptPage(
  name: string,
  script: string | Buffer,
  head = `<title>${name}</title>`,
): Promise<ScriptPage> {
  const server = http.createServer(({ url }, response) => {
    const isScript = url === `/${name}`;
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : `<!doctype html>${head}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, close: () => server.close() };
}
