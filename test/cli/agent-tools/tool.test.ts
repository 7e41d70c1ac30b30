import { describe, expect, it } from 'vitest';
import { defineTool, ToolError } from '../../../src/cli/agent-tools/tool.js';
import { tools } from '../../../src/cli/agent-tools/tools.js';
import { thrownBy } from '../../support/events.js';
import { testContext } from './context.js';

const tool = defineTool({
  name: 'repeat',
  title: 'Repeat',
  description: 'Says something again.',
  parameters: {
    text: { type: 'string', description: 'what', minLength: 1, maxLength: 5 },
    times: { type: 'integer', description: 'how often', minimum: 1, maximum: 3, default: 2 },
    tone: { type: 'string', description: 'how', enum: ['loud', 'soft'], default: 'soft' },
  },
  run: (values) => values,
});

describe('defineTool', () => {
  it('params that fit -> run, with the defaults filled in', () => {
    expect(tool.call({ text: 'ab' }, testContext())).toEqual({ text: 'ab', times: 2, tone: 'soft' });
    const all = { text: 'abcde', times: 3, tone: 'loud' };
    expect(tool.call(all, testContext())).toEqual(all);
  });

  it.each([
    [undefined, 'an object was expected'],
    [[], 'an object was expected'],
    ['text', 'an object was expected'],
    [{}, 'text: a text of 1 to 5 characters was expected'],
    [{ text: '' }, 'text: a text of 1 to 5 characters was expected'],
    [{ text: 'abcdef' }, 'text: a text of 1 to 5 characters was expected'],
    [{ text: 7 }, 'text: a text of 1 to 5 characters was expected'],
    [{ text: 'a', times: 4 }, 'times: a whole number from 1 to 3 was expected'],
    [{ text: 'a', times: 0 }, 'times: a whole number from 1 to 3 was expected'],
    [{ text: 'a', times: 1.5 }, 'times: a whole number from 1 to 3 was expected'],
    [{ text: 'a', times: '2' }, 'times: a whole number from 1 to 3 was expected'],
    [{ text: 'a', times: null }, 'times: a whole number from 1 to 3 was expected'],
    [{ text: 'a', tone: 'shrill' }, 'tone: one of loud, soft was expected'],
    [{ text: 'a', other: 1 }, 'other: there is no such parameter'],
    [JSON.parse('{"text":"a","__proto__":1}'), '__proto__: there is no such parameter'],
  ])('%j -> %s, and nothing runs', (params, message) => {
    const error = thrownBy(() => tool.call(params, testContext()));
    expect(error).toBeInstanceOf(ToolError);
    expect(error.message).toBe(message);
  });

  it('several mistakes -> an issue for each', () => {
    const error = thrownBy(() => tool.call({ times: 9, x: 1 }, testContext()));
    expect((error as ToolError).issues.map(({ path }) => path)).toEqual([['x'], ['text'], ['times']]);
  });

  it('tells peers the same as JSON Schema', () => {
    expect(tool.inputSchema).toMatchObject({
      type: 'object',
      required: ['text'],
      additionalProperties: false,
      properties: { times: { type: 'integer', minimum: 1, maximum: 3, default: 2 } },
    });
  });
});

describe('the tools', () => {
  it('have a name, a title and a description each', () => {
    expect(tools.map(({ name }) => name)).toEqual(['explain', 'search', 'calculate', 'clock']);
    for (const { title, description } of tools) expect([title, description]).not.toContain('');
  });
});
