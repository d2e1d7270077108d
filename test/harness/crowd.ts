// Many executions at once, and a second tenant beside them: copies of one that was started properly, made by SQL because starting tens of
// thousands would take the test's time. Each copy has the row and the event that its original has.
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import { digestOf } from '#src/platform/canonical.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { insertPlace, step, type Engine } from './engine.ts';

/** Puts `count` copies of a queued execution into its tenant's backlog; gives their ids, oldest first. */
export async function crowd(engine: Engine, original: Pick<ExecutionRow, 'id'>, count: number): Promise<string[]> {
  return engine.db.database.write(engine.tenantId, async (uow) => {
    const ids = Array.from({ length: count }, () => newId());
    await uow.rows(
      `insert into executions (id, tenant_id, project_id, environment_id, team_id, agent_id, agent_version_id, status, inputs, labels,
         request_digest, requested_by, requested_roles, created_at, last_sequence, priority, backlog_at)
       select copy, e.tenant_id, e.project_id, e.environment_id, e.team_id, e.agent_id, e.agent_version_id, 'queued', e.inputs, e.labels,
         e.request_digest, e.requested_by, e.requested_roles, e.created_at, 1, e.priority, e.created_at
       from executions e cross join unnest($3::uuid[]) as copy where e.tenant_id = $1 and e.id = $2`,
      [uow.tenantId, original.id, ids],
    );
    await uow.rows(
      `insert into execution_events (tenant_id, execution_id, sequence, type, data, occurred_at)
       select tenant_id, copy, 1, type, data, occurred_at from execution_events cross join unnest($3::uuid[]) as copy
       where tenant_id = $1 and execution_id = $2 and sequence = 1`,
      [uow.tenantId, original.id, ids],
    );
    await uow.rows('select jobs.admit_soon($1::uuid)', [uow.tenantId]);
    return ids;
  });
}

export interface Neighbour {
  readonly tenantId: string;
  readonly operator: Authority;
  /** Starts an execution with these steps. */
  start(steps: readonly Partial<StepDefinition>[]): Promise<ExecutionRow>;
}

/** Another tenant in the same database. */
export async function neighbourOf({ db, services }: Engine, tools: readonly string[]): Promise<Neighbour> {
  const [tenantId, projectId, environmentId, principalId] = [newId(), newId(), newId(), newId()];
  const operator: Authority = {
    ...{ tenantId, principalId, principalName: 'neighbour', principalKind: 'user', isOperatorTenant: false },
    grants: [{ role: 'operator', kind: 'tenant', scopeId: tenantId }],
  };
  await db.database.write(tenantId, async (uow) => {
    await insertPlace(uow, projectId, environmentId);
    await uow.rows(`insert into principals (id, tenant_id, kind, name, created_at) values ($1, $2, 'user', 'neighbour', now())`, [
      principalId,
      tenantId,
    ]);
  });
  return {
    tenantId,
    operator,
    async start(steps) {
      const definition: Definition = {
        ...{ name: 'agent', version: '1.0.0', description: '', tags: [], destinations: [], tools: [...tools], inputs: { type: 'object' } },
        capabilities: { read: true, write: true, notify: true, execute: true },
        steps: steps.map(step),
      };
      const [agentId, versionId] = [newId(), newId()];
      await db.database.write(tenantId, async (uow) => {
        await uow.rows(
          `insert into agents (id, tenant_id, project_id, name, status, created_by, created_at, updated_at)
           values ($1, $2, $3, $4, 'active', $5, now(), now())`,
          [agentId, tenantId, projectId, `a-${agentId}`, principalId],
        );
        await uow.rows(
          `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
           values ($1, $2, $3, $4, $5::jsonb, '', $6, $7, now())`,
          [versionId, tenantId, agentId, definition.version, JSON.stringify(definition), digestOf(definition), principalId],
        );
        await uow.rows(
          `insert into deployments (id, tenant_id, agent_id, environment_id, version_id, kind, created_by, created_at)
           values ($1, $2, $3, $4, $5, 'promote', $6, now())`,
          [newId(), tenantId, agentId, environmentId, versionId, principalId],
        );
      });
      return db.database.write(tenantId, (uow) =>
        services.executions.startExecution(uow, operator, { agentId, environmentId, inputs: {} }),
      );
    },
  };
}
