// An engine whose executions do everything, run stop by stop, and are replayed, also after something was changed by hand.
import assert from 'node:assert/strict';
import type { ExecutionRow } from '#src/executions/execution-rows.ts';
import type { Difference } from '#src/inspection/replay-problems.ts';
import type { Replay } from '#src/inspection/replay.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import { ownerRole } from './database.ts';
import { tool, type Steps } from './engine-looks.ts';
import { handEngine, type HandEngine } from './hand-queue.ts';

export interface ReplayEngine extends HandEngine {
  /** Item 1 of the tool `test.moody` fails once from now on. */
  forget(): void;
  write<T>(work: (uow: UnitOfWork) => Promise<T>): Promise<T>;
  replay(id: string, actor?: HandEngine['operator']): Promise<Replay>;
  /** Replays, and fails unless events and rows are equal; so is the execution to itself. */
  equal(id: string): Promise<Replay>;
  decideAll(decision: 'approve' | 'reject'): Promise<void>;
  /** Runs until the end, turning the clock and approving; `each` looks at every stop. */
  live(id: string, each?: () => Promise<void>): Promise<ExecutionRow>;
  /** Changes by SQL (`$1`: the execution), replays, and takes the change back; fails when it is not noticed. */
  tampered(id: string, ...statements: readonly string[]): Promise<Difference>;
}

/** Each kind of step that needs nobody but the clock and a person, with items, retries, a branch and a policy's approval. */
export const everything: Steps = [
  { id: 'first', ...tool('test.echo', { value: 'é "quoted"\n1e21' }) },
  { id: 'numbers', transform: '[0..4]', needs: ['first'] },
  {
    id: 'each',
    forEach: 'steps.numbers.output',
    needs: ['numbers'],
    concurrency: 2,
    ...tool('test.moody', { n: '${{ item }}' }),
    retry: { maxAttempts: 2, initialMs: 1_000, factor: 2, maxMs: 10_000 },
    onFailure: 'continue',
  },
  { id: 'choose', needs: ['first'], branch: [{ when: 'false', then: ['left'] }, { then: ['right'] }] },
  { id: 'left', needs: ['choose'], transform: '1' },
  { id: 'right', needs: ['choose'], transform: 'null' },
  { id: 'pause', needs: ['each'], when: 'true', wait: { durationMs: 60_000 } },
  { id: 'ask', needs: ['pause'], approval: { title: 'Go on?', reason: '', risk: 'low', expiresInMs: 3_600_000, show: null } },
  { id: 'gated', needs: ['ask'], ...tool('test.asked', {}) },
  { id: 'empty', forEach: '[]', transform: 'item' },
];

export async function replayEngine(): Promise<ReplayEngine> {
  const tries = new Map<unknown, number>();
  const engine = await handEngine({
    'test.echo': { run: ({ value }) => value },
    'test.moody': {
      run: ({ n }) => {
        tries.set(n, (tries.get(n) ?? 0) + 1);
        if (n === 2) throw new Error('never');
        if (n === 1 && tries.get(n) === 1) throw new Error('not yet');
        return n;
      },
    },
    'test.asked': { annotations: { readOnlyHint: false }, run: () => 'done' },
  });
  const { tenantId, services, operator, reviewer, db } = engine;
  const admin = await engine.authority(['admin']);
  const rules = [{ tools: ['test.asked'] }];
  await db.database.write(tenantId, (uow) =>
    services.policies.createPolicy(uow, admin, { name: 'ask', kind: 'approval_required', mode: 'enforce', rules }),
  );

  const own: ReplayEngine = {
    ...engine,
    forget: () => tries.clear(),
    write: (work) => db.database.write(tenantId, work),
    replay: (id, actor = operator) => db.database.read(tenantId, (uow) => services.inspection.replayExecution(uow, actor, id)),
    async equal(id) {
      const result = await own.replay(id);
      assert.equal(result.difference, null, JSON.stringify(result.difference));
      const self = await db.database.read(tenantId, (uow) => services.inspection.compareExecutions(uow, operator, id, id));
      assert.deepEqual([self.equal, self.firstDivergence], [true, null], 'it went another way than itself');
      return result;
    },
    decideAll: (decision) =>
      own.write(async (uow) => {
        const { rows } = await services.approvals.listApprovals(uow, admin, { status: ['pending'] }, { first: 100 });
        for (const { id } of rows) await services.approvals.decide(uow, reviewer, { approvalId: id, decision });
      }),
    async live(id, each = async () => {}) {
      for (let stops = 0; stops < 100; stops += 1) {
        await each();
        const execution = await engine.until(id, () => true);
        if (execution.finishedAt !== null) return execution;
        if (await engine.workOnce()) continue;
        await own.decideAll('approve');
        engine.clock.advance(30_000);
      }
      return assert.fail('not over after 100 stops');
    },
    async tampered(id, ...statements) {
      const undo = new Error('undo');
      let difference: Difference | null = null;
      const done = own.write(async (uow) => {
        // The application's own role may not change what happened; that of an administrator may.
        await uow.rows(`set local role ${ownerRole}`);
        for (const sql of statements) await uow.rows(sql, sql.includes('$1') ? [id] : []);
        ({ difference } = await services.inspection.replayExecution(uow, operator, id));
        throw undo;
      });
      await assert.rejects(done, (error) => error === undo);
      assert.ok(difference, `not noticed: ${statements.join('; ')}`);
      return difference;
    },
  };
  return own;
}
