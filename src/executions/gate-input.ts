// What the gate is told of an effect: the execution's place and agent, and the effect itself. Pure.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import type { GateInput } from '../rules/gate.ts';
import { capabilities } from '../tools/tool.ts';
import type { ExecutionRow, GateFacts } from './execution-rows.ts';
import type { Plan, Slot } from './machine-state.ts';

/** An execution as the gate is told of it. */
export interface GateSubject {
  readonly uow: UnitOfWork;
  readonly row: GateFacts & Pick<ExecutionRow, 'id' | 'projectId' | 'environmentId' | 'teamId' | 'agentId' | 'requestedBy' | 'labels'>;
  readonly plan: Pick<Plan, 'definition'>;
}

type GateEffect = Pick<GateInput, 'action' | 'tool' | 'arguments' | 'destination' | 'output' | 'costMicroUsd'>;

export function gateInput(clock: Clock, t: GateSubject, effect: GateEffect): GateInput {
  const { row, plan, uow } = t;
  const { definition } = plan;
  return {
    ...effect,
    tenantId: uow.tenantId,
    projectId: row.projectId,
    environmentId: row.environmentId,
    environmentKind: row.environmentKind,
    agentId: row.agentId,
    agentName: row.agentName,
    agentVersion: definition.version,
    agentTags: [...new Set([...row.agentTags, ...definition.tags])].sort(),
    teamId: row.teamId,
    agentCapabilities: capabilities.filter((capability) => definition.capabilities[capability]),
    agentTools: definition.tools,
    agentDestinations: definition.destinations,
    agentData: definition.data ?? [],
    principalId: row.requestedBy,
    roles: row.requestedRoles,
    at: clock.now().toISOString(),
    executionId: row.id,
    labels: row.labels,
  };
}

export const referenceOf = (t: Pick<GateSubject, 'row'>) => ({ executionId: t.row.id, stepId: null, itemIndex: null, ...placeOf(t) });

export const placeOf = ({ row }: Pick<GateSubject, 'row'>) => ({
  projectId: row.projectId,
  environmentId: row.environmentId,
  agentId: row.agentId,
  teamId: row.teamId,
});

export const stepOf = ({ stepId, itemIndex }: Slot) => ({ stepId, itemIndex: itemIndex < 0 ? null : itemIndex });
