// Random choices that a seed repeats.
import { newId } from '#src/platform/ids.ts';

/** Mulberry32, in [0, 1): 32 bits of state are plenty for choices. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const someSeed = (): number => Number.parseInt(newId().slice(-8), 16);
