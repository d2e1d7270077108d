// Around an approval: what the execution that asks is about, what it did before, and what it last saw in a file. Batched reads; no rules
// of deciding, no writes.
import { addsTo, contentOf, pathOf } from '../approvals/file-change.ts';
import { present, type KnownContent, type Presentation } from '../approvals/approval-rendering.ts';
import type { ApprovalRow } from '../approvals/approval-reads.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { can, type Authority } from '../authority/permission.ts';
import type { EnvironmentKind } from '../tenants/tenant.ts';
import { splitToolName } from '../tools/tool.ts';
import type { StepStatus } from './execution.ts';
import { loadPlans } from './transition.ts';

export interface FinishedStep {
  readonly stepId: string;
  readonly status: StepStatus;
  readonly finishedAt: Date;
}

export interface ApprovalContext {
  readonly agentName: string;
  /** Null for a call of an agent that runs elsewhere. */
  readonly agentVersion: string | null;
  readonly environmentName: string;
  readonly environmentKind: EnvironmentKind;
  readonly requesterName: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAt: Date | null;
  readonly stepTotal: number;
  readonly stepsFinished: number;
  /** The last ones that ended, newest first. */
  readonly lastSteps: readonly FinishedStep[];
  /** Steps that begin only after the one that asks. */
  readonly nextSteps: readonly string[];
}

export interface ApprovalContextReads {
  /** In the order of the approvals, which the caller has authorised; null where the execution is not for `actor` to see. */
  contextsOf(uow: UnitOfWork, actor: Authority, approvals: readonly ApprovalRow[]): Promise<(ApprovalContext | null)[]>;
  /** In the order of the approvals, which the caller has authorised. */
  presentationsOf(uow: UnitOfWork, actor: Authority, approvals: readonly ApprovalRow[]): Promise<Presentation[]>;
}

const lastSteps = 5;
/** Attempts on the same file that are looked at, newest first. */
const candidates = 5;
const maxKnownLength = 1_000_000;
const reads = /read|get|cat|open|view|load|fetch/i;

interface ContextRow extends Omit<ApprovalContext, 'agentVersion' | 'startedAt' | 'lastSteps' | 'nextSteps' | 'stepTotal'> {
  readonly id: string;
  readonly startedAt: string | null;
  readonly versionId: string | null;
  readonly last: readonly { stepId: string; status: StepStatus; finishedAt: string }[];
}

