// The work of the world's tenants, in the order of time and interleaved as it would have come: executions with their steps, attempts,
// events, decisions and approvals. A slice of time at a time, each table by one statement.
import type pg from 'pg';

const seeded = (kind: string, key: string) => `current_setting('bench.seed') || ' ${kind} ' || ${key}`;
const id = (kind: string, at: string, key: string) => `pg_temp.id(${at}, ${seeded(kind, key)})`;
const executionId = (k: string) => `pg_temp.id(pg_temp.at(${k}, size), ${seeded('execution', `no || ' ' || (${k})`)})`;
const pick = (salt: number, among: number) => `pg_temp.pick(key, ${salt}, ${among})`;
const rare = (nth: number) => `pg_temp.rare(k, size, ${nth})`;

/** Of the newest, as many in each status that is not final: what is open grows with a tenant. */
const openRows = 'greatest(30, size / 100)';

/** $1, $2: the slice, as shares of the time. */
const sliceSql = `
  create temp table world_slice as
  with spread as (
    select t.no, t.id as tenant_id, t.size, k, t.no::bigint * 100000000 + k as key, pg_temp.at(k, t.size) as created_at
    from world_tenants t cross join lateral generate_series(floor(t.size * $1::float8)::int + 1, floor(t.size * $2::float8)::int) as k
  ), chosen as (
    select *, case when ${rare(4)} then 'rare' when ${rare(3)} then 'agent-3' when ${rare(5)} then 'agent-0' else 'agent-' || ${pick(1, 10)} end as agent,
      case when ${rare(5)} then 'sandbox' when ${pick(2, 20)} < 14 then 'production' when ${pick(2, 20)} < 19 then 'staging' else 'development' end as environment,
      case when size >= 500 and k > size - 5 * ${openRows} then (array['running', 'waiting', 'queued', 'scheduled', 'paused'])[1 + (size - k) / ${openRows}]
        when size < 500 and k = size then 'running' when ${rare(1)} then 'blocked' when ${rare(2)} then 'cancelled' when ${rare(3)} then 'failed'
        when ${rare(14)} then 'awaiting_approval' when ${pick(3, 20)} = 0 then 'failed' else 'succeeded' end as status
    from spread
  )
  select c.no, c.tenant_id, c.size, c.k, c.key, c.created_at, ${executionId('c.k')} as id,
    a.id as agent_id, a.project_id, a.team_id, v.id as version_id, e.id as environment_id, a.name as agent,
    -- One agent hardly ever fails, however much it does.
    case when c.status = 'failed' and a.name = 'agent-3' and not ${rare(3)} then 'succeeded' else c.status end as status,
    case when ${rare(6)} then '{"customer":"rare"}' when ${pick(4, 10)} < 3 then '{"tier":"gold"}' else '{}' end::jsonb as labels,
    case when ${rare(7)} then ${executionId('1')} when c.k % 10 = 0 then ${executionId('c.k - 1')} end as parent_id,
    case when ${rare(8)} then ${executionId('1')} when c.k % 50 = 1 and c.k > 1 then ${executionId('c.k - 1')} end as origin_id,
    (select p.id from principals p where p.tenant_id = c.tenant_id and p.name = 'service') as service,
    (select p.id from principals p where p.tenant_id = c.tenant_id and p.name = 'admin') as person,
    case when ${rare(10)} then (select p.id from principals p where p.tenant_id = c.tenant_id and p.name = 'rare') end as rare_principal
  from chosen c join agents a on a.tenant_id = c.tenant_id and a.name = c.agent
  join agent_versions v on v.agent_id = a.id and v.version = '2.0.0'
  join environments e on e.project_id = a.project_id and e.name = c.environment
  order by c.created_at`;

