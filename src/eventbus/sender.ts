// What sends events to one sink: the interface, how a failure is told, and one connection that is thrown away when it fails.
import type { Envelope } from './cloud-event.ts';

export interface Sender {
  /** Resolves once the sink has acknowledged it; throws SendError. Stops waiting, and closes what it used, when `signal` aborts. */
  send(event: Envelope, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** `event`: this one was refused, others may be taken. `sink`: nobody answers, or not now. `gone`: it will never listen again. */
export type Blame = 'event' | 'sink' | 'gone';

export class SendError extends Error {
  override readonly name = 'SendError';
  readonly blame: Blame;
  constructor(blame: Blame, message: string, options?: ErrorOptions) {
    super(message, options);
    this.blame = blame;
  }
}

/** Says what failed in a line, of an error of any library; never longer than what a row keeps. */
export function sendErrorOf(error: unknown, blame: Blame = 'sink'): SendError {
  if (error instanceof SendError) return error;
  return new SendError(blame, messageOf(error).replaceAll('\0', '').slice(0, 500), { cause: error });
}

/** Of errors within errors, down to the first one that says why. */
function messageOf(error: unknown): string {
  const own = error instanceof Error ? error.message || error.name : String(error);
  return error instanceof AggregateError && error.errors.length > 0 ? `${own}: ${messageOf(error.errors[0])}` : own;
}

export interface Connection<Client> {
  /** Throws SendError. */
  use<T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opened on first use. After a failure the next use opens another: what the old one still holds must not arrive after what follows. What
 * `refusesEvent` says of an error was answered: the connection stays, with all that others have under way on it.
 */
export function connection<Client>(
  open: () => Promise<Client>,
  close: (client: Client) => unknown,
  refusesEvent: (error: unknown) => boolean = () => false,
): Connection<Client> {
  let current: Promise<Client> | null = null;
  const drop = async (mine: Promise<Client>) => {
    if (current === mine) current = null;
    await mine.then(close).catch(() => undefined);
  };
  return {
    async use(signal, work) {
      if (signal.aborted) throw sendErrorOf(signal.reason);
      const mine = (current ??= open());
      let isOpen = false;
      const answer = mine.then((client) => {
        isOpen = true;
        return work(client);
      });
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await Promise.race([answer, aborted.promise]);
      } catch (error) {
        if (isOpen && refusesEvent(error)) throw sendErrorOf(error, 'event');
        void drop(mine);
        throw sendErrorOf(error);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async close() {
      if (current) await drop(current);
    },
  };
}
