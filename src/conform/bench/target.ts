// Where the load goes. Load is an attack where nobody asked for it, so a host must be this machine itself, or be declared
// to be one's own.
import { isIP } from 'node:net';

export interface BenchTarget {
  /** As the user gave it. */
  readonly url: string;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly resource: string;
  /** The Host header. */
  readonly authority: string;
  readonly isSecure: boolean;
  /** Whether a certificate that cannot be verified is accepted. */
  readonly acceptsAnyCertificate: boolean;
}

/** @throws TypeError when `text` is no ws or wss URL */
export function parseTarget(text: string, acceptsAnyCertificate = false): BenchTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:')) {
    throw new TypeError(`not a ws:// or wss:// URL: ${JSON.stringify(text)}`);
  }
  // RFC 6455 §3: a ws or wss URL has no fragment
  if (url.hash !== '' || text.endsWith('#')) throw new TypeError('a WebSocket URL has no fragment (#…)');
  const isSecure = url.protocol === 'wss:';
  return {
    url: text,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    resource: `${url.pathname}${url.search}`,
    authority: url.host,
    isSecure,
    acceptsAnyCertificate,
  };
}

/** True for localhost, 127.0.0.0/8 and ::1. Other names are not looked up: they may mean another host tomorrow. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  if (isIP(name) === 4) return name.startsWith('127.');
  return name === '::1' || name === 'localhost' || name.endsWith('.localhost');
}
