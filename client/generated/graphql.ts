/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Who shall be in which team. */
export type AddTeamMemberInput = {
  /** Who shall be in it. */
  principalId: string;
  /** The team. */
  teamId: string;
};

/** Which description of which tool to accept. */
export type ApproveToolInput = {
  /** The digest that you looked at; refused when the tool has changed again since. */
  digest: string;
  /** Full name, `server.name`. */
  tool: string;
};

/** What an agent must be allowed to do in order to call a tool. */
export type Capability =
  /** Runs programs or commands. */
  | 'EXECUTE'
  /** Tells people or other systems. */
  | 'NOTIFY'
  /** Looks at data. */
  | 'READ'
  /** Changes data. */
  | 'WRITE';

/** A new API key. */
export type CreateApiKeyInput = {
  /** It reaches nothing outside this environment. */
  environmentId?: string | null | undefined;
  /** When it stops working; never by itself when absent. */
  expiresAt?: string | null | undefined;
  /** For people: 1 to 200 printable characters. */
  name: string;
  /** Whose; your own when absent. For another principal you need `key.manage`. */
  principalId?: string | null | undefined;
  /** It never does more than these; the principal must hold them. */
  roles: Array<Role>;
};

/** A new environment. */
export type CreateEnvironmentInput = {
  /** What it is for. */
  kind: EnvironmentKind;
  /** Unique in the project. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
  /** The project it belongs to. */
  projectId: string;
};

/** A new principal; it holds no role yet. */
export type CreatePrincipalInput = {
  /** For people to recognise a person by. */
  email?: string | null | undefined;
  /** With `subject`: binds a person to a token before the first sign-in. */
  issuer?: string | null | undefined;
  /** What kind of actor. */
  kind: PrincipalKind;
  /** Unique in the tenant. A person’s: up to 200 printable characters; else a lower-case slug. */
  name: string;
  /** What the issuer calls the person (`sub`). */
  subject?: string | null | undefined;
};

