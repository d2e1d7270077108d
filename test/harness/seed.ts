// At least one row of every Node type in a tenant, made the way users make them: an agent is published, promoted and run up to its
// approval; its execution has started another one, was sent a signal and is forked.
import { createServices } from '#src/app.ts';
import type { LimitScope } from '#src/queues/queue.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { systemClock } from '#src/platform/clock.ts';
import type { Database } from '#src/platform/database.ts';
import { createSealer } from '#src/platform/sealing.ts';
import { createLogger } from '#src/platform/logger.ts';
import { newId } from '#src/platform/ids.ts';
import type { Authority } from '#src/authority/permission.ts';
import { createRunner } from '#src/runner/runner.ts';
import { follow } from './follow.ts';
import { toolCall } from './governance.ts';
import { localOutbound as outbound } from './outbound.ts';
import { seedAudit } from './seed-audit.ts';
import type { Home } from './people.ts';

/** Name of the Node type → id of a row. */
export type Seed = Readonly<Record<string, string>>;

export const definition = (name: string) => `
apiVersion: signalbox/v1
kind: Agent
metadata: { name: ${name}, project: one, tags: [seeded] }
spec:
  version: 1.0.0
  inputs: { type: object }
  data: ['dataset:seeded']
  steps:
    - id: each
      forEach: '\${{ [1, 2, 3] }}'
      transform: item * 2
    - id: gives_up
      onFailure: continue
      transform: $error("seeded")
    - id: helper
      agent: { name: seeded-helper }
    - id: sign_off
      needs: [each, helper]
      approval: { title: "Go on?", risk: high, show: { total: "\${{ $sum(steps.each.output) }}" } }
`;

const helperDefinition = `
apiVersion: signalbox/v1
kind: Agent
metadata: { name: seeded-helper }
spec:
  version: 1.0.0
  data: ['service:seeded']
  steps: [{ id: only, transform: '1' }]
`;

/** Seeds each tenant; one runner carries all their executions. */
export async function seedTenants(database: Database, ownerUrl: string, homes: readonly Home[]): Promise<Seed[]> {
  const logger = createLogger({ level: 'silent' });
  const remote = { outbound, sealer: createSealer(Buffer.alloc(32)) };
  const services = createServices({ clock: systemClock, database, logger, remote });
  const evaluator = createEvaluator({ workers: 1 });
  const toolServers = { describe: () => null, call: () => Promise.reject(new Error('seeded agents call no tools')) };
  const runner = createRunner(
    { ...services, clock: systemClock, database, evaluator, toolServers, outbound, logger },
    { connectionString: ownerUrl, concurrency: 2, graceMs: 1_000, takeoverCheckMs: 1_000, pollMs: 100 },
  );
  await runner.start();
  try {
    const seeds: Seed[] = [];
    for (const home of homes) seeds.push(await seedAudit(services, home, await seedTenant(services, home)));
    return seeds;
  } finally {
    await runner.stop();
    services.feed.close();
    await evaluator.close();
  }
}

