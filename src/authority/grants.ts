// Comparing rights: what a key leaves of its principal's grants, and whether somebody holds what they want to hand on. No I/O.
import { isOperatorsOnly, rolePermissions, roles, type Authority, type Grant, type Permission, type Role } from './permission.ts';

/** True when `outer` may do everything that `inner` may. */
export const roleContains = (outer: Role, inner: Role): boolean =>
  rolePermissions[inner].every((permission) => rolePermissions[outer].includes(permission));

/** The strongest roles that both `a` and `b` contain: reviewer for operator and reviewer, viewer for operator and agent_manager. */
export function commonRoles(a: Role, b: Role): Role[] {
  const within = roles.filter((role) => roleContains(a, role) && roleContains(b, role));
  return within.filter((role) => !within.some((other) => other !== role && roleContains(other, role)));
}

export interface GrantLimit {
  readonly roles: readonly Role[];
  readonly environment?: { readonly id: string; readonly projectId: string } | undefined;
}

/** What is left of `grants` under a key's roles and environment: never more than before, never outside the environment. */
export function limitGrants(grants: readonly Grant[], { roles: allowed, environment }: GrantLimit): Grant[] {
  const limited = grants.flatMap((grant) => {
    const place = environment ? within(grant, environment) : [grant];
    return place.flatMap((scope) => allowed.flatMap((role) => commonRoles(grant.role, role).map((common) => ({ ...scope, role: common }))));
  });
  return distinctGrants(limited);
}

/** A role on a team reaches its agents in every environment, so nothing of it fits into one. */
function within(grant: Grant, { id, projectId }: { id: string; projectId: string }): Grant[] {
  const reaches =
    grant.kind === 'tenant' ||
    (grant.kind === 'project' && grant.scopeId === projectId) ||
    (grant.kind === 'environment' && grant.scopeId === id);
  return reaches ? [{ role: grant.role, kind: 'environment', scopeId: id, projectId }] : [];
}

export function distinctGrants(grants: readonly Grant[]): Grant[] {
  return [...new Map(grants.map((grant) => [`${grant.role} ${grant.scopeId}`, grant])).values()];
}

/** True when `actor` may do, in the whole scope of `grant`, all that its role may: the condition for handing it on. */
export function holdsGrant(actor: Pick<Authority, 'grants'>, grant: Grant): boolean {
  const covering = actor.grants.filter((own) => scopeContains(own, grant));
  return rolePermissions[grant.role].every((permission) => covering.some((own) => rolePermissions[own.role].includes(permission)));
}

function scopeContains(outer: Grant, inner: Grant): boolean {
  if (outer.kind === 'tenant' || outer.scopeId === inner.scopeId) return true;
  return outer.kind === 'project' && inner.kind === 'environment' && inner.projectId === outer.scopeId;
}

/** Is `permission` held at any place at all? Enough to see what has no place of its own, such as the people of the tenant. */
export const canAnywhere = (actor: Authority, permission: Permission): boolean =>
  (!isOperatorsOnly(permission) || actor.isOperatorTenant) &&
  actor.grants.some((grant) => rolePermissions[grant.role].includes(permission));
