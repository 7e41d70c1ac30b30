// What is measured: each case is data, read by the runner, the server and the load generator alike, so that
// all three agree on payloads and sizes without telling each other.

/**
 * @typedef {object} Case
 * @property {'echo' | 'latency' | 'broadcast' | 'handshake' | 'idle' | 'client'} kind
 * @property {number} connections
 * @property {number} depth frames that one connection sends in one block; the next waits for all replies
 * @property {'binary' | 'text' | 'json'} payload
 * @property {number} payloadBytes
 * @property {false | 'fresh' | 'takeover'} deflate permessage-deflate, without or with context takeover
 * @property {boolean} tls
 * @property {'own' | 'http'} listener the library listens itself, or is attached to the user's http(s).Server
 * @property {number} ratePerSecond latency cases only: messages that are due per second, over all connections
 * @property {boolean} usesBroadcastMethod broadcast cases only: calls `broadcast()` if there is one
 * @property {boolean} sendsString broadcast cases only: the loop sends a string, not the bytes that arrived
 * @property {'receive' | 'send' | 'echo'} client client cases only: what the library under test does
 * @property {boolean} exchangesFirst idle cases only: each connection has echoed one block before it idles
 * @property {string} about
 */

/** @type {Omit<Case, 'about'>} */
const PLAIN = {
  kind: 'echo',
  connections: 50,
  depth: 1,
  payload: 'binary',
  payloadBytes: 64,
  deflate: false,
  tls: false,
  listener: 'own',
  ratePerSecond: 0,
  usesBroadcastMethod: false,
  sendsString: false,
  client: 'echo',
  exchangesFirst: false,
};

/**
 * @param {string} about
 * @param {Partial<Case>} difference
 * @returns {Case}
 */
