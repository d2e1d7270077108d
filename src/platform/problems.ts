// Zod's issues as the problems a client reads: a path from the input's root, what is wrong, what was expected.
import { z } from 'zod';
import type { Problem } from './errors.ts';

export const unstorableText = 'must not contain the character U+0000 or half of a surrogate pair';
/** Postgres refuses both in `text` and `jsonb`. */
export const isStorableText = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** Text for people, of at most `max` characters, that can be stored. */
export const textOf = (max: number) => z.string().max(max).refine(isStorableText, unstorableText);

/** An object that refuses unknown keys and says which ones it knows. */
export function knownKeys<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `one of: ${known}` : undefined),
  });
}

/** Every issue of a failed parse (`reportInput: true` lets the messages show the value). `root` is put before each path. */
export function problemsOf(error: z.core.$ZodError, root = ''): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = pathText(root, issue.path);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pathText(path, [key]), message: 'unknown key', expected: issue.message }));
    }
    return [{ path, message: `${issue.message.replace(/^Invalid (input|option|string): /, '')}${shown(issue.input)}` }];
  });
}

function shown(input: unknown): string {
  if (input === undefined || (typeof input === 'object' && input !== null)) return '';
  return `, got ${JSON.stringify(input)?.slice(0, 100)}`;
}

function pathText(root: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    root,
  );
}
