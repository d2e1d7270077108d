// The unit of work: one transaction, one tenant. The edge (resolver helper, job, CLI) opens it; services only receive it.
// Row level security reads `app.tenant_id`, set locally in each transaction; without it no tenant row is visible.
import { IsolationLevel, MikroORM, type EntityManager, type Options } from '@mikro-orm/postgresql';
import { CompiledQuery, type Transaction } from 'kysely';

/** One transaction bound to one tenant. Statements on it run one after another. */
export interface UnitOfWork {
  readonly tenantId: string;
  /** Entities: for writes. Flushed before commit. */
  readonly em: EntityManager;
  /** Plain rows: parameters are `$1…`; column names come back as written (alias them to camelCase). */
  rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
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

  async function transaction<T>(tenantId: string, readOnly: boolean, work: (uow: UnitOfWork) => Promise<T>): Promise<T> {
    const em = orm.em.fork();
    em.setSessionContext({ variables: { 'app.tenant_id': tenantId } });
    const hints: (() => void)[] = [];
    // Of a reader alone, so this level never makes anything wait or fail.
    const snapshot = readOnly && { readOnly, isolationLevel: IsolationLevel.REPEATABLE_READ };
    const result = await em.transactional((inner) => work(unitOfWork(inner, tenantId, hints)), { ...snapshot });
    for (const hint of hints) hint();
    return result;
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

function unitOfWork(em: EntityManager, tenantId: string, hints: (() => void)[]): UnitOfWork {
  const connection = em.getTransactionContext<Transaction<unknown>>();
  if (!connection) throw new Error('a unit of work needs an open transaction');
  // A transaction is one connection: queue statements here, since pg deprecates overlapping queries on one client.
  let last: Promise<unknown> = Promise.resolve();
  return {
    tenantId,
    em,
    rows<Row extends object>(sql: string, params: readonly unknown[] = []) {
      const next = last.then(async () => (await connection.executeQuery<Row>(CompiledQuery.raw(sql, [...params]))).rows);
      last = next.catch(() => undefined);
      return next;
    },
    afterCommit(hint) {
      hints.push(hint);
    },
  };
}
