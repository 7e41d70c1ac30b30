// The files that Autobahn|Testsuite writes, in its shape and with its names: index.json and one file for each agent and case,
// so that programs which read those read ours. Each file also holds our own result whole, so that every report can be made
// again from the files. What the data does not say is null.

import { createHash } from 'node:crypto';
import { CLOSE, opcodeName } from '../../wire/opcode.js';
import type { CaseResult, FrameRecord, Subject, WireRecord } from '../result.js';
import { isPass } from '../verdict.js';
import { agentsOf, type CaseInfo, labelOf, lookupOf, type ReportData } from './report-data.js';
import { compareCaseIds, isObject, objectAt, parseVerdicts, quote } from './verdict-table.js';

export interface IndexEntry {
  behavior: string;
  behaviorClose: string;
  /** Milliseconds. */
  duration: number;
  remoteCloseCode: number | null;
  /** Name of the file of this case, in the directory of the index. */
  reportfile: string;
  /** The role that was judged. Autobahn has no such field: its index is of one role. */
  subject?: Subject;
}

/** By agent, then by id of the case. */
export type AutobahnIndex = Record<string, Record<string, IndexEntry>>;

export function indexOf(data: ReportData): AutobahnIndex {
  const lookup = lookupOf(data.results);
  const agents = data.agents.map((agent) => {
    const label = labelOf(agent, data.agents);
    const entries = data.cases.flatMap(({ id }): [string, IndexEntry][] => {
      const result = lookup(agent, id);
      return result === undefined ? [] : [[id, indexEntry(label, result)]];
    });
    return [label, Object.fromEntries(entries)] as const;
  });
  return Object.fromEntries(agents);
}

function indexEntry(label: string, result: CaseResult): IndexEntry {
  return {
    behavior: result.behavior,
    behaviorClose: result.behaviorClose,
    duration: Math.round(result.durationMs),
    remoteCloseCode: result.peerClose?.code ?? null,
    reportfile: reportFileName(label, result.id),
    subject: result.subject,
  };
}

/**
 * The index with the agents of a new run in place of their earlier ones; the other agents stay.
 *
 * @throws Error when an agent of the new run stands in the index in the other role
 */
export function mergeIndex(existing: AutobahnIndex, update: AutobahnIndex): AutobahnIndex {
  for (const [agent, cases] of Object.entries(update)) {
    const [earlier] = Object.values(Object.hasOwn(existing, agent) ? existing[agent]! : {});
    const [later] = Object.values(cases);
    if (earlier?.subject === undefined || later === undefined || earlier.subject === later.subject) continue;
    throw new Error(
      `${quote(agent)} stands in the index as a ${earlier.subject}: ` +
        `judged as a ${later.subject} it needs another name, or another directory`,
    );
  }
  return { ...existing, ...update };
}

/**
 * Reads an index.json, ours or Autobahn's own.
 *
 * @param value what `JSON.parse()` gave
 * @throws Error that says what is wrong, and where
 */
export function parseIndex(value: unknown): AutobahnIndex {
  if (isObject(value) && Object.keys(value).length === 0) return {};
  const table = parseVerdicts(value);
  const agents = Object.entries(value as Record<string, unknown>).map(([agent, cases]) => {
    if (!table.has(agent)) throw new Error('this is no index.json: it has verdicts, but no agents');
    const entries = Object.entries(cases as Record<string, Record<string, unknown>>);
    const parsed = entries.map(([id, entry]) => [id, parseEntry(agent, id, entry)] as const);
    return [agent, Object.fromEntries(parsed)] as const;
  });
  return Object.fromEntries(agents);
}

function parseEntry(agent: string, id: string, entry: Record<string, unknown>): IndexEntry {
  const { reportfile, duration, remoteCloseCode, subject } = entry;
  // A name that leads out of the directory would have the reader open any file.
  if (typeof reportfile !== 'string' || !/^[^/\\:\0]+$/.test(reportfile) || /^\.+$/.test(reportfile)) {
    throw new Error(`agent ${quote(agent)}, case ${quote(id)}: reportfile is no name of a file`);
  }
  return {
    behavior: entry.behavior as string,
    behaviorClose: entry.behaviorClose as string,
    duration: typeof duration === 'number' ? duration : 0,
    remoteCloseCode: typeof remoteCloseCode === 'number' ? remoteCloseCode : null,
    reportfile,
    ...(subject === 'server' || subject === 'client' ? { subject } : {}),
  };
}

const MAX_NAME_CHARACTERS = 60;

/**
 * Name of the file for a case of an agent. Only small letters, digits and `_` of the agent's name are kept; if that changes
 * the name, a digest of it is added, so that no two agents share a file, also where a file system does not tell `A` from `a`.
 */
export function reportFileName(label: string, caseId: string): string {
  return `${fileNamePart(label, /^[a-z0-9_]+$/)}_case_${fileNamePart(caseId, /^[a-z0-9.-]+$/)}.json`;
}

function fileNamePart(text: string, plain: RegExp): string {
  const cleaned = text.toLowerCase().replace(/[^a-z0-9-]/g, '_');
  if (plain.test(text) && text.length <= MAX_NAME_CHARACTERS) return cleaned;
  const digest = createHash('sha256').update(text, 'utf16le').digest('hex').slice(0, 20);
  return `${cleaned.slice(0, MAX_NAME_CHARACTERS)}-${digest}`;
}

/** One by one the files of all results, because together they may be large. */
export function* caseFiles(data: ReportData): Generator<{ name: string; text: string }> {
  const lookup = lookupOf(data.results);
  for (const agent of data.agents) {
    const label = labelOf(agent, data.agents);
    for (const [index, info] of data.cases.entries()) {
      const result = lookup(agent, info.id);
      if (result === undefined) continue;
      const file = caseFile(info, index + 1, result, label, data.createdAt);
      yield { name: reportFileName(label, info.id), text: `${JSON.stringify(file, null, 2)}\n` };
    }
  }
}

