// Waits for what comes by itself: asks again and again instead of sleeping.
import { setTimeout as delay } from 'node:timers/promises';

/** What `condition` gives once it gives something true; after a time that only a fault needs, throws with what `state` tells. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  state: () => unknown = () => undefined,
  timeoutMs = 30_000,
): Promise<Exclude<T, false | null | undefined>> {
  for (const deadline = performance.now() + timeoutMs; ; await delay(5)) {
    const found = await condition();
    if (found) return found as Exclude<T, false | null | undefined>;
    if (performance.now() > deadline) throw new Error(`did not happen: ${String(condition)}; ${JSON.stringify(state()) ?? ''}`);
  }
}
