// Composes the product: every service once, in order, from its dependencies. No container.
import { createAgentService } from './agents/agent-service.ts';
import { createApprovalComments } from './approvals/approval-comments.ts';
import { createApprovalMetrics } from './approvals/approval-metrics.ts';
import { createApprovalService } from './approvals/approval-service.ts';
import { createDelegationService } from './approvals/delegation-service.ts';
import { createAuditService } from './audit/audit-service.ts';
import { createEventSinkService } from './eventbus/event-sink-service.ts';
import { createRowCache, uncached } from './cache/row-cache.ts';
import { createEventService } from './events/event-service.ts';
import { createHints } from './events/hints.ts';
import { createLiveFeed } from './events/live-feed.ts';
import { createExecutionService } from './executions/execution-service.ts';
import { createBulkCancelService } from './queues/bulk-cancel.ts';
import { createControlService } from './executions/control-service.ts';
import { createQueueService } from './queues/queue-service.ts';
import { createRerunService } from './executions/rerun-service.ts';
import { createInspectionService } from './inspection/inspection-service.ts';
import { createExecutionStreams } from './executions/execution-streams.ts';
import { createApprovalLog } from './executions/approval-log.ts';
import { createApprovalEditService } from './executions/edit-approval.ts';
import { approvalContextReads } from './executions/approval-context.ts';
import { createKillSwitchService } from './killswitches/kill-switch-service.ts';
import type { Clock } from './platform/clock.ts';
import type { Database } from './platform/database.ts';
import { UnavailableError } from './platform/errors.ts';
import type { Outbound } from './outbound/outbound.ts';
import type { Logger } from './platform/logger.ts';
import type { PubSub } from './platform/redis.ts';
import type { Sealer } from './platform/sealing.ts';
import { createDecisionService } from './decisions/decision-service.ts';
import { createGate } from './gate/gate-service.ts';
import { createDataService, dataFacts } from './datagrants/data-service.ts';
import { killSwitchFacts } from './gate/kill-switch-facts.ts';
import { createPolicyService } from './policies/policy-service.ts';
import { createSimulationService } from './simulations/simulation-service.ts';
import type { Redactor } from './decisions/redaction.ts';
import { createApiKeyService } from './principals/api-key-service.ts';
import { createGrantService } from './principals/grant-service.ts';
import { createPrincipalService } from './principals/principal-service.ts';
import { createTenantArchiveService } from './tenants/tenant-archive-service.ts';
import { createTenantService } from './tenants/tenant-service.ts';
import { createToolCallService } from './toolcalls/tool-call-service.ts';
import type { ToolCallSettings } from './toolcalls/unjudged.ts';
import { createToolOverrideService } from './tools/override-service.ts';
import { createRemoteServerService } from './tools/remote-service.ts';
import { createDiscovery } from './tools/remote-discovery.ts';
import { createToolService } from './tools/tool-service.ts';
import { createWebhookService } from './webhooks/webhook-service.ts';
import type { ToolServers } from './tools/tool-servers.ts';

export interface ServiceSettings {
  readonly clock: Clock;
  readonly database: Database;
  readonly logger: Logger;
  /** Time of rate limits; absent: that of Postgres, which all processes share. Tests that turn the clock turn this one, too. */
  readonly rateClock?: Clock | undefined;
  /** The way out, and the key for secrets (the same in every process); without them no tool server can be registered here. */
  readonly remote?: { readonly outbound: Outbound; readonly sealer: Sealer } | undefined;
  /** A runner's own servers: their descriptions are ahead of the table. A gateway has none. */
  readonly toolServers?: ToolServers | undefined;
  /** What is kept out of decision records. */
  readonly redact?: Redactor | undefined;
  /** The way to other processes; without it they are not heard, and changes are looked for. */
  readonly pubSub?: PubSub | undefined;
  /** Rows that hardly ever change stay in memory between requests; absent: each request reads them. */
  readonly keepsRows?: boolean | undefined;
  /** Of agents that run elsewhere. */
  readonly toolCalls?: ToolCallSettings | undefined;
}

export type Services = ReturnType<typeof createServices>;

export function createServices({
  clock,
  database,
  logger,
  remote,
  toolServers,
  redact,
  rateClock,
  toolCalls: settings,
  pubSub,
  keepsRows,
}: ServiceSettings) {
  const hints = createHints({ pubSub });
  const events = createEventService({ clock, hints });
  const rows = keepsRows ? createRowCache({ pubSub }) : uncached;
  const tenants = createTenantService({ clock, rows });
  const principals = createPrincipalService({ clock });
  const grants = createGrantService({ clock });
  const apiKeys = createApiKeyService({ clock });
  const tools = createToolService({ clock, live: toolServers?.describe });
  const toolOverrides = createToolOverrideService({ clock });
  const remoteServers = createRemoteServerService({
    clock,
    sealer: remote?.sealer ?? { seal: closed, open: closed },
    discover: remote ? createDiscovery({ outbound: remote.outbound, logger }) : async () => closed(),
  });
  const webhooks = createWebhookService({ clock, sealer: remote?.sealer ?? { seal: closed, open: closed }, random: Math.random });
  const eventSinks = createEventSinkService({ clock, sealer: remote?.sealer ?? { seal: closed, open: closed }, events });
  const policies = createPolicyService({ clock });
  const killSwitches = createKillSwitchService({ clock });
  const tenantArchive = createTenantArchiveService({ clock, killSwitches, webhooks });
  const data = createDataService({ clock });
  const gate = createGate({ clock, rateClock, facts: [killSwitchFacts, dataFacts], redact });
  const approvalLog = createApprovalLog({ clock, events });
  const approvals = createApprovalService({ clock, log: approvalLog });
  const approvalDelegations = createDelegationService({ clock, log: approvalLog });
  const approvalComments = createApprovalComments({ clock, log: approvalLog });
  const approvalEdits = createApprovalEditService({ clock, events, approvals, gate, tools });
  const agents = createAgentService({ clock, missingTools: tools.missingTools });
  const executions = createExecutionService({ clock, agents, gate, approvals, events });
  const toolCalls = createToolCallService({ clock, agents, tools, gate, approvals, redact, settings, logger });
  const control = createControlService({ clock, events, approvals });
  const queue = createQueueService({ clock });
  const bulkCancel = createBulkCancelService({
    clock,
    events,
    approvals,
    onError: (err, executionId) => logger.error({ err, executionId }, 'an execution could not be cancelled'),
  });
  const reruns = createRerunService({ clock, agents, gate, events, approvals });
  const inspection = createInspectionService({ executions, events, approvals });
  const feed = createLiveFeed({ database, events, hints, logger });
  const audit = createAuditService({ clock, events, feed, hints });
  const streams = createExecutionStreams({ feed, events });
  return {
    hints,
    rows,
    feed,
    streams,
    events,
    tenants,
    tenantArchive,
    principals,
    grants,
    apiKeys,
    tools,
    toolOverrides,
    toolCalls,
    remoteServers,
    policies,
    killSwitches,
    audit,
    data,
    gate,
    decisions: createDecisionService(),
    simulations: createSimulationService({ clock, policies }),
    approvals,
    approvalDelegations,
    approvalContext: approvalContextReads,
    approvalComments,
    approvalMetrics: createApprovalMetrics({ clock }),
    approvalEdits,
    webhooks,
    eventSinks,
    agents,
    executions,
    control,
    reruns,
    queue,
    bulkCancel,
    inspection,
  };
}

function closed(): never {
  throw new UnavailableError('this process runs without tool servers of tenants');
}
