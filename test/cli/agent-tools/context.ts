// What a tool is called with, and what it reported.

import type { ToolContext, ToolResult } from '../../../src/cli/agent-tools/tool.js';

export interface TestContext extends ToolContext {
  readonly reports: [done: number, total: number, message: string][];
  /** The caller gives up. */
  abort(): void;
}

export function testContext(): TestContext {
  const controller = new AbortController();
  const reports: TestContext['reports'] = [];
  return {
    signal: controller.signal,
    reports,
    progress: (...report) => {
      reports.push(report);
    },
    abort: () => controller.abort(),
  };
}

/** The pieces of a streamed result. */
export async function collect(result: ToolResult | Promise<ToolResult>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of (await result) as AsyncIterable<string>) pieces.push(piece);
  return pieces;
}
