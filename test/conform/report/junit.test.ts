import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderJUnit } from '../../../src/conform/report/junit.js';
import type { ReportData } from '../../../src/conform/report/report-data.js';
import { sampleCase, sampleData, sampleResult } from './sample.js';

interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  text: string;
}

const TOKEN =
  /<\?xml version="1\.0" encoding="UTF-8"\?>|<\/(?<end>[a-z-]+)>|<(?<start>[a-z-]+)(?<attributes>(?: [a-z]+="[^<"]*")*)(?<empty>\/?)>|(?<text>[^<]+)|(?<fault>.)/gs;

function readEntities(text: string): string {
  expect(text.replace(/&(?:amp|lt|gt|quot|#9|#10|#13);/g, '')).not.toContain('&');
  const NAMES: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&' };
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, name) => NAMES[name] ?? String.fromCharCode(code));
}

/** Reads the XML that the report may write, and nothing else: what is not well-formed fails. */
function parseXml(xml: string): Element {
  // XML 1.0, 2.2: the characters that a document may have
  expect(xml).toMatch(/^[\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u);
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  for (const { groups = {} } of xml.matchAll(TOKEN)) {
    const top = open.at(-1)!;
    expect(groups.fault).toBeUndefined();
    if (groups.text !== undefined) top.text += readEntities(groups.text);
    if (groups.end !== undefined) expect(open.pop()!.name).toBe(groups.end);
    if (groups.start === undefined) continue;
    const pairs = [...groups.attributes!.matchAll(/ ([a-z]+)="([^"]*)"/g)];
    const attributes = Object.fromEntries(pairs.map(([, name, value]) => [name!, readEntities(value!)]));
    expect(Object.keys(attributes)).toHaveLength(pairs.length);
    const element = { name: groups.start, attributes, children: [], text: '' };
    top.children.push(element);
    if (groups.empty === '') open.push(element);
  }
  expect(open).toEqual([root]);
  return root.children[0]!;
}

function named(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

const data: ReportData = {
  generator: 'hawser',
  createdAt: '2030-01-02T03:04:05.678Z',
  agents: [
    { name: 'alpha', subject: 'server' },
    { name: 'alpha', subject: 'client' },
  ],
  cases: [
    sampleCase('1.1.1', { requirements: ['RFC6455-5.6-1', 'RFC6455-5.1-2'] }),
    sampleCase('1.1.2'),
    sampleCase('masking.fresh-keys', { group: 'masking' }),
  ],
  results: [
    sampleResult('1.1.1', { behavior: 'FAILED', finding: 'Nothing "came" <back> & ]]>\nat all.' }),
    sampleResult('1.1.2', { behavior: 'UNIMPLEMENTED', durationMs: 1234.5 }),
    sampleResult('masking.fresh-keys', { behavior: 'NON-STRICT', finding: 'Seen late.' }),
    sampleResult('1.1.2', { subject: 'client', behaviorClose: 'UNCLEAN' }),
  ],
};

describe('the JUnit report', () => {
  const root = parseXml(renderJUnit(data));
  const suites = named(root, 'testsuite');

  it('has a suite for each agent and group that ran', () => {
    expect(root.attributes).toMatchObject({ name: 'hawser', tests: '4', failures: '2', skipped: '1' });
    expect(suites.map(({ attributes }) => [attributes.name, attributes.tests, attributes.failures])).toEqual([
      ['alpha (server): Other cases of Autobahn', '2', '1'],
      ['alpha (server): Masking', '1', '0'],
      ['alpha (client): Other cases of Autobahn', '1', '1'],
    ]);
  });

  it('fails a case with its finding, its rule and what was expected', () => {
    const [failure] = named(named(suites[0]!, 'testcase')[0]!, 'failure');
    expect(failure!.attributes).toEqual({
      message: 'FAILED: Nothing "came" <back> & ]]>\nat all.',
      type: 'FAILED',
    });
    expect(failure!.text).toContain('at all.\nRule (RFC 6455 §5.6): An endpoint');
    const [unclean] = named(named(suites[2]!, 'testcase')[0]!, 'failure');
    expect(unclean!.attributes.type).toBe('UNCLEAN');
  });

  it('skips what is unimplemented, and passes what is not strict, saying why', () => {
    const test = named(suites[0]!, 'testcase')[1]!;
    expect(test.attributes).toMatchObject({ classname: 'alpha (server).autobahn', time: '1.234' });
    expect(named(test, 'skipped')).toHaveLength(1);
    const [output] = named(named(suites[1]!, 'testcase')[0]!, 'system-out');
    expect(output!.text).toBe('NON-STRICT: Seen late.');
  });

  it('names the requirements of a case as properties', () => {
    const [properties] = named(named(suites[0]!, 'testcase')[0]!, 'properties');
    const requirements = properties!.children.filter(({ attributes }) => attributes.name === 'requirement');
    expect(requirements.map(({ attributes }) => attributes.value)).toEqual([
      'RFC6455-5.6-1',
      'RFC6455-5.1-2',
    ]);
  });

  it('is well-formed whatever stands in names and findings', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('<', '&', '"', "'", ']]>', '\0', '\ud800', '\udc00', '\ufffe', '\x85', '\r\n'),
      }),
    );
    fc.assert(
      fc.property(text, text, (agent, finding) => {
        const agents = [{ name: agent, subject: 'server' as const }];
        const results = [sampleResult('1.1.1', { agent, finding, behavior: 'FAILED' })];
        const parsed = parseXml(renderJUnit({ ...data, agents, results }));
        expect(parsed.attributes.tests).toBe('1');
      }),
    );
  });

  it('counts right in a large run', () => {
    const large = sampleData();
    expect(parseXml(renderJUnit(large)).attributes.tests).toBe(String(large.results.length));
  });
});