async function contextsOf(uow: UnitOfWork, actor: Authority, approvals: readonly ApprovalRow[]): Promise<(ApprovalContext | null)[]> {
  const rows = await uow.rows<ContextRow>(
    `select a.id, g.name as "agentName", n.name as "environmentName", n.kind as "environmentKind", p.name as "requesterName",
       coalesce(e.labels, '{}') as labels, e.started_at as "startedAt", e.agent_version_id as "versionId",
       coalesce(done.count, 0) as "stepsFinished", coalesce(done.last, '[]') as last
     from approvals a
     join agents g on g.tenant_id = a.tenant_id and g.id = a.agent_id
     join environments n on n.tenant_id = a.tenant_id and n.id = a.environment_id
     left join principals p on p.tenant_id = a.tenant_id and p.id = a.requested_by
     left join executions e on e.tenant_id = a.tenant_id and e.id = a.execution_id
     left join lateral (
       select max(s.total)::int as count, json_agg(json_build_object('stepId', s.step_id, 'status', s.status, 'finishedAt', s.finished_at)
         order by s.finished_at desc, s.step_id) as last
       from (
         select step_id, status, finished_at, count(*) over () as total from steps
         where tenant_id = $1 and execution_id = e.id and item_index = -1 and finished_at is not null
         order by finished_at desc, step_id limit ${lastSteps}
       ) s
     ) done on true
     where a.tenant_id = $1 and a.id = any($2::uuid[])`,
    [uow.tenantId, approvals.map(({ id }) => id)],
  );
  const plans = await loadPlans(
    uow,
    rows.flatMap(({ versionId }) => versionId ?? []),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return approvals.map((approval) => {
    const row = byId.get(approval.id);
    if (!row || !can(actor, 'execution.read', approval)) return null;
    const { id: _, versionId, last, startedAt, ...facts } = row;
    const plan = versionId === null ? undefined : plans.get(versionId);
    return {
      ...facts,
      agentVersion: plan?.definition.version ?? null,
      startedAt: startedAt === null ? null : new Date(startedAt),
      stepTotal: plan?.definition.steps.length ?? 0,
      lastSteps: last.map((step) => ({ ...step, finishedAt: new Date(step.finishedAt) })),
      nextSteps: (approval.stepId !== null && plan?.dependents.get(approval.stepId)) || [],
    };
  });
}

interface Candidate {
  readonly approvalId: string;
  readonly stepId: string;
  readonly versionId: string;
  readonly arguments: Record<string, unknown>;
  readonly text: string | null;
  readonly at: string;
}

/** What the execution itself last read from, or wrote to, the file that the call would write, through the same server. */
async function knownContents(uow: UnitOfWork, actor: Authority, approvals: readonly ApprovalRow[]): Promise<Map<string, KnownContent>> {
  const asked = approvals.flatMap((approval) => {
    const path = pathOf(approval.subject.arguments);
    if (path === null || approval.executionId === null || approval.subject.tool === null) return [];
    return can(actor, 'execution.read', approval) ? [{ approval, path }] : [];
  });
  if (asked.length === 0) return new Map();
  const found = await uow.rows<Candidate>(
    `select asked.id as "approvalId", known.* from unnest($2::uuid[], $3::uuid[], $4::text[]) as asked (id, execution_id, path)
     cross join lateral (
       select t.step_id as "stepId", e.agent_version_id as "versionId", t.arguments, t.finished_at as at,
         case when s.output_bytes <= ${maxKnownLength} then s.output->>'text' end as text
       from attempts t
       join steps s on s.tenant_id = $1 and s.execution_id = t.execution_id and s.step_id = t.step_id and s.item_index = t.item_index
         and s.attempt = t.number and s.status = 'succeeded'
       join executions e on e.tenant_id = $1 and e.id = t.execution_id
       where t.tenant_id = $1 and t.execution_id = asked.execution_id and t.status = 'succeeded'
         and asked.path in (t.arguments->>'path', t.arguments->>'file_path', t.arguments->>'filePath', t.arguments->>'file', t.arguments->>'filename')
       order by t.finished_at desc limit ${candidates}
     ) known`,
    [
      uow.tenantId,
      asked.map(({ approval }) => approval.id),
      asked.map(({ approval }) => approval.executionId),
      asked.map(({ path }) => path),
    ],
  );
  const plans = await loadPlans(
    uow,
    found.map(({ versionId }) => versionId),
  );
  const known = new Map<string, KnownContent>();
  for (const { approval } of asked) {
    const server = splitToolName(approval.subject.tool!)?.server;
    for (const candidate of found) {
      if (candidate.approvalId !== approval.id) continue;
      const tool = plans.get(candidate.versionId)?.steps.get(candidate.stepId)?.tool?.name ?? '';
      const parts = splitToolName(tool);
      if (parts?.server !== server) continue;
      const written = addsTo(tool) ? null : contentOf(candidate.arguments);
      // Of a part of the file (`head`, `offset`) nothing can be said about the rest.
      const read = reads.test(parts?.name ?? '') && Object.keys(candidate.arguments).length === 1 ? candidate.text : null;
      const text = written ?? read;
      if (text !== null) known.set(approval.id, { text, stepId: candidate.stepId, at: new Date(candidate.at) });
      // Anything else may have changed the file in a way that is not known: what came before says nothing.
      if (text !== null || !reads.test(parts?.name ?? '')) break;
    }
  }
  return known;
}

async function presentationsOf(uow: UnitOfWork, actor: Authority, approvals: readonly ApprovalRow[]): Promise<Presentation[]> {
  const known = await knownContents(uow, actor, approvals);
  return approvals.map((approval) => present(approval, known.get(approval.id) ?? null));
}

export const approvalContextReads: ApprovalContextReads = { contextsOf, presentationsOf };
