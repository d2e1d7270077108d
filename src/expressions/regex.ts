// Regular expressions in linear time: gives JSONata's `RegexEngine` the shape of RegExp on top of re2js.
import { RE2JS, type Matcher } from 're2js';

/** Characters of one regular expression. */
export const maxRegexLength = 1000;
const maxRepeats = 1000;

function flagsOf(regex: RegExp): number {
  return (regex.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (regex.multiline ? RE2JS.MULTILINE : 0);
}

/** What JSONata calls: `new Engine(regex)`, `lastIndex`, `exec`. */
export class LinearRegex {
  readonly #compiled: RE2JS;
  #text: string | undefined;
  #matcher: Matcher | undefined;
  lastIndex = 0;

  constructor(regex: RegExp) {
    this.#compiled = RE2JS.compile(RE2JS.translateRegExp(regex.source), flagsOf(regex));
  }

  exec(text: string): RegExpExecArray | null {
    if (this.#text !== text || !this.#matcher) {
      this.#text = text;
      this.#matcher = this.#compiled.matcher(text);
    }
    const matcher = this.#matcher;
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    this.lastIndex = matcher.end();
    const groups = Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
    return Object.assign(groups as unknown as RegExpExecArray, { index: matcher.start(), input: text });
  }
}

/** Why the linear engine cannot run this regular expression, or null. Cheap: counted repeats are not unrolled. */
export function regexProblem(regex: RegExp): string | null {
  if (regex.source.length > maxRegexLength) return `a regular expression may have at most ${maxRegexLength} characters`;
  let repeats = 0;
  const simplified = regex.source.replace(/\\[xpP]\{[^}]*\}|\\[\s\S]|\{(\d+)(?:,(\d*))?\}/g, (token, from?: string, to?: string) => {
    if (from === undefined) return token;
    repeats = Math.max(repeats, Number(from), Number(to ?? 0));
    return '*';
  });
  if (repeats > maxRepeats) return `a regular expression may repeat at most ${maxRepeats} times, not ${repeats}`;
  try {
    RE2JS.compile(RE2JS.translateRegExp(simplified), flagsOf(regex));
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `/${regex.source}/ is not supported (${reason}); lookaround and backreferences do not exist here`;
  }
}
