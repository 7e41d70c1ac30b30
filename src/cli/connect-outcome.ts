// How a connection of `hawser connect` ends: who asked for it, and what that means for the exit code.
import type { WebSocket } from '../ws/websocket.js';
import { EXIT } from './arguments.js';

export class Outcome {
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
