// How many rows Postgres looked at for a statement, table by table: unlike time, the same on every machine and at every hour.
import type { Database, UnitOfWork } from '#src/platform/database.ts';

export interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[];
  /** A setting that the next statements depend on. */
  readonly isSetting: boolean;
}

/** A database that also notes what is read through it. */
export function recording(real: Database): { readonly database: Database; take(): Statement[] } {
  let statements: Statement[] = [];
  const watch = (uow: UnitOfWork): UnitOfWork => ({
    ...uow,
    rows(sql, params = []) {
      statements.push({ sql, params, isSetting: false });
      return uow.rows(sql, params);
    },
    write(sql, params = []) {
      statements.push({ sql, params, isSetting: true });
      uow.write(sql, params);
    },
  });
  return {
    database: {
      ...real,
      read: (tenantId, work) => real.read(tenantId, (uow) => work(watch(uow))),
      lookUp: (tenantId, work) => real.lookUp(tenantId, (uow) => work(watch(uow))),
    },
    take() {
      const taken = statements;
      statements = [];
      return taken;
    },
  };
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Node[];
}

export interface Touched {
  /** Largest first; a partitioned table's as one, and entries of an index that were gathered. */
  readonly tables: readonly (readonly [name: string, rows: number])[];
  readonly rows: number;
  readonly plans: readonly unknown[];
}

/** Runs the statements of one operation again, as the application's role in that tenant. */
export async function touchedBy(database: Database, tenantId: string, statements: readonly Statement[]): Promise<Touched> {
  const plans = await database.read(tenantId, async (uow) => {
    const all: Node[] = [];
    for (const { sql, params, isSetting } of statements) {
      const rows = await uow.rows<{ 'QUERY PLAN': readonly { Plan: Node }[] }>(
        isSetting ? sql : `explain (analyze, format json, timing off) ${sql}`,
        params,
      );
      if (!isSetting) all.push(rows[0]!['QUERY PLAN'][0]!.Plan);
    }
    return all;
  });
  const byName = new Map<string, number>();
  const visit = (node: Node) => {
    const bitmap = node['Node Type'] === 'Bitmap Index Scan' ? node['Index Name'] : undefined;
    const name = node['Relation Name']?.replace(/^decisions_\w+$/, 'decisions') ?? bitmap;
    const seen = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
    if (name !== undefined) byName.set(name, (byName.get(name) ?? 0) + seen * node['Actual Loops']);
    for (const child of node.Plans ?? []) visit(child);
  };
  for (const plan of plans) visit(plan);
  const tables = [...byName].map(([name, rows]) => [name, Math.round(rows)] as const).sort(([, a], [, b]) => b - a);
  return { tables, rows: tables.reduce((sum, [, rows]) => sum + rows, 0), plans };
}
