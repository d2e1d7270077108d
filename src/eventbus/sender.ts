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
export function sendErrorOf(error: unknown, refusesEvent: (message: string) => boolean = () => false): SendError {
  if (error instanceof SendError) return error;
  const nested = error instanceof AggregateError && error.errors[0] instanceof Error ? `: ${error.errors[0].message}` : '';
  const message = `${error instanceof Error ? error.message || error.name : String(error)}${nested}`.replaceAll('\0', '').slice(0, 500);
  return new SendError(refusesEvent(message) ? 'event' : 'sink', message, { cause: error });
}

export interface Connection<Client> {
  use<T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Opened on first use. After a failure the next use opens another: what the old one still holds must not arrive after what follows. */
export function connection<Client>(open: () => Promise<Client>, close: (client: Client) => unknown): Connection<Client> {
  let current: Promise<Client> | null = null;
  const drop = async (mine: Promise<Client>) => {
    if (current === mine) current = null;
    await mine.then(close).catch(() => undefined);
  };
  return {
    async use(signal, work) {
      signal.throwIfAborted();
      const mine = (current ??= open());
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await Promise.race([mine.then(work), aborted.promise]);
      } catch (error) {
        void drop(mine);
        throw error;
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async close() {
      if (current) await drop(current);
    },
  };
}
