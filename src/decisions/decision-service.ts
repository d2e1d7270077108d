// What people do with decision records: read them by step, have them explained, and have them computed again. Changes nothing.
import type { UnitOfWork } from '../platform/database.ts';
import type { Authority } from '../authority/permission.ts';
import { decisionsByIds, pagesOfSlots, type DecisionRow } from './decision-reads.ts';
import { explain, reevaluate, type Explanation, type PolicyMoment, type Reevaluation } from './decision-replay.ts';
import type { PolicySource } from '../rules/judge.ts';
import type { PolicyDocument } from '../rules/policy.ts';
import { policiesByIds } from '../policies/policy-reads.ts';
import { compilePolicies } from '../rules/policy-set.ts';
import { policySources, sourcesInForce } from '../policies/policy-sources.ts';

export interface ExplainedDecision extends Explanation {
  readonly decision: DecisionRow;
  /** By policy id: the policy as it was then, of those that the reader may see. */
  readonly documents: ReadonlyMap<string, PolicyDocument>;
}

export interface ReevaluatedDecision extends Reevaluation {
  readonly decision: DecisionRow;
  readonly policies: PolicyMoment;
}

export interface DecisionService {
  readonly pagesOfSlots: typeof pagesOfSlots;
  /** Null when it does not exist or is not visible. */
  explainDecision(uow: UnitOfWork, actor: Authority, decisionId: string): Promise<ExplainedDecision | null>;
  /** `recorded`: the same outcome, or exactly what differs. `current`: what the policies of this moment would say of the same input. */
  reevaluateDecision(uow: UnitOfWork, actor: Authority, decisionId: string, policies: PolicyMoment): Promise<ReevaluatedDecision | null>;
}

export function createDecisionService(): DecisionService {
  return {
    pagesOfSlots,

    async explainDecision(uow, actor, decisionId) {
      const [decision] = await decisionsByIds(uow, actor, [decisionId]);
      if (!decision) return null;
      const visible = await policiesByIds(
        uow,
        actor,
        decision.findings.map(({ policyId }) => policyId),
      );
      const isVisible = new Set(visible.map(({ id }) => id));
      const versions = decision.findings.filter(({ policyId }) => isVisible.has(policyId));
      return { decision, ...explain(decision), documents: await documentsOf(uow, versions) };
    },

    async reevaluateDecision(uow, actor, decisionId, policies) {
      const [decision] = await decisionsByIds(uow, actor, [decisionId]);
      if (!decision) return null;
      const sources = policies === 'current' ? await policySources(uow) : await recordedSources(uow, decision);
      return { decision, policies, ...reevaluate(decision, compilePolicies(sources)) };
    },
  };
}

/** Of those that spoke, the versions that they spoke with; of the silent ones, what was in force at that moment. */
async function recordedSources(uow: UnitOfWork, { createdAt, findings }: DecisionRow): Promise<PolicySource[]> {
  const spoke = await documentsOf(uow, findings);
  const silent = (await sourcesInForce(uow, createdAt)).filter(({ id }) => !spoke.has(id));
  return [...silent, ...findings.flatMap(({ policyId: id, version }) => (spoke.has(id) ? { id, version, ...spoke.get(id)! } : []))];
}

type VersionKey = { readonly policyId: string; readonly version: number };

async function documentsOf(uow: UnitOfWork, versions: readonly VersionKey[]): Promise<Map<string, PolicyDocument>> {
  if (versions.length === 0) return new Map();
  const rows = await uow.rows<{ policyId: string; document: PolicyDocument }>(
    `select v.policy_id as "policyId", v.rules as "document"
     from unnest($2::uuid[], $3::int[]) as asked (policy_id, version) join policy_versions v using (policy_id, version)
     where v.tenant_id = $1`,
    [uow.tenantId, versions.map(({ policyId }) => policyId), versions.map(({ version }) => version)],
  );
  return new Map(rows.map(({ policyId, document }) => [policyId, document]));
}