function define(about, difference) {
  return { ...PLAIN, ...difference, about };
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** @type {Record<string, Case>} */
export const CASES = {
  'echo-64': define('64 B binary, 64 in flight on each of 50 connections', { depth: 64 }),
  'echo-64-single': define('64 B binary, one in flight on each of 50 connections', {}),
  'echo-1k': define('1 KiB binary, 16 in flight on each of 50 connections', { depth: 16, payloadBytes: KiB }),
  'echo-1k-text': define(
    '1 KiB text, one character in 16 not ASCII, 16 in flight on each of 50 connections',
    {
      depth: 16,
      payload: 'text',
      payloadBytes: KiB,
    },
  ),
  'echo-64k': define('64 KiB binary, 2 in flight on each of 16 connections', {
    connections: 16,
    depth: 2,
    payloadBytes: 64 * KiB,
  }),
  'echo-1m': define('1 MiB binary, one in flight on each of 8 connections', {
    connections: 8,
    payloadBytes: MiB,
  }),
  'echo-16m': define('16 MiB binary, one in flight on each of 2 connections', {
    connections: 2,
    payloadBytes: 16 * MiB,
  }),
  'latency-64': define(
    '64 B binary at 5,000 messages a second over 50 connections, from the intended start',
    {
      kind: 'latency',
      ratePerSecond: 5000,
    },
  ),
  'latency-1k': define(
    '1 KiB binary at 5,000 messages a second over 50 connections, from the intended start',
    {
      kind: 'latency',
      payloadBytes: KiB,
      ratePerSecond: 5000,
    },
  ),
  'deflate-json-250': define(
    '250 B JSON, compressed both ways, no context takeover, 8 in flight on each of 50',
    {
      depth: 8,
      payload: 'json',
      payloadBytes: 250,
      deflate: 'fresh',
    },
  ),
  'deflate-json-1k': define(
    '1 KiB JSON, compressed both ways, no context takeover, 8 in flight on each of 50',
    {
      depth: 8,
      payload: 'json',
      payloadBytes: KiB,
      deflate: 'fresh',
    },
  ),
  'deflate-json-16k': define(
    '16 KiB JSON, compressed both ways, no context takeover, 4 in flight on each of 50',
    {
      depth: 4,
      payload: 'json',
      payloadBytes: 16 * KiB,
      deflate: 'fresh',
    },
  ),
  'deflate-json-250-takeover': define(
    '250 B JSON, compressed both ways, with context takeover, 8 in flight',
    {
      depth: 8,
      payload: 'json',
      payloadBytes: 250,
      deflate: 'takeover',
    },
  ),
  'deflate-json-1k-takeover': define('1 KiB JSON, compressed both ways, with context takeover, 8 in flight', {
    depth: 8,
    payload: 'json',
    payloadBytes: KiB,
    deflate: 'takeover',
  }),
  'deflate-json-16k-takeover': define(
    '16 KiB JSON, compressed both ways, with context takeover, 4 in flight',
    {
      depth: 4,
      payload: 'json',
      payloadBytes: 16 * KiB,
      deflate: 'takeover',
    },
  ),
  'broadcast-128': define('128 B text to 1,000 connections, a loop over clients; per delivery', {
    kind: 'broadcast',
    connections: 1000,
    payload: 'text',
    payloadBytes: 128,
  }),
  'broadcast-128-method': define('the same with the server’s broadcast() where the library has one', {
    kind: 'broadcast',
    connections: 1000,
    payload: 'text',
    payloadBytes: 128,
    usesBroadcastMethod: true,
  }),
  'broadcast-1k-deflate': define(
    '1 KiB JSON, compressed, no context takeover, to 1,000 connections, a loop over clients; per delivery',
    {
      kind: 'broadcast',
      connections: 1000,
      payload: 'json',
      payloadBytes: KiB,
      deflate: 'fresh',
      sendsString: true,
    },
  ),
  'broadcast-1k-deflate-method': define('the same with the server’s broadcast() where the library has one', {
    kind: 'broadcast',
    connections: 1000,
    payload: 'json',
    payloadBytes: KiB,
    deflate: 'fresh',
    sendsString: true,
    usesBroadcastMethod: true,
  }),
  handshake: define('opening handshakes, 50 at a time; the library listens itself', {
    kind: 'handshake',
    connections: 500,
  }),
  'handshake-http': define('opening handshakes, 50 at a time; attached to the user’s http.Server', {
    kind: 'handshake',
    connections: 500,
    listener: 'http',
  }),
  idle: define('memory of the server per open connection, nothing ever sent', {
    kind: 'idle',
    connections: 5000,
  }),
  'idle-used': define('memory of the server per open connection, one 64 B message echoed, then idle', {
    kind: 'idle',
    connections: 5000,
    exchangesFirst: true,
  }),
  'idle-10k': define('memory of the server per open connection, 10,000 of them, nothing ever sent', {
    kind: 'idle',
    connections: 10_000,
  }),
  'drip-10k': define('10,000 connections, each sends 64 B once a second, spread evenly; CPU and latency', {
    kind: 'latency',
    connections: 10_000,
    ratePerSecond: 10_000,
  }),
  'client-receive-64': define('a client receives 64 B binary, 512 at a time on each of 8 connections', {
    kind: 'client',
    client: 'receive',
    connections: 8,
    depth: 512,
  }),
  'client-receive-1k': define('a client receives 1 KiB binary, 32 at a time on each of 8 connections', {
    kind: 'client',
    client: 'receive',
    connections: 8,
    depth: 32,
    payloadBytes: KiB,
  }),
  'client-send-64': define('a client sends 64 B binary, 512 at a time on each of 8 connections', {
    kind: 'client',
    client: 'send',
    connections: 8,
    depth: 512,
  }),
  'client-send-1k': define('a client sends 1 KiB binary, 32 at a time on each of 8 connections', {
    kind: 'client',
    client: 'send',
    connections: 8,
    depth: 32,
    payloadBytes: KiB,
  }),
  'client-echo-64': define('a client echoes 64 B binary, 64 in flight on each of 50 connections', {
    kind: 'client',
    client: 'echo',
    depth: 64,
  }),
  'tls-echo-64-single': define('echo-64-single over TLS', { tls: true, listener: 'http' }),
  'tls-echo-64': define('echo-64 over TLS', { depth: 64, tls: true, listener: 'http' }),
  'tls-echo-1k': define('echo-1k over TLS', { depth: 16, payloadBytes: KiB, tls: true, listener: 'http' }),
  'tls-echo-64k': define('echo-64k over TLS', {
    connections: 16,
    depth: 2,
    payloadBytes: 64 * KiB,
    tls: true,
    listener: 'http',
  }),
  'tls-echo-1m': define('echo-1m over TLS', {
    connections: 8,
    payloadBytes: MiB,
    tls: true,
    listener: 'http',
  }),
};

/** The most that the command line may ask for: a mistyped number must not exhaust the machine. */
export const BOUNDS = {
  connections: 30_000,
  depth: 4096,
  ratePerSecond: 200_000,
  payloadBytes: 96 * MiB,
  rounds: 100,
  seconds: 600,
};

/**
 * What the command line may change of a case.
 *
 * @typedef {object} Overrides
 * @property {number | undefined} [connections]
 * @property {number | undefined} [depth]
 * @property {number | undefined} [ratePerSecond]
 * @property {number | undefined} [payloadBytes]
 */

/**
 * The case called `name`, with numbers from the command line put in.
 *
 * @param {string} name
 * @param {Overrides} overrides
 * @returns {Case}
 */
export function caseNamed(name, overrides = {}) {
  const found = CASES[name];
  if (found === undefined)
    throw new Error(`no case is called ${name}; there are ${Object.keys(CASES).join(' ')}`);
  const result = { ...found };
  for (const key of /** @type {const} */ (['connections', 'depth', 'ratePerSecond', 'payloadBytes'])) {
    const value = overrides[key];
    if (value === undefined || (key === 'ratePerSecond' && found.kind !== 'latency')) continue;
    const least = key === 'payloadBytes' ? 0 : 1;
    if (!(Number.isInteger(value) && value >= least && value <= BOUNDS[key])) {
      throw new Error(`${key} must be between ${least} and ${BOUNDS[key]}, not ${value}`);
    }
    result[key] = value;
  }
  return result;
}

/** How the runner tells a child process which case it is about. */
export const CASE_OPTIONS = /** @type {const} */ ({
  case: { type: 'string', default: 'echo-64' },
  connections: { type: 'string' },
  depth: { type: 'string' },
  rate: { type: 'string' },
  size: { type: 'string' },
});

/** @param {string} name @param {Overrides} overrides */
export function caseArguments(name, { connections, depth, ratePerSecond, payloadBytes }) {
  const given = { case: name, connections, depth, rate: ratePerSecond, size: payloadBytes };
  return Object.entries(given).flatMap(([key, value]) =>
    value === undefined ? [] : [`--${key}`, `${value}`],
  );
}

/** @param {{ case: string, connections?: string, depth?: string, rate?: string, size?: string }} values */
export function caseFromArguments(values) {
  const whole = (/** @type {string | undefined} */ text) => (text === undefined ? undefined : Number(text));
  return caseNamed(values.case, {
    connections: whole(values.connections),
    depth: whole(values.depth),
    ratePerSecond: whole(values.rate),
    payloadBytes: whole(values.size),
  });
}
