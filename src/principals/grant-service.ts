// Use cases of role grants: who may do what where. The only file that writes `role_grants`, besides what goes with a deleted place.
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ForbiddenError, NotFoundError, type Problem } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { findVisible } from '../tenants/tenant-reads.ts';
import { refuse } from '../tenants/tenant.ts';
import { requirePermission } from '../authority/authorize.ts';
import { readGrantPage, readGrantPages, readVisibleGrants, type RoleGrantFilter, type RoleGrantRow } from './grant-reads.ts';
import { holdsGrant } from '../authority/grants.ts';
import { can, roles, type Authority, type Grant, type Permission, type Place, type Role, type ScopeKind } from '../authority/permission.ts';
import { findPrincipal } from './principal-reads.ts';
import { keepingAnAdmin } from './tenant-admin.ts';

export type { RoleGrantFilter, RoleGrantRow } from './grant-reads.ts';

export interface GrantService {
  /** Needs grant.manage on the place, and all that the role may do there: nobody hands on what they do not hold. */
  grantRole(uow: UnitOfWork, actor: Authority, input: NewGrant): Promise<RoleGrantRow>;
  /** Needs grant.manage on the place; the last administrator of the tenant cannot lose the role. Returns what was revoked. */
  revokeRole(uow: UnitOfWork, actor: Authority, input: { readonly grantId: string }): Promise<RoleGrantRow>;
  listGrants(uow: UnitOfWork, actor: Authority, request: Omit<RoleGrantFilter, 'ids'> & PageRequest): Promise<Page<RoleGrantRow>>;
  grantsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<RoleGrantRow[]>;
  /** One page for each grantee, in this order: what was given to it itself. */
  grantsOf(
    uow: UnitOfWork,
    actor: Authority,
    grantee: 'principal' | 'team',
    ids: readonly string[],
    page: PageRequest,
  ): Promise<Page<RoleGrantRow>[]>;
  /** May the actor do this there? A place that is absent or invisible: no. An environment brings its project with it. */
  mayDo(uow: UnitOfWork, actor: Authority, permission: Permission, place: Place): Promise<boolean>;
}

export interface NewGrant {
  readonly role: Role;
  readonly scopeKind: ScopeKind;
  readonly scopeId: string;
  /** Exactly one of the two. */
  readonly principalId?: string | null | undefined;
  readonly granteeTeamId?: string | null | undefined;
}

export interface GrantServiceSettings {
  readonly clock: Clock;
}

