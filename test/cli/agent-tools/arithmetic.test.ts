import { describe, expect, it } from 'vitest';
import { ExpressionError, evaluate } from '../../../src/cli/agent-tools/arithmetic.js';
import { calculate } from '../../../src/cli/agent-tools/calculate.js';
import { ToolError } from '../../../src/cli/agent-tools/tool.js';
import { thrownBy } from '../../support/events.js';
import { testContext } from './context.js';

describe('evaluate', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['10 - 4 - 3', 3],
    ['24 / 4 / 2', 3],
    ['17 % 5 * 2', 4],
    ['-2^2', -4],
    ['(-2)^2', 4],
    ['2^3^2', 512],
    ['2^-1', 0.5],
    ['--3', 3],
    ['2 * -3', -6],
    ['.5 + 1.', 1.5],
    ['1.5e3 + 2E-1', 1500.2],
    ['\t 1+\n1 ', 2],
    ['sqrt(2^4) + ABS(-1)', 5],
    ['max(1, 7, 3) - min(4)', 3],
    ['round(ln(e)) + log(1000)', 4],
    ['2 * pi', 2 * Math.PI],
    ['1 / 0', Number.POSITIVE_INFINITY],
  ])('%s -> %d', (expression, value) => {
    expect(evaluate(expression)).toBe(value);
  });

  it.each([
    ['', 'a number was expected at position 1'],
    ['1 +', 'a number was expected at position 4'],
    ['1 2', 'an operator was expected at position 3'],
    ['(1', '")" was expected at position 3'],
    ['1)', 'an operator was expected at position 2'],
    ['2 * x', '"x" is not known at position 5'],
    ['sqrt 4', '"(" was expected at position 6'],
    ['sqrt(4, 9)', '")" was expected at position 7'],
    ['max()', 'a number was expected at position 5'],
    ['process.exit(1)', '"process" is not known at position 1'],
    ['constructor(1)', '"constructor" is not known at position 1'],
    ['1e', 'an operator was expected at position 2'],
  ])('"%s" -> %s', (expression, message) => {
    expect(thrownBy(() => evaluate(expression))).toMatchObject({ name: 'ExpressionError', message });
  });

  it.each(['(', '-', 'sqrt(', '2^'])(
    '"%s" a hundred thousand times -> refused, and the stack is whole',
    (text) => {
      const error = thrownBy(() => evaluate(text.repeat(100_000)));
      expect(error).toBeInstanceOf(ExpressionError);
      expect(error.message).toMatch(/^this is nested too deeply/);
    },
  );
});

describe('calculate', () => {
  it('an expression -> its value', () => {
    expect(calculate.call({ expression: '6 * 7' }, testContext())).toBe(42);
  });

  it.each([
    ['2 +', 'a number was expected at position 4'],
    ['0 / 0', 'the result is not a finite number'],
  ])('%s -> an error that the caller may see', (expression, message) => {
    const error = thrownBy(() => calculate.call({ expression }, testContext()));
    expect(error).toBeInstanceOf(ToolError);
    expect(error).toMatchObject({ message, issues: [{ message, path: ['expression'] }] });
  });
});
