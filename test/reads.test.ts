// Every list and filter of the API reads few rows, however many there are: by counts of what Postgres looked at, not by time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import type { Authority } from '#src/authority/permission.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { casesOf, type ReadCase } from '../bench/reads/cases.ts';
import { missingCases, runCase } from '../bench/reads/operations.ts';
import { recording, touchedBy } from '../bench/reads/touched.ts';
import { generateWorld, homeOf, worldDefinition, type Home } from '../bench/reads/world.ts';
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
  await generateWorld({ admin, versionId, executions: 8_000, tenants: 4, largestShare: 0.9, seed: 1, until, say: () => undefined });
  home = await homeOf(admin, 1, 1);
});

after(async () => {
  await admin?.end();
  await server?.close();
});

test('every list and every filter has a case', () => {
  assert.deepEqual(missingCases(casesOf(home)), []);
});

/** Tables of which a tenant has thousands of rows here; of the others Postgres rightly reads all. */
const large = /^(executions|execution_events|execution_labels|steps|attempts|decisions|simulation_changes|webhook_deliveries)/;
/** Of one page of 20, over places and statuses. With an index lost there are thousands. */
const mostRows = 1_000;

/** What this person's cases look at too much of, and how many tables were looked at. */
async function looksAtMuch(who: 'admin' | 'member' | 'guest', cases: readonly ReadCase[]) {
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
      if (large.test(table) && rows > mostRows) tooMany.push(`${each.field} (${each.name}): ${rows} of ${table}`);
    }
  }
  return { tooMany, looked };
}

for (const who of ['admin', 'member', 'guest'] as const) {
  test(`whatever the ${who} lists, few rows are looked at`, async () => {
    const { tooMany, looked } = await looksAtMuch(who, casesOf(home));
    assert.deepEqual(tooMany, []);
    assert.ok(looked > 100, `${looked} tables`);
  });
}

for (const [index, list, name] of [
  ['executions_status', 'Query.executions', 'rare status'],
  ['decisions_judged', 'Query.decisions', 'rare policy'],
  ['decisions_tool', 'Query.decisions', 'rare tool'],
] as const) {
  test(`without the index ${index}, ${list} (${name}) is seen to look at too many rows`, async () => {
    const cases = casesOf(home).filter((each) => each.field === list && each.name === name);
    assert.equal(cases.length, 1);
    const { rows } = await admin.query<{ sql: string }>(`select pg_get_indexdef($1::regclass) as sql`, [index]);
    await admin.query(`drop index ${index}`);
    const { tooMany } = await looksAtMuch('admin', cases);
    await admin.query(rows[0]!.sql.replace(' ON ONLY ', ' ON '));
    assert.ok(tooMany[0]?.startsWith(`${list} (${name}): `), tooMany.join());
    assert.deepEqual((await looksAtMuch('admin', cases)).tooMany, []);
  });
}
