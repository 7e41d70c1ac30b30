// The two packages that every behaviour test runs against: npm `ws` (the yardstick) and hawser (the built dist), and
// the list of points where hawser deliberately behaves differently. HAWSER_BEHAVIOUR=ws or =hawser runs one of them.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';

// biome-ignore lint/suspicious/noExplicitAny: private names are tested too, and no type describes both packages
export type Package = any;

export interface Implementation {
  name: 'ws' | 'hawser';
  /** What `require(name)` returns: the WebSocket class with everything else as its properties. */
  ws: Package;
  /** File that `require` loads, for tests that run a child process. */
  main: string;
}

/** Where hawser differs from npm `ws` on purpose, and why. Each is stated by at least one test, with both outcomes. */
export const DIFFERENCES = {
  'esm-statics': 'the default export is the same complete class, whichever module system loads it',
  'esm-server': '`Server` can be imported by name, because programs do and the types promise it',
  'bundled-types': 'the types ship with the package instead of in a second one that lags behind',
  'more-subpaths': 'sessions, and the conformance suite as a library, are beside what a program has from ws',
  'browser-named-exports': 'bundlers refuse an entry without the names that a program imports',
  'unhandled-error': 'a misbehaving peer must not end the process because nobody listens to "error"',
  'early-utf8': 'text that is not UTF-8 fails at its first bad byte, not when the message ends',
  'pong-while-closing': 'RFC 6455 §5.5.2 requires a Pong until a Close has come, also when ours is sent',
  'minimal-length':
    'RFC 6455 §5.2 requires the shortest length form; the sender of another one broke the protocol',
  'length-msb':
    'RFC 6455 §5.2 requires the most significant bit of a 64-bit length to be 0: a protocol error, not a limit',
  'count-limits':
    'what a peer can make us hold is bounded in bytes, so no count of fragments or chunks is needed by default',
  'null-address': 'the types allow `new WebSocket(null)`, so it works',
  'strict-request':
    'RFC 6455 §4.2.1 requires HTTP/1.1 or higher, one Host header, a resource name and the Connection token',
  'absolute-target': 'RFC 6455 §4.1 lets a request name its target as an absolute URI',
  'upgrade-required': 'RFC 9110 §15.5.22: a 426 names the protocol to upgrade to',
  'strict-version': 'RFC 6455 §4.3 gives the version as digits without leading zeros, not as any number',
  'strict-response':
    'RFC 6455 §4.1 requires the client to check the Connection token and HTTP/1.1 of the response',
  'tcp-close': 'RFC 6455 §7.1.1: the server ends TCP first, so a client gives it a moment before it does',
  'faulty-offer': 'RFC 7692 §5 declines the offer that has a fault, and goes on with the next',
  'window-bits-digits': 'RFC 7692 §7.1.2 gives window bits as digits without leading zeros',
  'window-bits-response':
    'RFC 7692 §7.1.2.1: the window of the server is no larger than the client asked for',
  'window-bits-option':
    'a window that does not exist is a mistake of the caller, to be told before zlib finds it',
  'window-bits-flag':
    'RFC 7692 §7.1.2.1: server_max_window_bits needs a value, so no server accepts it without',
  'single-extension': 'RFC 7692 §5: two agreed extensions cannot share RSV1',
  'header-injection': 'a line break in a header must not forge another header or a response',
  'subprotocol-token': 'RFC 6455 §4.1: a subprotocol is a token; anything else could break out of its header',
  'undefined-limit': 'a limit that is given as undefined is not given',
  'refusal-headers':
    'names of headers are compared without case, and an array is as many headers, as in node:http',
  'empty-socket-path': 'a URL without the path of a socket would lead to TCP port 80',
  'shared-memory': 'the bytes of the caller are never changed, and a SharedArrayBuffer is no exception',
  'wide-limits': 'a limit of 2^31 or more means what it says instead of wrapping to "no limit"',
  'async-verify': 'a one-argument verifyClient that returns a promise is awaited instead of taken for "yes"',
} as const;

export type Difference = keyof typeof DIFFERENCES;

/** Picks what this implementation is expected to do where the two differ; the key names the reason. */
export function differs<T>(
  { name }: Implementation,
  _difference: Difference,
  outcomes: { ws: T; hawser: T },
): T {
  return outcomes[name];
}

/** The repository's root: vitest runs there. */
export const ROOT = process.cwd();
const BUILT = join(ROOT, 'dist', 'index.js');

const MAINS = { ws: join(ROOT, 'node_modules', 'ws', 'index.js'), hawser: BUILT };

/** Runs the same tests for each implementation. Without a build hawser's part fails; it is never left out. */
export function behaviour(title: string, body: (implementation: Implementation) => void): void {
  for (const name of selected()) {
    describe(`${name}: ${title}`, () => {
      const main = MAINS[name];
      if (existsSync(main)) return body({ name, main, ws: require(main) });
      it('is built', () => {
        throw new Error('dist/index.js is missing: run `npm run build` before the behaviour tests');
      });
    });
  }
}

function selected(): Implementation['name'][] {
  const only = process.env.HAWSER_BEHAVIOUR;
  if (only === undefined || only === '') return ['ws', 'hawser'];
  if (only === 'ws' || only === 'hawser') return [only];
  throw new Error(`HAWSER_BEHAVIOUR is "${only}": expected "ws" or "hawser"`);
}
