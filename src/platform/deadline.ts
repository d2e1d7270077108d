// Runs a synchronous function and stops it when it takes too long: for work whose cost a tenant's document decides.
// Costs about 0.1 ms per call (a watchdog thread), so callers use it only where the work is not cheap by construction.
import { Script } from 'node:vm';

/** The work did not end in time and was stopped. */
export class DeadlineError extends Error {
  constructor(milliseconds: number) {
    super(`stopped after ${milliseconds} ms`);
    this.name = 'DeadlineError';
  }
}

// V8 interrupts only what a script of `node:vm` calls; the script finds the work under this key.
const key = Symbol.for('signalbox.deadline');
const slot = globalThis as unknown as Record<symbol, (() => unknown) | undefined>;
const script = new Script(`globalThis[Symbol.for('signalbox.deadline')]()`);

/** Returns what `work` returns and throws what it throws; DeadlineError when it is stopped half-way: drop what it was changing. */
export function withDeadline<T>(milliseconds: number, work: () => T): T {
  const outer = slot[key];
  slot[key] = work;
  try {
    return script.runInThisContext({ timeout: milliseconds }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw new DeadlineError(milliseconds);
    throw error;
  } finally {
    slot[key] = outer;
  }
}
