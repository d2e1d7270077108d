// The queue's connections. The queue acknowledges jobs without waiting for the answer: were a lost connection an error there, it would
// be a rejection that nobody handles, and end the process. So such errors carry a code that the queue answers by trying again.
import pg from 'pg';
import { isTransient } from '../platform/transient.ts';

export interface QueuePoolOptions {
  readonly connectionString: string;
  readonly max: number;
  readonly onLost: (error: Error) => void;
}

export function createQueuePool({ connectionString, max, onLost }: QueuePoolOptions): pg.Pool {
  const pool = new QueuePool({ connectionString, max, application_name: 'signalbox-queue' });
  // A pool has ended once it has said goodbye: whoever stops Postgres then may be faster than the answer, and that is no loss.
  const onError = (error: Error) => {
    if (!pool.ending) onLost(error);
  };
  pool.on('error', onError);
  pool.on('connect', (client) => {
    client.on('error', onError);
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      const answer = query(...args);
      return answer instanceof Promise ? answer.catch(tryAgain) : answer;
    }) as typeof client.query;
  });
  return pool;
}

class QueuePool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
    if (callback) return super.connect(callback);
    // An acknowledgement that is still being tried when the process has closed its pool: its job is run again by another one.
    if (this.ending) return new Promise(() => undefined);
    return super.connect().catch(tryAgain);
  }
}

type ConnectCallback = (error: Error | undefined, client: pg.PoolClient | undefined, done: (release?: unknown) => void) => void;

function tryAgain(error: unknown): never {
  if (!isTransient(error)) throw error;
  // cannot_connect_now: the one code among those the queue waits for that says "later".
  throw Object.assign(new Error((error as Error).message, { cause: error }), { code: '57P03' });
}
