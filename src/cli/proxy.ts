// `hawser proxy`: a TCP proxy that makes a good network bad, to try one's own agent on. It reads the options; the faults are
// in `fault-proxy.ts`, their times in `fault-schedule.ts`.
import { isIPv6 } from 'node:net';
import { type CommandSpec, EXIT, type ParsedArguments, UsageError } from './arguments.js';
import type { CutMode, Directions, Faults } from './fault-pipe.js';
import { FaultProxy, type ProxyTarget } from './fault-proxy.js';
import { type Schedule, startSchedule } from './fault-schedule.js';
import { explainListenError } from './listen-error.js';
import { createProxyReport } from './proxy-report.js';
import { parseByteCount, parseDuration } from './quantity.js';

const CUT_MODES: CutMode[] = ['rst', 'fin', 'blackhole'];
const DIRECTIONS: Directions[] = ['in', 'out', 'both'];

export const proxyCommand: CommandSpec = {
  name: 'proxy',
  summary: 'Stand in front of a server and make the network bad: drops, delays, black holes.',
  operands: 'TARGET',
  minOperands: 1,
  maxOperands: 1,
  options: {
    port: {
      short: 'p',
      value: 'PORT',
      help: 'the port to listen on; 0 takes any that is free (default 9000)',
    },
    host: { value: 'HOST', help: 'the name or address to listen on (default 127.0.0.1)' },
    'drop-every': { value: 'DURATION', help: 'cut each connection at this age' },
    'drop-after': { value: 'BYTES', help: 'cut each connection when exactly so many bytes have passed' },
    'drop-with': {
      value: 'HOW',
      help: 'rst, fin, or blackhole: silent for ever, and nobody is told (default rst)',
    },
    refuse: { value: 'DURATION', help: 'after each drop, reset new connections for so long' },
    latency: { value: 'DURATION', help: 'delay every byte, one way: a round trip takes twice as long' },
    jitter: { value: 'DURATION', help: 'delay by up to so much more, at random; the order stays' },
    rate: { value: 'BYTES', help: 'bytes per second, for each connection and direction' },
    chunk: { value: 'BYTES', help: 'forward in pieces of at most so many bytes' },
    blackhole: {
      value: 'FOR[/EVERY]',
      help: 'let nothing pass for so long, once in every (default: twice FOR)',
    },
    direction: {
      value: 'WHICH',
      help: 'in (to the target), out (from it) or both: where all but --drop-every applies (default both)',
    },
    seed: { value: 'N', help: 'of the random numbers of --jitter (default 1)' },
    json: { help: 'print one JSON object per event' },
  },
  notes: `
TARGET is HOST:PORT, or ws://HOST[:PORT][/PATH], or wss://. The proxy is one of TCP: it carries anything, changes no
byte, and looks at none. Before a wss:// server connect with wss:// too (its certificate is for another name: hawser
connect -k). A server that looks at the Host header sees the proxy's.

DURATION is a number with ms, s, m or h: 40ms, 1.5s. BYTES may end in k or m: 64k.

--drop-after  Counts the bytes of --direction since the connection was opened, handshake included; with both, whichever
              direction gets there first.
--blackhole   The first one begins after EVERY - FOR. Connections stay open and can be opened, but no byte arrives and no
              end of a connection either. Afterwards all of it arrives, as TCP would have sent it again: a black hole
              delays. Bytes are lost where the connection is cut meanwhile, by --drop-every or by who gives up.
--drop-with   fin is how a process ends that closes its sockets; rst one that crashes, or a middlebox; blackhole a cable
              that is pulled: each end finds out by itself, if it looks.
--refuse      What a client meets while a server restarts behind a load balancer.

At most 1 MiB waits in each direction of a connection; then its sender is held back. There is no authentication: think
before you listen on more than 127.0.0.1. Ctrl+C ends every connection and prints the totals.

Exit code: 0 after Ctrl+C or SIGTERM, 1 when it cannot listen, 2 for bad arguments.

Examples:
  hawser proxy ws://127.0.0.1:8787/echo                         then connect to ws://127.0.0.1:9000/echo
  hawser proxy --drop-every 5s --refuse 2s 127.0.0.1:8787       a server that restarts all the time
  hawser proxy --latency 40ms --jitter 20ms 127.0.0.1:8787      a server far away
  hawser proxy --blackhole 30s/2m --direction out 127.0.0.1:8787
  hawser proxy --drop-after 1000 --direction in 127.0.0.1:8787  where does a half-sent message leave you?`,
};

