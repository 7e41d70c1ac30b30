// `hawser connect --session`: the terminal as a client of a session. What a session is, and when it goes on, is the business of
// `agent/`; what is shown of it, of `connect-session-report.ts`.
import { type ClientSession, connectSession } from '../agent/index.js';
import { UsageError } from './arguments.js';
import { sessionCommands } from './connect-commands.js';
import { sendLinesOverSession } from './connect-lines.js';
import { interruptOnSignal, SessionOutcome } from './connect-outcome.js';
import { runPrompt } from './connect-prompt.js';
import type { Reporter } from './connect-report.js';
import { reportSession } from './connect-session-report.js';
import { joinValues, type Target } from './connect-target.js';

/** What a session says that it is, in the opening handshake. */
const SUBPROTOCOL = 'hawser.v1';
/** As much as one message may have: a line or a file is never too large for the queue alone. */
const QUEUE_BYTES = 16 * 2 ** 20;
/** Somebody sits there and watches: no long sleeps between attempts. */
const LONGEST_DELAY_MS = 3000;

/** @returns the exit code, when the session is over */
export function connectSessionInTerminal(
  target: Target,
  report: Reporter,
  isInteractive: boolean,
): Promise<number> {
  const session = openSession(target);
  const outcome = new SessionOutcome(session);
  reportSession(session, target.url, report, outcome);
  interruptOnSignal(outcome);
  // At once: what is typed or piped before there is a connection waits for it.
  if (isInteractive) runPrompt({ report, outcome, ...sessionCommands(session, report, outcome) });
  else sendLinesOverSession(session, report, outcome, target.waitMs);
  return outcome.settled;
}

function openSession(target: Target): ClientSession {
  try {
    return connectSession(target.url, {
      subprotocols: [...new Set([SUBPROTOCOL, ...target.subprotocols])],
      headers: joinValues(target.headers),
      connectTimeoutMs: target.timeoutMs,
      queue: { maxBytes: QUEUE_BYTES },
      backoff: { capMs: LONGEST_DELAY_MS },
      socketOptions: {
        ...(target.origin !== undefined && { origin: target.origin }),
        perMessageDeflate: target.offersDeflate,
        rejectUnauthorized: target.rejectsUnauthorized,
      },
    });
  } catch (error) {
    // What the checks of the command line let through, such as `wss://`.
    throw new UsageError((error as Error).message);
  }
}
