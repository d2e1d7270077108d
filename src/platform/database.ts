// The unit of work: one transaction, one tenant. The edge (resolver helper, job, CLI) opens it; services only receive it.
// Row level security reads `app.tenant_id`, set locally in each transaction; without it no tenant row is visible.
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { endTransaction, openTransaction, type Statements, type TransactionSettings } from './statements.ts';

/** One transaction bound to one tenant. Statements on it run in the order they were given. */
export interface UnitOfWork {
  readonly tenantId: string;
  /** Before its snapshot was taken; `performance.now()`. */
  readonly startedAt: number;
  /** Plain rows: parameters are `$1…`; column names come back as written (alias them to camelCase). */
  rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** A write whose answer nobody needs: it travels with the next statement or the commit. If it fails, the transaction does. */
  write(sql: string, params?: readonly unknown[]): void;
  /** True when rows were written so far. What only functions or `with` write is not seen. */
  hasChanged(): boolean;
  /** Runs after the commit succeeded: wake-up hints only, never anything that must not be lost. */
  afterCommit(hint: () => void): void;
}

export interface Database {
  /** Commits when `work` resolves, rolls back when it throws. */
  write<T>(tenantId: string, work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  /** The same, READ ONLY: a write in it is an error of Postgres. Every statement sees the database as it was at the first one. */
  read<T>(tenantId: string, work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  /** One statement of a reader, for what is found by keys again and again: prepared, since its plan does not depend on the values. One journey. */
  lookUp<T>(tenantId: string, work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  /** Answers within the pool's timeout or throws. */
  ping(): Promise<void>;
  readonly orm: MikroORM;
  close(): Promise<void>;
}

export async function openDatabase(options: Options): Promise<Database> {
  const orm = await MikroORM.init(options);
  const pool: pg.Pool = await orm.em.getConnection().getNativeClient();

  /**
   * Connections whose reader has its answer and did not wait for the end of its transaction: whoever comes in the same turn of the event
   * loop ends it in the journey that begins its own.
   */
  const left = new Map<pg.PoolClient, NodeJS.Immediate>();

  function takeLeft(): pg.PoolClient | undefined {
    for (const [client, ending] of left) {
      clearImmediate(ending);
      left.delete(client);
      return client;
    }
    return undefined;
  }
  function leave(client: pg.PoolClient): void {
    const end = () => {
      left.delete(client);
      endTransaction(client).then(
        () => client.release(),
        () => client.release(true),
      );
    };
    // Who waits in line comes first.
    if (pool.waitingCount > 0) end();
    else left.set(client, setImmediate(end));
  }

  async function transaction<T>(
    tenantId: string,
    kind: Omit<TransactionSettings, 'isLeft'>,
    work: (uow: UnitOfWork) => Promise<T>,
  ): Promise<T> {
    const known = takeLeft();
    const client = known ?? (await pool.connect());
    const hints: (() => void)[] = [];
    let isUsable = false;
    let isLeft = false;
    try {
      const startedAt = performance.now();
      const statements = openTransaction(client, tenantId, { ...kind, isLeft: known !== undefined });
      try {
        const result = await work(unitOfWork(statements, tenantId, startedAt, hints));
        if (kind.readOnly) isLeft = await statements.leave();
        else await statements.commit();
        isUsable = true;
        for (const hint of hints) hint();
        return result;
      } catch (error) {
        // A failing rollback must not hide why the transaction failed; its connection is thrown away.
        isUsable = await statements.rollback();
        throw error;
      }
    } finally {
      if (isLeft) leave(client);
      else client.release(!isUsable);
    }
  }

  return {
    orm,
    write: (tenantId, work) => transaction(tenantId, { readOnly: false }, work),
    read: (tenantId, work) => transaction(tenantId, { readOnly: true }, work),
    lookUp: (tenantId, work) => transaction(tenantId, { readOnly: true, isLookUp: true }, work),
    async ping() {
      await orm.em.getConnection().execute('select 1');
    },
    close: () => orm.close(),
  };
}

function unitOfWork(statements: Statements, tenantId: string, startedAt: number, hints: (() => void)[]): UnitOfWork {
  return {
    tenantId,
    startedAt,
    rows: (sql, params = []) => statements.rows(sql, params),
    write: (sql, params = []) => statements.queue(sql, params),
    hasChanged: () => statements.hasChanged(),
    afterCommit(hint) {
      hints.push(hint);
    },
  };
}
