// Figures of approvals: what waits and for how long, how long people took, and where requests get stuck. Reads only, a constant number of
// statements, over what the reader may see.
import type { Clock } from '../platform/clock.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ValidationError, type Problem } from '../platform/errors.ts';
import { idsBetween, isId } from '../platform/ids.ts';
import type { Authority } from '../authority/permission.ts';
import { greatest, routesTo, splitBy, type Bind, type Route } from '../tenants/newest-rows.ts';
import { riskClasses, type RiskClass } from '../tools/tool.ts';

export interface MetricsFilter {
  readonly projectId?: string | null | undefined;
  readonly environmentId?: string | null | undefined;
  readonly agentId?: string | null | undefined;
  /** Requests that ended in [since, until) count as decided, whenever they were made. Thirty days up to now when absent. */
  readonly since?: Date | null | undefined;
  readonly until?: Date | null | undefined;
}

/** Of several waits; all null when there is none. Milliseconds. */
export interface Waits {
  readonly count: number;
  readonly medianMs: number | null;
  readonly p90Ms: number | null;
  readonly longestMs: number | null;
}

export interface PendingFigures {
  /** How long the pending ones have waited so far. */
  readonly waits: Waits;
  /** They expire within a day. */
  readonly expiringSoon: number;
  readonly byRisk: readonly { readonly risk: RiskClass; readonly count: number }[];
}

export interface DecidedFigures {
  readonly approved: number;
  readonly rejected: number;
  readonly expired: number;
  /** Of those that were made in the period. */
  readonly cancelled: number;
  /** From the request to its approval or rejection. */
  readonly waits: Waits;
}

export interface ApproverFigures {
  readonly principalId: string;
  readonly approvals: number;
  readonly rejections: number;
  /** From the moment their stage began to their vote. */
  readonly waits: Waits;
}

export const metricGroups = ['role', 'team', 'principal', 'anybody'] as const;
export type MetricGroup = (typeof metricGroups)[number];

/** Whom a stage asks: a role, a team, a person, or everybody with the permission. */
export interface GroupFigures {
  readonly kind: MetricGroup;
  /** Role, or id of team or person; null for everybody. */
  readonly name: string | null;
  /** Requests whose present stage asks it. */
  readonly pending: number;
  readonly pendingLongestMs: number | null;
  /** Of votes in stages that asked it. */
  readonly waits: Waits;
}

export interface PolicyFigures {
  /** Null: asked for by approval steps. */
  readonly policyId: string | null;
  readonly pending: number;
  readonly pendingLongestMs: number | null;
  readonly approved: number;
  readonly rejected: number;
  readonly expired: number;
  readonly waits: Waits;
}

export interface Bottleneck {
  readonly group: GroupFigures | null;
  readonly policy: PolicyFigures | null;
  /** Requests that wait there now, times their mean age: what is lost there. Milliseconds. */
  readonly waitingMs: number;
  /** Of all waiting, percent. */
  readonly share: number;
}

export interface ApprovalMetrics {
  readonly since: Date;
  readonly until: Date;
  readonly pending: PendingFigures;
  readonly decided: DecidedFigures;
  readonly byApprover: readonly ApproverFigures[];
  readonly byGroup: readonly GroupFigures[];
  readonly byPolicy: readonly PolicyFigures[];
  /** Where most waiting happens now, worst first; at most five. */
  readonly bottlenecks: readonly Bottleneck[];
  /** There are more requests than are looked at; the figures are of the newest. */
  readonly isCapped: boolean;
}

const dayMs = 86_400_000;
const defaultDays = 30;
export const maxMetricDays = 366;
/** Rows of each breakdown, largest first. */
export const maxMetricRows = 100;
const maxBottlenecks = 5;
/** Of requests that wait, and of those that ended in the period in each way: the newest so many. */
export const mostRequests = 1_000;

const waits = (expression: string, only: string) => `json_build_object('count', count(*) filter (where ${only}),
  'medianMs', round((percentile_cont(0.5) within group (order by ${expression}) filter (where ${only}))::numeric)::float8,
  'p90Ms', round((percentile_cont(0.9) within group (order by ${expression}) filter (where ${only}))::numeric)::float8,
  'longestMs', round((max(${expression}) filter (where ${only}))::numeric)::float8)`;
