// Policies: create, change, enable, disable, delete. Each change is an immutable version and raises the tenant's policy revision,
// by which running gates notice it. The only writer of these tables.
import { canonicalJson } from '../platform/canonical.ts';
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ConflictError, InvalidStateError, NotFoundError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../principals/authorize.ts';
import { can, type Authority } from '../principals/permission.ts';
import { changeRules } from '../tenants/rules-lock.ts';
import { checkPolicy } from './policy-input.ts';
import type { PolicyChange, PolicyDocument, PolicyKind, PolicyMode, PolicyScope } from './policy.ts';
import {
  listPolicies,
  lockPolicy,
  placeOf,
  policiesByIds,
  policyVersions,
  type PolicyFilter,
  type PolicyRow,
  type PolicyVersionRow,
} from './policy-reads.ts';
import { resolveScope } from './policy-scope.ts';

export interface NewPolicy {
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly kind: PolicyKind;
  readonly mode?: PolicyMode | null | undefined;
  readonly priority?: number | null | undefined;
  readonly enabled?: boolean | null | undefined;
  /** Left out: the whole tenant. */
  readonly scope?: Partial<Nullable<PolicyScope>> | null | undefined;
  /** As `rules.ts` wants them for the kind. */
  readonly rules?: unknown;
}
type Nullable<T> = { readonly [Key in keyof T]: T[Key] | null | undefined };

/** Fields left out stay as they are; a `scope` replaces the whole scope. The kind never changes. */
export interface PolicyUpdate extends Partial<Omit<NewPolicy, 'kind' | 'enabled' | 'name'>> {
  readonly policyId: string;
  /** The version the author has read; another current one is a conflict. */
  readonly expectedVersion: number;
  readonly name?: string | null | undefined;
}

export interface PolicyService {
  createPolicy(uow: UnitOfWork, actor: Authority, input: NewPolicy): Promise<PolicyRow>;
  /** A new version, unless nothing would change. */
  updatePolicy(uow: UnitOfWork, actor: Authority, input: PolicyUpdate): Promise<PolicyRow>;
  /** Enabling what is enabled (and disabling what is disabled) changes nothing. */
  enablePolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow>;
  disablePolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow>;
  /** Ends it: gone from lists and from the gate, kept for history. Its name is free again. */
  deletePolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow>;
  findPolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow | null>;
  policiesByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<PolicyRow[]>;
  listPolicies(uow: UnitOfWork, actor: Authority, filter: PolicyFilter, page: PageRequest): Promise<Page<PolicyRow>>;
  /** Newest versions of policies that the caller has already read, one list per policy. */
  versionsOf(
    uow: UnitOfWork,
    policyIds: readonly string[],
    window?: { first?: number | null | undefined; before?: number | null | undefined },
  ): Promise<PolicyVersionRow[][]>;
}

