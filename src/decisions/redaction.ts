// Which parts of what the gate saw are kept out of its records: paths of members that the operator names. Pure; no I/O.

/** What stands in a record where something was left out. */
export const redactedText = '[redacted]';

/** Only what agents bring along: everything else is what a decision is computed again from. */
const roots = ['arguments', 'output', 'labels'] as const;
const maxPathLength = 200;

export const redactionPathForm = `a path such as arguments.password, arguments.headers.* or arguments.**.token (it begins with ${roots.join(', ')}; * is any member or index, ** any depth)`;

export function isRedactionPath(path: string): boolean {
  const [root, ...rest] = path.split('.');
  return (
    path.length <= maxPathLength &&
    (roots as readonly (string | undefined)[]).includes(root) &&
    rest.length > 0 &&
    rest.at(-1) !== '**' &&
    rest.every((member) => member !== '') &&
    rest.filter((member) => member === '**').length <= 1
  );
}

export interface Redacted<Value> {
  readonly value: Value;
  /** Where something was left out, such as `arguments.users.0.token`; sorted. */
  readonly paths: readonly string[];
}
export type Redactor = <Value extends object>(value: Value) => Redacted<Value>;

const signDetails = ['tool', 'signs', '*', 'detail'];

/** Members are found whatever their case: HTTP headers and environment variables are written either way. */
export function createRedactor(patterns: readonly string[]): Redactor {
  if (patterns.length === 0) return (value) => ({ value, paths: [] });
  const parsed = patterns.map((pattern) => pattern.toLowerCase().split('.'));
  return (value) => {
    const paths = new Set<string>();
    let redacted = parsed.reduce<unknown>((current, pattern) => without(current, pattern, [], paths), value);
    // Details of signs quote arguments, several at once when they make one command.
    if ([...paths].some((path) => path.startsWith('arguments.'))) redacted = without(redacted, signDetails, [], paths);
    return { value: redacted as typeof value, paths: [...paths].sort() };
  };
}

/** A copy of those parts of `value` that lead to a match; the rest is shared. */
function without(value: unknown, pattern: readonly string[], at: readonly string[], found: Set<string>): unknown {
  const [first, ...rest] = pattern;
  if (first === undefined) {
    if (value === undefined || value === null) return value;
    found.add(at.join('.'));
    return redactedText;
  }
  if (typeof value !== 'object' || value === null) return value;
  const inside = (member: string, inner: unknown): unknown => {
    const here = [...at, member];
    if (first !== '**') return matches(first, member) ? without(inner, rest, here, found) : inner;
    const near = matches(rest[0]!, member) ? without(inner, rest.slice(1), here, found) : inner;
    return without(near, pattern, here, found);
  };
  if (Array.isArray(value)) {
    const items: unknown[] = value;
    const after = items.map((inner, index) => inside(String(index), inner));
    return after.some((inner, index) => inner !== items[index]) ? after : value;
  }
  const entries = Object.entries(value);
  const after = entries.map(([member, inner]) => [member, inside(member, inner)] as const);
  return after.some(([, inner], index) => inner !== entries[index]![1]) ? Object.fromEntries(after) : value;
}

const matches = (pattern: string, member: string): boolean => pattern === '*' || pattern === member.toLowerCase();
