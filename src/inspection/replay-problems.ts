// Why an event cannot be part of a true history: of another shape, at a place that is not there, out of order. Pure.
import type { z } from 'zod';
import { eventCatalogue, type SlotEvent } from '../events/catalogue.ts';
import type { EventRow } from '../events/event-service.ts';
import type { AttemptStatus } from '../executions/execution.ts';
import { attemptFact } from '../executions/event-facts.ts';
import type { ExecutionState, Plan, Slot } from '../executions/machine-state.ts';

/** `folded` is what the events say, `stored` what the rows say; null: nothing. */
export interface Difference {
  /** Such as `events[5].data.total`, `execution.status`, `steps.read.itemDone`, `steps.read[3].attempts[2].status`. */
  readonly path: string;
  readonly folded: unknown;
  readonly stored: unknown;
  readonly message: string;
}

export function impossible(path: string, stored: unknown, message: string): Difference {
  return { path, folded: null, stored, message };
}

export const repeats = (path: string, type: string): Difference =>
  impossible(`${path}.type`, type, 'it changes nothing: what it says was so already');

/** Payloads with nothing in them that the catalogue does not know. Made once: zod compiles what it uses. */
const payloads: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(eventCatalogue).map(([type, schema]) => [type, schema.strict()]));

export function payloadProblem({ type, data }: EventRow, path: string): Difference | null {
  const schema = payloads.get(type);
  if (!schema) return impossible(`${path}.type`, type, 'the catalogue has no event of this name');
  const parsed = schema.safeParse(data);
  if (parsed.success) return null;
  const [issue] = parsed.error.issues;
  const at = [`${path}.data`, ...issue!.path.map(String)];
  const stored = issue!.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)[key], data) ?? null;
  return impossible(at.join('.'), stored, `not a payload of ${type}: ${issue!.message}`);
}

/** What only an execution that runs can do. */
export const idleProblem = ({ status }: ExecutionState, path: string, type: string): Difference | null =>
  status === 'running' ? null : impossible(`${path}.type`, type, `the execution was ${status} then, not running`);

/** Is there such a step, and such an item of it? */
export function placeProblem(plan: Plan, state: ExecutionState, { stepId, itemIndex }: Slot, path: string): Difference | null {
  if (!plan.steps.has(stepId)) return impossible(`${path}.data.stepId`, stepId, `the definition has no step "${stepId}"`);
  const total = state.steps.get(stepId)?.items?.total ?? 0;
  if (itemIndex < total) return null;
  return impossible(`${path}.data.itemIndex`, itemIndex, `step "${stepId}" has ${total} items at this point`);
}

/** Attempts are numbered without a gap, and only the one that runs can end. */
export function attemptProblem(event: SlotEvent, attempts: readonly { readonly status: AttemptStatus }[], path: string): Difference | null {
  const fact = attemptFact(event);
  if (!fact) return null;
  const isStart = fact.status === 'running';
  const expected = attempts.length + (isStart ? 1 : 0);
  const other = { path: `${path}.data.attempt`, folded: expected, stored: fact.number };
  if (fact.number !== expected)
    return { ...other, message: isStart ? `attempt ${expected} is the next one` : `attempt ${expected} is the newest one` };
  if (isStart === (attempts.at(-1)?.status !== 'running')) return null;
  return { ...other, message: isStart ? `attempt ${expected - 1} has not ended` : `attempt ${expected} does not run` };
}
