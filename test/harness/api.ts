// The whole product in one process: a real gateway and real runners on one database, tools as functions of the test, agents
// that went through publishing. Setting things up goes through the services; what a test is about goes through the API.
import { createSignalboxClient, type SignalboxClient } from '#client/index.ts';
import { toGlobalId } from '#schema/ids.ts';
import { createServices, type Services } from '#src/app.ts';
import type { EventType } from '#src/events/catalogue.ts';
import type { EventRow } from '#src/events/event-service.ts';
import type { StartExecution } from '#src/executions/start-request.ts';
import { maxOutputBytes } from '#src/executions/execution.ts';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import { createEvaluator } from '#src/expressions/evaluator.ts';
import { systemClock } from '#src/platform/clock.ts';
import { newId } from '#src/platform/ids.ts';
import { createLogger } from '#src/platform/logger.ts';
import type { Authority } from '#src/authority/permission.ts';
import { createRunner, type Runner } from '#src/runner/runner.ts';
import { allToolServers, createRemoteServers, type RemoteServersOptions } from '#src/tools/remote-servers.ts';
import { outcomeOf, type CallOptions, type ToolOutcome } from '#src/tools/tool-call.ts';
import { describeTool, type ToolDescription } from '#src/tools/tool.ts';
import type { FakeTool } from './engine.ts';
import { testServer, type Caller, type TestServer, type TestServerSettings } from './graphql.ts';
import { follow } from './follow.ts';
import { localOutbound as outbound } from './outbound.ts';
import type { Home } from './people.ts';

export interface AgentSpec {
  readonly name?: string;
  readonly version?: string;
  readonly tags?: readonly string[];
  readonly inputs?: object;
  readonly output?: unknown;
  readonly teamId?: string;
  /** Data it declares. */
  readonly data?: readonly string[];
  /** What it may call; the tools of this test when absent. */
  readonly tools?: readonly string[];
  readonly home?: Home;
  /** Where it is deployed, in this order; staging when absent. */
  readonly environments?: readonly string[];
}

export interface Api extends TestServer {
  /** The first tenant. */
  readonly home: Home;
  /** May start and cancel everywhere in it. */
  readonly operator: Authority;
  /** May decide everywhere in it. */
  readonly reviewer: Authority;
  /** Every call that reached a tool. */
  readonly calls: readonly { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }[];
  /** Published, active and deployed; gives its id. Steps as people write them. */
  agent(steps: readonly object[], spec?: AgentSpec): Promise<string>;
  /** Started by `operator` in staging. */
  start(agentId: string, input?: Partial<StartExecution>, as?: Authority): Promise<ExecutionRow>;
  /** Resolves with the events so far once there is one of this type, or the final one. */
  happened(executionId: string, type?: EventType): Promise<EventRow[]>;
  /** Id of the newest approval that the execution asks for, once it does. */
  asked(executionId: string): Promise<string>;
  /** The row after the final event. */
  finished(executionId: string): Promise<ExecutionRow>;
  events(executionId: string): Promise<EventRow[]>;
  /** The typed client; closed with the server. */
  typed(as?: Caller): SignalboxClient;
  /** The same database through services of another process: no hint of theirs reaches this gateway. */
  elsewhere(): Services;
  /** A running runner; in another process unless told otherwise. */
  runner(options?: { readonly services?: Services }): Promise<Runner>;
}

export type ApiSettings = TestServerSettings & {
  readonly tools?: Record<string, FakeTool>;
  /** For the tenants' own servers, in the runners. */
  readonly remoteLimits?: RemoteServersOptions['limits'];
};

const logger = createLogger({ level: 'silent' });

