// Simulations of policies: what a candidate would have decided in a period that is over.
import type { SimulationChangeRow } from '#src/simulations/simulation-reads.ts';
import type { SimulationBatch } from '#src/simulations/simulation-service.ts';
import type { SimulationRow } from '#src/simulations/simulation-store.ts';
import {
  maxCandidates,
  maxDecisions,
  simulationStatuses,
  type SimulationProgress,
  type SimulationResult,
  type VerdictChange,
} from '#src/simulations/simulation.ts';
import { Agent } from './agent.ts';
import { builder } from './builder.ts';
import { connectionsOf, connectionType, paged } from './connection.ts';
import { Decision, GateActionEnum } from './decision.ts';
import { enumOf } from './enum.ts';
import { Execution } from './execution.ts';
import { globalId, globalIds } from './ids.ts';
import { nodeType } from './node.ts';
import { CreatePolicyInput, UpdatePolicyInput } from './policy-inputs.ts';
import { DecisionEffectEnum } from './policy.ts';
import { Principal } from './principal.ts';

export const SimulationStatusEnum = enumOf('SimulationStatus', simulationStatuses, 'How a simulation stands.', {
  queued: 'Accepted; it has not begun.',
  running: 'Under way; its numbers grow.',
  succeeded: 'Over: every decision of the period was looked at.',
  failed: 'Over because of a fault.',
  cancelled: 'Over because somebody cancelled it.',
});

