// The library face of the conformance suite: `hawser/conform`. The command `hawser conform` is made of the same parts.

export {
  type BenchmarkOptions,
  type BenchmarkReport,
  type BenchmarkRow,
  benchmarkRows,
  runBenchmark,
} from './bench/benchmark.js';
export {
  type AgentMemory,
  type ConformanceCase,
  type Encounter,
  GROUPS,
  type Group,
  type Judgement,
} from './case.js';
export { CASES } from './cases/index.js';
export { ClientJudge, type JudgeClientOptions } from './client-judge.js';
export { type BaselineDifference, baselineOf, checkBaseline, parseBaseline } from './report/baseline.js';
export { renderHtml } from './report/html.js';
export { renderJUnit } from './report/junit.js';
export { renderMarkdown } from './report/markdown.js';
export type { CaseInfo, ReportData } from './report/report-data.js';
export type { CaseResult, CloseRecord, Side, Subject, WireRecord } from './result.js';
export { type Selection, SelectionError, selectCases } from './selection.js';
export { type JudgeServerOptions, judgeServer, type TlsOptions } from './server-judge.js';
export { type Behavior, type CloseBehavior, isPass, overallVerdict, type Verdict } from './verdict.js';
