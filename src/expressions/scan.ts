// A light scanner over JSONata text: finds where `}}` ends an expression and refuses text that would be costly to parse.
// It follows the token rules of jsonata 2.2 (strings, backticks, comments, regexes) and knows no grammar beyond brackets.
import { maxBracketDepth, maxDefaultNesting, maxExpressionLength, maxPathSteps, type ExpressionProblem } from './expression.ts';

export interface Scan {
  /** Offset of the `}}` that closes the expression, or -1 when there is none. */
  readonly end: number;
  readonly problem?: ExpressionProblem | undefined;
}

interface Level {
  readonly open: string;
  /** `??` and `?:` seen here, and the deepest chain of them in what it holds. */
  hasDefault: boolean;
  nested: number;
  separators: number;
}

const closes: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Scans from `start`; with `toBraces` it stops at the first `}}` outside all brackets. */
export function scan(text: string, start = 0, toBraces = false): Scan {
  const levels: Level[] = [{ open: '', hasDefault: false, nested: 0, separators: 0 }];
  const top = () => levels[levels.length - 1] as Level;
  // True after an operand: there `/` divides and `|` separates; elsewhere they open a regex and a transform.
  let operand = false;
  let dots = 0;
  const refuse = (message: string, offset: number): Scan => ({ end: -1, problem: { message, offset: offset - start } });
  const close = () => {
    const level = levels.pop() as Level;
    const chain = level.nested + (level.hasDefault ? 1 : 0);
    top().nested = Math.max(top().nested, chain);
    return chain;
  };

  let at = start;
  while (at < text.length) {
    const char = text[at] as string;
    const pair = text.slice(at, at + 2);
    if (toBraces && pair === '}}' && levels.length === 1) return { end: at };
    if (at - start > maxExpressionLength) {
      return refuse(`the expression is longer than ${maxExpressionLength} characters`, at);
    }
    if (' \t\n\r\v'.includes(char)) {
      at += 1;
    } else if (pair === '/*') {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) return { end: -1 };
      at = end + 2;
    } else if (char === '"' || char === "'" || char === '`') {
      at = endOfQuoted(text, at);
      operand = true;
    } else if (char === '/' && !operand) {
      at = endOfRegex(text, at);
      operand = true;
    } else if ('([{'.includes(char) || (char === '|' && !operand)) {
      if (levels.length > maxBracketDepth) return refuse(`brackets are nested deeper than ${maxBracketDepth}`, at);
      levels.push({ open: char, hasDefault: false, nested: 0, separators: 0 });
      operand = false;
      at += 1;
    } else if (char in closes || char === '|') {
      const level = top();
      if (char === '|' && level.open === '|' && level.separators === 0) {
        level.separators = 1;
        operand = false;
      } else {
        // A bracket that closes nothing is left to the parser to report.
        if (levels.length > 1 && close() > maxDefaultNesting) {
          return refuse(`?? and ?: are nested in brackets deeper than ${maxDefaultNesting}; use a variable: ($x := a ?? b; …)`, at);
        }
        operand = true;
      }
      at += 1;
    } else if (pair === '??' || pair === '?:') {
      top().hasDefault = true;
      operand = false;
      at += 2;
    } else if (pair === '**' || ((char === '*' || char === '%') && !operand)) {
      operand = !operand;
      at += pair === '**' ? 2 : 1;
    } else if ('.@#;:?+-*/%<>^=!&~,'.includes(char)) {
      if (char === '.' && (dots += 1) > maxPathSteps) return refuse(`there are more than ${maxPathSteps} path steps`, at);
      operand = false;
      at += 1;
    } else {
      const end = endOfWord(text, at);
      operand = !(operand && ['and', 'or', 'in'].includes(text.slice(at, end)));
      at = end;
    }
  }
  while (levels.length > 1) {
    if (close() > maxDefaultNesting) return refuse(`?? and ?: are nested in brackets deeper than ${maxDefaultNesting}`, at);
  }
  return { end: -1 };
}

function endOfQuoted(text: string, at: number): number {
  const quote = text[at];
  let end = at + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' && quote !== '`' ? 2 : 1;
  return end + 1;
}

/** As jsonata's scanRegex: the first `/` that is neither escaped nor inside brackets. */
function endOfRegex(text: string, at: number): number {
  let depth = 0;
  let escaped = false;
  for (let end = at + 1; end < text.length; end += 1) {
    const char = text[end] as string;
    if (char === '/' && depth === 0 && !escaped) return end + 1;
    if ('([{'.includes(char) && text[end - 1] !== '\\') depth += 1;
    if (')]}'.includes(char) && text[end - 1] !== '\\') depth -= 1;
    escaped = char === '\\' && !escaped;
  }
  return text.length;
}

function endOfWord(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && !' \t\n\r\v.[]{}()|@#;:?+-*/%^=<>!&~,'.includes(text[end] as string)) end += 1;
  return end;
}
