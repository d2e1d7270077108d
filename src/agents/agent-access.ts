// Who may touch an agent: shared by the two services that change agents and their deployments.
import type { UnitOfWork } from '../platform/database.ts';
import { InvalidStateError, NotFoundError } from '../platform/errors.ts';
import { can, type Authority, type Place } from '../authority/permission.ts';
import { lockAgent, type AgentRow } from './agent-reads.ts';

export const placeOf = ({ projectId, teamId }: Pick<AgentRow, 'projectId' | 'teamId'>): Place => ({ projectId, teamId });

export const noAgent = (agentId: string) =>
  new NotFoundError(`agentId: there is no agent "${agentId.slice(0, 80)}", or it is not visible to you`);

/** The agent, locked for a change by somebody who may see it; changes of one agent follow each other. */
export async function lockVisible(uow: UnitOfWork, actor: Authority, agentId: string): Promise<AgentRow> {
  const agent = await lockAgent(uow, agentId);
  if (!agent || !can(actor, 'agent.read', placeOf(agent))) throw noAgent(agentId);
  return agent;
}

export function refuseArchived(agent: AgentRow): void {
  if (agent.archivedAt === null) return;
  throw new InvalidStateError(`the agent "${agent.name}" was archived at ${agent.archivedAt.toISOString()}; it cannot be changed any more`);
}
