// Text → checked expression: scanned, parsed by JSONata, its references read, its plain form prepared. Cached by text.
import jsonata from 'jsonata';
import { maxExpressionLength, type ExpressionProblem, type RootName } from './expression.ts';
import { compilePlain, type Plain } from './plain.ts';
import { readReferences, type Node } from './references.ts';
import { scan } from './scan.ts';

export interface CompiledExpression {
  /** JSONata text, without `${{ }}`. */
  readonly source: string;
  /** Step ids it refers to, sorted. */
  readonly steps: readonly string[];
  readonly roots: ReadonlySet<RootName>;
  /** Everything wrong with it; an expression with problems is never evaluated. */
  readonly problems: readonly ExpressionProblem[];
  /** Evaluates it at once where that is possible. */
  readonly plain: Plain | null;
}

const cacheSize = 2000;
const cache = new Map<string, CompiledExpression>();

export function compileExpression(text: string): CompiledExpression {
  const known = cache.get(text);
  if (known) return known;
  const compiled = compile(text);
  // Oldest first out: a Map keeps the order of insertion.
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as string);
  cache.set(text, compiled);
  return compiled;
}

function compile(text: string): CompiledExpression {
  const { source, problem } = unwrap(text);
  if (problem) return broken(source, problem);
  if (source.trim() === '') return broken(source, { message: 'the expression is empty', expected: 'JSONata, for example inputs.name' });
  if (source.length > maxExpressionLength) {
    return broken(source, { message: `the expression has ${source.length} characters, at most ${maxExpressionLength} are allowed` });
  }
  const scanned = scan(source);
  if (scanned.problem) return broken(source, scanned.problem);
  try {
    const tree = jsonata(source).ast() as unknown as Node;
    const references = readReferences(tree);
    return { source, ...references, plain: references.problems.length === 0 ? compilePlain(tree) : null };
  } catch (error) {
    return broken(source, syntaxProblem(error));
  }
}

function broken(source: string, problem: ExpressionProblem): CompiledExpression {
  return { source, steps: [], roots: new Set(), problems: [problem], plain: null };
}

/** Bare JSONata and `${{ JSONata }}` mean the same where an expression is expected. */
function unwrap(text: string): { source: string; problem?: ExpressionProblem } {
  const trimmed = text.trim();
  if (!trimmed.startsWith('${{')) return { source: trimmed };
  const { end, problem } = scan(trimmed, 3, true);
  if (problem) return { source: trimmed, problem };
  if (end < 0) return { source: trimmed, problem: { message: '"${{" is not closed', expected: '}}' } };
  if (end + 2 < trimmed.length) {
    return {
      source: trimmed,
      problem: {
        message: 'this is one expression, not a text with expressions in it',
        offset: end + 2,
        expected: 'bare JSONata or one ${{ }}; join texts with &',
      },
    };
  }
  return { source: trimmed.slice(3, end).trim() };
}

function syntaxProblem(error: unknown): ExpressionProblem {
  if (error instanceof RangeError) return { message: 'the expression is nested too deeply' };
  const { message, position } = error as { message?: string; position?: number };
  const where = position === undefined ? '' : ` at character ${position}`;
  return { message: `syntax error${where}: ${message ?? 'not JSONata'}`, offset: position };
}
