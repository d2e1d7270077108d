// Policies that are rolled out by and by: when one denies too much, it is only observed from then on.
import { byItself, digestOfRow } from '../audit/audit.ts';
import type { AuditService } from '../audit/audit-service.ts';
import { enqueue } from '../jobs/jobs.ts';
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { firstIdAt } from '../platform/ids.ts';
import type { GateInput, GateVerdict, PolicyFinding } from '../rules/gate.ts';
import type { PolicySource } from '../rules/judge.ts';
import { isRolledOut } from '../rules/policy-places.ts';
import { apiId } from '../webhooks/webhook.ts';
import { tellWebhooks } from '../webhooks/tell.ts';
import type { FallenBack, PolicyService } from './policy-service.ts';
import { compilePolicies } from '../rules/policy-set.ts';
import { policySource } from './policy-sources.ts';
import type { PolicyRollout } from '../rules/policy.ts';

/** Fewer decisions say nothing about a share. */
export const minJudged = 20;
/** Newest decisions of the window that are looked at. */
const maxLooked = 10_000;

type Bounded = PolicyRollout & { readonly maxDenialPercent: number };

const isBounded = (rollout: PolicyRollout | null | undefined): rollout is Bounded => rollout?.maxDenialPercent != null;

/** Ids of the policies among `sources` that fall back when they deny too much. */
export const boundedPolicies = (sources: readonly PolicySource[]): ReadonlySet<string> =>
  new Set(sources.filter(({ rollout }) => isBounded(rollout)).map(({ id }) => id));

/** After a verdict: a bounded policy that has denied is looked at by a job of its own, one for all denials of a moment. */
export async function watchDenials(uow: UnitOfWork, bounded: ReadonlySet<string>, { findings }: GateVerdict): Promise<void> {
  if (bounded.size === 0) return;
  const denying = findings.filter((finding) => bounded.has(finding.policyId) && isDenial(finding)).map(({ policyId }) => policyId);
  // Sorted: two transactions that replace each other's jobs take their rows in one order.
  await enqueue(
    uow,
    denying.sort().map((policyId) => ({
      name: 'watch-rollout',
      payload: { tenantId: uow.tenantId, policyId },
      key: `rollout ${policyId}`,
    })),
  );
}

const isDenial = ({ mode, effect }: Pick<PolicyFinding, 'mode' | 'effect'>): boolean => mode === 'enforce' && effect === 'deny';

export interface RolloutReading {
  readonly policyName: string;
  readonly judged: number;
  readonly denied: number;
  readonly fellBack: boolean;
}

export interface RolloutDependencies {
  readonly clock: Clock;
  readonly policies: Pick<PolicyService, 'fallBack'>;
  readonly audit: Pick<AuditService, 'record'>;
}

/** Job `watch-rollout`; null when there is nothing to watch. */
export async function watchRollout(
  uow: UnitOfWork,
  { clock, policies, audit }: RolloutDependencies,
  policyId: string,
): Promise<RolloutReading | null> {
  const found = await policySource(uow, policyId);
  if (!found) return null;
  const { source, versionAt } = found;
  const { rollout, name: policyName, version } = source;
  if (!isBounded(rollout)) return null;
  // What an earlier version did says nothing about this one: it may have been repaired.
  const since = new Date(Math.max(clock.now().getTime() - rollout.windowMs, versionAt.getTime()));
  const { judged, denied } = countDenials(source, rollout, await recentDecisions(uow, policyId, since));
  const isTooMuch = judged >= minJudged && denied * 100 > rollout.maxDenialPercent * judged;
  const fallen = isTooMuch ? await policies.fallBack(uow, policyId, version) : null;
  if (fallen) {
    recordFall(uow, audit, fallen);
    const { maxDenialPercent, windowMs } = rollout;
    const told = { policyId: apiId('Policy', policyId), name: policyName, version: fallen.after.version };
    tellWebhooks(uow, 'policy.fell_back', [{ ...told, judged, denied, maxDenialPercent, windowMs }], clock.now());
  }
  return { policyName, judged, denied, fellBack: fallen !== null };
}

function recordFall(uow: UnitOfWork, audit: RolloutDependencies['audit'], { before, after }: FallenBack): void {
  const { id, name, projectId, environmentId, teamId } = after;
  audit.record(uow, null, {
    ...{ action: 'fallBackPolicy', subject: { type: 'Policy', id, name }, place: { projectId, environmentId, teamId }, origin: byItself },
    ...{ beforeDigest: digestOfRow(before), afterDigest: digestOfRow(after) },
  });
}

export interface RecentDecision {
  /** Without arguments and outputs. */
  readonly input: GateInput;
  /** What the policy said. */
  readonly finding: Pick<PolicyFinding, 'mode' | 'effect'> | null;
}

/**
 * What a policy judges are the effects in its scope that the rollout has reached, of the actions that it speaks about at all: a policy
 * about tools is not excused by starts of executions.
 */
export function countDenials(source: PolicySource, rollout: PolicyRollout, recent: readonly RecentDecision[]) {
  const policies = compilePolicies([source]);
  const actions = new Set(recent.filter(({ finding }) => finding !== null).map(({ input }) => input.action));
  const judged = recent.filter(({ input }) => {
    const unit = input.executionId ?? `${input.agentId}:${input.principalId}`;
    return actions.has(input.action) && isRolledOut(rollout, source.id, unit) && policies.inForce(input).length > 0;
  });
  return { judged: judged.length, denied: judged.filter(({ finding }) => finding !== null && isDenial(finding)).length };
}

const recentDecisions = (uow: UnitOfWork, policyId: string, since: Date): Promise<RecentDecision[]> =>
  uow.rows<RecentDecision>(
    `select input - array['arguments', 'output'] as input,
       jsonb_path_query_first(findings, '$[*] ? (@.policyId == $id)', jsonb_build_object('id', $3::text)) as finding
     from decisions where tenant_id = $1 and id >= $2 and created_at >= $4 order by id desc limit ${maxLooked}`,
    [uow.tenantId, firstIdAt(since), policyId, since],
  );
