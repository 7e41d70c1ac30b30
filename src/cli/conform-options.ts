// The options that `hawser conform` has in both modes, and the choice of cases.

import { type ConformanceCase, GROUPS, type Group } from '../conform/case.js';
import { CASES } from '../conform/cases/index.js';
import type { Subject } from '../conform/result.js';
import { SelectionError, selectCases } from '../conform/selection.js';
import { EXIT, type ParsedArguments, UsageError } from './arguments.js';

/** @throws UsageError for a pattern that fits no case, and for an unknown group */
export function chooseCases(parsed: ParsedArguments, subject: Subject): ConformanceCase[] {
  const lists = (option: string): string[] =>
    parsed.values(option).flatMap((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    );
  const groups = lists('group').map(readGroup);
  try {
    const selection = { subject, cases: lists('cases'), exclude: lists('exclude') };
    const chosen = selectCases(CASES, groups.length === 0 ? selection : { ...selection, groups });
    if (chosen.length === 0)
      throw new UsageError('no case is left: --cases, --group and --exclude leave none');
    return chosen;
  } catch (error) {
    if (error instanceof SelectionError) throw new UsageError(error.message);
    throw error;
  }
}

function readGroup(name: string): Group {
  const group = GROUPS.find((known) => known === name);
  if (group === undefined)
    throw new UsageError(`there is no group ${JSON.stringify(name)}: ${GROUPS.join(', ')}`);
  return group;
}

/** What both judges take from the options as it is. */
export function readLimits(parsed: ParsedArguments): { limitMs?: number; chopBytes?: number } {
  const has = (option: string): boolean => parsed.value(option) !== undefined;
  return {
    ...(has('timeout') && { limitMs: parsed.integer('timeout', 1, 2 ** 31 - 1, 1) }),
    ...(has('chop') && { chopBytes: parsed.integer('chop', 1, 1 << 20, 1) }),
  };
}

export function listCases(parsed: ParsedArguments, subject: Subject): number {
  const cases = chooseCases(parsed, subject);
  const width = Math.max(0, ...cases.map(({ id }) => id.length));
  for (const { id, title } of cases) process.stdout.write(`${id.padEnd(width)}  ${title}\n`);
  return EXIT.OK;
}
