// Sample
import type { ConformanceCase } from '../case.js';
import { exchangeCase } from '../exchange.js';
import { close, ping, text } from '../step.js';

const facts = (id: string) => ({
  id,
  group: 'autobahn' as const,
  subjects: ['server', 'client'] as const,
  title: id,
  rule: '',
  section: '',
  requirements: [],
  expectation: '',
});

export const AUTOBAHN_CASES: readonly ConformanceCase[] = [
  exchangeCase(facts('1.1.1'), {
    steps: [text('Hello')],
    outcomes: [{ behavior: 'OK', events: [{ type: 'text', payload: 'Hello' }] }],
    close: { by: 'tester', codes: [1000], isClean: true },
    closesOnMatch: true,
    open: { isStrict: true },
  }),
  exchangeCase(facts('7.3.1'), {
    steps: [close()],
    outcomes: [{ behavior: 'OK', events: [] }],
    close: { by: 'tester', codes: [1000], isClean: true, endIsBehavior: 'wrong code' },
    open: { isStrict: true },
  }),
  exchangeCase(facts('3.2'), {
    steps: [text('Hello'), text('Hello', { rsv: 2 }), ping()],
    outcomes: [
      { behavior: 'OK', events: [{ type: 'text', payload: 'Hello' }] },
      { behavior: 'NON-STRICT', events: [] },
    ],
    close: { by: 'peer', codes: [1002], isClean: false },
    open: { isStrict: true },
  }),
];
