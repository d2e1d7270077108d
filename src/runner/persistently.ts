// What an effect gave must not be lost to a database that restarts.
import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from '../platform/transient.ts';

const retryDelaysMs = [100, 250, 500, 1_000, 2_000, 4_000, 8_000, 15_000];

/**
 * Tries for half a minute. Whether a failed commit counted is unknown, so a second try that is refused ends the job with an error:
 * it runs again and finds out what was committed.
 */
export async function persistently<Done>(turn: () => Promise<Done>, isRefused: (done: Done) => boolean): Promise<Done> {
  for (let tries = 0; ; tries += 1) {
    try {
      const done = await turn();
      if (tries > 0 && isRefused(done))
        throw new Error('the outcome of an effect was committed before the connection was lost, or its attempt is stale');
      return done;
    } catch (error) {
      if (!isTransient(error) || tries >= retryDelaysMs.length) throw error;
      await sleep(retryDelaysMs[tries]);
    }
  }
}
