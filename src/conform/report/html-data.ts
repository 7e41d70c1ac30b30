// The data inside the HTML report: the same facts as in ReportData, in a shape that is small, because a page may hold 900 cases
// of six agents with the log of each. Logs lose their middle where all of them together would be too large.

import { describeCloseCode } from '../../wire/close-code.js';
import { opcodeName } from '../../wire/opcode.js';
import type { CaseResult, WireRecord } from '../result.js';
import { overallVerdict } from '../verdict.js';
import {
  benchmarkTable,
  durationTable,
  labelOf,
  lookupOf,
  OVERALL_VERDICTS,
  type ReportData,
  resultsOf,
  sectionsOf,
  totalsOf,
} from './report-data.js';

/** All logs together take about so many characters at most. */
const MAX_LOG_CHARACTERS = 9_000_000;
/** How many records of a log are kept at each end: the first limits under which all logs fit are used. */
const LOG_LIMITS = [
  [64, 32],
  [24, 12],
  [10, 6],
  [4, 4],
  [1, 1],
] as const;
const MAX_TEXT_CHARACTERS = 2000;

/** What the page's script reads, as JSON. */
export function pageData(data: ReportData): unknown {
  const lookup = lookupOf(data.results);
  const shorten = logShortener(data.results);
  const sections = sectionsOf(data.cases);
  const cases = sections.flatMap((section) =>
    section.cases.map(({ id, title, rule, section: rfc, requirements, expectation }) => {
      const results = data.agents.map((agent) => {
        const result = lookup(agent, id);
        return result === undefined ? null : packResult(result, shorten);
      });
      return { id, key: section.key, title, rule, rfc, requirements, expectation, results };
    }),
  );
  return {
    agents: data.agents.map((agent) => ({
      name: agent.name,
      label: wellFormed(labelOf(agent, data.agents)),
      subject: agent.subject,
      totals: Object.fromEntries(totalsOf(resultsOf(data, agent))),
      count: resultsOf(data, agent).length,
    })),
    verdicts: OVERALL_VERDICTS,
    sections: sections.map(({ key, title }) => ({ key, title })),
    cases,
    speed: [benchmarkTable(data), durationTable(data)].filter((table) => table !== undefined),
    opcodes: Array.from({ length: 16 }, (_, opcode) => opcodeName(opcode)),
    closeNames: closeNames(data.results),
  };
}

function packResult(result: CaseResult, shorten: (wire: readonly WireRecord[]) => readonly WireRecord[]) {
  return {
    b: result.behavior,
    c: result.behaviorClose,
    o: overallVerdict(result),
    finding: clip(result.finding),
    peer: result.peerClose,
    tester: result.testerClose,
    dropped: result.droppedBy,
    at: result.startedAt,
    ms: result.durationMs,
    wire: shorten(result.wire).map(packRecord),
  };
}

/**
 * A record as a tuple. The first number says what it is: 0 a frame of the tester, 1 one of the peer, 2 and 3 bytes of them,
 * 4 a note, 5 a gap.
 */
function packRecord(record: WireRecord): (string | number)[] {
  if (record.kind === 'gap') return [5, record.records];
  if (record.kind === 'note') return [4, record.atMs, clip(record.text)];
  const side = record.from === 'tester' ? 0 : 1;
  if (record.kind === 'bytes') return [2 + side, record.atMs, record.length, clip(record.text)];
  const { atMs, opcode, isFinal, rsv, length, payload, maskingKey = '', chop = 0 } = record;
  return [side, atMs, opcode, (isFinal ? 8 : 0) | rsv, length, payload, maskingKey, chop];
}

function logShortener(results: readonly CaseResult[]) {
  const fitting = LOG_LIMITS.find(([first, last]) => {
    let characters = 0;
    for (const { wire } of results) characters += sizeOf(shortenLog(wire, first, last));
    return characters <= MAX_LOG_CHARACTERS;
  });
  const [first, last] = fitting ?? [0, 0];
  return (wire: readonly WireRecord[]) => shortenLog(wire, first, last);
}

function sizeOf(wire: readonly WireRecord[]): number {
  return wire.reduce((sum, record) => {
    if (record.kind === 'frame') return sum + 50 + record.payload.length;
    return sum + 30 + (record.kind === 'gap' ? 0 : Math.min(record.text.length, MAX_TEXT_CHARACTERS));
  }, 0);
}

function shortenLog(wire: readonly WireRecord[], first: number, last: number): readonly WireRecord[] {
  if (wire.length <= first + last + 1) return wire;
  const end = wire.length - last;
  const records = wire
    .slice(first, end)
    .reduce((sum, record) => sum + (record.kind === 'gap' ? record.records : 1), 0);
  return [...wire.slice(0, first), { kind: 'gap', records }, ...wire.slice(end)];
}

function closeNames(results: readonly CaseResult[]): Record<number, string> {
  const codes = results.flatMap(({ peerClose, testerClose }) => [peerClose?.code, testerClose?.code]);
  const known = codes.filter((code) => typeof code === 'number');
  return Object.fromEntries(known.map((code) => [code, describeCloseCode(code).name]));
}

function clip(text: string): string {
  return text.length > MAX_TEXT_CHARACTERS ? `${text.slice(0, MAX_TEXT_CHARACTERS)}…` : text;
}

/** The label stands in the address of the page, where half a character cannot. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\u{fffd}');
}
