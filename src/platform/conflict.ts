// Turns a violated unique constraint of Postgres into the ConflictError a client understands.
import { ConflictError } from './errors.ts';

/** Runs `work`; a violation of the named unique constraint or index becomes a ConflictError with its message. */
export async function orConflict<T>(work: Promise<T>, messages: Readonly<Record<string, string>>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    const message = code === '23505' && constraint ? messages[constraint] : undefined;
    if (message === undefined) throw error;
    throw new ConflictError(message, { constraint });
  }
}
