// Evaluates expressions and templates: plain ones at once, the rest in the pool. Every value is JSON of bounded size.
import { availableParallelism } from 'node:os';
import { compileExpression, type CompiledExpression } from './compile.ts';
import { ExpressionError, maxResultBytes, type Scope } from './expression.ts';
import { notPlain } from './plain.ts';
import { createPool } from './pool.ts';
import { resultText } from './result.ts';
import { cutText, isTemplateText, mapTemplate, templateExpressions, type TemplateText } from './template.ts';

export interface EvaluatorOptions {
  /** Processes at most; started when first needed. Default: one per core, at most 4. */
  readonly workers?: number | undefined;
  /** Longest evaluation of one call, milliseconds. Default 5,000. */
  readonly deadlineMs?: number | undefined;
  /** Heap of each process, MB. Default 128. */
  readonly memoryMb?: number | undefined;
}

export interface EvaluateOptions {
  /** Shorter than the evaluator's deadline; longer has no effect. */
  readonly timeoutMs?: number | undefined;
}

export interface Evaluator {
  /** Any JSON whose strings may hold `${{ }}`; a string that is exactly one keeps its value's type. Throws ExpressionError. */
  evaluateTemplate(template: unknown, scope: Scope, options?: EvaluateOptions): Promise<unknown>;
  /** One JSONata expression, bare or in `${{ }}`; absent becomes null. Throws ExpressionError. */
  evaluateSource(source: string, scope: Scope, options?: EvaluateOptions): Promise<unknown>;
  /** Ends the processes; open evaluations are rejected with UnavailableError. */
  close(): Promise<void>;
}

export function createEvaluator({
  workers = Math.min(availableParallelism(), 4),
  deadlineMs = 5000,
  memoryMb = 128,
}: EvaluatorOptions = {}): Evaluator {
  const pool = createPool({ processes: workers, memoryMb });

  /** Values of the expressions, in their order; all that are not plain go to one process together. */
  async function evaluateAll(expressions: readonly CompiledExpression[], scope: Scope, options: EvaluateOptions = {}): Promise<unknown[]> {
    for (const { problems } of expressions) {
      if (problems[0]) throw new ExpressionError('EXPRESSION_FAILED', problems[0].message);
    }
    const values = expressions.map(({ plain }) => (plain ? plain(scope) : notPlain));
    const open = expressions.flatMap((expression, at) => (values[at] === notPlain ? [{ expression, at }] : []));
    if (open.length > 0) {
      const timeoutMs = Math.max(1, Math.min(options.timeoutMs ?? deadlineMs, deadlineMs));
      const sources = open.map(({ expression }) => expression.source);
      const texts = await pool.run(sources, narrow(scope, open), timeoutMs);
      for (const [position, { at }] of open.entries()) values[at] = JSON.parse(texts[position] ?? 'null');
    }
    return values.map((value) => value ?? null);
  }

  return {
    async evaluateTemplate(template, scope, options) {
      const { expressions, problems } = templateExpressions(template);
      if (problems[0]) throw new ExpressionError('EXPRESSION_FAILED', problems[0].message);
      const values = await evaluateAll(
        expressions.map(({ expression }) => expression),
        scope,
        options,
      );
      let next = 0;
      const budget = { bytes: maxResultBytes };
      const value = mapTemplate(template, (text) => {
        if (!isTemplateText(text)) return text;
        const cut = cutText(text);
        const own = values.slice(next, (next += cut.parts.filter((part) => typeof part !== 'string').length));
        return join(cut, own, budget);
      });
      // Strings are copies and parts are shared: measuring also gives the caller a value of its own.
      return JSON.parse(resultText(value)) as unknown;
    },
    async evaluateSource(source, scope, options) {
      const [value] = await evaluateAll([compileExpression(source)], scope, options);
      return JSON.parse(resultText(value)) as unknown;
    },
    close: () => pool.close(),
  };
}

function join({ whole, parts }: TemplateText, values: readonly unknown[], budget: { bytes: number }): unknown {
  if (whole) return values[0];
  const rest = [...values];
  let text = '';
  for (const part of parts) {
    const value = typeof part === 'string' ? part : rest.shift();
    text += typeof value === 'string' ? value : resultText(value);
    if (text.length > budget.bytes) {
      throw new ExpressionError('OUTPUT_TOO_LARGE', `the result is larger than ${maxResultBytes} bytes of JSON; select what is needed`);
    }
  }
  budget.bytes -= text.length;
  return text;
}

/** Only what the expressions name leaves this process. */
function narrow(scope: Scope, open: readonly { expression: CompiledExpression }[]): Scope {
  const roots = new Set(open.flatMap(({ expression }) => [...expression.roots]));
  const ids = new Set(open.flatMap(({ expression }) => expression.steps));
  return {
    inputs: roots.has('inputs') ? scope.inputs : null,
    steps: Object.fromEntries([...ids].filter((id) => Object.hasOwn(scope.steps, id)).map((id) => [id, scope.steps[id]])) as Scope['steps'],
    ...(roots.has('item') && { item: scope.item }),
    ...(roots.has('index') && { index: scope.index }),
    ...(roots.has('items') && { items: scope.items }),
    ...(roots.has('previous') && { previous: scope.previous }),
    ...(roots.has('output') && { output: scope.output }),
  };
}
