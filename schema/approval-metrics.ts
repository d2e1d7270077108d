// Figures of approvals: types and the filter.
import {
  maxMetricDays,
  maxMetricRows,
  mostRequests,
  metricGroups,
  type ApprovalMetrics,
  type ApproverFigures,
  type Bottleneck,
  type DecidedFigures,
  type GroupFigures,
  type PendingFigures,
  type PolicyFigures,
  type Waits,
} from '#src/approvals/approval-metrics.ts';
import { roles, type Role } from '#src/authority/permission.ts';
import { builder } from './builder.ts';
import { enumOf } from './enum.ts';
import { globalId } from './ids.ts';
import { Policy } from './policy.ts';
import { Principal, RoleEnum } from './principal.ts';
import { Team } from './tenant.ts';
import { RiskClassEnum } from './tool.ts';

export const WaitFigures = builder.objectRef<Waits>('WaitFigures').implement({
  description: 'How long several things took, milliseconds; null where there is none.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'How many.' }),
    medianMs: t.exposeFloat('medianMs', { nullable: true, description: 'Half of them took no longer.' }),
    p90Ms: t.exposeFloat('p90Ms', { nullable: true, description: 'Nine of ten took no longer.' }),
    longestMs: t.exposeFloat('longestMs', { nullable: true, description: 'The longest.' }),
  }),
});

const RiskCount = builder.objectRef<PendingFigures['byRisk'][number]>('ApprovalRiskCount').implement({
  description: 'Pending approvals of one risk class.',
  fields: (t) => ({
    risk: t.expose('risk', { type: RiskClassEnum, description: 'The class.' }),
    count: t.exposeInt('count', { description: 'How many.' }),
  }),
});

const Pending = builder.objectRef<PendingFigures>('PendingApprovalFigures').implement({
  description: 'What waits now.',
  fields: (t) => ({
    waits: t.expose('waits', { type: WaitFigures, description: 'How many wait, and for how long so far.' }),
    expiringSoon: t.exposeInt('expiringSoon', { description: 'How many expire within a day.' }),
    byRisk: t.expose('byRisk', { type: [RiskCount], description: 'How many of each risk class.' }),
  }),
});

const Decided = builder.objectRef<DecidedFigures>('DecidedApprovalFigures').implement({
  description: 'What ended in the period.',
  fields: (t) => ({
    approved: t.exposeInt('approved', { description: 'Approved.' }),
    rejected: t.exposeInt('rejected', { description: 'Rejected.' }),
    expired: t.exposeInt('expired', { description: 'Not decided in time.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Asked for in the period, and withdrawn with their execution since.' }),
    waits: t.expose('waits', { type: WaitFigures, description: 'From the request to its approval or rejection.' }),
  }),
});

const ByApprover = builder.objectRef<ApproverFigures>('ApproverFigures').implement({
  description: 'The votes of one person in the period.',
  fields: (t) => ({
    approver: t.field({
      type: Principal,
      nullable: true,
      description: 'Who; null when you may not see the person.',
      resolve: (row) => row.principalId,
    }),
    approvals: t.exposeInt('approvals', { description: 'Votes for.' }),
    rejections: t.exposeInt('rejections', { description: 'Votes against.' }),
    waits: t.expose('waits', { type: WaitFigures, description: 'From the moment the stage began to the vote.' }),
  }),
});

export const MetricGroupEnum = enumOf('ApproverGroupKind', metricGroups, 'Whom a stage asks.', {
  role: 'Everybody with a role there.',
  team: 'The people of a team.',
  principal: 'One person.',
  anybody: 'Everybody with the permission to decide there.',
});

const ByGroup = builder.objectRef<GroupFigures>('ApproverGroupFigures').implement({
  description: 'Whom stages ask, and how long that takes.',
  fields: (t) => ({
    kind: t.expose('kind', { type: MetricGroupEnum, description: 'What kind of group.' }),
    role: t.field({
      type: RoleEnum,
      nullable: true,
      description: 'The role, of a role.',
      resolve: ({ kind, name }) => (kind === 'role' && (roles as readonly string[]).includes(name!) ? (name as Role) : null),
    }),
    team: t.field({
      type: Team,
      nullable: true,
      description: 'The team, of a team; null when you may not see it.',
      resolve: ({ kind, name }) => (kind === 'team' ? name : null),
    }),
    principal: t.field({
      type: Principal,
      nullable: true,
      description: 'The person, of one person; null when you may not see them.',
      resolve: ({ kind, name }) => (kind === 'principal' ? name : null),
    }),
    pending: t.exposeInt('pending', { description: 'Requests that wait for it now.' }),
    pendingLongestMs: t.exposeFloat('pendingLongestMs', { nullable: true, description: 'The age of the oldest of them, milliseconds.' }),
    waits: t.expose('waits', { type: WaitFigures, description: 'From the moment such a stage began to each vote, in the period.' }),
  }),
});

