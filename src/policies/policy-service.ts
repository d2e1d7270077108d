// Policies: create, change, apply from a text, enable, disable, delete. Each change is an immutable version and raises the tenant's
// policy revision, by which running gates notice it. The only writer of these tables.
import { canonicalJson } from '../platform/canonical.ts';
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ConflictError, InvalidStateError, NotFoundError, ValidationError } from '../platform/errors.ts';
import { isId, newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { requirePermission } from '../authority/authorize.ts';
import { can, type Authority } from '../authority/permission.ts';
import { changeRules } from '../authority/rules-lock.ts';
import { draftOfChange, draftOfNew, type Draft, type NewPolicy, type PolicyChanges } from './policy-draft.ts';
import { policiesInForce, type PolicyInForceRow, type Whereabouts } from './policy-force.ts';
import type { PolicyChange, PolicyDocument } from '../rules/policy.ts';
import {
  findByName,
  listPolicies,
  lockPolicy,
  placeOf,
  policiesByIds,
  policyVersions,
  scopeOf,
  type PolicyFilter,
  type PolicyRow,
  type PolicyVersionRow,
} from './policy-reads.ts';
import { placesOfScopes } from './policy-scope.ts';
import { readPolicy, type ReadPolicy } from './policy-text.ts';

export type { NewPolicy } from './policy-draft.ts';

export interface PolicyUpdate extends Omit<PolicyChanges, 'enabled'> {
  readonly policyId: string;
  /** The version the author has read; another current one is a conflict. */
  readonly expectedVersion: number;
}

export interface AppliedPolicy {
  /** YAML or JSON text. */
  readonly document: string;
  /** 0: there is no policy of this name yet. Else the version the author has read. */
  readonly expectedVersion: number;
}

export interface Application {
  readonly policy: PolicyRow;
  /** Names of the fields that are new or different; none when nothing was written. */
  readonly changes: readonly string[];
}

export interface FallenBack {
  readonly before: PolicyRow;
  readonly after: PolicyRow;
}

/** What a text would do. */
export interface PolicyPreview {
  readonly document: Omit<PolicyDocument, 'change'>;
  /** The policy that has its name. */
  readonly current: PolicyRow | null;
  readonly changes: readonly string[];
}

export interface PolicyService {
  createPolicy(uow: UnitOfWork, actor: Authority, input: NewPolicy): Promise<PolicyRow>;
  /** A new version, unless nothing would change. */
  updatePolicy(uow: UnitOfWork, actor: Authority, input: PolicyUpdate): Promise<PolicyRow>;
  /** Creates or changes the policy that the text names. Problems come with their line and column. */
  applyPolicy(uow: UnitOfWork, actor: Authority, input: AppliedPolicy): Promise<Application>;
  /** What `applyPolicy` would do; throws as it would for what is wrong with the text. Writes nothing. */
  previewPolicy(uow: UnitOfWork, actor: Authority, document: string): Promise<PolicyPreview>;
  /** Enabling what is enabled (and disabling what is disabled) changes nothing. */
  enablePolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow>;
  disablePolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow>;
  /** Ends it: gone from lists and from the gate, kept for history. Its name is free again. */
  deletePolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow>;
  /**
   * A rollout went wrong: from now on it is observed everywhere. Authorises nothing; null when it is not at `version` any more, or
   * observed already.
   */
  fallBack(uow: UnitOfWork, policyId: string, version: number): Promise<FallenBack | null>;
  /** The one that has this name; null when it is deleted or not visible. */
  readonly findPolicyNamed: typeof findByName;
  findPolicy(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow | null>;
  policiesByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<PolicyRow[]>;
  listPolicies(uow: UnitOfWork, actor: Authority, filter: PolicyFilter, page: PageRequest): Promise<Page<PolicyRow>>;
  /** Those the gate asks about an agent in an environment, each with the place that counts; only those that `actor` may read. */
  policiesInForce(uow: UnitOfWork, actor: Authority, where: Whereabouts): Promise<PolicyInForceRow[]>;
  /** Newest versions of policies that the caller has already read, one list per policy. */
  versionsOf(
    uow: UnitOfWork,
    policyIds: readonly string[],
    window?: { first?: number | null | undefined; before?: number | null | undefined },
  ): Promise<PolicyVersionRow[][]>;
}

export function createPolicyService({ clock }: { clock: Clock }): PolicyService {
  /** The policy, locked, if the actor may see it at one of its places and manage it at each of them. */
  async function manageable(uow: UnitOfWork, actor: Authority, policyId: string): Promise<PolicyRow> {
    const policy = isId(policyId) ? await lockPolicy(uow, policyId) : null;
    const attached = policy ? await placesOfScopes(uow, policy.attachments.map(({ scope }) => scope)) : []; // prettier-ignore
    const places = policy ? [placeOf(policy), ...attached] : [];
    if (!policy || !places.some((place) => can(actor, 'policy.read', place))) throw new NotFoundError(`there is no policy "${policyId}"`);
    for (const place of places) requirePermission(actor, 'policy.manage', place);
    if (policy.deletedAt !== null) {
      throw new InvalidStateError(`the policy "${policy.name}" was deleted at ${policy.deletedAt.toISOString()}; create a new one`);
    }
    return policy;
  }

  async function save(uow: UnitOfWork, author: string, id: string, version: number, document: PolicyDocument): Promise<PolicyRow> {
    const now = clock.now();
    const { name, description, kind, mode, priority, enabled, scope, attachments, rollout, onError, change } = document;
    const columns = [
      ...[name, description, kind, mode, priority, enabled],
      ...[scope.projectId, scope.environmentId, scope.agentId, scope.teamId, scope.tag, scope.tool],
      ...[JSON.stringify(attachments), rollout === null ? null : JSON.stringify(rollout), onError],
    ];
    const written =
      version === 1
        ? uow.rows(
            `insert into policies (id, tenant_id, version, updated_at, created_at, created_by, name, description, kind, mode, priority,
               enabled, project_id, environment_id, agent_id, team_id, tag, tool, attachments, rollout, on_error)
             values ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18::jsonb, $19::jsonb, $20)`,
            [id, uow.tenantId, version, now, author, ...columns],
          )
        : uow.rows(
            `update policies set version = $3, updated_at = $4, deleted_at = case when $5 then $4::timestamptz end,
               name = $6, description = $7, kind = $8, mode = $9, priority = $10, enabled = $11, project_id = $12, environment_id = $13,
               agent_id = $14, team_id = $15, tag = $16, tool = $17, attachments = $18::jsonb, rollout = $19::jsonb, on_error = $20
             where id = $1 and tenant_id = $2`,
            [id, uow.tenantId, version, now, change === 'deleted', ...columns],
          );
    await orConflict(written, {
      policies_name_unique: `name: there is already a policy "${name}"; choose another name or change that one`,
    });
    await uow.rows(
      'insert into policy_versions (policy_id, version, tenant_id, rules, created_by, created_at) values ($1, $2, $3, $4::jsonb, $5, $6)',
      [id, version, uow.tenantId, JSON.stringify(document), author, now],
    );
    await changeRules(uow);
    const policy = await lockPolicy(uow, id);
    if (!policy) throw new Error('the policy that was just written is gone');
    return policy;
  }

  const changed = (uow: UnitOfWork, actor: Authority, policy: PolicyRow, change: PolicyChange, to: Partial<PolicyDocument>) =>
    save(uow, actor.principalId, policy.id, policy.version + 1, { ...documentOf(policy), ...to, change });

  async function created(uow: UnitOfWork, actor: Authority, input: NewPolicy): Promise<PolicyRow> {
    const { document } = permitted(actor, await draftOfNew(uow, actor, input));
    return save(uow, actor.principalId, newId(), 1, { ...document, change: 'created' });
  }

  async function updated(uow: UnitOfWork, actor: Authority, policy: PolicyRow, expectedVersion: number, changes: PolicyChanges) {
    if (policy.version !== expectedVersion) {
      throw new ConflictError(
        `expectedVersion: the policy "${policy.name}" is at version ${policy.version}, not ${expectedVersion}; read it again and repeat your change`,
      );
    }
    const { document } = permitted(actor, await draftOfChange(uow, actor, policy, changes));
    const differences = differencesOf(documentOf(policy), document);
    if (differences.length === 0) return { policy, changes: differences };
    return { policy: await changed(uow, actor, policy, 'updated', document), changes: differences };
  }

  async function switched(uow: UnitOfWork, actor: Authority, policyId: string, enabled: boolean): Promise<PolicyRow> {
    const policy = await manageable(uow, actor, policyId);
    return policy.enabled === enabled ? policy : changed(uow, actor, policy, enabled ? 'enabled' : 'disabled', { enabled });
  }

  return {
    createPolicy: created,

    async updatePolicy(uow, actor, { policyId, expectedVersion, ...changes }) {
      return (await updated(uow, actor, await manageable(uow, actor, policyId), expectedVersion, changes)).policy;
    },

    async applyPolicy(uow, actor, { document, expectedVersion }) {
      const read = await readPolicy(uow, actor, document);
      return read.located(async () => {
        const current = await findByName(uow, actor, read.policy.name);
        if (current) {
          const policy = await manageable(uow, actor, current.id);
          return updated(uow, actor, policy, expectedVersion, changesTo(policy, read));
        }
        if (expectedVersion !== 0) {
          throw new ConflictError(
            `expectedVersion: there is no policy "${read.policy.name}" at version ${expectedVersion}; 0 would create it`,
          );
        }
        const policy = await created(uow, actor, read.policy);
        return { policy, changes: differencesOf(null, documentOf(policy)) };
      });
    },

    async previewPolicy(uow, actor, text) {
      const read = await readPolicy(uow, actor, text);
      return read.located(async () => {
        const current = await findByName(uow, actor, read.policy.name);
        const { document } = current
          ? await draftOfChange(uow, actor, current, changesTo(current, read))
          : await draftOfNew(uow, actor, read.policy);
        return { document, current, changes: differencesOf(current && documentOf(current), document) };
      });
    },

    enablePolicy: (uow, actor, policyId) => switched(uow, actor, policyId, true),
    disablePolicy: (uow, actor, policyId) => switched(uow, actor, policyId, false),

    async deletePolicy(uow, actor, policyId) {
      return changed(uow, actor, await manageable(uow, actor, policyId), 'deleted', { enabled: false });
    },

    async fallBack(uow, policyId, version) {
      const policy = await lockPolicy(uow, policyId);
      if (policy?.version !== version || policy.deletedAt !== null || policy.mode === 'observe') return null;
      const document = documentOf(policy);
      const attachments = document.attachments.map((each) => ({ ...each, ...(each.mode && { mode: 'observe' as const }) }));
      const fallen = { ...document, mode: 'observe', attachments, change: 'fell_back' } as const;
      return { before: policy, after: await save(uow, policy.createdBy, policyId, version + 1, fallen) };
    },

    async findPolicy(uow, actor, policyId) {
      return (await policiesByIds(uow, actor, [policyId]))[0] ?? null;
    },
    findPolicyNamed: findByName,
    policiesByIds,
    listPolicies,
    policiesInForce,
    versionsOf: policyVersions,
  };
}

/** A change that reaches several places must be permitted at each of them, before and after. */
function permitted(actor: Authority, draft: Draft): Draft {
  for (const place of draft.places) requirePermission(actor, 'policy.manage', place);
  return draft;
}

/** A text says everything of a policy; only whether it is switched on may be left to people. */
function changesTo(current: PolicyRow, { policy: { kind, ...policy } }: ReadPolicy): PolicyChanges {
  if (kind !== current.kind) {
    const message = `the policy "${current.name}" is of the kind ${current.kind}, which never changes; choose another name, or delete it first`;
    throw new ValidationError([{ path: 'kind', message, expected: `"${current.kind}"` }]);
  }
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
  scope: scopeOf(policy),
  attachments: policy.attachments,
  rollout: policy.rollout,
  onError: policy.onError,
  rules: policy.rules,
});

const differencesOf = (before: PolicyDocument | null, after: Omit<PolicyDocument, 'change'>): string[] =>
  Object.entries(after)
    .filter(
      ([field, value]) => field !== 'change' && (!before || canonicalJson(value) !== canonicalJson(before[field as keyof PolicyDocument])),
    )
    .map(([field]) => field);
