// The library face of the conformance suite, `hawser/conform`.

export type { ConformanceCase, Group } from './case.js';
export { GROUPS } from './case.js';
export { CASES } from './cases/index.js';
export { ClientJudge, type JudgeClientOptions } from './client-judge.js';
export type { CaseResult, Subject } from './result.js';
export { type Selection, SelectionError, selectCases } from './selection.js';
export { type JudgeServerOptions, judgeServer } from './server-judge.js';
export * from './verdict.js';
