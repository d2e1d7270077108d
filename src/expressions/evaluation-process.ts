// Entry point of the processes that evaluate expressions: one request at a time, nothing but JSON in and out.
// It starts with an empty environment, a bounded heap and no permission to write files, start programs or load addons.
import jsonata from 'jsonata';
import { ExpressionError } from './expression.ts';
import { refusedFunctions } from './builtins.ts';
import { LinearRegex } from './regex.ts';
import { resultText } from './result.ts';
import type { EvaluationAnswer, EvaluationRequest } from './pool.ts';

/** Depth of JSONata's own evaluation; about five levels to a function call. */
const stackLimit = 1500;
const sequenceLimit = 500_000;
const maxTextLength = 16 * 1024 * 1024;
const cacheSize = 500;
const cache = new Map<string, jsonata.Expression>();

// $toMillis fills what a picture leaves open from "now": the same answer each time needs a fixed one. Date.now() stays true.
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts: unknown[]) {
    super(...((parts.length === 0 ? [0] : parts) as [number]));
  }
} as DateConstructor;
// One expression must not leave anything behind for the next.
for (const shared of [Object.prototype, Array.prototype, Function.prototype, String.prototype]) Object.preventExtensions(shared);

function prepare(source: string, timeoutMs: number): jsonata.Expression {
  const key = `${timeoutMs} ${source}`;
  const known = cache.get(key);
  if (known) return known;
  const expression = jsonata(source, {
    RegexEngine: LinearRegex as unknown as RegExpConstructor,
    timeout: timeoutMs,
    stack: stackLimit,
    sequence: sequenceLimit,
  });
  for (const name of Object.keys(refusedFunctions)) expression.assign(name, undefined);
  // These build large texts outside the heap or in one piece: refuse before they do.
  expression.registerFunction('pad', pad, '<s-ns?:s>');
  expression.registerFunction('base64encode', (text?: string) => (text === undefined ? text : btoa(bounded(text))), '<s-:s>');
  expression.registerFunction('base64decode', (text?: string) => (text === undefined ? text : atob(bounded(text))), '<s-:s>');
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as string);
  cache.set(key, expression);
  return expression;
}

function bounded(text: string): string {
  if (text.length > maxTextLength) {
    throw new ExpressionError('EXPRESSION_LIMIT', `a text of ${text.length} characters; at most ${maxTextLength} are allowed`);
  }
  return text;
}

/** As JSONata's: a negative width pads on the left; characters, not code units, are counted. */
function pad(text: string | undefined, width: number, fill?: string): string | undefined {
  if (text === undefined) return undefined;
  const missing = Math.abs(Math.trunc(width)) - [...bounded(text)].length;
  if (missing <= 0) return text;
  if (missing > maxTextLength) {
    throw new ExpressionError('EXPRESSION_LIMIT', `$pad to ${width} characters; at most ${maxTextLength} are allowed`);
  }
  const characters = [...(fill || ' ')];
  const padding = Array.from({ length: missing }, (_, at) => characters[at % characters.length]).join('');
  return width > 0 ? text + padding : padding + text;
}

async function answer({ id, sources, scope, timeoutMs, maxBytes }: EvaluationRequest): Promise<EvaluationAnswer> {
  const results: string[] = [];
  let left = maxBytes;
  try {
    for (const source of sources) {
      const text = resultText(await prepare(source, timeoutMs).evaluate(scope), left);
      left -= Buffer.byteLength(text);
      results.push(text);
    }
    return { id, results };
  } catch (error) {
    const { code, message } = translate(error, timeoutMs);
    return { id, error: { code, message } };
  }
}

function translate(error: unknown, timeoutMs: number): ExpressionError {
  if (error instanceof ExpressionError) return error;
  if (error instanceof RangeError) return new ExpressionError('EXPRESSION_LIMIT', `too deep or too large: ${error.message}`);
  const { code, message, position } = error as { code?: string; message?: string; position?: number };
  if (code === 'D1012') return new ExpressionError('EXPRESSION_TIMEOUT', `the evaluation took longer than ${timeoutMs} ms`);
  if (code === 'D1011') return new ExpressionError('EXPRESSION_LIMIT', 'function calls are nested too deeply; does a recursion end?');
  if (code === 'D2014' || code === 'D2015') {
    return new ExpressionError('EXPRESSION_LIMIT', `a list on the way has more than ${sequenceLimit} members`);
  }
  // $error and $assert say what their author wrote, and nothing else.
  if (code === 'D3137' || code === 'D3141') return new ExpressionError('EXPRESSION_FAILED', String(message).slice(0, 1000));
  const where = typeof position === 'number' && position > 0 ? ` (at character ${position})` : '';
  return new ExpressionError('EXPRESSION_FAILED', `${(message ?? String(error)).slice(0, 1000)}${where}`);
}

process.on('message', (request: EvaluationRequest) => {
  void answer(request).then((reply) => process.send?.(reply));
});
// The parent decides when this process ends: a Ctrl-C for the whole group must not fail the step that is running.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