async function seedTenant(services: ReturnType<typeof createServices>, home: Home): Promise<Seed> {
  const { admin, project, staging, team, write, read } = home;
  const { principals, grants, apiKeys, agents, policies, remoteServers, hints } = services;

  const person = await write((uow) =>
    principals.createPrincipal(uow, admin, { kind: 'user', name: 'Seeded Person', email: 'p@example.com' }),
  );
  await write((uow) => principals.addTeamMember(uow, admin, { teamId: team, principalId: person.id }));
  const grant = (more: object) =>
    write((uow) => grants.grantRole(uow, admin, { role: 'viewer', scopeKind: 'environment', scopeId: staging, ...more }));
  const roleGrant = await grant({ principalId: person.id });
  await grant({ granteeTeamId: team });
  const key = await write((uow) =>
    apiKeys.createApiKey(uow, admin, { principalId: person.id, name: 'seeded', roles: ['viewer'], environmentId: staging }),
  );
  const policy = await write((uow) =>
    policies.createPolicy(uow, admin, {
      name: 'seeded',
      kind: 'tool_access',
      mode: 'observe',
      scope: { projectId: project },
      rules: [{ effect: 'deny', tools: ['nothing.*'] }],
    }),
  );

  const serverInput = { name: 'seeded', url: 'https://mcp.example.com/', enabled: false };
  const toolServer = await write((uow) => remoteServers.registerToolServer(uow, admin, serverInput, { version: 1, discovery: null }));

  const helper = await write((uow) => agents.createAgent(uow, admin, { projectId: project, name: 'seeded-helper', teamId: team }));
  await write((uow) => agents.publishAgentVersion(uow, admin, { agentId: helper.id, definition: helperDefinition }));
  await write((uow) => agents.activateAgent(uow, admin, { agentId: helper.id }));
  await write((uow) => agents.promoteAgentVersion(uow, admin, { agentId: helper.id, environmentId: staging, version: '1.0.0' }));

  const agent = await write((uow) =>
    agents.createAgent(uow, admin, { projectId: project, name: 'seeded', teamId: team, tags: ['seeded'] }),
  );
  const version = await write((uow) => agents.publishAgentVersion(uow, admin, { agentId: agent.id, definition: definition('seeded') }));
  await write((uow) => agents.activateAgent(uow, admin, { agentId: agent.id }));
  const deployment = await write((uow) =>
    agents.promoteAgentVersion(uow, admin, { agentId: agent.id, environmentId: staging, version: '1.0.0' }),
  );
  await write((uow) =>
    policies.createPolicy(uow, admin, {
      name: 'seeded-narrow',
      kind: 'tool_access',
      scope: { agentId: agent.id, environmentId: staging },
      rules: [{ effect: 'deny', tools: ['nothing.*'] }],
    }),
  );
  const ofTeam = {
    name: 'seeded-team',
    kind: 'tool_access',
    scope: { teamId: team },
    attachments: [{ scope: { agentId: agent.id } }],
  } as const;
  await write((uow) => policies.createPolicy(uow, admin, { ...ofTeam, rules: [{ effect: 'deny', tools: ['nothing.*'] }] }));

  // Its port answers nobody: the delivery stays.
  const { webhook } = await write((uow) =>
    services.webhooks.createWebhook(uow, admin, { name: 'seeded', url: 'https://hooks.example.com:9/', events: ['approval.requested'] }),
  );
  const { eventSink } = await write((uow) =>
    services.eventSinks.createEventSink(uow, admin, { name: 'seeded', url: 'https://hooks.example.com:9/', projectId: project }),
  );
  const execution = await startSeeded(services, home, admin, agent.id);
  const pending = Promise.withResolvers<string>();
  const look = async () => {
    const { rows } = await read((uow) => services.approvals.listApprovals(uow, admin, { executionId: execution }, {}));
    if (rows[0]) pending.resolve(rows[0].id);
  };
  const stop = hints.subscribe((hint) => void (hint.executionId === execution && look().catch(pending.reject)));
  await look();
  const approval = await pending.promise;
  stop();
  const comment = await write((uow) => services.approvalComments.comment(uow, admin, { approvalId: approval, text: 'seeded' }));
  const [delivery] = await read((uow) => uow.rows<{ id: string }>('select id from webhook_deliveries where webhook_id = $1', [webhook.id]));
  await grant({ principalId: person.id, role: 'reviewer' });
  const endsAt = new Date(Date.now() + 86_400_000);
  const delegation = await write((uow) =>
    services.approvalDelegations.delegate(uow, admin, { toPrincipalId: person.id, endsAt, reason: 'seeded' }),
  );
  const signal = await write((uow) => services.control.signalExecution(uow, admin, { executionId: execution, name: 'seeded' }));
  await write((uow) => services.reruns.forkExecution(uow, admin, { executionId: execution, stepId: 'each' }));
  const limitOn = (scopeKind: LimitScope, scopeId: string) =>
    write((uow) => services.queue.setConcurrencyLimit(uow, admin, { scopeKind, scopeId, maxRunning: 1_000 }));
  await limitOn('tenant', home.tenantId);
  await limitOn('project', project);
  await limitOn('agent', agent.id);
  const limit = await limitOn('environment', staging);
  const bulk = await write((uow) => services.bulkCancel.cancelExecutions(uow, admin, { filter: { labels: { seeded: 'never' } } }));
  const toolCall = await write((uow) =>
    services.toolCalls.authorizeToolCall(uow, admin, {
      ...{ agentId: agent.id, environmentId: staging, tool: 'custom.seeded', arguments: {}, idempotencyKey: 'seeded' },
    }),
  );
  const killSwitch = await write((uow) =>
    services.killSwitches.engageKillSwitch(uow, admin, { scope: 'tool', pattern: 'seeded.never', reason: 'seeded' }),
  );
  const grantData = (ownerAgentId: string, granteeAgentId: string, data: string) =>
    write((uow) => services.data.grantData(uow, admin, { ownerAgentId, granteeAgentId, data, reason: 'seeded' }));
  const dataGrant = await grantData(agent.id, helper.id, 'dataset:seeded');
  await grantData(helper.id, agent.id, 'service:seeded');
  const simulation = await simulateSeeded(services, home, {
    ...{ agentId: helper.id, principalId: person.id, executionId: execution },
  });
  const eventDelivery = await givenUp(home, eventSink.id, execution);
  const [decision] = await read((uow) => uow.rows<{ id: string }>('select id from decisions where execution_id = $1', [execution]));

  return {
    Tenant: home.tenantId,
    Project: project,
    Environment: staging,
    Team: team,
    Principal: person.id,
    RoleGrant: roleGrant.id,
    ApiKey: key.apiKey.id,
    Policy: policy.id,
    ToolServer: toolServer.id,
    Agent: agent.id,
    AgentVersion: version.id,
    Deployment: deployment.id,
    Execution: execution,
    Signal: signal.id,
    Approval: approval,
    ApprovalComment: comment.id,
    ApprovalDelegation: delegation.id,
    Webhook: webhook.id,
    WebhookDelivery: delivery!.id,
    EventSink: eventSink.id,
    EventDelivery: eventDelivery,
    Decision: decision!.id,
    PolicySimulation: simulation,
    ConcurrencyLimit: limit!.id,
    BulkOperation: bulk.id,
    ToolCall: toolCall.id,
    KillSwitch: killSwitch.id,
    DataGrant: dataGrant.id,
  };
}

