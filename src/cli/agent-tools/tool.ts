// What a tool is: a plain function with a name and described parameters. It knows nothing of RPC, MCP or WebSocket; the
// endpoints hand it a signal and a place for its progress.

import {
  type Issue,
  type ObjectSchema,
  type Parameters,
  readParameters,
  toJsonSchema,
  type ValuesOf,
} from './parameters.js';

export interface ToolContext {
  /** Aborted when the caller gave up. */
  readonly signal: AbortSignal;
  progress(done: number, total: number, message: string): void;
}

/** A value, or pieces of text as they come to be, which together are the result. */
export type ToolResult = number | object | AsyncIterable<string>;

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: ObjectSchema;
  /** @throws ToolError for params that do not fit, and for whatever else the caller should be told */
  call(params: unknown, context: ToolContext): ToolResult | Promise<ToolResult>;
}

/** What the caller should be told; other errors are faults of ours, and stay here. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly issues: readonly Issue[];

  constructor(message: string, issues: readonly Issue[] = []) {
    super(message);
    this.issues = issues;
  }
}

export interface ToolDefinition<P extends Parameters> {
  name: string;
  title: string;
  description: string;
  parameters: P;
  run(params: ValuesOf<P>, context: ToolContext): ToolResult | Promise<ToolResult>;
}

/** A tool that checks what it is called with before it runs. */
export function defineTool<const P extends Parameters>(definition: ToolDefinition<P>): Tool {
  const { name, title, description, parameters, run } = definition;
  return {
    name,
    title,
    description,
    inputSchema: toJsonSchema(parameters),
    call(params, context) {
      const read = readParameters(parameters, params);
      if ('values' in read) return run(read.values, context);
      const texts = read.issues.map(({ message, path }) => [...path, message].join(': '));
      throw new ToolError(texts.join('; '), read.issues);
    },
  };
}

/** Whether the result comes in pieces. */
export function isStream(result: ToolResult): result is AsyncIterable<string> {
  return typeof result === 'object' && Symbol.asyncIterator in result;
}
