// What everything in a simulated life shares: the engine and its queue, the clock, the seed's choices, the trace, the executions of
// this life, and the definition its first one runs. Decides nothing about what happens next.
import fc from 'fast-check';
import type { Definition, StepDefinition } from '#src/agents/definition.ts';
import type { ExecutionStatus } from '#src/executions/execution.ts';
import { newId } from '#src/platform/ids.ts';
import type { NewPolicy } from '#src/policies/policy-service.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { Counted } from './counted.ts';
import type { Engine } from './engine.ts';
import { arbitraryDefinition } from './machine.ts';
import { randomOf } from './random.ts';
import type { SimulatedQueue } from './simulation-queue.ts';

/** Ahead of Postgres, so that jobs without a time are due and only this clock decides about the others. */
export const epoch = Date.parse('2100-01-01T00:00:00Z');

export interface Time {
  get(): number;
  set(to: number): void;
}

/** What outlives a life: one database, one tenant, an agent that others start. */
export interface Stage {
  readonly engine: Engine;
  readonly admin: Authority;
  readonly queue: SimulatedQueue;
  readonly time: Time;
  /** Ids of the policies by name. */
  readonly policies: Readonly<Record<string, string>>;
  readonly counted: Counted;
  /** Name of the agent that agent steps start. */
  readonly helper: string;
}

export interface LivedExecution {
  readonly id: string;
  readonly status: ExecutionStatus;
  readonly versionId: string;
  readonly parentId: string | null;
  readonly origin: 'retry' | 'fork' | null;
  /** What its effects' keys begin with. */
  readonly scopeId: string;
}

export interface World extends Stage {
  readonly trace: string[];
  readonly faults: Record<string, number>;
  readonly random: () => number;
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<T>(options: readonly T[]): T | undefined;
  note(line: string): void;
  /** Notes that something went wrong, by kind. */
  count(kind: string): void;
  jump(): void;
  /** Short names of executions, in the order they came: ids differ from run to run. */
  nameOf(executionId: string): string;
  rows<Row extends object>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
  /** Every execution of this life, oldest first. */
  executions(): Promise<LivedExecution[]>;
  definitionOf(execution: Pick<LivedExecution, 'versionId'>): Promise<Definition>;
  /** Each life begins with counters of rate limits that have counted nothing. */
  forgetRates(): Promise<void>;
}

/** So far a clock that jumps back goes. */
export const turnBackMs = 500;

export function createWorld(stage: Stage, seed: number): World {
  const { engine, time } = stage;
  const random = randomOf(seed);
  const beginning = newId();
  const names = new Map<string, string>();
  const definitions = new Map<string, Definition>();
  const below = (limit: number) => Math.floor(random() * limit);
  const world: World = {
    ...stage,
    trace: [],
    faults: {},
    random,
    below,
    chance: (probability) => random() < probability,
    pick: (options) => options[below(options.length)],
    note: (line) => void world.trace.push(line),
    count: (kind) => void (world.faults[kind] = (world.faults[kind] ?? 0) + 1),
    jump() {
      world.count('clock jump');
      time.set(time.get() + (world.chance(0.3) ? -turnBackMs : below(30_000)));
      world.note(`clock jumps to ${time.get() - epoch}`);
    },
    nameOf(executionId) {
      const name = names.get(executionId) ?? `X${names.size + 1}`;
      names.set(executionId, name);
      return name;
    },
    rows: (sql, params) => engine.db.database.read(engine.tenantId, (uow) => uow.rows(sql, params)),
    executions: () =>
      world.rows(
        `select id, status, agent_version_id as "versionId", parent_id as "parentId", origin, coalesce(effect_scope_id, id) as "scopeId"
         from executions where tenant_id = $1 and id > $2 order by id`,
        [engine.tenantId, beginning],
      ),
    async forgetRates() {
      await stage.counted.forget();
      await engine.db.database.write(engine.tenantId, async (uow) => {
        uow.write('delete from rate_entries where tenant_id = $1', [uow.tenantId]);
        uow.write('delete from rate_counters where tenant_id = $1', [uow.tenantId]);
      });
    },
    async definitionOf({ versionId }) {
      let definition = definitions.get(versionId);
      if (!definition) {
        const [row] = await world.rows<{ definition: Definition }>('select definition from agent_versions where id = $1', [versionId]);
        definitions.set(versionId, (definition = row!.definition));
      }
      return definition;
    },
  };
  return world;
}

