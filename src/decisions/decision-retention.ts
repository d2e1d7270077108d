// Partitions of decision records: made ahead of time; those that are old enough are written to files and dropped. Runs as the owner of
// the tables, for all tenants at once; judges nothing.
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { Clock } from '../platform/clock.ts';

const dayMs = 86_400_000;
const aheadDays = 14;
/** Rows that are in memory at a time during an export. */
const batchSize = 1_000;
/** Making and dropping wait for readers no longer than this, since everybody who comes after them waits behind them. */
const lockTimeout = '2s';

export interface RetentionSettings {
  /** Undefined: kept for ever. */
  readonly retentionDays?: number | undefined;
  readonly exportDir: string;
}

/** A session of the owner. */
export type OwnerSession = Pick<pg.ClientBase, 'query'>;

export interface Kept {
  readonly made: number;
  /** Files that were written, and their decisions dropped. */
  readonly exported: readonly string[];
}

/** Only one process at a time looks after them; the others find nothing to do. Safe to repeat wherever it broke off. */
export async function keepDecisions(session: OwnerSession, clock: Clock, { retentionDays, exportDir }: RetentionSettings): Promise<Kept> {
  const lock = `hashtextextended('signalbox decision retention', 0)`;
  const { rows } = await session.query<{ mine: boolean }>(`select pg_try_advisory_lock(${lock}) as mine`);
  if (!rows[0]!.mine) return { made: 0, exported: [] };
  try {
    await session.query(`set lock_timeout = '${lockTimeout}'`);
    const now = clock.now();
    const made = (await makePartitions(session, now, new Date(now.getTime() + aheadDays * dayMs))) + (await emptyDefault(session));
    const exported: string[] = [];
    if (retentionDays === undefined) return { made, exported };
    for (const partition of await partitions(session)) {
      if (partition.until.getTime() > now.getTime() - retentionDays * dayMs) break;
      const { path, count } = await exportPartition(session, partition, exportDir);
      await drop(session, partition, count);
      exported.push(path);
    }
    return { made, exported };
  } finally {
    await session.query('reset lock_timeout');
    await session.query(`select pg_advisory_unlock(${lock})`);
  }
}

async function makePartitions(session: OwnerSession, first: Date, last: Date): Promise<number> {
  const { rows } = await session.query<{ made: number }>('select jobs.make_decision_partitions($1, $2) as made', [first, last]);
  return rows[0]!.made;
}

/** Decisions of a moment that no partition was made for, as of a clock that was wrong, get one: they must not outlive the others. */
async function emptyDefault(session: OwnerSession): Promise<number> {
  let made = 0;
  for (;;) {
    const { rows } = await session.query<{ ms: string }>(
      `select ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint as ms from partitions.decisions_default order by id limit 1`,
    );
    if (!rows[0]) return made;
    const moment = new Date(Number(rows[0].ms));
    made += await makePartitions(session, moment, moment);
  }
}

interface Partition {
  readonly name: string;
  /** `YYYY-MM-DD` of its Monday. */
  readonly from: string;
  readonly until: Date;
}

/** Oldest first. */
async function partitions(session: OwnerSession): Promise<Partition[]> {
  const { rows } = await session.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = 'partitions'::regnamespace and relkind = 'r' and relname ~ '^decisions_[0-9]{8}$' order by 1`,
  );
  return rows.map(({ name }) => {
    const from = name.replace(/^decisions_(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
    return { name, from, until: new Date(Date.parse(from) + 7 * dayMs) };
  });
}

/** The file appears whole or not at all, and replaces none: a week can come again, when a clock was wrong. */
async function exportPartition(session: OwnerSession, { name, from }: Partition, folder: string): Promise<{ path: string; count: number }> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const partial = join(folder, `decisions-${from}.ndjson.partial`);
  const file = await open(partial, 'w', 0o600);
  let count = 0;
  try {
    for (let after: string | null = null; ;) {
      const { rows }: { rows: { id: string; line: string }[] } = await session.query<{ id: string; line: string }>(
        `select id, row_to_json(d)::text as line from partitions.${name} d where $1::uuid is null or id > $1 order by id limit ${batchSize}`,
        [after],
      );
      if (rows.length === 0) break;
      await file.write(rows.map(({ line }) => `${line}\n`).join(''));
      count += rows.length;
      after = rows.at(-1)!.id;
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const path = await freePath(folder, `decisions-${from}`);
  await rename(partial, path);
  await syncFolder(folder);
  return { path, count };
}

/** Its name outlives a loss of power, too. Windows has no such call for folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Only one process at a time exports, so nobody takes it meanwhile. */
async function freePath(folder: string, name: string): Promise<string> {
  const taken = new Set(await readdir(folder));
  for (let number = 1; ; number += 1) {
    const file = number === 1 ? `${name}.ndjson` : `${name}.${number}.ndjson`;
    if (!taken.has(file)) return join(folder, file);
  }
}

/** Nothing is dropped that is not in the file: what came meanwhile is exported with the rest the next time. */
async function drop(session: OwnerSession, { name }: Partition, exported: number): Promise<void> {
  await session.query('begin');
  try {
    await session.query(`alter table decisions detach partition partitions.${name}`);
    const { rows } = await session.query<{ count: string }>(`select count(*) as count from partitions.${name}`);
    if (Number(rows[0]!.count) !== exported) throw new Error(`${name} got decisions while it was exported; it is exported again`);
    await session.query(`drop table partitions.${name}`);
    await session.query('commit');
  } catch (error) {
    await session.query('rollback');
    throw error;
  }
}
