// Which web pages may open a WebSocket to `hawser serve` (RFC 6455 §10.2).
//
// The same-origin policy of browsers does not cover WebSocket: any page on the web may connect to 127.0.0.1 and read
// what comes back (cross-site WebSocket hijacking). What a page cannot do is hide where it comes from: browsers put
// its origin into the Origin header. So a request with that header is accepted only when it names this server, as in a
// page that this server sent. A request without it does not come from a page of a browser, and is accepted.
import { isIP } from 'node:net';
import { hostname } from 'node:os';

/**
 * @param origin the Origin header
 * @param host the Host header
 * @param listenHost the name or address that the server was told to listen on
 */
export function isAllowedOrigin(
  origin: string | undefined,
  host: string | undefined,
  listenHost: string,
): boolean {
  if (origin === undefined) return true;
  if (host === undefined || !URL.canParse(origin)) return false; // `null`, the origin of sandboxed pages, among them
  const url = new URL(origin);
  if (url.origin !== origin) return false; // not the form that browsers send: a path or user name in it
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  // [RFC6455-10.2-1] the page came from where it connects to
  if (url.host !== normalizeHost(url.protocol, host)) return false;
  // A page may also come from a name that its owner lets resolve to 127.0.0.1 (DNS rebinding); then both headers agree.
  // An address cannot be made to do that, nor can the names that are known to be ours.
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || ['localhost', listenHost.toLowerCase(), hostname().toLowerCase()].includes(name);
}

/** `Host` in the form of `URL#host`: lower case, without the default port. */
function normalizeHost(scheme: string, host: string): string | undefined {
  const url = `${scheme}//${host}`;
  return /^[^/\\?#@]+$/.test(host) && URL.canParse(url) ? new URL(url).host : undefined;
}