const ByPolicy = builder.objectRef<PolicyFigures>('ApprovalPolicyFigures').implement({
  description: 'What one policy asked for.',
  fields: (t) => ({
    isStep: t.boolean({ description: 'Whether approval steps asked, and no policy.', resolve: (row) => row.policyId === null }),
    policy: t.field({
      type: Policy,
      nullable: true,
      description: 'The policy; null for approval steps, or when you may not see it.',
      resolve: (row) => row.policyId,
    }),
    pending: t.exposeInt('pending', { description: 'Requests that wait now.' }),
    pendingLongestMs: t.exposeFloat('pendingLongestMs', { nullable: true, description: 'The age of the oldest of them, milliseconds.' }),
    approved: t.exposeInt('approved', { description: 'Approved in the period.' }),
    rejected: t.exposeInt('rejected', { description: 'Rejected in the period.' }),
    expired: t.exposeInt('expired', { description: 'Not decided in time, in the period.' }),
    waits: t.expose('waits', { type: WaitFigures, description: 'From the request to its approval or rejection, in the period.' }),
  }),
});

const BottleneckType = builder.objectRef<Bottleneck>('ApprovalBottleneck').implement({
  description: 'Where requests wait: for a group, or because of a policy.',
  fields: (t) => ({
    group: t.expose('group', { type: ByGroup, nullable: true, description: 'Whom they wait for; null when this is about a policy.' }),
    policy: t.expose('policy', {
      type: ByPolicy,
      nullable: true,
      description: 'Why they were asked for; null when this is about a group.',
    }),
    waitingMs: t.exposeFloat('waitingMs', { description: 'The ages of all that wait there, added up; milliseconds.' }),
    share: t.exposeInt('share', { description: 'Of all waiting for groups, or because of policies; percent.' }),
  }),
});

export const ApprovalMetricsType = builder.objectRef<ApprovalMetrics>('ApprovalMetrics').implement({
  description: `Figures of the approvals that you may read. Breakdowns have at most ${maxMetricRows} rows, the longest waits first.`,
  fields: (t) => ({
    since: t.expose('since', { type: 'DateTime', description: 'Where the period begins.' }),
    until: t.expose('until', { type: 'DateTime', description: 'Where it ends; this moment is not part of it.' }),
    pending: t.expose('pending', { type: Pending, description: 'What waits now.' }),
    decided: t.expose('decided', { type: Decided, description: 'What ended in the period.' }),
    byApprover: t.expose('byApprover', { type: [ByApprover], description: 'For each person who voted in the period.' }),
    byGroup: t.expose('byGroup', { type: [ByGroup], description: 'For each role, team and person that stages ask.' }),
    byPolicy: t.expose('byPolicy', { type: [ByPolicy], description: 'For each policy that asks, and for approval steps.' }),
    bottlenecks: t.expose('bottlenecks', {
      type: [BottleneckType],
      description: 'Where most waiting happens now, worst first; at most five.',
    }),
    isCapped: t.exposeBoolean('isCapped', {
      description: `Whether more than ${mostRequests} wait, or ended in one way in the period: then the figures are of the newest so many.`,
    }),
  }),
});

export const ApprovalMetricsFilter = builder.inputType('ApprovalMetricsFilter', {
  description: `Which approvals, and which period: 30 days up to now when absent, at most ${maxMetricDays}.`,
  fields: (t) => ({
    projectId: t.id({ description: 'In this project.' }).validate(globalId('Project')),
    environmentId: t.id({ description: 'In this environment.' }).validate(globalId('Environment')),
    agentId: t.id({ description: 'Of this agent.' }).validate(globalId('Agent')),
    since: t.field({ type: 'DateTime', description: 'Where the period begins.' }),
    until: t.field({ type: 'DateTime', description: 'Where it ends.' }),
  }),
});
