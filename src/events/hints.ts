// The in-process wake-up: "something of this execution was committed". A lost hint costs latency, never an event.

export interface Hint {
  readonly tenantId: string;
  readonly executionId: string;
  /** The execution reached a final status: running effects of it are to be aborted. */
  readonly final: boolean;
  readonly approvals: boolean;
}

export interface Hints {
  publish(hint: Hint): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (hint: Hint) => void): () => void;
}

export function createHints(): Hints {
  const listeners = new Set<(hint: Hint) => void>();
  return {
    publish(hint) {
      for (const listener of listeners) listener(hint);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