const ms = (from: string, to: string) => `date_part('epoch', ${to} - ${from}) * 1000`;
/** `$2` since, `$3` until, `$4` now. When a request was cancelled is not kept: it counts by when it was made. */
const endedAt = `coalesce(a.decided_at, case when a.status = 'cancelled' then a.created_at when a.expires_at <= $4 then a.expires_at end)`;
/** Of each kind the newest, from an index that has them in that order: of a status that is for each risk. */
const looked = (routes: readonly Route[], period: { readonly since: Date; readonly until: Date }, bind: Bind) => {
  const few = (column: string, ways: readonly Route[], ...conditions: string[]) =>
    greatest('approvals a', column, ways, conditions, mostRequests + 1);
  const during = (column: string) => `a.${column} >= $2 and a.${column} < $3`;
  const byRisk = splitBy(routes, 'risk', riskClasses, bind);
  return [
    few('id', byRisk, `a.status = 'pending'`),
    few('decided_at', routes, during('decided_at')),
    few('expires_at', routes, `a.status = 'expired' and a.decided_at is null`, during('expires_at')),
    few('id', byRisk, `a.status = 'cancelled' and a.decided_at is null`, during('created_at'), ...idsBetween('a.id', period, bind)),
  ];
};

/** `$5` the ids of what is looked at: with them at hand Postgres knows how many there are. */
const chosen = `rows as (
    select a.*, a.status = 'pending' and a.expires_at > $4 as is_open,
      coalesce(${endedAt} >= $2 and ${endedAt} < $3, false) as is_ended, ${ms('a.created_at', 'coalesce(a.decided_at, $4::timestamptz)')} as waited
    from approvals a where a.tenant_id = $1 and a.id = any($5::uuid[])
  ),
  asked as (
    select r.id, r.is_open, r.created_at, r.stage as current, s.stage, coalesce(who.kind, 'anybody') as kind, who.name
    from rows r
    cross join lateral generate_series(0, greatest(jsonb_array_length(r.terms->'stages') - 1, 0)) as s (stage)
    left join lateral (
      select each.key as kind, each.value as name from jsonb_array_elements(r.terms->'stages'->s.stage->'approvers') as approver,
        jsonb_each_text(approver) as each
    ) who on true
  ),
  votes as (
    select v.*, ${ms(
      `coalesce(case when v.stage > 0 then
        (select max(b.voted_at) from approval_votes b where b.tenant_id = $1 and b.approval_id = v.approval_id and b.stage < v.stage) end, r.created_at)`,
      'v.voted_at',
    )} as waited
    from rows r cross join lateral (
      select * from approval_votes v where v.tenant_id = $1 and v.approval_id = r.id and v.voted_at >= $2 and v.voted_at < $3
      offset 0 -- one by one: it is not known here how few they are
    ) v
  )`;

const decidedBetween = `is_ended and status in ('approved', 'rejected')`;
const age = ms('created_at', '$4::timestamptz');

const figuresSql = `with ${chosen}
  select
    (select json_build_object('waits', ${waits('waited', 'is_open')},
       'expiringSoon', count(*) filter (where is_open and expires_at < $4::timestamptz + interval '1 day')) from rows) as pending,
    (select coalesce(json_agg(json_build_object('risk', risk, 'count', count)), '[]') from (
       select risk, count(*) from rows where is_open group by risk) risks) as "byRisk",
    (select json_build_object('approved', count(*) filter (where is_ended and status = 'approved'),
       'rejected', count(*) filter (where is_ended and status = 'rejected'),
       'expired', count(*) filter (where is_ended and status in ('expired', 'pending')),
       'cancelled', count(*) filter (where is_ended and status = 'cancelled'), 'waits', ${waits('waited', decidedBetween)}) from rows) as decided,
    (select coalesce(json_agg(g), '[]') from (
       select principal_id as "principalId", count(*) filter (where decision = 'approve') as approvals,
         count(*) filter (where decision = 'reject') as rejections, ${waits('waited', 'true')} as waits
       from votes group by principal_id order by count(*) desc, principal_id limit ${maxMetricRows}) g) as "byApprover",
    (select coalesce(json_agg(g), '[]') from (
       select k.kind, k.name, count(distinct k.id) filter (where k.is_open and k.stage = k.current) as pending,
         round((max(${ms('k.created_at', '$4::timestamptz')}) filter (where k.is_open and k.stage = k.current))::numeric)::float8 as "pendingLongestMs",
         coalesce(round((sum(${ms('k.created_at', '$4::timestamptz')}) filter (where k.is_open and k.stage = k.current))::numeric)::float8, 0) as "waitingMs",
         ${waits('v.waited', 'v.waited is not null')} as waits
       from asked k left join votes v on v.approval_id = k.id and v.stage = k.stage
       group by k.kind, k.name order by 5 desc, count(*) desc, 1, 2 limit ${maxMetricRows}) g) as "byGroup",
    (select coalesce(json_agg(g), '[]') from (
       select split_part(p.policy, '@', 1) as "policyId", count(*) filter (where is_open) as pending,
         round((max(${age}) filter (where is_open))::numeric)::float8 as "pendingLongestMs",
         coalesce(round((sum(${age}) filter (where is_open))::numeric)::float8, 0) as "waitingMs",
         count(*) filter (where is_ended and status = 'approved') as approved, count(*) filter (where is_ended and status = 'rejected') as rejected,
         count(*) filter (where is_ended and status in ('expired', 'pending')) as expired, ${waits('waited', decidedBetween)} as waits
       from rows left join lateral jsonb_array_elements_text(subject->'policies') as p (policy) on true
       group by 1 order by 4 desc, count(*) desc, 1 limit ${maxMetricRows}) g) as "byPolicy"`;

