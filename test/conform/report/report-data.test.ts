import { describe, expect, it } from 'vitest';
import {
  benchmarkTable,
  durationTable,
  labelOf,
  lookupOf,
  resultsOf,
  sectionsOf,
  totalsOf,
} from '../../../src/conform/report/report-data.js';
import { SAMPLE_AGENTS, sampleCase, sampleData, sampleResult } from './sample.js';

const data = sampleData();

describe('the data of reports', () => {
  it('tells the same name in two roles apart', () => {
    const [server, beta, client] = SAMPLE_AGENTS;
    const lookup = lookupOf(data.results);
    expect(lookup(server!, '1.1.1')!.subject).toBe('server');
    expect(lookup(client!, '1.1.1')!.subject).toBe('client');
    expect(resultsOf(data, server!)).not.toEqual(resultsOf(data, client!));
    expect(SAMPLE_AGENTS.map((agent) => labelOf(agent, SAMPLE_AGENTS))).toEqual([
      'alpha (server)',
      'beta 8.23',
      'alpha (client)',
    ]);
    expect(labelOf(server!, [server!, beta!])).toBe('alpha');
  });

  it('has no result where an agent did not run a case', () => {
    const client = SAMPLE_AGENTS[2]!;
    const missing = data.cases.filter(({ id }) => lookupOf(data.results)(client, id) === undefined);
    expect(missing.length).toBe(data.cases.length - resultsOf(data, client).length);
    expect(missing.length).toBeGreaterThan(0);
  });

  it('counts one word for both verdicts', () => {
    const totals = totalsOf([
      sampleResult('1'),
      sampleResult('2', { behaviorClose: 'UNCLEAN' }),
      sampleResult('3', { behavior: 'FAILED', behaviorClose: 'UNCLEAN' }),
      sampleResult('4', { behaviorClose: 'FAILED' }),
    ]);
    expect(Object.fromEntries(totals)).toEqual({ OK: 1, FAILED: 2, UNCLEAN: 1 });
  });

  it('gathers cases by chapter of Autobahn and by group, in the order of the suite', () => {
    const titles = sectionsOf(data.cases).map(({ title }) => title);
    expect(titles.slice(0, 2)).toEqual(['1 Framing', '2 Pings and pongs']);
    expect(titles).toContain('10 Miscellaneous');
    expect(titles).toContain('Opening handshake');
    expect(titles).toHaveLength(11 + 13);
    const ids = sectionsOf(data.cases).flatMap(({ cases }) => cases.map(({ id }) => id));
    expect(ids).toEqual(data.cases.map(({ id }) => id));
    expect(sectionsOf([sampleCase('99.1.1')])[0]!.title).toBe('99');
  });

  it('takes durations of cases of chapter 9 that were passed', () => {
    const agents = SAMPLE_AGENTS.slice(0, 2);
    const cases = ['1.1.1', '9.1.1', '9.1.2'].map((id) => sampleCase(id));
    const results = [
      sampleResult('1.1.1'),
      sampleResult('9.1.1', { durationMs: 7 }),
      sampleResult('9.1.1', { agent: 'beta 8.23', behavior: 'FAILED', durationMs: 1 }),
    ];
    const table = durationTable({ ...data, agents, cases, results })!;
    expect(table.rows).toMatchObject([{ unit: 'ms', isLessBetter: true, values: [7, undefined] }]);
    expect(table.agents).toEqual(['alpha', 'beta 8.23']);
    expect(durationTable({ ...data, results: [] })).toBeUndefined();
  });

  it('puts benchmarks of the same name side by side', () => {
    const benchmarks = [
      { agent: 'a', name: 'echo', unit: 'messages/s', value: 1, details: 'slow' },
      { agent: 'b', name: 'echo', unit: 'messages/s', value: 2, details: '' },
      { agent: 'b', name: 'echo', unit: 'ms', value: 3, details: '' },
    ];
    expect(benchmarkTable({ ...data, benchmarks })!.rows).toMatchObject([
      { isLessBetter: false, values: [1, 2], details: ['slow', ''] },
      { isLessBetter: true, values: [undefined, 3] },
    ]);
    expect(benchmarkTable({ ...data, benchmarks: [] })).toBeUndefined();
  });
});
