// Made-up results of a size and variety that real runs have: the same at each call.

import { GROUPS } from '../../../src/conform/case.js';
import type { AgentInfo, CaseInfo, ReportData } from '../../../src/conform/report/report-data.js';
import type { CaseResult, WireRecord } from '../../../src/conform/result.js';
import type { Verdict } from '../../../src/conform/verdict.js';

export function sampleCase(id: string, changes: Partial<CaseInfo> = {}): CaseInfo {
  return {
    id,
    group: 'autobahn',
    title: `sends a text message of ${id.length} bytes in one frame`,
    rule: 'An endpoint that gets a message shows it to the application, and an echo endpoint sends it back.',
    section: 'RFC 6455 §5.6',
    requirements: ['RFC6455-5.6-1'],
    expectation: 'The same message comes back, then the closing handshake completes with 1000.',
    ...changes,
  };
}

export function sampleResult(id: string, changes: Partial<CaseResult> = {}): CaseResult {
  return {
    id,
    agent: 'alpha',
    subject: 'server',
    behavior: 'OK',
    behaviorClose: 'OK',
    finding: 'The message came back unchanged.',
    startedAt: '2030-01-02T03:04:05.678Z',
    durationMs: 3.25,
    peerClose: { code: 1000, reason: '' },
    testerClose: { code: 1000, reason: '' },
    droppedBy: 'peer',
    wire: sampleWire(1),
    ...changes,
  };
}

const REQUEST =
  'GET /echo HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const RESPONSE =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';

function sampleWire(messages: number): WireRecord[] {
  const hex = (text: string) => Buffer.from(text).toString('hex');
  const frame = { kind: 'frame', isFinal: true, rsv: 0 } as const;
  const mask = { maskingKey: '37fa213d' };
  const exchanges = Array.from({ length: messages }, (_, index): WireRecord[] => {
    const text = { opcode: 1, length: 14, payload: hex('grüße, wire\n!') };
    return [
      { ...frame, ...text, ...mask, atMs: 1.5 + index, from: 'tester' },
      { ...frame, ...text, atMs: 1.75 + index, from: 'peer' },
    ];
  });
  const close = { opcode: 8, length: 2, payload: '03e8' };
  return [
    { kind: 'note', atMs: 0.1, text: 'connected to 127.0.0.1:9001' },
    { kind: 'bytes', atMs: 0.2, from: 'tester', length: REQUEST.length, text: REQUEST },
    { kind: 'bytes', atMs: 1, from: 'peer', length: RESPONSE.length, text: RESPONSE },
    ...exchanges.flat(),
    {
      ...frame,
      opcode: 2,
      rsv: 4,
      isFinal: false,
      length: 65536,
      payload: '00ff'.repeat(24),
      atMs: 9,
      from: 'peer',
    },
    { ...frame, opcode: 9, length: 0, payload: '', ...mask, chop: 1, atMs: 9.5, from: 'tester' },
    ...(messages > 5 ? [{ kind: 'gap', records: 4096 } as const] : []),
    { ...frame, ...close, ...mask, atMs: 10, from: 'tester' },
    { ...frame, opcode: 8, length: 6, payload: `03e8${hex('done')}`, atMs: 10.5, from: 'peer' },
    { kind: 'note', atMs: 11, text: 'the agent ended the TCP connection' },
  ];
}

const CHAPTERS: [chapter: number, cases: number][] = [
  [1, 16],
  [2, 11],
  [3, 7],
  [4, 10],
  [5, 20],
  [6, 145],
  [7, 37],
  [9, 54],
  [10, 1],
  [12, 90],
  [13, 126],
];

/** 517 numbered cases and 90 with names. */
function sampleCases(): CaseInfo[] {
  const numbered = CHAPTERS.flatMap(([chapter, count]) =>
    Array.from({ length: count }, (_, index) => {
      const id = `${chapter}.${Math.floor(index / 9) + 1}.${(index % 9) + 1}`;
      return sampleCase(id, { requirements: [`RFC6455-5.${chapter}-${(index % 3) + 1}`] });
    }),
  );
  const named = GROUPS.slice(1).flatMap((group) =>
    Array.from({ length: 7 }, (_, index) =>
      sampleCase(`${group}.what-a-case-may-show-${index + 1}`, {
        group,
        title: 'opens a connection with a request that lacks one of its headers, and waits for the answer',
        section: 'RFC 6455 §4.2.1',
        requirements: ['RFC6455-4.2.1-1', 'RFC6455-4.2.1-2'],
      }),
    ),
  );
  return [...numbered, ...named];
}

const ODD: [Verdict, string][] = [
  [{ behavior: 'NON-STRICT', behaviorClose: 'OK' }, 'The fault was seen only when the message ended.'],
  [{ behavior: 'INFORMATIONAL', behaviorClose: 'INFORMATIONAL' }, 'The rule leaves this open.'],
  [{ behavior: 'UNIMPLEMENTED', behaviorClose: 'OK' }, 'permessage-deflate was not agreed on.'],
  [{ behavior: 'FAILED', behaviorClose: 'OK' }, 'A second message came, where none was expected.'],
  [
    { behavior: 'OK', behaviorClose: 'UNCLEAN' },
    'The TCP connection ended before the closing handshake did.',
  ],
  [
    { behavior: 'FAILED', behaviorClose: 'WRONG CODE' },
    'The close code was 1006, which never stands in a frame.',
  ],
  [{ behavior: 'OK', behaviorClose: 'WRONG CODE' }, 'The close code was 1011; 1002 was expected.'],
  [{ behavior: 'OK', behaviorClose: 'FAILED BY CLIENT' }, 'The server left the TCP connection open.'],
];

export const SAMPLE_AGENTS: AgentInfo[] = [
  { name: 'alpha', subject: 'server' },
  { name: 'beta 8.23', subject: 'server' },
  { name: 'alpha', subject: 'client' },
];

export function sampleData(agents: AgentInfo[] = SAMPLE_AGENTS): ReportData {
  const cases = sampleCases();
  const results = agents.flatMap(({ name, subject }, a) =>
    cases.flatMap(({ id }, c): CaseResult[] => {
      const spread = (c * 7 + a * 13) % 101;
      if (a === 2 && spread > 95) return [];
      const [verdict, finding] = (a > 0 && ODD[spread]) || [
        { behavior: 'OK', behaviorClose: 'OK' },
        undefined,
      ];
      const changes = {
        agent: name,
        subject,
        ...(verdict as Verdict),
        durationMs: ((c % 40) + 1) ** 2 * (a + 2) * 0.37,
      };
      const wire = sampleWire(c % 97 === 50 ? 20 : 1);
      return [sampleResult(id, { ...changes, wire, ...(finding === undefined ? {} : { finding }) })];
    }),
  );
  const benchmarks = ['64 B pipelined', '64 KiB pipelined', '64 B ping-pong'].flatMap((name, row) =>
    agents.slice(0, 2).map((agent, a) => ({
      agent: agent.name,
      name,
      unit: 'messages/s',
      value: 1_234_567 / (row + 1) / (a + 1),
      details: 'median of 5 runs',
    })),
  );
  return {
    generator: 'hawser 0.1.0',
    createdAt: '2030-01-02T03:04:05.678Z',
    agents,
    cases,
    results,
    benchmarks,
  };
}
