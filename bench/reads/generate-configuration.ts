// What the tenants of the world have besides work: people, places, agents, policies. It grows with a tenant, though slowly.
import type pg from 'pg';

const tenantOf = `t.id as tenant_id`;
/** An id of the time before the executions, in the order of `n`. */
const id = (kind: string, n: string) =>
  `pg_temp.id(pg_temp.now() - interval '150 days' + (${n}) * interval '1 second', current_setting('bench.seed') || ' ${kind} ' || t.no || ' ' || (${n}))`;
const past = (n: string) => `pg_temp.now() - interval '150 days' + (${n}) * interval '1 second'`;
const seq = (expression: string) => `cross join lateral generate_series(0, (${expression})::int - 1) as n`;
const principal = (name: string) => `(select p.id from principals p where p.tenant_id = t.id and p.name = '${name}')`;
const agent = (name: string) => `(select a.id from agents a where a.tenant_id = t.id and a.name = ${name})`;

const statements: readonly string[] = [
  `insert into tenants (id, tenant_id, name, created_at)
   select id, id, 'world-' || current_setting('bench.seed') || '-' || no, pg_temp.now() - interval '200 days' from world_tenants`,

  `insert into projects (id, tenant_id, name, created_at)
   select ${id('project', 'n')}, ${tenantOf}, case n when 5 then 'rare' else 'p' || n end, ${past('n')} from world_tenants t ${seq('6')}`,
  `insert into environments (id, tenant_id, project_id, name, kind, created_at)
   select ${id('environment', 'n')}, ${tenantOf}, p.id, kinds.name, kinds.kind, ${past('n')}
   from world_tenants t ${seq('24')} join projects p on p.tenant_id = t.id and p.name = case n / 4 when 5 then 'rare' else 'p' || n / 4 end
   join (values (0, 'development', 'development'), (1, 'staging', 'staging'), (2, 'production', 'production'), (3, 'sandbox', 'development'))
     as kinds (no, name, kind) on kinds.no = n % 4`,
  `insert into teams (id, tenant_id, name, created_at)
   select ${id('team', 'n')}, ${tenantOf}, case n when 0 then 'rare' else 'team-' || n end, ${past('n')} from world_tenants t ${seq('3 + t.size / 2000')}`,

  `insert into principals (id, tenant_id, kind, name, email, created_at, disabled_at)
   select ${id('principal', 'n')}, ${tenantOf}, case when n = 3 or n > 4 and n % 5 = 0 then 'service_account' else 'user' end,
     case n when 0 then 'admin' when 1 then 'member' when 2 then 'guest' when 3 then 'service' when 4 then 'rare' when 6 then 'of a team' when 8 then 'of a rare team'
     when 9 then 'of an environment' else 'person-' || n end,
     'n' || n || '@example.com', ${past('n')}, case when n in (7, 11) then pg_temp.now() end
   from world_tenants t ${seq('30 + t.size / 1000')}`,
  `insert into team_members (team_id, principal_id, tenant_id, created_at)
   select s.id, p.id, t.id, pg_temp.now() from world_tenants t join teams s on s.tenant_id = t.id and s.name in ('rare', 'team-1')
   join principals p on p.tenant_id = t.id and p.name like 'person-1%'`,
  `insert into role_grants (id, tenant_id, role, scope_kind, scope_id, principal_id, created_at)
   select ${id('grant', 'n')}, ${tenantOf}, case when n = 0 then 'admin' when n in (1, 2) then 'operator' else 'viewer' end,
     case when n = 0 then 'tenant' when n in (6, 8) then 'team' when n = 9 then 'environment' else 'project' end,
     case when n = 0 then t.id when n in (6, 8) then (select s.id from teams s where s.tenant_id = t.id and s.name = case n when 6 then 'team-1' else 'rare' end)
       when n = 9 then (select e.id from environments e join projects p on p.id = e.project_id where e.tenant_id = t.id and p.name = 'p0' and e.name = 'production')
       else (select p.id from projects p where p.tenant_id = t.id and p.name = case n when 2 then 'rare' else 'p0' end) end,
     o.id, ${past('n')}
   from world_tenants t join lateral (select *, row_number() over (order by id) - 1 as n from principals where tenant_id = t.id) o on true`,
  `insert into role_grants (id, tenant_id, role, scope_kind, scope_id, grantee_team_id, created_at)
   select ${id('team grant', 's.n')}, ${tenantOf}, 'viewer', 'team', s.id, s.id, pg_temp.now()
   from world_tenants t join lateral (select *, row_number() over (order by id) as n from teams where tenant_id = t.id) s on true`,
  `insert into api_keys (id, tenant_id, principal_id, name, secret_hash, roles, created_at, revoked_at)
   select ${id('key', 'o.n')}, ${tenantOf}, o.id, 'key', sha256(o.id::text::bytea), '{viewer}', ${past('o.n')}, case when o.n % 20 = 1 then pg_temp.now() end
   from world_tenants t join lateral (select *, row_number() over (order by id) - 1 as n from principals where tenant_id = t.id) o on true`,

  // Ten agents do nearly all the work, one hardly any, the rest of them none.
  `insert into agents (id, tenant_id, project_id, team_id, name, tags, status, created_by, created_at, updated_at, archived_at)
   select ${id('agent', 'n')}, ${tenantOf}, (select p.id from projects p where p.tenant_id = t.id and p.name = case n when 10 then 'rare' else 'p' || n % 5 end),
     (select s.id from teams s where s.tenant_id = t.id and s.name = case when n = 10 then 'rare' when n % 5 = 0 then 'team-1' end),
     case n when 10 then 'rare' else 'agent-' || n end, case n when 10 then '{rare,ops}' when 3 then '{}' else '{ops}' end::text[],
     case when n = 4 then 'paused' when n = 5 then 'deprecated' else 'active' end, ${principal('admin')}, ${past('n')}, ${past('n')},
     case when n > 10 and n % 10 = 0 then pg_temp.now() end
   from world_tenants t ${seq('12 + t.size / 2000')}`,
  `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
   select ${id('version', 'a.n * 3 + v')}, ${tenantOf}, a.id, v || '.0.0', w.definition, w.source, w.digest, ${principal('admin')}, pg_temp.now()
   from world_tenants t join lateral (select *, row_number() over (order by id) - 1 as n from agents where tenant_id = t.id) a on true
   cross join generate_series(0, 2) as v join agent_versions w on w.id = current_setting('bench.version')::uuid`,
  `insert into deployments (id, tenant_id, agent_id, environment_id, version_id, kind, created_by, created_at, superseded_at)
   select ${id('deployment', 'v.n')}, ${tenantOf}, v.agent_id, e.id, v.id, 'promote', ${principal('admin')}, pg_temp.now(), case when v.version <> '2.0.0' then pg_temp.now() end
   from world_tenants t join lateral (select *, row_number() over (order by id) as n from agent_versions where tenant_id = t.id) v on true
   join agents a on a.id = v.agent_id join environments e on e.project_id = a.project_id and e.name = 'production'`,

  `insert into policies (id, tenant_id, name, kind, mode, enabled, project_id, environment_id, agent_id, team_id, tag, version, created_by, created_at, updated_at)
   select ${id('policy', 'n')}, ${tenantOf}, case n when 4 then 'rare' else 'policy-' || n end,
     case when n = 4 then 'content' when n % 2 = 0 then 'tool_access' else 'destination' end, case when n = 4 then 'observe' else 'enforce' end, n <> 4,
     case when n = 4 then (select id from projects p where p.tenant_id = t.id and p.name = 'rare') end,
     case when n = 5 then (select e.id from environments e join projects p on p.id = e.project_id where e.tenant_id = t.id and p.name = 'rare' and e.name = 'sandbox') end,
     case when n = 6 then ${agent(`'rare'`)} end, case when n = 7 then (select id from teams s where s.tenant_id = t.id and s.name = 'rare') end,
     case when n = 8 then 'rare' end, 1, ${principal('admin')}, ${past('n')}, ${past('n')}
   from world_tenants t ${seq('20 + t.size / 10000')}`,
  `insert into policy_versions (policy_id, version, tenant_id, rules, created_by, created_at)
   select id, 1, tenant_id, '{"kind":"tool_access","rules":[]}', created_by, created_at from policies where tenant_id in (select id from world_tenants)`,

  `insert into kill_switches (id, tenant_id, scope, pattern, reason, engaged_by, engaged_at, released_by, released_at)
   select ${id('switch', 'n')}, ${tenantOf}, case when n % 7 = 0 then 'destination' else 'tool' end, 'x.' || n, 'trouble', ${principal('admin')}, ${past('n')},
     case when n <> 5 then ${principal('admin')} end, case when n <> 5 then pg_temp.now() end
   from world_tenants t ${seq('25 + t.size / 5000')}`,
  `insert into concurrency_limits (id, tenant_id, scope_kind, scope_id, max_running, updated_by, updated_at)
   select ${id('limit', 'a.n')}, ${tenantOf}, 'agent', a.id, 1000, ${principal('admin')}, pg_temp.now()
   from world_tenants t join lateral (select *, row_number() over (order by id) as n from agents where tenant_id = t.id) a on true`,
  `insert into data_grants (id, tenant_id, owner_agent_id, grantee_agent_id, kind, name, reason, granted_by, created_at, revoked_at)
   select ${id('data', 'n')}, ${tenantOf}, ${agent(`'agent-' || n % 5`)}, ${agent(`case n when 3 then 'rare' else 'agent-' || 5 + n % 5 end`)}, 'dataset', 'd' || n,
     'needed', ${principal('admin')}, pg_temp.now(), case when n <> 3 then pg_temp.now() end from world_tenants t ${seq('25 + t.size / 5000')}`,
  `insert into approval_delegations (id, tenant_id, from_principal_id, to_principal_id, starts_at, ends_at, reason, created_by, created_at)
   select ${id('delegation', 'n')}, ${tenantOf}, ${principal('member')}, case n when 3 then ${principal('rare')} else ${principal('guest')} end,
     pg_temp.now() - interval '2 days', pg_temp.now() + case n when 3 then interval '9 days' else interval '-1 day' end, 'away', ${principal('admin')}, pg_temp.now()
   from world_tenants t ${seq('25 + t.size / 2000')}`,
  `insert into tool_servers (id, tenant_id, name, url, headers, timeout_ms, concurrency, enabled, version, created_by, created_at, updated_at, status, circuit)
   select ${id('server', 'n')}, ${tenantOf}, 's' || n, 'https://example.com/' || n, '[]', 1000, 1, false, 1, ${principal('admin')}, pg_temp.now(), pg_temp.now(), 'unknown', 'closed'
   from world_tenants t ${seq('25')}`,
  `insert into webhooks (id, tenant_id, name, url, events, secret, enabled, created_by, created_at, updated_at)
   select ${id('webhook', 'n')}, ${tenantOf}, 'w' || n, 'https://example.com/' || n, '{approval.requested}', 'sealed', false, ${principal('admin')}, pg_temp.now(), pg_temp.now()
   from world_tenants t ${seq('25')}`,
  `insert into webhook_deliveries (id, tenant_id, webhook_id, event, payload, status, attempts, created_at, delivered_at)
   select ${id('delivery', 'n')}, ${tenantOf}, ${id('webhook', 'n % 25')}, 'approval.requested', '{}', 'delivered', 1, pg_temp.now(), pg_temp.now()
   from world_tenants t ${seq('t.size / 2')}`,
  // Switched off; where they stand is set when there is something to have caught up with.
  `insert into event_sinks (id, tenant_id, origin, name, kind, url, secret, types, max_attempts, max_age_seconds, status, transaction_id, execution_id, sequence,
     created_by, created_at, updated_at)
   select ${id('sink', 'n')}, ${tenantOf}, 'tenant', 'k' || n, 'webhook', 'https://example.com/' || n, 'sealed', '{}', 1, 60, 'paused',
     pg_snapshot_xmax(pg_current_snapshot()), t.id, 0, ${principal('admin')}, pg_temp.now(), pg_temp.now() from world_tenants t ${seq('25')}`,
  `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, created_at, dead_lettered_at)
   select ${id('dead delivery', 'n')}, ${tenantOf}, ${id('sink', 'n % 25')}, t.id, ${id('sink', 'n')}, 1, 'execution.queued', 'dead_lettered', 1, pg_temp.now(), pg_temp.now()
   from world_tenants t ${seq('t.size / 2')}`,
  `insert into policy_simulations (id, tenant_id, status, candidate, from_at, to_at, filter, total, processed, changed, requested_by, created_at, finished_at, request_digest, result)
   select ${id('simulation', 'n')}, ${tenantOf}, 'succeeded', '[]', pg_temp.now() - interval '9 days', pg_temp.now(), '{}', t.size, t.size, t.size / 4, ${principal('admin')}, pg_temp.now(), pg_temp.now(), 'x',
     null from world_tenants t ${seq('25 + t.size / 5000')}`,
];

export async function generateConfiguration(admin: pg.ClientBase, versionId: string): Promise<void> {
  await admin.query(`select set_config('bench.version', $1, false)`, [versionId]);
  for (const sql of statements) await admin.query(sql);
  await admin.query('analyze');
}
