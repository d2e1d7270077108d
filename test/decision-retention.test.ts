// Partitions of decision records: made ahead, closed to the application, exported before they are dropped.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { keepDecisions, type OwnerSession } from '#src/decisions/decision-retention.ts';
import { createGate } from '#src/gate/gate-service.ts';
import { createLogger } from '#src/platform/logger.ts';
import { newId } from '#src/platform/ids.ts';
import { createDecisionKeeper } from '#src/runner/decision-keeper.ts';
import { dropSimulations } from '#src/simulations/simulation-retention.ts';
import { testDatabase, type TestDatabase } from './harness/database.ts';
import { createWorld, toolCall, type World } from './harness/governance.ts';

let db: TestDatabase;
let owner: pg.Client;
let folder: string;
let worlds: readonly World[];
/** A Saturday; weeks begin on Monday, 16 November. */
const today = new Date('2026-11-21T10:00:00.000Z');
let now = today;
const clock = { now: () => now };
const gate = createGate({ clock });
before(async () => {
  db = await testDatabase();
  owner = await connect();
  worlds = [await createWorld(db.database), await createWorld(db.database)];
});
after(async () => {
  await owner.end();
  await db.close();
});
beforeEach(async () => {
  now = today;
  folder = await mkdtemp(join(tmpdir(), 'decisions-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: db.ownerUrl });
  await client.connect();
  return client;
}

const byText = (a: string, b: string) => (a < b ? -1 : 1);
const daysAgo = (days: number) => new Date(today.getTime() - days * 86_400_000);

async function decideAt(moment: Date, { tenantId, projectId, environmentId, agentId }: World = worlds[0]!): Promise<string> {
  now = moment;
  const place = { projectId, environmentId, agentId, teamId: null };
  const reference = { executionId: null, stepId: null, itemIndex: null, ...place };
  const input = toolCall({ tenantId, ...place, principalId: agentId, at: moment.toISOString() });
  const { decisionId } = await db.database.write(tenantId, (uow) => gate.judge(uow, input, reference));
  now = today;
  return decisionId;
}

const remaining = async (): Promise<string[]> => {
  const of = ({ tenantId }: World) =>
    db.database.read(tenantId, (uow) => uow.rows<{ id: string }>('select id from decisions where tenant_id = $1', [tenantId]));
  return (await Promise.all(worlds.map(of))).flat().map(({ id }) => id);
};
const isInDefault = async (id: string) =>
  (await owner.query('select from partitions.decisions_default where id = $1', [id])).rowCount === 1;
const keep = (retentionDays?: number, session: OwnerSession = owner) => keepDecisions(session, clock, { retentionDays, exportDir: folder });

test('there is a partition for every week to come, and making them again makes none', async () => {
  await keep();
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'partitions'::regnamespace and relkind = 'r' order by 1`,
  );
  const names = rows.map(({ name }) => name);
  for (const week of ['20261116', '20261123', '20261130']) assert.ok(names.includes(`decisions_${week}`), names.join());
  assert.equal((await keep()).made, 0);
});

test('weeks that are wholly older than the period are written to files, of every tenant, and dropped; nothing else is', async () => {
  const old = [await decideAt(daysAgo(60)), await decideAt(daysAgo(60), worlds[1]), await decideAt(daysAgo(40))];
  // 30 days ago is Thursday, 22 October: its week ends later than that and stays.
  const young = [await decideAt(daysAgo(31)), await decideAt(daysAgo(30)), await decideAt(daysAgo(0), worlds[1])];
  const { exported } = await keep(30);
  assert.deepEqual(
    exported.map((path) => path.slice(folder.length + 1)),
    ['decisions-2026-09-21.ndjson', 'decisions-2026-10-12.ndjson'],
  );
  assert.deepEqual((await readdir(folder)).sort(), ['decisions-2026-09-21.ndjson', 'decisions-2026-10-12.ndjson']);
  const lines = (await Promise.all(exported.map((path) => readFile(path, 'utf8')))).join('').trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(records.map(({ id }) => String(id)).toSorted(byText), old.toSorted(byText));
  assert.deepEqual(new Set(records.map((row) => row['tenant_id'])), new Set(worlds.map(({ tenantId }) => tenantId)));
  assert.equal((records[0]!['input'] as { tool: { name: string } }).tool.name, 'files.write_file');
  assert.deepEqual((await remaining()).toSorted(byText), young.toSorted(byText));
  assert.deepEqual(await keep(30), { made: 0, exported: [] });
});

test('a decision whose week had no partition waits in the default one and moves to its own', async () => {
  const id = await decideAt(daysAgo(400));
  assert.equal(await isInDefault(id), true);
  assert.equal((await keep()).made, 1);
  assert.equal(await isInDefault(id), false);
  assert.ok((await remaining()).includes(id));
  const [first] = (await keep(365)).exported;
  assert.ok(!(await remaining()).includes(id));
  const written = await readFile(first!, 'utf8');
  // The week comes again: its first file stays as it is.
  const late = await decideAt(daysAgo(400));
  const [second] = (await keep(365)).exported;
  assert.match(second!, /decisions-2025-10-13\.2\.ndjson$/);
  assert.equal(await readFile(first!, 'utf8'), written);
  assert.match(await readFile(second!, 'utf8'), new RegExp(late));
});

test('what cannot be exported is not dropped, and is exported when it can be', async () => {
  const id = await decideAt(daysAgo(200));
  await writeFile(join(folder, 'file'), '');
  const impossible = { retentionDays: 100, exportDir: join(folder, 'file') };
  await assert.rejects(keepDecisions(owner, clock, impossible), /EEXIST|ENOTDIR/);
  assert.ok((await remaining()).includes(id));
  assert.equal((await keep(100)).exported.length, 1);
  assert.ok(!(await remaining()).includes(id));
});

test('a decision stands in the week of its moment, to the millisecond', async () => {
  const [monday, week] = [Date.parse('2026-11-16T00:00:00.000Z'), 7 * 86_400_000];
  const placed: [string, string][] = [];
  for (const [moment, name] of [
    [monday - 1, '20261109'],
    [monday, '20261116'],
    [monday + week - 1, '20261116'],
    [monday + week, '20261123'],
  ] as const)
    // prettier-ignore
    placed.push([await decideAt(new Date(moment)), name]);
  await keep();
  for (const [id, name] of placed)
    assert.equal((await owner.query(`select from partitions.decisions_${name} where id = $1`, [id])).rowCount, 1, name);
});

test('a process that dies between the export and the drop loses nothing: the week is exported again beside the first file', async () => {
  const id = await decideAt(daysAgo(300));
  await keep();
  const dying: OwnerSession = {
    query: ((sql: string, ...rest: unknown[]) =>
      sql === 'begin' ? Promise.reject(new Error('died')) : (owner.query as any)(sql, ...rest)) as never,
  };
  await assert.rejects(keep(299, dying), /died/);
  const [left] = await readdir(folder);
  assert.match(await readFile(join(folder, left!), 'utf8'), new RegExp(id));
  assert.ok((await remaining()).includes(id));
  const [again] = (await keep(299)).exported;
  assert.equal(again, join(folder, left!.replace('.ndjson', '.2.ndjson')));
  assert.equal(await readFile(again, 'utf8'), await readFile(join(folder, left!), 'utf8'));
  assert.ok(!(await remaining()).includes(id));
});

test('a disk that is full while it exports keeps the week; what was written of the file is not taken for one', async () => {
  const id = await decideAt(daysAgo(280));
  await keep();
  let batches = 0;
  const full: OwnerSession = {
    query: (async (sql: string, ...rest: unknown[]) => {
      const answer = await (owner.query as any)(sql, ...rest);
      if (!sql.includes('row_to_json')) return answer;
      batches += 1;
      if (batches === 2) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      return answer;
    }) as never,
  };
  await assert.rejects(keep(270, full), /ENOSPC/);
  assert.ok((await readdir(folder)).every((name) => name.endsWith('.partial')));
  assert.ok((await remaining()).includes(id));
  const { exported } = await keep(270);
  assert.equal(exported.length, 1);
  assert.deepEqual(await readdir(folder), [exported[0]!.slice(folder.length + 1)]);
  assert.ok(!(await remaining()).includes(id));
});

test('a decision that comes while its week is exported is not dropped with it', async () => {
  const id = await decideAt(daysAgo(250));
  await keep();
  let late: string | null = null;
  const busy: OwnerSession = {
    query: (async (sql: string, ...rest: unknown[]) => {
      if (sql === 'begin') late ??= await decideAt(daysAgo(250));
      return (owner.query as any)(sql, ...rest);
    }) as never,
  };
  await assert.rejects(keep(240, busy), /got decisions while it was exported/);
  assert.deepEqual(new Set((await remaining()).filter((each) => each === id || each === late)), new Set([id, late]));
  const [second] = (await keep(240)).exported;
  assert.match(await readFile(second!, 'utf8'), new RegExp(late!));
  assert.ok(!(await remaining()).includes(id));
});

test('a folder that is not there is made', async () => {
  const id = await decideAt(daysAgo(220));
  const exportDir = join(folder, 'not', 'there');
  const { exported } = await keepDecisions(owner, clock, { retentionDays: 210, exportDir });
  assert.match(await readFile(exported[0]!, 'utf8'), new RegExp(id));
});

test('while a reader holds the decisions, dropping gives up instead of holding up everybody behind it', async () => {
  const id = await decideAt(daysAgo(150));
  await keep();
  const reader = await connect();
  await reader.query('begin');
  await reader.query('select from decisions limit 1');
  await assert.rejects(keep(100), /lock timeout/);
  await reader.query('rollback');
  await reader.end();
  assert.ok((await remaining()).includes(id));
  await keep(100);
  assert.ok(!(await remaining()).includes(id));
});

test('one process at a time looks after them', async () => {
  await decideAt(daysAgo(120));
  const other = await connect();
  await other.query(`select pg_advisory_lock(hashtextextended('signalbox decision retention', 0))`);
  assert.deepEqual(await keep(100), { made: 0, exported: [] });
  await other.end();
  assert.equal((await keep(100)).exported.length, 1);
});

test('the application reaches partitions through the table alone', async () => {
  await decideAt(daysAgo(0));
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'partitions'::regnamespace and relkind = 'r'`,
  );
  for (const { name } of rows) {
    const reading = db.database.read(worlds[0]!.tenantId, (uow) => uow.rows(`select from partitions.${name}`));
    await assert.rejects(reading, /permission denied for schema partitions/);
  }
  const calling = db.database.write(worlds[0]!.tenantId, (uow) => uow.rows('select jobs.make_decision_partitions(now(), now())'));
  await assert.rejects(calling, /permission denied/);
});

async function simulated({ tenantId, agentId }: World, status: string, finishedAt: Date | null): Promise<string> {
  const id = newId();
  await db.database.write(tenantId, async (uow) => {
    await uow.rows(
      `insert into policy_simulations (id, tenant_id, status, candidate, from_at, to_at, filter, total, requested_by, created_at, finished_at,
         request_digest)
       values ($1, $2, $3, '{}', now(), now(), '{}', 1, $4, $5, $6, 'd')`,
      [id, tenantId, status, agentId, daysAgo(500), finishedAt],
    );
    await uow.rows(
      `insert into simulation_changes (simulation_id, decision_id, tenant_id, agent_id, slot, before, after, approvers, decided_at)
       values ($1, $2, $3, $4, '', 'allow', 'deny', '{}', now())`,
      [id, newId(), tenantId, agentId],
    );
  });
  return id;
}

const simulationsLeft = async (): Promise<string[]> => {
  const of = ({ tenantId }: World) =>
    db.database.read(tenantId, (uow) =>
      uow.rows<{ id: string }>(
        `select s.id from policy_simulations s join simulation_changes c on c.simulation_id = s.id where s.tenant_id = $1`,
        [tenantId],
      ),
    );
  return (await Promise.all(worlds.map(of))).flat().map(({ id }) => id);
};

test('simulations that ended longer ago than decisions are kept go with what they found, in every tenant; others stay', async () => {
  const [one, other] = worlds as [World, World];
  const limit = new Date(today.getTime() - 30 * 86_400_000);
  const gone = [
    await simulated(one, 'succeeded', daysAgo(31)),
    await simulated(one, 'cancelled', new Date(limit.getTime() - 1)),
    await simulated(other, 'failed', daysAgo(400)),
  ];
  const stays = [await simulated(one, 'succeeded', limit), await simulated(other, 'running', null), await simulated(other, 'queued', null)];
  assert.equal(await dropSimulations(owner, clock, 30), gone.length);
  assert.deepEqual((await simulationsLeft()).toSorted(byText), stays.toSorted(byText));
  assert.equal(await dropSimulations(owner, clock, 30), 0);
});

test('the keeper of a runner looks after all of it when it starts, and says what it could not do', async () => {
  const simulation = await simulated(worlds[0]!, 'succeeded', daysAgo(200));
  const decision = await decideAt(daysAgo(180));
  await writeFile(join(folder, 'file'), '');
  const pool = new pg.Pool({ connectionString: db.ownerUrl, max: 1 });
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const look = async (exportDir: string) => {
    const keeper = createDecisionKeeper({ pool, settings: { retentionDays: 90, exportDir }, clock, logger });
    keeper.start();
    await keeper.stop();
  };
  await look(join(folder, 'file'));
  const said = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  assert.match(said[0]!, /^simulations .* were dropped$/);
  assert.match(said[1]!, /^could not look after decision records; trying again in an hour$/);
  assert.ok(!(await simulationsLeft()).includes(simulation), 'an export that fails keeps no simulation');
  assert.ok((await remaining()).includes(decision));
  await look(folder);
  assert.ok(!(await remaining()).includes(decision));
  await pool.end();
});
