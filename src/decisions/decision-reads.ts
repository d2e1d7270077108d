// Reads of decision records: rows as GraphQL lists need them. Records are written by the gate alone and never change.
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { idsBetween, isId } from '../platform/ids.ts';
import { pageOf, pageWindow, type Page, type PageRequest } from '../platform/page.ts';
import { isStorableText, unstorableText } from '../platform/problems.ts';
import { visibleRows } from '../authority/authorize.ts';
import { visibilityOf, type Authority } from '../authority/permission.ts';
import type { GateInput, PolicyFinding } from '../rules/gate.ts';
import { decisionEffects, type DecisionEffect, type GateAction } from '../rules/policy.ts';
import { fewestBy, periodWays, placeWays, rowsBy, valueWay, type Way } from '../tenants/few-rows.ts';
import { isTenantWide, newestRows, readInOrder, routesTo, splitBy, tenantWide, type Bind, type Route } from '../tenants/newest-rows.ts';

export interface DecisionRow {
  readonly id: string;
  readonly projectId: string;
  readonly environmentId: string;
  readonly agentId: string;
  readonly teamId: string | null;
  /** Null in records of older releases that did not say. */
  readonly principalId: string | null;
  readonly tool: string | null;
  readonly executionId: string | null;
  readonly stepId: string | null;
  readonly itemIndex: number | null;
  readonly action: GateAction;
  readonly effect: DecisionEffect;
  readonly reasons: readonly string[];
  readonly findings: readonly PolicyFinding[];
  readonly input: GateInput;
  /** Where in the input something was left out. */
  readonly redacted: readonly string[];
  readonly inputDigest: string;
  readonly durationMicros: number;
  readonly createdAt: Date;
}

export interface DecisionFilter {
  readonly executionId?: string | null | undefined;
  /** With an execution: only decisions about this step. */
  readonly stepId?: string | null | undefined;
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  readonly principalId?: string | null | undefined;
  /** A policy that had something to say, observed or not. */
  readonly policyId?: string | null | undefined;
  /** The whole name. */
  readonly tool?: string | null | undefined;
  readonly action?: readonly GateAction[] | null | undefined;
  readonly effect?: readonly DecisionEffect[] | null | undefined;
  /** From this moment on. */
  readonly since?: Date | null | undefined;
  /** Before this moment. */
  readonly until?: Date | null | undefined;
}

const columns = `id, project_id as "projectId", environment_id as "environmentId", agent_id as "agentId", team_id as "teamId",
  principal_id as "principalId", tool, execution_id as "executionId", step_id as "stepId", item_index as "itemIndex", action, effect, reasons, findings, input, redacted,
  input_digest as "inputDigest", duration_micros as "durationMicros", created_at as "createdAt"`;
export const decisionPlace = { project: 'project_id', environment: 'environment_id', team: 'team_id' } as const;

async function decisionRows<Row extends DecisionRow = DecisionRow>(
  uow: UnitOfWork,
  sql: string,
  params: readonly unknown[],
): Promise<Row[]> {
  return (await readInOrder<Row>(uow, sql, params)).map((row) => ({ ...row, createdAt: new Date(row.createdAt) }));
}

/** Those that exist and that `actor` may read, in no particular order. */
export function decisionsByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<DecisionRow[]> {
  const params: unknown[] = [uow.tenantId, ids.filter(isId)];
  const visible = visibleRows(actor, 'decision.read', decisionPlace, params);
  return decisionRows(uow, `select ${columns} from decisions where tenant_id = $1 and id = any($2::uuid[]) and ${visible}`, params);
}

