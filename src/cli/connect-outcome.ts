// How a connection, or a session, of `hawser connect` ends: who asked for it, and what that means for the exit code.
import type { ClientSession, SessionEnd } from '../agent/index.js';
import type { WebSocket } from '../ws/websocket.js';
import { EXIT } from './arguments.js';

/** What a person can do about the end, and how it came. */
export interface Ending {
  /** Resolves with the exit code when nothing more can be said. */
  readonly settled: Promise<number>;
  close(): void;
  interrupt(): void;
}

/** Ctrl+C, and the signal by which other programs say the same. */
export function interruptOnSignal(ending: Ending): void {
  process.on('SIGINT', () => ending.interrupt());
  process.on('SIGTERM', () => ending.interrupt());
}

export class Outcome implements Ending {
  readonly settled: Promise<number>;
  readonly #socket: WebSocket;
  #wasOpen = false;
  #hasAskedToClose = false;
  #hasInterrupted = false;
  #settle!: (code: number) => void;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    socket.on('open', () => {
      this.#wasOpen = true;
    });
    socket.on('close', (code: number) => this.#settle(this.exitCodeFor(code)));
  }

  /** Closes because the person or the end of the input asks for it. @throws TypeError for a code that may not be sent */
  close(code = 1000, reason = ''): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.close(code, reason);
    this.#hasAskedToClose = true;
  }

  /** Ctrl+C: the first asks the peer to close, the second does not wait for it. */
  interrupt(): void {
    if (this.#hasInterrupted || !this.#wasOpen) this.#socket.terminate();
    else this.close();
    this.#hasInterrupted = true;
  }

  /** What a close event with this code means for the exit code. */
  exitCodeFor(code: number): number {
    if (!this.#wasOpen) return EXIT.FAILED;
    if (code === 1006) return EXIT.ABNORMAL_CLOSURE;
    const isClean = this.#hasAskedToClose || code === 1000 || code === 1001 || code === 1005;
    return isClean ? EXIT.OK : EXIT.CLOSED_WITH_CODE;
  }
}

export class SessionOutcome implements Ending {
  readonly settled: Promise<number>;
  readonly #session: ClientSession;
  #wasOpen = false;
  #hasLost = false;
  #hasInterrupted = false;

  constructor(session: ClientSession) {
    this.#session = session;
    session.on('open', () => {
      this.#wasOpen = true;
    });
    session.on('sessionlost', () => this.noteLoss());
    this.settled = new Promise((resolve) => {
      session.on('close', (end) => resolve(this.exitCodeFor(end)));
    });
  }

  /** Not everything arrived that should have, however it ends. */
  noteLoss(): void {
    this.#hasLost = true;
  }

  /** Waits for a while until all is acknowledged. */
  close(): void {
    this.#session.close();
  }

  /** Ctrl+C: the first waits for what is under way, the second does not. */
  interrupt(): void {
    if (this.#hasInterrupted || !this.#wasOpen) this.#session.terminate();
    else this.close();
    this.#hasInterrupted = true;
  }

  exitCodeFor({ code, error, unsent, unacked }: SessionEnd): number {
    if (!this.#wasOpen) return EXIT.FAILED;
    if (error?.closeCode !== undefined && error.closeCode !== 1006) return EXIT.CLOSED_WITH_CODE;
    const isWhole = !this.#hasLost && unsent.length === 0 && unacked.length === 0;
    return code === 1000 && isWhole ? EXIT.OK : EXIT.ABNORMAL_CLOSURE;
  }
}
