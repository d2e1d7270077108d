// The bare loop: writes the rows of a governed execution of three steps by hand, as the same role under the same row level security,
// in the same five transactions (start; dispatch; twice finish and dispatch; finish). No queue, no machine, no gate, no expressions.
import pg from 'pg';
import { newId } from '#src/platform/ids.ts';
import { serveContender } from '../protocol.ts';
import type { Place } from '../stand.ts';

export interface ByHandSetup {
  readonly place: Place;
  /** An execution that Signalbox has carried to its end: its rows are written again under new ids. */
  readonly likeExecutionId: string;
  /** True: the statements of a transaction do not wait for each other's answers. */
  readonly pipeline: boolean;
}

type Row = Readonly<Record<string, unknown>>;
type Statement = readonly [text: string, values: readonly unknown[]];

serveContender(async ({ place, likeExecutionId, pipeline }: ByHandSetup, finished) => {
  const { tenantId } = place.authority;
  const pool = new pg.Pool({ connectionString: place.appUrl, max: 20, pipeline });
  async function transaction(statements: readonly Statement[]): Promise<void> {
    const client = await pool.connect();
    try {
      const begin = client.query(`begin; set local app.tenant_id = '${tenantId}'`);
      if (!pipeline) await begin;
      const sent: Promise<unknown>[] = [begin];
      for (const [text, values] of statements) {
        const answer = client.query({ name: nameOf(text), text, values: [...values] });
        if (!pipeline) await answer;
        sent.push(answer);
      }
      await Promise.all([...sent, client.query('commit')]);
    } finally {
      client.release();
    }
  }

  const model = await readModel(pool, tenantId, likeExecutionId);
  const [start, ...tools] = model.decisions;
  return {
    async begin() {
      const id = newId();
      const ids = tools.map(() => newId());
      const event = (index: number): Statement => insert('execution_events', { ...model.events[index]!, execution_id: id });
      const update = (status: string, last: number): Statement => [
        'update executions set status = $3, last_sequence = $4, started_at = coalesce(started_at, $5) where tenant_id = $1 and id = $2',
        [tenantId, id, status, last, new Date()],
      ];
      const dispatch = (n: number): Statement[] => [
        insert('steps', { ...model.steps[n]!, execution_id: id, status: 'running', output: null, finished_at: null }),
        insert('decisions', { ...tools[n]!, id: ids[n], execution_id: id }),
        insert('attempts', { ...model.attempts[n]!, execution_id: id, decision_id: ids[n], status: 'running', finished_at: null }),
      ];
      const finish = (n: number): Statement[] => [
        [
          `update steps set status = 'succeeded', output = $4, finished_at = $5 where tenant_id = $1 and execution_id = $2 and item_index = -1 and step_id = $3`,
          [tenantId, id, model.steps[n]!['step_id'], JSON.stringify(model.steps[n]!['output']), new Date()],
        ],
        [
          `update attempts set status = 'succeeded', finished_at = $4 where tenant_id = $1 and execution_id = $2 and step_id = $3 and item_index = -1 and number = 1`,
          [tenantId, id, model.steps[n]!['step_id'], new Date()],
        ],
      ];
      await transaction([
        insert('executions', { ...model.execution, id, status: 'queued', last_sequence: 1, started_at: null, finished_at: null }),
        insert('decisions', { ...start!, id: newId(), execution_id: id }),
        event(0),
      ]);
      await transaction([...dispatch(0), event(1), event(2), event(3), update('running', 4)]);
      await transaction([...finish(0), ...dispatch(1), event(4), event(5), event(6), update('running', 7)]);
      await transaction([...finish(1), ...dispatch(2), event(7), event(8), event(9), update('running', 10)]);
      await transaction([...finish(2), event(10), event(11), update('succeeded', 12)]);
      finished();
    },
    close: () => pool.end(),
  };
});

async function readModel(pool: pg.Pool, tenantId: string, id: string) {
  const client = await pool.connect();
  try {
    await client.query(`begin; set local app.tenant_id = '${tenantId}'`);
    const rows = async (table: string, key: string, order: string) =>
      (await client.query<Row>(`select * from ${table} where ${key} = $1 order by ${order}`, [id])).rows;
    const [execution] = await rows('executions', 'id', 'id');
    const events = (await rows('execution_events', 'execution_id', 'sequence')).map(({ transaction_id: _own, ...event }) => event);
    if (!execution || events.length !== 12) throw new Error(`the execution to write again has ${events.length} events instead of 12`);
    return {
      execution,
      events,
      steps: await rows('steps', 'execution_id', 'started_at, finished_at'),
      attempts: await rows('attempts', 'execution_id', 'started_at, finished_at'),
      decisions: await rows('decisions', 'execution_id', 'id'),
    };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

function insert(table: string, row: Row): Statement {
  const columns = Object.keys(row);
  return [
    `insert into ${table} (${columns.join(', ')}) values (${columns.map((_, index) => `$${index + 1}`).join(', ')})`,
    columns.map((column) => valueOf(column, row[column])),
  ];
}

/** Columns of type jsonb; the driver would send their arrays as arrays. */
const json = new Set(['inputs', 'labels', 'output', 'failure', 'item', 'arguments', 'findings', 'input', 'data']);
const valueOf = (column: string, value: unknown): unknown => (value !== null && json.has(column) ? JSON.stringify(value) : value);

const names = new Map<string, string>();
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `by_hand_${names.size}`));
  return name;
}