/** A new project. */
export type CreateProjectInput = {
  /** For people; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
};

/** A new team. */
export type CreateTeamInput = {
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
};

/** A new tenant. */
export type CreateTenantInput = {
  /** Unique on this server. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
};

/** Which environment to delete. */
export type DeleteEnvironmentInput = {
  /** The environment; nothing may ever have been deployed or run in it. */
  environmentId: string;
};

/** Which project to delete. */
export type DeleteProjectInput = {
  /** The project; nothing may be in it. */
  projectId: string;
};

/** Which team to delete. */
export type DeleteTeamInput = {
  /** The team; it may have neither members nor agents. */
  teamId: string;
};

/** Whose credentials to end. */
export type DisablePrincipalInput = {
  /** The principal. */
  principalId: string;
};

/** Whose credentials shall work again. */
export type EnablePrincipalInput = {
  /** The principal. */
  principalId: string;
};

/** What an environment is for; policies go by it. */
export type EnvironmentKind =
  /** For trying things out. */
  | 'DEVELOPMENT'
  /** For what counts. */
  | 'PRODUCTION'
  /** For rehearsing what production will do. */
  | 'STAGING';

/** Stable codes of expected failures. */
export type ErrorCode =
  /** A unique name, version or decision is already taken. */
  | 'CONFLICT'
  /** The history that the cursor points into no longer exists; start again without it. */
  | 'CURSOR_EXPIRED'
  /** Visible to you, but you lack the permission that the message names. */
  | 'FORBIDDEN'
  /** The idempotency key was used before with another input. */
  | 'IDEMPOTENCY_CONFLICT'
  /** The cursor is malformed or belongs to another list or stream. */
  | 'INVALID_CURSOR'
  /** The thing exists, but its status does not permit the operation. */
  | 'INVALID_STATE'
  /** A limit of this server was exceeded; the message names it. */
  | 'LIMIT_EXCEEDED'
  /** Absent, or not visible to you: the answer is the same. */
  | 'NOT_FOUND'
  /** The credential is missing, wrong, expired or revoked. */
  | 'UNAUTHENTICATED'
  /** Something this server depends on does not answer; try again later. */
  | 'UNAVAILABLE'
  /** The input is wrong; every problem is listed. */
  | 'VALIDATION_FAILED';

/** Which role, where, to whom. */
export type GrantRoleInput = {
  /** The principal that gets it, or the team whose members get it. */
  granteeId: string;
  /** One that you hold there yourself, or a weaker one. */
  role: Role;
  /** The tenant, project, environment or team that the role is on. */
  scopeId: string;
};

/** What an operation asks for. */
export type Permission =
  /** Create, change and archive agents, publish versions. */
  | 'AGENT_MANAGE'
  /** Make versions live in environments. */
  | 'AGENT_PROMOTE'
  /** See agents, their versions and deployments. */
  | 'AGENT_READ'
  /** Approve and reject. */
  | 'APPROVAL_DECIDE'
  /** See approvals. */
  | 'APPROVAL_READ'
  /** See what policies decided. */
  | 'DECISION_READ'
  /** Create, change and delete environments. */
  | 'ENVIRONMENT_MANAGE'
  /** Cancel executions. */
  | 'EXECUTION_CANCEL'
  /** See executions, their steps and events. */
  | 'EXECUTION_READ'
  /** Start executions. */
  | 'EXECUTION_START'
  /** Give and revoke roles, never more than one holds. */
  | 'GRANT_MANAGE'
  /** Make, see and revoke the API keys of others. */
  | 'KEY_MANAGE'
  /** Create, change, enable, disable and delete policies. */
  | 'POLICY_MANAGE'
  /** See policies. */
  | 'POLICY_READ'
  /** Create, disable and enable principals. */
  | 'PRINCIPAL_MANAGE'
  /** See the details of principals. */
  | 'PRINCIPAL_READ'
  /** Create, change and delete projects. */
  | 'PROJECT_MANAGE'
  /** See projects and environments. */
  | 'PROJECT_READ'
  /** Create, change and delete teams, add and remove members. */
  | 'TEAM_MANAGE'
  /** See teams. */
  | 'TEAM_READ'
  /** Create tenants; held by admins of the operator’s tenant. */
  | 'TENANT_CREATE'
  /** Accept changed tools. */
  | 'TOOL_APPROVE'
  /** See tools. */
  | 'TOOL_READ';

/** What kind of actor a principal is. */
export type PrincipalKind =
  /** A program that calls this API. */
  | 'SERVICE_ACCOUNT'
  /** A person. */
  | 'USER'
  /** A program that takes work from this server. */
  | 'WORKER';

/** Who shall no longer be in which team. */
export type RemoveTeamMemberInput = {
  /** Who shall leave it. */
  principalId: string;
  /** The team. */
  teamId: string;
};

/** Which API key to revoke. */
export type RevokeApiKeyInput = {
  /** The key. */
  apiKeyId: string;
};

/** Which grant to revoke. */
export type RevokeRoleInput = {
  /** The grant. */
  grantId: string;
};

/** How much harm a call can do; policies and approvals go by it. */
export type RiskClass =
  /** Said so by the operator or the definition, never derived. */
  | 'CRITICAL'
  /** May change or destroy. */
  | 'HIGH'
  /** Reads only. */
  | 'LOW'
  /** Adds, destroys nothing. */
  | 'MEDIUM';

/** What may be done within the scope that the role is granted on. */
export type Role =
  /** Everything. */
  | 'ADMIN'
  /** Read; edit agents, publish and promote versions. */
  | 'AGENT_MANAGER'
  /** Read; start and cancel executions; decide approvals. */
  | 'OPERATOR'
  /** Read; decide approvals. */
  | 'REVIEWER'
  /** Read agents and executions; start executions. */
  | 'SERVICE'
  /** Read. */
  | 'VIEWER';

/** On what a role is granted; it is inherited downwards. */
export type ScopeKind =
  /** One environment; also reads the agents of its project. */
  | 'ENVIRONMENT'
  /** One project with its environments and agents. */
  | 'PROJECT'
  /** The agents of one team. */
  | 'TEAM'
  /** The whole tenant. */
  | 'TENANT';

/** Conditions that a tool must all satisfy; an absent one is satisfied by every tool. */
export type ToolFilter = {
  /** Needing this capability. */
  capability?: Capability | null | undefined;
  /** Of this risk class. */
  risk?: RiskClass | null | undefined;
  /** Of this server. */
  server?: string | null | undefined;
  /** In this status. */
  status?: ToolStatus | null | undefined;
};

/** How this tenant stands to the current description of a tool. */
export type ToolStatus =
  /** The current description is the accepted one. */
  | 'APPROVED'
  /** The description changed since it was accepted: calls are blocked until `approveTool`. */
  | 'CHANGED'
  /** Not used yet; the first use accepts the description. */
  | 'UNSEEN';

/** What to change of an environment; what is left out stays. */
export type UpdateEnvironmentInput = {
  /** The environment. */
  environmentId: string;
  /** Decides which policies apply, so changing it needs the permission on the whole project. */
  kind?: EnvironmentKind | null | undefined;
  /** Unique in the project. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name?: string | null | undefined;
};

/** What to change of a project; what is left out stays. */
export type UpdateProjectInput = {
  /** For people; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name?: string | null | undefined;
  /** The project. */
  projectId: string;
};

/** What to change of a team; what is left out stays. */
export type UpdateTeamInput = {
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name?: string | null | undefined;
  /** The team. */
  teamId: string;
};

type Failure_ConflictError_Fragment = { __typename: 'ConflictError', code: ErrorCode, message: string };

type Failure_CursorExpiredError_Fragment = { __typename: 'CursorExpiredError', code: ErrorCode, message: string };

type Failure_ForbiddenError_Fragment = { __typename: 'ForbiddenError', code: ErrorCode, message: string };

type Failure_IdempotencyConflictError_Fragment = { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string };

type Failure_InvalidCursorError_Fragment = { __typename: 'InvalidCursorError', code: ErrorCode, message: string };

type Failure_InvalidStateError_Fragment = { __typename: 'InvalidStateError', code: ErrorCode, message: string };

type Failure_LimitExceededError_Fragment = { __typename: 'LimitExceededError', code: ErrorCode, message: string };

type Failure_NotFoundError_Fragment = { __typename: 'NotFoundError', code: ErrorCode, message: string };

type Failure_UnauthenticatedError_Fragment = { __typename: 'UnauthenticatedError', code: ErrorCode, message: string };

type Failure_UnavailableError_Fragment = { __typename: 'UnavailableError', code: ErrorCode, message: string };

type Failure_ValidationError_Fragment = { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> };

export type FailureFragment =
  | Failure_ConflictError_Fragment
  | Failure_CursorExpiredError_Fragment
  | Failure_ForbiddenError_Fragment
  | Failure_IdempotencyConflictError_Fragment
  | Failure_InvalidCursorError_Fragment
  | Failure_InvalidStateError_Fragment
  | Failure_LimitExceededError_Fragment
  | Failure_NotFoundError_Fragment
  | Failure_UnauthenticatedError_Fragment
  | Failure_UnavailableError_Fragment
  | Failure_ValidationError_Fragment
;

export type PageFragment = { hasNextPage: boolean, endCursor: string | null };

export type PrincipalFieldsFragment = { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null };

export type RoleGrantFieldsFragment = { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null };

export type ApiKeyFieldsFragment = { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { permissions: Array<Permission>, expiresAt: string | null, principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null }, tenant: { id: string, name: string, isOperator: boolean }, roles: Array<{ role: Role, scopeKind: ScopeKind, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null }> } };

export type PrincipalsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  kind?: PrincipalKind | null | undefined;
  name?: string | null | undefined;
  disabled?: boolean | null | undefined;
}>;


export type PrincipalsQuery = { principals: { edges: Array<{ cursor: string, node: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type RoleGrantsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  principalId?: string | null | undefined;
  granteeTeamId?: string | null | undefined;
}>;


export type RoleGrantsQuery = { roleGrants: { edges: Array<{ cursor: string, node: { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ApiKeysQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  principalId?: string | null | undefined;
  revoked?: boolean | null | undefined;
}>;


export type ApiKeysQuery = { apiKeys: { edges: Array<{ cursor: string, node: { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreatePrincipalMutationVariables = Exact<{
  input: CreatePrincipalInput;
}>;


export type CreatePrincipalMutation = { createPrincipal:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreatePrincipalSuccess', principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DisablePrincipalMutationVariables = Exact<{
  input: DisablePrincipalInput;
}>;


export type DisablePrincipalMutation = { disablePrincipal:
    | { __typename: 'DisablePrincipalSuccess', principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type EnablePrincipalMutationVariables = Exact<{
  input: EnablePrincipalInput;
}>;


export type EnablePrincipalMutation = { enablePrincipal:
    | { __typename: 'EnablePrincipalSuccess', principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type GrantRoleMutationVariables = Exact<{
  input: GrantRoleInput;
}>;


export type GrantRoleMutation = { grantRole:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'GrantRoleSuccess', roleGrant: { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null } }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RevokeRoleMutationVariables = Exact<{
  input: RevokeRoleInput;
}>;


export type RevokeRoleMutation = { revokeRole:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RevokeRoleSuccess', roleGrant: { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { createApiKey:
    | { __typename: 'CreateApiKeySuccess', token: string, apiKey: { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RevokeApiKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeApiKeyMutation = { revokeApiKey:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RevokeApiKeySuccess', apiKey: { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ProjectFieldsFragment = { id: string, name: string, description: string, createdAt: string };

export type EnvironmentFieldsFragment = { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } };

export type TeamFieldsFragment = { id: string, name: string, createdAt: string };

export type ProjectsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  name?: string | null | undefined;
}>;


export type ProjectsQuery = { projects: { edges: Array<{ cursor: string, node: { id: string, name: string, description: string, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type EnvironmentsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  projectId?: string | null | undefined;
  name?: string | null | undefined;
  kind?: EnvironmentKind | null | undefined;
}>;


export type EnvironmentsQuery = { environments: { edges: Array<{ cursor: string, node: { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type TeamsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  name?: string | null | undefined;
}>;


export type TeamsQuery = { teams: { edges: Array<{ cursor: string, node: { id: string, name: string, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateTenantMutationVariables = Exact<{
  input: CreateTenantInput;
}>;


export type CreateTenantMutation = { createTenant:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateTenantSuccess', adminKey: string, tenant: { id: string, name: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateProjectMutationVariables = Exact<{
  input: CreateProjectInput;
}>;


export type CreateProjectMutation = { createProject:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateProjectSuccess', project: { id: string, name: string, description: string, createdAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateProjectMutationVariables = Exact<{
  input: UpdateProjectInput;
}>;


export type UpdateProjectMutation = { updateProject:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateProjectSuccess', project: { id: string, name: string, description: string, createdAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteProjectMutationVariables = Exact<{
  input: DeleteProjectInput;
}>;


export type DeleteProjectMutation = { deleteProject:
    | { __typename: 'DeleteProjectSuccess', projectId: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateEnvironmentMutationVariables = Exact<{
  input: CreateEnvironmentInput;
}>;


export type CreateEnvironmentMutation = { createEnvironment:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateEnvironmentSuccess', environment: { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateEnvironmentMutationVariables = Exact<{
  input: UpdateEnvironmentInput;
}>;


export type UpdateEnvironmentMutation = { updateEnvironment:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateEnvironmentSuccess', environment: { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteEnvironmentMutationVariables = Exact<{
  input: DeleteEnvironmentInput;
}>;


export type DeleteEnvironmentMutation = { deleteEnvironment:
    | { __typename: 'DeleteEnvironmentSuccess', environmentId: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateTeamMutationVariables = Exact<{
  input: CreateTeamInput;
}>;


export type CreateTeamMutation = { createTeam:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateTeamSuccess', team: { id: string, name: string, createdAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateTeamMutationVariables = Exact<{
  input: UpdateTeamInput;
}>;


export type UpdateTeamMutation = { updateTeam:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateTeamSuccess', team: { id: string, name: string, createdAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteTeamMutationVariables = Exact<{
  input: DeleteTeamInput;
}>;


export type DeleteTeamMutation = { deleteTeam:
    | { __typename: 'DeleteTeamSuccess', teamId: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type AddTeamMemberMutationVariables = Exact<{
  input: AddTeamMemberInput;
}>;


export type AddTeamMemberMutation = { addTeamMember:
    | { __typename: 'AddTeamMemberSuccess', team: { id: string }, principal: { id: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RemoveTeamMemberMutationVariables = Exact<{
  input: RemoveTeamMemberInput;
}>;


export type RemoveTeamMemberMutation = { removeTeamMember:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RemoveTeamMemberSuccess', team: { id: string }, principal: { id: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ToolFieldsFragment = { fullName: string, server: string, name: string, description: string, inputSchema: unknown, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null };

export type ToolsQueryVariables = Exact<{
  filter?: ToolFilter | null | undefined;
}>;


export type ToolsQuery = { tools: Array<{ fullName: string, server: string, name: string, description: string, inputSchema: unknown, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null }> };

export type ToolQueryVariables = Exact<{
  name: string;
}>;


export type ToolQuery = { tool: { fullName: string, server: string, name: string, description: string, inputSchema: unknown, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null } | null };

export type ApproveToolMutationVariables = Exact<{
  input: ApproveToolInput;
}>;


export type ApproveToolMutation = { approveTool:
    | { __typename: 'ApproveToolSuccess', tool: { fullName: string, server: string, name: string, description: string, inputSchema: unknown, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const FailureFragmentDoc = new TypedDocumentString(`
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
    `, {"fragmentName":"Failure"}) as unknown as TypedDocumentString<FailureFragment, unknown>;
export const PageFragmentDoc = new TypedDocumentString(`
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
    `, {"fragmentName":"Page"}) as unknown as TypedDocumentString<PageFragment, unknown>;
export const PrincipalFieldsFragmentDoc = new TypedDocumentString(`
    fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}
    `, {"fragmentName":"PrincipalFields"}) as unknown as TypedDocumentString<PrincipalFieldsFragment, unknown>;
export const RoleGrantFieldsFragmentDoc = new TypedDocumentString(`
    fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}
    `, {"fragmentName":"RoleGrantFields"}) as unknown as TypedDocumentString<RoleGrantFieldsFragment, unknown>;
export const ApiKeyFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}
    `, {"fragmentName":"ApiKeyFields"}) as unknown as TypedDocumentString<ApiKeyFieldsFragment, unknown>;
export const ProjectFieldsFragmentDoc = new TypedDocumentString(`
    fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}
    `, {"fragmentName":"ProjectFields"}) as unknown as TypedDocumentString<ProjectFieldsFragment, unknown>;
export const EnvironmentFieldsFragmentDoc = new TypedDocumentString(`
    fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}
    `, {"fragmentName":"EnvironmentFields"}) as unknown as TypedDocumentString<EnvironmentFieldsFragment, unknown>;
export const TeamFieldsFragmentDoc = new TypedDocumentString(`
    fragment TeamFields on Team {
  id
  name
  createdAt
}
    `, {"fragmentName":"TeamFields"}) as unknown as TypedDocumentString<TeamFieldsFragment, unknown>;
export const ToolFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolFields on Tool {
  fullName
  server
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}
    `, {"fragmentName":"ToolFields"}) as unknown as TypedDocumentString<ToolFieldsFragment, unknown>;
export const ViewerDocument = new TypedDocumentString(`
    query viewer {
  viewer {
    principal {
      ...PrincipalFields
    }
    tenant {
      id
      name
      isOperator
    }
    roles {
      role
      scopeKind
      project {
        id
        name
      }
      environment {
        id
        name
      }
      team {
        id
        name
      }
    }
    permissions
    expiresAt
  }
}
    fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const PrincipalsDocument = new TypedDocumentString(`
    query principals($first: Int, $after: String, $kind: PrincipalKind, $name: String, $disabled: Boolean) {
  principals(
    first: $first
    after: $after
    kind: $kind
    name: $name
    disabled: $disabled
  ) {
    edges {
      cursor
      node {
        ...PrincipalFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<PrincipalsQuery, PrincipalsQueryVariables>;
export const RoleGrantsDocument = new TypedDocumentString(`
    query roleGrants($first: Int, $after: String, $principalId: ID, $granteeTeamId: ID) {
  roleGrants(
    first: $first
    after: $after
    principalId: $principalId
    granteeTeamId: $granteeTeamId
  ) {
    edges {
      cursor
      node {
        ...RoleGrantFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}`) as unknown as TypedDocumentString<RoleGrantsQuery, RoleGrantsQueryVariables>;
export const ApiKeysDocument = new TypedDocumentString(`
    query apiKeys($first: Int, $after: String, $principalId: ID, $revoked: Boolean) {
  apiKeys(
    first: $first
    after: $after
    principalId: $principalId
    revoked: $revoked
  ) {
    edges {
      cursor
      node {
        ...ApiKeyFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}`) as unknown as TypedDocumentString<ApiKeysQuery, ApiKeysQueryVariables>;
export const CreatePrincipalDocument = new TypedDocumentString(`
    mutation createPrincipal($input: CreatePrincipalInput!) {
  createPrincipal(input: $input) {
    __typename
    ... on CreatePrincipalSuccess {
      principal {
        ...PrincipalFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<CreatePrincipalMutation, CreatePrincipalMutationVariables>;
export const DisablePrincipalDocument = new TypedDocumentString(`
    mutation disablePrincipal($input: DisablePrincipalInput!) {
  disablePrincipal(input: $input) {
    __typename
    ... on DisablePrincipalSuccess {
      principal {
        ...PrincipalFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<DisablePrincipalMutation, DisablePrincipalMutationVariables>;
export const EnablePrincipalDocument = new TypedDocumentString(`
    mutation enablePrincipal($input: EnablePrincipalInput!) {
  enablePrincipal(input: $input) {
    __typename
    ... on EnablePrincipalSuccess {
      principal {
        ...PrincipalFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<EnablePrincipalMutation, EnablePrincipalMutationVariables>;
export const GrantRoleDocument = new TypedDocumentString(`
    mutation grantRole($input: GrantRoleInput!) {
  grantRole(input: $input) {
    __typename
    ... on GrantRoleSuccess {
      roleGrant {
        ...RoleGrantFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}`) as unknown as TypedDocumentString<GrantRoleMutation, GrantRoleMutationVariables>;
export const RevokeRoleDocument = new TypedDocumentString(`
    mutation revokeRole($input: RevokeRoleInput!) {
  revokeRole(input: $input) {
    __typename
    ... on RevokeRoleSuccess {
      roleGrant {
        ...RoleGrantFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}`) as unknown as TypedDocumentString<RevokeRoleMutation, RevokeRoleMutationVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation createApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    __typename
    ... on CreateApiKeySuccess {
      token
      apiKey {
        ...ApiKeyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}`) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const RevokeApiKeyDocument = new TypedDocumentString(`
    mutation revokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    __typename
    ... on RevokeApiKeySuccess {
      apiKey {
        ...ApiKeyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}`) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const ProjectsDocument = new TypedDocumentString(`
    query projects($first: Int, $after: String, $name: String) {
  projects(first: $first, after: $after, name: $name) {
    edges {
      cursor
      node {
        ...ProjectFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}`) as unknown as TypedDocumentString<ProjectsQuery, ProjectsQueryVariables>;
export const EnvironmentsDocument = new TypedDocumentString(`
    query environments($first: Int, $after: String, $projectId: ID, $name: String, $kind: EnvironmentKind) {
  environments(
    first: $first
    after: $after
    projectId: $projectId
    name: $name
    kind: $kind
  ) {
    edges {
      cursor
      node {
        ...EnvironmentFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}`) as unknown as TypedDocumentString<EnvironmentsQuery, EnvironmentsQueryVariables>;
export const TeamsDocument = new TypedDocumentString(`
    query teams($first: Int, $after: String, $name: String) {
  teams(first: $first, after: $after, name: $name) {
    edges {
      cursor
      node {
        ...TeamFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment TeamFields on Team {
  id
  name
  createdAt
}`) as unknown as TypedDocumentString<TeamsQuery, TeamsQueryVariables>;
export const CreateTenantDocument = new TypedDocumentString(`
    mutation createTenant($input: CreateTenantInput!) {
  createTenant(input: $input) {
    __typename
    ... on CreateTenantSuccess {
      adminKey
      tenant {
        id
        name
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<CreateTenantMutation, CreateTenantMutationVariables>;
export const CreateProjectDocument = new TypedDocumentString(`
    mutation createProject($input: CreateProjectInput!) {
  createProject(input: $input) {
    __typename
    ... on CreateProjectSuccess {
      project {
        ...ProjectFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}`) as unknown as TypedDocumentString<CreateProjectMutation, CreateProjectMutationVariables>;
export const UpdateProjectDocument = new TypedDocumentString(`
    mutation updateProject($input: UpdateProjectInput!) {
  updateProject(input: $input) {
    __typename
    ... on UpdateProjectSuccess {
      project {
        ...ProjectFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}`) as unknown as TypedDocumentString<UpdateProjectMutation, UpdateProjectMutationVariables>;
export const DeleteProjectDocument = new TypedDocumentString(`
    mutation deleteProject($input: DeleteProjectInput!) {
  deleteProject(input: $input) {
    __typename
    ... on DeleteProjectSuccess {
      projectId
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteProjectMutation, DeleteProjectMutationVariables>;
export const CreateEnvironmentDocument = new TypedDocumentString(`
    mutation createEnvironment($input: CreateEnvironmentInput!) {
  createEnvironment(input: $input) {
    __typename
    ... on CreateEnvironmentSuccess {
      environment {
        ...EnvironmentFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}`) as unknown as TypedDocumentString<CreateEnvironmentMutation, CreateEnvironmentMutationVariables>;
export const UpdateEnvironmentDocument = new TypedDocumentString(`
    mutation updateEnvironment($input: UpdateEnvironmentInput!) {
  updateEnvironment(input: $input) {
    __typename
    ... on UpdateEnvironmentSuccess {
      environment {
        ...EnvironmentFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}`) as unknown as TypedDocumentString<UpdateEnvironmentMutation, UpdateEnvironmentMutationVariables>;
export const DeleteEnvironmentDocument = new TypedDocumentString(`
    mutation deleteEnvironment($input: DeleteEnvironmentInput!) {
  deleteEnvironment(input: $input) {
    __typename
    ... on DeleteEnvironmentSuccess {
      environmentId
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteEnvironmentMutation, DeleteEnvironmentMutationVariables>;
export const CreateTeamDocument = new TypedDocumentString(`
    mutation createTeam($input: CreateTeamInput!) {
  createTeam(input: $input) {
    __typename
    ... on CreateTeamSuccess {
      team {
        ...TeamFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment TeamFields on Team {
  id
  name
  createdAt
}`) as unknown as TypedDocumentString<CreateTeamMutation, CreateTeamMutationVariables>;
export const UpdateTeamDocument = new TypedDocumentString(`
    mutation updateTeam($input: UpdateTeamInput!) {
  updateTeam(input: $input) {
    __typename
    ... on UpdateTeamSuccess {
      team {
        ...TeamFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment TeamFields on Team {
  id
  name
  createdAt
}`) as unknown as TypedDocumentString<UpdateTeamMutation, UpdateTeamMutationVariables>;
export const DeleteTeamDocument = new TypedDocumentString(`
    mutation deleteTeam($input: DeleteTeamInput!) {
  deleteTeam(input: $input) {
    __typename
    ... on DeleteTeamSuccess {
      teamId
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteTeamMutation, DeleteTeamMutationVariables>;
export const AddTeamMemberDocument = new TypedDocumentString(`
    mutation addTeamMember($input: AddTeamMemberInput!) {
  addTeamMember(input: $input) {
    __typename
    ... on AddTeamMemberSuccess {
      team {
        id
      }
      principal {
        id
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<AddTeamMemberMutation, AddTeamMemberMutationVariables>;
export const RemoveTeamMemberDocument = new TypedDocumentString(`
    mutation removeTeamMember($input: RemoveTeamMemberInput!) {
  removeTeamMember(input: $input) {
    __typename
    ... on RemoveTeamMemberSuccess {
      team {
        id
      }
      principal {
        id
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RemoveTeamMemberMutation, RemoveTeamMemberMutationVariables>;
export const ToolsDocument = new TypedDocumentString(`
    query tools($filter: ToolFilter) {
  tools(filter: $filter) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  fullName
  server
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}`) as unknown as TypedDocumentString<ToolsQuery, ToolsQueryVariables>;
export const ToolDocument = new TypedDocumentString(`
    query tool($name: String!) {
  tool(name: $name) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  fullName
  server
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}`) as unknown as TypedDocumentString<ToolQuery, ToolQueryVariables>;
export const ApproveToolDocument = new TypedDocumentString(`
    mutation approveTool($input: ApproveToolInput!) {
  approveTool(input: $input) {
    __typename
    ... on ApproveToolSuccess {
      tool {
        ...ToolFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolFields on Tool {
  fullName
  server
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}`) as unknown as TypedDocumentString<ApproveToolMutation, ApproveToolMutationVariables>;
