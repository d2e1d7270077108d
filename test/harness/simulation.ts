// A seeded simulation of runners, people and time around the real engine on the real database: one random execution, jobs taken from
// the real queue in any order, and between and inside any two transactions whatever can go wrong. No hint is ever delivered to a
// carrier: all of them are lost. The same seed gives the same life.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Definition } from '#src/agents/definition.ts';
import { isFinalExecution } from '#src/executions/execution.ts';
import { stepResults } from '#src/executions/scope.ts';
import type { Effect } from '#src/executions/work.ts';
import type { Authority } from '#src/principals/permission.ts';
import { enqueue } from '#src/jobs/jobs.ts';
import type { EffectResult } from '#src/runner/carry.ts';
import { testEngine, type Engine } from './engine.ts';
import { arbitraryDefinition } from './machine.ts';
import { randomOf } from './random.ts';
import { Carrier, type Fate } from './simulation-carrier.ts';
import { checkApprovals, checkCalls, checkRows, type Called } from './simulation-checks.ts';
import { openSimulatedQueue, type SimulatedJob, type SimulatedQueue } from './simulation-queue.ts';

/** Ahead of Postgres, so that jobs without a time are due and only this clock decides about the others. */
const epoch = Date.parse('2100-01-01T00:00:00Z');

export interface Simulator {
  /** Runs one execution to its end and checks it; throws with the whole trace. */
  run(seed: number): Promise<SimulatedLife>;
  close(): Promise<void>;
}

export interface SimulatedLife {
  readonly ticks: number;
  /** How it ended. */
  readonly status: string;
  /** What went wrong, by kind, how often. */
  readonly faults: Readonly<Record<string, number>>;
}

interface Time {
  get(): number;
  set(to: number): void;
}

const tools = ['sim.safe', 'sim.once', 'sim.asked'];

export async function openSimulator(): Promise<Simulator> {
  let now = epoch;
  const clock = { now: () => new Date(now) };
  const tool = (readOnlyHint: boolean) => ({ annotations: { readOnlyHint }, run: () => null });
  const engine = await testEngine({ 'sim.safe': tool(true), 'sim.once': tool(false), 'sim.asked': tool(false) }, clock);
  const admin = await engine.authority(['admin']);
  const { database } = engine.db;
  await database.write(engine.tenantId, (uow) =>
    engine.services.policies.createPolicy(uow, admin, {
      name: 'ask',
      kind: 'approval_required',
      mode: 'enforce',
      rules: [{ tools: ['sim.asked'], expiresIn: '1m' }],
    }),
  );
  const queue = await openSimulatedQueue(engine.db.ownerUrl);
  return {
    async run(seed) {
      const life = new Simulation(engine, admin, queue, { get: () => now, set: (to) => (now = to) }, seed);
      try {
        return await life.run();
      } catch (error) {
        const message = `seed ${seed}: ${(error as Error).message}\n${life.trace.join('\n')}`;
        throw new Error(message, { cause: error });
      }
    },
    async close() {
      await queue.close();
      await engine.close();
    },
  };
}

const fates: readonly Fate[] = ['die-before', 'die-inside', 'die-after', 'lose-inside', 'lose-after', 'slow'];
const maxTicks = 3_000;

class Simulation {
  readonly trace: string[] = [];
  readonly #engine: Engine;
  readonly #queue: SimulatedQueue;
  readonly #admin: Authority;
  readonly #time: Time;
  readonly #seed: number;
  readonly #random: () => number;
  readonly #carriers: Carrier[] = [];
  readonly #calls: Called[] = [];
  #definition!: Definition;
  #executionId = '';
  /** Things that may go wrong; so every life comes to an end. */
  readonly #limit: number;
  #used = 0;
  readonly #faults: Record<string, number> = {};
  #names = 0;

  constructor(engine: Engine, admin: Authority, queue: SimulatedQueue, time: Time, seed: number) {
    this.#engine = engine;
    this.#admin = admin;
    this.#queue = queue;
    this.#time = time;
    this.#seed = seed;
    this.#random = randomOf(seed);
    this.#limit = this.#below(12);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #fault(probability: number): boolean {
    if (this.#used >= this.#limit || !this.#chance(probability)) return false;
    this.#used += 1;
    return true;
  }

  #count(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
  }

