// Rows of simulations and of what they found: the only file that reads and writes these tables.
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { can, type Authority, type Visibility } from '../authority/permission.ts';
import { decisionConditions, type DecisionFilter } from '../decisions/decision-reads.ts';
import type { GateInput } from '../rules/gate.ts';
import type { DecisionEffect } from '../rules/policy.ts';
import type { SimulationProgress, SimulationResult, SimulationStatus, StoredCandidate } from './simulation.ts';

export type SimulationFilter = Pick<DecisionFilter, 'projectId' | 'environmentId' | 'agentId' | 'tool' | 'action' | 'effect'>;

/** The filter with the rights of who asked, as they were then. */
export interface StoredFilter {
  readonly filter: SimulationFilter;
  readonly places: Visibility;
}

export interface SimulationRow {
  readonly id: string;
  readonly status: SimulationStatus;
  readonly candidate: StoredCandidate;
  readonly since: Date;
  readonly until: Date;
  readonly total: number;
  readonly processed: number;
  readonly changed: number;
  readonly result: SimulationProgress | SimulationResult | null;
  readonly error: string | null;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

const columns = `s.id, s.status, s.candidate, s.from_at as "since", s.to_at as "until", s.total, s.processed, s.changed, s.result, s.error,
  s.requested_by as "requestedBy", s.created_at as "createdAt", s.finished_at as "finishedAt"`;

const rowOf = (row: SimulationRow): SimulationRow => ({
  ...row,
  since: new Date(row.since),
  until: new Date(row.until),
  createdAt: new Date(row.createdAt),
  finishedAt: row.finishedAt && new Date(row.finishedAt),
});

/** Those `actor` asked for; all of them for who may read every policy and decision of the tenant. */
function visible(actor: Authority, params: unknown[]): string {
  return can(actor, 'policy.read') && can(actor, 'decision.read') ? 'true' : `s.requested_by = $${params.push(actor.principalId)}`;
}

export async function simulationsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<SimulationRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const condition = visible(actor, params);
  const sql = `select ${columns} from policy_simulations s where s.tenant_id = $1 and s.id = any($2::uuid[]) and ${condition}`;
  return (await uow.rows<SimulationRow>(sql, params)).map(rowOf);
}

/** Newest first. */
export async function listSimulations(uow: UnitOfWork, actor: Authority, request: PageRequest): Promise<Page<SimulationRow>> {
  const window = pageWindow('simulations', request);
  const params: unknown[] = [uow.tenantId, window.afterId];
  const sql = `select ${columns} from policy_simulations s
    where s.tenant_id = $1 and ($2::uuid is null or s.id < $2) and ${visible(actor, params)} order by s.id desc limit ${window.limit}`;
  return pageOf(window, (await uow.rows<SimulationRow>(sql, params)).map(rowOf));
}

export interface NewSimulation extends Pick<SimulationRow, 'id' | 'candidate' | 'since' | 'until' | 'total' | 'requestedBy' | 'createdAt'> {
  readonly filter: StoredFilter;
  readonly idempotencyKey: string | null;
  readonly requestDigest: string;
}

export async function insertSimulation(uow: UnitOfWork, row: NewSimulation): Promise<SimulationRow> {
  const inserted = uow.rows<SimulationRow>(
    `insert into policy_simulations as s (id, tenant_id, status, candidate, from_at, to_at, filter, total, requested_by, created_at,
       idempotency_key, request_digest)
     values ($1, $2, 'queued', $3::jsonb, $4, $5, $6::jsonb, $7, $8, $9, $10, $11) returning ${columns}`,
    [
      ...[row.id, uow.tenantId, JSON.stringify(row.candidate), row.since, row.until, JSON.stringify(row.filter), row.total],
      ...[row.requestedBy, row.createdAt, row.idempotencyKey, row.requestDigest],
    ],
  );
  const [stored] = await orConflict(inserted, {
    policy_simulations_idempotency: 'idempotencyKey: it is being used for another simulation at this moment; ask again',
  });
  return rowOf(stored!);
}

/** The one that `principalId` asked for with this key. */
export async function simulationByKey(uow: UnitOfWork, principalId: string, key: string) {
  const [row] = await uow.rows<SimulationRow & { requestDigest: string }>(
    `select ${columns}, s.request_digest as "requestDigest" from policy_simulations s
     where s.tenant_id = $1 and s.requested_by = $2 and s.idempotency_key = $3`,
    [uow.tenantId, principalId, key],
  );
  return row ? { digest: row.requestDigest, row: rowOf(row) } : null;
}

export async function countOpen(uow: UnitOfWork): Promise<number> {
  const [row] = await uow.rows<{ count: number }>(
    `select count(*)::int as count from policy_simulations where tenant_id = $1 and status in ('queued', 'running')`,
    [uow.tenantId],
  );
  return row!.count;
}

/** What a simulation looks at. */
export interface SimulationScope extends StoredFilter {
  readonly since: Date;
  readonly until: Date;
}

function conditionsOf(uow: UnitOfWork, { filter, places, since, until }: SimulationScope, bind: (value: unknown) => string): string {
  const any = (column: string, ids: readonly string[]) => (ids.length === 0 ? [] : [`${column} = any(${bind([...ids])}::uuid[])`]);
  const where = [
    ...any('project_id', places.projectIds),
    ...any('environment_id', places.environmentIds),
    ...any('team_id', places.teamIds),
  ];
  return [
    `tenant_id = ${bind(uow.tenantId)}`,
    places.everywhere ? 'true' : where.length === 0 ? 'false' : `(${where.join(' or ')})`,
    ...decisionConditions({ ...filter, since, until }, bind),
  ].join(' and ');
}

