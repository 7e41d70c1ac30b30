// The tool that calculates.

import { ExpressionError, evaluate } from './arithmetic.js';
import { defineTool, ToolError } from './tool.js';

export const calculate = defineTool({
  name: 'calculate',
  title: 'Calculator',
  description:
    'Evaluates arithmetic: + - * / % ^, parentheses, pi, e, abs, ceil, cos, exp, floor, ln, log, max, min, round, sin, sqrt, tan.',
  parameters: {
    expression: {
      type: 'string',
      description: 'what to calculate, as in 2 * (3 + 4)',
      minLength: 1,
      maxLength: 1000,
    },
  },
  run({ expression }) {
    try {
      const value = evaluate(expression);
      if (Number.isFinite(value)) return value;
    } catch (error) {
      if (error instanceof ExpressionError) throw refusal(error.message);
      throw error;
    }
    // JSON has no way to say it.
    throw refusal('the result is not a finite number');
  },
});

function refusal(message: string): ToolError {
  return new ToolError(message, [{ message, path: ['expression'] }]);
}
