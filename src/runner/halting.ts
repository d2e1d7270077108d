// What a runner does about kill switches: which running effects one covers, and how the end of an aborted effect is recorded.
import type { Command } from '../executions/machine-command.ts';
import { continueHalted, haltedExecutions } from '../executions/halted.ts';
import type { Transition, TransitionDependencies } from '../executions/transition.ts';
import type { Effect } from '../executions/work.ts';
import { enqueue, type JobPayloads } from '../jobs/jobs.ts';
import { covers, type EngagedSwitch } from '../killswitches/kill-switch.ts';
import { engagedSwitches } from '../killswitches/kill-switch-reads.ts';
import type { Database, UnitOfWork } from '../platform/database.ts';
import { isTransient } from '../platform/transient.ts';
import { destinationsOf } from '../gate/kill-switch-facts.ts';
import type { Destination } from '../rules/gate.ts';

/** Executions that one run of the job lets go on. */
const batchSize = 100;

interface RunningEffect {
  readonly executionId: string;
  readonly effect: Effect;
  /** Other places that its request was sent on to. */
  readonly redirectedTo: readonly Destination[];
}

/** Which of these a kill switch covers, and which one. */
export async function haltedAmong<Running extends RunningEffect>(
  uow: UnitOfWork,
  running: readonly Running[],
): Promise<{ readonly running: Running; readonly by: EngagedSwitch }[]> {
  const [engaged, places] = await Promise.all([
    engagedSwitches(uow),
    uow.rows<{ id: string; projectId: string; environmentId: string; agentId: string }>(
      `select id, project_id as "projectId", environment_id as "environmentId", agent_id as "agentId"
       from executions where tenant_id = $1 and id = any($2::uuid[])`,
      [uow.tenantId, [...new Set(running.map(({ executionId }) => executionId))]],
    ),
  ]);
  const placeOf = new Map(places.map((place) => [place.id, place]));
  return running.flatMap((each) => {
    const place = placeOf.get(each.executionId);
    const by = place && engaged.find((one) => covers(one, { ...place, ...aimOf(each) }));
    return by ? [{ running: each, by }] : [];
  });
}

function aimOf({ effect, redirectedTo }: RunningEffect) {
  const { kind, judged, arguments: args } = effect;
  const destinations = destinationsOf({ ...judged, action: kind === 'http' ? 'http.request' : 'tool.call', arguments: args });
  return { tool: judged.tool!.name, destinations: destinations && [...destinations, ...redirectedTo] };
}

/**
 * The aborted attempt ends and its slot waits for the release. The transaction holds the rules: if the switch has been released already,
 * the job of that release will not come by again, so the slot goes on at once. Null when recorded, else why not.
 */
export async function recordHalt(t: Transition, command: Extract<Command, { type: 'halt' }>): Promise<string | null> {
  const { slot, killSwitchId } = command;
  const [by] = await t.uow.rows<{ reason: string; isReleased: boolean }>(
    `select reason, released_at is not null as "isReleased" from kill_switches where tenant_id = $1 and id = $2`,
    [t.uow.tenantId, killSwitchId],
  );
  const refusal = await t.run({ ...command, reason: by?.reason ?? '' });
  if (refusal === null && by?.isReleased !== false) await t.run({ type: 'continue', slot });
  return refusal;
}

interface Continuing extends TransitionDependencies {
  readonly database: Database;
  readonly onError: (error: unknown, executionId: string) => void;
}

/** Job `continue-halted`: one batch, and a job for the next one. May run any number of times. */
export async function continueBatch(deps: Continuing, { tenantId, killSwitchId, afterId }: JobPayloads['continue-halted']): Promise<void> {
  const { database, onError } = deps;
  const ids = await database.read(tenantId, (uow) => haltedExecutions(uow, killSwitchId, afterId, batchSize));
  const failures: unknown[] = [];
  for (const id of ids) {
    try {
      await database.write(tenantId, (uow) => continueHalted(deps, uow, id, killSwitchId));
    } catch (error) {
      if (isTransient(error)) throw error;
      onError(error, id);
      failures.push(error);
    }
  }
  const last = ids.at(-1);
  if (ids.length === batchSize && last !== undefined) {
    await database.write(tenantId, (uow) =>
      enqueue(uow, [{ name: 'continue-halted', payload: { tenantId, killSwitchId, afterId: last } }]),
    );
  }
  // Held up nobody else; the queue tries again, and finds only those that are still halted.
  if (failures.length > 0) throw failures[0];
}
