// A conformance case: what it is about, for people and for tables, and how it is run. Cases are values in lists
// (`cases/`); most are made by `exchange()` from data, the others talk to the peer themselves.

import type { RawConnection } from './raw-connection.js';
import type { CloseRecord, Side, Subject } from './result.js';
import type { Verdict } from './verdict.js';
import type { WireLog } from './wire-log.js';

/**
 * What cases are gathered in. `autobahn` has the 517 cases of Autobahn|Testsuite under their own ids; the others hold
 * what that suite does not judge. `robustness` has the attacks, and runs only when it is asked for.
 */
export const GROUPS = [
  'autobahn',
  'handshake',
  'subprotocol',
  'extension',
  'masking',
  'length',
  'framing',
  'fragmentation',
  'control',
  'utf8',
  'closing',
  'close-code',
  'deflate',
  'robustness',
] as const;

export type Group = (typeof GROUPS)[number];

/** What a case comes to: the verdicts and what they rest on. */
export interface Judgement extends Verdict {
  /** What happened, in a sentence or a few. Never empty. */
  finding: string;
  peerClose?: CloseRecord | null;
  testerClose?: CloseRecord | null;
  droppedBy?: Side | null;
}

export interface ConformanceCase {
  /** `1.1.1` for a case of Autobahn, `group.what-it-shows` for the others. Stable: baselines refer to it. */
  id: string;
  group: Group;
  /** Whom the case can judge. */
  subjects: readonly Subject[];
  /** What the tester does, in one line. */
  title: string;
  /** The rule, in words of our own. */
  rule: string;
  /** Where the rule stands, as in `RFC 6455 §5.5.2`. */
  section: string;
  /** Ids of docs/requirements.json that the case bears on. */
  requirements: readonly string[];
  /** What a conformant peer does. */
  expectation: string;
  /** Heavy cases move megabytes; they run after the others, so that no deadline of those is missed because of them. */
  isHeavy?: boolean;
  /** Heavy cases of one name send the same, and run one after another, because the tester keeps what it made. */
  batch?: string;
  /** Milliseconds after which the tester gives up. */
  limitMs: number;
  run(encounter: Encounter): Promise<Judgement>;
}

/** What a case has while it runs: a way to its peer, and the log. */
export interface Encounter {
  /** Which end is under test. */
  readonly subject: Subject;
  readonly log: WireLog;
  /**
   * What the peer was asked for: for a server the URL that the user gave, for a client the one that it came with.
   */
  readonly url: URL;
  /** Masking keys and handshake keys that this agent has used in earlier cases, for rules that span connections. */
  readonly memory: AgentMemory;
  /**
   * A connection to the peer, before any byte of the opening handshake: dialled if a server is under test, and if it is
   * a client the one that it opened, with its request in `head`. A server may be dialled many times, a client comes once.
   */
  connect(): Promise<RawConnection>;
}

/** What is remembered of an agent from case to case. */
export interface AgentMemory {
  /** Each Sec-WebSocket-Key that a client has sent, in base64. */
  readonly handshakeKeys: Set<string>;
}
