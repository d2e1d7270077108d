// Where a policy applies: checks that what its scopes name exists, fits together and is visible, and finds the places they stand for.
import type { UnitOfWork } from '../platform/database.ts';
import { NotFoundError, ValidationError } from '../platform/errors.ts';
import { isId } from '../platform/ids.ts';
import { can, type Authority, type Permission, type Place } from '../authority/permission.ts';
import { readByIds } from '../tenants/tenant-reads.ts';
import { everywhere } from '../rules/policy-places.ts';
import type { PolicyScope } from '../rules/policy.ts';

export type ScopeInput = { readonly [Key in keyof PolicyScope]?: PolicyScope[Key] | undefined };

export interface ResolvedScope {
  readonly scope: PolicyScope;
  /** Where the permission to manage it is needed. */
  readonly place: Place;
}

/** The path of a policy's n-th scope: its own, then those of its attachments. */
export const scopePath = (index: number): string => (index === 0 ? 'scope' : `attachments[${index - 1}].scope`);

/** A scope of a policy with its path in the input. */
export interface WrittenScope {
  readonly path: string;
  readonly input: ScopeInput;
}

/**
 * An environment or an agent also names its project, so that the policy is found and managed with that project. The number of
 * statements does not grow with the number of scopes.
 */
export async function resolveScopes(uow: UnitOfWork, actor: Authority, written: readonly WrittenScope[]): Promise<ResolvedScope[]> {
  const ids = (field: keyof PolicyScope) => written.flatMap(({ input }) => input[field] ?? []);
  const found: Record<PlaceKind, ReadonlyMap<string, Found>> = {
    project: await findByIds(uow, actor, 'project', ids('projectId')),
    environment: await findByIds(uow, actor, 'environment', ids('environmentId')),
    agent: await findByIds(uow, actor, 'agent', ids('agentId')),
    team: await findTeams(uow, actor, ids('teamId')),
  };
  return written.map(({ path, input }) => {
    const get = (kind: PlaceKind): Found | null => {
      const id = input[`${kind}Id`];
      if (id == null) return null;
      const row = found[kind].get(id);
      if (!row) throw new NotFoundError(`${path}.${kind}Id: there is no ${kind} "${id}"`);
      return row;
    };
    return fitting({ project: get('project'), environment: get('environment'), agent: get('agent'), team: get('team') }, input, path);
  });
}

export type PlaceKind = 'project' | 'environment' | 'agent' | 'team';

export interface Found {
  readonly id: string;
  readonly name: string;
  readonly projectId: string | null;
  readonly teamId: string | null;
}

function fitting({ project, environment, agent, team }: Record<PlaceKind, Found | null>, input: ScopeInput, path: string): ResolvedScope {
  const projectIds = new Set([project, environment, agent].flatMap((each) => each?.projectId ?? []));
  if (projectIds.size > 1) {
    throw new ValidationError([
      { path, message: 'project, environment and agent are not of one project, so the policy would never apply' },
    ]);
  }
  if (agent && team && agent.teamId !== team.id) {
    throw new ValidationError([
      { path, message: `the agent "${agent.name}" is not in the team "${team.name}", so the policy would never apply` },
    ]);
  }
  const [projectId = null] = projectIds;
  const scope = {
    projectId,
    environmentId: environment?.id ?? null,
    agentId: agent?.id ?? null,
    teamId: team?.id ?? null,
    tag: input.tag ?? null,
    tool: input.tool ?? null,
  };
  return { scope, place: placeOfScope(scope, agent?.teamId ?? null) };
}

/** Two attachments to one place would say two things of the same effects. */
export function refuseRepeated(scopes: readonly PolicyScope[]): void {
  const known = new Map<string, number>();
  for (const [index, scope] of scopes.entries()) {
    const key = JSON.stringify(Object.values({ ...everywhere, ...scope }));
    const first = known.get(key);
    if (first !== undefined) {
      throw new ValidationError([
        { path: scopePath(index), message: `is the same place as ${scopePath(first)}`, expected: 'each place once' },
      ]);
    }
    known.set(key, index);
  }
}

/** Its narrowest part; the tenant when it has none (or only a tag or tools). The team: its own, else that of its agent. */
export const placeOfScope = ({ projectId, environmentId, teamId }: PolicyScope, agentTeamId: string | null): Place => ({
  projectId,
  environmentId,
  teamId: teamId ?? agentTeamId,
});

/** The places of scopes that are stored, in one statement at most. */
export async function placesOfScopes(uow: UnitOfWork, scopes: readonly PolicyScope[]): Promise<Place[]> {
  const agentIds = scopes.flatMap(({ agentId }) => agentId ?? []);
  const rows =
    agentIds.length === 0
      ? []
      : await uow.rows<{ id: string; teamId: string | null }>(
          'select id, team_id as "teamId" from agents where tenant_id = $1 and id = any($2::uuid[])',
          [uow.tenantId, agentIds],
        );
  const teams = new Map(rows.map(({ id, teamId }) => [id, teamId]));
  return scopes.map((scope) => placeOfScope(scope, scope.agentId === null ? null : (teams.get(scope.agentId) ?? null)));
}

const tables = {
  project: { permission: 'project.read', sql: 'select id, name, id as "projectId", null as "teamId" from projects' },
  environment: { permission: 'project.read', sql: 'select id, name, project_id as "projectId", null as "teamId" from environments' },
  agent: { permission: 'agent.read', sql: 'select id, name, project_id as "projectId", team_id as "teamId" from agents' },
} as const satisfies Record<string, { permission: Permission; sql: string }>;

export async function find(
  uow: UnitOfWork,
  actor: Authority,
  kind: keyof typeof tables,
  condition: string,
  params: readonly (readonly string[])[],
): Promise<Found[]> {
  if (params.some((values) => values.length === 0)) return [];
  const { permission, sql } = tables[kind];
  const rows = await uow.rows<Found>(`${sql} where tenant_id = $1 and ${condition}`, [uow.tenantId, ...params]);
  return rows.filter((row) =>
    can(actor, permission, { projectId: row.projectId, teamId: row.teamId, environmentId: kind === 'environment' ? row.id : null }),
  );
}

async function findByIds(uow: UnitOfWork, actor: Authority, kind: keyof typeof tables, ids: readonly string[]) {
  return new Map((await find(uow, actor, kind, 'id = any($2::uuid[])', [ids.filter(isId)])).map((row) => [row.id, row]));
}

export async function findTeams(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<ReadonlyMap<string, Found>> {
  const teams = await readByIds(uow, actor, 'teams', ids);
  return new Map(teams.map(({ id, name }) => [id, { id, name, projectId: null, teamId: id }]));
}