/** How many decisions it will look at; counts no further than `most`. */
export async function countDecisions(uow: UnitOfWork, scope: SimulationScope, most: number): Promise<number> {
  const params: unknown[] = [];
  const conditions = conditionsOf(uow, scope, (value) => `$${params.push(value)}`);
  const sql = `select count(*)::int as count from (select from decisions where ${conditions} limit ${most}) d`;
  return (await uow.rows<{ count: number }>(sql, params))[0]!.count;
}

export interface RecordedDecision {
  readonly id: string;
  readonly agentId: string;
  readonly executionId: string | null;
  readonly slot: string;
  readonly effect: DecisionEffect;
  readonly input: GateInput;
  readonly isRedacted: boolean;
  readonly decidedAt: string;
}

/** The next ones, oldest first. */
export async function nextDecisions(uow: UnitOfWork, scope: SimulationScope, afterId: string | null, limit: number) {
  const params: unknown[] = [];
  const bind = (value: unknown) => `$${params.push(value)}`;
  const conditions = [conditionsOf(uow, scope, bind), ...(afterId === null ? [] : [`id > ${bind(afterId)}`])];
  return uow.rows<RecordedDecision>(
    `select id, agent_id as "agentId", execution_id as "executionId", coalesce(step_id, '') || '#' || coalesce(item_index, -1) as slot,
       effect, input, redacted <> '{}' as "isRedacted", created_at as "decidedAt"
     from decisions where ${conditions.join(' and ')} order by id limit ${limit}`,
    params,
  );
}

/** A simulation as one run of its job knows it. */
export interface SimulationRun {
  readonly id: string;
  readonly run: number;
}

interface BegunSimulation extends SimulationScope {
  readonly candidate: StoredCandidate;
  readonly run: number;
}

/** What it is to do; null when it is over. Begins anew: what an earlier run of the job had found is forgotten. */
export async function beginSimulation(uow: UnitOfWork, id: string): Promise<BegunSimulation | null> {
  const [row] = await uow.rows<{ candidate: StoredCandidate; filter: StoredFilter; since: string; until: string; run: number }>(
    `update policy_simulations s set status = 'running', run = s.run + 1, processed = 0, changed = 0, result = null, after_id = null
     where s.tenant_id = $1 and s.id = $2 and s.status in ('queued', 'running')
     returning s.candidate, s.filter, s.from_at as "since", s.to_at as "until", s.run`,
    [uow.tenantId, id],
  );
  if (!row) return null;
  uow.write('delete from simulation_changes where tenant_id = $1 and simulation_id = $2', [uow.tenantId, id]);
  return { candidate: row.candidate, run: row.run, ...row.filter, since: new Date(row.since), until: new Date(row.until) };
}

export interface FoundChange extends Pick<RecordedDecision, 'agentId' | 'executionId' | 'slot' | 'decidedAt'> {
  readonly decisionId: string;
  readonly before: DecisionEffect;
  readonly after: DecisionEffect;
  readonly approvers: readonly string[];
}

/** False when it was cancelled, or begun anew elsewhere, meanwhile: then nothing is saved. */
export async function saveBatch(
  uow: UnitOfWork,
  { id, run }: SimulationRun,
  batch: { processed: number; afterId: string; progress: SimulationProgress; changes: readonly FoundChange[] },
): Promise<boolean> {
  const { processed, afterId, progress, changes } = batch;
  const [running] = await uow.rows(
    `update policy_simulations set processed = processed + $3, changed = changed + $4, after_id = $5, result = $6::jsonb
     where tenant_id = $1 and id = $2 and status = 'running' and run = $7 returning id`,
    [uow.tenantId, id, processed, changes.length, afterId, JSON.stringify(progress), run],
  );
  if (!running) return false;
  if (changes.length === 0) return true;
  uow.write(
    `insert into simulation_changes (simulation_id, decision_id, tenant_id, agent_id, execution_id, slot, before, after, approvers, decided_at)
     select $1, c."decisionId", $2, c."agentId", c."executionId", c.slot, c.before, c.after, c.approvers, c."decidedAt"
     from json_to_recordset($3::json) as c ("decisionId" uuid, "agentId" uuid, "executionId" uuid, slot text, before text, after text,
       approvers text[], "decidedAt" timestamptz)`,
    [id, uow.tenantId, JSON.stringify(changes)],
  );
  return true;
}

/** Final unless it is over already, or another run than `run` is at work; `result` is left as it is when undefined. */
export async function endSimulation(
  uow: UnitOfWork,
  id: string,
  status: 'succeeded' | 'failed' | 'cancelled',
  { at, result, error, run }: { at: Date; result?: SimulationResult; error?: string; run?: number },
): Promise<boolean> {
  const rows = await uow.rows(
    `update policy_simulations set status = $3, finished_at = $4, result = coalesce($5::jsonb, result), error = $6
     where tenant_id = $1 and id = $2 and status in ('queued', 'running') and ($7::int is null or run = $7) returning id`,
    [uow.tenantId, id, status, at, result ? JSON.stringify(result) : null, error ?? null, run ?? null],
  );
  return rows.length > 0;
}
