// Roles, permissions and the pure question "may this authority do that there?". Deny by default; no I/O.

export const roles = ['admin', 'operator', 'reviewer', 'agent_manager', 'viewer', 'service'] as const;
export type Role = (typeof roles)[number];

export const scopeKinds = ['tenant', 'project', 'environment', 'team'] as const;
export type ScopeKind = (typeof scopeKinds)[number];

const reads = [
  'project.read',
  'team.read',
  'agent.read',
  'tool.read',
  'execution.read',
  'approval.read',
  'policy.read',
  'decision.read',
  'killswitch.read',
] as const;
const manages = [
  'tenant.create',
  'tenant.archive',
  'project.manage',
  'environment.manage',
  'team.manage',
  'principal.read',
  'principal.manage',
  'grant.manage',
  'key.manage',
  'agent.manage',
  'agent.promote',
  'tool.approve',
  'tool.manage',
  'execution.start',
  'execution.cancel',
  'execution.pause',
  'execution.signal',
  'approval.decide',
  'policy.manage',
  'queue.manage',
  'webhook.manage',
  'eventsink.read',
  'eventsink.manage',
  'killswitch.manage',
  'audit.read',
] as const;
export const permissions = [...reads, ...manages] as const;
export type Permission = (typeof permissions)[number];

/** Held in the operator's tenant only: these reach other tenants. */
export const isOperatorsOnly = (permission: Permission): boolean => permission === 'tenant.create' || permission === 'tenant.archive';

/** What each role may do within the scope it is granted on. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  admin: permissions,
  operator: [
    ...reads,
    'execution.start',
    'execution.cancel',
    'execution.pause',
    'execution.signal',
    'approval.decide',
    'queue.manage',
    'eventsink.read',
    'killswitch.manage',
    'audit.read',
  ],
  reviewer: [...reads, 'approval.decide', 'killswitch.manage', 'audit.read'],
  agent_manager: [...reads, 'agent.manage', 'agent.promote'],
  viewer: reads,
  service: ['project.read', 'agent.read', 'tool.read', 'execution.read', 'execution.start', 'execution.signal'],
};

/** A role on a place. `projectId` is the project an environment belongs to. */
export interface Grant {
  readonly role: Role;
  readonly kind: ScopeKind;
  readonly scopeId: string;
  readonly projectId?: string | undefined;
}

/** Who acts, with which rights, as read from the database at one moment. */
export interface Authority {
  readonly tenantId: string;
  readonly principalId: string;
  readonly principalName: string;
  readonly principalKind: PrincipalKind;
  /** The API key used, if any. */
  readonly apiKeyId?: string | undefined;
  /** Roles on the tenant that come from the token's claims: they hold for this credential only. */
  readonly tokenRoles?: readonly Role[] | undefined;
  /** When the credential ends; sockets close at this moment. */
  readonly expiresAt?: Date | undefined;
  /** True for the first tenant, whose admins may create and archive tenants. */
  readonly isOperatorTenant: boolean;
  readonly grants: readonly Grant[];
}

export const principalKinds = ['user', 'service_account', 'worker'] as const;
export type PrincipalKind = (typeof principalKinds)[number];

/** Where a thing lives. An agent has project and team; an execution all three; a policy none (tenant). */
export interface Place {
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly teamId?: string | null | undefined;
}

function covers(grant: Grant, permission: Permission, place: Place): boolean {
  switch (grant.kind) {
    case 'tenant':
      return true;
    case 'project':
      return grant.scopeId === place.projectId;
    case 'team':
      return grant.scopeId === place.teamId;
    case 'environment':
      // A role on an environment also reads what the environment's project holds (its agents), or nothing could be started.
      return (
        grant.scopeId === place.environmentId ||
        (!place.environmentId && permission.endsWith('.read') && !!place.projectId && grant.projectId === place.projectId)
      );
  }
}

/** May `authority` do `permission` at `place`? Roles are inherited downwards: tenant, project, environment; team to its agents. */
export function can(authority: Authority, permission: Permission, place: Place = {}): boolean {
  if (isOperatorsOnly(permission) && !authority.isOperatorTenant) return false;
  return authority.grants.some((grant) => rolePermissions[grant.role].includes(permission) && covers(grant, permission, place));
}

/** Where `permission` holds, for list queries: everywhere, or the union of the named places. All empty = nothing. */
export interface Visibility {
  readonly everywhere: boolean;
  readonly projectIds: readonly string[];
  readonly environmentIds: readonly string[];
  readonly teamIds: readonly string[];
  /** Projects of which only project-level things (agents, the project itself) are readable, through a role on an environment. */
  readonly parentProjectIds: readonly string[];
}

export function visibilityOf(authority: Authority, permission: Permission): Visibility {
  const held = authority.grants.filter((grant) => rolePermissions[grant.role].includes(permission));
  const ids = (kind: ScopeKind) => held.filter((grant) => grant.kind === kind).map((grant) => grant.scopeId);
  return {
    everywhere: ids('tenant').length > 0,
    projectIds: ids('project'),
    environmentIds: ids('environment'),
    teamIds: ids('team'),
    parentProjectIds: permission.endsWith('.read')
      ? held.flatMap((grant) => (grant.kind === 'environment' && grant.projectId ? [grant.projectId] : []))
      : [],
  };
}

/** Roles that hold at a place, sorted; what policies by role look at. */
export function rolesAt(authority: Authority, place: Place): Role[] {
  const held = authority.grants.filter((grant) => covers(grant, 'execution.start', place)).map((grant) => grant.role);
  return [...new Set(held)].sort();
}
