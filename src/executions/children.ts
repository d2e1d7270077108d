// The agent step: starts an execution of another agent of the same project, in the same environment, with the rights this one was
// started with. Limits keep a definition from multiplying itself; whatever hinders it fails the step, with the reason.
import type { Definition } from '../agents/definition.ts';
import { digestOf } from '../platform/canonical.ts';
import { enqueue } from '../jobs/jobs.ts';
import { isFinalExecution, type ExecutionFailure } from './execution.ts';
import { createExecution, inputValidator, type CreateDependencies } from './create.ts';
import { slotState, type Slot } from './machine-state.ts';
import type { Transition } from './transition.ts';
import type { Work } from './work.ts';

/** Executions above one another, the first included. */
export const maxDepth = 8;
/** Executions that one execution may start. */
export const maxChildren = 1_000;

export async function startChild(deps: CreateDependencies, t: Transition, work: Extract<Work, { kind: 'agent' }>): Promise<void> {
  const { slot, inputs } = work;
  const target = await targetOf(t, work);
  if ('code' in target) return refuse(t, slot, target);
  const problems = inputValidator({ id: target.versionId, definition: target.definition })(inputs, 'with');
  if (problems.length > 0) {
    const message = `inputs of the agent "${work.agent}": ${problems.map((problem) => `${problem.path} ${problem.message}`).join('; ')}`;
    return refuse(t, slot, { code: 'INVALID_ARGUMENTS', message: message.slice(0, 2_000) });
  }
  const { row } = t;
  const attempt = slotState(t.state, slot)!.attempt + 1;
  const child = await createExecution(deps, t.uow, {
    place: { projectId: row.projectId, environmentId: row.environmentId, teamId: target.teamId },
    agentId: target.agentId,
    versionId: target.versionId,
    inputs,
    labels: {},
    requestedBy: row.requestedBy,
    requestedRoles: row.requestedRoles,
    requestDigest: digestOf({ parent: row.id, ...slot, attempt }),
    priority: row.priority,
    parent: { id: row.id, depth: row.depth, slot },
  });
  const command = { type: 'startChild', slot, childId: child!.row.id, decisionId: child!.decisionId! } as const;
  const refusal = await t.run(command, { arguments: JSON.stringify(inputs) });
  if (refusal !== null) throw new Error(`illegal transition: ${refusal}`);
  // Refused at once: nothing else would tell the step that it has ended.
  if (isFinalExecution(child!.row.status))
    await enqueue(t.uow, [{ name: 'run-step', payload: { tenantId: t.uow.tenantId, executionId: row.id, ...slot } }]);
}

interface Target {
  readonly agentId: string;
  readonly teamId: string | null;
  readonly versionId: string;
  readonly definition: Definition;
}

async function targetOf(
  { uow, row }: Transition,
  { agent: name, version }: Extract<Work, { kind: 'agent' }>,
): Promise<Target | ExecutionFailure> {
  if (row.depth + 1 >= maxDepth) {
    return { code: 'TOO_DEEP', message: `${maxDepth} executions stand above one another already; at most ${maxDepth} may` };
  }
  const [found] = await uow.rows<{
    agentId: string;
    teamId: string | null;
    status: string;
    versionId: string | null;
    definition: Definition | null;
    children: number;
    isAbove: boolean;
  }>(
    `with recursive above as (
       select id, parent_id, agent_id from executions where tenant_id = $1 and id = $2
       union all
       select e.id, e.parent_id, e.agent_id from executions e join above on e.tenant_id = $1 and e.id = above.parent_id
     )
     select a.id as "agentId", a.team_id as "teamId", a.status, d.version_id as "versionId", v.definition,
       (select count(*)::int from executions c where c.tenant_id = $1 and c.parent_id = $2) as children,
       exists (select from above where above.agent_id = a.id) as "isAbove"
     from agents a
       left join deployments d on d.tenant_id = $1 and d.agent_id = a.id and d.environment_id = $5
         and case when $6::text is null then d.superseded_at is null
           else d.version_id = (select id from agent_versions w where w.tenant_id = $1 and w.agent_id = a.id and w.version = $6) end
       left join agent_versions v on v.tenant_id = $1 and v.id = d.version_id
     where a.tenant_id = $1 and a.project_id = $3 and a.name = $4 limit 1`,
    [uow.tenantId, row.id, row.projectId, name, row.environmentId, version],
  );
  if (!found) return { code: 'AGENT_UNKNOWN', message: `the project has no agent "${name}"` };
  if (found.isAbove)
    return { code: 'AGENT_CYCLE', message: `the agent "${name}" runs above this step already; an agent cannot start itself` };
  if (found.status !== 'active') return { code: 'AGENT_NOT_ACTIVE', message: `the agent "${name}" is ${found.status}, not active` };
  const { agentId, teamId, versionId, definition, children } = found;
  if (versionId === null || definition === null) {
    const what = version === null ? 'no version' : `version ${version}`;
    return { code: 'AGENT_NOT_DEPLOYED', message: `${what} of the agent "${name}" is live in this environment; promote it there first` };
  }
  if (children >= maxChildren)
    return { code: 'TOO_MANY_CHILDREN', message: `this execution has started ${children} executions; at most ${maxChildren} are allowed` };
  return { agentId, teamId, versionId, definition };
}

async function refuse(t: Transition, slot: Slot, { code, message }: ExecutionFailure): Promise<void> {
  const failure = { code, message, stepId: slot.stepId };
  const refusal = await t.run({ type: 'fail', slot, attempt: 0, failure, retryable: false, random: 0 });
  if (refusal !== null) throw new Error(`illegal transition: ${refusal}`);
}
