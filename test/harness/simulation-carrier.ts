// One runner process of a simulation: runs the real `carry` for one job, stops before every transaction and every effect until the
// scheduler lets it go on, and can be made to die or to lose its connection at each of these points.
import { carry, type CarriedJob, type CarryDependencies, type EffectResult } from '#src/runner/carry.ts';
import type { Effect } from '#src/executions/work.ts';
import type { Database, UnitOfWork } from '#src/platform/database.ts';

/**
 * What happens at a point. `die…` and `lose…`: before the transaction, inside of it (rolled back), or after its commit.
 * `slow`: it stops once more inside of its transaction, before the commit.
 */
export type Fate = 'go' | 'die-before' | 'die-inside' | 'die-after' | 'lose-inside' | 'lose-after' | 'slow';
export type Point = 'read' | 'write' | 'inside' | 'effect';

export class Death extends Error {}

/** What a driver calls when Postgres went away under it. */
const connectionLost = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' });

export interface CarrierOptions {
  readonly name: string;
  /** Negative: it hands over after each turn. */
  readonly sliceMs: number;
  readonly job: CarriedJob;
  readonly deps: Omit<CarryDependencies, 'database' | 'perform' | 'isDraining'>;
  readonly database: Database;
  /** The effect itself; called once the scheduler lets it begin. */
  readonly call: (effect: Effect) => Promise<EffectResult>;
}

export class Carrier {
  readonly name: string;
  readonly job: CarriedJob;
  /** Where it stands; null while it runs and once it has ended. */
  point: Point | null = null;
  /** How it ended: `done`, `dead`, or the error that the queue is told. */
  end: 'done' | 'dead' | Error | null = null;
  isDraining = false;
  #isDead = false;
  #go: ((fate: Fate) => void) | null = null;
  #arrived: (() => void) | null = null;

  constructor({ name, sliceMs, job, deps, database, call }: CarrierOptions) {
    this.name = name;
    this.job = job;
    const transact =
      (kind: 'read' | 'write') =>
      async <T>(tenantId: string, work: (uow: UnitOfWork) => Promise<T>): Promise<T> => {
        const fate = await this.#stop(kind);
        if (fate === 'die-before') throw new Death();
        const result = await database[kind](tenantId, async (uow) => {
          const value = await work(uow);
          const late = fate === 'slow' ? await this.#stop('inside') : 'go';
          if (late !== 'go') throw new Death();
          if (fate === 'die-inside') throw new Death();
          if (fate === 'lose-inside') throw connectionLost();
          return value;
        });
        if (fate === 'die-after') throw new Death();
        if (fate === 'lose-after') throw connectionLost();
        return result;
      };
    const carrying: CarryDependencies = {
      ...deps,
      database: { ...database, read: transact('read'), write: transact('write') },
      isDraining: () => this.isDraining,
      // Real time must not decide what happens.
      aheadMs: Infinity,
      sliceMs,
      perform: async (_tenantId, _executionId, effect) => {
        const fate = await this.#stop('effect');
        if (fate === 'die-before') throw new Death();
        const result = await call(effect);
        if (fate !== 'go') throw new Death();
        return result;
      },
    };
    void carry(carrying, job).then(
      () => this.#finish(this.#isDead ? 'dead' : 'done'),
      (error: unknown) => this.#finish(error instanceof Death ? 'dead' : (error as Error)),
    );
  }

  /** Lets it go on; resolves when it stands at its next point or has ended. */
  async step(fate: Fate): Promise<void> {
    const go = this.#go!;
    this.#go = null;
    this.point = null;
    go(fate);
    await this.settled();
  }

  /** Resolves when it stands at a point or has ended. */
  settled(): Promise<void> {
    if (this.point !== null || this.end !== null) return Promise.resolve();
    return new Promise((resolve) => (this.#arrived = resolve));
  }

  async #stop(point: Point): Promise<Fate> {
    // Whatever the code does with the error that stands for its death: the dead do nothing more.
    if (this.#isDead) throw new Death();
    const fate = await this.#arrive(point);
    this.#isDead = fate.startsWith('die');
    return fate;
  }

  #arrive(point: Point): Promise<Fate> {
    return new Promise((resolve) => {
      this.#go = resolve;
      this.point = point;
      this.#arrived?.();
      this.#arrived = null;
    });
  }

  #finish(end: 'done' | 'dead' | Error): void {
    this.end = end;
    this.#arrived?.();
    this.#arrived = null;
  }
}
