// What a benchmark runs on: one Postgres of its own with durable settings (fsync and synchronous commit on), a migrated database
// with one tenant and an agent of three steps, and databases of their own for peers. All gone afterwards.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createServices, type Services } from '#src/app.ts';
import { migrate } from '#src/migrate.ts';
import { ormOptions } from '#src/orm.ts';
import { systemClock as clock } from '#src/platform/clock.ts';
import { openDatabase, type Database } from '#src/platform/database.ts';
import { startEmbeddedPostgres } from '#src/platform/embedded-postgres.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import { loadAuthority } from '#src/principals/authority-reads.ts';
import { createAuthenticator } from '#src/principals/authenticate.ts';
import { ensureFirstTenant } from '#src/principals/bootstrap.ts';
import type { Authority } from '#src/authority/permission.ts';
import { describeTool } from '#src/tools/tool.ts';

/** What a process needs to work on the benchmark's tenant; travels as JSON. */
export interface Place {
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly environmentId: string;
  /** Starts executions. */
  readonly authority: Authority;
  /** Decides approvals: nobody may decide their own. */
  readonly reviewer: Authority;
}

export interface Stand {
  readonly place: Place;
  readonly services: Services;
  readonly database: Database;
  /** As superuser, in the migrated database. */
  readonly admin: pg.Client;
  readonly postmasterPid: number;
  /** For a program that keeps files of its own. */
  newFolder(name: string): string;
  /** The newest execution of an agent that has succeeded. */
  lastSucceeded(agentId: string): Promise<string>;
  /** A new empty database on the same server; its URL has all rights there. */
  createDatabase(name: string): Promise<string>;
  /** Tells Postgres what its tables hold by now, as it finds out by itself within a minute: a plan for an empty table is a bad one later. */
  analyze(): Promise<void>;
  /** Publishes an agent of these steps (YAML, indented by four) and puts it live; its id. */
  agent(name: string, steps: string): Promise<string>;
  close(): Promise<void>;
}

export const tool = describeTool('bench', {
  name: 'work',
  description: 'Gives back its number plus one, at once.',
  inputSchema: { type: 'object', properties: { number: { type: 'number' } }, required: ['number'], additionalProperties: false },
  annotations: { readOnlyHint: true },
});

/** Each step takes what the one before gave. */
export const threeSteps = `
    - id: one
      tool: bench.work
      with: { number: "\${{ inputs.number }}" }
    - id: two
      tool: bench.work
      with: { number: "\${{ steps.one.output.structured.number }}" }
    - id: three
      tool: bench.work
      with: { number: "\${{ steps.two.output.structured.number }}" }
`;

export const quiet = createLogger({ level: 'silent' });

const serverSettings = {
  max_connections: '400',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.max': '10000',
  'pg_stat_statements.track_planning': 'on',
};

