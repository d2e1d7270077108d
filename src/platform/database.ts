// The unit of work: one transaction, one tenant. The edge (resolver helper, job, CLI) opens it; services only receive it.
// Row level security reads `app.tenant_id`, set locally in each transaction; without it no tenant row is visible.
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import type pg from 'pg';
import { openTransaction, type Statements } from './statements.ts';

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
  /** Answers within the pool's timeout or throws. */
  ping(): Promise<void>;
  readonly orm: MikroORM;
  close(): Promise<void>;
}

export async function openDatabase(options: Options): Promise<Database> {
  const orm = await MikroORM.init(options);
  const pool: pg.Pool = await orm.em.getConnection().getNativeClient();

  async function transaction<T>(tenantId: string, readOnly: boolean, work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    const client = await pool.connect();
    const hints: (() => void)[] = [];
    let isUsable = false;
    try {
      const startedAt = performance.now();
      const statements = openTransaction(client, tenantId, { readOnly });
      try {
        const result = await work(unitOfWork(statements, tenantId, startedAt, hints));
        await statements.commit();
        isUsable = true;
        for (const hint of hints) hint();
        return result;
      } catch (error) {
        // A failing rollback must not hide why the transaction failed; its connection is thrown away.
        isUsable = await statements.rollback();
        throw error;
      }
    } finally {
      client.release(!isUsable);
    }
  }

  return {
    orm,
    write: (tenantId, work) => transaction(tenantId, false, work),
    read: (tenantId, work) => transaction(tenantId, true, work),
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
