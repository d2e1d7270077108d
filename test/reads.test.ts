// Every list and filter of the API reads few rows, however many there are: by counts of what Postgres looked at, not by time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { toGlobalId } from '#schema/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { casesOf, pairsOf, type ReadCase } from '../bench/reads/cases.ts';
import { missingCases, rowsIn, runCase } from '../bench/reads/operations.ts';
import { recording, touchedBy } from '../bench/reads/touched.ts';
import { generateWorld, homeOf, people, worldDefinition, type Home, type Person } from '../bench/reads/world.ts';
import { describeTool } from '#src/tools/tool.ts';
import { serverUrl } from './harness/database.ts';
import { testServer, type TestServer } from './harness/graphql.ts';

let server: TestServer;
let admin: pg.Client;
let home: Home;

before(async () => {
  server = await testServer();
  const { services, people } = server;
  const { admin: actor, write } = people.operator;
  const versionId = await write(async (uow) => {
    const tool = { name: 'work', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } } as const;
    await services.tools.syncDefinitions(uow, 'bench', [describeTool('bench', tool)]);
    const project = await services.tenants.createProject(uow, actor, { name: 'pattern' });
    const agent = await services.agents.createAgent(uow, actor, { projectId: project.id, name: 'pattern' });
    return (await services.agents.publishAgentVersion(uow, actor, { agentId: agent.id, definition: worldDefinition })).id;
  });
  admin = new pg.Client({ connectionString: serverUrl(new URL(server.ownerUrl).pathname.slice(1)) });
  await admin.connect();
  const until = new Date();
  await generateWorld({ admin, versionId, executions: 8_006, tenants: 6, largestShare: 0.9, seed: 1, until, say: () => undefined });
  home = await homeOf(admin, 1, 1);
});

after(async () => {
  await admin?.end();
  await server?.close();
});

test('the world has as many executions as were asked for', async () => {
  const { rows } = await admin.query('select count(*)::int as executions from executions');
  assert.deepEqual(rows, [{ executions: 8_006 }]);
});

test('the event sinks of the world are caught up', async () => {
  const { rows } = await admin.query(
    'select count(*)::int as sinks, max(lag.events) as behind from event_sinks s cross join lateral eventbus.lag(s.id, 1000) as lag where s.tenant_id = $1',
    [home.tenantId],
  );
  assert.deepEqual(rows, [{ sinks: 25, behind: 0 }]);
});

test('every list and every filter has a case', () => {
  assert.deepEqual(missingCases(casesOf(home)), []);
});

/** Tables of which a tenant has thousands of rows here; of the others Postgres rightly reads all. */
const large = /^(executions|execution_events|execution_labels|steps|attempts|decisions|simulation_changes|webhook_deliveries)/;
/** Of one page of 20, over places and statuses. With an index lost there are thousands. */
const mostRows = 1_000;

/**
 * Two common conditions that no index has together are looked through until enough of both are found: how far depends on how often both come,
 * not on how much there is. What hardly ever comes would be looked for among thousands.
 */
const mostRowsOfTwo = 2_500;

/** What this person's cases look at too much of, and how many tables were looked at. */
async function looksAtMuch(who: Person, cases: readonly ReadCase[], most = mostRows) {
  const { database, services } = server;
  const authority = (await database.read(home.tenantId, (uow) => loadAuthority(uow, home.principals[who]))) as Authority;
  const recorded = recording(database);
  const tooMany: string[] = [];
  let looked = 0;
  for (const each of cases) {
    try {
      await runCase({ services, database: recorded.database, authority }, each);
    } catch (error) {
      // What one may not list at all costs nothing; whoever may everything is refused nothing.
      if (who !== 'admin' && error instanceof AggregateError && /you do not hold|there is no/.test(error.message)) continue;
      throw error;
    }
    const { tables } = await touchedBy(database, home.tenantId, recorded.take());
    looked += tables.length;
    for (const [table, rows] of tables) {
      // A common policy is in a common team a second condition.
      const isOfTwo = who === 'of a team' && each.field === 'Query.decisions' && each.name === 'policy';
      if (large.test(table) && rows > (isOfTwo ? mostRowsOfTwo : most)) tooMany.push(`${each.field} (${each.name}): ${rows} of ${table}`);
    }
  }
  return { tooMany, looked };
}

