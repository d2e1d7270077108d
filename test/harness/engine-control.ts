// What people do to executions of a hand-turned engine, and the proof that events and rows still agree. Starting and looking: engine-looks.ts.
import assert from 'node:assert/strict';
import type { StepDefinition } from '#src/agents/definition.ts';
import type { SignalExecution } from '#src/executions/control-service.ts';
import type { ForkExecution } from '#src/executions/rerun-service.ts';
import type { UnitOfWork } from '#src/platform/database.ts';
import type { Authority } from '#src/authority/permission.ts';
import type { HandEngine } from './hand-queue.ts';
import { checkRows } from './simulation-checks.ts';

/** An agent step, of an agent that `engine.agent` made. */
export const agentStep = (agentId: string, inputs: Record<string, unknown> = {}, onParentEnd: 'cancel' | 'abandon' = 'cancel') =>
  ({ kind: 'agent', agent: { name: `a-${agentId}`, with: inputs, onParentEnd } }) satisfies Partial<StepDefinition>;

export function controlOf(engine: () => HandEngine) {
  const write = <T>(work: (uow: UnitOfWork) => Promise<T>) => engine().db.database.write(engine().tenantId, work);
  const services = () => engine().services;
  const operator = () => engine().operator;
  return {
    pause: (executionId: string, actor: Authority = operator()) =>
      write((uow) => services().control.pauseExecution(uow, actor, { executionId, reason: 'lunch' })),
    resume: (executionId: string, actor: Authority = operator()) =>
      write((uow) => services().control.resumeExecution(uow, actor, { executionId })),
    signal: (executionId: string, name: string, more: Partial<SignalExecution> = {}, actor: Authority = operator()) =>
      write((uow) => services().control.signalExecution(uow, actor, { executionId, name, ...more })),
    retry: (executionId: string, idempotencyKey: string | null = null, actor: Authority = operator()) =>
      write((uow) => services().reruns.retryExecution(uow, actor, { executionId, idempotencyKey })),
    fork: (executionId: string, stepId: string, more: Partial<ForkExecution> = {}, actor: Authority = operator()) =>
      write((uow) => services().reruns.forkExecution(uow, actor, { executionId, stepId, ...more })),
    decide: (executionId: string, decision: 'approve' | 'reject') =>
      write(async (uow) => {
        const sql = `select id from approvals where execution_id = $1 and status = 'pending'`;
        const pending = await uow.rows<{ id: string }>(sql, [executionId]);
        assert.ok(pending.length > 0, 'nothing is to be decided');
        for (const { id } of pending) await services().approvals.decide(uow, engine().reviewer, { approvalId: id, decision });
      }),
    /** Replay and the checks of the simulation: what the events say is what the rows hold. */
    async checked(...executionIds: readonly string[]): Promise<void> {
      const { db, tenantId } = engine();
      for (const id of executionIds) {
        await checkRows(engine(), id);
        const replay = await db.database.read(tenantId, (uow) => services().inspection.replayExecution(uow, operator(), id));
        assert.equal(replay.difference, null, JSON.stringify(replay.difference));
      }
    },
  };
}

/** Has this code and says this; for `assert.rejects`. */
export const refused = (code: string, message: RegExp) => (error: unknown) => {
  const { code: actual, message: said, problems = '' } = error as { code?: string; message: string; problems?: unknown };
  assert.equal(actual, code, said);
  assert.match(`${said} ${JSON.stringify(problems)}`, message);
  return true;
};
