// The recorded verdicts: verdicts/PEER-ROLE.json, in the format of `hawser conform --baseline`, and recorded.json with what
// they were recorded with. A verdict that is not OK has a reason, from reasons.mjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REASONS, UNSTABLE } from './reasons.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const RECORDED = join(here, 'recorded.json');

/**
 * @typedef {{ behavior: string, behaviorClose: string, reason?: string }} Verdict
 * @typedef {Record<string, Verdict>} Verdicts by id of the case
 */

/** @param {string} key PEER-ROLE */
export function verdictFile(key) {
  return join(here, 'verdicts', `${key}.json`);
}

/** @param {string} key @returns {Verdicts} empty where nothing is recorded */
export function readVerdicts(key) {
  return existsSync(verdictFile(key)) ? readJson(verdictFile(key)) : {};
}

/** A line for each case, so that changes read well. @param {string} key @param {Verdicts} verdicts */
export function writeVerdicts(key, verdicts) {
  const ids = Object.keys(verdicts).sort(compareIds);
  const lines = ids.map((id) => `  ${JSON.stringify(id)}: ${JSON.stringify(verdicts[id])}`);
  writeFileSync(verdictFile(key), `{\n${lines.join(',\n')}\n}\n`);
}

/** Versions, machine, and durations of chapter 9, by PEER-ROLE. */
export function readRecorded() {
  return existsSync(RECORDED) ? readJson(RECORDED) : {};
}

/** @param {object} recorded */
export function writeRecorded(recorded) {
  const sorted = Object.fromEntries(
    Object.entries(recorded).sort(([one], [other]) => (one < other ? -1 : 1)),
  );
  writeFileSync(RECORDED, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** Both verdicts in a few words. @param {Verdict} verdict */
export function verdictText({ behavior, behaviorClose }) {
  if (behaviorClose === 'OK' || behaviorClose === behavior) return behavior;
  return `${behavior}, close ${behaviorClose}`;
}

/** The word of the table for a verdict: that of the behavior, unless only the end was wrong. @param {Verdict} verdict */
export function wordOf({ behavior, behaviorClose }) {
  const isFine = behaviorClose === 'OK' || behaviorClose === 'INFORMATIONAL';
  return behavior === 'FAILED' || isFine ? behavior : behaviorClose;
}

/** @param {Verdict} verdict */
export function isOk({ behavior, behaviorClose }) {
  return behavior === 'OK' && behaviorClose === 'OK';
}

/** Why the verdict is what it is; undefined where nobody has looked into it. */
export function reasonFor(
  /** @type {string} */ key,
  /** @type {string} */ id,
  /** @type {Verdict} */ verdict,
) {
  const lists = [REASONS[key], REASONS[key.replace(/-(?:server|client)$/, '')], REASONS['*']];
  const found = lists
    .flatMap((list) => list ?? [])
    .find(({ cases, verdict: wanted }) => {
      const isMeant = wanted === undefined || wanted === verdictText(verdict) || wanted === wordOf(verdict);
      return isMeant && cases.split(/\s+/).some((pattern) => fits(pattern, id));
    });
  return found && onOneLine(found.why);
}

/** @param {string} text */
function onOneLine(text) {
  return text.replace(/\s+/g, ' ').trim();
}

/** Cases of this peer and role that have no verdict of their own, by id, with the reason. @param {string} key */
export function unstableOf(key) {
  const reasons = Object.entries(UNSTABLE[key] ?? {});
  return Object.fromEntries(reasons.map(([id, why]) => [id, onOneLine(why)]));
}

/** @param {string} pattern in which `*` stands for any characters @param {string} id */
function fits(pattern, id) {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(id);
}

/** Cases of Autobahn by number, then the others by name. */
export function compareIds(/** @type {string} */ one, /** @type {string} */ other) {
  const isNumber = (/** @type {string} */ id) => /^\d/.test(id);
  if (isNumber(one) !== isNumber(other)) return isNumber(one) ? -1 : 1;
  return one.localeCompare(other, 'en', { numeric: true });
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
