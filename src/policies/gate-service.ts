// The gate at work: inside the dispatch transaction it judges one effect with the policies of this moment and records the decision.
import type { Clock } from '../platform/clock.ts';
import { digestOf } from '../platform/canonical.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { newId } from '../platform/ids.ts';
import { storableJson } from '../platform/json.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import type { Authority } from '../principals/permission.ts';
import type { PolicySource } from './compile.ts';
import { decisionsByIds, decisionsOfExecutions, listDecisions, type DecisionFilter, type DecisionRow } from './decision-reads.ts';
import { approvalTerms, evaluateGate } from './evaluate.ts';
import type { GateInput, GateVerdict } from './gate.ts';
import type { PolicyDocument } from './policy.ts';
import { compilePolicies, type PolicySet } from './policy-set.ts';

/** What the decision belongs to. `stepId` and `itemIndex` are null for `execution.start`. */
export interface DecisionReference {
  readonly executionId: string | null;
  readonly stepId: string | null;
  /** Null for a step without forEach. */
  readonly itemIndex: number | null;
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  readonly teamId: string | null;
}

export interface JudgeOptions {
  /** `tenants.policy_revision` when the caller has just read it in this transaction; saves one statement. */
  readonly policyRevision?: number | undefined;
}

export interface Judgement {
  readonly verdict: GateVerdict;
  readonly decisionId: string;
  /** `policyId@version` of each enforced policy that asks for an approval, sorted: `ApprovalSubject.policies`. */
  readonly policyVersions: readonly string[];
}

export interface Gate {
  /** Evaluates and always records, whatever the outcome. Authorises nothing: the caller is the dispatch, not a person. */
  judge(uow: UnitOfWork, input: GateInput, reference: DecisionReference, options?: JudgeOptions): Promise<Judgement>;
  decisionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DecisionRow[]>;
  listDecisions(uow: UnitOfWork, actor: Authority, filter: DecisionFilter, page: PageRequest): Promise<Page<DecisionRow>>;
  /** One page per execution, in the order of the ids. */
  decisionsOfExecutions(
    uow: UnitOfWork,
    actor: Authority,
    executionIds: readonly string[],
    page: PageRequest,
  ): Promise<Page<DecisionRow>[]>;
}

interface Compiled {
  readonly revision: number;
  readonly policies: PolicySet;
}

export function createGate({ clock, maxTenants = 500 }: { clock: Clock; maxTenants?: number }): Gate {
  /** Least recently used first. Filled from committed state only. */
  const cache = new Map<string, Compiled>();

  async function policiesOf(uow: UnitOfWork, known: number | undefined): Promise<PolicySet> {
    const cached = cache.get(uow.tenantId);
    if (cached) {
      const revision = known ?? (await readRevision(uow));
      if (revision === cached.revision) {
        cache.delete(uow.tenantId);
        cache.set(uow.tenantId, cached);
        return cached.policies;
      }
    }
    const { revision, policies, isOwnChange } = await load(uow);
    // A change this very transaction made may still be rolled back: its revision must not stand for what others commit.
    if (!isOwnChange) {
      cache.delete(uow.tenantId);
      cache.set(uow.tenantId, { revision, policies });
      const oldest = cache.size > maxTenants ? cache.keys().next() : null;
      if (oldest && !oldest.done) cache.delete(oldest.value);
    }
    return policies;
  }

  return {
    decisionsByIds,
    listDecisions,
    decisionsOfExecutions,

    async judge(uow, input, reference, { policyRevision } = {}) {
      const policies = await policiesOf(uow, policyRevision);
      const startedAt = performance.now();
      const verdict = evaluateGate(policies, input);
      const durationMicros = Math.round((performance.now() - startedAt) * 1_000);
      const decisionId = newId();
      const record = recordable(input);
      uow.write(
        `insert into decisions (id, tenant_id, project_id, environment_id, agent_id, team_id, execution_id, step_id, item_index,
           action, effect, reasons, findings, input, input_digest, duration_micros, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text[], $13::jsonb, $14::jsonb, $15, $16, $17)`,
        [
          decisionId,
          uow.tenantId,
          reference.projectId,
          reference.environmentId,
          reference.agentId,
          reference.teamId,
          reference.executionId,
          reference.stepId,
          reference.itemIndex,
          input.action,
          verdict.effect,
          [...verdict.reasons],
          JSON.stringify(verdict.findings),
          record.text,
          digestOf(record.value),
          durationMicros,
          clock.now(),
        ],
      );
      return { verdict, decisionId, policyVersions: verdict.effect === 'require_approval' ? approvalTerms(verdict).policies : [] };
    },
  };
}

/** Arguments may hold characters that jsonb refuses; the digest is of what is stored, so that it can be checked. */
function recordable(input: GateInput): { text: string; value: unknown } {
  const text = JSON.stringify(input);
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return { text, value: input };
  const stored = storableJson(input);
  return { text: stored, value: JSON.parse(stored) };
}

async function readRevision(uow: UnitOfWork): Promise<number | null> {
  const [row] = await uow.rows<{ revision: number }>('select policy_revision as "revision" from tenants where id = $1', [uow.tenantId]);
  return row?.revision ?? null;
}

/** Revision and policies of one snapshot (one statement), so that they always belong together. */
async function load(uow: UnitOfWork): Promise<Compiled & { isOwnChange: boolean }> {
  const rows = await uow.rows<{
    revision: number;
    isOwnChange: boolean | null;
    id: string | null;
    version: number;
    document: PolicyDocument;
  }>(
    `select t.policy_revision as "revision", t.xmin = pg_current_xact_id_if_assigned()::xid as "isOwnChange",
       p.id, p.version, v.rules as "document"
     from tenants t
     left join (policies p join policy_versions v on v.policy_id = p.id and v.version = p.version)
       on p.tenant_id = t.id and p.enabled and p.deleted_at is null
     where t.id = $1`,
    [uow.tenantId],
  );
  const [first] = rows;
  if (!first) throw new Error('the gate was asked to judge in a tenant that does not exist');
  const sources = rows.flatMap(({ id, version, document }): PolicySource[] => (id === null ? [] : [{ id, version, ...document }]));
  return { revision: first.revision, policies: compilePolicies(sources), isOwnChange: first.isOwnChange === true };
}
