// A tenant with projects, environments, an agent and people, for tests of policies, the gate and approvals.
import type { Database } from '#src/platform/database.ts';
import { newId } from '#src/platform/ids.ts';
import type { GateInput } from '#src/rules/gate.ts';
import type { Authority, Grant, Role } from '#src/authority/permission.ts';

export interface World {
  readonly tenantId: string;
  readonly projectId: string;
  readonly otherProjectId: string;
  readonly environmentId: string;
  readonly teamId: string;
  readonly agentId: string;
  /** A stored principal with these grants. */
  person(name: string, ...grants: Grant[]): Promise<Authority>;
  /** `role` on the tenant, a project, an environment or a team of this world. */
  on(role: Role, kind?: Grant['kind'], scopeId?: string): Grant;
}

export async function createWorld(database: Database): Promise<World> {
  const [tenantId, projectId, otherProjectId, environmentId, teamId, agentId] = [newId(), newId(), newId(), newId(), newId(), newId()];
  const write = (sql: string, params: unknown[]) => database.write(tenantId, (uow) => uow.rows(sql, params));
  await write(`insert into tenants (id, tenant_id, name, created_at) values ($1, $1, $2, now())`, [tenantId, `t-${tenantId}`]);
  await write(`insert into projects (id, tenant_id, name, created_at) values ($1, $3, 'demo', now()), ($2, $3, 'other', now())`, [
    projectId,
    otherProjectId,
    tenantId,
  ]);
  await write(
    `insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, 'production', 'production', now())`,
    [environmentId, tenantId, projectId],
  );
  await write(`insert into teams (id, tenant_id, name, created_at) values ($1, $2, 'ops', now())`, [teamId, tenantId]);
  await write(
    `insert into agents (id, tenant_id, project_id, team_id, name, status, created_by, created_at, updated_at)
     values ($1, $2, $3, $4, 'log-triage', 'active', $1, now(), now())`,
    [agentId, tenantId, projectId, teamId],
  );
  return {
    tenantId,
    projectId,
    otherProjectId,
    environmentId,
    teamId,
    agentId,
    async person(name, ...grants) {
      const principalId = newId();
      await write(`insert into principals (id, tenant_id, kind, name, created_at) values ($1, $2, 'user', $3, now())`, [
        principalId,
        tenantId,
        `${name}-${principalId}`,
      ]);
      return { tenantId, principalId, principalName: name, principalKind: 'user', isOperatorTenant: false, grants };
    },
    on: (role, kind = 'tenant', scopeId = tenantId) => ({ role, kind, scopeId, projectId: kind === 'environment' ? projectId : undefined }),
  };
}

/** A call of `files.write_file` that the agent's definition covers. */
export function toolCall(change: Partial<GateInput> = {}, tool: Partial<NonNullable<GateInput['tool']>> = {}): GateInput {
  const called = { name: 'files.write_file', digest: 'd', risk: 'high', capability: 'write', ...tool } as const;
  return {
    action: 'tool.call',
    tenantId: 'tenant',
    projectId: 'project',
    environmentId: 'environment',
    environmentKind: 'production',
    agentId: 'agent',
    agentName: 'log-triage',
    agentVersion: '1.2.0',
    agentTags: ['ops'],
    teamId: null,
    agentCapabilities: ['read', called.capability],
    agentTools: ['files.read_text_file', called.name],
    principalId: '00000000-0000-7000-8000-000000000001',
    roles: ['operator'],
    tool: called,
    arguments: { path: 'report.md' },
    at: '2026-11-21T00:00:00.000Z',
    ...change,
  };
}
