// A seeded simulation of runners, people and time around the real engine on the real database: a random execution and those it leads to
// (children, retries, forks), jobs taken from the real queue in any order, and between and inside any two transactions whatever can go
// wrong. No hint is ever delivered to a carrier: all of them are lost. The same seed gives the same life.
import assert from 'node:assert/strict';
import { setImmediate as nextMoment } from 'node:timers/promises';
import { isFinalExecution } from '#src/executions/execution.ts';
import { stepResults } from '#src/executions/scope.ts';
import type { Effect } from '#src/executions/work.ts';
import type { EffectResult } from '#src/runner/carry.ts';
import { keepCounted } from './counted.ts';
import { testEngine } from './engine.ts';
import { Carrier, type Fate } from './simulation-carrier.ts';
import { checkApprovals, checkCalls, checkRows, type Called } from './simulation-checks.ts';
import { checkFamily, checkHistory, checkKeys, checkRates } from './simulation-history.ts';
import { createChores } from './simulation-chores.ts';
import { createPeople, type People } from './simulation-people.ts';
import { openSimulatedQueue, type SimulatedJob } from './simulation-queue.ts';
import {
  createWorld,
  epoch,
  randomInputs,
  randomSteps,
  simulatedDestination,
  simulatedPolicies,
  simulatedTools,
  type Stage,
  type World,
} from './simulation-world.ts';

export interface Simulator {
  /** Lives one life to its end and checks it; throws with the whole trace. */
  run(seed: number): Promise<SimulatedLife>;
  close(): Promise<void>;
}

export interface SimulatedLife {
  readonly ticks: number;
  /** How its executions ended. */
  readonly statuses: readonly string[];
  /** What went wrong, by kind, how often. */
  readonly faults: Readonly<Record<string, number>>;
}