const ended = `status in ('succeeded', 'failed', 'cancelled', 'blocked')`;
const began = `status not in ('queued', 'scheduled', 'blocked', 'awaiting_approval')`;
const done = `created_at + interval '1 second'`;
/** Asked for by the step "two": by a tenth of the executions, by all that are rare in something, and by what waits. */
const asks = `(k % 10 = 3 or status = 'waiting' or ${Array.from({ length: 14 }, (_, nth) => rare(nth + 1)).join(' or ')})`;
/** The oldest 25 that wait ask anybody; all others a team that has nobody. */
const asksNobody = `status = 'waiting' and size - k < 2 * ${openRows} - 25`;
const approvalId = id('approval', `created_at + interval '10 ms'`, 'key');
const startDecision = id('decision', 'created_at', 'key');
const callDecision = id('call decision', `created_at + interval '5 ms'`, 'key');

const statements: readonly string[] = [
  `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, output, failure, labels,
     request_digest, requested_by, requested_roles, last_sequence, created_at, started_at, finished_at, parent_id, parent_step_id, depth, origin_id, origin,
     start_at, backlog_at, admitted_at)
   select id, tenant_id, project_id, environment_id, team_id, agent_id, version_id, status, jsonb_build_object('number', k),
     case status when 'succeeded' then '"done"'::jsonb end, case when status in ('failed', 'blocked') then '{"code":"TOOL_ERROR","message":"it did not answer"}'::jsonb end,
     labels, 'digest', service, '{service}', 5, created_at, case when ${began} then created_at end, case when ${ended} then ${done} end,
     parent_id, case when parent_id is not null then 'two' end, case when parent_id is null then 0 else 1 end, origin_id, case when origin_id is not null then 'retry' end,
     case status when 'scheduled' then pg_temp.now() + interval '1 day' end, case when status = 'queued' and k % 2 = 0 then created_at end,
     case when status = 'queued' and k % 2 = 1 then created_at end
   from world_slice`,
  `insert into execution_labels (tenant_id, name, value, environment_id, execution_id)
   select tenant_id, label.key, label.value, environment_id, id from world_slice, jsonb_each_text(labels) as label`,
  `insert into steps (execution_id, step_id, tenant_id, status, attempt, output, failure, output_bytes, queued_at, started_at, finished_at)
   select id, step, tenant_id,
     case when step = 'one' or status = 'succeeded' then 'succeeded' when status in ('failed', 'waiting', 'running', 'cancelled') then status else 'queued' end,
     1, '{"text":""}', case when step = 'two' and status = 'failed' then
       jsonb_build_object('code', case when ${rare(3)} then 'RARE' else 'TOOL_ERROR' end, 'message', 'it did not answer') end,
     11, created_at, created_at, case when step = 'one' or ${ended} then ${done} end
   from world_slice cross join (values ('one'), ('two')) as steps (step) where ${began}`,
  `insert into attempts (execution_id, step_id, item_index, number, tenant_id, status, arguments, decision_id, started_at, finished_at)
   select id, step, -1, 1, tenant_id, case when step = 'two' and status = 'failed' then 'failed' when step = 'one' or ${ended} then 'succeeded' else 'running' end,
     '{"number":1}', ${callDecision}, created_at, ${done}
   from world_slice cross join (values ('one'), ('two')) as steps (step) where ${began} and k % 4 = 0`,
  `insert into execution_events (execution_id, sequence, tenant_id, type, data, occurred_at)
   select id, events.sequence, tenant_id, events.type, events.data, created_at + events.sequence * interval '100 ms'
   from world_slice cross join lateral (values
     (1, 'execution.queued', jsonb_build_object('requestedBy', service), true),
     (2, 'execution.started', '{}'::jsonb, ${began}),
     (3, 'step.started', jsonb_build_object('stepId', 'one', 'itemIndex', -1, 'attempt', 1, 'decisionId', ${callDecision}), ${began}),
     (4, 'step.succeeded', jsonb_build_object('stepId', 'one', 'itemIndex', -1, 'attempt', 1, 'outputBytes', 11), ${began} and not ${asks}),
     (4, 'approval.requested', jsonb_build_object('stepId', 'two', 'itemIndex', -1, 'approvalId', ${approvalId}, 'expiresAt', created_at), ${began} and ${asks}),
     (5, 'execution.' || status, case status when 'failed' then '{"failure":{"code":"TOOL_ERROR","message":"it did not answer"}}'::jsonb
       when 'cancelled' then jsonb_build_object('reason', '', 'cancelledBy', person) else '{}' end, ${began} and ${ended})
   ) as events (sequence, type, data, applies) where events.applies`,
  `insert into decisions (id, tenant_id, project_id, environment_id, agent_id, team_id, execution_id, step_id, action, effect, reasons, findings, judged_by,
     input, input_digest, duration_micros, created_at, principal_id, tool)
   select case what when 'start' then ${startDecision} else ${callDecision} end, tenant_id, project_id, environment_id, agent_id, team_id, id,
     case what when 'call' then 'one' end,
     case when what = 'start' then 'execution.start' when ${rare(11)} then 'output.deliver' else 'tool.call' end,
     case when what = 'start' and status = 'blocked' then 'deny' when what = 'call' and ${rare(13)} then 'delay' when what = 'call' and ${asks} then 'require_approval'
       when what = 'call' and ${pick(5, 30)} = 0 then 'warn' else 'allow' end,
     '{}', case when policy is null then '[]' else jsonb_build_array(jsonb_build_object('policyId', policy)) end,
     left(encode(sha256(convert_to(policy::text, 'UTF8')), 'hex'), 32)::uuid,
     jsonb_build_object('action', 'tool.call', 'agentName', agent, 'arguments', jsonb_build_object('number', k), 'environmentKind', 'production', 'roles', '["service"]'::jsonb),
     'digest', 40, case what when 'start' then created_at else created_at + interval '5 ms' end, coalesce(rare_principal, service),
     case when what = 'start' then null when ${rare(9)} then 'rare.tool' else 'bench.work' end
   from world_slice s cross join (values ('start'), ('call')) as w (what) cross join lateral (select case when what = 'call' and (${rare(12)} or ${pick(6, 5)} = 0)
     then (select p.id from policies p where p.tenant_id = s.tenant_id and p.name = case when ${rare(12)} then 'rare' else 'policy-1' end) end) as f (policy)
   where what = 'start' or ${began}`,
  `insert into approvals (id, tenant_id, project_id, environment_id, team_id, agent_id, execution_id, step_id, source, status, title, reason, risk, subject,
     digest, requested_by, created_at, expires_at, decided_at, decided_by, decision_id, terms)
   select ${approvalId}, tenant_id, project_id, environment_id, team_id, agent_id, id, 'two', 'policy',
     case when status = 'waiting' then 'pending' when ${rare(3)} then 'expired' when status = 'failed' then 'rejected' when status = 'cancelled' then 'cancelled' else 'approved' end,
     'May it?', 'a policy asks', case when ${rare(6)} then 'critical' else (array['low', 'medium', 'high'])[1 + ${pick(7, 3)}] end,
     jsonb_build_object('tool', 'bench.work', 'arguments', '{"number":1}'::jsonb, 'policies', '[]'::jsonb, 'executionId', id, 'stepId', 'two', 'tenantId', tenant_id),
     'digest', service, created_at, case status when 'waiting' then pg_temp.now() + interval '1 day' else created_at + interval '1 day' end,
     case when status not in ('waiting', 'cancelled') and not ${rare(3)} then ${done} end, case when status not in ('waiting', 'cancelled') and not ${rare(3)} then person end, ${callDecision},
     case when ${asksNobody} then jsonb_build_object('stages', jsonb_build_array(jsonb_build_object('name', 'finance', 'quorum', 1, 'approvers',
       jsonb_build_array(jsonb_build_object('team', (select t.id from teams t where t.tenant_id = s.tenant_id and t.name = 'team-2')))))) else '{"stages":[]}' end
   from world_slice s where ${began} and ${asks}`,
  `insert into approval_votes (approval_id, stage, principal_id, tenant_id, decision, digest, voted_at)
   select ${approvalId}, 0, person, tenant_id, case status when 'failed' then 'reject' else 'approve' end, 'digest', ${done}
   from world_slice where ${began} and ${asks} and status not in ('waiting', 'cancelled') and not ${rare(3)}`,
  `insert into approval_comments (id, tenant_id, approval_id, kind, author, text, created_at)
   select ${id('comment', 'created_at', 'key')}, tenant_id, ${approvalId}, 'comment', person, 'looks right', created_at
   from world_slice where ${began} and ${asks} and k % 20 = 3`,
  `insert into signals (id, tenant_id, execution_id, name, payload, request_digest, sent_by, sent_at)
   select ${id('signal', 'created_at', `key || ' ' || n`)}, tenant_id, id, 'go', '{}', 'digest', service, created_at + n * interval '1 ms'
   from world_slice cross join lateral generate_series(1, case when k = 1 then 25 when k % 100 = 7 then 1 else 0 end) as n`,
  `insert into audit_events (id, tenant_id, principal_id, action, subject_type, subject_id, subject_name, project_id, environment_id, team_id, after_digest,
     trace_id, occurred_at)
   select ${id('audit', 'created_at', 'key')}, tenant_id, coalesce(rare_principal, person), case when ${rare(1)} then 'pauseAgent' else 'startExecution' end,
     case when ${rare(1)} then 'Agent' else 'Execution' end, case when ${rare(1)} then agent_id else id end, case when ${rare(2)} then 'rare' end,
     project_id, environment_id, team_id, 'digest', md5(key::text), created_at
   from world_slice where k % 8 = 3 or ${Array.from({ length: 14 }, (_, nth) => rare(nth + 1)).join(' or ')}`,
  `insert into tool_calls (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, principal_id, tool, arguments, status, decision_id,
     request_digest, created_at)
   select ${id('tool call', 'created_at', 'key')}, tenant_id, project_id, environment_id, team_id, agent_id, version_id, service, 'shell.run', '{"command":"ls"}',
     'allowed', ${callDecision}, 'digest', created_at
   from world_slice where k % 50 = 9`,
  `insert into simulation_changes (simulation_id, decision_id, tenant_id, agent_id, execution_id, slot, before, after, approvers, decided_at)
   select (select s.id from policy_simulations s where s.tenant_id = w.tenant_id order by s.id limit 1), ${callDecision}, tenant_id, agent_id, id, 'one',
     'allow', case when ${rare(4)} then 'deny' else 'require_approval' end, '{}', created_at
   from world_slice w where k % 4 = 0 or ${rare(4)}`,
];

/** Executions that one statement may make. */
const sliceSize = 40_000;

/** A sink that is caught up with all that is there. */
const caughtUp = `update event_sinks set transaction_id = pg_snapshot_xmax(pg_current_snapshot()) where tenant_id in (select id from world_tenants)`;

export async function generateExecutions(admin: pg.ClientBase, say: (line: string) => void): Promise<void> {
  const { rows } = await admin.query<{ total: number }>('select sum(size)::int as total from world_tenants');
  const { total } = rows[0]!;
  await admin.query(`select jobs.make_decision_partitions(pg_temp.now() - interval '100 days', pg_temp.now() + interval '1 day')`);
  const slices = Math.ceil(total / sliceSize);
  for (let slice = 0; slice < slices; slice += 1) {
    await admin.query('begin');
    await admin.query(sliceSql, [slice / slices, (slice + 1) / slices]);
    await admin.query('analyze world_slice');
    for (const sql of statements) await admin.query(sql);
    await admin.query('drop table world_slice');
    await admin.query('commit');
    say(`world: ${Math.round(((slice + 1) / slices) * total)} of ${total} executions`);
  }
  await admin.query(caughtUp);
}
