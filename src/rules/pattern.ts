// Regular expressions of policies: RE2 syntax in linear time, so that no text and no pattern can stall the gate. Pure; no I/O.
import { RE2JS } from 're2js';
import type { Matcher } from './glob.ts';
import { literalsOf, type Literals } from './literals.ts';

export const maxRegexLength = 500;
/** Instructions of the compiled program, by which time and memory grow: `(a{1000}){1000}` never gets that far. */
const maxProgramSize = 10_000;

const compiled = (pattern: string, ignoreCase: boolean): RE2JS => RE2JS.compile(pattern, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);

/** Why it cannot be used, or null. */
export function patternProblem(pattern: string): string | null {
  if (pattern === '') return 'must not be empty: it is found in every text';
  if (pattern.length > maxRegexLength) return `must not be longer than ${maxRegexLength} characters`;
  try {
    const size = compiled(pattern, false).programSize();
    return size > maxProgramSize ? 'repeats too much; use smaller counts' : null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `is no regular expression in RE2 syntax (${reason}); lookaround and backreferences do not exist here`;
  }
}

/** Found anywhere in the text. */
export function compilePattern(pattern: string, ignoreCase = false): Matcher {
  const regex = compiled(pattern, ignoreCase);
  const needed = literalsOf(pattern, ignoreCase);
  if (!needed) return (text) => regex.test(text);
  return (text) => mayMatch(needed, text) && regex.test(text);
}

/** False: nothing in the text matches the expression that needs these. */
function mayMatch({ texts, fold }: Literals, text: string): boolean {
  if (!fold) return holdsOne(text, texts);
  // Beyond ASCII letters fold in ways that lower case does not.
  return !isAscii(text) || holdsOne(text.toLowerCase(), texts);
}

/** A loop: for one or two it is several times faster than `some`. */
export function holdsOne(text: string, parts: readonly string[]): boolean {
  for (const part of parts) if (text.includes(part)) return true;
  return false;
}

// oxlint-disable-next-line no-control-regex -- the whole of ASCII
const ascii = /^[\u0000-\u007f]*$/;
export const isAscii = (text: string): boolean => ascii.test(text);
