// Checks the expressions of a document where they stand: syntax, what they may see there, and which steps they mention.
import { compileExpression, type CompiledExpression } from '../expressions/compile.ts';
import type { RootName } from '../expressions/expression.ts';
import { templateExpressions } from '../expressions/template.ts';
import { pathOf } from './definition-text.ts';

/** Collects a problem at `path`; `offset` characters into the text that stands there. */
export type Report = (path: string, message: string, expected?: string, offset?: number) => void;

/** A step id that stands in the text, and where. */
export interface Mention {
  readonly id: string;
  readonly path: string;
}

/** Where an expression stands, for the names that mean something only there. */
export type Scene = 'plain' | 'item' | 'reduce' | 'iteration' | 'until';

/** Checks the expressions of one place and keeps what they mention. */
export interface ExpressionChecker {
  source(text: string, path: string, scene?: Scene): string;
  template<T>(value: T, path: string, scene?: Scene): T;
  readonly mentions: Mention[];
}

const scenes: Readonly<Record<Scene, readonly RootName[]>> = {
  plain: [],
  item: ['item', 'index'],
  reduce: ['items'],
  iteration: ['index', 'previous'],
  until: ['index', 'output'],
};
const onlySomewhere: Readonly<Partial<Record<RootName, string>>> = {
  item: 'item is known only in what a step with forEach does for each',
  index: 'index is known only in what a step with forEach or loop does each time',
  items: 'items is known only in reduce',
  previous: 'previous is known only in what a step with loop does each time',
  output: 'output is known only in until of a loop',
};

export function expressionChecker(report: Report): ExpressionChecker {
  const mentions: Mention[] = [];
  function check({ source, problems, roots, steps }: CompiledExpression, text: string, path: string, scene: Scene): void {
    const start = Math.max(text.indexOf(source), 0);
    for (const { message, expected, offset } of problems) {
      report(path, message, expected, offset === undefined ? undefined : start + offset);
    }
    for (const root of roots) {
      const message = onlySomewhere[root];
      if (message !== undefined && !scenes[scene].includes(root)) {
        report(path, message, ['inputs', 'steps.<id>', ...scenes[scene]].join(' or '), start);
      }
    }
    mentions.push(...steps.map((id) => ({ id, path })));
  }
  return {
    mentions,
    source(text, path, scene = 'plain') {
      const expression = compileExpression(text);
      check(expression, text, path, scene);
      return expression.source;
    },
    template(value, path, scene = 'plain') {
      const { expressions, problems } = templateExpressions(value);
      const full = (inside: readonly (string | number)[]) => inside.reduce<string>(pathOf, path);
      for (const problem of problems) report(full(problem.path), problem.message, problem.expected, problem.offset);
      for (const { expression, text, path: inside } of expressions) check(expression, text, full(inside), scene);
      return value;
    },
  };
}
