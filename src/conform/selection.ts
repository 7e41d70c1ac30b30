// Choosing cases: by pattern of their ids, by group.

import { type ConformanceCase, GROUPS, type Group } from './case.js';
import type { Subject } from './result.js';

export interface Selection {
  subject: Subject;
  /** Patterns such as `1.*`, `7.7.1` or `masking.*`; without any, every case counts. */
  cases?: readonly string[];
  exclude?: readonly string[];
  /** Without any: every group but `robustness`, unless a pattern in `cases` names cases of it. */
  groups?: readonly Group[];
}

/** A pattern that names no case, or a group that does not exist. */
export class SelectionError extends Error {
  override readonly name = 'SelectionError';
}

/**
 * The cases that are meant, in suite order.
 *
 * @throws SelectionError for a pattern that fits no case for this subject: most likely a slip of the pen
 */
export function selectCases(all: readonly ConformanceCase[], selection: Selection): ConformanceCase[] {
  const eligible = all.filter(({ subjects }) => subjects.includes(selection.subject));
  const wanted = (selection.cases ?? []).map((pattern) => compile(pattern, eligible, selection.subject));
  const unwanted = (selection.exclude ?? []).map((pattern) => compile(pattern, eligible, selection.subject));
  for (const group of selection.groups ?? []) {
    if (!GROUPS.includes(group)) throw new SelectionError(`there is no group ${JSON.stringify(group)}`);
  }
  return eligible.filter((one) => {
    if (unwanted.some((fits) => fits(one.id))) return false;
    if (selection.groups !== undefined && !selection.groups.includes(one.group)) return false;
    if (wanted.length > 0) return wanted.some((fits) => fits(one.id));
    return selection.groups !== undefined || one.group !== 'robustness';
  });
}

/** `*` stands for any characters; `1` alone means `1.*` too, as it does in the configuration of Autobahn. */
function compile(
  pattern: string,
  cases: readonly ConformanceCase[],
  subject: Subject,
): (id: string) => boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}(?:\\..*)?$`);
  const fits = (id: string): boolean => expression.test(id);
  if (!cases.some(({ id }) => fits(id))) {
    throw new SelectionError(`no case for a ${subject} has an id like ${JSON.stringify(pattern)}`);
  }
  return fits;
}
