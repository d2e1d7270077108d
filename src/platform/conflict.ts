// Turns a violated constraint of Postgres into the ConflictError a client understands.
import { ConflictError } from './errors.ts';

const violations = ['23505', '23503']; // unique, foreign key

/** Runs `work`; a violation of a named unique index or foreign key becomes a ConflictError with its message. */
export async function orConflict<T>(work: Promise<T>, messages: Readonly<Record<string, string>>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    const message = constraint && violations.includes(code ?? '') ? messages[constraint] : undefined;
    if (message === undefined) throw error;
    throw new ConflictError(message, { constraint });
  }
}
