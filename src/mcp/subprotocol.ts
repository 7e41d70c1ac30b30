// Plain or resuming: which one a connection is, the server says by the subprotocol that it picks. That is known when the
// connection is open, which is when a session would say hello.

import { CLOSE } from '../agent/errors.js';
import type { Connect, Data, Link, LinkHandler } from '../agent/link.js';

/** One connection, as other implementations of MCP over WebSocket have it. */
export const PLAIN = 'mcp';
/** A session of `hawser.v1` (docs/session-protocol.md) whose messages are those of `mcp`. */
export const RESUMING = 'hawser.mcp.v1';

/**
 * Makes connections for a session, and hands over those that are none because the server picked another subprotocol.
 *
 * @param takePlain returns whether it has taken the open link; otherwise it is closed, and the attempt has failed for good
 */
export function connectByChoice(connect: Connect, takePlain: (link: Link) => boolean): Connect {
  return (request) => new UndecidedLink(connect(request), takePlain);
}

/** A link that may turn out to be plain, and is nobody's then: the session that asked for it can do no harm with it. */
class UndecidedLink implements Link {
  handler: LinkHandler | undefined;
  readonly ping: (() => void) | undefined;
  #link: Link | undefined;

  constructor(link: Link, takePlain: (link: Link) => boolean) {
    this.#link = link;
    this.ping = link.ping;
    link.handler = {
      onOpen: () => {
        if (link.subprotocol === RESUMING) this.handler?.onOpen?.();
        else this.#giveAway(link, takePlain);
      },
      onMessage: (data) => this.handler?.onMessage(data),
      onDrain: () => this.handler?.onDrain?.(),
      onEnd: (end) => this.handler?.onEnd(end),
    };
  }

  get subprotocol(): string {
    return this.#link?.subprotocol ?? '';
  }

  get bufferedAmount(): number {
    return this.#link?.bufferedAmount ?? 0;
  }

  get activity(): number {
    return this.#link?.activity ?? 0;
  }

  send(data: Data): void {
    this.#link?.send(data);
  }

  close(code: number, reason: string): void {
    this.#link?.close(code, reason);
  }

  release(): void {
    this.handler = undefined;
    this.#link?.release();
  }

  #giveAway(link: Link, takePlain: (link: Link) => boolean): void {
    this.#link = undefined;
    if (takePlain(link)) return;
    link.release();
    this.handler?.onEnd({ code: CLOSE.MALFORMED, reason: `the server picked "${link.subprotocol}" now` });
  }
}