export const simulatedTools = ['sim.safe', 'sim.once', 'sim.asked'];
export const simulatedDestination = 'api.example.com';

/** How fast things may go in a simulated life: those that are too many wait for their turn. */
export const simulatedRates = {
  'few-calls': { count: 'tool_calls', limit: 1, window: '3s', onViolation: 'queue', maxDelay: '30d' },
  'few-starts': { count: 'executions', limit: 1, window: '5s', onViolation: 'queue', maxDelay: '30d' },
} as const;

const enforced = { mode: 'enforce' } as const;
export const simulatedPolicies: readonly NewPolicy[] = [
  { name: 'ask', kind: 'approval_required', ...enforced, rules: [{ tools: ['sim.asked'], expiresIn: '1m' }] },
  {
    ...{ name: 'ask-starts', kind: 'approval_required', ...enforced },
    rules: [{ actions: ['execution.start'], when: { path: 'arguments.asks', equals: true }, expiresIn: '2m' }],
  },
  ...Object.entries(simulatedRates).map(([name, rules]) => ({ name, kind: 'rate_limit' as const, ...enforced, rules })),
];

/** What a step is told of those it needs: compared with the rows when it is called. */
const viewsOf = (needs: readonly string[]) =>
  Object.fromEntries(needs.map((id) => [id, { status: `\${{ steps.${id}.status }}`, output: `\${{ steps.${id}.output }}` }]));

/** A random definition with tools and agents that exist here. */
export function randomSteps(world: World, seed: number): StepDefinition[] {
  const kinds = ['tool', 'tool', 'http', 'agent', 'transform', 'approval', 'wait', 'wait', 'branch'] as const;
  const [random] = fc.sample(arbitraryDefinition(6, kinds), { seed, numRuns: 1 });
  const input = '${{ inputs.a }}';
  return random!.steps.map((step) => {
    if (step.tool) return { ...step, tool: { name: world.pick(simulatedTools)!, with: { a: input, sees: viewsOf(step.needs) } } };
    if (step.http) {
      // One that may be repeated, and one that may not.
      const method = world.chance(0.5) ? 'PUT' : 'POST';
      const url = `https://${simulatedDestination}/\${{ inputs.a }}`;
      return { ...step, http: { ...step.http, method, url, body: { sees: viewsOf(step.needs) } } };
    }
    if (step.agent) {
      const onParentEnd = world.chance(0.7) ? 'cancel' : 'abandon';
      const asks = '${{ inputs.asks }}';
      return { ...step, agent: { name: world.helper, with: { a: input, asks }, onParentEnd } };
    }
    if (step.wait && 'signal' in step.wait) return { ...step, wait: { signal: 'go', timeoutMs: world.chance(0.5) ? 1_000 : null } };
    return step;
  });
}

export function randomInputs(world: World): Record<string, unknown> {
  const answers = Array.from({ length: 6 }, (_, index) => [
    [`w${index}`, world.chance(0.7)],
    [`f${index}`, Array.from({ length: world.below(5) }, (_unused, item) => item)],
    [`t${index}`, world.below(100)],
    ...Array.from({ length: 6 }, (_unused, target) => [`b${index}_${target}`, world.chance(0.5)]),
  ]);
  return { ...(Object.fromEntries(answers.flat()) as Record<string, unknown>), a: 1, asks: world.chance(0.2) };
}
