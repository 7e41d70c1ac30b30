// Which requests have no answer yet, so that whoever asked gets one when there will be none: an error instead of silence.
import { type JsonRpcMessage, type JsonRpcRefusal, type RequestId, refusal } from '../mcp/message.js';

/** What the MCP SDKs call a connection that was closed. */
const CONNECTION_CLOSED = -32000;

export class PendingRequests {
  /** Resolves when something is asked for the first time. */
  readonly first: Promise<void>;
  /** With what was asked. */
  readonly #methods = new Map<RequestId, string>();
  #whenNone = (): void => {};
  #whenAsked!: () => void;

  constructor() {
    this.first = new Promise((resolve) => {
      this.#whenAsked = resolve;
    });
  }

  /** Passed from who asks to who answers. */
  asked({ id, method, params }: JsonRpcMessage): void {
    if (method === undefined) return;
    if (id !== undefined) {
      this.#methods.set(id, method);
      this.#whenAsked();
    } else if (method === 'notifications/cancelled') {
      // A request that was cancelled is not answered.
      this.#remove((params as { requestId?: RequestId } | undefined)?.requestId);
    }
  }

  /** Passed from who answers to who asks. */
  answered({ id, method }: JsonRpcMessage): void {
    if (method === undefined) this.#remove(id);
  }

  /** Resolves when every request is answered. */
  async none(): Promise<void> {
    // A subscription is answered when it ends.
    const isWaiting = (): boolean =>
      [...this.#methods.values()].some((method) => method !== 'subscriptions/listen');
    while (isWaiting()) {
      await new Promise<void>((resolve) => {
        this.#whenNone = resolve;
      });
    }
  }

  /** Answers for one that waits, or for all; they do so no longer. */
  fail(reason: string, ids: Iterable<RequestId> = [...this.#methods.keys()]): JsonRpcRefusal[] {
    const answers = [];
    for (const id of ids) {
      if (this.#remove(id)) answers.push(refusal(id, CONNECTION_CLOSED, reason));
    }
    return answers;
  }

  #remove(id: RequestId | undefined): boolean {
    const wasThere = id !== undefined && this.#methods.delete(id);
    if (wasThere) this.#whenNone();
    return wasThere;
  }
}
