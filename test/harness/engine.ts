// An engine for tests: services and real runners on a test database, tools as functions of this process, agents made from
// normalised definitions without the publishing path (it has tests of its own).
import { createServices, type Services } from '#src/app.ts';
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import type { EventRow } from '#src/events/event-service.ts';
import type { StartExecution } from '#src/executions/start-request.ts';
import { isFinalExecution, maxOutputBytes } from '#src/executions/execution.ts';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import { createEvaluator, type Evaluator } from '#src/expressions/evaluator.ts';
import { digestOf } from '#src/platform/canonical.ts';
import { systemClock, type Clock } from '#src/platform/clock.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import type { Authority, Role } from '#src/authority/permission.ts';
import { createSealer } from '#src/platform/sealing.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { isTransient } from '#src/platform/transient.ts';
import { createRunner, type Runner } from '#src/runner/runner.ts';
import { outcomeOf, type CallOptions, type ToolOutcome } from '#src/tools/tool-call.ts';
import type { ToolServers } from '#src/tools/tool-servers.ts';
import { describeTool, type ToolAnnotations, type ToolDescription } from '#src/tools/tool.ts';
import { testDatabase, type TestDatabase } from './database.ts';
import { localOutbound as outbound } from './outbound.ts';

export interface FakeTool {
  readonly annotations?: ToolAnnotations;
  readonly inputSchema?: Record<string, unknown>;
  run(args: Record<string, unknown>, options: CallOptions): unknown;
}

export interface Engine {
  readonly db: TestDatabase;
  readonly services: Services;
  readonly evaluator: Evaluator;
  readonly toolServers: Pick<ToolServers, 'call' | 'describe'>;
  readonly tenantId: string;
  readonly projectId: string;
  readonly environmentId: string;
  /** Starts executions. */
  readonly operator: Authority;
  /** Decides approvals. */
  readonly reviewer: Authority;
  /** Every call that reached a tool: name, arguments, options. */
  readonly calls: { tool: string; args: Record<string, unknown>; options: CallOptions }[];
  authority(roles: readonly Role[], name?: string): Promise<Authority>;
  agent(steps: readonly Partial<StepDefinition>[], more?: Partial<Definition>): Promise<string>;
  start(agentId: string, inputs?: Record<string, unknown>, more?: Partial<StartExecution>): Promise<ExecutionRow>;
  cancel(executionId: string, reason?: string): Promise<ExecutionRow>;
  /** Resolves when `test` holds; looks again after each committed change of this process, and every 50 ms for those of others. */
  until(executionId: string, test: (execution: ExecutionRow) => boolean): Promise<ExecutionRow>;
  finished(executionId: string): Promise<ExecutionRow>;
  events(executionId: string): Promise<EventRow[]>;
  runner(options?: { graceMs?: number; concurrency?: number }): Promise<Runner>;
  stopRunners(): Promise<void>;
  close(): Promise<void>;
}

const logger = createLogger({ level: 'silent' });

export function step(partial: Partial<StepDefinition>): StepDefinition {
  const kind = partial.tool
    ? 'tool'
    : partial.http
      ? 'http'
      : partial.approval
        ? 'approval'
        : partial.wait
          ? 'wait'
          : partial.branch
            ? 'branch'
            : 'transform';
  return {
    id: 'step',
    kind,
    needs: [],
    concurrency: 10,
    retry: { maxAttempts: 1, initialMs: 1, factor: 2, maxMs: 10 },
    timeoutMs: 10_000,
    onFailure: 'fail',
    ...partial,
  };
}

