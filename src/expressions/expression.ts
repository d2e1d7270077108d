// Expressions: what one is, what it may see, its limits and its errors. Pure; evaluation stands in evaluator.ts.

/** What an expression sees: the only names at its root. Those after `steps` only where they mean something. */
export interface Scope {
  readonly inputs: unknown;
  /** Only the steps that the expression refers to are needed; others are not shown to it. */
  readonly steps: Readonly<Record<string, StepResult>>;
  readonly item?: unknown;
  readonly index?: number | undefined;
  /** In `reduce`: outputs of the items of a forEach, in order. */
  readonly items?: unknown;
  /** In a loop: output of the iteration before; null in the first. */
  readonly previous?: unknown;
  /** In `until`: output of the iteration that has ended. */
  readonly output?: unknown;
}

export interface StepResult {
  readonly output: unknown;
  readonly status: string;
  readonly error: unknown;
}

export const rootNames = ['inputs', 'steps', 'item', 'index', 'items', 'previous', 'output'] as const;
export type RootName = (typeof rootNames)[number];

/** Failures while an expression runs. `EXPRESSION_LIMIT`: too deep, too long or too large on the way. */
export const expressionErrorCodes = ['EXPRESSION_FAILED', 'EXPRESSION_TIMEOUT', 'EXPRESSION_LIMIT', 'OUTPUT_TOO_LARGE'] as const;
export type ExpressionErrorCode = (typeof expressionErrorCodes)[number];

export class ExpressionError extends Error {
  readonly code: ExpressionErrorCode;
  constructor(code: ExpressionErrorCode, message: string) {
    super(message);
    this.name = 'ExpressionError';
    this.code = code;
  }
}

/** Something wrong with the text of an expression; `offset` counts characters from its start. */
export interface ExpressionProblem {
  readonly message: string;
  readonly offset?: number | undefined;
  readonly expected?: string | undefined;
}

/** Characters of one expression. */
export const maxExpressionLength = 16 * 1024;
/** Brackets inside brackets. */
export const maxBracketDepth = 64;
/** JSONata copies the left side of `??` and `?:` while parsing: each nesting doubles the work. */
export const maxDefaultNesting = 4;
/** `.` operators in one expression: parsing a path costs the square of its length. */
export const maxPathSteps = 2000;
/** JSON text of one result, in bytes of UTF-8. */
export const maxResultBytes = 1024 * 1024;
/** Arrays and objects inside each other in a result. */
export const maxResultDepth = 64;
