import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  caseFiles,
  indexOf,
  mergeIndex,
  parseCaseFile,
  parseIndex,
  reportDataOf,
  reportFileName,
} from '../../../src/conform/report/autobahn-json.js';
import type { ReportData } from '../../../src/conform/report/report-data.js';
import { SAMPLE_AGENTS, sampleCase, sampleData, sampleResult } from './sample.js';

const small: ReportData = {
  generator: 'hawser',
  createdAt: '2030-01-02T03:04:05.678Z',
  agents: [{ name: 'alpha', subject: 'server' }],
  cases: [sampleCase('1.1.1'), sampleCase('masking.fresh-keys', { group: 'masking' }), sampleCase('9.9.9')],
  results: [
    sampleResult('1.1.1', { durationMs: 3.6 }),
    sampleResult('masking.fresh-keys', { behavior: 'FAILED', behaviorClose: 'WRONG CODE', peerClose: null }),
  ],
};

describe('index.json', () => {
  it('has the verdicts by agent and case, as programs for Autobahn read them, without cases that did not run', () => {
    expect(JSON.parse(JSON.stringify(indexOf(small)))).toEqual({
      alpha: {
        '1.1.1': {
          behavior: 'OK',
          behaviorClose: 'OK',
          duration: 4,
          remoteCloseCode: 1000,
          reportfile: 'alpha_case_1_1_1.json',
          subject: 'server',
        },
        'masking.fresh-keys': {
          behavior: 'FAILED',
          behaviorClose: 'WRONG CODE',
          duration: 3,
          remoteCloseCode: null,
          reportfile: 'alpha_case_masking_fresh-keys.json',
          subject: 'server',
        },
      },
    });
  });

  it('names the role of an agent that was judged in both', () => {
    expect(Object.keys(indexOf(sampleData()))).toEqual(['alpha (server)', 'beta 8.23', 'alpha (client)']);
  });

  it('is read again as it was written', () => {
    const index = indexOf(sampleData());
    expect(parseIndex(JSON.parse(JSON.stringify(index)))).toEqual(index);
    expect(parseIndex({})).toEqual({});
  });

  it('is read as Autobahn writes it, without the role', () => {
    const entry = {
      behavior: 'OK',
      behaviorClose: 'OK',
      duration: 2,
      remoteCloseCode: 1000,
      reportfile: 'a.json',
    };
    expect(parseIndex({ ws: { '1.1.1': entry } })).toEqual({ ws: { '1.1.1': entry } });
  });

  it('takes the agents of a new run in place of their earlier results; the others stay', () => {
    const existing = indexOf({ ...small, results: [...small.results, sampleResult('9.9.9')] });
    const other = { beta: existing.alpha! };
    const merged = mergeIndex({ ...existing, ...other }, indexOf(small));
    expect(Object.keys(merged)).toEqual(['alpha', 'beta']);
    expect(Object.keys(merged.alpha!)).toEqual(['1.1.1', 'masking.fresh-keys']);
    expect(merged.beta).toEqual(other.beta);
  });

  it('does not take an agent that stands there in the other role', () => {
    const asClient = { ...small, agents: [{ name: 'alpha', subject: 'client' as const }] };
    const results = small.results.map((result) => ({ ...result, subject: 'client' as const }));
    expect(() => mergeIndex(indexOf(small), indexOf({ ...asClient, results }))).toThrow(
      '"alpha" stands in the index as a server: judged as a client it needs another name, or another directory',
    );
  });

  it('keeps agents with the names of properties that every object has', () => {
    const agents = ['__proto__', 'constructor'].map((name) => ({ name, subject: 'server' as const }));
    const results = agents.map(({ name }) => sampleResult('1.1.1', { agent: name }));
    const index = indexOf({ ...small, agents, results });
    const read = mergeIndex({}, parseIndex(JSON.parse(JSON.stringify(index))));
    expect(Object.keys(read).sort()).toEqual(['__proto__', 'constructor']);
  });

  it.each<[string, unknown, string]>([
    ['no object', [], 'the file: an object was expected'],
    ['a baseline', { '1.1.1': { behavior: 'OK', behaviorClose: 'OK' } }, 'this is no index.json'],
    [
      'an unknown verdict',
      { a: { '1.1.1': { behavior: 'GREAT', behaviorClose: 'OK' } } },
      'agent "a", case "1.1.1"',
    ],
    ...['../evil.json', '/etc/passwd', 'a\\b', 'C:x', '..', '', 7].map(
      (reportfile): [string, unknown, string] => [
        `the file ${reportfile}`,
        { a: { '1.1.1': { behavior: 'OK', behaviorClose: 'OK', reportfile } } },
        'reportfile is no name of a file',
      ],
    ),
  ])('is refused where it has %s', (_, value, message) => {
    expect(() => parseIndex(value)).toThrow(message);
  });
});

