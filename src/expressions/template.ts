// Templates: any JSON whose strings may hold `${{ expression }}`. Pure. `$${{` stands for a literal `${{`.
import { compileExpression, type CompiledExpression } from './compile.ts';
import type { ExpressionProblem } from './expression.ts';
import { scan } from './scan.ts';

/** A string as it was cut: literal text, and expressions between. */
export interface TemplateText {
  /** True when the string is exactly one `${{ }}`: then its value keeps its type. */
  readonly whole: boolean;
  readonly parts: readonly (string | CompiledExpression)[];
  /** A `${{` without its `}}`. */
  readonly problem?: ExpressionProblem | undefined;
}

export interface TemplateProblem extends ExpressionProblem {
  /** Keys and indexes from the template's root to the string. */
  readonly path: readonly (string | number)[];
}

/** Cuts one string; plain text gives one literal part. */
export function cutText(text: string): TemplateText {
  const parts: (string | CompiledExpression)[] = [];
  let literal = '';
  let at = 0;
  for (;;) {
    const open = text.indexOf('${{', at);
    if (open < 0) break;
    if (text[open - 1] === '$' && open - 1 >= at) {
      literal += `${text.slice(at, open - 1)}\${{`;
      at = open + 3;
      continue;
    }
    const { end, problem } = scan(text, open + 3, true);
    if (end < 0) {
      const unclosed = { message: '"${{" is not closed', offset: open, expected: '}} (write $${{ for a literal ${{)' };
      return { whole: false, parts: [], problem: problem ?? unclosed };
    }
    literal += text.slice(at, open);
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(compileExpression(text.slice(open + 3, end).trim()));
    at = end + 2;
  }
  const rest = literal + text.slice(at);
  // A YAML block scalar ends with a newline: it does not make a text of the value.
  const whole = parts.length === 1 && typeof parts[0] !== 'string' && rest.trimEnd() === '';
  if (rest !== '' && !whole) parts.push(rest);
  return { whole, parts };
}

export function isTemplateText(text: string): boolean {
  return text.includes('${{');
}

/** Rebuilds a template with each string replaced; keys are kept as they are (`seeKey` is told of each). */
export function mapTemplate(
  template: unknown,
  replace: (text: string, path: readonly (string | number)[]) => unknown,
  seeKey?: (key: string, path: readonly (string | number)[]) => void,
): unknown {
  const walk = (value: unknown, path: readonly (string | number)[]): unknown => {
    if (typeof value === 'string') return replace(value, path);
    if (Array.isArray(value)) return value.map((member, index) => walk(member, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        seeKey?.(key, [...path, key]);
        return [key, walk(member, [...path, key])];
      }),
    );
  };
  return walk(template, []);
}

export interface TemplateExpression {
  readonly expression: CompiledExpression;
  /** Where its string stands in the template, and the whole string. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Every expression in a template (with its own problems), and what is wrong with the strings around them. */
export function templateExpressions(template: unknown): { expressions: TemplateExpression[]; problems: TemplateProblem[] } {
  const expressions: TemplateExpression[] = [];
  const problems: TemplateProblem[] = [];
  mapTemplate(
    template,
    (text, path) => {
      if (!isTemplateText(text)) return text;
      const { parts, problem } = cutText(text);
      if (problem) problems.push({ ...problem, path });
      for (const part of parts) if (typeof part !== 'string') expressions.push({ expression: part, path, text });
      return text;
    },
    (key, path) => {
      if (isTemplateText(key)) problems.push({ path, message: 'a key cannot hold an expression', expected: 'a plain key' });
    },
  );
  return { expressions, problems };
}

/** Step ids that a template refers to, sorted: only their outputs are needed to evaluate it. */
export function templateStepReferences(template: unknown): string[] {
  return [...new Set(templateExpressions(template).expressions.flatMap(({ expression }) => expression.steps))].sort();
}

/** The same for one bare (or wrapped) expression. */
export function sourceStepReferences(source: string): readonly string[] {
  return compileExpression(source).steps;
}
