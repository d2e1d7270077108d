// What a demo has left in its database and on disk, and what must be true of it however often the demo was killed.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';

export interface ExecutionRecord {
  readonly id: string;
  readonly status: string;
  readonly lastSequence: number;
  readonly events: readonly { sequence: number; type: string; stepId: string | null; itemIndex: number | null }[];
  readonly attempts: readonly { stepId: string; itemIndex: number; number: number; status: string }[];
  readonly approvals: readonly { status: string; consumed: boolean; requestedBy: string; decidedBy: string | null; content: string }[];
}

/** Oldest first. */
export async function recordsOf(dataDir: string): Promise<ExecutionRecord[]> {
  const quiet = { info: () => undefined, warn: console.warn, error: console.error };
  const server = await startEmbeddedPostgres({ folder: join(dataDir, 'postgres'), log: quiet });
  const url = new URL(server.adminUrl); // the superuser, whom row level security does not stop
  url.pathname = '/signalbox';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    const { rows } = await client.query<ExecutionRecord>(`
      select e.id, e.status, e.last_sequence as "lastSequence",
        (select coalesce(json_agg(json_build_object('sequence', v.sequence, 'type', v.type, 'stepId', v.data->>'stepId',
           'itemIndex', (v.data->>'itemIndex')::int) order by v.sequence), '[]') from execution_events v where v.execution_id = e.id) as events,
        (select coalesce(json_agg(json_build_object('stepId', a.step_id, 'itemIndex', a.item_index, 'number', a.number, 'status', a.status)
           order by a.step_id, a.item_index, a.number), '[]') from attempts a where a.execution_id = e.id) as attempts,
        (select coalesce(json_agg(json_build_object('status', p.status, 'consumed', p.consumed_at is not null,
           'requestedBy', r.name, 'decidedBy', d.name, 'content', p.subject->'arguments'->>'content') order by p.id), '[]')
           from approvals p join principals r on r.id = p.requested_by left join principals d on d.id = p.decided_by
           where p.execution_id = e.id) as approvals
      from executions e order by e.id`);
    return rows;
  } finally {
    await client.end();
    await server.stop();
  }
}

/** One demo's execution, done once and wholly. */
export function assertDoneOnce(record: ExecutionRecord): void {
  const { events, attempts, approvals } = record;
  assert.equal(record.status, 'succeeded');
  assert.deepEqual(
    events.map(({ sequence }) => sequence),
    events.map((_, index) => index + 1),
    'sequences without a gap',
  );
  assert.equal(record.lastSequence, events.length);
  assert.equal(events.at(-1)?.type, 'execution.succeeded');
  const count = new Map<string, number>();
  for (const { type, stepId, itemIndex } of events) {
    const key = [type, ...(stepId === null ? [] : [stepId, itemIndex])].join(' ');
    count.set(key, (count.get(key) ?? 0) + 1);
  }
  const isRepeatable = (key: string) => /^step\.(started|interrupted) (list|read|write|read_back) /.test(key);
  assert.deepEqual(
    [...count].filter(([key, times]) => times > 1 && !isRepeatable(key)),
    [],
    'events that happen once',
  );
  for (const step of ['list', 'logs', 'read', 'errors', 'report', 'sign_off', 'write', 'read_back']) {
    assert.equal(count.get(`step.succeeded ${step} -1`), 1, step);
  }
  const tried = Map.groupBy(attempts, ({ stepId, itemIndex }) => `${stepId} ${itemIndex}`);
  assert.deepEqual([...tried.keys()].sort(), ['list -1', 'read 0', 'read 1', 'read 2', 'read 3', 'read_back -1', 'write -1']);
  for (const [slot, tries] of tried) {
    const statuses = tries.map(({ status }) => status);
    assert.deepEqual(statuses, [...statuses.slice(1).map(() => 'abandoned'), 'succeeded'], slot);
    assert.deepEqual(
      tries.map(({ number }) => number),
      tries.map((_, index) => index + 1),
      slot,
    );
    assert.equal(count.get(`step.interrupted ${slot}`) ?? 0, tries.length - 1, slot);
  }
  assert.deepEqual(
    approvals.map(({ status, consumed, requestedBy, decidedBy }) => ({ status, consumed, requestedBy, decidedBy })),
    [{ status: 'approved', consumed: true, requestedBy: 'demo-operator', decidedBy: 'demo-reviewer' }],
  );
}

export const logFolder = (dataDir: string): string => join(dataDir, 'demo', 'logs');
export const reportFile = (dataDir: string): string => join(logFolder(dataDir), 'report.md');

/** What the agent has to find, found here in another way. */
export function expectedReport(dataDir: string): string {
  const files = readdirSync(logFolder(dataDir)).filter((name) => name.endsWith('.log'));
  const lines = files
    .flatMap((name) => readFileSync(join(logFolder(dataDir), name), 'utf8').split('\n'))
    .filter((line) => / ERROR /.test(line));
  const services = Map.groupBy(lines, (line) => / ERROR (\w+):/.exec(line)![1]!);
  const rows = [...services]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([service, found]) => {
      const times = found.map((line) => line.split(' ')[0]!).sort();
      return `| ${service} | ${times.length} | ${times[0]!} | ${times.at(-1)!} |`;
    });
  const head = '# Errors per service\n\n| service | errors | first | last |\n| --- | ---: | --- | --- |';
  return `${[head, ...rows].join('\n')}\n\n${lines.length} errors in ${files.length} files.\n`;
}

/** All the executions of a data folder, each done once, and the report that the last of them wrote. */
export async function assertReported(dataDir: string, ids: readonly string[]): Promise<void> {
  const records = await recordsOf(dataDir);
  assert.deepEqual(
    records.map(({ id }) => id),
    [...ids],
    'executions of this folder',
  );
  for (const record of records) assertDoneOnce(record);
  const report = readFileSync(reportFile(dataDir), 'utf8');
  assert.equal(report, records.at(-1)!.approvals[0]!.content, 'what was signed is what was written');
  assert.equal(report, expectedReport(dataDir));
  assert.deepEqual(readdirSync(logFolder(dataDir)).sort(), ['auth.log', 'billing.log', 'payments.log', 'report.md', 'search.log']);
}