function caseFile(info: CaseInfo, number: number, result: CaseResult, label: string, createdAt: string) {
  return {
    agent: label,
    case: number,
    id: info.id,
    description: info.title,
    expectation: info.expectation,
    expected: {},
    expectedClose: null,
    behavior: result.behavior,
    behaviorClose: result.behaviorClose,
    result: result.finding,
    resultClose: closeText(result),
    started: result.startedAt,
    duration: Math.round(result.durationMs),
    reportTime: createdAt,
    isServer: result.subject === 'client',
    ...howItEnded(result),
    ...handshakeOf(result.wire),
    createStats: false,
    createWirelog: true,
    wirelog: result.wire.map(wireEntry),
    hawser: { result, case: info },
  };
}

function howItEnded({ wire, testerClose, peerClose, droppedBy, behaviorClose }: CaseResult) {
  const first = wire.find((record) => record.kind === 'frame' && record.opcode === CLOSE) as FrameRecord;
  return {
    closedByMe: first?.from === 'tester',
    failedByMe: null,
    droppedByMe: droppedBy === 'tester',
    wasClean: testerClose !== null && peerClose !== null && behaviorClose !== 'UNCLEAN',
    wasNotCleanReason: null,
    wasServerConnectionDropTimeout: null,
    wasOpenHandshakeTimeout: null,
    wasCloseHandshakeTimeout: null,
    localCloseCode: testerClose?.code ?? null,
    localCloseReason: testerClose?.reason ?? null,
    remoteCloseCode: peerClose?.code ?? null,
    remoteCloseReason: peerClose?.reason ?? null,
  };
}

function handshakeOf(wire: readonly WireRecord[]) {
  const heads = wire.filter((record) => record.kind === 'bytes').map(({ text }) => text);
  return {
    httpRequest: heads.find((text) => /^[A-Z]+ .*HTTP\/1/.test(text)) ?? null,
    httpResponse: heads.find((text) => text.startsWith('HTTP/')) ?? null,
  };
}

function closeText(result: CaseResult): string {
  if (isPass(result) || result.behaviorClose === 'OK') return 'The connection ended as it should.';
  const code = result.peerClose?.code ?? 'none';
  return `The connection ended wrongly: ${result.behaviorClose}; close code of the peer: ${code}.`;
}

/** A line of the wire log, in the tuples of Autobahn: octets and frames, received (R) or transmitted (T). */
function wireEntry(record: WireRecord): unknown[] {
  if (record.kind === 'note') return ['WLM', record.text];
  if (record.kind === 'gap') return ['WLM', `${record.records} records were left out`];
  const isSent = record.from === 'tester';
  if (record.kind === 'bytes') {
    const octets = Buffer.from(record.text, 'latin1').toString('hex');
    return [isSent ? 'TO' : 'RO', [record.length, octets], ...(isSent ? [false] : [])];
  }
  const { opcode, isFinal, rsv, maskingKey, length, chop } = record;
  const payload = [length, payloadText(record)];
  const mask = maskingKey ?? null;
  if (!isSent) return ['RF', payload, opcode, isFinal, rsv, mask !== null, mask];
  return ['TF', payload, opcode, isFinal, rsv, mask, null, chop ?? null, false];
}

function payloadText({ opcode, rsv, payload }: FrameRecord): string {
  const bytes = Buffer.from(payload, 'hex');
  const text = bytes.toString('utf8');
  const isText = rsv === 0 && opcodeName(opcode) !== 'binary' && Buffer.from(text).equals(bytes);
  return isText ? text : `0x${payload}`;
}

/** Our own part of a case's file. */
export interface StoredCase {
  result: CaseResult;
  case: CaseInfo;
}

/**
 * Reads a case's file that this suite wrote.
 *
 * @throws Error when it is one of another suite, or damaged
 */
export function parseCaseFile(value: unknown): StoredCase {
  const stored = isObject(value) ? value.hawser : undefined;
  if (stored === undefined) throw new Error('the file of this case was not written by hawser');
  const { result, case: info } = objectAt(stored, 'hawser');
  const { id, agent, subject, finding, wire } = objectAt(result, 'hawser.result');
  const { title, rule, requirements } = objectAt(info, 'hawser.case');
  const texts = [id, agent, subject, finding, title, rule];
  if (
    !texts.every((text) => typeof text === 'string') ||
    !Array.isArray(wire) ||
    !Array.isArray(requirements)
  ) {
    throw new Error('the file of this case is damaged: fields of hawser.result or hawser.case are missing');
  }
  parseVerdicts({ [String(id)]: result });
  return stored as StoredCase;
}

/** Everything that case files say, as the data of a report. Cases stand in the order of `suite`, unknown ones at the end. */
export function reportDataOf(
  files: readonly StoredCase[],
  made: Pick<ReportData, 'generator' | 'createdAt'>,
  suite: readonly CaseInfo[] = [],
): ReportData {
  const position = new Map(suite.map(({ id }, index) => [id, index]));
  const at = ({ id }: CaseInfo) => position.get(id) ?? Infinity;
  const cases = new Map(files.map((file) => [file.case.id, file.case]));
  const results = files.map(({ result }) => result);
  return {
    ...made,
    agents: agentsOf(results),
    cases: [...cases.values()].sort((one, other) =>
      at(one) === at(other) ? compareCaseIds(one.id, other.id) : at(one) - at(other),
    ),
    results,
  };
}
