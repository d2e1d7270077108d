// The background work of a simulation: the recorded decisions of its period, in batches, judged by the policies of now with and without
// the candidate. Nothing that it judges has consequences.
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { isTransient } from '../platform/transient.ts';
import { compilePolicies } from '../rules/policy-set.ts';
import { policySources } from '../policies/policy-sources.ts';
import { approversOf, createReplayer, createTally, withCandidate, type Replayer } from './simulation.ts';
import { resultOf } from './simulation-reads.ts';
import {
  beginSimulation,
  endSimulation,
  nextDecisions,
  saveBatch,
  type FoundChange,
  type RecordedDecision,
  type SimulationScope,
} from './simulation-store.ts';

export interface SimulationJobSettings {
  readonly clock: Clock;
  readonly onError?: ((error: unknown, simulationId: string) => void) | undefined;
  /** Decisions of one batch, each of which is a step of its progress. */
  readonly batchSize?: number | undefined;
}

export interface SimulationJob {
  readonly tenantId: string;
  readonly simulationId: string;
}

/** Job `simulate-policies`. A run that broke off is repeated from the beginning: counters of rate limits live in its memory. */
export async function runSimulation(
  database: Database,
  { tenantId, simulationId }: SimulationJob,
  { clock, onError, batchSize = 500 }: SimulationJobSettings,
  isStopping: () => boolean = () => false,
): Promise<void> {
  const begun = await database.write(tenantId, async (uow) => {
    const scope = await beginSimulation(uow, simulationId);
    return scope && { scope, current: await policySources(uow) };
  });
  if (!begun) return;
  try {
    const { scope, current } = begun;
    const { run } = scope;
    const before = createReplayer(compilePolicies(current));
    const after = createReplayer(compilePolicies(withCandidate(current, scope.candidate)));
    const tally = createTally();
    for (let last: string | null = null; ;) {
      // The queue runs it again, here or elsewhere.
      if (isStopping()) throw new StoppingError();
      const batch = await readBatch(database, tenantId, scope, last, batchSize);
      if (batch.length === 0) break;
      const changes = batch.flatMap((decision) => compare(decision, before, after, tally) ?? []);
      last = batch.at(-1)!.id;
      const found = { processed: batch.length, afterId: last, progress: tally.progress(), changes };
      if (!(await database.write(tenantId, (uow) => saveBatch(uow, { id: simulationId, run }, found)))) return;
    }
    await database.write(tenantId, async (uow) => {
      const result = await resultOf(uow, simulationId, tally.progress());
      await endSimulation(uow, simulationId, 'succeeded', { at: clock.now(), result, run });
    });
  } catch (error) {
    if (error instanceof StoppingError || isTransient(error)) throw error;
    onError?.(error, simulationId);
    await database.write(tenantId, (uow) =>
      endSimulation(uow, simulationId, 'failed', { at: clock.now(), error: failure, run: begun.scope.run }),
    );
  }
}

const failure = 'a fault of Signalbox ended it; its log says more';

class StoppingError extends Error {
  override readonly name = 'StoppingError';
  constructor() {
    super('this process is stopping; the simulation begins again elsewhere');
  }
}

const readBatch = (database: Database, tenantId: string, scope: SimulationScope, last: string | null, size: number) =>
  database.read(tenantId, (uow) => nextDecisions(uow, scope, last, size));

function compare(decision: RecordedDecision, before: Replayer, after: Replayer, tally: ReturnType<typeof createTally>): FoundChange | null {
  const [was, is] = [before.judge(decision), after.judge(decision)];
  const change = { before: was.effect, after: is.effect };
  const asked = approversOf(was);
  const approvers = approversOf(is).filter((approver) => !asked.includes(approver));
  tally.add(change, {
    drifted: was.effect !== decision.effect,
    failed: is.findings.some(({ failed }) => failed),
    redacted: decision.isRedacted,
    asksOthers: approvers.length > 0,
  });
  if (change.before === change.after && approvers.length === 0) return null;
  const { agentId, executionId, slot, decidedAt } = decision;
  return { ...change, decisionId: decision.id, agentId, executionId, slot, decidedAt, approvers };
}