type Waiting<Row> = Row & { readonly waitingMs: number };

interface Answer {
  readonly pending: Omit<PendingFigures, 'byRisk'>;
  readonly byRisk: PendingFigures['byRisk'];
  readonly decided: DecidedFigures;
  readonly byApprover: readonly ApproverFigures[];
  readonly byGroup: readonly Waiting<GroupFigures>[];
  readonly byPolicy: readonly Waiting<PolicyFigures>[];
}

export interface ApprovalMetricsService {
  approvalMetrics(uow: UnitOfWork, actor: Authority, filter: MetricsFilter): Promise<ApprovalMetrics>;
}

export function createApprovalMetrics({ clock }: { readonly clock: Clock }): ApprovalMetricsService {
  return {
    async approvalMetrics(uow, actor, filter) {
      const now = clock.now();
      const until = filter.until ?? now;
      const since = filter.since ?? new Date(until.getTime() - defaultDays * dayMs);
      refuseInvalid(filter, since, until);
      const params: unknown[] = [uow.tenantId, since, until, now];
      const bind = (value: unknown) => `$${params.push(value)}`;
      const routes = routesTo(actor, 'approval.read', filter, bind, params, { byPlace: true });
      const found = await uow.rows<{ id: string; nth: number }>(
        looked(routes, { since, until }, bind)
          .map(
            (ids) =>
              `select id, (row_number() over (order by place desc))::int as nth from ${ids} ids
               where $2::timestamptz < $3::timestamptz and $4::timestamptz is not null`,
          )
          .join(' union all '),
        params,
      );
      const isCapped = found.some(({ nth }) => nth > mostRequests);
      const ids = [...new Set(found.flatMap(({ id, nth }) => (nth > mostRequests ? [] : [id])))];
      const [answer] = await uow.rows<Answer>(figuresSql, [uow.tenantId, since, until, now, ids]);
      const { pending, byRisk, decided, byApprover, byGroup, byPolicy } = answer!;
      const bottlenecks = bottlenecksOf(byGroup, byPolicy);
      return { since, until, pending: { ...pending, byRisk }, decided, byApprover, byGroup, byPolicy, bottlenecks, isCapped };
    },
  };
}

const columns = [
  ['projectId', 'project_id'],
  ['environmentId', 'environment_id'],
  ['agentId', 'agent_id'],
] as const;

function refuseInvalid(filter: MetricsFilter, since: Date, until: Date): void {
  const problems: Problem[] = columns.flatMap(([field]) => {
    const id = filter[field];
    return id == null || isId(id) ? [] : [{ path: `filter.${field}`, message: `"${id.slice(0, 80)}" is not an id` }];
  });
  const days = (until.getTime() - since.getTime()) / dayMs;
  if (days <= 0) problems.push({ path: 'filter.until', message: 'is not later than "since", so nothing lies between them' });
  if (days > maxMetricDays)
    problems.push({ path: 'filter.since', message: `lies ${Math.ceil(days)} days before "until"; at most ${maxMetricDays} are looked at` });
  if (problems.length > 0) throw new ValidationError(problems);
}

/** Groups and policies compete apart: a request waits at both. */
function bottlenecksOf(groups: readonly Waiting<GroupFigures>[], policies: readonly Waiting<PolicyFigures>[]): Bottleneck[] {
  const share = (waitingMs: number, all: readonly { waitingMs: number }[]) => {
    const total = all.reduce((sum, each) => sum + each.waitingMs, 0);
    return total === 0 ? 0 : Math.round((waitingMs / total) * 100);
  };
  return [
    ...groups.map((group) => ({ group, policy: null, waitingMs: group.waitingMs, share: share(group.waitingMs, groups) })),
    ...policies.map((policy) => ({ group: null, policy, waitingMs: policy.waitingMs, share: share(policy.waitingMs, policies) })),
  ]
    .filter(({ waitingMs }) => waitingMs > 0)
    .sort((a, b) => b.share - a.share || b.waitingMs - a.waitingMs)
    .slice(0, maxBottlenecks);
}
