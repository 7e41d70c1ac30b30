// What `hawser proxy` prints: a line for each thing that happened, for people or as JSON.
import type { FaultConnection } from './fault-connection.js';
import type { FaultProxy, ProxyStats } from './fault-proxy.js';
import { type Palette, paletteFor } from './terminal.js';

export interface ProxyReport {
  /** @param url where clients connect to; both as they were given, that is with a path if there was one */
  listening(url: string, target: string): void;
  /** Prints what happens from now on. */
  follow(proxy: FaultProxy): void;
  closing(stats: ProxyStats): void;
}

/** Where the lines go. */
interface Output {
  isTTY?: boolean;
  write(text: string): unknown;
}

export function createProxyReport(isJson: boolean, stdout: Output = process.stdout): ProxyReport {
  return isJson ? new JsonReport(stdout) : new HumanReport(stdout);
}

class HumanReport implements ProxyReport {
  readonly #stdout: Output;
  readonly #palette: Palette;
  readonly #startedAt = performance.now();

  constructor(stdout: Output) {
    this.#stdout = stdout;
    this.#palette = paletteFor(stdout);
  }

  listening(url: string, target: string): void {
    const { bold, dim } = this.#palette;
    this.#stdout.write(`${bold(url)}   ${dim(`in front of ${target}; Ctrl+C ends it`)}\n`);
  }

  follow(proxy: FaultProxy): void {
    const { red, dim, cyan } = this.#palette;
    proxy.on('connection', ({ number, remoteAddress }) =>
      this.#line(`#${number} opened by ${remoteAddress}`),
    );
    proxy.on('cut', (connection, how) => this.#line(red(`#${connection.number} cut (${how})`), connection));
    proxy.on('close', (connection) => {
      const { number, endedBy } = connection;
      if (endedBy === 'unreachable') this.#line(red(`#${number} the target cannot be reached`));
      // The line of the cut has said it.
      else if (endedBy !== 'cut') this.#line(`#${number} closed by the ${endedBy}`, connection);
    });
    proxy.on('refused', () => this.#line(dim('a connection refused')));
    proxy.on('blackhole', (isOn, direction) =>
      this.#line(
        cyan(`black hole ${isOn ? 'begins' : 'ends'}${direction === 'both' ? '' : ` (${direction})`}`),
      ),
    );
  }

  closing({ connections, cut, refused, bytesIn, bytesOut }: ProxyStats): void {
    this.#stdout.write(
      `\nconnections: ${connections}, cuts: ${cut}, refused: ${refused}, bytes: ${bytesIn} in, ${bytesOut} out\n`,
    );
  }

  #line(text: string, connection?: FaultConnection): void {
    const time = this.#palette.dim(formatSeconds(performance.now() - this.#startedAt).padStart(9));
    const facts = connection === undefined ? '' : this.#palette.dim(` ${describe(connection)}`);
    this.#stdout.write(`${time}  ${text}${facts}\n`);
  }
}

function describe({ ageMs, bytesIn, bytesOut }: FaultConnection): string {
  return `after ${formatSeconds(ageMs)}, ${bytesIn} bytes in, ${bytesOut} out`;
}

function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`;
}

class JsonReport implements ProxyReport {
  readonly #stdout: Output;

  constructor(stdout: Output) {
    this.#stdout = stdout;
  }

  listening(url: string, target: string): void {
    this.#line('listening', { url, target });
  }

  follow(proxy: FaultProxy): void {
    proxy.on('connection', ({ number, remoteAddress }) =>
      this.#line('open', { connection: number, remoteAddress }),
    );
    proxy.on('cut', (connection, how) => this.#line('cut', { ...factsOf(connection), how }));
    proxy.on('close', (connection) =>
      this.#line('close', { ...factsOf(connection), endedBy: connection.endedBy }),
    );
    proxy.on('refused', () => this.#line('refused', {}));
    proxy.on('blackhole', (isOn, direction) => this.#line('blackhole', { on: isOn, direction }));
  }

  closing(stats: ProxyStats): void {
    this.#line('closing', stats);
  }

  #line(event: string, detail: object): void {
    this.#stdout.write(`${JSON.stringify({ event, time: new Date().toISOString(), ...detail })}\n`);
  }
}

function factsOf({ number, ageMs, bytesIn, bytesOut }: FaultConnection): object {
  return { connection: number, ageMs: Math.round(ageMs), bytesIn, bytesOut };
}