  async run(): Promise<SimulatedLife> {
    const [random] = fc.sample(arbitraryDefinition(6, ['tool', 'tool', 'tool', 'transform', 'approval', 'wait', 'branch']), { seed: this.#seed, numRuns: 1 });
    const steps = random!.steps.map((step) =>
      step.tool ? { ...step, tool: { name: tools[this.#below(3)]!, with: { a: '${{ inputs.a }}', sees: this.#views(step.needs) } } } : step,
    );
    const agentId = await this.#engine.agent(steps, { tools });
    this.#definition = { ...random!, steps };
    const inputs = Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [
        [`w${index}`, this.#chance(0.7)],
        [`f${index}`, Array.from({ length: this.#below(5) }, (_unused, item) => item)],
        [`t${index}`, this.#below(100)],
        ...Array.from({ length: 6 }, (_unused, target) => [`b${index}_${target}`, this.#chance(0.5)]),
      ]).flat(),
    );
    this.#executionId = (await this.#engine.start(agentId, { ...inputs, a: 1 })).id;
    this.trace.push(
      `definition ${JSON.stringify(steps.map(({ id, kind, needs, when, forEach, concurrency, retry, onFailure, branch, tool: own }) => ({ id, kind, needs, when, forEach, concurrency, tries: retry.maxAttempts, onFailure, branch, tool: own?.name })))}`,
    );
    this.trace.push(`inputs ${JSON.stringify(inputs)}`);
    for (let tick = 0; tick < maxTicks; tick += 1) {
      if (!(await this.#tick())) return await this.#end(tick);
    }
    throw new Error(`not over after ${maxTicks} ticks`);
  }

  /** False when nothing is left that could happen. */
  async #tick(): Promise<boolean> {
    if (this.#chance(0.02)) await checkRows(this.#engine, this.#executionId);
    if (this.#fault(0.1)) return this.#meddle();
    const standing = this.#carriers.filter((carrier) => carrier.point !== null);
    if (standing.length > 0 && this.#chance(0.7)) return this.#advance(standing[this.#below(standing.length)]!);
    const jobs = await this.#queue.jobs();
    const dead = jobs.filter((job) => job.lockedBy !== null && this.#isGone(job.lockedBy));
    if (dead.length > 0 && this.#chance(0.5)) return this.#takeOver(dead.map((job) => job.lockedBy!));
    const due = jobs.filter((job) => job.lockedBy === null && job.runAt.getTime() <= this.#time.get());
    if (due.length > 0) {
      const at = this.#below(due.length);
      if (at > 0) this.#count('job out of order');
      return this.#take(due[at]!);
    }
    if (standing.length > 0) return this.#advance(standing[this.#below(standing.length)]!);
    if (dead.length > 0) return this.#takeOver(dead.map((job) => job.lockedBy!));
    if (this.#chance(0.8) && (await this.#decide())) return true;
    const later = jobs.filter((job) => job.lockedBy === null).map((job) => job.runAt.getTime());
    if (later.length === 0) return this.#decide();
    this.#time.set(Math.min(...later));
    this.trace.push(`clock ${this.#time.get() - epoch}`);
    return true;
  }

  async #advance(carrier: Carrier): Promise<boolean> {
    const { point } = carrier;
    let fate: Fate = 'go';
    if (this.#fault(0.2)) fate = fates[this.#below(point === 'effect' ? 3 : point === 'write' ? fates.length : fates.length - 1)]!;
    if (fate !== 'go') this.#count(`${fate} (${point})`);
    await carrier.step(fate);
    this.#note(carrier, `${point} ${fate}`);
    if (carrier.point === 'inside') await this.#dawdle(carrier);
    await this.#buryIfEnded(carrier);
    return true;
  }

  /** Its transaction is done but for the commit, and holds the execution's row. Meanwhile others come, who have to wait for it. */
  async #dawdle(slow: Carrier): Promise<void> {
    if (this.#chance(0.5)) this.#jump();
    if (this.#chance(0.3)) await this.#takeOver([slow.name]);
    const waiting = this.#carriers.filter((carrier) => carrier.point === 'write');
    const other = waiting[this.#below(waiting.length)];
    const ended = other?.step('go');
    await slow.step(this.#chance(0.3) ? 'die-inside' : 'go');
    this.#note(slow, 'commits at last');
    await ended;
    if (other) this.#note(other, 'waited for it');
    if (other) await this.#buryIfEnded(other);
  }

  #note({ name, end }: Carrier, what: string): void {
    this.trace.push(`${name} ${what}${end === null ? '' : ` → ${end instanceof Error ? `error ${end.message}` : end}`}`);
  }

  async #buryIfEnded(carrier: Carrier): Promise<void> {
    const { end } = carrier;
    if (end === null) return;
    this.#carriers.splice(this.#carriers.indexOf(carrier), 1);
    if (end === 'done') await this.#queue.finish(carrier.job.id);
    if (end instanceof Error) {
      if (!/connection|outcome of an effect/i.test(end.message)) throw end;
      await this.#queue.giveBack(carrier.job.id, carrier.name);
    }
  }

  async #take(job: SimulatedJob): Promise<boolean> {
    const name = `${job.name === 'expire-approval' ? 'E' : 'C'}${(this.#names += 1)}`;
    if (job.name === 'expire-approval') {
      this.trace.push(`${name} expires ${job.payload.approvalId}`);
      const { tenantId, db, services } = this.#engine;
      await db.database.write(tenantId, (uow) => services.approvals.expire(uow, job.payload.approvalId!));
      await this.#queue.finish(job.id);
      return true;
    }
    await this.#queue.take(job.id, name);
    const { executionId, stepId, itemIndex, after = [] } = job.payload;
    const slot = stepId === undefined ? null : { stepId, itemIndex: itemIndex! };
    const { services, evaluator, tenantId, db } = this.#engine;
    const carrier = new Carrier({
      name,
      job: {
        id: job.id,
        before: [...after, ...(job.attempts > 0 ? [job.id] : [])],
        run: after.length + job.attempts + 1,
        tenantId,
        executionId,
        slot,
      },
      deps: { ...services, clock: { now: () => new Date(this.#time.get()) }, evaluator, random: this.#random },
      database: db.database,
      call: (effect) => this.#call(effect, carrier.isDraining),
    });
    this.#carriers.push(carrier);
    await carrier.settled();
    this.trace.push(`${name} takes job ${job.id} (run ${job.attempts + 1}) ${slot ? `${slot.stepId}#${slot.itemIndex}` : 'start'}`);
    return true;
  }

  async #call(effect: Effect, isDraining: boolean): Promise<EffectResult> {
    const { slot, attempt, tool, idempotencyKey } = effect;
    await this.#checkViews(effect);
    const approvals = await this.#approvals();
    const own = approvals.filter((each) => each.stepId === slot.stepId && (each.itemIndex ?? -1) === slot.itemIndex);
    const approved = tool !== 'sim.asked' || own.some((each) => each.status === 'approved' && each.consumed);
    this.#calls.push({ slot, attempt, tool, idempotencyKey, approved });
    this.trace.push(`  call ${tool} ${slot.stepId}#${slot.itemIndex}@${attempt}`);
    if (isDraining && this.#chance(0.5)) return { kind: 'interrupted', repeatable: tool === 'sim.safe' };
    if (this.#chance(0.7)) return { kind: 'succeeded', output: JSON.stringify({ b: this.#below(10), a: attempt }) };
    return { kind: 'failed', failure: { code: 'TOOL_ERROR', message: 'no', stepId: slot.stepId }, retryable: this.#chance(0.8) };
  }

  /** What a step is told of those it needs: compared with the rows when it is called. */
  #views(needs: readonly string[]): Record<string, { status: string; output: string }> {
    return Object.fromEntries(needs.map((id) => [id, { status: `\${{ steps.${id}.status }}`, output: `\${{ steps.${id}.output }}` }]));
  }

  async #checkViews({ slot, arguments: args }: Effect): Promise<void> {
    const sees = args['sees'] as Record<string, { status: string; output: unknown }>;
    const results = await this.#engine.db.database.read(this.#engine.tenantId, (uow) =>
      stepResults(uow, this.#executionId, Object.keys(sees)),
    );
    for (const [stepId, seen] of Object.entries(sees)) {
      const { status, output } = results.get(stepId)!;
      assert.deepEqual(seen, { status, output }, `${slot.stepId}#${slot.itemIndex} was told something else of ${stepId}`);
    }
  }

  /** Things people, clocks and operators do at the wrong moment. */
  async #meddle(): Promise<boolean> {
    const carrier = this.#carriers[this.#below(this.#carriers.length)];
    switch (this.#below(7)) {
      case 0: {
        // A duplicate: a job for a slot that may have one already, or none any more.
        const steps = this.#definition.steps;
        const step = steps[this.#below(steps.length)]!;
        const itemIndex = step.forEach === undefined || this.#chance(0.3) ? -1 : this.#below(4);
        this.#count('duplicate job');
        this.trace.push(`duplicate job of ${step.id}#${itemIndex}`);
        const { tenantId } = this.#engine;
        const payload = { tenantId, executionId: this.#executionId, stepId: step.id, itemIndex };
        await this.#engine.db.database.write(tenantId, (uow) => enqueue(uow, [{ name: 'run-step', payload }]));
        return true;
      }
      case 1:
      case 2:
        // Taken for dead while it lives: its jobs go on elsewhere, and it goes on, too.
        if (carrier) this.#count('taken for dead');
        if (carrier) await this.#takeOver([carrier.name]);
        return true;
      case 3:
        if (carrier) this.#count('shutdown');
        if (carrier) carrier.isDraining = true;
        if (carrier) this.trace.push(`${carrier.name} shuts down`);
        return true;
      case 4: {
        if (!this.#chance(0.3)) return true;
        this.#count('cancel');
        this.trace.push('cancel');
        const { status } = await this.#engine.until(this.#executionId, () => true);
        if (!isFinalExecution(status)) await this.#engine.cancel(this.#executionId);
        return true;
      }
      case 5: {
        // A new version of the policy: what was approved under the old one has to be asked for again.
        this.#count('policy edited');
        this.trace.push('policy edited');
        const { db, tenantId, services } = this.#engine;
        await db.database.write(tenantId, async (uow) => {
          const [policy] = (await services.policies.listPolicies(uow, this.#admin, {}, { first: 1 })).rows;
          const rules = [{ tools: ['sim.asked'], expiresIn: '1m', reason: `edition ${policy!.version}` }];
          await services.policies.updatePolicy(uow, this.#admin, { policyId: policy!.id, expectedVersion: policy!.version, rules });
        });
        return true;
      }
      default:
        this.#jump();
        return true;
    }
  }

  #jump(): void {
    this.#count('clock jump');
    this.#time.set(this.#time.get() + (this.#chance(0.3) ? -500 : this.#below(30_000)));
    this.trace.push(`clock jumps to ${this.#time.get() - epoch}`);
  }

  async #takeOver(pools: readonly string[]): Promise<boolean> {
    this.trace.push(`take over from ${pools.join(' ')}`);
    await this.#queue.takeOver(pools);
    return true;
  }

  #isGone = (name: string): boolean => !this.#carriers.some((carrier) => carrier.name === name);

  /** A person decides something that is pending; false when nothing is. */
  async #decide(): Promise<boolean> {
    const pending = (await this.#approvals()).filter((each) => each.status === 'pending');
    const approval = pending[this.#below(pending.length)];
    if (!approval) return false;
    const decision = this.#chance(0.85) ? 'approve' : 'reject';
    this.trace.push(`${decision} ${approval.stepId}#${approval.itemIndex ?? -1}`);
    const { tenantId, db, services, reviewer } = this.#engine;
    try {
      await db.database.write(tenantId, (uow) => services.approvals.decide(uow, reviewer, { approvalId: approval.id, decision }));
    } catch (error) {
      // Too late: its expiry is due.
      if ((error as { code?: string }).code !== 'INVALID_STATE') throw error;
      return false;
    }
    return true;
  }

  #approvals(): Promise<{ id: string; stepId: string; itemIndex: number | null; status: string; consumed: boolean }[]> {
    return this.#engine.db.database.read(this.#engine.tenantId, (uow) =>
      uow.rows(
        `select id, step_id as "stepId", item_index as "itemIndex", status, consumed_at is not null as consumed
         from approvals where execution_id = $1 order by created_at, step_id, item_index`,
        [this.#executionId],
      ),
    );
  }

  async #end(ticks: number): Promise<SimulatedLife> {
    const { status } = await this.#engine.until(this.#executionId, () => true);
    const open = await this.#engine.db.database.read(this.#engine.tenantId, (uow) =>
      uow.rows(
        `select step_id, item_index, status, job_id, wake_at from steps where execution_id = $1
         and status in ('queued', 'running', 'waiting', 'awaiting_approval')`,
        [this.#executionId],
      ),
    );
    assert.ok(isFinalExecution(status), `stuck: ${status}, no job is left, open: ${JSON.stringify(open)}`);
    await checkRows(this.#engine, this.#executionId);
    checkCalls(this.#engine, this.#definition, this.#calls);
    await checkApprovals(this.#engine, this.#executionId);
    return { ticks, status, faults: this.#faults };
  }
}