export function createGrantService({ clock }: GrantServiceSettings): GrantService {
  return {
    async grantRole(uow, actor, { role, scopeKind, scopeId, principalId, granteeTeamId }) {
      refuse([...roleProblems(role), ...granteeProblems(principalId, granteeTeamId)]);
      const scope = await findScope(uow, actor, scopeKind, scopeId);
      if (!scope) throw new NotFoundError(`scopeId: there is no such ${scopeKind}, or it is not visible to you`, { scopeId });
      const grantee = await findGrantee(uow, actor, principalId ?? null, granteeTeamId ?? null);
      requirePermission(actor, 'grant.manage', placeOf(scope));
      const grant: Grant = { ...scope, role };
      if (!holdsGrant(actor, grant)) {
        throw new ForbiddenError(`role: you cannot give the role ${role} on this ${scopeKind}, since you do not hold it there yourself`);
      }
      const row = { ...grant, id: newId(), ...grantee, createdBy: actor.principalId, createdAt: clock.now() };
      await lockPlaces(uow, row);
      await orConflict(
        uow.rows(
          `insert into role_grants (id, tenant_id, role, scope_kind, scope_id, principal_id, grantee_team_id, created_by, created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
          [row.id, uow.tenantId, role, row.kind, row.scopeId, row.principalId, row.granteeTeamId, row.createdBy, row.createdAt],
        ),
        { role_grants_unique: `role: this ${row.principalId ? 'principal' : 'team'} already has the role ${role} on this ${scopeKind}` },
      );
      return row;
    },

    async revokeRole(uow, actor, { grantId }) {
      const [grant] = await readVisibleGrants(uow, actor, [grantId]);
      if (!grant) throw new NotFoundError('grantId: there is no such grant, or it is not visible to you', { grantId });
      requirePermission(actor, 'grant.manage', placeOf(grant));
      const remove = () => uow.rows('delete from role_grants where tenant_id = $1 and id = $2 returning id', [uow.tenantId, grant.id]);
      await (grant.role === 'admin' && grant.kind === 'tenant' ? keepingAnAdmin(uow, remove) : remove());
      return grant;
    },

    listGrants: readGrantPage,
    grantsByIds: readVisibleGrants,
    grantsOf: readGrantPages,

    async mayDo(uow, actor, permission, { projectId, environmentId, teamId }) {
      const [project, environment, team] = [
        projectId ? await findVisible(uow, actor, 'projects', projectId) : undefined,
        environmentId ? await findVisible(uow, actor, 'environments', environmentId) : undefined,
        teamId ? await findVisible(uow, actor, 'teams', teamId) : undefined,
      ];
      if (project === null || environment === null || team === null) return false;
      if (project && environment && environment.projectId !== project.id) return false;
      return can(actor, permission, {
        projectId: project?.id ?? environment?.projectId,
        environmentId: environment?.id,
        teamId: team?.id,
      });
    },
  };
}

type Scope = Omit<Grant, 'role'>;

async function findScope(uow: UnitOfWork, actor: Authority, kind: ScopeKind, id: string): Promise<Scope | null> {
  if (kind === 'tenant') return id === uow.tenantId ? { kind, scopeId: id } : null;
  if (kind === 'environment') {
    const found = await findVisible(uow, actor, 'environments', id);
    return found && { kind, scopeId: found.id, projectId: found.projectId };
  }
  const found = await findVisible(uow, actor, kind === 'project' ? 'projects' : 'teams', id);
  return found && { kind, scopeId: found.id };
}

async function findGrantee(uow: UnitOfWork, actor: Authority, principalId: string | null, granteeTeamId: string | null) {
  if (principalId !== null) {
    const found = await findPrincipal(uow, actor, principalId);
    if (!found) throw new NotFoundError('granteeId: there is no such principal, or it is not visible to you', { principalId });
    return { principalId: found.id, granteeTeamId: null };
  }
  const found = granteeTeamId === null ? null : await findVisible(uow, actor, 'teams', granteeTeamId);
  if (!found) throw new NotFoundError('granteeId: there is no such team, or it is not visible to you', { granteeTeamId });
  return { principalId: null, granteeTeamId: found.id };
}

/** Keeps the place from being deleted under the grant, and members from being added to the team meanwhile. */
async function lockPlaces(uow: UnitOfWork, { kind, scopeId, granteeTeamId }: RoleGrantRow): Promise<void> {
  const locks: [table: string, id: string, strength: string][] = [[`${kind}s`, scopeId, 'key share']];
  if (granteeTeamId) locks.push(['teams', granteeTeamId, 'no key update']);
  for (const [table, id, strength] of locks) {
    const found = await uow.rows(`select id from ${table} where tenant_id = $1 and id = $2 for ${strength}`, [uow.tenantId, id]);
    if (found.length === 0) throw new NotFoundError('scopeId: it has been deleted meanwhile');
  }
}

function placeOf({ kind, scopeId, projectId }: Scope): Place {
  switch (kind) {
    case 'tenant':
      return {};
    case 'project':
      return { projectId: scopeId };
    case 'environment':
      return { projectId, environmentId: scopeId };
    case 'team':
      return { teamId: scopeId };
  }
}

function roleProblems(role: string): Problem[] {
  if ((roles as readonly string[]).includes(role)) return [];
  return [{ path: 'role', message: `"${role.slice(0, 80)}" is not a role`, expected: `one of ${roles.join(', ')}` }];
}

function granteeProblems(principalId: string | null | undefined, granteeTeamId: string | null | undefined): Problem[] {
  if ((principalId == null) !== (granteeTeamId == null)) return [];
  return [{ path: 'granteeId', message: 'exactly one grantee is needed', expected: 'a principal or a team' }];
}
