// Wake-ups: "something of this execution was committed", heard in this process at once and, through Redis, in every other that watches the
// tenant. A lost hint costs latency, never an event: Postgres is asked all the same, more often while others cannot be heard.
import { newId } from '../platform/ids.ts';
import type { PubSub } from '../platform/redis.ts';
import { maxHints, readMessage, writeMessage, type Hint } from './hint-message.ts';

/** Something else of the tenant was committed, by a name for it; or (`name` null) anything may have been, of any tenant (both null). */
export type Wake = (tenantId: string | null, name: string | null) => void;

export interface Hints {
  /** After the commit; never throws, never waits. */
  publish(hint: Hint): void;
  wake(tenantId: string, name: string): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (hint: Hint) => void): () => void;
  onWake(listener: Wake): () => void;
  /** Hears of this tenant from other processes until the returned function is called (and for some seconds more). */
  watch(tenantId: string): () => void;
  /** What other processes commit is heard of here; else it has to be looked for often. */
  readonly isHeard: boolean;
  close(): void;
}

interface Watched {
  users: number;
  /** When the last of them left. */
  since: number;
  readonly leave: () => void;
}

/** Of one tenant, until the end of this turn of the event loop. */
interface Outgoing {
  readonly hints: Hint[];
  readonly names: Set<string>;
}

/** Effects come and go by the second: their tenant's channel stays for a while. */
const lingerMs = 15_000;

export function createHints({ pubSub }: { pubSub?: PubSub | undefined } = {}): Hints {
  const self = newId();
  const listeners = new Set<(hint: Hint) => void>();
  const wakeListeners = new Set<Wake>();
  const watched = new Map<string, Watched>();
  const outgoing = new Map<string, Outgoing>();

  const wakeHere: Wake = (tenantId, name) => {
    for (const listener of wakeListeners) listener(tenantId, name);
  };
  // Both ways: what was published while nothing was heard, and what is being missed just now.
  const stopHearing = pubSub?.onHeard(() => wakeHere(null, null));

  function receive(tenantId: string, message: unknown): void {
    const read = readMessage(tenantId, message);
    if (read === null) return wakeHere(tenantId, null);
    if (read.from === self) return;
    for (const hint of read.hints) for (const listener of listeners) listener(hint);
    for (const name of read.names) wakeHere(tenantId, name);
  }

  function sendLater(tenantId: string): Outgoing | null {
    if (!pubSub) return null;
    const known = outgoing.get(tenantId);
    if (known) return known;
    const made: Outgoing = { hints: [], names: new Set() };
    if (outgoing.size === 0) setImmediate(sendAll);
    outgoing.set(tenantId, made);
    return made;
  }
  function sendAll(): void {
    for (const [tenantId, { hints, names }] of outgoing) pubSub?.publish(tenantId, () => writeMessage(self, hints, [...names]));
    outgoing.clear();
  }

  const timer =
    pubSub &&
    setInterval(() => {
      for (const [tenantId, each] of watched) {
        if (each.users > 0 || performance.now() - each.since < lingerMs) continue;
        watched.delete(tenantId);
        each.leave();
      }
    }, lingerMs / 3);
  timer?.unref();

  return {
    publish(hint) {
      for (const listener of listeners) listener(hint);
      const { hints } = sendLater(hint.tenantId) ?? {};
      // One more than may be told says that there were too many.
      if (hints && hints.length <= maxHints) hints.push(hint);
    },
    wake(tenantId, name) {
      wakeHere(tenantId, name);
      sendLater(tenantId)?.names.add(name);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onWake(listener) {
      wakeListeners.add(listener);
      return () => void wakeListeners.delete(listener);
    },
    watch(tenantId) {
      if (!pubSub) return () => undefined;
      let entry = watched.get(tenantId);
      if (!entry) {
        const leave = pubSub.subscribe(
          tenantId,
          (message) => receive(tenantId, message),
          // What was committed before Redis took the subscription was told to nobody here.
          () => wakeHere(tenantId, null),
        );
        watched.set(tenantId, (entry = { users: 0, since: 0, leave }));
      }
      const mine = entry;
      mine.users++;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        mine.users--;
        mine.since = performance.now();
      };
    },
    get isHeard() {
      return pubSub?.isHeard ?? false;
    },
    close() {
      clearInterval(timer);
      stopHearing?.();
      for (const { leave } of watched.values()) leave();
      watched.clear();
    },
  };
}
