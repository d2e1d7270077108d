// What must be true of a whole simulated life, read from its events and calls alone: joins fire once, what is paused rests, signals and
// approvals are used once, what was taken over is not done again, keys belong to one effect, no child is lost or doubled.
import assert from 'node:assert/strict';
import type { Definition } from '#src/agents/definition.ts';
import { isFinalEvent, type EventType } from '#src/events/catalogue.ts';
import type { EventRow } from '#src/events/event-service.ts';
import { isFinalExecution } from '#src/executions/execution.ts';
import type { Called } from './simulation-checks.ts';
import { parseDuration } from '#src/platform/duration.ts';
import { mostWithin } from './counted.ts';
import { simulatedRates, turnBackMs, type LivedExecution, type World } from './simulation-world.ts';

const keyOf = ({ data }: EventRow): string => `${String(data['stepId'])}#${String(data['itemIndex'])}`;

/** What begins something. */
const beginnings: readonly EventType[] = [
  ...(['step.started', 'step.child_started', 'step.expanded', 'step.iterated', 'step.waiting'] as const),
  ...(['approval.requested', 'signal.received', 'execution.started', 'execution.succeeded'] as const),
];

export async function checkHistory(world: World, execution: LivedExecution, definition: Definition): Promise<void> {
  const events = await world.engine.events(execution.id);
  const of = (type: EventType) => events.filter((event) => event.type === type);
  const once = (what: string, keys: readonly string[]) => assert.equal(new Set(keys).size, keys.length, `${what}: ${keys.join(' ')}`);

  const final = events.findIndex(({ type }) => isFinalEvent(type));
  assert.equal(final, events.length - 1, 'nothing happens after the end');
  const isRepeated = new Set(definition.steps.filter((step) => step.forEach !== undefined || step.loop !== undefined).map(({ id }) => id));
  const joins = of('step.queued').filter(({ data }) => data['itemIndex'] !== -1 || !isRepeated.has(String(data['stepId'])));
  // What a policy puts off is queued again; the rest only once.
  const putOff = of('step.deferred').map(keyOf);
  const extra = joins.map(keyOf).filter((key, index, all) => all.indexOf(key) !== index);
  for (const key of new Set(extra)) {
    const times = (keys: readonly string[]) => keys.filter((each) => each === key).length;
    assert.ok(times(extra) <= times(putOff), `${key} was queued ${times(extra) + 1} times and put off ${times(putOff)} times`);
  }
  once(
    'an attempt begins once',
    of('step.started').map((event) => `${keyOf(event)}@${String(event.data['attempt'])}`),
  );
  once('a slot ends once', events.filter(({ type }) => ['step.succeeded', 'step.failed', 'step.blocked', 'step.skipped'].includes(type)).map(keyOf)); // prettier-ignore

  let isPaused = false;
  for (const { type, sequence } of events) {
    assert.ok(!isPaused || !beginnings.includes(type), `${type} (${sequence}) while paused`);
    if (type === 'execution.paused') isPaused = true;
    if (type === 'execution.resumed') isPaused = false;
  }

  const [scheduled] = of('execution.scheduled');
  const [started] = of('execution.started');
  // A clock may be turned back between a look at it and the next.
  const startedBy = (started?.occurredAt.getTime() ?? 0) + turnBackMs * (world.faults['clock jump'] ?? 0);
  if (scheduled && started) assert.ok(startedBy >= Date.parse(String(scheduled.data['startAt'])), 'started before its time');

  const received = of('signal.received').map(({ data }) => String(data['signalId']));
  once('a signal is taken once', received);
  const sent = new Set(of('execution.signalled').map(({ data }) => data['signalId']));
  for (const id of received) assert.ok(sent.has(id), 'a signal was taken that was not sent');
  const taken = await world.rows<{ id: string }>('select id from signals where execution_id = $1 and received_at is not null', [
    execution.id,
  ]);
  assert.deepEqual(new Set(taken.map(({ id }) => id)), new Set(received), 'signals taken');

  const decided = [...of('approval.approved'), ...of('approval.rejected'), ...of('approval.expired'), ...of('approval.cancelled')];
  once(
    'an approval ends once',
    decided.map(({ data }) => String(data['approvalId'])),
  );
  checkReused(events);
}

/** No stretch of time holds more than a rate limit allows. */
export async function checkRates(world: World): Promise<void> {
  for (const [name, { limit, window }] of Object.entries(simulatedRates)) {
    const most = mostWithin(await world.counted.momentsOf(world.policies[name]!), parseDuration(window)!);
    assert.ok(most <= limit, `${name}: ${most} within ${window}, ${limit} may be`);
  }
}

/** Steps and items that were taken over from another execution do nothing more. */
function checkReused(events: readonly EventRow[]): void {
  const done = new Set<string>();
  for (const event of events) {
    const { type, data } = event;
    if (type !== 'step.reused') {
      if ('stepId' in data) assert.ok(!done.has(keyOf(event)), `${type} of ${keyOf(event)}, which was taken over`);
      continue;
    }
    if (data['status'] !== 'pending') done.add(keyOf(event));
    for (const [first, last] of (data['ranges'] as [number, number][] | undefined) ?? [])
      for (let item = first; item <= last; item += 1) done.add(`${String(data['stepId'])}#${item}`);
  }
}

/** Attempts of an effect share a key, also across retries of the execution; nothing else does. */
export function checkKeys(executions: readonly LivedExecution[], calls: readonly Called[]): void {
  const scopes = new Map(executions.map(({ id, scopeId }) => [id, scopeId]));
  const effects = new Map<string, string>();
  const keys = new Map<string, string>();
  for (const { executionId, slot, idempotencyKey } of calls) {
    const effect = `${scopes.get(executionId)} ${slot.stepId}#${slot.itemIndex}`;
    assert.equal(keys.get(effect) ?? idempotencyKey, idempotencyKey, `${effect} changed its key`);
    assert.equal(effects.get(idempotencyKey) ?? effect, effect, `two effects share the key ${idempotencyKey}`);
    keys.set(effect, idempotencyKey);
    effects.set(idempotencyKey, effect);
  }
}

/** Every child was started by exactly one step, and has ended. */
export async function checkFamily(world: World, executions: readonly LivedExecution[]): Promise<void> {
  const children = executions.filter(({ parentId }) => parentId !== null);
  const events = (await Promise.all(executions.map(({ id }) => world.engine.events(id)))).flat();
  const started = events.filter(({ type }) => type === 'step.child_started').map(({ data }) => String(data['childExecutionId']));
  assert.deepEqual(started.toSorted(), children.map(({ id }) => id).toSorted(), 'children that steps started');
  for (const { status } of children) assert.ok(isFinalExecution(status));
}
