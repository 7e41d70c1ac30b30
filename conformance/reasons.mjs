// Why a verdict is not OK: for each peer (`ws`) or peer in a role (`ws-server`), and under `*` for all. The first entry fits
// whose `cases` (patterns) and `verdict` are those of the case. Frames stand as bytes in hexadecimal; `->` goes to the peer,
// `<-` comes from it.

/** @type {Record<string, { cases: string, verdict?: string, why: string }[]>} */
export const REASONS = {
  '*': [],
};

/** Cases whose verdict is another from run to run: left out of the recorded verdicts. By PEER-ROLE, then by id. */
/** @type {Record<string, Record<string, string>>} */
export const UNSTABLE = {};