export function createPolicyService({ clock }: { clock: Clock }): PolicyService {
  /** The policy, locked, if the actor may see it and manage it. */
  async function manageable(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow> {
    const policy = isId(policyId) ? await lockPolicy(uow, policyId) : null;
    if (!policy || !can(actor, 'policy.read', placeOf(policy))) throw new NotFoundError(`there is no policy "${policyId}"`);
    requirePermission(actor, 'policy.manage', placeOf(policy));
    if (policy.deletedAt !== null) {
      throw new InvalidStateError(`the policy "${policy.name}" was deleted at ${policy.deletedAt.toISOString()}; create a new one`);
    }
    return policy;
  }

  async function save(uow: UnitOfWork, actor: Authority, id: string, version: number, document: PolicyDocument): Promise<void> {
    const now = clock.now();
    const { name, description, kind, mode, priority, enabled, scope, change } = document;
    const columns = [name, description, kind, mode, priority, enabled, scope.projectId, scope.environmentId, scope.agentId, scope.tag];
    const written =
      version === 1
        ? uow.rows(
            `insert into policies (id, tenant_id, version, updated_at, created_at, created_by,
               name, description, kind, mode, priority, enabled, project_id, environment_id, agent_id, tag)
             values ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
            [id, uow.tenantId, version, now, actor.principalId, ...columns],
          )
        : uow.rows(
            `update policies set version = $3, updated_at = $4, deleted_at = case when $5 then $4::timestamptz end,
               name = $6, description = $7, kind = $8, mode = $9, priority = $10, enabled = $11,
               project_id = $12, environment_id = $13, agent_id = $14, tag = $15
             where id = $1 and tenant_id = $2`,
            [id, uow.tenantId, version, now, change === 'deleted', ...columns],
          );
    await orConflict(written, {
      policies_name_unique: `name: there is already a policy "${name}"; choose another name or change that one`,
    });
    await uow.rows(
      'insert into policy_versions (policy_id, version, tenant_id, rules, created_by, created_at) values ($1, $2, $3, $4::jsonb, $5, $6)',
      [id, version, uow.tenantId, JSON.stringify(document), actor.principalId, now],
    );
    await changeRules(uow);
  }

  async function changed(uow: UnitOfWork, actor: Authority, policy: PolicyRow, change: PolicyChange, to: Partial<PolicyDocument>) {
    await save(uow, actor, policy.id, policy.version + 1, { ...documentOf(policy), ...to, change });
    return reread(uow, policy.id);
  }

  async function switched(uow: UnitOfWork, actor: Authority, policyId: string, enabled: boolean): Promise<PolicyRow> {
    const policy = await manageable(uow, actor, policyId);
    return policy.enabled === enabled ? policy : changed(uow, actor, policy, enabled ? 'enabled' : 'disabled', { enabled });
  }

  return {
    async createPolicy(uow, actor, input) {
      const fields = checkPolicy({
        name: input.name,
        description: input.description ?? undefined,
        kind: input.kind,
        mode: input.mode ?? undefined,
        priority: input.priority ?? undefined,
        tag: input.scope?.tag ?? null,
        rules: input.rules,
      });
      const { scope, place } = await resolveScope(uow, actor, input.scope ?? {});
      requirePermission(actor, 'policy.manage', place);
      const id = newId();
      const { tag: _, ...rest } = fields;
      await save(uow, actor, id, 1, { ...rest, change: 'created', enabled: input.enabled ?? true, scope, rules: input.rules });
      return reread(uow, id);
    },

    async updatePolicy(uow, actor, input) {
      const policy = await manageable(uow, actor, input.policyId);
      if (policy.version !== input.expectedVersion) {
        throw new ConflictError(
          `expectedVersion: the policy "${policy.name}" is at version ${policy.version}, not ${input.expectedVersion}; read it again and repeat your change`,
        );
      }
      const before = documentOf(policy);
      const rules = input.rules ?? policy.rules;
      const wanted = input.scope ?? before.scope;
      const { tag: _, ...fields } = checkPolicy({
        name: input.name ?? policy.name,
        description: input.description ?? policy.description,
        kind: policy.kind,
        mode: input.mode ?? policy.mode,
        priority: input.priority ?? policy.priority,
        tag: wanted.tag ?? null,
        rules,
      });
      const { scope, place } = input.scope ? await resolveScope(uow, actor, input.scope) : { scope: before.scope, place: placeOf(policy) };
      requirePermission(actor, 'policy.manage', place);
      const after: PolicyDocument = { ...before, ...fields, scope, rules };
      return canonicalJson(after) === canonicalJson(before) ? policy : changed(uow, actor, policy, 'updated', after);
    },

    enablePolicy: (uow, actor, policyId) => switched(uow, actor, policyId, true),
    disablePolicy: (uow, actor, policyId) => switched(uow, actor, policyId, false),

    async deletePolicy(uow, actor, policyId) {
      return changed(uow, actor, await manageable(uow, actor, policyId), 'deleted', { enabled: false });
    },

    async findPolicy(uow, actor, policyId) {
      return (await policiesByIds(uow, actor, [policyId]))[0] ?? null;
    },
    policiesByIds,
    listPolicies,
    versionsOf: policyVersions,
  };
}

async function reread(uow: UnitOfWork, id: string): Promise<PolicyRow> {
  const policy = await lockPolicy(uow, id);
  if (!policy) throw new Error('the policy that was just written is gone');
  return policy;
}

const documentOf = (policy: PolicyRow): PolicyDocument => ({
  change: 'updated',
  name: policy.name,
  description: policy.description,
  kind: policy.kind,
  mode: policy.mode,
  priority: policy.priority,
  enabled: policy.enabled,
  scope: { projectId: policy.projectId, environmentId: policy.environmentId, agentId: policy.agentId, tag: policy.tag },
  rules: policy.rules,
});
