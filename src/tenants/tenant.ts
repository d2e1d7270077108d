// Tenants and what they contain: projects, environments, teams. Names and kinds only; no I/O.
import { ValidationError, type Problem } from '../platform/errors.ts';

export const environmentKinds = ['development', 'staging', 'production'] as const;
export type EnvironmentKind = (typeof environmentKinds)[number];

/** Lower-case slug used as the unique name of tenants, projects, environments, teams and agents. */
export const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
export const nameForm = 'a lower-case slug such as "my-project": a letter, then letters, digits and hyphens, at most 63 characters';

export const maxDescriptionLength = 2_000;

export function nameProblems(name: string, path = 'name'): Problem[] {
  return namePattern.test(name) ? [] : [{ path, message: `"${name.slice(0, 80)}" is not a name`, expected: nameForm }];
}

export function descriptionProblems(text: string, path = 'description'): Problem[] {
  const problems: Problem[] = [];
  if (text.length > maxDescriptionLength) {
    problems.push({ path, message: `is ${text.length} characters long`, expected: `at most ${maxDescriptionLength} characters` });
  }
  if (text.includes('\0')) problems.push({ path, message: 'contains a NUL character', expected: 'text without NUL characters' });
  return problems;
}

/** Throws one ValidationError with every problem, if there is any. */
export function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ValidationError(problems);
}
