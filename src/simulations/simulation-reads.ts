// What a simulation has found: totals at its end, and the changed decisions page by page. Whoever may see the simulation may see these.
import type { UnitOfWork } from '../platform/database.ts';
import { pageWindow, pagesOf, type Page, type PageRequest } from '../platform/page.ts';
import type { DecisionEffect } from '../rules/policy.ts';
import type { SimulationProgress, SimulationResult } from './simulation.ts';

/** Agents, and approvers on days, that a result names at most. */
const maxAgents = 100;
const maxApprovals = 1_000;

export async function resultOf(uow: UnitOfWork, simulationId: string, progress: SimulationProgress): Promise<SimulationResult> {
  const params = [uow.tenantId, simulationId];
  const from = 'from simulation_changes where tenant_id = $1 and simulation_id = $2';
  const [[counts], agents, approvals] = await Promise.all([
    uow.rows<{ agentCount: number; executionCount: number }>(
      `select count(distinct agent_id)::int as "agentCount", count(distinct execution_id)::int as "executionCount" ${from}`,
      params,
    ),
    uow.rows<SimulationResult['agents'][number]>(
      `select agent_id as "agentId", count(*)::int as changed, count(distinct execution_id)::int as executions ${from}
       group by agent_id order by 2 desc, 1 limit ${maxAgents}`,
      params,
    ),
    // One request for each step or item, on the day of the first, however often it was decided about.
    uow.rows<SimulationResult['approvals'][number]>(
      `select to_char(asked.at at time zone 'UTC', 'YYYY-MM-DD') as day, asked.approver, count(*)::int as count
       from (
         select approver, min(decided_at) as at from simulation_changes, unnest(approvers) as approver
         where tenant_id = $1 and simulation_id = $2 group by approver, coalesce(execution_id, decision_id), slot) as asked
       group by 1, 2 order by 1, 3 desc, 2 limit ${maxApprovals}`,
      params,
    ),
  ]);
  return { ...progress, ...counts!, agents, approvals };
}

export interface SimulationChangeRow {
  /** Of the decision. */
  readonly id: string;
  readonly parentId: string;
  readonly agentId: string;
  readonly executionId: string | null;
  readonly before: DecisionEffect;
  readonly after: DecisionEffect;
  readonly approvers: readonly string[];
}

export interface ChangeFilter {
  readonly before?: readonly DecisionEffect[] | null | undefined;
  readonly after?: readonly DecisionEffect[] | null | undefined;
}

/** One page per simulation, newest decision first, in one statement. */
export async function changesOfSimulations(
  uow: UnitOfWork,
  simulationIds: readonly string[],
  filter: ChangeFilter,
  request: PageRequest,
): Promise<Page<SimulationChangeRow>[]> {
  const window = pageWindow('changes', request);
  const rows = await uow.rows<SimulationChangeRow>(
    `select page.* from unnest($2::uuid[]) as asked (id)
     cross join lateral (
       select decision_id as id, simulation_id as "parentId", agent_id as "agentId", execution_id as "executionId", before, after, approvers
       from simulation_changes
       where tenant_id = $1 and simulation_id = asked.id and ($3::uuid is null or decision_id < $3)
         and ($4::text[] is null or before = any($4)) and ($5::text[] is null or after = any($5))
       order by decision_id desc limit ${window.limit}
     ) page order by page.id desc`,
    [uow.tenantId, [...new Set(simulationIds)], window.afterId, filter.before ?? null, filter.after ?? null],
  );
  return pagesOf(window, simulationIds, rows);
}