/** Newest first. */
export async function listDecisions(
  uow: UnitOfWork,
  actor: Authority,
  filter: DecisionFilter,
  request: PageRequest,
): Promise<Page<DecisionRow>> {
  const window = pageWindow('decisions', request);
  const params: unknown[] = [uow.tenantId];
  const bind = (value: unknown) => `$${params.push(value)}`;
  refuseInvalid(filter);
  const { projectId: _project, environmentId: _environment, agentId: _agent, effect, ...rest } = filter;
  // By what names few decisions, where the filter does; else place by place, and those of a tool, a person, a rare action or an effect.
  const way = filter.executionId != null ? null : await fewestBy(uow, 'decisions', waysOf(actor, filter));
  const isFew = filter.executionId != null || way !== null;
  const { policyId, ...unjudged } = rest;
  const byPolicy = !isFew && policyId != null && visibilityOf(actor, 'decision.read').teamIds.length === 0;
  const conditions = decisionConditions(isFew ? filter : byPolicy ? unjudged : rest, bind);
  if (window.afterId !== null) conditions.push(`id < ${bind(window.afterId)}`);
  let routes = [tenantWide];
  if (isFew) conditions.push(visibleRows(actor, 'decision.read', decisionPlace, params));
  else if (
    filter.tool != null ||
    filter.principalId != null ||
    filter.policyId != null ||
    (filter.action && !filter.action.some(isUsual))
  ) {
    routes = routesTo(actor, 'decision.read', filter, bind, params, { byPlace: true });
    if (effect) conditions.push(`effect = any(${bind([...effect])}::text[])`);
    if (filter.tool == null && filter.principalId == null && filter.policyId == null)
      routes = splitBy(routes, 'action', filter.action!, bind);
    // The index of teams has them by effect, and no other.
    routes = routes.flatMap((route) => (route.isOfTeam ? splitBy([route], 'effect', effect ?? decisionEffects, bind) : [route]));
    if (byPolicy) routes = splitByPolicy(routes, policyId, bind);
  } else {
    routes = routesTo(actor, 'decision.read', filter, bind, params);
    if (!isTenantWide(routes)) routes = splitBy(routes, 'effect', effect ?? decisionEffects, bind);
    else if (effect) routes = byEffect(effect, bind);
  }
  const source = way ? rowsBy('decisions', way, bind) : undefined;
  return pageOf(window, await decisionRows(uow, newestRows('decisions', columns, routes, conditions, window, source), params));
}

/** Those of which nearly every execution has some; the others have an index of their own. */
const isUsual = (action: GateAction) => action === 'execution.start' || action === 'tool.call';

/** What of a filter an index has by itself, and the teams of who has nothing but teams. */
function waysOf(actor: Authority, filter: DecisionFilter): Way[] {
  const { tool, principalId, policyId, action, effect } = filter;
  const everyPlace = {
    keys: [`(select n.id from environments n where n.tenant_id = $1) as place (place_id)`],
    conditions: ['environment_id = place_id'],
  };
  return [
    ...placeWays(actor, 'decision.read', filter, 'decisions'),
    ...(tool == null ? [] : [valueWay('tool', [tool])]),
    ...(principalId == null ? [] : [valueWay('principal_id', [principalId], 'uuid')]),
    ...(policyId == null ? [] : [(bind: Bind) => splitByPolicy([everyPlace], policyId, bind)[0]!]),
    ...(action && !action.some(isUsual) ? [valueWay('action', action, 'text', [`action not in ('execution.start', 'tool.call')`])] : []),
    ...(effect && !effect.includes('allow') ? [valueWay('effect', effect, 'text', [`effect <> 'allow'`])] : []),
    ...periodWays('id', filter),
  ];
}

/** What was not simply allowed has an index of its own, which Postgres recognises by the condition. */
function byEffect(effects: readonly DecisionEffect[], bind: (value: unknown) => string): Route[] {
  const others = effects.filter((effect) => effect !== 'allow');
  return [
    ...(effects.includes('allow') ? [{ keys: ['(values (1)) as any_effect (nothing)'], conditions: [`effect = 'allow'`] }] : []),
    ...splitBy([{ keys: [], conditions: [`effect <> 'allow'`] }], 'effect', others, bind),
  ];
}

/**
 * Of each environment, the policies that judge together there and have this one among them. They are found in the index, one after the
 * other, each by looking for what comes after the last: there are few, however many decisions they made.
 */
function splitByPolicy(routes: readonly Route[], policyId: string, bind: (value: unknown) => string): Route[] {
  const next = (after: string) => `(select d.judged_by, d.findings from decisions d
    where d.tenant_id = $1 and d.environment_id = place_id and d.judged_by ${after} order by d.judged_by limit 1)`;
  const judges = `lateral (
    with recursive known as (
      ${next('is not null')} union all select later.* from known cross join lateral ${next('> known.judged_by')} as later
    ) select judged_by from known where ${saidBy(policyId, bind)}
  ) as judges (judges)`;
  return routes.map(({ keys, conditions }) => ({ keys: [...keys, judges], conditions: [...conditions, 'judged_by = judges'] }));
}

