// Tool patterns: `*` stands for any text. Compiled to string searches, never to a RegExp, so matching time stays linear.

export type Matcher = (text: string) => boolean;

export function compileGlob(pattern: string): Matcher {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  if (parts.length === 1) return (text) => text === pattern;
  const last = parts.at(-1) ?? '';
  // Leftmost is right for the parts between: an earlier match leaves the most text for those after it.
  const middle = parts.slice(1, -1).filter((part) => part !== '');
  const shortest = first.length + last.length;
  return (text) => {
    if (text.length < shortest || !text.startsWith(first) || !text.endsWith(last)) return false;
    let from = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, from);
      if (found < 0) return false;
      from = found + part.length;
    }
    return from <= text.length - last.length;
  };
}

/** Matches when one of the patterns does. */
export function compileGlobs(patterns: readonly string[]): Matcher {
  if (patterns.includes('*')) return () => true;
  return patterns.map(compileGlob).reduce((either, next) => (text) => either(text) || next(text));
}