/** An event that a sink gave up, as the relay leaves it. */
export async function givenUp({ write, tenantId }: Pick<Home, 'write' | 'tenantId'>, sinkId: string, executionId: string): Promise<string> {
  const id = newId();
  await write((uow) =>
    uow.rows(
      `insert into event_deliveries (id, tenant_id, sink_id, event_tenant_id, execution_id, sequence, type, status, attempts, last_error, created_at, dead_lettered_at)
       values ($1, $2, $3, $2, $4, 1, 'execution.queued', 'dead_lettered', 1, 'seeded', now(), now())`,
      [id, tenantId, sinkId, executionId],
    ),
  );
  return id;
}

/** A decision about a step, which policies refuse; and one about an item of it, which a candidate would refuse. */
async function simulateSeeded(
  { gate, simulations }: ReturnType<typeof createServices>,
  { admin, tenantId, project: projectId, staging: environmentId, team: teamId, write, read }: Home,
  { agentId, principalId, executionId }: Record<'agentId' | 'principalId' | 'executionId', string>,
): Promise<string> {
  const place = { projectId, environmentId, agentId, teamId };
  for (const [itemIndex, name] of [
    [null, 'nothing.at_all'],
    [0, 'other.tool'],
  ] as const) {
    const call = { tenantId, ...place, principalId, agentTools: [name], at: new Date().toISOString() };
    const reference = { executionId, stepId: 'each', itemIndex, ...place };
    await write((uow) => gate.judge(uow, toolCall(call, { name }), reference));
  }
  const until = new Date(Date.now() + 60_000);
  const rules = [{ effect: 'deny', tools: ['other.*'] }];
  const candidate = { create: [{ name: 'seeded-candidate', kind: 'tool_access' as const, scope: { agentId }, rules }] };
  const { id } = await write((uow) => simulations.simulatePolicies(uow, admin, { candidate, until }));
  const watcher = { authority: admin, signal: new AbortController().signal, read };
  for await (const _ of follow(simulations.progress(watcher, id), null)) continue;
  return id;
}

/** Another execution of the seeded agent. */
export async function startSeeded(
  services: ReturnType<typeof createServices>,
  home: Home,
  actor: Authority,
  agentId: string,
): Promise<string> {
  const { id } = await home.write((uow) =>
    services.executions.startExecution(uow, actor, { agentId, environmentId: home.staging, inputs: {} }),
  );
  return id;
}