const saidBy = (policyId: string, bind: (value: unknown) => string) => `findings @> ${bind(JSON.stringify([{ policyId }]))}::jsonb`;

const idColumns = {
  executionId: 'execution_id',
  projectId: 'project_id',
  environmentId: 'environment_id',
  agentId: 'agent_id',
  principalId: 'principal_id',
} as const satisfies Partial<Record<keyof DecisionFilter, string>>;

/** Throws one ValidationError for everything that is wrong with the filter. */
export function decisionConditions(filter: DecisionFilter, bind: (value: unknown) => string): string[] {
  refuseInvalid(filter);
  const conditions: string[] = [];
  for (const [field, column] of Object.entries(idColumns) as [keyof typeof idColumns, string][]) {
    if (filter[field] != null) conditions.push(`${column} = ${bind(filter[field])}`);
  }
  if (filter.stepId != null) conditions.push(`step_id = ${bind(filter.stepId)}`);
  if (filter.tool != null) conditions.push(`tool = ${bind(filter.tool)}`);
  if (filter.policyId != null) conditions.push('judged_by is not null', saidBy(filter.policyId, bind));
  if (filter.action) conditions.push(`action = any(${bind([...filter.action])}::text[])`);
  if (filter.effect) conditions.push(`effect = any(${bind([...filter.effect])}::text[])`);
  if (filter.since) conditions.push(`created_at >= ${bind(filter.since)}`);
  if (filter.until) conditions.push(`created_at < ${bind(filter.until)}`);
  return [...conditions, ...idsBetween('id', filter, bind)]; // these leave out partitions
}

function refuseInvalid(filter: DecisionFilter): void {
  const problems: Problem[] = [];
  for (const field of [...Object.keys(idColumns), 'policyId'] as (keyof typeof idColumns | 'policyId')[]) {
    const id = filter[field];
    if (id != null && !isId(id)) problems.push({ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` });
  }
  for (const field of ['stepId', 'tool'] as const) {
    const text = filter[field];
    if (text != null && !isStorableText(text)) problems.push({ path: `filter.${field}`, message: unstorableText });
  }
  if (filter.since && filter.until && filter.since >= filter.until) {
    problems.push({ path: 'filter.until', message: 'is not later than "since", so nothing lies between them' });
  }
  if (problems.length > 0) throw new ValidationError(problems);
}

/** One page per execution, newest first, in one statement: for a batched loader. */
export async function decisionsOfExecutions(
  uow: UnitOfWork,
  actor: Authority,
  executionIds: readonly string[],
  request: PageRequest,
): Promise<Page<DecisionRow>[]> {
  return pagesOfSlots(
    uow,
    actor,
    executionIds.map((executionId) => ({ executionId, stepId: null, itemIndex: null })),
    request,
  );
}

/** What a page of decisions belongs to. */
export interface DecisionSlot {
  readonly executionId: string;
  /** Null: everything of the execution. */
  readonly stepId: string | null;
  /** With a step: null is the step itself. */
  readonly itemIndex: number | null;
}

/** One page per slot, newest first, in one statement and in the order of the slots. */
export async function pagesOfSlots(
  uow: UnitOfWork,
  actor: Authority,
  slots: readonly DecisionSlot[],
  request: PageRequest,
): Promise<Page<DecisionRow>[]> {
  const window = pageWindow('decisions', request);
  const asked = slots.map((slot, place) => ({ place, ...slot }));
  const params: unknown[] = [uow.tenantId, JSON.stringify(asked), window.afterId];
  const visible = visibleRows(actor, 'decision.read', decisionPlace, params);
  const rows = await decisionRows<DecisionRow & { place: number }>(
    uow,
    `select asked.place, page.*
     from json_to_recordset($2::json) as asked (place int, "executionId" uuid, "stepId" text, "itemIndex" int)
     cross join lateral (
       select ${columns} from decisions
       where tenant_id = $1 and execution_id = asked."executionId"
         and (asked."stepId" is null or (step_id = asked."stepId" and item_index is not distinct from asked."itemIndex"))
         and ($3::uuid is null or id < $3) and ${visible}
       order by id desc limit ${window.limit}
     ) page`,
    params,
  );
  const byPlace = Map.groupBy(rows, (row) => row.place);
  return slots.map((_, place) =>
    pageOf(
      window,
      (byPlace.get(place) ?? []).toSorted((a, b) => (a.id < b.id ? 1 : -1)),
    ),
  );
}