export async function testEngine(tools: Record<string, FakeTool> = {}, clock: Clock = systemClock): Promise<Engine> {
  const db = await testDatabase();
  const services = createServices({
    clock,
    database: db.database,
    logger,
    ...(clock !== systemClock && { rateClock: clock }),
    remote: { outbound, sealer: createSealer(Buffer.alloc(32)) },
  });
  const evaluator = createEvaluator({ workers: 1 });
  const tenantId = newId();
  const [projectId, environmentId] = [newId(), newId()];
  const runners: Runner[] = [];
  const calls: Engine['calls'] = [];
  await db.database.write(tenantId, (uow) => insertPlace(uow, projectId, environmentId));
  const descriptions = new Map<string, ToolDescription>();
  for (const [fullName, tool] of Object.entries(tools)) {
    const [server, name] = fullName.split('.') as [string, string];
    const { inputSchema = { type: 'object' }, annotations = { readOnlyHint: true } } = tool;
    descriptions.set(fullName, describeTool(server, { name, inputSchema, annotations }));
  }
  for (const [server, described] of Map.groupBy(descriptions.values(), (tool) => tool.server)) {
    await db.database.write(tenantId, (uow) => services.tools.syncDefinitions(uow, server, described));
  }

  const toolServers = {
    describe: (name: string) => descriptions.get(name) ?? null,
    async call(tool: string, args: Readonly<Record<string, unknown>>, options: CallOptions = {}): Promise<ToolOutcome> {
      calls.push({ tool, args, options });
      try {
        const value = await tools[tool]!.run(args, options);
        const structuredContent = { value } as Record<string, unknown>;
        return outcomeOf(tool, { content: [{ type: 'text', text: JSON.stringify(value) ?? '' }], structuredContent }, maxOutputBytes);
      } catch (error) {
        return { ok: false, code: 'TOOL_ERROR', message: (error as Error).message, retryable: true, dispatched: true };
      }
    },
  };

  async function authority(roles: readonly Role[], name = `p-${newId()}`): Promise<Authority> {
    const principalId = newId();
    await db.database.write(tenantId, (uow) =>
      uow.rows(`insert into principals (id, tenant_id, kind, name, created_at) values ($1, $2, 'user', $3, now())`, [
        principalId,
        tenantId,
        name,
      ]),
    );
    const grants = roles.map((role) => ({ role, kind: 'tenant' as const, scopeId: tenantId }));
    return { tenantId, principalId, principalName: name, principalKind: 'user', isOperatorTenant: false, grants };
  }
  const operator = await authority(['operator'], 'operator');
  const reviewer = await authority(['reviewer'], 'reviewer');

  const engine: Engine = {
    db,
    services,
    evaluator,
    toolServers,
    tenantId,
    projectId,
    environmentId,
    operator,
    reviewer,
    calls,
    authority,
    async agent(steps, more = {}) {
      const definition: Definition = {
        name: 'agent',
        version: '1.0.0',
        description: '',
        tags: [],
        capabilities: { read: true, write: true, notify: true, execute: true },
        destinations: [],
        tools: Object.keys(tools),
        inputs: { type: 'object' },
        steps: steps.map(step),
        ...more,
      };
      const [agentId, versionId] = [newId(), newId()];
      await db.database.write(tenantId, async (uow) => {
        await uow.rows(
          `insert into agents (id, tenant_id, project_id, name, status, created_by, created_at, updated_at)
           values ($1, $2, $3, $4, 'active', $5, now(), now())`,
          [agentId, tenantId, projectId, `a-${agentId}`, operator.principalId],
        );
        await uow.rows(
          `insert into agent_versions (id, tenant_id, agent_id, version, definition, source, digest, created_by, created_at)
           values ($1, $2, $3, $4, $5::jsonb, '', $6, $7, now())`,
          [versionId, tenantId, agentId, definition.version, JSON.stringify(definition), digestOf(definition), operator.principalId],
        );
        await uow.rows(
          `insert into deployments (id, tenant_id, agent_id, environment_id, version_id, kind, created_by, created_at)
           values ($1, $2, $3, $4, $5, 'promote', $6, now())`,
          [newId(), tenantId, agentId, environmentId, versionId, operator.principalId],
        );
      });
      return agentId;
    },
    start: (agentId, inputs = {}, more = {}) =>
      db.database.write(tenantId, (uow) => services.executions.startExecution(uow, operator, { agentId, environmentId, inputs, ...more })),
    cancel: (executionId, reason = '') =>
      db.database.write(tenantId, (uow) => services.executions.cancelExecution(uow, operator, { executionId, reason })),
    until(executionId, test) {
      const look = () => db.database.read(tenantId, (uow) => services.executions.getExecution(uow, operator, executionId));
      return new Promise((resolve, reject) => {
        let settled = false;
        const check = () =>
          look().then(
            (execution) => {
              if (settled || !test(execution)) return;
              settled = true;
              stop();
              resolve(execution);
            },
            (error: Error) => {
              if (isTransient(error)) return;
              stop();
              reject(error);
            },
          );
        // One look at a time: many waiting tests would otherwise starve the pool that the runner shares with them.
        let looking = false;
        const timer = setInterval(() => {
          if (looking) return;
          looking = true;
          void check().finally(() => (looking = false));
        }, 250);
        const unsubscribe = services.hints.subscribe((hint) => {
          if (hint.executionId === executionId) void check();
        });
        const stop = () => {
          clearInterval(timer);
          unsubscribe();
        };
        void check();
      });
    },
    finished: (executionId) => engine.until(executionId, (execution) => isFinalExecution(execution.status)),
    events: (executionId) => db.database.read(tenantId, (uow) => services.events.after(uow, executionId, 0, 100_000)),
    async runner({ graceMs = 5_000, concurrency = 8 } = {}) {
      const runner = createRunner(
        { ...services, clock, database: db.database, evaluator, toolServers, outbound, logger },
        { connectionString: db.ownerUrl, concurrency, graceMs, takeoverCheckMs: 200, pollMs: 100 },
      );
      await runner.start();
      runners.push(runner);
      return runner;
    },
    async stopRunners() {
      await Promise.all(runners.splice(0).map((runner) => runner.stop()));
    },
    async close() {
      await engine.stopRunners();
      services.feed.close();
      await evaluator.close();
      await db.close();
    },
  };
  return engine;
}

/** The tenant of the transaction, with one project and one environment. */
export async function insertPlace(uow: UnitOfWork, projectId: string, environmentId: string): Promise<void> {
  const { tenantId } = uow;
  await uow.rows('insert into tenants (id, tenant_id, name, created_at) values ($1, $1, $2, now())', [tenantId, `t-${tenantId}`]);
  await uow.rows(`insert into projects (id, tenant_id, name, created_at) values ($1, $2, 'demo', now())`, [projectId, tenantId]);
  await uow.rows(
    `insert into environments (id, tenant_id, project_id, name, kind, created_at) values ($1, $2, $3, 'dev', 'development', now())`,
    [environmentId, tenantId, projectId],
  );
}
