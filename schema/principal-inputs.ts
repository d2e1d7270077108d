// Inputs of what is done with principals, teams' members, role grants and API keys.
import type { ScopeKind } from '#src/authority/permission.ts';
import { builder } from './builder.ts';
import { globalId, globalIdOfAny } from './ids.ts';
import { PrincipalKindEnum, RoleEnum } from './principal.ts';

export const CreatePrincipalInput = builder.inputType('CreatePrincipalInput', {
  description: 'A new principal; it holds no role yet.',
  fields: (t) => ({
    kind: t.field({ type: PrincipalKindEnum, required: true, description: 'What kind of actor.' }),
    name: t.string({
      required: true,
      description: 'Unique in the tenant. A person’s: up to 200 printable characters; else a lower-case slug.',
    }),
    email: t.string({ description: 'For people to recognise a person by.' }),
    issuer: t.string({ description: 'With `subject`: binds a person to a token before the first sign-in.' }),
    subject: t.string({ description: 'What the issuer calls the person (`sub`).' }),
  }),
});

export const DisablePrincipalInput = builder.inputType('DisablePrincipalInput', {
  description: 'Whose credentials to end.',
  fields: (t) => ({ principalId: t.id({ required: true, description: 'The principal.' }).validate(globalId('Principal')) }),
});

export const EnablePrincipalInput = builder.inputType('EnablePrincipalInput', {
  description: 'Whose credentials shall work again.',
  fields: (t) => ({ principalId: t.id({ required: true, description: 'The principal.' }).validate(globalId('Principal')) }),
});

export const AddTeamMemberInput = builder.inputType('AddTeamMemberInput', {
  description: 'Who shall be in which team.',
  fields: (t) => ({
    teamId: t.id({ required: true, description: 'The team.' }).validate(globalId('Team')),
    principalId: t.id({ required: true, description: 'Who shall be in it.' }).validate(globalId('Principal')),
  }),
});

export const RemoveTeamMemberInput = builder.inputType('RemoveTeamMemberInput', {
  description: 'Who shall no longer be in which team.',
  fields: (t) => ({
    teamId: t.id({ required: true, description: 'The team.' }).validate(globalId('Team')),
    principalId: t.id({ required: true, description: 'Who shall leave it.' }).validate(globalId('Principal')),
  }),
});

export const GrantRoleInput = builder.inputType('GrantRoleInput', {
  description: 'Which role, where, to whom.',
  fields: (t) => ({
    role: t.field({ type: RoleEnum, required: true, description: 'One that you hold there yourself, or a weaker one.' }),
    scopeId: t
      .id({ required: true, description: 'The tenant, project, environment or team that the role is on.' })
      .validate(globalIdOfAny('Tenant', 'Project', 'Environment', 'Team')),
    granteeId: t
      .id({ required: true, description: 'The principal that gets it, or the team whose members get it.' })
      .validate(globalIdOfAny('Principal', 'Team')),
  }),
});

const scopeKindOfType: Readonly<Record<string, ScopeKind>> = {
  Tenant: 'tenant',
  Project: 'project',
  Environment: 'environment',
  Team: 'team',
};

/** What the service asks for instead of typed global ids. */
export function grantOf({ role, scopeId, granteeId }: typeof GrantRoleInput.$inferInput) {
  return {
    role,
    scopeKind: scopeKindOfType[scopeId.typename]!,
    scopeId: scopeId.id,
    principalId: granteeId.typename === 'Principal' ? granteeId.id : null,
    granteeTeamId: granteeId.typename === 'Team' ? granteeId.id : null,
  };
}

export const RevokeRoleInput = builder.inputType('RevokeRoleInput', {
  description: 'Which grant to revoke.',
  fields: (t) => ({ grantId: t.id({ required: true, description: 'The grant.' }).validate(globalId('RoleGrant')) }),
});

export const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A new API key.',
  fields: (t) => ({
    principalId: t
      .id({ description: 'Whose; your own when absent. For another principal you need `key.manage`.' })
      .validate(globalId('Principal')),
    name: t.string({ required: true, description: 'For people: 1 to 200 printable characters.' }),
    roles: t.field({ type: [RoleEnum], required: true, description: 'It never does more than these; the principal must hold them.' }),
    environmentId: t.id({ description: 'It reaches nothing outside this environment.' }).validate(globalId('Environment')),
    expiresAt: t.field({ type: 'DateTime', description: 'When it stops working; never by itself when absent.' }),
  }),
});

export const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'Which API key to revoke.',
  fields: (t) => ({ apiKeyId: t.id({ required: true, description: 'The key.' }).validate(globalId('ApiKey')) }),
});
