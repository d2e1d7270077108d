// Waits for what comes by itself: asks again and again instead of sleeping.
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when `condition` holds; after a time that only a fault needs, throws with what `state` tells. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  state: () => unknown = () => undefined,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`did not happen: ${String(condition)}; ${JSON.stringify(state()) ?? ''}`);
    await delay(5);
  }
}