describe('the name of a file', () => {
  it.each([
    '../../etc/passwd',
    'a/b\\c',
    '',
    '.',
    'CON',
    'x'.repeat(5000),
    '😀',
    '\0',
    '\ud800',
    '-rf',
    '%2e%2e',
  ])('is a plain one for an agent called %j', (agent) => {
    expect(reportFileName(agent, '1.1.1')).toMatch(/^[a-z0-9_-]{0,81}_case_1_1_1\.json$/);
  });

  it('differs wherever agents or cases do, on file systems that do not tell A from a too', () => {
    const word = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', 'A', '_', '.', ' ', '-', '/', 'é', '\ud800', '\udc00'),
        maxLength: 4,
      }),
      fc.constantFrom('x_case_1', 'x', '1_case_2', '1.1.1', '1_1_1', 'y'.repeat(70), 'y'.repeat(71)),
    );
    fc.assert(
      fc.property(word, word, word, word, (agent, id, otherAgent, otherId) => {
        fc.pre(agent !== otherAgent || id !== otherId);
        expect(reportFileName(agent, id).toLowerCase()).not.toBe(
          reportFileName(otherAgent, otherId).toLowerCase(),
        );
      }),
    );
  });
});

describe('the file of a case', () => {
  const files = [...caseFiles(small)];
  const [first, second] = files.map(({ text }) => JSON.parse(text));

  it('is there for each result, under the name that the index gives', () => {
    const names = Object.values(indexOf(small).alpha!).map(({ reportfile }) => reportfile);
    expect(files.map(({ name }) => name)).toEqual(names);
  });

  it('has the fields of Autobahn', () => {
    expect(first).toMatchObject({
      agent: 'alpha',
      case: 1,
      id: '1.1.1',
      description: 'sends a text message of 5 bytes in one frame',
      behavior: 'OK',
      behaviorClose: 'OK',
      result: 'The message came back unchanged.',
      started: '2030-01-02T03:04:05.678Z',
      duration: 4,
      isServer: false,
      closedByMe: true,
      droppedByMe: false,
      wasClean: true,
      localCloseCode: 1000,
      remoteCloseCode: 1000,
      remoteCloseReason: '',
    });
    expect(first.httpRequest).toMatch(/^GET \/echo HTTP\/1\.1\r\n/);
    expect(first.httpResponse).toMatch(/^HTTP\/1\.1 101 /);
    expect(second).toMatchObject({ wasClean: false, remoteCloseCode: null });
    expect(second.resultClose).toContain('WRONG CODE');
  });

  it('has the log of the wire, frames sent and received', () => {
    const { wirelog } = first as { wirelog: unknown[][] };
    expect(wirelog.map(([kind]) => kind)).toEqual([
      'WLM',
      'TO',
      'RO',
      'TF',
      'RF',
      'RF',
      'TF',
      'TF',
      'RF',
      'WLM',
    ]);
    expect(wirelog[3]).toEqual(['TF', [14, 'grüße, wire\n!'], 1, true, 0, '37fa213d', null, null, false]);
    expect(wirelog[4]).toEqual(['RF', [14, 'grüße, wire\n!'], 1, true, 0, false, null]);
    expect(wirelog[5]).toEqual(['RF', [65536, `0x${'00ff'.repeat(24)}`], 2, false, 4, false, null]);
  });

  it('gives back everything, so that reports are made again from files', () => {
    const data = sampleData();
    const stored = [...caseFiles(data)].map(({ text }) => parseCaseFile(JSON.parse(text)));
    const { benchmarks: _, ...expected } = data;
    const again = reportDataOf(stored, { generator: data.generator, createdAt: data.createdAt }, data.cases);
    expect(again).toEqual(expected);
    expect(again.agents).toEqual(SAMPLE_AGENTS);
    const unordered = reportDataOf([...stored].reverse(), { generator: '', createdAt: '' });
    expect(unordered.cases.map(({ id }) => id).slice(0, 3)).toEqual(['1.1.1', '1.1.2', '1.1.3']);
  });

  it.each([
    ['of Autobahn itself', { agent: 'ws', behavior: 'OK' }, 'was not written by hawser'],
    ['that is no object', 7, 'was not written by hawser'],
    ['with fields missing', { hawser: { result: { id: '1.1.1' }, case: {} } }, 'damaged'],
    ['without a result', { hawser: {} }, 'hawser.result: an object was expected'],
  ])('is refused %s', (_, value, message) => {
    expect(() => parseCaseFile(value)).toThrow(message);
  });
});
