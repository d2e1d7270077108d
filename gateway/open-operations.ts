// The operations of one WebSocket that go on here, by the ids its client gave them. graphql-ws forgets an operation as soon as its client has
// completed it, and knows one by its id alone; what a socket may have open, whether it is idle, and what ends with it is decided by this.
import type { Member } from './member.ts';

export class OpenOperations {
  readonly #open = new Map<string, Member | null>();
  readonly #idle: (isIdle: boolean) => void;
  #isClosed = false;

  /** `idle` hears when the first one begins and when the last one has ended. */
  constructor(idle: (isIdle: boolean) => void) {
    this.#idle = idle;
  }

  get size(): number {
    return this.#open.size;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  begin(id: string): void {
    this.#open.set(id, null);
    if (this.#open.size === 1) this.#idle(false);
  }

  /** It watches from now on, until its client or the socket leaves. */
  watch(id: string, member: Member): void {
    if (this.#isClosed) void member.return();
    else this.#open.set(id, member);
  }

  end(id: string): void {
    if (this.#open.delete(id) && this.#open.size === 0 && !this.#isClosed) this.#idle(true);
  }

  /** Its client has completed it. What is no subscription runs to its end. */
  leave(id: string): void {
    void this.#open.get(id)?.return();
  }

  /** The socket is gone. */
  close(): void {
    this.#isClosed = true;
    for (const member of this.#open.values()) void member?.return();
  }
}
