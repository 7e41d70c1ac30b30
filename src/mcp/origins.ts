// Which web pages may connect. A browser says where a page came from (RFC 6454 §7); programs that are no browsers say nothing,
// and are not kept out by this.

/** A host that is an address, or this machine, and no name that somebody could have pointed here. */
const ADDRESS = /^(?:localhost|\d+\.\d+\.\d+\.\d+|\[[\da-f:.]+\])(?::\d+)?$/i;

/**
 * @param allowed origins, as `https://app.example`; `*` is all
 * @param host what the client takes for ours, as in its Host header
 */
export function isAllowedOrigin(
  origin: string,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (allowed.includes('*') || allowed.includes(origin)) return true;
  // A page of our own. With a name it has to be listed: anybody's name can point here (DNS rebinding), and then the page
  // and the name in the request agree as well.
  if (host === undefined || !ADDRESS.test(host)) return false;
  return origin === `http://${host}` || origin === `https://${host}`;
}