export async function testApi({ tools = {}, remoteLimits, ...settings }: ApiSettings = {}): Promise<Api> {
  const server = await testServer(settings);
  const { services, database, people } = server;
  const { clock = systemClock, remote } = settings;
  const home = people.operator;
  const calls: { tool: string; args: Readonly<Record<string, unknown>> }[] = [];
  const closers: (() => Promise<unknown> | void)[] = [];
  const evaluator = createEvaluator({ workers: 1 });
  const descriptions = new Map<string, ToolDescription>();
  for (const [fullName, { inputSchema = { type: 'object' }, annotations = { readOnlyHint: true } }] of Object.entries(tools)) {
    const [serverName, name] = fullName.split('.') as [string, string];
    descriptions.set(fullName, describeTool(serverName, { name, inputSchema, annotations }));
  }
  for (const [name, described] of Map.groupBy(descriptions.values(), (tool) => tool.server)) {
    await home.write((uow) => services.tools.syncDefinitions(uow, name, described));
  }
  const toolServers = {
    describe: (name: string) => descriptions.get(name) ?? null,
    async call(tool: string, args: Readonly<Record<string, unknown>>, options: CallOptions = {}): Promise<ToolOutcome> {
      calls.push({ tool, args });
      try {
        const value = await tools[tool]!.run(args, options);
        const structuredContent = { value } as Record<string, unknown>;
        return outcomeOf(tool, { content: [{ type: 'text', text: JSON.stringify(value) ?? '' }], structuredContent }, maxOutputBytes);
      } catch (error) {
        return { ok: false, code: 'TOOL_ERROR', message: (error as Error).message, retryable: true, dispatched: true };
      }
    },
  };
  const operator = await home.principal([['operator', 'tenant', home.tenantId]]);
  const reviewer = await home.principal([['reviewer', 'tenant', home.tenantId]]);

  async function happened(executionId: string, type?: EventType): Promise<EventRow[]> {
    const abort = new AbortController();
    const watcher = { authority: home.admin, signal: abort.signal, read: home.read };
    const seen: EventRow[] = [];
    for await (const { events } of follow(services.streams.events(watcher, executionId), null)) {
      seen.push(...events);
      if (events.some((event) => event.type === type)) break;
    }
    abort.abort();
    return seen;
  }

  return {
    ...server,
    home,
    operator,
    reviewer,
    calls,
    async agent(steps, spec = {}) {
      const { name = `agent-${newId()}`, version = '1.0.0', tags = [], inputs = { type: 'object' }, output, teamId, data } = spec;
      const { write, admin, project, staging } = spec.home ?? home;
      const document = {
        apiVersion: 'signalbox/v1',
        kind: 'Agent',
        metadata: { name, tags },
        spec: {
          version,
          capabilities: { read: true, write: true, notify: true, execute: true },
          tools: spec.tools ?? Object.keys(tools),
          ...{ inputs, steps, output, data },
        },
      };
      const { id } = await write((uow) => services.agents.createAgent(uow, admin, { projectId: project, name, teamId }));
      const definition = JSON.stringify(document);
      await write((uow) => services.agents.publishAgentVersion(uow, admin, { agentId: id, definition }));
      await write((uow) => services.agents.activateAgent(uow, admin, { agentId: id }));
      for (const environmentId of spec.environments ?? [staging]) {
        await write((uow) => services.agents.promoteAgentVersion(uow, admin, { agentId: id, environmentId, version }));
      }
      return id;
    },
    start: (agentId, input = {}, as = operator) =>
      database.write(as.tenantId, (uow) => services.executions.startExecution(uow, as, { agentId, environmentId: home.staging, ...input })),
    happened,
    async asked(executionId) {
      const events = await happened(executionId, 'approval.requested');
      return String(events.findLast(({ type }) => type === 'approval.requested')!.data['approvalId']);
    },
    async finished(executionId) {
      await happened(executionId);
      return home.read((uow) => services.executions.getExecution(uow, home.admin, executionId));
    },
    events: (executionId) => home.read((uow) => services.events.after(uow, executionId, 0, 100_000)),
    typed(as = home.adminKey) {
      const apiKey = typeof as === 'string' ? as : `test-principal-${as?.tenantId}/${as?.principalId}`;
      const client = createSignalboxClient({ url: server.url, apiKey });
      closers.push(() => client.close());
      return client;
    },
    elsewhere() {
      const other = createServices({ clock, database, logger });
      closers.push(() => other.feed.close());
      return other;
    },
    async runner({ services: own = createServices({ clock, database, logger, remote }) } = {}) {
      const service = own.remoteServers;
      const servers = remote && createRemoteServers({ database, service, ...remote, clock, logger, maxOutputBytes, limits: remoteLimits });
      const runner = createRunner(
        { ...own, clock, database, evaluator, toolServers: servers ? allToolServers(toolServers, servers) : toolServers, outbound, logger },
        { connectionString: server.ownerUrl, concurrency: 8, graceMs: 5_000, takeoverCheckMs: 200, pollMs: 50 },
      );
      await runner.start();
      closers.unshift(async () => {
        await runner.stop();
        await servers?.close();
      });
      if (own !== services) closers.push(() => own.feed.close());
      return runner;
    },
    async close() {
      for (const close of closers) await close();
      await evaluator.close();
      await server.close();
    },
  };
}

/** A tool that runs until the test releases its argument `key`, or its execution ends. */
export function holdTool(): { readonly tool: FakeTool; release(key: string): void } {
  const held = new Map<string, PromiseWithResolvers<void>>();
  const holder = (key: string) => {
    const known = held.get(key) ?? Promise.withResolvers<void>();
    held.set(key, known);
    return known;
  };
  return {
    tool: {
      run: ({ key }, { signal }) => {
        const stopped = new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')), { once: true }));
        return Promise.race([holder(String(key)).promise, stopped]);
      },
    },
    release: (key) => holder(key).resolve(),
  };
}

export const ids = {
  agent: (id: string) => toGlobalId('Agent', id),
  approval: (id: string) => toGlobalId('Approval', id),
  environment: (id: string) => toGlobalId('Environment', id),
  execution: (id: string) => toGlobalId('Execution', id),
  project: (id: string) => toGlobalId('Project', id),
};
