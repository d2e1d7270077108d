// One counter of a rate limit in memory: the exact sliding window that the gate keeps in rows. Pure; no I/O.

export interface RateWindow {
  /** In the window at this moment, places in line included, and from when one more fits. Time never runs back. */
  read(at: number): { readonly count: number; readonly freeAt: number };
  /** It goes at this moment, or has a place in line then. */
  add(moment: number): void;
}

export function createRateWindow(limit: number, windowMs: number): RateWindow {
  /** In order; what stands before `head` counts no more. Never more than the newest `limit`: only these say when one more fits. */
  let moments: number[] = [];
  let head = 0;
  let now = -Infinity;

  return {
    read(at) {
      now = Math.max(now, at);
      while (head < moments.length && moments[head]! <= now - windowMs) head += 1;
      const count = moments.length - head;
      return { count, freeAt: count < limit ? at : at + Math.max(moments[moments.length - limit]! + windowMs - now, 0) };
    },
    add(moment) {
      let place = moments.length;
      while (place > head && moments[place - 1]! > moment) place -= 1;
      if (place === moments.length) moments.push(moment);
      else moments.splice(place, 0, moment);
      head = Math.max(head, moments.length - limit);
      if (head > 1_000 && head * 2 > moments.length) [moments, head] = [moments.slice(head), 0];
    },
  };
}
