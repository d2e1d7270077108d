// Whatever is changed by hand in the events or rows of an execution is named by its replay: each column that events tell of, each
// event and each fact in it; and nothing that is not in this list stands in these tables.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { looksAt, tool } from './harness/engine-looks.ts';
import { everything, replayEngine, type ReplayEngine } from './harness/replay.ts';

let engine: ReplayEngine;
before(async () => (engine = await replayEngine()));
after(() => engine.close());
const { start, rows } = looksAt(() => engine);

describe('what is changed by hand is named', () => {
  let id: string;
  before(async () => {
    engine.forget();
    ({ id } = await engine.start(await engine.agent(everything, { output: { a: 1 } }), {}));
    await engine.live(id, async () => {});
    await engine.equal(id);
  });

  const other = `'2020-01-01T00:00:00Z'`;
  const anId = `'00000000-0000-7000-8000-000000000000'`;
  const aFailure = `'{"code":"X","message":"y"}'`;
  /** Column → what it is set to and the name the difference gives it, at a step, an item, an attempt or the execution. */
  const columns: Record<string, { where: string; at: string; told: Record<string, [value: string, field: string]>; untold: string[] }> = {
    executions: {
      where: 'id = $1',
      at: 'execution',
      told: {
        status: [`'failed'`, 'status'],
        failure: [aFailure, 'failure'],
        requested_by: [anId, 'requestedBy'],
        last_sequence: ['last_sequence + 1', 'lastSequence'],
        start_at: [other, 'startAt'],
        approval_id: [anId, 'approvalId'],
        started_at: [other, 'startedAt'],
        finished_at: ['null', 'finishedAt'],
      },
      untold: ['id', 'tenant_id', 'project_id', 'environment_id', 'team_id', 'agent_id', 'agent_version_id', 'inputs', 'output', 'labels', 'idempotency_key', 'request_digest', 'requested_roles', 'created_at', 'parent_id', 'parent_step_id', 'parent_item_index', 'depth', 'origin_id', 'origin', 'origin_step_id', 'effect_scope_id', 'priority', 'backlog_at', 'admitted_at'], // prettier-ignore
    },
    steps: {
      where: `execution_id = $1 and step_id = 'each' and item_index = -1`,
      at: 'steps.each',
      told: {
        step_id: [`'other'`, ''],
        status: [`'succeeded'`, 'status'],
        attempt: ['1', 'attempt'],
        interruptions: ['1', 'interruptions'],
        job_id: [`'7'`, 'jobId'],
        wake_at: [other, 'wakeAt'],
        approval_id: [anId, 'approvalId'],
        signal: [`'go'`, 'signal'],
        child_id: [anId, 'childId'],
        halted_by: [anId, 'haltedBy'],
        item_reused: [`'[[0, 1]]'`, 'itemReused'],
        own_output: ['true', 'ownOutput'],
        item_total: ['4', 'itemTotal'],
        item_next: ['4', 'itemNext'],
        item_done: ['4', 'itemDone'],
        item_failed: ['0', 'itemFailed'],
        item_waiting: ['1', 'itemWaiting'],
        output_bytes: ['output_bytes + 1', 'outputBytes'],
        output: [`'[]'`, 'output'],
        failure: [aFailure, 'failure'],
        queued_at: [other, 'queuedAt'],
        started_at: ['null', 'startedAt'],
        finished_at: [`finished_at + interval '1 millisecond'`, 'finishedAt'],
      },
      untold: ['execution_id', 'item_index', 'tenant_id', 'item', 'agent_id', 'environment_id', 'team_id', 'failure_code'],
    },
    attempts: {
      where: `execution_id = $1 and step_id = 'each' and item_index = 1 and number = 1`,
      at: 'steps.each[1].attempts[1]',
      told: {
        status: [`'succeeded'`, 'status'],
        failure: ['null', 'failure'],
        decision_id: [anId, 'decisionId'],
        started_at: [other, 'startedAt'],
        finished_at: ['null', 'finishedAt'],
      },
      untold: ['execution_id', 'step_id', 'item_index', 'number', 'tenant_id', 'arguments'],
    },
    approvals: {
      where: `execution_id = $1 and step_id = 'gated'`,
      at: 'approvals',
      told: {
        step_id: [`'ask'`, 'stepId'],
        item_index: ['0', 'itemIndex'],
        status: [`'rejected'`, 'status'],
        expires_at: [other, 'expiresAt'],
        decided_by: [anId, 'decidedBy'],
      },
      untold: ['id', 'tenant_id', 'project_id', 'environment_id', 'team_id', 'agent_id', 'execution_id', 'source', 'title', 'reason', 'risk', 'subject', 'digest', 'requested_by', 'created_at', 'decided_at', 'note', 'consumed_at', 'tool_call_id', 'decision_id', 'terms', 'stage', 'stage_at', 'warned_at', 'escalated_at', 'edited_by', 'edited_at', 'requested', 'cost_micro_usd'], // prettier-ignore
    },
  };
  for (const [table, { where, at, told, untold }] of Object.entries(columns)) {
    it(`each column of ${table} that the events tell of; and every other column is one they do not`, async () => {
      for (const [column, [value, field]] of Object.entries(told)) {
        const difference = await engine.tampered(id, `update ${table} set ${column} = ${value} where ${where}`);
        const expected = table === 'approvals' ? /^approvals\.[\w-]{36}\.(\w+)$/.exec(difference.path)?.[1] : difference.path;
        if (column === 'step_id' && table === 'steps') assert.equal(difference.path, 'steps.other');
        else assert.equal(expected, table === 'approvals' ? field : `${at}.${field}`, `${table}.${column}: ${JSON.stringify(difference)}`);
        assert.notDeepEqual(difference.folded, difference.stored);
      }
      const all = await rows(
        `select column_name as name from information_schema.columns where table_schema = 'public' and table_name = '${table}' and $1 <> ''`,
        id,
      );
      assert.deepEqual(new Set(all.map(({ name }) => name)), new Set([...Object.keys(told), ...untold]));
    });
  }

  it('rows that are missing or too many', async () => {
    for (const [sql, path] of [
      [`delete from steps where execution_id = $1 and step_id = 'pause'`, 'steps.pause'],
      [`delete from steps where execution_id = $1 and step_id = 'each' and item_index = 1`, 'steps.each[1]'],
      [`delete from steps where execution_id = $1 and step_id = 'each' and item_index = 4`, 'steps.each[4]'],
      [`delete from attempts where execution_id = $1 and item_index = 1 and number = 2`, 'steps.each[1].attempts'],
      [
        `insert into steps select (jsonb_populate_record(s, '{"item_index": 5}')).* from steps s where execution_id = $1 and item_index = 4`,
        'steps.each[5]',
      ],
      [
        `insert into attempts select (jsonb_populate_record(a, '{"number": 2}')).* from attempts a where execution_id = $1 and step_id = 'first'`,
        'steps.first.attempts[2]',
      ],
      [
        `insert into approvals select (jsonb_populate_record(a, '{"id": ${anId.replaceAll("'", '"')}}')).* from approvals a where execution_id = $1 and step_id = 'ask'`,
        `approvals.${anId.slice(1, -1)}`,
      ],
    ] as const)
      // prettier-ignore
      assert.equal((await engine.tampered(id, sql)).path, path, sql);
    const votes = `delete from approval_votes where approval_id in (select id from approvals where execution_id = $1)`;
    const { path } = await engine.tampered(id, votes, `delete from approvals where execution_id = $1 and step_id = 'ask'`);
    assert.match(path, /^approvals\.[\w-]{36}$/);
  });

  it('outputs of another size, none, or another path', async () => {
    const set = (step: string, output: string) => `update steps set output = ${output} where execution_id = $1 and step_id = '${step}'`;
    assert.equal((await engine.tampered(id, set('first', `output || '{"more": 1}'`))).path, 'steps.first.output');
    assert.equal((await engine.tampered(id, set('first', 'null'))).path, 'steps.first.output');
    assert.equal((await engine.tampered(id, set('left', `'1'`))).path, 'steps.left.output');
    const path = await engine.tampered(id, set('choose', `'{"case": 0}'`));
    assert.deepEqual([path.path, path.folded, path.stored], ['steps.choose.output.case', 1, 0]);
    const failed = await start([{ id: 'bad', ...tool('test.moody', { n: 2 }) }]);
    assert.equal((await engine.tampered(failed, `update executions set output = '1' where id = $1`)).path, 'execution.output');
  });

  describe('events', () => {
    let events: { sequence: number; type: string; data: any }[];
    before(async () => (events = await engine.events(id)));
    const at = (type: string, test: (data: any) => boolean = () => true) => events.find((event) => event.type === type && test(event.data))!.sequence; // prettier-ignore
    const remove = (sequence: number) => `delete from execution_events where execution_id = $1 and sequence = ${sequence}`;
    /** Every later event one place on; the primary key allows it only from the end. */
    const shift = (after: number) => [
      `update execution_events set sequence = -sequence where execution_id = $1 and sequence > ${after}`,
      `update execution_events set sequence = 1 - sequence where execution_id = $1 and sequence < 0`,
      'update executions set last_sequence = last_sequence + 1 where id = $1',
    ];
    const close = (after: number) => [
      `update execution_events set sequence = -sequence where execution_id = $1 and sequence > ${after}`,
      `update execution_events set sequence = -sequence - 1 where execution_id = $1 and sequence < 0`,
      'update executions set last_sequence = last_sequence - 1 where id = $1',
    ];
    const copy = (sequence: number) =>
      `insert into execution_events select (jsonb_populate_record(e, jsonb_build_object('sequence', sequence + 1))).* from execution_events e where execution_id = $1 and sequence = ${sequence}`;
    const alter = (sequence: number, data: object) =>
      `update execution_events set data = data || '${JSON.stringify(data)}' where execution_id = $1 and sequence = ${sequence}`;

    it('each that is deleted leaves a gap; the last one is missed by its number', async () => {
      for (const { sequence } of events) {
        const { path, folded } = await engine.tampered(id, remove(sequence));
        const isLast = sequence === events.length;
        assert.deepEqual([path, folded], isLast ? ['execution.lastSequence', sequence - 1] : [`events[${sequence}].sequence`, sequence]);
      }
    });

    it('each that is deleted with its gap closed, and each that is doubled with those behind it moved, is noticed', async () => {
      for (const { sequence, type } of events) {
        // A wait of which the beginning is gone cannot be told from one that was over at once.
        if (type !== 'step.waiting') {
          const without = await engine.tampered(id, remove(sequence), ...close(sequence));
          assert.match(without.path, /^(events|execution|steps|approvals)/, type);
        }
        const twice = await engine.tampered(id, ...shift(sequence), copy(sequence));
        assert.ok(twice.path.startsWith(`events[${sequence + 1}].`), `${type}: ${JSON.stringify(twice)}`);
      }
    });

    it('each type replaced by another, and one that the catalogue does not have', async () => {
      for (const { sequence, type } of events) {
        const set = (to: string) => `update execution_events set type = '${to}' where execution_id = $1 and sequence = ${sequence}`;
        assert.equal((await engine.tampered(id, set('step.dreamt'))).path, `events[${sequence}].type`);
        await engine.tampered(id, set(type === 'execution.waiting' ? 'execution.resumed' : 'execution.waiting'));
      }
    });

    it('each fact in a payload that a row confirms, and payloads that are none', async () => {
      const item = (index: number) => (data: any) => data.stepId === 'each' && data.itemIndex === index;
      const step = (id: string) => (data: any) => data.stepId === id;
      for (const [sequence, data, path] of [
        [at('execution.queued'), { requestedBy: 'nobody' }, 'execution.requestedBy'],
        [at('step.expanded', step('each')), { total: 6 }, 'steps.each.itemTotal'],
        [at('step.expanded', step('each')), { total: -1 }, `events[${at('step.expanded', step('each'))}].data.total`],
        [at('step.started', item(0)), { decisionId: 'd' }, 'steps.each[0].attempts[1].decisionId'],
        [at('step.started', item(0)), { attempt: 2 }, `events[${at('step.started', item(0))}].data.attempt`],
        [at('step.started', item(0)), { itemIndex: 9 }, `events[${at('step.started', item(0))}].data.itemIndex`],
        [at('step.started', step('first')), { stepId: 'none' }, `events[${at('step.started', step('first'))}].data.stepId`],
        [at('step.succeeded', item(0)), { outputBytes: 1 }, 'steps.each.outputBytes'],
        [at('step.succeeded', step('first')), { outputBytes: 1 }, 'steps.first.outputBytes'],
        [at('step.succeeded', step('first')), { more: 1 }, `events[${at('step.succeeded', step('first'))}].data`],
        [at('step.succeeded', step('choose')), { branchCase: 0 }, 'steps.choose.output.case'],
        [at('step.failed', item(2)), { failure: { code: 'A', message: 'b' } }, 'steps.each[2].failure'],
        [at('step.retry_scheduled', item(1)), { failure: { code: 'A', message: 'b' } }, 'steps.each[1].attempts[1].failure'],
        [at('step.retry_scheduled', item(1)), { attempt: 7 }, `events[${at('step.retry_scheduled', item(1))}].data.attempt`],
        [at('approval.requested', step('ask')), { approvalId: 'a' }, `events[${at('approval.approved', step('ask'))}].data.approvalId`],
        [
          at('approval.approved', step('ask')),
          { decidedBy: 'a' },
          `approvals.${events.find(({ type }) => type === 'approval.approved')!.data.approvalId}.decidedBy`,
        ],
      ] as const)
        // prettier-ignore
        assert.equal((await engine.tampered(id, alter(sequence, data))).path, path, JSON.stringify(data));
      const later = `update execution_events set occurred_at = occurred_at + interval '1 second' where execution_id = $1 and sequence = `;
      assert.equal((await engine.tampered(id, later + at('step.queued', item(1)))).path, 'steps.each[1].queuedAt');
      assert.equal((await engine.tampered(id, later + at('execution.started'))).path, 'execution.startedAt');
    });
  });
});