for (const who of people) {
  test(`whatever is listed, few rows are looked at (${who})`, async () => {
    const { tooMany, looked } = await looksAtMuch(who, casesOf(home));
    assert.deepEqual(tooMany, []);
    assert.ok(looked > 100, `${looked} tables`);
  });
}

for (const who of ['admin', 'of a team'] as const) {
  test(`whatever two filters are combined, few rows are looked at (${who})`, async () => {
    // What hardly ever comes is what could be looked for; the team, which is a condition of its own, is asked no more than that.
    const pairs = pairsOf(casesOf(home)).filter(({ name }) => who === 'admin' || /rare/.test(name));
    const { tooMany, looked } = await looksAtMuch(who, pairs, mostRowsOfTwo);
    assert.deepEqual(tooMany, []);
    assert.ok(looked > pairs.length, `${looked} tables`);
  });
}

/** What it looks at of a table (or index) by its name. */
async function rowsLookedAt(who: Person, asked: ReadCase) {
  const { database, services } = server;
  const authority = (await database.read(home.tenantId, (uow) => loadAuthority(uow, home.principals[who]))) as Authority;
  const recorded = recording(database);
  await runCase({ services, database: recorded.database, authority }, asked);
  return new Map((await touchedBy(database, home.tenantId, recorded.take())).tables);
}

/** Of tables of every size: with an index lost, a case looks at several times as much as with it. docs/performance.md names the indexes that nothing here notices. */
for (const [index, list, name, who] of [
  ['approvals_environment', 'approvals', 'rare environment', 'admin'],
  ['approvals_execution', 'approvals', 'of an execution', 'admin'],
  ['approvals_team', 'approvalMetrics', 'all', 'of a team'],
  ['approvals_tenant', 'approvals', 'rare status', 'admin'],
  ['audit_events_action', 'auditEvents', 'rare action', 'member'],
  ['audit_events_principal', 'auditEvents', 'rare principal', 'admin'],
  ['audit_events_project', 'auditEvents', 'rare project', 'admin'],
  ['audit_events_subject', 'auditEvents', 'subject', 'admin'],
  ['audit_events_subject_name', 'auditEvents', 'name of a subject', 'admin'],
  ['audit_events_trace_id', 'auditEvents', 'trace', 'admin'],
  ['decisions_agent', 'decisions', 'rare effect of an agent', 'admin'],
  ['decisions_environment', 'decisions', 'rare effect', 'member'],
  ['decisions_execution', 'decisions', 'of an execution', 'admin'],
  ['decisions_judged', 'decisions', 'rare policy', 'admin'],
  ['decisions_output', 'decisions', 'rare action', 'admin'],
  ['decisions_principal', 'decisions', 'rare principal', 'admin'],
  ['decisions_refused', 'decisions', 'rare effect', 'admin'],
  ['decisions_team', 'decisions', 'all', 'of a rare team'],
  ['decisions_tool', 'decisions', 'rare tool', 'admin'],
  ['executions_agent', 'executions', 'rarely failing agent', 'admin'],
  ['executions_children', 'executions', 'children', 'admin'],
  ['executions_environment', 'executions', 'rare status', 'member'],
  ['executions_origin', 'executions', 'reruns of one', 'admin'],
  ['executions_parent', 'executions', 'children of one', 'admin'],
  ['executions_status', 'executions', 'rare status', 'admin'],
  ['executions_team_newest', 'executions', 'all', 'of a rare team'],
] as const) {
  test(`without the index ${index}, ${list} (${name}, ${who}) is seen to look at too many rows`, async () => {
    const asked = casesOf(home).find((each) => each.field === `Query.${list}` && each.name === name);
    const before = await rowsLookedAt(who, asked!);
    const { rows } = await admin.query<{ sql: string }>(`select pg_get_indexdef($1::regclass) as sql`, [index]);
    await admin.query(`drop index ${index}`);
    const without = await rowsLookedAt(who, asked!);
    await admin.query(rows[0]!.sql.replace(' ON ONLY ', ' ON '));
    const tooMany = [...without].filter(([table, looked]) => looked > 3 * (before.get(table) ?? 0) + 150);
    assert.notDeepEqual(tooMany, [], JSON.stringify([[...before], [...without]]));
  });
}