export async function openStand(): Promise<Stand> {
  const opening = new AsyncDisposableStack();
  try {
    const folder = mkdtempSync(join(tmpdir(), `signalbox-bench-${process.pid}-`));
    opening.defer(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755); // Postgres may run as another user than this process
    const log = { info: () => undefined, warn: console.error, error: console.error };
    const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), log, serverSettings });
    opening.defer(() => postgres.stop());
    const { ownerUrl, appUrl, appRole, appPassword } = postgres;
    await migrate({ ownerUrl, appRole, appPassword });
    const admin = new pg.Client({ connectionString: inDatabase(postgres.adminUrl, 'signalbox') });
    await admin.connect();
    opening.defer(() => admin.end());
    await admin.query('create extension pg_stat_statements');
    const database = await openDatabase(ormOptions({ url: appUrl, poolMax: 10 }));
    opening.defer(() => database.close());
    const services = createServices({ clock, database, logger: quiet });
    opening.defer(() => services.feed.close());

    const { authority, reviewer, projectId, environmentId } = await firstRows(database, services);
    const others: string[] = [];
    const closing = opening.move();
    return {
      place: { ownerUrl, appUrl, environmentId, authority, reviewer },
      services,
      database,
      admin,
      postmasterPid: Number(readFileSync(join(folder, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0]),
      newFolder(name) {
        mkdirSync(join(folder, name));
        return join(folder, name);
      },
      async lastSucceeded(agentId) {
        const { rows } = await admin.query<{ id: string }>(
          `select id from executions where agent_id = $1 and status = 'succeeded' order by id desc limit 1`,
          [agentId],
        );
        if (!rows[0]) throw new Error("no execution of the benchmark's agent has succeeded");
        return rows[0].id;
      },
      async createDatabase(name) {
        await admin.query(`create database ${pg.escapeIdentifier(name)}`);
        const url = inDatabase(postgres.adminUrl, name);
        others.push(url);
        return url;
      },
      async analyze() {
        await admin.query('analyze');
        for (const connectionString of others) {
          const client = new pg.Client({ connectionString });
          await client.connect();
          await client.query('analyze');
          await client.end();
        }
      },
      async agent(name, steps) {
        const definition = `
apiVersion: signalbox/v1
kind: Agent
metadata: { name: ${name}, project: bench, tags: [bench] }
spec:
  version: 1.0.0
  inputs: { type: object, properties: { number: { type: number } } }
  capabilities: { read: true }
  tools: [bench.work]
  steps:${steps}`;
        return database.write(authority.tenantId, async (uow) => {
          const agent = await services.agents.createAgent(uow, authority, { projectId, name, tags: ['bench'] });
          await services.agents.publishAgentVersion(uow, authority, { agentId: agent.id, definition });
          await services.agents.activateAgent(uow, authority, { agentId: agent.id });
          await services.agents.promoteAgentVersion(uow, authority, { agentId: agent.id, environmentId, version: '1.0.0' });
          return agent.id;
        });
      },
      close: () => closing.disposeAsync(),
    };
  } catch (error) {
    await opening.disposeAsync();
    throw error;
  }
}

/** One tenant, its project and environment, the tool, and policies that let it pass. */
async function firstRows(database: Database, { tenants, tools, policies, principals, grants }: Services) {
  const authority = await firstAuthority(database);
  return database.write(authority.tenantId, async (uow) => {
    const project = await tenants.createProject(uow, authority, { name: 'bench' });
    const environment = await tenants.createEnvironment(uow, authority, { projectId: project.id, name: 'bench', kind: 'staging' });
    await tools.syncDefinitions(uow, tool.server, [tool]);
    await policies.createPolicy(uow, authority, {
      name: 'only-these',
      kind: 'tool_access',
      rules: [{ effect: 'allow', tools: ['bench.*'] }],
    });
    await policies.createPolicy(uow, authority, {
      name: 'ask-when-risky',
      kind: 'approval_required',
      rules: [{ risk: { atLeast: 'high' }, reason: 'A person looks at this.' }],
    });
    const { id: principalId } = await principals.createPrincipal(uow, authority, {
      kind: 'user',
      name: 'Reviewer',
      email: 'r@example.com',
    });
    await grants.grantRole(uow, authority, { principalId, role: 'reviewer', scopeKind: 'project', scopeId: project.id });
    const reviewer = (await loadAuthority(uow, principalId))!;
    return { authority, reviewer, projectId: project.id, environmentId: environment.id };
  });
}

/** The administrator of the first tenant of a new database. */
export async function firstAuthority(database: Database): Promise<Authority> {
  const first = await ensureFirstTenant(database, clock);
  if (!first.created) throw new Error("the benchmark's database is not empty");
  const authenticator = createAuthenticator({ database, clock, issuers: [] });
  const authority = await authenticator.authenticate(first.adminKey);
  await authenticator.close();
  return authority;
}

/** An id no row has: programs of peers name what they keep by it. */
export const freshName = (prefix: string): string => `${prefix}-${newId()}`;

export function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