export async function openSimulator(): Promise<Simulator> {
  let now = epoch;
  const clock = { now: () => new Date(now) };
  const tool = (readOnlyHint: boolean) => ({ annotations: { readOnlyHint }, run: () => null });
  const engine = await testEngine({ 'sim.safe': tool(true), 'sim.once': tool(false), 'sim.asked': tool(false) }, clock);
  const admin = await engine.authority(['admin']);
  const policies: Record<string, string> = {};
  await engine.db.database.write(engine.tenantId, async (uow) => {
    for (const policy of simulatedPolicies) policies[policy.name] = (await engine.services.policies.createPolicy(uow, admin, policy)).id;
  });
  const counted = await keepCounted({ ownerUrl: engine.db.ownerUrl, tenantId: engine.tenantId });
  const effect = { a: '${{ inputs.a }}', sees: {} };
  const helperId = await engine.agent(
    [
      { id: 'one', tool: { name: 'sim.safe', with: effect } },
      { id: 'nap', wait: { durationMs: 500 }, needs: ['one'] },
      { id: 'two', tool: { name: 'sim.once', with: effect }, needs: ['nap'], retry: { maxAttempts: 2, initialMs: 1, factor: 1, maxMs: 1 } },
    ],
    { tools: simulatedTools, output: '${{ steps.two.output }}' },
  );
  const queue = await openSimulatedQueue(engine.db.ownerUrl);
  const stage: Stage = {
    engine,
    admin,
    queue,
    policies,
    counted,
    time: { get: () => now, set: (to) => (now = to) },
    helper: `a-${helperId}`,
  };
  return {
    async run(seed) {
      const world = createWorld(stage, seed);
      try {
        return await new Simulation(world, createPeople(world)).run(seed);
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}\n${world.trace.join('\n')}`, { cause: error });
      }
    },
    async close() {
      await counted.close();
      await queue.close();
      await engine.close();
    },
  };
}

const fates: readonly Fate[] = ['die-before', 'die-inside', 'die-after', 'lose-inside', 'lose-after', 'slow'];
const maxTicks = 8_000;
const maxReruns = 2;
const isLook = ({ name }: SimulatedJob): boolean => name === 'admit-executions';

class Simulation {
  readonly #world: World;
  readonly #people: People;
  readonly #chores: (job: SimulatedJob) => Promise<void>;
  readonly #carriers: Carrier[] = [];
  readonly #calls: Called[] = [];
  /** Things that may go wrong; so every life comes to an end. */
  readonly #limit: number;
  #used = 0;
  #names = 0;
  #reruns = 0;

  constructor(world: World, people: People) {
    this.#world = world;
    this.#people = people;
    this.#chores = createChores(world);
    this.#limit = world.below(16);
  }

  #fault(probability: number): boolean {
    if (this.#used >= this.#limit || !this.#world.chance(probability)) return false;
    this.#used += 1;
    return true;
  }

  async run(seed: number): Promise<SimulatedLife> {
    const { engine, time, note } = this.#world;
    const steps = randomSteps(this.#world, seed);
    const agentId = await engine.agent(steps, { tools: simulatedTools, destinations: [simulatedDestination] });
    const inputs = randomInputs(this.#world);
    await this.#people.removeLimits();
    await this.#world.forgetRates();
    for (let more = this.#world.chance(0.3) ? 1 + this.#world.below(2) : 0; more >= 0; more -= 1) {
      const startAt = this.#world.chance(0.15) ? new Date(time.get() + 1 + this.#world.below(5_000)) : null;
      await engine.start(agentId, inputs, { startAt, priority: 1 + this.#world.below(9) });
    }
    note(`definition ${JSON.stringify(steps.map(({ timeoutMs: _timeout, ...step }) => step))}`);
    note(`inputs ${JSON.stringify(inputs)}`);
    for (let tick = 0; tick < maxTicks; tick += 1) if (!(await this.#tick())) return await this.#end(tick);
    throw new Error(`not over after ${maxTicks} ticks`);
  }

  /** False when nothing is left that could happen. */
  async #tick(): Promise<boolean> {
    const { queue, time, chance, below, note } = this.#world;
    if (chance(0.01)) for (const { id } of await this.#world.executions()) await checkRows(this.#world.engine, id);
    if (this.#fault(0.1)) return this.#meddle();
    const standing = this.#carriers.filter((carrier) => carrier.point !== null);
    if (standing.length > 0 && chance(0.7)) return this.#advance(standing[below(standing.length)]!);
    const jobs = await queue.jobs();
    const dead = jobs.filter((job) => job.lockedBy !== null && !this.#carriers.some(({ name }) => name === job.lockedBy));
    const buried = dead.map((job) => job.lockedBy!);
    if (dead.length > 0 && chance(0.5)) return this.#takeOver(buried);
    // A look at the backlog comes again and again while there is one: it must not keep everything else from happening.
    const due = jobs.filter((job) => job.lockedBy === null && job.runAt.getTime() <= time.get());
    const looks = due.filter(isLook);
    if (due.length > 0 && (looks.length < due.length || chance(0.5))) {
      const at = below(due.length);
      if (at > 0) this.#world.count('job out of order');
      return this.#take(due[at]!);
    }
    if (standing.length > 0) return this.#advance(standing[below(standing.length)]!);
    if (dead.length > 0) return this.#takeOver(buried);
    if (chance(0.8) && (await this.#people.decide())) return true;
    const later = jobs.filter((job) => job.lockedBy === null && !isLook(job)).map((job) => job.runAt.getTime());
    if (later.length === 0) {
      if (await this.#people.unblock()) return true;
      return looks.length > 0 ? this.#take(looks[0]!) : this.#rerun();
    }
    time.set(Math.min(...later));
    note(`clock ${time.get() - epoch}`);
    return true;
  }

  async #rerun(): Promise<boolean> {
    if (this.#reruns >= maxReruns || !this.#world.chance(0.5)) return false;
    this.#reruns += 1;
    await this.#people.rerun();
    return true;
  }

  async #meddle(): Promise<boolean> {
    const { count, note, below, jump } = this.#world;
    const carrier = this.#world.pick(this.#carriers);
    switch (below(8)) {
      case 0:
      case 1:
        // Taken for dead while it lives: its jobs go on elsewhere, and it goes on, too.
        if (!carrier) return true;
        count('taken for dead');
        return this.#takeOver([carrier.name]);
      case 2:
        if (carrier) count('shutdown');
        if (carrier) note(`${carrier.name} shuts down`);
        if (carrier) carrier.isDraining = true;
        return true;
      case 3:
        jump();
        return true;
      default:
        await this.#people.meddle();
        return true;
    }
  }

  async #advance(carrier: Carrier): Promise<boolean> {
    const { point } = carrier;
    let fate: Fate = 'go';
    const possible = point === 'effect' ? 3 : point === 'write' ? fates.length : fates.length - 1;
    if (this.#fault(0.2)) fate = fates[this.#world.below(possible)]!;
    if (fate !== 'go') this.#world.count(`${fate} (${point})`);
    await carrier.step(fate);
    this.#note(carrier, `${point} ${fate}`);
    if (carrier.point === 'inside') await this.#dawdle(carrier);
    await this.#buryIfEnded(carrier);
    return true;
  }

  /** Its transaction is done but for the commit. Meanwhile another begins, and ends or has to wait for one of its locks. */
  async #dawdle(slow: Carrier): Promise<void> {
    const { chance, jump, queue, pick } = this.#world;
    if (chance(0.5)) jump();
    if (chance(0.3)) await this.#takeOver([slow.name]);
    const fate = chance(0.3) ? 'die-inside' : 'go';
    const other = pick(this.#carriers.filter(({ point }) => point === 'write'));
    const look = other ? undefined : (await queue.jobs()).find((job) => isLook(job) && job.lockedBy === null);
    let hasEnded = false;
    const ended = (other?.step('go') ?? (look && this.#take(look)) ?? Promise.resolve()).finally(() => (hasEnded = true));
    while (!hasEnded && !(await queue.isSomebodyWaiting())) await nextMoment();
    if (!hasEnded) this.#world.count('wait for a lock');
    await slow.step(fate);
    this.#note(slow, 'ends its transaction');
    await ended;
    if (other) this.#note(other, 'write go');
    if (other) await this.#buryIfEnded(other);
  }

  #note({ name, end }: Carrier, what: string): void {
    this.#world.note(`${name} ${what}${end === null ? '' : ` → ${end instanceof Error ? `error ${end.message}` : end}`}`);
  }

  async #buryIfEnded(carrier: Carrier): Promise<void> {
    const { end } = carrier;
    if (end === null) return;
    this.#carriers.splice(this.#carriers.indexOf(carrier), 1);
    if (end === 'done') await this.#world.queue.finish(carrier.job.id);
    if (end instanceof Error) {
      if (!/connection|outcome of an effect/i.test(end.message)) throw end;
      await this.#world.queue.giveBack(carrier.job.id, carrier.name);
    }
  }

  async #take(job: SimulatedJob): Promise<boolean> {
    const { engine, queue, time, random, chance, note, nameOf } = this.#world;
    const { services, evaluator, tenantId, db } = engine;
    const { executionId, stepId, itemIndex, early, after = [] } = job.payload;
    const name = `C${(this.#names += 1)}`;
    await queue.take(job.id, name);
    if (job.name !== 'run-execution' && job.name !== 'run-step') {
      note(`${name} ${job.name}`);
      // Its process may be gone before it does it, or before it says that it has; then it is done once more.
      const fate = this.#fault(0.1) ? this.#world.pick(['die-before', 'die-after']) : 'go';
      if (fate !== 'go') this.#world.count(`${fate} (${job.name})`);
      if (fate !== 'die-before') await this.#chores(job);
      if (fate === 'go') await queue.finish(job.id);
      return true;
    }
    const slot = stepId === undefined ? null : { stepId, itemIndex: itemIndex! };
    const before = [...after, ...(job.attempts > 0 ? [job.id] : [])];
    const carrier = new Carrier({
      name,
      sliceMs: chance(0.2) ? -1 : Infinity,
      job: { id: job.id, before, run: after.length + job.attempts + 1, early, tenantId, executionId, slot },
      deps: { ...services, clock: { now: () => new Date(time.get()) }, evaluator, random },
      database: db.database,
      call: (effect) => this.#call(executionId, effect, carrier.isDraining),
    });
    this.#carriers.push(carrier);
    await carrier.settled();
    note(`${name} takes run ${job.attempts + 1} of ${nameOf(executionId)} ${slot ? `${slot.stepId}#${slot.itemIndex}` : 'start'}`);
    return true;
  }

  async #call(executionId: string, effect: Effect, isDraining: boolean): Promise<EffectResult> {
    const { slot, attempt, idempotencyKey, repeatable } = effect;
    const what = effect.kind === 'tool' ? effect.tool : `${effect.request.method} ${effect.request.url}`;
    const { engine, chance, below, nameOf, note } = this.#world;
    await this.#checkViews(executionId, effect);
    const used = await this.#world.rows(
      `select from approvals where execution_id = $1 and step_id = $2 and coalesce(item_index, -1) = $3
         and status = 'approved' and consumed_at is not null`,
      [executionId, slot.stepId, slot.itemIndex],
    );
    this.#calls.push({ executionId, slot, attempt, repeatable, idempotencyKey, approved: what !== 'sim.asked' || used.length > 0 });
    note(`  call ${what} ${nameOf(executionId)} ${slot.stepId}#${slot.itemIndex}@${attempt}`);
    const [killSwitch] = await this.#world.rows<{ id: string }>(
      'select id from kill_switches where tenant_id = $1 and released_at is null',
      [engine.tenantId],
    );
    // Engaged since the effect was dispatched: what may be made again is aborted.
    if (killSwitch && repeatable && chance(0.8)) return { kind: 'halted', killSwitchId: killSwitch.id };
    if (isDraining && chance(0.5)) return { kind: 'interrupted', repeatable };
    if (chance(0.7)) return { kind: 'succeeded', output: JSON.stringify({ b: below(10), a: attempt }) };
    return { kind: 'failed', failure: { code: 'TOOL_ERROR', message: 'no', stepId: slot.stepId }, retryable: chance(0.8) };
  }

  async #checkViews(executionId: string, effect: Effect): Promise<void> {
    const { slot } = effect;
    const { sees } = (effect.kind === 'http' ? effect.request.body : effect.arguments) as {
      sees: Record<string, { status: string; output: unknown }>;
    };
    const { db, tenantId } = this.#world.engine;
    const results = await db.database.read(tenantId, (uow) => stepResults(uow, executionId, Object.keys(sees)));
    for (const [stepId, seen] of Object.entries(sees)) {
      const { status, output } = results.get(stepId)!;
      assert.deepEqual(seen, { status, output }, `${slot.stepId}#${slot.itemIndex} was told something else of ${stepId}`);
    }
  }

  async #takeOver(pools: readonly string[]): Promise<boolean> {
    this.#world.note(`take over from ${pools.join(' ')}`);
    await this.#world.queue.takeOver(pools);
    return true;
  }

  async #end(ticks: number): Promise<SimulatedLife> {
    const { engine } = this.#world;
    const executions = await this.#world.executions();
    const stuck = executions.filter(({ status }) => !isFinalExecution(status));
    const open = await this.#world.rows(
      `select step_id, item_index, status, job_id, wake_at from steps where execution_id = any($1)
       and status in ('queued', 'running', 'waiting', 'awaiting_approval')`,
      [stuck.map(({ id }) => id)],
    );
    assert.equal(stuck.length, 0, `stuck: ${JSON.stringify(stuck)}, no job is left, open: ${JSON.stringify(open)}`);
    for (const execution of executions) {
      const definition = await this.#world.definitionOf(execution);
      await checkRows(engine, execution.id);
      checkCalls(
        definition,
        this.#calls.filter(({ executionId }) => executionId === execution.id),
      );
      await checkApprovals(engine, execution.id);
      await checkHistory(this.#world, execution, definition);
    }
    await checkRates(this.#world);
    checkKeys(executions, this.#calls);
    await checkFamily(this.#world, executions);
    return { ticks, statuses: executions.map(({ status }) => status), faults: this.#world.faults };
  }
}
