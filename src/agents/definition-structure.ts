// Checks the structure of a document by its zod schema, and mends what is broken so that the other checks can go on.
import type { z } from 'zod';
import type { Problem } from '../platform/errors.ts';
import { stepSchema, type StepDocument } from './definition-schema.ts';
import { pathOf } from './definition-text.ts';

export interface StructureProblem extends Problem {
  /** The key itself is wrong, not its value. */
  readonly ofKey?: boolean;
}

/** Each issue of zod as a problem: what was found, and what was expected. */
export function structureProblems(error: z.core.$ZodError): StructureProblem[] {
  return error.issues.flatMap((issue): StructureProblem[] => {
    const path = issue.path.reduce<string>((text, key) => pathOf(text, key as string | number), '');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: pathOf(path, key), message: 'unknown key', expected: issue.message, ofKey: true }));
    }
    const expected = inWords(issue.message);
    return [{ path, message: issue.input === undefined ? 'is required' : `${shown(issue.input)} is not accepted`, expected }];
  });
}

const words: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Zod's own messages ("Invalid input: expected record, received number") cut to what was expected; ours are that already. */
function inWords(message: string): string {
  const expected = message.replace(/^(Invalid|Too) [^:]*: expected /, '').replace(/, received .*$/, '');
  return words[expected] ?? expected.replaceAll('"|"', '", "');
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * The step without what its structure forbids (already reported), so that its expressions and references are checked in the
 * same run; null when nothing useful is left. Optional parts are dropped, never guessed.
 */
export function mendStep(raw: unknown): StepDocument | null {
  let candidate = raw;
  // Each round removes at least one key; a removed key may have hidden the next problem.
  for (let round = 0; round < 5; round += 1) {
    const parsed = stepSchema.safeParse(candidate);
    if (parsed.success) return parsed.data;
    if (!isObject(candidate)) return null;
    const copy: Record<string, unknown> = { ...candidate };
    for (const issue of parsed.error.issues) {
      const [first] = issue.path;
      if (issue.code === 'unrecognized_keys' && issue.path.length === 0) for (const key of issue.keys) delete copy[key];
      else if (typeof first === 'string') delete copy[first];
    }
    if (copy['id'] === undefined) copy['id'] = 'unnamed';
    candidate = copy;
  }
  return null;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