test('among thousands of dead letters of one team, what is rare is found at once', async () => {
  await admin.query(
    `insert into steps select (jsonb_populate_record(s, jsonb_build_object('step_id', s.step_id || n))).*
     from steps s cross join generate_series(1, 100) as n
     where s.tenant_id = $1 and s.team_id = $2 and s.environment_id <> $3 and s.failure_code <> 'RARE'`,
    [home.tenantId, home.teams['team-1'], home.environments['p0/sandbox']],
  );
  await admin.query('analyze steps');
  const rare = casesOf(home).filter(({ field, name }) => field === 'Query.deadLetters' && name.startsWith('rare '));
  assert.equal(rare.length, 4);
  for (const each of rare) {
    const looked = (await rowsLookedAt('of a team', each)).get('steps')!;
    assert.ok(looked < 300, `${each.name}: ${looked}`);
  }
});

test('among thousands that wait for others, what one can decide is found at once', async () => {
  await admin.query(
    `insert into approvals select (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid()))).*
     from approvals a cross join generate_series(1, 100)
     where a.tenant_id = $1 and a.status = 'pending' and a.terms <> '{"stages":[]}'`,
    [home.tenantId],
  );
  await admin.query('analyze approvals, approval_approvers');
  const { rows } = await admin.query(`select from approvals where tenant_id = $1 and status = 'pending'`, [home.tenantId]);
  assert.ok(rows.length > 4_000, `${rows.length}`);
  const cases = [...casesOf(home), ...pairsOf(casesOf(home))].filter(({ name }) => name.endsWith('that I can decide'));
  assert.ok(cases.length > 10, `${cases.length}`);
  for (const who of people) {
    for (const each of cases) {
      const looked = await rowsLookedAt(who, each);
      const most = Math.max(...['approvals', 'approval_approvers'].map((table) => looked.get(table) ?? 0));
      // What else is asked for is counted first, each as far as 200.
      assert.ok(most < 900, `${who}, ${each.name}: ${JSON.stringify([...looked])}`);
    }
  }
});

test('somebody of a team sees what an agent did for it, also when the agent has been taken from it', async () => {
  const { database, services } = server;
  const authorityOf = (who: Person) =>
    database.read(home.tenantId, (uow) => loadAuthority(uow, home.principals[who])) as Promise<Authority>;
  const [authority, operator] = [await authorityOf('of a team'), await authorityOf('admin')];
  const seen = async (name: string) =>
    Promise.all(
      ['executions', 'decisions'].map(async (list) => {
        const answer = await runCase(
          { services, database, authority },
          { field: `Query.${list}`, name: 'agent', args: { filter: { agentId: toGlobalId('Agent', home.agents[name]!) } } },
        );
        return rowsIn(answer);
      }),
    );
  assert.deepEqual(await seen('agent-0'), [20, 20]);
  assert.deepEqual(await seen('agent-1'), [0, 0]);
  for (const teamId of [home.teams['rare']!, null])
    await database.write(home.tenantId, (uow) => services.agents.updateAgent(uow, operator, { agentId: home.agents['agent-0']!, teamId }));
  assert.deepEqual(await seen('agent-0'), [20, 20]);
});

test('a status that is common, and not in one’s team, is not looked for among all of the team: an index has both', async () => {
  const { rowCount } = await admin.query(
    `update executions set status = 'cancelled' where tenant_id = $1 and team_id is distinct from $2 and status = 'succeeded'`,
    [home.tenantId, home.teams['team-1']],
  );
  assert.ok(rowCount! > 1_000, `${rowCount}`);
  await admin.query(`update executions set status = 'failed' where tenant_id = $1 and team_id = $2 and status = 'cancelled'`, [
    home.tenantId,
    home.teams['team-1'],
  ]);
  await admin.query('analyze executions');
  const asked: ReadCase = { field: 'Query.executions', name: 'of a status', args: { filter: { status: ['CANCELLED'] } } };
  const looked = async () => (await rowsLookedAt('of a team', asked)).get('executions')!;
  // Of both conditions there are more than 200, and 201 of each are counted.
  assert.ok((await looked()) < 450, `${await looked()}`);
  await admin.query('drop index executions_team');
  assert.ok((await looked()) > 1_000, `${await looked()}`);
});