/** Runs the command until a signal ends it. @returns the exit code */
export async function proxy(parsed: ParsedArguments): Promise<number> {
  const target = readTarget(parsed.operands[0]!);
  const direction = readChoice(parsed, 'direction', DIRECTIONS, 'both');
  const schedule = readSchedule(parsed, direction);
  const seed = parsed.integer('seed', 0, 2 ** 32 - 1, 1);
  const faultProxy = new FaultProxy(target, readFaults(parsed, direction), seed);
  const dropAfter = parsed.value('drop-after');
  if (dropAfter !== undefined) {
    const bytes = parseByteCount('--drop-after', dropAfter, 0);
    faultProxy.cutAfter(bytes, direction, schedule.dropWith, 'each');
  }
  const host = parsed.value('host') ?? '127.0.0.1';
  const port = parsed.integer('port', 0, 65535, 9000);
  try {
    await faultProxy.listen(port, host);
  } catch (error) {
    process.stderr.write(`hawser: ${explainListenError(error as NodeJS.ErrnoException, host, port)}\n`);
    return EXIT.FAILED;
  }
  const report = createProxyReport(parsed.has('json'));
  report.listening(target.format(host, faultProxy.address.port), parsed.operands[0]!);
  report.follow(faultProxy);
  const stopSchedule = startSchedule(faultProxy, schedule);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  stopSchedule();
  await faultProxy.close();
  report.closing(faultProxy.stats());
  return EXIT.OK;
}

interface Target extends Required<ProxyTarget> {
  /** The target as it would be written if it were at that host and port. */
  format(host: string, port: number): string;
}

function readTarget(text: string): Target {
  // The parser of URLs knows the default ports of these schemes, and brackets around IPv6 addresses.
  const hasScheme = /^wss?:\/\//i.test(text);
  const fullText = hasScheme ? text : `ws://${text}`;
  const url = URL.canParse(fullText) ? new URL(fullText) : undefined;
  const hasPort = /:\d+$/.test(text);
  if (url === undefined || url.port === '0' || !(hasScheme || (hasPort && url.pathname === '/'))) {
    throw new UsageError(`TARGET must be HOST:PORT or ws://HOST[:PORT][/PATH], not ${JSON.stringify(text)}`);
  }
  const { protocol, pathname, search } = url;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (protocol === 'wss:' ? 443 : 80) : Number(url.port),
    format: (host, port) => {
      const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
      return hasScheme ? `${protocol}//${authority}${pathname}${search}` : authority;
    },
  };
}

function readFaults(parsed: ParsedArguments, direction: Directions): Partial<Faults> {
  const [rate, chunk] = [parsed.value('rate'), parsed.value('chunk')];
  return {
    latencyMs: readDuration(parsed, 'latency') ?? 0,
    jitterMs: readDuration(parsed, 'jitter') ?? 0,
    ...(rate !== undefined && { bytesPerSecond: parseByteCount('--rate', rate, 1) }),
    ...(chunk !== undefined && { chunkBytes: parseByteCount('--chunk', chunk, 1) }),
    direction,
  };
}

function readSchedule(parsed: ParsedArguments, direction: Directions): Schedule {
  for (const option of ['drop-with', 'refuse']) {
    const hasDrops = parsed.has('drop-every') || parsed.has('drop-after');
    if (parsed.has(option) && !hasDrops) {
      throw new UsageError(`--${option} needs --drop-every or --drop-after`);
    }
  }
  const blackhole = parsed.value('blackhole');
  return {
    dropEveryMs: readDuration(parsed, 'drop-every'),
    dropWith: readChoice(parsed, 'drop-with', CUT_MODES, 'rst'),
    refuseMs: readDuration(parsed, 'refuse'),
    blackhole: blackhole === undefined ? undefined : { ...readBlackhole(blackhole), direction },
  };
}

function readBlackhole(text: string): { forMs: number; everyMs: number } {
  const [forText = '', everyText, ...rest] = text.split('/');
  const forMs = parseDuration('--blackhole', rest.length === 0 ? forText : text);
  const everyMs = everyText === undefined ? 2 * forMs : parseDuration('--blackhole', everyText);
  if (everyMs > forMs) return { forMs, everyMs };
  throw new UsageError(`--blackhole FOR/EVERY: EVERY must be longer than FOR, not ${JSON.stringify(text)}`);
}

function readDuration(parsed: ParsedArguments, option: string): number | undefined {
  const text = parsed.value(option);
  return text === undefined ? undefined : parseDuration(`--${option}`, text);
}

function readChoice<T extends string>(parsed: ParsedArguments, option: string, choices: T[], fallback: T): T {
  const text = parsed.value(option);
  if (text === undefined) return fallback;
  const choice = choices.find((each) => each === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`--${option} must be one of ${choices.join(', ')}, not ${JSON.stringify(text)}`);
}
