// Where a policy applies: checks that the ids of a scope exist, fit together and are visible, and finds the place they stand for.
import type { UnitOfWork } from '../platform/database.ts';
import { NotFoundError, ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { can, type Authority, type Permission, type Place } from '../principals/permission.ts';
import type { PolicyScope } from './policy.ts';

type ScopeInput = { readonly [Key in keyof PolicyScope]?: PolicyScope[Key] | undefined };

/** An environment or an agent also names its project, so that the policy is found and managed with that project. */
export async function resolveScope(uow: UnitOfWork, actor: Authority, input: ScopeInput): Promise<{ scope: PolicyScope; place: Place }> {
  const project = await found(uow, actor, 'project', input.projectId);
  const environment = await found(uow, actor, 'environment', input.environmentId);
  const agent = await found(uow, actor, 'agent', input.agentId);
  const projectIds = new Set([project, environment, agent].flatMap((each) => (each ? [each.projectId] : [])));
  if (projectIds.size > 1) {
    throw new ValidationError([
      { path: 'scope', message: 'project, environment and agent are not of one project, so the policy would never apply' },
    ]);
  }
  const [projectId = null] = projectIds;
  const scope = { projectId, environmentId: environment?.id ?? null, agentId: agent?.id ?? null, tag: input.tag ?? null };
  return { scope, place: { projectId, environmentId: scope.environmentId, teamId: agent?.teamId ?? null } };
}

interface Found {
  readonly id: string;
  readonly projectId: string;
  readonly teamId: string | null;
}

const kinds = {
  project: { permission: 'project.read', sql: 'select id, id as "projectId", null as "teamId" from projects' },
  environment: { permission: 'project.read', sql: 'select id, project_id as "projectId", null as "teamId" from environments' },
  agent: { permission: 'agent.read', sql: 'select id, project_id as "projectId", team_id as "teamId" from agents' },
} as const satisfies Record<string, { permission: Permission; sql: string }>;

async function found(uow: UnitOfWork, actor: Authority, kind: keyof typeof kinds, id: string | null | undefined): Promise<Found | null> {
  if (id == null) return null;
  const { permission, sql } = kinds[kind];
  const [row] = isId(id) ? await uow.rows<Found>(`${sql} where tenant_id = $1 and id = $2`, [uow.tenantId, id]) : [];
  const place = row && { projectId: row.projectId, teamId: row.teamId, environmentId: kind === 'environment' ? row.id : null };
  if (!row || !can(actor, permission, place)) throw new NotFoundError(`scope.${kind}Id: there is no ${kind} "${id}"`);
  return row;
}