const SimulatedVerdicts = builder.objectRef<VerdictChange>('SimulatedVerdicts').implement({
  description: 'Decisions that would come out otherwise in the same way. `REQUIRE_APPROVAL` both times: others would be asked.',
  fields: (t) => ({
    before: t.expose('before', { type: DecisionEffectEnum, description: 'What the policies of now say.' }),
    after: t.expose('after', { type: DecisionEffectEnum, description: 'What they would say with the candidate.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
});

const SimulatedAgent = builder.objectRef<SimulationResult['agents'][number]>('SimulatedAgent').implement({
  description: 'An agent of which decisions would come out otherwise.',
  fields: (t) => ({
    agent: t.field({ type: Agent, nullable: true, description: 'The agent; null when you may not see it.', resolve: (row) => row.agentId }),
    changed: t.exposeInt('changed', { description: 'How many decisions.' }),
    executions: t.exposeInt('executions', { description: 'Of how many of its executions.' }),
  }),
});

const SimulatedApprovals = builder.objectRef<SimulationResult['approvals'][number]>('SimulatedApprovals').implement({
  description: 'Approvals that somebody would have been asked for besides those that are asked for now.',
  fields: (t) => ({
    day: t.exposeString('day', { description: '`YYYY-MM-DD`, UTC.' }),
    approver: t.exposeString('approver', {
      description:
        'Who: `principal:` or `team:` with an id, `role:` with its name, or `anyone` for everybody with the permission to decide there.',
    }),
    count: t.exposeInt('count', { description: 'How many; once for each step or item of an execution.' }),
  }),
});

const isFinal = (result: SimulationProgress | SimulationResult): result is SimulationResult => 'agents' in result;
const final = <T>(row: SimulationRow, pick: (result: SimulationResult) => T): T | null =>
  row.result && isFinal(row.result) ? pick(row.result) : null;
const atEnd = 'null before the end.';

const SimulationChange = builder.objectRef<SimulationChangeRow>('SimulationChange').implement({
  description: 'One decision that would come out otherwise.',
  fields: (t) => ({
    decision: t.field({
      type: Decision,
      nullable: true,
      description: 'The recorded decision; null when you may not see it, or when it is older than records are kept.',
      resolve: (row) => row.id,
    }),
    agent: t.field({ type: Agent, nullable: true, description: 'Its agent; null when you may not see it.', resolve: (row) => row.agentId }),
    execution: t.field({
      type: Execution,
      nullable: true,
      description: 'Its execution; null when it has none, or when you may not see it.',
      resolve: (row) => row.executionId,
    }),
    before: t.expose('before', { type: DecisionEffectEnum, description: 'What the policies of now say.' }),
    after: t.expose('after', { type: DecisionEffectEnum, description: 'What they would say with the candidate.' }),
    approvers: t.stringList({
      description: 'Who would be asked besides those who are asked now, as in `SimulatedApprovals.approver`; empty without an approval.',
      resolve: (row) => [...row.approvers],
    }),
  }),
});
const SimulationChangeConnection = connectionType(SimulationChange);

export const PolicySimulation = nodeType<SimulationRow>('PolicySimulation', (services, uow, actor, ids) =>
  services.simulations.simulationsByIds(uow, actor, ids),
);
export const PolicySimulationConnection = connectionType(PolicySimulation);
PolicySimulation.implement({
  description:
    'Recorded decisions of a period, judged again by the policies of now with and without a candidate, in the background. Nothing of it has consequences.',
  fields: (t) => ({
    status: t.expose('status', { type: SimulationStatusEnum, description: 'How it stands.' }),
    candidate: t.expose('candidate', {
      type: 'JSON',
      description: 'What is tried: `written`, new and changed policies as a whole, and `removed`, ids of policies that would be gone.',
    }),
    since: t.expose('since', { type: 'DateTime', description: 'Decisions from this moment on.' }),
    until: t.expose('until', { type: 'DateTime', description: 'Decisions before this moment.' }),
    total: t.exposeInt('total', { description: 'How many decisions there are to look at.' }),
    processed: t.exposeInt('processed', { description: 'How many of them it has looked at.' }),
    changed: t.exposeInt('changed', { description: 'How many of these would come out otherwise.' }),
    verdicts: t.field({
      type: [SimulatedVerdicts],
      description: 'The changes by kind, the most frequent first.',
      resolve: ({ result }) => [...(result?.verdicts ?? [])],
    }),
    drifted: t.int({
      description: 'Decisions that the policies of now make otherwise than those of then, candidate or not.',
      resolve: ({ result }) => result?.drifted ?? 0,
    }),
    failed: t.int({
      description: 'Decisions about which a policy could not be evaluated with the candidate.',
      resolve: ({ result }) => result?.failed ?? 0,
    }),
    redacted: t.int({
      description: 'Decisions of whose input something was left out: policies that look at it may say something else.',
      resolve: ({ result }) => result?.redacted ?? 0,
    }),
    agentCount: t.int({
      nullable: true,
      description: `How many agents are affected; ${atEnd}`,
      resolve: (row) => final(row, ({ agentCount }) => agentCount),
    }),
    executionCount: t.int({
      nullable: true,
      description: `How many executions are affected; ${atEnd}`,
      resolve: (row) => final(row, ({ executionCount }) => executionCount),
    }),
    agents: t.field({
      type: [SimulatedAgent],
      nullable: true,
      description: `The most affected agents, at most 100; ${atEnd}`,
      resolve: (row) => final(row, ({ agents }) => [...agents]),
    }),
    approvals: t.field({
      type: [SimulatedApprovals],
      nullable: true,
      description: `Extra approvals by day and approver, the first 1,000; ${atEnd}`,
      resolve: (row) => final(row, ({ approvals }) => [...approvals]),
    }),
    changes: t.loadable({
      type: SimulationChangeConnection,
      description: 'The decisions that would come out otherwise, newest first.',
      ...paged({
        from: t.arg({ type: [DecisionEffectEnum], description: 'Only those with one of these outcomes now.' }),
        to: t.arg({ type: [DecisionEffectEnum], description: 'Only those with one of these outcomes with the candidate.' }),
      }),
      byPath: true,
      resolve: (row) => row.id,
      load: (ids: string[], { services, read }, { from, to, ...page }) =>
        read((uow) => services.simulations.changesOf(uow, ids, { before: from, after: to }, page)).then(connectionsOf('changes')),
    }),
    error: t.exposeString('error', { nullable: true, description: 'Why it failed; null when it did not.' }),
    requestedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who asked for it; null when you may not see the person.',
      resolve: (row) => row.requestedBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was accepted.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it was over.' }),
  }),
});

export const SimulationUpdate = builder.objectRef<SimulationBatch>('SimulationUpdate').implement({
  description: 'A simulation has got further.',
  fields: (t) => ({
    simulation: t.field({
      type: PolicySimulation,
      nullable: true,
      description: 'As it is now; null when you may no longer see it.',
      resolve: (row) => row.simulationId,
    }),
  }),
});

const PolicyCandidateInput = builder.inputType('PolicyCandidateInput', {
  description: `Policies to try, new, changed and removed; at most ${maxCandidates} together, each once.`,
  fields: (t) => ({
    create: t.field({ type: [CreatePolicyInput], description: 'New policies, as `createPolicy` takes them.' }),
    update: t.field({ type: [UpdatePolicyInput], description: 'Changes, as `updatePolicy` takes them.' }),
    remove: t.idList({ description: 'Policies that would be gone.' }).validate(globalIds('Policy', maxCandidates)),
    documents: t.stringList({
      description: 'Policies as YAML or JSON text: each stands for the policy of its name, new or changed.',
    }),
  }),
});

const SimulationFilterInput = builder.inputType('SimulationFilter', {
  description: 'Conditions on the decisions to look at; an absent one is satisfied by every decision.',
  fields: (t) => ({
    projectId: t.id({ description: 'In this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    tool: t.string({ description: 'About this tool, `server.name`.' }),
    action: t.field({ type: [GateActionEnum], description: 'About one of these actions.' }),
    effect: t.field({ type: [DecisionEffectEnum], description: 'With one of these outcomes then.' }),
  }),
});

export const SimulatePoliciesInput = builder.inputType('SimulatePoliciesInput', {
  description: 'What to try, on which decisions.',
  fields: (t) => ({
    candidate: t.field({ type: PolicyCandidateInput, required: true, description: 'The policies to try.' }),
    since: t.field({ type: 'DateTime', description: 'From this moment on; seven days before `until` when absent.' }),
    until: t.field({
      type: 'DateTime',
      description: `Before this moment; now when absent. At most ${maxDecisions} decisions may lie between.`,
    }),
    filter: t.field({ type: SimulationFilterInput, description: 'Only these decisions.' }),
    idempotencyKey: t.string({ description: 'The same key and input give the same simulation again.' }),
  }),
});

export const CancelSimulationInput = builder.inputType('CancelSimulationInput', {
  description: 'Which simulation to cancel.',
  fields: (t) => ({ simulationId: t.id({ required: true, description: 'The simulation.' }).validate(globalId('PolicySimulation')) }),
});
